"""Connections to commands in a lab: the bare HTTP of it, frames, and what happens when it goes wrong."""

from __future__ import annotations

import gc
import json
import os
import socket
import threading
import time
from types import SimpleNamespace

import pytest

from lessons.sandbox import DeadlineError, EngineUnavailableError
from lessons.sandbox import execs as modules
from lessons.sandbox.execs import Exec, Frames
from tests.sandbox.lab_engine import Answer, frame

SWITCHED = b"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\n\r\n"


class Listener:
    """Answers one connection with what it was told, in the given pieces, and remembers the request."""

    def __init__(self, path, pieces: list[bytes], hold: bool = False) -> None:
        self.request = b""
        self.engine = SimpleNamespace(socket=path, call_seconds=2)
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen()
        self._pieces, self._hold = pieces, hold
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        stream, _ = self._server.accept()
        with stream:
            while b"\r\n\r\n" not in self.request or not self.request.endswith(b"}"):
                self.request += stream.recv(4096)
            for piece in self._pieces:
                stream.sendall(piece)
            if self._hold:
                self._done.wait(5)

    def close(self) -> None:
        self._done.set()
        self._thread.join()
        self._server.close()


@pytest.fixture
def listening(tmp_path):
    made: list[Listener] = []

    def start(*pieces: bytes, hold: bool = False) -> Listener:
        made.append(Listener(tmp_path / "docker.sock", list(pieces), hold))
        return made[-1]

    yield start
    for listener in made:
        listener.close()


def test_nothing_of_what_is_said_first_is_lost(listening):
    listener = listening(SWITCHED + "안녕\r\n".encode() + b"more")
    with modules._hijack(listener.engine, "/exec/7/start", {"Tty": True}) as stream:
        assert stream.recv(4096) == "안녕\r\n".encode() + b"more"
    head, _, body = listener.request.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v1.44/exec/7/start HTTP/1.1\r\n")
    assert b"Upgrade: tcp" in head
    assert json.loads(body) == {"Tty": True}


def test_head_that_comes_byte_by_byte_is_read(listening):
    listener = listening(*[bytes([byte]) for byte in SWITCHED], b"x")
    with modules._hijack(listener.engine, "/exec/7/start", {}) as stream:
        assert stream.recv(1) == b"x"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b'HTTP/1.1 409 Conflict\r\nContent-Length: 23\r\n\r\n{"message":"is paused"}', "is paused"),
        (b"HTTP/1.1 500 Oops\r\n\r\n", "500 Oops"),
        (b"HTTP/1.1 101", "hung up"),
        (b"", "hung up"),
        (b"SSH-2.0\r\n\r\n", "SSH"),
        (b"HTTP/1.1 101 X\r\n" + b"a" * (modules.MOST_HEAD + 1), "hung up"),
    ],
)
def test_refusal_of_the_engine_is_told_and_nothing_stays_open(listening, answer, said):
    gc.collect()  # what other tests left to it must not go in between
    before = set(os.listdir("/proc/self/fd"))
    listener = listening(answer)
    with pytest.raises(EngineUnavailableError, match=said):
        modules._hijack(listener.engine, "/exec/7/start", {})
    listener.close()
    assert set(os.listdir("/proc/self/fd")) <= before


def test_engine_that_stays_silent_is_given_up(listening):
    listener = listening(hold=True)
    listener.engine.call_seconds = 0.05
    with pytest.raises(TimeoutError):
        modules._hijack(listener.engine, "/exec/7/start", {})


def test_frames_are_put_together_from_any_pieces():
    data = frame(b"ab") + frame(b"!", 2) + frame(b"") + frame("한글".encode())
    for size in (1, 3, 8, 100):
        frames = Frames(1000)
        for start in range(0, len(data), size):
            frames.feed(data[start : start + size])
        assert (bytes(frames.out).decode(), bytes(frames.error)) == ("ab한글", b"!")
        assert not frames.is_full


@pytest.mark.parametrize("parts", [[frame(b"x" * 30)], [frame(b"x" * 9), frame(b"y" * 9, 2)], [frame(b"x" * 30)[:20]]])
def test_frames_are_cut_at_their_bound(parts):
    frames = Frames(10)
    for part in parts:
        frames.feed(part)
    assert frames.is_full
    assert len(frames.out) + len(frames.error) <= 10


@pytest.mark.parametrize("data", [b"HTTP/1.1 500", b"\x01\0\0\0\xff\xff\xff\xff"])
def test_what_is_no_frame_is_an_error(data):
    with pytest.raises(EngineUnavailableError):
        Frames(10).feed(data)


def test_command_is_given_its_input_and_says_both_streams(engine):
    engine.answers["x"] = Answer(out=b"out", err=b"err")
    made = Exec(engine, engine.lab().id, ["a", "x"])
    stdin = os.urandom(20_000)
    assert made.converse(stdin, time.monotonic() + 5, 1000) == (b"out", b"err", False)
    assert engine.heard() == stdin
    made.close()
    made.close()
    assert engine.open_sockets() == 0


def test_large_input_and_output_do_not_wait_for_each_other(engine):
    engine.answers["x"] = Answer(holds=True)
    made = Exec(engine, engine.lab().id, ["a", "x"])
    far = engine.execs[0]["far"]
    data = os.urandom(3_000_000)

    def echo() -> None:
        while part := far.recv(1 << 16):
            far.sendall(frame(part))
        far.shutdown(socket.SHUT_WR)

    other = threading.Thread(target=echo)
    other.start()
    out, _, cut = made.converse(data, time.monotonic() + 20, 4_000_000)
    other.join()
    assert out == data
    assert not cut
    made.close()


def test_command_that_reads_nothing_is_heard_all_the_same(engine):
    engine.answers["x"] = Answer(holds=True)
    made = Exec(engine, engine.lab().id, ["a", "x"])
    far = engine.execs[0]["far"]
    far.sendall(frame(b"no thanks"))
    far.shutdown(socket.SHUT_RDWR)
    assert made.converse(b"x" * 1000, time.monotonic() + 5, 1000)[0] == b"no thanks"
    made.close()


def test_command_that_does_not_end_is_left_at_its_deadline(engine):
    engine.answers["x"] = Answer(holds=True)
    made = Exec(engine, engine.lab().id, ["a", "x"])
    began = time.monotonic()
    with pytest.raises(DeadlineError):
        made.converse(b"", began + 0.05, 1000)
    assert time.monotonic() - began < 10
    made.close()


def test_terminal_has_its_size_and_keys_from_the_start(engine):
    Exec(engine, engine.lab().id, ["a", "x"], tty=(91, 33), environment={"A": "1"}).close()
    (made,) = engine.execs
    assert made["body"] == {"Detach": False, "Tty": True, "ConsoleSize": [33, 91]}
    assert made["environment"] == {"A": "1"}
    assert "ctrl-p" not in made["detach_keys"]


def test_exit_code_is_waited_for_and_then_unknown(engine):
    engine.answers["x"] = Answer(code=None)
    made = Exec(engine, engine.lab().id, ["a", "x"])
    assert made.exit_code() is None
    threading.Timer(0.05, lambda: setattr(engine.execs[0]["answer"], "code", 3)).start()
    assert made.exit_code(2.0) == 3
    made.close()
