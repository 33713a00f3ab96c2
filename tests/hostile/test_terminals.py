"""Item 28: sockets from elsewhere and with the wrong papers, and what an open one may not do. Needs no engine."""

from __future__ import annotations

import asyncio
import datetime
import secrets

import pytest
from django.test import Client
from django.utils import timezone

from lessons.consumers import terminal as consumer
from lessons.models import LabSession, TerminalTicket, User
from lessons.services import labs
from lessons.terminals import hub, in_thread
from lessons.terminals.seat import MOST_UNACKED, Seat
from tests.desk import HOST, Desk, play
from tests.factories import make_learner
from tests.sockets import Refused, Socket

pytestmark = [pytest.mark.hostile, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _host(settings):
    settings.ALLOWED_HOSTS = [HOST]


@pytest.fixture
def desk(monkeypatch) -> Desk:
    return Desk(monkeypatch)


def refused(desk, path, headers) -> bool:
    """Whether the socket is refused before it is accepted, and no shell was opened for it."""
    found: list[bool] = []

    async def story():
        try:
            socket = await Socket(path, headers).open()
        except Refused:
            found.append(True)
        else:
            found.append(False)
            await socket.close()

    play(story)
    assert not found[0] or desk.container.shells == []
    return found[0]


ELSEWHERE = {
    "foreign": "http://evil.test",
    "null": "null",
    "empty": "",
    "suffix": f"http://{HOST}.evil.test",
    "prefix": f"http://evil{HOST}",
    "subdomain": f"http://a.{HOST}",
    "user": f"http://{HOST}@evil.test",
    "path": f"http://{HOST}/",
    "other port": f"http://{HOST}:8080",
    "other scheme": f"https://{HOST}",
    "file": "file://",
    "trailing dot": f"http://{HOST}.",
    "control character": f"http://{HOST}\x00",
    "homoglyph": "http://nаru.test".encode().decode("latin-1"),
    "two in one": f"http://{HOST}, http://evil.test",
    "bad port": f"http://{HOST}:99999",
}


@pytest.mark.parametrize("origin", ELSEWHERE.values(), ids=ELSEWHERE.keys())
def test_an_origin_that_is_not_this_site_is_refused_before_accept(desk, origin):
    assert refused(desk, desk.path(desk.ticket()), desk.headers(origin=origin))
    assert TerminalTicket.objects.count() == 1


def test_a_missing_or_second_origin_is_refused_before_accept(desk):
    headers = desk.headers()
    del headers["origin"]
    assert refused(desk, desk.path(desk.ticket()), headers)
    assert refused(desk, desk.path(desk.ticket()), [*desk.headers().items(), ("Origin", "http://evil.test")])


def test_any_allowed_host_still_needs_its_own_origin(desk, settings):
    settings.ALLOWED_HOSTS = ["*"]
    assert refused(desk, desk.path(desk.ticket()), desk.headers(origin="http://evil.test"))
    assert not refused(desk, desk.path(desk.ticket()), desk.headers(host="other.test", origin="http://other.test"))


def test_a_host_that_is_not_ours_is_refused_even_with_its_own_origin(desk):
    headers = desk.headers(host="evil.test", origin="http://evil.test")
    assert refused(desk, desk.path(desk.ticket()), headers)
    assert refused(desk, desk.path(desk.ticket()), [*desk.headers().items(), ("Host", "evil.test")])


def test_behind_tls_only_the_https_origin_counts(desk, settings):
    settings.BEHIND_TLS = True
    proxied = desk.headers(**{"x-forwarded-proto": "https"})
    assert refused(desk, desk.path(desk.ticket()), proxied)
    assert not refused(desk, desk.path(desk.ticket()), {**proxied, "origin": f"https://{HOST}"})


def test_an_origin_that_the_operator_trusts_is_taken(desk, settings):
    settings.CSRF_TRUSTED_ORIGINS = ["https://school.test"]
    assert not refused(desk, desk.path(desk.ticket()), desk.headers(origin="https://school.test"))


COOKIES = {
    "none": "",
    "unknown": "sessionid=0123456789abcdefghijklmnopqrstuv",
    "broken": "sessionid=\x00\xff;;;=",
    "other name": "session=1",
}


@pytest.mark.parametrize("cookie", COOKIES.values(), ids=COOKIES.keys())
def test_no_session_is_refused_before_accept_and_costs_no_ticket(desk, cookie):
    assert refused(desk, desk.path(desk.ticket()), desk.headers(cookie=cookie))
    assert TerminalTicket.objects.count() == 1


def test_an_anonymous_session_is_refused(desk):
    other = Client()
    session = other.session
    session["theme"] = "dark"
    session.save()
    assert refused(desk, desk.path(desk.ticket()), desk.headers(cookie=f"sessionid={session.session_key}"))


@pytest.mark.parametrize("ticket", ["", "x", "x" * 5000, "%00", "%ff", secrets.token_urlsafe(32)])
def test_a_ticket_that_was_never_given_is_refused(desk, ticket):
    assert refused(desk, desk.path(ticket), desk.headers())


def test_an_address_with_a_flood_of_fields_is_refused(desk):
    assert refused(desk, desk.path(desk.ticket(), more="&x=1" * 9), desk.headers())


def test_an_expired_ticket_is_refused(desk):
    ticket = desk.ticket()
    TerminalTicket.objects.update(expires_at=timezone.now() - datetime.timedelta(seconds=1))
    assert refused(desk, desk.path(ticket), desk.headers())


def test_a_ticket_opens_once(desk):
    ticket = desk.ticket()
    assert not refused(desk, desk.path(ticket), desk.headers())
    desk.container.shells.clear()
    assert refused(desk, desk.path(ticket), desk.headers())


def test_a_ticket_opens_once_even_when_two_come_together(desk):
    ticket = desk.ticket()

    async def story():
        come = [Socket(desk.path(ticket), desk.headers()).open() for _ in range(8)]
        found = await asyncio.gather(*come, return_exceptions=True)
        opened = [socket for socket in found if isinstance(socket, Socket)]
        assert len(opened) == 1
        assert sum(isinstance(socket, Refused) for socket in found) == 7
        await opened[0].close()

    play(story)


def test_a_ticket_is_of_one_learner_lab_and_terminal(desk, monkeypatch):
    stranger = make_learner("stranger")
    browser = Client()
    browser.force_login(stranger)
    cookie = f"sessionid={browser.cookies['sessionid'].value}"
    assert refused(desk, desk.path(desk.ticket()), desk.headers(cookie=cookie))
    assert refused(desk, desk.path(desk.ticket(1), 2), desk.headers())
    other = Desk(monkeypatch)
    assert refused(other, other.path(desk.ticket()), other.headers())
    assert refused(desk, desk.path(other.ticket()), desk.headers())


def test_staff_has_no_place_in_a_learners_terminal(desk):
    staff = User.objects.create_superuser(username="instructor", password="secret")
    browser = Client()
    browser.force_login(staff)
    cookie = f"sessionid={browser.cookies['sessionid'].value}"
    assert refused(desk, desk.path(desk.ticket()), desk.headers(cookie=cookie))


def test_a_lab_that_is_over_opens_no_terminal(desk):
    ticket = desk.ticket()
    labs.end_lab(lab=desk.lab)
    assert refused(desk, desk.path(ticket), desk.headers())


@pytest.mark.parametrize(
    "path", ["/ws/", "/ws/labs/1/terminals/1/", "/", "/ws/labs/x/terminals/-1/", "/ws/../admin/", "/submissions/"]
)
def test_another_address_is_refused(desk, path):
    assert refused(desk, path, desk.headers())


def stays_until(desk, change, code, monkeypatch):
    """An open socket is closed with ``code`` at the next look after ``change`` (a call for a thread)."""
    monkeypatch.setattr(consumer, "LOOK_SECONDS", 0.05)

    async def story():
        socket = await desk.come()
        await asyncio.sleep(0.12)
        assert socket.code is None
        await in_thread(change, seconds=5)
        assert await socket.closed() == code
        assert socket.said[-1]["type"] == "ended"

    play(story)


def test_a_logout_closes_the_open_terminal(desk, monkeypatch):
    stays_until(desk, desk.browser.logout, 4003, monkeypatch)


def test_a_new_password_closes_the_open_terminal(desk, monkeypatch):
    def change() -> None:
        user = User.objects.get(pk=desk.learner.pk)
        user.set_password("another")
        user.save()

    stays_until(desk, change, 4003, monkeypatch)


def test_an_account_that_was_closed_loses_the_open_terminal(desk, monkeypatch):
    stays_until(desk, lambda: User.objects.filter(pk=desk.learner.pk).update(is_active=False), 4003, monkeypatch)


def test_a_lab_given_to_somebody_else_closes_the_open_terminal(desk, monkeypatch):
    heir = make_learner("heir")
    stays_until(desk, lambda: LabSession.objects.filter(pk=desk.lab.pk).update(learner=heir), 4003, monkeypatch)


def test_a_lab_that_ended_unheard_closes_the_open_terminal(desk, monkeypatch):
    stays_until(desk, lambda: LabSession.objects.filter(pk=desk.lab.pk).update(state="ended"), 4001, monkeypatch)


FRAMES = {
    "no json": "{",
    "no object": "[]",
    "number": "7",
    "no type": "{}",
    "unknown type": '{"type": "open"}',
    "deep": "[" * 60_000,
    "ack of text": '{"type": "ack", "bytes": "many"}',
    "ack of infinity": '{"type": "ack", "bytes": Infinity}',
    "huge number": '{"type": "ack", "bytes": ' + "9" * 5000 + "}",
    "size of nothing": '{"type": "resize"}',
    "size zero": '{"type": "resize", "columns": 0, "rows": 0}',
    "size huge": '{"type": "resize", "columns": 100000, "rows": 24}',
}


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES.keys())
def test_a_frame_that_is_none_closes_with_a_reason(desk, frame):
    async def story():
        socket = await desk.come()
        socket.tell(frame)
        assert await socket.closed() == 4400
        assert desk.shell().sizes == [(80, 24)]

    play(story)


