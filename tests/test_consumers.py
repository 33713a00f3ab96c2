"""Terminals over sockets: bytes both ways, who comes and goes, how much, and how it ends."""

from __future__ import annotations

import asyncio

import pytest

from lessons import terminals
from lessons.consumers import terminal as consumer
from lessons.models import LabReason, LabSession
from lessons.sandbox import EngineUnavailableError
from lessons.services import labs
from lessons.terminals import hub, in_thread
from lessons.terminals.seat import MOST_UNACKED
from lessons.terminals.terminal import MOST_INPUT
from tests.desk import HOST, Desk, play, read_far, say
from tests.sockets import Socket

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _host(settings):
    settings.ALLOWED_HOSTS = [HOST]


@pytest.fixture
def desk(monkeypatch) -> Desk:
    return Desk(monkeypatch)


def test_bytes_go_both_ways_untouched(desk):
    async def story():
        socket = await desk.come()
        socket.type(b"echo \xea\xb0\x80\x00\xff\r")
        assert await read_far(desk.shell(), 11) == b"echo \xea\xb0\x80\x00\xff\r"
        await say(desk.shell(), b"\xea\xb0\x80\x00\xff\r\n")
        await socket.until(lambda: socket.shown == b"\xea\xb0\x80\x00\xff\r\n")
        await socket.close()

    play(story)


def test_a_shell_begins_with_the_size_of_its_window_and_follows_it(desk):
    async def story():
        socket = await desk.come(more="&columns=120&rows=40")
        socket.tell({"type": "resize", "columns": 90, "rows": 30})
        while desk.shell().sizes != [(120, 40), (90, 30)]:
            await asyncio.sleep(0.01)
        await socket.close()

    play(story)


def test_the_newest_window_counts_and_the_one_before_when_it_goes(desk):
    async def story():
        first = await desk.come(more="&columns=100&rows=30")
        second = await desk.come(more="&columns=60&rows=20")
        first.tell({"type": "resize", "columns": 101, "rows": 31})
        while desk.shell().sizes[-1] != (60, 20):
            await asyncio.sleep(0.01)
        await second.close()
        while desk.shell().sizes[-1] != (101, 31):
            await asyncio.sleep(0.01)
        assert len(desk.container.shells) == 1
        await first.close()

    play(story)


def test_a_terminal_outlives_its_socket_and_tells_again_what_was_said(desk):
    async def story():
        first = await desk.come()
        await say(desk.shell(), b"before\r\n")
        await first.until(lambda: first.shown == b"before\r\n")
        await first.close()
        await say(desk.shell(), b"meanwhile\r\n")
        second = await desk.come()
        await second.until(lambda: second.shown == b"before\r\nmeanwhile\r\n")
        assert (await second.heard("hello"))["replay"] in (8, 19)
        assert len(desk.container.shells) == 1
        await second.close()

    play(story)


def test_two_terminals_are_two_shells_on_the_hosts_in_turn(monkeypatch):
    desk = Desk(monkeypatch, engines=("laptop", "server"))

    async def story():
        sockets = [await desk.come(number) for number in (1, 2, 3)]
        assert [(shell.number, shell.host) for shell in desk.container.shells] == [
            (1, "laptop"),
            (2, "server"),
            (3, "laptop"),
        ]
        for socket in sockets:
            await socket.close()

    play(story)


def test_a_flood_is_read_no_further_than_it_is_acknowledged(desk):
    flood = b"y\r\n" * (1024 * 1024)

    async def story():
        socket = await desk.come()
        flooding = asyncio.create_task(say(desk.shell(), flood))
        await socket.until(lambda: len(socket.shown) >= MOST_UNACKED)
        await asyncio.sleep(0.2)
        assert len(socket.shown) < MOST_UNACKED + 64 * 1024 + 1
        seen = len(socket.shown)
        socket.tell({"type": "ack", "bytes": seen})
        await socket.until(lambda: len(socket.shown) >= seen + MOST_UNACKED)
        await socket.close()
        desk.shell().far.shutdown(2)
        await asyncio.gather(flooding, return_exceptions=True)

    play(story)


def test_a_fourth_window_takes_the_place_of_the_oldest(desk):
    async def story():
        sockets = [await desk.come() for _ in range(4)]
        assert await sockets[0].closed() == 4009
        assert "다른 창" in (sockets[0].said[-1])["message"]
        await say(desk.shell(), b"hi")
        for socket in sockets[1:]:
            await socket.until(lambda socket=socket: socket.shown == b"hi")
            await socket.close()

    play(story)


def test_a_shell_that_ends_says_so_and_the_next_socket_gets_another(desk):
    async def story():
        socket = await desk.come()
        desk.shell().exit(3)
        ended = await socket.heard("ended")
        assert (ended["code"], ended["again"]) == (3, True)
        assert await socket.closed() == 4000
        again = await desk.come()
        assert len(desk.container.shells) == 2
        assert desk.container.shells[0].closed
        await again.close()

    play(story)


