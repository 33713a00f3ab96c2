"""Refuse huge request bodies before Django spools them to disk."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

MOST_BYTES = 8 * 1024 * 1024  # Django itself refuses forms over DATA_UPLOAD_MAX_MEMORY_SIZE, with a page that says so


class BodyLimit:
    """An ASGI application around ``pages``: 413 for a longer body, an aborted request where no length was said."""

    def __init__(self, pages: Application, *, most: int = MOST_BYTES) -> None:
        self.pages = pages
        self.most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.pages(scope, receive, send)
            return
        if _length(scope) > self.most:
            headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
            await send({"type": "http.response.start", "status": 413, "headers": headers})
            text = _("보낸 내용이 너무 커요. 답은 모두 더해 256 KB까지 낼 수 있어요.")
            await send({"type": "http.response.body", "body": f"{text}\n".encode()})
            return
        received = 0

        async def bounded() -> Mapping[str, Any]:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            return message if received <= self.most else {"type": "http.disconnect"}

        await self.pages(scope, bounded, send)


def _length(scope: Scope) -> int:
    raw = dict(scope["headers"]).get(b"content-length", b"0")
    return int(raw) if raw.isdigit() and len(raw) < 20 else 0