def test_a_frame_that_is_too_long_closes_with_a_reason(desk):
    async def story():
        socket = await desk.come()
        socket.type(b"x" * (64 * 1024 + 1))
        assert await socket.closed() == 4008

    play(story)


def test_more_than_may_be_sent_in_a_second_closes_with_a_reason(desk):
    async def story():
        socket = await desk.come()
        for _ in range(3000):
            socket.type(b"x")
        assert await socket.closed() == 4008
        assert socket.said[-1]["type"] == "ended"

    play(story)


def test_an_acknowledgement_of_more_than_was_sent_earns_nothing(desk):
    async def story():
        socket = await desk.come()
        socket.tell({"type": "ack", "bytes": 10**15})
        socket.tell({"type": "ack", "bytes": -(10**15)})
        socket.tell({"type": "resize", "columns": 70, "rows": 20})
        while len(desk.shell().sizes) < 2:
            await asyncio.sleep(0.01)
        flooding = asyncio.create_task(asyncio.to_thread(desk.shell().far.sendall, b"y\r\n" * 500_000))
        await socket.until(lambda: len(socket.shown) >= 256 * 1024)
        await asyncio.sleep(0.1)
        assert len(socket.shown) <= (256 + 64) * 1024
        desk.shell().far.shutdown(2)
        await socket.close()
        await asyncio.gather(flooding, return_exceptions=True)

    play(story)


def test_fifty_sockets_that_come_and_go_leave_nothing(desk):
    async def story():
        for _ in range(10):
            sockets = await asyncio.gather(*(desk.come(number) for number in (1, 2, 3, 4, 1)))
            await asyncio.gather(*(socket.close() for socket in sockets))
        assert len(desk.container.shells) == 4
        assert all(terminal.seats == [] for terminal in hub.terminals.values())
        tasks = [task for task in asyncio.all_tasks() if task.get_name() == "terminal-socket"]
        assert tasks == []

    play(story)
    assert all(shell.closed for shell in desk.container.shells)


def test_an_acknowledgement_of_what_was_never_sent_earns_nothing():
    """A browser that reads nothing and says that it has shown everything: the queue stays as small as ever."""
    seat = Seat(80, 24)
    seat.give(b"x" * MOST_UNACKED)
    seat.acknowledge(10**15)
    assert seat.is_full


def test_the_site_itself_is_let_in(desk):
    assert not refused(desk, desk.path(desk.ticket()), desk.headers())
