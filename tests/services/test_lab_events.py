"""What a lab told by itself, within bounds."""

from __future__ import annotations

import datetime
import json
import uuid
from typing import Any

import pytest

from lessons import graders
from lessons.models import LabSession
from lessons.sandbox import LabGoneError
from lessons.services import lab_events
from tests.factories import make_lab
from tests.fake_labs import FakeLab
from tests.services.labs import die_event

pytestmark = pytest.mark.django_db


def record(row: LabSession, *events: dict[str, Any]) -> list[dict[str, Any]]:
    """What is stored once the lab told these, without the host."""
    lab_events.record_events(row.pk, [lab_events.compact({"host": "", "event": event}) for event in events])
    row.refresh_from_db()
    return [event["event"] for event in row.events]


def said(action: str, uid: str, second: int, **attributes: str) -> dict[str, Any]:
    """A line of a cluster's watch."""
    actor = {"ID": uid, "Attributes": attributes}
    return {"Type": "kubernetes", "Action": action, "Actor": actor, "time": second, "timeNano": second * 10**9}


def test_events_are_recorded_once_and_bounded(monkeypatch):
    monkeypatch.setattr(lab_events, "MOST_EVENTS", 3)
    row = make_lab()
    events = [die_event(second) for second in range(1, 6)]
    record(row, *events[:2])
    assert [event["time"] for event in record(row, *events[1:])] == [3, 4, 5]


def test_events_come_in_the_order_in_which_they_happened_however_they_are_heard():
    row = make_lab()
    record(row, die_event(5))
    assert [event["time"] for event in record(row, die_event(3), die_event(7), die_event(7), die_event(5))] == [3, 5, 7]


def test_lab_is_asked_again_for_the_last_seconds_but_not_for_what_was_before_it_was_ready():
    row = make_lab(ready_at=datetime.datetime.fromtimestamp(100, datetime.UTC))
    assert lab_events.heard_until(row) == 100.0
    record(row, die_event(105))
    assert lab_events.heard_until(row) == 100.0
    record(row, die_event(205))
    assert lab_events.heard_until(row) == 205.0 - lab_events.HEARD_TWICE_SECONDS


def test_what_the_watcher_has_not_heard_yet_is_recorded_all_the_same():
    row = make_lab(ready_at=datetime.datetime.fromtimestamp(100, datetime.UTC))
    record(row, die_event(205))
    lab = FakeLab()
    lab.unheard = [{"host": "", "event": die_event(second)} for second in (150, 203, 205, 207)]
    lab_events.catch_up(row.pk, lab)
    row.refresh_from_db()
    assert [event["event"]["time"] for event in row.events] == [203, 205, 207]
    lab.kill()
    with pytest.raises(LabGoneError):
        lab_events.catch_up(row.pk, lab)


def test_events_that_are_large_are_fewer():
    labels = {f"label{n}": "y" * 300 for n in range(30)}
    events = [{"Type": "image", "timeNano": n, "Actor": {"ID": "x", "Attributes": labels}} for n in range(400)]
    kept = record(make_lab(), *events)
    assert kept[-1]["timeNano"] == 399
    assert 1_900_000 < len(json.dumps(kept)) < 2_200_000


def test_events_of_a_hostile_lab_are_cut_to_shape():
    huge = {
        "Type": "x" * 9000,
        "Action": None,
        "Actor": {"ID": 7, "Attributes": {str(n): "y" * 9000 for n in range(99)}},
    }
    event = lab_events.compact({"host": "", "event": {**huge, "timeNano": -1, "time": "soon"}})["event"]
    assert (len(event["Type"]), event["Action"], event["timeNano"], event["time"]) == (300, "", 0, 0)
    assert len(event["Actor"]["Attributes"]) == 30
    assert lab_events.compact({"event": {"Actor": [], "Type": 1}})["event"]["Actor"] == {"ID": "", "Attributes": {}}


