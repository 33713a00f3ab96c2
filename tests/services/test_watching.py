"""What is recorded of a lab while a learner works, and how the passive checks stand."""

from __future__ import annotations

import datetime
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from lessons import graders, notify
from lessons.models import KeptStep, LabSession
from lessons.sandbox import EngineUnavailableError, LabGoneError, LabTooLargeError
from lessons.services import watching
from lessons.services.lab_events import HEARD_TWICE_SECONDS, compact, record_events
from lessons.services.lab_use import alone_with
from lessons.services.watching import Watcher
from tests.factories import make_exercise
from tests.fake_labs import FakeEventStream
from tests.sandbox.running import eventually
from tests.services.labs import die_event, make_cluster_exercise, opened

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(monkeypatch) -> list[object]:
    """The labs whose followers were told."""
    found: list[object] = []
    monkeypatch.setattr(notify, "lab_changed", found.append)
    return found


@pytest.fixture
def quick(monkeypatch) -> None:
    monkeypatch.setattr(watching, "QUIET_SECONDS", 0.01)


@pytest.fixture
def streams(monkeypatch) -> None:
    """The exercise has one stream, and a summary of one tells what it was made of."""
    found = ({"id": "shop", "http": {"url": "http://shop/"}},)

    def add(summary, attributes, at):
        return {"seconds": [*summary.get("seconds", []), at], "answers": attributes["answers"]}

    monkeypatch.setattr(graders, "streams", lambda exercise, seed: found)
    monkeypatch.setattr(graders, "add_second", add)


def second_of_traffic(name: str, second: int) -> dict[str, Any]:
    attributes = {"sent": "20", "failed": "0", "answers": '{"v1": 20}'}
    actor = {"ID": name, "Attributes": attributes}
    return {"Type": "traffic", "Action": "second", "Actor": actor, "time": second, "timeNano": second * 10**9}


ACTIVE_ONLY = """\
title: 쪽지
kind: lab
environment: docker
probes:
  - {id: asked, exec: ["cat", "/root/note"], active: true}
checks:
  - {id: note, title: 쪽지, type: text, probe: asked, contains: 안녕}
"""


def stream_of(docker, row: LabSession) -> FakeEventStream:
    return docker.lab_of(row).streams[-1]


def now(row: LabSession) -> LabSession:
    row.refresh_from_db()
    return row


def passed(row: LabSession) -> dict[str, bool]:
    return {result["id"]: result["passed"] for result in now(row).results}


def test_first_look_shows_where_the_learner_stands(docker, quick, told):
    row = opened()
    told.clear()
    assert Watcher(row.pk).read_once(0)
    assert passed(row) == {"runs": False, "died": False}
    assert set(told) == {row.pk}


def test_look_follows_what_the_engine_tells_after_a_short_silence(docker, quick):
    row = opened()
    watcher = Watcher(row.pk)
    watcher.read_once(0)
    docker.running = True
    stream_of(docker, row).push(die_event())
    assert watcher.read_once(1)
    assert passed(row)["runs"] is False
    assert watcher.read_once(1)
    assert passed(row) == {"runs": True, "died": True}


def test_look_comes_once_more_a_moment_after_news(docker, quick, monkeypatch):
    monkeypatch.setattr(watching, "AFTER_SECONDS", 0.0)
    row = opened()
    watcher = Watcher(row.pk)
    watcher.read_once(0)
    stream_of(docker, row).push(die_event())
    watcher.read_once(1)
    watcher.read_once(1)
    docker.running = True
    assert watcher.read_once(1)
    assert passed(row)["runs"] is True
    assert not watcher.read_once(0)


def test_look_asks_nothing_active_and_changes_nothing(docker, quick):
    row = opened()
    lab = docker.lab_of(row)
    lab.asked.clear()
    Watcher(row.pk).read_once(0)
    assert {ask.tool for ask in lab.asked} == {"docker", "topology"}


def test_look_is_not_taken_where_nobody_sees_it(docker, quick):
    row = opened()
    LabSession.objects.update(seen_at=timezone.now() - datetime.timedelta(minutes=2))
    watcher = Watcher(row.pk)
    watcher.read_once(0)
    stream_of(docker, row).push(die_event())
    watcher.read_once(1)
    watcher.read_once(1)
    assert now(row).results == []
    assert [event["event"]["Action"] for event in row.events] == ["die"]


def test_unchanged_results_wake_nobody(docker, quick, told):
    row = opened()
    watcher = Watcher(row.pk)
    watcher.read_once(0)
    told.clear()
    watcher.nudge()
    watcher.read_once(0)
    assert told == []


def test_latched_check_stays_passed_with_what_was_found(docker, quick):
    row = opened()
    watcher = Watcher(row.pk)
    watcher.read_once(0)
    stream_of(docker, row).push(die_event())
    watcher.read_once(1)
    watcher.read_once(1)
    assert list(now(row).latched) == ["died"]
    assert (row.latched["died"]["latched"], row.latched["died"]["found"]) == (True, "1")
    LabSession.objects.update(events=[])
    watcher.nudge()
    watcher.read_once(0)
    assert passed(row)["died"] is True


