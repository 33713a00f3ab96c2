"""Which shells are open in this process."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from uuid import UUID

from django.utils.translation import gettext as _

from lessons.contracts import LabShape
from lessons.models import LabSession
from lessons.queries import host_of
from lessons.sandbox import SandboxError, Shell
from lessons.services.sandboxes import current_sandbox
from lessons.terminals.seat import Seat
from lessons.terminals.terminal import LAB_OVER, Terminal
from lessons.terminals.threads import in_thread, stop_threads

logger = logging.getLogger(__name__)

OPEN_SECONDS = 20.0
CLOSE_SECONDS = 5.0
SERVICE_RESTART = 1012

Key = tuple[UUID, int]


class ShellUnavailable(Exception):
    """The lab did not give a shell (in time)."""


class Hub:
    """Terminals by lab and number. Each is opened by the first socket that asks for it."""

    def __init__(self) -> None:
        self.terminals: dict[Key, Terminal] = {}
        self._opening: dict[Key, asyncio.Task[Terminal]] = {}

    async def attach(self, lab: LabSession, number: int, seat: Seat) -> Terminal:
        """Give the socket a seat at terminal ``number``. Raises ShellUnavailable."""
        key = (lab.pk, number)
        terminal = self.terminals.get(key)
        if terminal is None:
            # A task of its own, since two sockets may wait for it and the first of them may go.
            task = self._opening.get(key)
            if task is None:
                opening = self._open(key, lab.container, lab.lab_shape, seat.size)
                task = self._opening[key] = asyncio.get_running_loop().create_task(opening, name="terminal-open")
                task.add_done_callback(lambda done: self._opened(key, done))
            terminal = await asyncio.shield(task)
        terminal.join(seat)
        return terminal

    async def end_lab(self, lab_id: UUID, message: str) -> None:
        """Close what is open in a lab that is over."""
        ended = [terminal for key, terminal in list(self.terminals.items()) if key[0] == lab_id]
        await asyncio.gather(*(terminal.close(message, LAB_OVER) for terminal in ended))

    async def close(self) -> None:
        """The portal stops: every shell hangs up, so that it keeps its history."""
        for task in list(self._opening.values()):
            task.cancel()
        message = _("포털을 다시 시작하고 있어요. 곧 다시 이어져요.")
        closing = [terminal.close(message, SERVICE_RESTART, hang_up=True) for terminal in self.terminals.values()]
        try:
            await asyncio.wait_for(asyncio.gather(*closing), CLOSE_SECONDS)
        except TimeoutError:
            logger.warning("Some shells did not hang up in time")
        stop_threads()

    async def _open(self, key: Key, container: str, shape: LabShape, size: tuple[int, int]) -> Terminal:
        opening = _Opening(container, shape, key[1], size)
        try:
            shell = await in_thread(opening.carry_out, seconds=OPEN_SECONDS)
        except (SandboxError, TimeoutError) as error:
            raise ShellUnavailable(str(error)) from error
        finally:
            opening.stop_waiting()
        columns, rows = size
        terminal = Terminal(shell, columns=columns, rows=rows, on_end=lambda ended: self._forget(key, ended))
        self.terminals[key] = terminal
        return terminal

    def _opened(self, key: Key, task: asyncio.Task[Terminal]) -> None:
        self._opening.pop(key, None)
        if not task.cancelled():
            task.exception()  # whoever waits has it; with nobody left it is of no interest

    def _forget(self, key: Key, terminal: Terminal) -> None:
        if self.terminals.get(key) is terminal:
            del self.terminals[key]


hub = Hub()


def free(lab_id: UUID, number: int) -> int | None:
    """나 갇혔어요, from any thread: how many programs were ended; None where no such terminal is open.

    Raises SandboxError.
    """
    terminal = hub.terminals.get((lab_id, number))
    if terminal is None:
        return None
    with contextlib.suppress(RuntimeError):  # the loop has ended in this moment, and the terminal with it
        terminal.loop.call_soon_threadsafe(terminal.drop_input)
    return terminal.shell.free()


class _Opening:
    """A call that opens a shell; one that comes after nobody waits for it any more is hung up at once."""

    def __init__(self, container: str, shape: LabShape, number: int, size: tuple[int, int]) -> None:
        self.container, self.shape, self.number, self.size = container, shape, number, size
        self._lock = threading.Lock()
        self._over = self._taken = False

    def carry_out(self) -> Shell:
        lab = current_sandbox().lab(self.container)
        columns, rows = self.size
        host = host_of(self.shape, self.number)
        shell = lab.open_shell(number=self.number, columns=columns, rows=rows, host=host)
        with self._lock:
            self._taken = not self._over
        if not self._taken:
            shell.hang_up()
            raise ShellUnavailable("the shell came too late")
        return shell

    def stop_waiting(self) -> None:
        with self._lock:
            self._over = True
