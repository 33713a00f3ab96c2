"""Commands in a lab that is already running: one exec, one connection to the engine, no thread.

The connection is made by hand and not by the SDK: the engine's answer is read to the last byte of its head and no
further, so that what the command says first is never lost in somebody's buffer.
"""

from __future__ import annotations

import json
import re
import selectors
import socket
import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from docker.errors import NotFound

from lessons.sandbox.engine import API_VERSION, Engine, engine_errors
from lessons.sandbox.errors import DeadlineError, EngineUnavailableError, LabGoneError, SandboxError

MOST_HEAD = 16 << 10
MOST_FRAME = 16 << 20
PIECE = 64 << 10
EXIT_SECONDS = 2.0  # the engine knows the exit code a moment after the stream has ended
# A terminal leaves its exec by this many keys that nobody types; the engine's own default would swallow Ctrl-P.
DETACH_KEYS = ",".join(["ctrl-@", "ctrl-_"] * 8)
STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")
LENGTH = re.compile(rb"(?im)^content-length: *(\d+)")


def is_alive(engine: Engine, container_id: str) -> bool:
    """Whether the container is there and runs (or is paused). Raises SandboxError when the engine does not answer."""
    with engine_errors():
        try:
            state = engine.api.inspect_container(container_id)["State"]
        except NotFound:
            return False
    return bool(state.get("Running")) and not state.get("Dead")


@contextmanager
def lab_errors(engine: Engine, container_id: str) -> Iterator[None]:
    """As ``engine_errors``; where the cause is that the lab has ended, LabGoneError."""
    try:
        with engine_errors():
            yield
    except (LabGoneError, DeadlineError):
        raise
    except SandboxError as error:
        if is_alive(engine, container_id):
            raise
        raise LabGoneError(f"lab {container_id[:12]} has ended: {error}") from error


class Exec:
    """One command under way. ``socket`` is raw for a terminal, else in the engine's frames; its owner closes it."""

    def __init__(
        self,
        engine: Engine,
        container_id: str,
        argv: Sequence[str],
        *,
        environment: dict[str, str] | None = None,
        tty: tuple[int, int] | None = None,
    ) -> None:
        """Start it. ``tty``: (columns, rows) of a terminal, None for pipes. Raises SandboxError."""
        self._engine, self._container = engine, container_id
        with lab_errors(engine, container_id):
            self.id: str = engine.api.exec_create(
                container_id,
                list(argv),
                stdin=True,
                tty=tty is not None,
                environment=environment,
                detach_keys=DETACH_KEYS if tty else None,
            )["Id"]
            body: dict[str, Any] = {"Detach": False, "Tty": tty is not None}
            if tty is not None:
                body["ConsoleSize"] = [tty[1], tty[0]]
            self.socket = _hijack(engine, f"/exec/{self.id}/start", body)

    def converse(self, stdin: bytes, ends_at: float, most: int) -> tuple[bytes, bytes, bool]:
        """Give it all of ``stdin`` and take what it says until it ends: (stdout, stderr, whether it was cut).

        Cut at ``most`` bytes of both together: no more is read then. ``ends_at`` is of time.monotonic().
        Raises DeadlineError, EngineUnavailableError.
        """
        frames = Frames(most)
        left = memoryview(stdin)
        self.socket.setblocking(False)
        with selectors.DefaultSelector() as selector:
            both = selectors.EVENT_READ | selectors.EVENT_WRITE
            selector.register(self.socket, both if left else selectors.EVENT_READ)
            if not left:
                self.socket.shutdown(socket.SHUT_WR)
            while not frames.is_full:
                rest = ends_at - time.monotonic()
                if rest <= 0:
                    raise DeadlineError("a command in a lab did not end in time")
                for _, ready in selector.select(rest):
                    if ready & selectors.EVENT_WRITE:
                        left = left[self._send(left) :]
                        if not left:
                            selector.modify(self.socket, selectors.EVENT_READ)
                            self.socket.shutdown(socket.SHUT_WR)
                    if ready & selectors.EVENT_READ:
                        piece = self._receive()
                        if piece == b"":
                            return bytes(frames.out), bytes(frames.error), False
                        frames.feed(piece or b"")
        return bytes(frames.out), bytes(frames.error), True

    def _send(self, data: memoryview) -> int:
        try:
            return self.socket.send(data[:PIECE])
        except BlockingIOError:
            return 0
        except BrokenPipeError:
            return len(data)  # it reads no more; what it says still counts

    def _receive(self) -> bytes | None:
        """b"" at the end, None when there is nothing yet."""
        try:
            return self.socket.recv(PIECE)
        except BlockingIOError:
            return None
        except ConnectionResetError:
            return b""

    def exit_code(self, seconds: float = 0.0) -> int | None:
        """None while it runs, after waiting up to ``seconds`` for its end. Raises SandboxError."""
        ends_at = time.monotonic() + seconds
        while True:
            with lab_errors(self._engine, self._container):
                state = self._engine.api.exec_inspect(self.id)
            if not state.get("Running") and state.get("ExitCode") is not None:
                return int(state["ExitCode"])
            if time.monotonic() >= ends_at:
                return None
            time.sleep(0.01)

    def close(self) -> None:
        """Let go of the connection, also from another thread than the one that reads. Twice is fine."""
        with suppress(OSError):  # the other side may be faster
            self.socket.shutdown(socket.SHUT_RDWR)  # wakes whoever reads
        self.socket.close()


