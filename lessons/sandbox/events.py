"""What happens in a lab's engines, as it happens: one exec, read by one thread of the caller's."""

from __future__ import annotations

import json
import select
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from lessons.sandbox.engine import engine_errors
from lessons.sandbox.errors import EngineUnavailableError, LabGoneError
from lessons.sandbox.execs import PIECE, Exec, Frames

if TYPE_CHECKING:
    from lessons.sandbox.lab import Lab

MOST_LINE = 1 << 20
MOST_COMPLAINT = 4096
LOOK_SECONDS = 1.0
ENGINE_DIED = "an engine in the lab has died"  # the attendant's words


def read_event(line: bytes) -> dict[str, Any]:
    """{"host", "event"} of a line as the attendant prints it."""
    try:
        event = json.loads(line)
        return {"host": str(event["host"]), "event": dict(event["event"])}
    except (KeyError, TypeError, ValueError) as error:
        raise EngineUnavailableError(f"attendant events: {error!r}") from error


class EventStream:
    """Events as {"host", "event"}, where ``event`` is Docker's document. ``close`` from any thread ends it at once."""

    def __init__(self, lab: Lab, made: Exec) -> None:
        self._lab, self._exec = lab, made
        self._frames = Frames(MOST_LINE)
        self._closed = False
        self._exec.socket.setblocking(False)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Until ``close``. Raises SandboxError when it ends by itself: LabGoneError when the lab did."""
        while not self._closed:
            event = self.read(LOOK_SECONDS)
            if event is not None:
                yield event

    def read(self, seconds: float) -> dict[str, Any] | None:
        """The next event; None after ``seconds`` without one, or once closed. Raises as iterating does."""
        ends_at = time.monotonic() + seconds
        while not self._closed:
            event = self._next_line()
            if event is not None:
                return event
            rest = ends_at - time.monotonic()
            if rest < 0:
                return None
            self._wait(rest)
        return None

    def _next_line(self) -> dict[str, Any] | None:
        line, found, rest = self._frames.out.partition(b"\n")
        if not found:
            return None
        self._frames.out = rest
        return read_event(bytes(line))

    def _wait(self, seconds: float) -> None:
        """Take in what has come. A connection closed meanwhile, here or there, is looked at by the caller."""
        try:
            waiting = select.poll()
            waiting.register(self._exec.socket, select.POLLIN)
            piece = self._exec.socket.recv(PIECE) if waiting.poll(seconds * 1000) else None
        except BlockingIOError:
            return
        except (OSError, ValueError) as error:  # ValueError: a closed socket has no number to wait for
            piece = b""
            reason = str(error)
        else:
            reason = self._frames.error[-500:].decode(errors="replace").strip()
        if piece == b"":
            self._end(reason)
        elif piece:
            with engine_errors():
                self._frames.feed(piece)
            del self._frames.error[:-MOST_COMPLAINT]
            if self._frames.is_full:
                raise EngineUnavailableError("an event of a lab is too large")

    def _end(self, reason: str) -> None:
        if self._closed:
            return
        self.close()
        if ENGINE_DIED in reason or not self._lab.outlives():
            raise LabGoneError(f"{self._lab!r} has ended {reason}".rstrip())
        raise EngineUnavailableError(f"the events of {self._lab!r} have ended: {reason}")

    def close(self) -> None:
        """Twice is fine. The attendant sees its standard input end and ends as well."""
        self._closed = True
        self._exec.close()
