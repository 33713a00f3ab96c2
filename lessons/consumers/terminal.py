"""One socket at one terminal."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any
from urllib.parse import parse_qs

from channels.generic.websocket import AsyncWebsocketConsumer
from django.utils.translation import gettext as _

from lessons import notify
from lessons.consumers.origin import cookies_of, is_same_site
from lessons.consumers.visits import Look, NotAdmitted, Visit, admit, look
from lessons.terminals import Bucket, Seat, ShellUnavailable, Terminal, hub, in_thread
from lessons.terminals.terminal import LAB_OVER, NOT_ALLOWED, NOT_OPENED, NOT_UNDERSTOOD, TOO_MUCH

logger = logging.getLogger(__name__)

LOOK_SECONDS = 15.0
LOOK_GAP_SECONDS = 0.25  # between two looks that changes ask for
CALL_SECONDS = 10.0
MOST_FRAME = 64 * 1024
MOST_TEXT = 256  # characters: a size, a count
INPUT_RATE = 256 * 1024  # bytes a second
INPUT_BURST = 512 * 1024  # a long paste
FRAME_COST = 256  # what a small frame counts as: a thousand a second at most
USED_SECONDS = 2.0  # a key that is pressed wakes a paused lab; it is told no more often than this
LARGEST_SIDE = 1000


class TerminalConsumer(AsyncWebsocketConsumer):
    """See ``lessons.consumers``."""

    terminal: Terminal | None = None
    seat: Seat
    visit: Visit

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self._tasks: list[asyncio.Task[None]] = []
        self._looking = asyncio.Lock()
        self._input = Bucket(INPUT_RATE, INPUT_BURST)
        self._used_at = float("-inf")
        self._warned = False
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._leave()  # however it came to its end

    async def connect(self) -> None:
        """Everything that may refuse comes before the accept: a refused socket is answered 403 and nothing else."""
        if not is_same_site(self.scope):
            await self.close()
            return
        route = self.scope["url_route"]["kwargs"]
        try:
            query = parse_qs(self.scope.get("query_string", b"").decode("latin-1"), max_num_fields=8, errors="replace")
            self.visit = await in_thread(
                admit,
                cookies=cookies_of(self.scope),
                ticket=query.get("ticket", [""])[0],
                lab_id=route["lab_id"],
                number=route["number"],
                seconds=CALL_SECONDS,
            )
        except (NotAdmitted, TimeoutError, ValueError):
            await self.close()
            return
        await self.accept()
        self.seat = Seat(_side(query.get("columns", [""])[0], 80), _side(query.get("rows", [""])[0], 24))
        self._begin(self._send_all())
        try:
            self.terminal = await hub.attach(self.visit.lab, self.visit.number, self.seat)
        except ShellUnavailable as error:
            logger.info("No shell for lab %s: %s", self.visit.lab.pk, error)
            self._finish(_("터미널을 열지 못했어요. 잠시 뒤에 다시 열어 보세요."), NOT_OPENED, again=True)
            return
        self._begin(self._look_now_and_then())
        self._begin(self._follow_changes())

    async def disconnect(self, code: int) -> None:
        await self._leave()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        size = len(bytes_data) if bytes_data is not None else len(text_data or "")
        now = asyncio.get_running_loop().time()
        if size > MOST_FRAME or not self._input.take(max(size, FRAME_COST), now):
            self._finish(_("한꺼번에 너무 많이 보냈어요. 조금씩 나누어 넣어 주세요."), TOO_MUCH, again=True)
        elif bytes_data is not None:
            await self._typed(bytes_data, now)
        else:
            self._said(text_data or "")

    async def _typed(self, data: bytes, now: float) -> None:
        if self.terminal is None or not data:
            return
        if not self.terminal.type(data):
            message = _("프로그램이 입력을 받지 않아서 더 보낼 수 없어요. ‘나 갇혔어요’를 눌러 보세요.")
            self._finish(message, TOO_MUCH, again=True)
        elif now - self._used_at > USED_SECONDS:
            self._used_at = now
            self._begin(self._look(used=True))

    def _said(self, text: str) -> None:
        if self.terminal is None:
            return
        try:
            if len(text) > MOST_TEXT:
                raise ValueError("too long")
            frame = json.loads(text)
            kind = frame["type"]
            if kind == "ack":
                self.terminal.acknowledge(self.seat, max(0, int(frame["bytes"])))
            elif kind == "resize":
                columns, rows = _side(frame["columns"], 0), _side(frame["rows"], 0)
                if not columns or not rows:
                    raise ValueError("no size")
                self.terminal.resize(self.seat, columns, rows)
            else:
                raise ValueError("no such type")
        except (ValueError, TypeError, KeyError, OverflowError):
            self._finish(_("알 수 없는 신호가 왔어요. 페이지를 새로 고쳐 주세요."), NOT_UNDERSTOOD, again=False)

    def _finish(self, message: str, code: int, *, again: bool) -> None:
        if self.terminal is not None:
            self.terminal.leave(self.seat)
        self.seat.finish({"type": "ended", "message": message, "again": again}, code)

    async def _send_all(self) -> None:
        async def send_message(message: Mapping[str, Any]) -> None:
            await self.send(text_data=json.dumps(message, ensure_ascii=False))

        async def send_bytes(data: bytes) -> None:
            await self.send(bytes_data=data)

        code = await self.seat.serve(send_bytes, send_message)
        await self.close(code=code)

    async def _look_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self._look()

    async def _follow_changes(self) -> None:
        async with aclosing(notify.lab_changes(self.visit.lab.pk)) as changes:
            async for _change in changes:
                if await self._look():
                    self.seat.tell({"type": "changed"})
                await asyncio.sleep(LOOK_GAP_SECONDS)

    async def _look(self, *, used: bool = False) -> bool:
        """Whether the socket may stay. A database that is busy now says nothing against it."""
        async with self._looking:
            try:
                found = await in_thread(look, self.visit, used=used, seconds=CALL_SECONDS)
            except Exception:
                logger.exception("A terminal's right could not be looked at")
                return True
        if found.problem:
            await self._turn_out(found)
            return False
        if bool(found.message) != self._warned:
            self._warned = bool(found.message)
            self.seat.tell({"type": "warning", "message": found.message} if self._warned else {"type": "changed"})
        return True

    async def _turn_out(self, found: Look) -> None:
        over = found.problem == "lab"
        self._finish(found.message, LAB_OVER if over else NOT_ALLOWED, again=False)
        if over:
            await hub.end_lab(self.visit.lab.pk, found.message)

    def _begin(self, work: Any) -> None:
        self._tasks = [task for task in self._tasks if not task.done()]
        self._tasks.append(asyncio.get_running_loop().create_task(work, name="terminal-socket"))

    async def _leave(self) -> None:
        if self.terminal is not None:
            self.terminal.leave(self.seat)
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task


def _side(value: Any, otherwise: int) -> int:
    """A number of columns or rows; ``otherwise`` for anything that is none."""
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return otherwise
    return number if 2 <= number <= LARGEST_SIDE else otherwise
