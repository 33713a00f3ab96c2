"""What is recorded of a lab while a learner works, and how the passive checks stand."""

from __future__ import annotations

import datetime
import json

import pytest
from django.utils import timezone

from lessons import notify
from lessons.models import LabSession
from lessons.sandbox import EngineUnavailableError, LabGoneError
from lessons.services import lab_records, watching
from lessons.services.watching import Watcher
from tests.factories import make_lab
from tests.fake_labs import FakeEventStream
from tests.services.labs import die_event, opened

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
    assert told == [row.pk]


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
    assert {ask.tool for ask in lab.asked} == {"docker"}


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


def test_events_are_recorded_once_and_bounded(docker, monkeypatch):
    monkeypatch.setattr(lab_records, "MOST_EVENTS", 3)
    row = make_lab()
    events = [lab_records.compact({"host": "", "event": die_event(second)}) for second in range(1, 6)]
    lab_records.record_events(row.pk, events[:2])
    lab_records.record_events(row.pk, events[1:])
    assert [event["event"]["time"] for event in now(row).events] == [3, 4, 5]
    assert lab_records.heard_until(row) == 5.0


def test_events_that_are_large_are_fewer(docker):
    row = make_lab()
    labels = {f"label{n}": "y" * 300 for n in range(30)}
    events = [{"Type": "image", "timeNano": n, "Actor": {"ID": "x", "Attributes": labels}} for n in range(400)]
    lab_records.record_events(row.pk, [lab_records.compact({"event": event}) for event in events])
    kept = now(row).events
    assert kept[-1]["event"]["timeNano"] == 399
    assert 1_900_000 < len(json.dumps(kept)) < 2_200_000


def test_events_of_a_hostile_lab_are_cut_to_shape():
    huge = {
        "Type": "x" * 9000,
        "Action": None,
        "Actor": {"ID": 7, "Attributes": {str(n): "y" * 9000 for n in range(99)}},
    }
    event = lab_records.compact({"host": "", "event": {**huge, "timeNano": -1, "time": "soon"}})["event"]
    assert (len(event["Type"]), event["Action"], event["timeNano"], event["time"]) == (300, "", 0, 0)
    assert len(event["Actor"]["Attributes"]) == 30
    assert lab_records.compact({"event": {"Actor": [], "Type": 1}})["event"]["Actor"] == {"ID": "", "Attributes": {}}


def test_watcher_asks_for_events_since_the_last_one(docker, quick):
    row = opened()
    Watcher(row.pk).read_once(0)
    assert stream_of(docker, row).since == pytest.approx(row.ready_at.timestamp())
    lab_records.record_events(row.pk, [lab_records.compact({"host": "", "event": die_event(9)})])
    Watcher(row.pk).read_once(0)
    assert stream_of(docker, row).since == 9.0


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
    watching.settle(row.pk, seconds=5)
    for _ in range(100):
        if docker.lab_of(row).streams:
            break
        watching.settle(row.pk, seconds=1)
    stream_of(docker, row).push(die_event())
    for _ in range(100):
        watching.settle(row.pk, seconds=1)
        if now(row).events:
            break
    watching.nudge(row.pk)
    assert watching.follow([])
    assert len(now(row).events) == 1
