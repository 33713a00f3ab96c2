"""A browser's end of a terminal's socket, without a network: frames in, frames out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from lessons.routing import sockets

SECONDS = 5.0


class Refused(Exception):
    """The server answered with no socket."""


class Socket:
    """One connection to the application. ``said`` holds every text frame, ``shown`` every byte, ``code`` the close."""

    def __init__(self, path: str, headers: dict[str, str] | list[tuple[str, str]]) -> None:
        route, _, query = path.partition("?")
        pairs = list(headers.items()) if isinstance(headers, dict) else headers
        self.scope: dict[str, Any] = {
            "type": "websocket",
            "scheme": "ws",
            "path": route,
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in pairs],
            "subprotocols": [],
        }
        self.said: list[dict[str, Any]] = []
        self.shown = b""
        self.code: int | None = None
        self.accepted = False
        self._in: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._news = asyncio.Event()

    async def open(self) -> Socket:
        self._in.put_nowait({"type": "websocket.connect"})
        self.task = asyncio.get_running_loop().create_task(sockets(self.scope, self._in.get, self._send))
        await self.until(lambda: self.accepted or self.code is not None)
        if not self.accepted:
            await self._end()
            raise Refused
        return self

    async def _send(self, message: dict[str, Any]) -> None:
        if message["type"] == "websocket.accept":
            self.accepted = True
        elif message["type"] == "websocket.close":
            self.code = message.get("code", 1000)
        elif message.get("text") is not None:
            self.said.append(json.loads(message["text"]))
        else:
            assert len(message["bytes"]) <= 64 * 1024
            self.shown += message["bytes"]
        self._news.set()

    async def until(self, holds: Callable[[], Any], seconds: float = SECONDS) -> None:
        """Wait until it holds; looked at after each frame."""

        async def wait() -> None:
            while not holds():
                self._news.clear()
                await self._news.wait()

        await asyncio.wait_for(wait(), seconds)

    async def heard(self, kind: str) -> dict[str, Any]:
        await self.until(lambda: any(frame["type"] == kind for frame in self.said))
        return next(frame for frame in reversed(self.said) if frame["type"] == kind)

    async def closed(self) -> int:
        """The code, once the server has closed."""
        await self.until(lambda: self.code is not None)
        await self._end()
        assert self.code is not None
        return self.code

    def type(self, data: bytes) -> None:
        self._in.put_nowait({"type": "websocket.receive", "bytes": data})

    def tell(self, frame: Any) -> None:
        text = frame if isinstance(frame, str) else json.dumps(frame)
        self._in.put_nowait({"type": "websocket.receive", "text": text})

    async def close(self) -> None:
        await self._end()

    async def _end(self) -> None:
        self._in.put_nowait({"type": "websocket.disconnect", "code": self.code or 1001})
        await asyncio.wait_for(self.task, SECONDS)
