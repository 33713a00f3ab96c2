"""Huge request bodies."""

from __future__ import annotations

import asyncio
from typing import Any

from portal.bodies import BodyLimit


async def pages(scope, receive, send) -> None:
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message["body"]
        if not message.get("more_body"):
            break
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


def ask(chunks: list[bytes], headers: list[tuple[bytes, bytes]]) -> list[dict[str, Any]]:
    waiting = [
        {"type": "http.request", "body": chunk, "more_body": number < len(chunks) - 1}
        for number, chunk in enumerate(chunks)
    ]
    sent: list[dict[str, Any]] = []

    async def receive():
        return waiting.pop(0)

    async def send(message):
        sent.append(message)

    asyncio.run(BodyLimit(pages, most=10)({"type": "http", "headers": headers}, receive, send))
    return sent


def test_body_within_the_limit_passes():
    assert ask([b"12345", b"67890"], [(b"content-length", b"10")])[1]["body"] == b"1234567890"


def test_long_body_is_refused_unread_in_korean():
    sent = ask([], [(b"content-length", b"11")])
    assert sent[0]["status"] == 413
    assert "너무 커요" in sent[1]["body"].decode()


def test_long_body_of_unknown_length_is_cut_off():
    assert ask([b"123456", b"789012", b"3"], []) == []


def test_other_kinds_of_connection_pass():
    seen: list[str] = []

    async def other(scope, receive, send):
        seen.append(scope["type"])

    asyncio.run(BodyLimit(other)({"type": "lifespan"}, None, None))
    assert seen == ["lifespan"]
