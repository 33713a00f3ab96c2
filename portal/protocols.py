"""Pages by HTTP, terminals by WebSocket."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class Protocols:
    """An ASGI application that hands each connection to the one of its kind."""

    def __init__(self, *, pages: Application, sockets: Application) -> None:
        self.pages, self.sockets = pages, sockets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self.sockets if scope["type"] == "websocket" else self.pages)(scope, receive, send)