def test_look_also_shows_how_the_lab_is_built(docker, quick, told):
    row = opened()
    watcher = Watcher(row.pk)
    docker.topology = {"docker": [{"host": "", "containers": [{"name": "web\0"}]}], "kubernetes": None}
    watcher.read_once(0)
    assert now(row).topology == {"docker": [{"host": "", "containers": [{"name": "web␀"}]}], "kubernetes": None}
    told.clear()
    for _ in range(2):
        docker.topology = {"docker": [], "kubernetes": None}
        watcher.nudge()
        watcher.read_once(0)
    assert now(row).topology == {"docker": [], "kubernetes": None}
    assert told == [row.pk]


@pytest.mark.parametrize("answer", [{"docker": "x" * 140_000}, ["not", "one"], None])
def test_topology_that_cannot_be_drawn_is_left_out(docker, quick, answer):
    row = opened()
    docker.topology = answer
    Watcher(row.pk).read_once(0)
    assert now(row).topology is None
    assert passed(row) == {"runs": False, "died": False}


@pytest.mark.parametrize("error", [EngineUnavailableError("failed"), LabTooLargeError("size")])
def test_look_goes_on_without_a_topology(docker, quick, error):
    row = opened()
    docker.topology = error
    Watcher(row.pk).read_once(0)
    assert (now(row).topology, passed(row)["runs"]) == (None, False)


def test_topology_is_asked_in_one_call_where_there_is_no_passive_check(docker, quick):
    files = {"exercise.yaml": ACTIVE_ONLY, "prompt.md": "쪽지를 남기세요.\n"}
    row = opened(exercise=make_exercise(files=files))
    docker.lab_of(row).asked.clear()
    Watcher(row.pk).read_once(0)
    assert [ask.tool for ask in docker.lab_of(row).asked] == ["topology"]
    assert now(row).topology == docker.topology


def test_requests_that_go_on_are_counted_apart_and_are_no_news(docker, quick, streams, monkeypatch):
    monkeypatch.setattr(watching, "TRAFFIC_SECONDS", 0.0)
    row = opened()
    watcher = Watcher(row.pk)
    watcher.read_once(0)
    stream = stream_of(docker, row)
    assert stream.requests == [{"id": "shop", "http": {"url": "http://shop/"}}]
    docker.lab_of(row).asked.clear()
    for second in (1, 2):
        stream.push(second_of_traffic("shop", second))
        stream.push(second_of_traffic("unknown", second))
    for _ in range(4):
        watcher.read_once(0.1)
    assert now(row).streams == {"shop": {"seconds": [1.0, 2.0], "answers": '{"v1": 20}'}}
    assert (row.events, docker.lab_of(row).asked) == ([], [])


def test_requests_that_go_on_are_written_down_seldom_but_whenever_somebody_waits(docker, quick, streams):
    row = opened()
    watcher = Watcher(row.pk)
    watcher.read_once(0)
    stream_of(docker, row).push(second_of_traffic("shop", 1))
    watcher.read_once(0.1)
    assert now(row).streams == {}
    assert watcher.settle(0.0) is False
    watcher.read_once(0)
    assert list(now(row).streams) == ["shop"]
    assert watcher.settle(0.0) is True


def test_watcher_asks_for_events_since_the_last_one(docker, quick):
    row = opened()
    Watcher(row.pk).read_once(0)
    assert stream_of(docker, row).since == pytest.approx(row.ready_at.timestamp())
    later = int(row.ready_at.timestamp()) + 60
    record_events(row.pk, [compact({"host": "", "event": die_event(later)})])
    Watcher(row.pk).read_once(0)
    assert stream_of(docker, row).since == later - HEARD_TWICE_SECONDS


def test_look_keeps_a_step_where_a_check_passes_that_did_not(docker, quick):
    row = opened(exercise=make_cluster_exercise())
    watcher = Watcher(row.pk)
    watcher.read_once(0)
    assert KeptStep.objects.count() == 0
    docker.running = True
    stream_of(docker, row).push(die_event())
    watcher.read_once(1)
    watcher.read_once(1)
    step = KeptStep.objects.get()
    assert (step.check_id, step.title) == ("died", "web이 멈춘 적 있음")
    assert (step.seed, bytes(step.data)) == (row.seed, b"saved")
    assert now(row).passed == ["runs", "died"]


def test_what_passes_at_the_first_look_is_no_step(docker, quick):
    docker.running = True
    row = opened(exercise=make_cluster_exercise())
    watcher = Watcher(row.pk)
    for _ in range(2):
        watcher.nudge()
        watcher.read_once(0)
    assert now(row).passed == ["runs"]
    assert not KeptStep.objects.exists()


