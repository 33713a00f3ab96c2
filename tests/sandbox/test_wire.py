"""The conversation with park over a stream that the test holds the other end of."""

from __future__ import annotations

import base64
import json
import socket
import struct
import time
from typing import Any

import pytest
import requests

from lessons.contracts import Ended, Run
from lessons.sandbox import DeadlineError, EngineUnavailableError
from lessons.sandbox.limits import Shape
from lessons.sandbox.run import LABEL_DEADLINE, MOST_REPLY, RunContainer
from tests.sandbox.running import python

REPORT: dict[str, Any] = {
    "ended": "exit",
    "exit_code": 3,
    "signal": 0,
    "stdout": base64.b64encode(b"\xff7\n").decode(),
    "stderr": None,
    "truncated": False,
    "files": {"out": base64.b64encode(b"\x00").decode(), "gone": None},
    "cpu_ms": 12,
    "peak_bytes": 10 << 20,
    "wall_ms": 30,
}


class Holder:
    """What docker's SDK gives for an attached socket."""

    def __init__(self, ours: socket.socket) -> None:
        self._sock = ours
        self.closed = False

    def close(self) -> None:
        self.closed = True


class FakeEngine:
    def __init__(self, ours: socket.socket) -> None:
        self.api, self.timeout, self.ours = self, 20, ours
        self.config: dict[str, Any] = {}
        self.state: dict[str, Any] = {"Status": "running"}
        self.started: list[str] = []

    def runtime(self) -> str:
        return "runsc"

    def create_container_from_config(self, config: dict[str, Any], name: str) -> dict[str, str]:
        self.config = config
        return {"Id": "abc"}

    def attach_socket(self, container_id: str, parameters: dict[str, int]) -> Holder:
        assert not self.started  # what park says first would be lost
        return Holder(self.ours)

    def start(self, container_id: str) -> None:
        self.started.append(container_id)

    def inspect_container(self, container_id: str) -> dict[str, Any]:
        return {"Id": container_id, "State": self.state}

    def wait(self, container_id: str, timeout: float) -> None:
        assert timeout <= 20


