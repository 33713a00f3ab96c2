"""One socket's place at a terminal: what is to be sent, how much of it is not acknowledged, how large its window is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

MOST_UNACKED = 256 * 1024
MOST_FRAME = 64 * 1024


@dataclass(frozen=True)
class _End:
    message: Mapping[str, Any]
    code: int


class Seat:
    """Its queue stays small by itself: a terminal does not read on while a seat has too much unacknowledged."""

    def __init__(self, columns: int, rows: int) -> None:
        self.size = (columns, rows)
        self.unacked = 0
        self._unsent = 0
        self.full_since: float | None = None  # loop time
        self._queue: asyncio.Queue[bytes | Mapping[str, Any] | _End] = asyncio.Queue()
        self._finished = False

    @property
    def is_full(self) -> bool:
        return self.unacked >= MOST_UNACKED

    def give(self, data: bytes) -> None:
        """Bytes of the terminal."""
        if self._finished:
            return
        self.unacked += len(data)
        self._unsent += len(data)
        for start in range(0, len(data), MOST_FRAME):
            self._queue.put_nowait(data[start : start + MOST_FRAME])

    def tell(self, message: Mapping[str, Any]) -> None:
        if not self._finished:
            self._queue.put_nowait(message)

    def finish(self, message: Mapping[str, Any], code: int) -> None:
        """Say ``message`` last, then close with ``code``; what is said later is dropped."""
        if not self._finished:
            self._finished = True
            self._queue.put_nowait(_End(message, code))

    def acknowledge(self, amount: int) -> None:
        """So many bytes more were shown; what was not sent yet cannot have been, whatever the browser says."""
        self.unacked -= min(amount, self.unacked - self._unsent)
        if not self.is_full:
            self.full_since = None

    async def serve(
        self,
        send_bytes: Callable[[bytes], Awaitable[None]],
        send_message: Callable[[Mapping[str, Any]], Awaitable[None]],
    ) -> int:
        """Send until ``finish``; the code to close with."""
        while True:
            item = await self._queue.get()
            if isinstance(item, _End):
                await send_message(item.message)
                return item.code
            if isinstance(item, bytes):
                await send_bytes(item)
                self._unsent -= len(item)
            else:
                await send_message(item)