def test_a_lab_that_ends_takes_every_terminal_with_it(desk):
    async def story():
        here, there = await desk.come(1), await desk.come(2)
        lab = await in_thread(LabSession.objects.get, pk=desk.lab.pk, seconds=5)
        await in_thread(labs.end_lab, lab=lab, seconds=5)
        assert (await here.heard("ended"))["message"] == LabReason.LEARNER.label
        assert [await here.closed(), await there.closed()] == [4001, 4001]
        assert hub.terminals == {}
        assert all(shell.closed for shell in desk.container.shells)

    play(story)


def test_a_lab_that_dies_ends_its_terminals(desk):
    async def story():
        socket = await desk.come()
        desk.container.kill()
        assert (await socket.heard("ended"))["again"] is True
        assert await socket.closed() == 4000

    play(story)


def test_a_change_of_the_lab_is_told(desk):
    async def story():
        socket = await desk.come()
        lab = await in_thread(LabSession.objects.get, pk=desk.lab.pk, seconds=5)
        await in_thread(labs.extend_lab, lab=lab, seconds=5)
        await socket.heard("changed")
        await socket.close()

    play(story)


def test_a_lab_that_will_end_soon_warns_once(desk):
    LabSession.objects.filter(pk=desk.lab.pk).update(warned_at=desk.lab.seen_at)

    async def story():
        socket = await desk.come()
        for _ in range(2):
            await in_thread(labs.change_lab, desk.lab.pk, when=("ready",), state="ready", seconds=5)
            await socket.heard("changed")
            socket.said = [frame for frame in socket.said if frame["type"] != "changed"]
        assert [frame["type"] for frame in socket.said] == ["hello", "warning"]
        await socket.close()

    play(story)


def test_an_error_is_explained_in_every_window(desk):
    async def story():
        first, second = await desk.come(), await desk.come()
        await say(desk.shell(), b"Error: No such container: web\r\n")
        for socket in (first, second):
            assert (await socket.heard("explain"))["id"] == "no-such-container"
            await socket.close()

    play(story)


def test_a_shell_that_does_not_come_is_told_and_nothing_stays_open(desk, monkeypatch):
    def fail(**_options):
        raise EngineUnavailableError("no")

    monkeypatch.setattr(desk.container, "open_shell", fail)

    async def story():
        ticket = await in_thread(desk.ticket, seconds=5)
        socket = await Socket(desk.path(ticket), desk.headers()).open()
        assert await socket.closed() == 4011
        assert socket.said[-1]["again"] is True

    play(story)


def test_a_key_wakes_a_paused_lab(desk, monkeypatch):
    calls: list[bool] = []
    monkeypatch.setattr(labs, "touch_lab", lambda *, lab, used=False: calls.append(used))

    async def story():
        socket = await desk.come()
        assert calls == [True]
        socket.type(b"a")
        socket.type(b"b")
        while len(calls) < 2:
            await asyncio.sleep(0.01)
        assert calls == [True, True]
        await socket.close()

    play(story)


def test_a_program_that_reads_nothing_fills_only_so_much(desk, monkeypatch):
    monkeypatch.setattr(consumer, "INPUT_RATE", 10**9)
    monkeypatch.setattr(consumer, "INPUT_BURST", 10**9)

    async def story():
        socket = await desk.come()
        for _ in range(MOST_INPUT // (32 * 1024) + 60):
            socket.type(b"x" * 32 * 1024)
        assert await socket.closed() == 4008
        assert "나 갇혔어요" in socket.said[-1]["message"]

    play(story)


def test_free_reaches_the_shell_of_an_open_terminal_only(desk):
    async def story():
        socket = await desk.come()
        assert terminals.free(desk.lab.pk, 1) == 1
        assert terminals.free(desk.lab.pk, 2) is None
        assert desk.shell().freed == 1
        await socket.close()

    play(story)


def test_free_forgets_what_was_typed_into_a_program_that_hung(desk):
    async def story():
        socket = await desk.come()
        for _ in range(12):
            socket.type(b"x" * 32 * 1024)
        terminal = next(iter(hub.terminals.values()))
        while terminal._input.empty():
            await asyncio.sleep(0.01)
        assert await asyncio.to_thread(terminals.free, desk.lab.pk, 1) == 1
        await asyncio.sleep(0)
        assert terminal._input.empty()
        socket.type(b"ls\r")
        await socket.close()

    play(story)


def test_a_stop_hangs_every_shell_up(desk):
    async def story():
        socket = await desk.come()
        await hub.close()
        assert await socket.closed() == 1012
        assert desk.shell().hung_up

    play(story)


def test_a_full_screen_program_is_made_to_draw_again(desk):
    async def story():
        first = await desk.come()
        await say(desk.shell(), b"\x1b[?1049h~\r\n")
        await first.until(lambda: first.shown)
        await first.close()
        second = await desk.come()
        while len(desk.shell().sizes) < 3:
            await asyncio.sleep(0.01)
        assert desk.shell().sizes[-2:] == [(80, 23), (80, 24)]
        await second.close()

    play(story)