class Park:
    """The other end: speaks in the engine's multiplexed frames."""

    def __init__(self) -> None:
        self.ours, self.theirs = socket.socketpair()
        self.engine = FakeEngine(self.ours)
        self.container = RunContainer(self.engine, Shape("python", 128), "naru-python", {"a": "b"}, 60.0)
        self.container.begin()

    def say(self, message: Any, pieces: int = 1) -> None:
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        self.raw(struct.pack(">I", len(body)) + body, pieces)

    def raw(self, data: bytes, pieces: int = 1, kind: int = 1) -> None:
        step = -(-len(data) // pieces)
        for start in range(0, len(data), step):
            part = data[start : start + step]
            self.theirs.sendall(struct.pack(">BxxxI", kind, len(part)) + part)

    def heard(self) -> dict[str, Any]:
        (length,) = struct.unpack(">I", self.theirs.recv(4, socket.MSG_WAITALL))
        return json.loads(self.theirs.recv(length, socket.MSG_WAITALL))

    def hang_up(self) -> None:
        self.theirs.shutdown(socket.SHUT_WR)

    def carry_out(self, run: Run, seconds: float = 5.0):
        return self.container.carry_out(run, time.monotonic() + seconds)


@pytest.fixture
def park():
    made = Park()
    yield made
    made.container.close()
    made.theirs.close()


def test_container_is_created_closed_to_the_world(park):
    config = park.engine.config
    assert config["NetworkDisabled"]
    assert config["User"] == "0:0"  # park; the learner never is
    assert config["StdinOnce"]
    assert not config["Tty"]
    assert config["Labels"]["a"] == "b"
    assert 50 < int(config["Labels"][LABEL_DEADLINE]) - time.time() <= 60
    assert "Env" not in config


def test_report_becomes_evidence(park):
    park.say({"parked": True})
    park.say(REPORT)
    evidence = park.carry_out(python("x", stdin="한\n", collect=("out", "gone")))
    assert (evidence.ended, evidence.exit_code) == (Ended.EXIT, 3)
    assert (evidence.stdout, evidence.stderr) == (b"\xff7\n", b"")
    assert evidence.files == {"out": b"\x00", "gone": None}
    assert (evidence.cpu_ms, evidence.peak_mb, evidence.wall_ms) == (12, 10.0, 30)
    assert evidence.inspect["Id"] == "abc"
    job = park.heard()
    assert base64.b64decode(job["stdin"]).decode() == "한\n"
    assert {name: base64.b64decode(text) for name, text in job["files"].items()} == {"main.py": b"x"}
    assert job["uid"] >= 20_000


def test_half_a_surrogate_pair_breaks_no_run(park):
    park.say(REPORT)
    park.carry_out(python("x = '\ud800'", stdin="\udfff"))
    job = park.heard()
    assert base64.b64decode(job["stdin"]) == b"?"
    assert base64.b64decode(job["files"]["main.py"]) == b"x = '?'"


def test_every_job_has_a_user_of_its_own():
    users = set()
    for _ in range(3):
        park = Park()
        park.say(REPORT)
        park.carry_out(python(""))
        users.add(park.heard()["uid"])
        park.container.close()
        park.theirs.close()
    assert len(users) == 3


def test_report_in_many_pieces_is_put_together(park):
    park.say({"parked": True}, pieces=5)
    park.raw(b"a note for the log", kind=2)
    park.say(REPORT, pieces=40)
    assert park.carry_out(python("")).exit_code == 3


def test_parked_container_has_been_looked_at_before_its_job(park):
    park.say({"parked": True})
    park.container.park(5)
    park.engine.state = {"Status": "later"}
    park.say(REPORT)
    assert park.carry_out(python("")).inspect["State"] == {"Status": "running"}


@pytest.mark.parametrize("hello", [{"parked": False}, {"fault": "x"}, {}])
def test_container_that_does_not_park_is_an_error(park, hello):
    park.say(hello)
    with pytest.raises(EngineUnavailableError, match="did not park"):
        park.container.park(5)


@pytest.mark.parametrize(
    "reply",
    [
        {"fault": "files: no space"},
        b"no json",
        {"ended": "exit"},
        REPORT | {"ended": "surprise"},
        REPORT | {"stdout": "=a"},
        REPORT | {"files": ["out"]},
        b"7",
        b"[]",
    ],
)
def test_report_that_makes_no_sense_is_one_of_our_errors(park, reply):
    park.say(reply)
    with pytest.raises(EngineUnavailableError):
        park.carry_out(python(""))


def test_reply_too_large_is_refused_before_it_is_read(park):
    park.raw(struct.pack(">I", MOST_REPLY + 1))
    with pytest.raises(EngineUnavailableError, match="bytes"):
        park.carry_out(python(""))


def test_no_report_in_time_is_a_deadline(park):
    park.say({"parked": True})
    began = time.monotonic()
    with pytest.raises(DeadlineError):
        park.carry_out(python(""), seconds=0.1)
    assert time.monotonic() - began < 2


def test_end_by_the_containers_memory_limit_is_a_verdict(park):
    park.engine.state = {"OOMKilled": True, "ExitCode": 137}
    park.hang_up()
    evidence = park.carry_out(python("", collect=("a", "b")))
    assert (evidence.ended, evidence.exit_code) == (Ended.MEMORY, None)
    assert evidence.files == {"a": None, "b": None}
    assert (evidence.cpu_ms, evidence.peak_mb) == (None, None)


@pytest.mark.parametrize("exit_code", [0, 1, 137, 143])
def test_end_without_a_reason_is_our_fault(park, exit_code):
    park.engine.state = {"OOMKilled": False, "ExitCode": exit_code}
    park.say(b'{"parked":true}')
    park.theirs.sendall(b"\x01\x00")  # cut within a header
    park.hang_up()
    with pytest.raises(EngineUnavailableError, match="without a report"):
        park.carry_out(python(""))


def test_engine_that_goes_away_meanwhile_is_one_of_our_errors(park):
    def gone(*_: Any, **__: Any) -> None:
        raise requests.ConnectionError("refused")

    park.engine.wait = gone
    park.hang_up()
    with pytest.raises(EngineUnavailableError):
        park.carry_out(python(""))


def test_close_lets_go_of_the_connection_once(park):
    park.container.close()
    park.container.close()
    assert park.container._holder.closed
    assert park.theirs.recv(1) == b""