def test_flood_of_pods_drives_out_nothing_that_an_engine_said(monkeypatch):
    monkeypatch.setattr(lab_events, "MOST_CLUSTER_EVENTS", 50)
    row = make_lab()
    record(row, die_event(1))
    for burst in range(10):
        pods = [f"{burst}-{number}" for number in range(20)]
        record(row, *(said("added", pod, 2 + burst, kind="Pod") for pod in pods))
    kept = record(row, die_event(99))
    assert [event["Type"] for event in kept] == ["container", *["kubernetes"] * 50, "container"]
    assert kept[1]["Actor"]["ID"] == "7-10"


def test_looking_on_for_an_hour_drives_out_nothing_that_was_done():
    row = make_lab()
    record(row, said("wrote", "d", 1, kind="Deployment", name="shop"))
    looks = [said("read", "h", second, kind="HorizontalPodAutoscaler", name="shop") for second in range(2, 2002)]
    kept = record(row, *looks, said("read", "p", 3000, kind="Pod", name="shop-1"))
    assert [(event["Action"], event["time"]) for event in kept] == [("wrote", 1), ("read", 2), ("read", 3000)]
    log = said("read", "p", 3001, kind="Pod", name="shop-1", subresource="log")
    assert record(row, log)[-1]["time"] == 3001


def test_cluster_is_bounded_in_bytes_as_well(monkeypatch):
    monkeypatch.setattr(lab_events, "MOST_CLUSTER_BYTES", 20_000)
    kept = record(make_lab(), *(said("added", str(n), n, message="m" * 300) for n in range(200)))
    assert 17_000 < len(json.dumps(kept)) < 21_000
    assert kept[-1]["Actor"]["ID"] == "199"


def test_what_changed_again_goes_before_what_came_and_went(monkeypatch):
    monkeypatch.setattr(lab_events, "MOST_CLUSTER_EVENTS", 6)
    first = [said("added", "a", 1), *(said("changed", "a", second, ready=str(second)) for second in range(2, 6))]
    rest = [said("deleted", "a", 6), said("added", "b", 7), said("changed", "b", 8)]
    kept = record(make_lab(), *first, *rest)
    assert [(event["Action"], event["time"]) for event in kept] == [
        ("added", 1),
        ("changed", 4),
        ("changed", 5),
        ("deleted", 6),
        ("added", 7),
        ("changed", 8),
    ]


def test_event_that_happens_again_and_again_is_told_once_with_its_last_count():
    row = make_lab()
    for count in range(1, 5):
        kept = record(row, said("happened", "e", count, reason="BackOff", count=str(count)))
    kept = record(row, said("happened", "e", 5, reason="Killing", count="1"))
    told = [(event["Actor"]["Attributes"]["reason"], event["Actor"]["Attributes"]["count"]) for event in kept]
    assert told == [("BackOff", "4"), ("Killing", "1")]


def test_seconds_of_traffic_add_up_and_are_not_cut(monkeypatch):
    def add(summary, attributes, at):
        return {"answers": json.loads(attributes["answers"]), "seconds": [*summary.get("seconds", []), at]}

    monkeypatch.setattr(graders, "add_second", add)
    row = make_lab()
    answers = {f"{n}-" + "x" * 200: 1 for n in range(20)}
    actor = {"ID": "shop", "Attributes": {"sent": "20", "failed": "0", "answers": json.dumps(answers | {"\0": 1})}}
    for second in (1, 2):
        told = {"Type": "traffic", "Action": "second", "Actor": actor, "time": second, "timeNano": second * 10**9}
        lab_events.record_traffic(row.pk, [lab_events.compact({"host": "", "event": told})])
    row.refresh_from_db()
    assert row.streams == {"shop": {"answers": answers | {"␀": 1}, "seconds": [1.0, 2.0]}}


def test_what_a_deleted_lab_told_is_dropped():
    lab_events.record_events(uuid.uuid4(), [lab_events.compact({"event": die_event()})])
    lab_events.record_traffic(uuid.uuid4(), [])
    assert not LabSession.objects.exists()


def test_plain_takes_any_json_within_a_depth():
    deep: Any = "end"
    for _ in range(50):
        deep = [deep]
    found = lab_events.plain({"a\0": [1, None, True, "b\0"], "deep": deep})
    assert found["a␀"] == [1, None, True, "b␀"]
    assert json.dumps(found["deep"]) == "[" * 11 + "null" + "]" * 11
