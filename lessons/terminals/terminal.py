"""One shell with the sockets that look at it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from django.utils.translation import gettext as _

from lessons.explainer import Explainer
from lessons.sandbox import SandboxError, Shell
from lessons.terminals.pacing import Bucket
from lessons.terminals.ring import Ring
from lessons.terminals.seat import Seat
from lessons.terminals.threads import in_thread

logger = logging.getLogger(__name__)

CHUNK = 64 * 1024
MOST_SEATS = 3
MOST_INPUT = 512 * 1024  # typed and not yet taken by the shell
OUTPUT_RATE = 2 * 1024 * 1024  # bytes a second: far more than anybody reads, too little to slow others
OUTPUT_BURST = 1024 * 1024
UNSEEN_RATE = 256 * 1024  # while nobody looks
STALL_SECONDS = 10.0  # a socket that acknowledges nothing for so long goes, where another one waits for it
RESIZE_GAP_SECONDS = 0.05
CALL_SECONDS = 15.0
EXIT_LOOKS = 10  # the engine learns a moment after us that a shell has ended
EXIT_GAP_SECONDS = 0.1

SHELL_ENDED = 4000
LAB_OVER = 4001
NOT_ALLOWED = 4003
TOO_MUCH = 4008
ELSEWHERE = 4009
TOO_SLOW = 4010
NOT_OPENED = 4011
NOT_UNDERSTOOD = 4400


class Terminal:
    """``on_end`` is called once, when the shell has ended or ``close`` was called."""

    def __init__(self, shell: Shell, *, columns: int, rows: int, on_end: Callable[[Terminal], None]) -> None:
        self.shell = shell
        self.ring = Ring()
        self.seats: list[Seat] = []
        self._explainer = Explainer()
        self._on_end = on_end
        self._size = (columns, rows)
        self._wanted = (columns, rows)
        self._nudge = False
        self._input: asyncio.Queue[bytes] = asyncio.Queue()
        self._input_bytes = 0
        self._moved = asyncio.Event()  # somebody came, went or acknowledged
        self._resize = asyncio.Event()
        self._closed = False
        self.loop = loop = asyncio.get_running_loop()
        self._pump = loop.create_task(self._run(), name="terminal-output")
        self._helpers = [
            loop.create_task(self._write_input(), name="terminal-input"),
            loop.create_task(self._keep_size(), name="terminal-size"),
        ]

    def join(self, seat: Seat) -> None:
        """Let a socket in: it gets hello and replay; the oldest one goes where there are too many."""
        while len(self.seats) >= MOST_SEATS:
            oldest = self.seats[0]
            self.leave(oldest)
            message = _("다른 창에서 이 터미널을 열어서 여기는 닫았어요.")
            oldest.finish({"type": "ended", "message": message, "again": True}, ELSEWHERE)
        replay = self.ring.replay()
        seat.tell({"type": "hello", "replay": len(replay)})
        seat.give(replay)
        self.seats.append(seat)
        self._nudge = self.ring.other_screen
        self._fit()
        self._moved.set()

    def leave(self, seat: Seat) -> None:
        if seat in self.seats:
            self.seats.remove(seat)
            self._fit()
            self._moved.set()

    def type(self, data: bytes) -> bool:
        """Bytes for the shell; False where it has not taken what came before."""
        if self._input_bytes + len(data) > MOST_INPUT:
            return False
        self._input_bytes += len(data)
        self._input.put_nowait(data)
        return True

    def drop_input(self) -> None:
        """Forget what was typed and not yet taken: after an end by force it would run as commands in the shell."""
        while not self._input.empty():
            self._input_bytes -= len(self._input.get_nowait())

    def resize(self, seat: Seat, columns: int, rows: int) -> None:
        """The newest socket's window counts; another's is remembered for when that one goes."""
        seat.size = (columns, rows)
        self._fit()

    def acknowledge(self, seat: Seat, amount: int) -> None:
        seat.acknowledge(amount)
        self._moved.set()

    def tell(self, message: dict[str, Any]) -> None:
        for seat in self.seats:
            seat.tell(message)

    async def close(self, message: str, code: int, *, hang_up: bool = False) -> None:
        """Let every socket and the shell go; ``hang_up`` also ends the shell itself."""
        if self._closed:
            return
        self._end({"type": "ended", "message": message, "again": False}, code)
        self._pump.cancel()
        try:
            await asyncio.gather(self._pump, *self._helpers, return_exceptions=True)
            if hang_up:
                with contextlib.suppress(TimeoutError, SandboxError):
                    await in_thread(self.shell.hang_up, seconds=2.0)
        finally:
            self.shell.close()  # also where the socket that asked for it goes meanwhile

    def _end(self, message: dict[str, Any], code: int) -> None:
        self._closed = True
        for seat in self.seats:
            seat.finish(message, code)
        self.seats.clear()
        for task in self._helpers:
            task.cancel()
        self._on_end(self)

    async def _run(self) -> None:
        try:
            await self._read_output()
        except OSError as error:
            logger.info("The connection of a shell broke: %s", error)
        message = await self._last_words()
        self._end(message, SHELL_ENDED)
        await asyncio.gather(*self._helpers, return_exceptions=True)
        self.shell.close()

    async def _read_output(self) -> None:
        loop = asyncio.get_running_loop()
        pace = Bucket(OUTPUT_RATE, OUTPUT_BURST)
        while True:
            await self._room()
            data = await loop.sock_recv(self.shell.socket, CHUNK)
            if not data:
                return
            self.ring.add(data)
            for seat in self.seats:
                seat.give(data)
            explanation = self._explainer.feed(data, loop.time())
            if explanation is not None:
                self.tell({"type": "explain", **asdict(explanation)})
            wait = pace.owe(len(data), loop.time()) if self.seats else len(data) / UNSEEN_RATE
            if wait > 0:
                await asyncio.sleep(wait)

    async def _room(self) -> None:
        """Wait until every socket can take more. One that stands still keeps others waiting for a while only."""
        loop = asyncio.get_running_loop()
        while full := [seat for seat in self.seats if seat.is_full]:
            now = loop.time()
            for seat in full:
                seat.full_since = seat.full_since if seat.full_since is not None else now
                if len(full) < len(self.seats) and now - seat.full_since > STALL_SECONDS:
                    self.leave(seat)
                    message = _("이 창이 오래 멈춰 있어서 연결을 끊었어요. 다시 이어 주세요.")
                    seat.finish({"type": "ended", "message": message, "again": True}, TOO_SLOW)
            self._moved.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._moved.wait(), STALL_SECONDS / 4)

    async def _write_input(self) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):  # the reading side tells of a broken connection
            while True:
                data = await self._input.get()
                await loop.sock_sendall(self.shell.socket, data)
                self._input_bytes -= len(data)

    def _fit(self) -> None:
        if self.seats:
            self._wanted = self.seats[-1].size
        if self._wanted != self._size or self._nudge:
            self._resize.set()

    async def _keep_size(self) -> None:
        """One call at a time, the latest size only. A full-screen program draws anew only when its size changes."""
        while True:
            await self._resize.wait()
            self._resize.clear()
            nudge, self._nudge = self._nudge, False
            (columns, rows), before = self._wanted, self._size
            try:
                if nudge and (columns, rows) == before:
                    await in_thread(self.shell.resize, columns, max(2, rows - 1), seconds=CALL_SECONDS)
                await in_thread(self.shell.resize, columns, rows, seconds=CALL_SECONDS)
            except (SandboxError, TimeoutError) as error:
                logger.info("A terminal could not be resized: %s", error)
            self._size = (columns, rows)
            await asyncio.sleep(RESIZE_GAP_SECONDS)

    async def _last_words(self) -> dict[str, Any]:
        """How the shell ended: by exit, or together with its lab."""
        try:
            for _look in range(EXIT_LOOKS):
                code = await in_thread(self.shell.exit_code, seconds=CALL_SECONDS)
                if code is not None:
                    message = _("셸이 끝났어요(종료 코드 %(code)d). 새로 열면 이어서 할 수 있어요.") % {"code": code}
                    return {"type": "ended", "message": message, "code": code, "again": True}
                await asyncio.sleep(EXIT_GAP_SECONDS)
        except (SandboxError, TimeoutError) as error:
            logger.info("How a shell ended is not known: %s", error)
        message = _("실습 환경과의 연결이 끊어졌어요. 다시 이어지지 않으면 새 실습을 시작해 주세요.")
        return {"type": "ended", "message": message, "again": True}
