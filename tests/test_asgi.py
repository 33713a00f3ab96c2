"""Starting and stopping beside the pages."""

from __future__ import annotations

import asyncio

import pytest
from django.db import OperationalError

from portal import lifespan
from portal.protocols import Protocols


def converse(application, scope, messages) -> list[dict]:
    """What the application sends when it receives ``messages``."""
    sent: list[dict] = []
    waiting = iter(messages)

    async def receive() -> dict:
        return next(waiting)

    async def send(message: dict) -> None:
        sent.append(message)

    asyncio.run(application(scope, receive, send))
    return sent


@pytest.fixture
def calls(monkeypatch) -> list[str]:
    seen: list[str] = []
    monkeypatch.setattr(lifespan, "start", lambda: seen.append("start"))
    monkeypatch.setattr(lifespan, "stop", lambda: seen.append("stop"))
    return seen


async def pages(scope, receive, send) -> None:
    await send({"type": "page", "path": scope["path"]})


def test_lifespan_starts_and_stops_the_dispatcher(calls):
    messages = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent = converse(lifespan.Lifespan(pages), {"type": "lifespan"}, messages)
    assert calls == ["start", "stop"]
    assert [message["type"] for message in sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_lifespan_passes_requests_on(calls):
    sent = converse(lifespan.Lifespan(pages), {"type": "http", "path": "/"}, [])
    assert (sent, calls) == ([{"type": "page", "path": "/"}], [])


def test_lifespan_lets_terminals_go_before_all_else(calls, monkeypatch):
    async def close() -> None:
        calls.append("terminals")

    monkeypatch.setattr(lifespan.terminals.hub, "close", close)
    converse(lifespan.Lifespan(pages), {"type": "lifespan"}, [{"type": "lifespan.shutdown"}])
    assert calls == ["terminals", "stop"]


def test_sockets_and_pages_go_their_own_ways():
    async def sockets(scope, receive, send) -> None:
        await send({"type": "socket"})

    both = Protocols(pages=pages, sockets=sockets)
    assert converse(both, {"type": "websocket", "path": "/"}, []) == [{"type": "socket"}]
    assert converse(both, {"type": "http", "path": "/"}, []) == [{"type": "page", "path": "/"}]


def test_lifespan_reports_a_start_that_fails(monkeypatch, caplog):
    def fail() -> None:
        raise RuntimeError("no threads left")

    monkeypatch.setattr(lifespan, "start", fail)
    sent = converse(lifespan.Lifespan(pages), {"type": "lifespan"}, [{"type": "lifespan.startup"}])
    assert sent == [{"type": "lifespan.startup.failed", "message": "no threads left"}]


def test_start_and_stop_leave_grading_to_others_without_a_dispatcher(settings, monkeypatch):
    settings.DISPATCHER = False
    seen: list[str] = []
    monkeypatch.setattr(lifespan.dispatch, "start", lambda **options: seen.append("dispatch"))
    monkeypatch.setattr(lifespan.lab_keeper, "start", lambda: seen.append("labs"))
    monkeypatch.setattr(lifespan.sandboxes, "start_sandbox", lambda: seen.append("sandbox"))
    lifespan.start()
    lifespan.stop()
    assert seen == []


def test_start_and_stop_in_embedded_mode_follow_each_other_in_order(settings, monkeypatch):
    settings.DISPATCHER = True
    seen: list[str] = []
    monkeypatch.setattr(lifespan.sandboxes, "start_sandbox", lambda: seen.append("pool"))
    monkeypatch.setattr(lifespan.sandboxes, "close_sandbox", lambda: seen.append("close"))
    monkeypatch.setattr(lifespan.dispatch, "start", lambda *, grade: seen.append("threads"))
    monkeypatch.setattr(lifespan.dispatch, "stop", lambda: seen.append("finish"))
    monkeypatch.setattr(lifespan.lab_keeper, "start", lambda: seen.append("labs"))
    monkeypatch.setattr(lifespan.lab_keeper, "stop", lambda: seen.append("let labs go on"))
    monkeypatch.setattr(lifespan.accounts, "forget_idle_guests", lambda: len(seen))
    monkeypatch.setattr(lifespan.doctor, "log_findings_soon", lambda: seen.append("look"))
    lifespan.start()
    lifespan.stop()
    assert seen == ["pool", "threads", "labs", "look", "finish", "let labs go on", "close"]


def test_a_busy_database_does_not_keep_the_pages_from_starting(monkeypatch, caplog):
    def fail() -> int:
        raise OperationalError("database is locked")

    monkeypatch.setattr(lifespan.accounts, "forget_idle_guests", fail)
    lifespan.tidy()
    assert "Idle guests could not be forgotten" in caplog.text
