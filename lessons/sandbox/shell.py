"""One terminal: a login shell of the learner's on a pty in the lab, and the connection to it."""

from __future__ import annotations

import logging
import socket
import time
from typing import TYPE_CHECKING

from lessons.sandbox.engine import Engine
from lessons.sandbox.errors import EngineUnavailableError, SandboxError
from lessons.sandbox.execs import Exec, lab_errors

if TYPE_CHECKING:
    from lessons.sandbox.lab import Lab

logger = logging.getLogger(__name__)

FREE_SECONDS = 10.0
START_SECONDS = 2.0  # the engine answers before the terminal is there: a first resize may come too early
MOST_SIDE = 1000  # columns, rows


class Shell:
    """``socket`` carries raw bytes both ways and does not block: for ``loop.sock_recv`` and ``loop.sock_sendall``.

    There is no thread behind it. Its end (b"") is the shell's; ``exit_code`` tells how. ``close`` before letting go.
    """

    def __init__(self, engine: Engine, lab: Lab, made: Exec, number: int) -> None:
        self._engine, self._lab, self._exec, self._number = engine, lab, made, number
        self.socket: socket.socket = made.socket
        self.socket.setblocking(False)

    def resize(self, columns: int, rows: int) -> None:
        """Tell the programs in it. Sizes out of bounds are brought within. Raises SandboxError."""
        width, height = (min(max(2, side), MOST_SIDE) for side in (columns, rows))
        ends_at = time.monotonic() + START_SECONDS
        while True:
            try:
                with lab_errors(self._engine, self._lab.id):
                    self._engine.api.exec_resize(self._exec.id, height=height, width=width)
            except EngineUnavailableError:
                if time.monotonic() > ends_at or self.exit_code() is not None:
                    raise
                time.sleep(0.02)
            else:
                return

    def free(self) -> int:
        """End whatever holds the learner in it, but not the shell; how many processes went. Raises SandboxError."""
        return int(self._lab.attend("free", "--id", str(self._number), seconds=FREE_SECONDS).get("freed", 0))

    def hang_up(self) -> None:
        """End the shell with all that runs in it, and let go. Never raises: a lab that is gone has hung up already."""
        try:
            self._lab.attend("hangup", "--id", str(self._number), seconds=FREE_SECONDS)
        except SandboxError as error:
            logger.info("Shell %d of %r was not hung up: %s", self._number, self._lab, error)
        self.close()

    def exit_code(self) -> int | None:
        """None while it runs. Raises SandboxError."""
        return self._exec.exit_code()

    def close(self) -> None:
        """Let go of the connection only; the shell goes on. Twice is fine."""
        self._exec.close()
