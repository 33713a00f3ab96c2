"""The portal's sockets: one address. Everything else is refused before it is accepted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from channels.routing import URLRouter
from django.urls import path

from lessons.consumers import TerminalConsumer

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

_router = URLRouter([path("ws/labs/<uuid:lab_id>/terminals/<int:number>/", TerminalConsumer.as_asgi())])


async def sockets(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """The ASGI application of scopes of type websocket."""
    try:
        await _router(scope, receive, send)
    except ValueError as error:
        if "No route found" not in str(error):
            raise
        await receive()
        await send({"type": "websocket.close"})
