"""A learner with a lab that answers, for tests of sockets: who comes with which ticket, from where."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from django.test import Client

from lessons.contracts import LabShape
from lessons.models import LabSession, User
from lessons.services import sandboxes
from lessons.services.terminals import issue_ticket
from lessons.terminals import hub, in_thread
from tests.factories import make_lab, make_lab_exercise, make_learner
from tests.fakes import FakeLab, FakeSandbox, FakeShell
from tests.sockets import Socket

HOST = "naru.test"
ORIGIN = f"http://{HOST}"


class Desk:
    """A learner at a browser, with a ready lab."""

    def __init__(self, monkeypatch: Any, engines: tuple[str, ...] = ()) -> None:
        self.sandbox = FakeSandbox()
        monkeypatch.setattr(sandboxes, "_sandbox", self.sandbox)
        self.learner = make_learner()
        self.browser = Client()
        self.browser.force_login(self.learner)
        self.container: FakeLab = self.sandbox.open_lab(LabShape("docker", engines), owner="x", lifetime=60)
        shape = {"environment": "docker", "engines": list(engines), "memory_mb": 512}
        self.lab: LabSession = make_lab(
            self.learner, make_lab_exercise(slug="containers"), container=self.container.id, shape=shape
        )

    def headers(self, **changes: str) -> dict[str, str]:
        cookie = f"sessionid={self.browser.cookies['sessionid'].value}"
        return {"host": HOST, "origin": ORIGIN, "cookie": cookie, **changes}

    def ticket(self, number: int = 1, user: User | None = None) -> str:
        return issue_ticket(lab=self.lab, number=number, user=user or self.learner)

    def path(self, ticket: str, number: int = 1, more: str = "") -> str:
        return f"/ws/labs/{self.lab.pk}/terminals/{number}/?ticket={ticket}{more}"

    async def come(self, number: int = 1, more: str = "") -> Socket:
        """Another socket at terminal ``number``, with hello said."""
        ticket = await in_thread(self.ticket, number, seconds=5)
        socket = await Socket(self.path(ticket, number, more), self.headers()).open()
        await socket.heard("hello")
        return socket

    def shell(self, number: int = 1) -> FakeShell:
        return next(shell for shell in reversed(self.container.shells) if shell.number == number)


def play(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run it on an event loop; afterwards the portal stops, and nothing may be left on the loop."""

    async def whole() -> None:
        try:
            async with asyncio.timeout(30):
                await story()
        finally:
            await hub.close()
        left = {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}
        assert left == set()
        assert (hub.terminals, hub._opening) == ({}, {})

    asyncio.run(whole())


async def read_far(shell: FakeShell, amount: int) -> bytes:
    """What the shell's program would read."""
    return await asyncio.to_thread(_receive, shell, amount)


def _receive(shell: FakeShell, amount: int) -> bytes:
    data = b""
    while len(data) < amount:
        data += shell.far.recv(amount - len(data))
    return data


async def say(shell: FakeShell, data: bytes) -> None:
    """The shell's program prints."""
    await asyncio.to_thread(shell.far.sendall, data)