def test_step_that_comes_too_early_is_kept_a_while_later(docker, quick, monkeypatch):
    row = opened(exercise=make_cluster_exercise())
    watcher = Watcher(row.pk)
    watcher.read_once(0)
    LabSession.objects.update(step_tried_at=timezone.now())
    docker.running = True
    watcher.nudge()
    watcher.read_once(0)
    assert not KeptStep.objects.exists()
    assert not watcher.read_once(0)
    LabSession.objects.update(step_tried_at=timezone.now() - datetime.timedelta(seconds=11))
    monkeypatch.setattr(watcher, "_again_at", watcher._again_at - 11)
    watcher.read_once(0)
    assert KeptStep.objects.get().check_id == "runs"


def test_nobody_puts_the_lab_back_between_a_look_and_its_step(docker, quick, monkeypatch):
    row = opened(exercise=make_cluster_exercise())
    watcher = Watcher(row.pk)
    watcher.read_once(0)
    alone: list[bool] = []

    def keep(row, results):
        with alone_with(row.pk) as free:
            alone.append(free)
        return 0.0

    monkeypatch.setattr(watching, "keep_step", keep)
    watcher.nudge()
    watcher.read_once(0)
    with alone_with(row.pk) as free:
        assert (alone, free) == ([False], True)


def test_watcher_of_a_lab_that_dies_tells_and_ends(docker, quick):
    row = opened()
    watcher = Watcher(row.pk)
    watcher.read_once(0)
    docker.lab_of(row).kill()
    assert watcher._survives(lambda: watcher.read_once(1)) is False
    assert (now(row).state, row.reason) == ("failed", "gone")


def test_watcher_begins_again_when_the_engine_was_away(docker, quick, monkeypatch):
    monkeypatch.setattr(watching, "RETRY_SECONDS", 0.0)
    row = opened()
    watcher = Watcher(row.pk)
    watcher.read_once(0)
    stream_of(docker, row).fail(EngineUnavailableError("down"))
    assert watcher._survives(lambda: watcher.read_once(1)) is True
    assert watcher._survives(lambda: watcher.read_once(0)) is True
    assert len(docker.lab_of(row).streams) == 2


def test_watcher_finds_out_that_the_engine_inside_has_died(docker, quick, monkeypatch):
    monkeypatch.setattr(watching, "RETRY_SECONDS", 0.0)
    row = opened()
    watcher = Watcher(row.pk)
    watcher.read_once(0)

    def no_engine(ask):
        raise LabGoneError("its engine has died")

    docker.answer_ask = no_engine
    stream_of(docker, row).fail(EngineUnavailableError("events ended"))
    assert watcher._survives(lambda: watcher.read_once(1)) is True
    assert watcher._survives(lambda: watcher.read_once(0)) is False
    assert (now(row).state, docker.lab_of(row).alive()) == ("failed", True)


def test_watcher_of_a_deleted_row_ends(docker, quick):
    row = opened()
    LabSession.objects.all().delete()
    assert Watcher(row.pk)._survives(Watcher(row.pk).read_once) is False


def test_look_that_the_database_did_not_allow_is_taken_again(docker, quick, monkeypatch, caplog):
    monkeypatch.setattr(watching, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr(watching, "connection", SimpleNamespace(close=lambda: None))  # the test's own stays open
    row = opened()
    watcher = Watcher(row.pk)
    with monkeypatch.context() as away:
        away.setattr(watching, "look", lambda row: (_ for _ in ()).throw(OperationalError("gone")))
        assert watcher._survives(lambda: watcher.read_once(0)) is True
    assert "the database did not answer" in caplog.text
    watcher.read_once(0)
    assert passed(row) == {"runs": False, "died": False}


def test_look_that_fails_ends_no_watcher(docker, quick, monkeypatch, caplog):
    monkeypatch.setattr(watching, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr(watching, "look", lambda row: 1 / 0)
    watcher = Watcher(opened().pk)
    assert watcher._survives(lambda: watcher.read_once(0)) is True
    assert "a look failed" in caplog.text
    assert not watcher.read_once(0)


def test_stop_writes_down_what_was_heard(docker, quick):
    row = opened()
    watcher = Watcher(row.pk)
    watcher.read_once(0)
    stream_of(docker, row).push(die_event())
    watcher.read_once(1)
    watcher.stop()
    watcher._survives(watcher._record)
    assert len(now(row).events) == 1


@pytest.mark.django_db(transaction=True)
def test_followed_lab_is_recorded_by_a_thread_of_its_own(docker, quick):
    row = opened()
    assert watching.follow([row])
    eventually(lambda: docker.lab_of(row).streams)
    stream_of(docker, row).push(die_event())
    eventually(lambda: now(row).events)
    watching.nudge(row.pk)
    assert watching.follow([])
    assert len(now(row).events) == 1