class Frames:
    """Takes the engine's stream apart: eight bytes of head (1 stdout, 2 stderr; three zeros; length), then the text."""

    def __init__(self, most: int) -> None:
        self.out, self.error = bytearray(), bytearray()
        self.is_full = False
        self._most = most
        self._unread = bytearray()

    def feed(self, data: bytes) -> None:
        """Raises EngineUnavailableError for what is no frame."""
        self._unread += data
        while len(self._unread) >= 8:
            kind, length = struct.unpack(">BxxxI", self._unread[:8])
            if kind > 2 or length > MOST_FRAME:
                raise EngineUnavailableError("what a command in a lab said makes no sense")
            if len(self._unread) < 8 + length:
                if length > self._most:
                    self.is_full = True
                return
            text = self._unread[8 : 8 + length]
            del self._unread[: 8 + length]
            room = self._most - len(self.out) - len(self.error)
            (self.error if kind == 2 else self.out).extend(text[:room])
            if len(text) > room:
                self.is_full = True
                return


def _hijack(engine: Engine, path: str, body: dict[str, Any]) -> socket.socket:
    """POST, and the bare connection after it, blocking with the engine's timeout. Raises OSError, SandboxError."""
    text = json.dumps(body).encode()
    head = (
        f"POST /v{API_VERSION}{path} HTTP/1.1\r\nHost: docker\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(text)}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
    )
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.settimeout(engine.call_seconds)
        made.connect(str(engine.socket))
        made.sendall(head.encode() + text)
        answer = bytearray()
        while not answer.endswith(b"\r\n\r\n"):
            byte = made.recv(1)
            if not byte or len(answer) > MOST_HEAD:
                raise EngineUnavailableError("the engine hung up on a command in a lab")
            answer += byte
        status = STATUS.match(answer)
        if status is None or int(status[1]) not in (101, 200):
            raise EngineUnavailableError(f"exec: {_message(made, bytes(answer))}")
    except BaseException:
        made.close()
        raise
    return made


def _message(stream: socket.socket, head: bytes) -> str:
    """What the engine says instead of starting it."""
    length = LENGTH.search(head)
    body = stream.recv(min(int(length[1]), MOST_HEAD), socket.MSG_WAITALL) if length else b""
    return body.decode(errors="replace").strip() or head.split(b"\r\n")[0].decode(errors="replace")
