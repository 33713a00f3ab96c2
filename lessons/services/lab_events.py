"""What a lab told by itself, as it is stored: events of its engines and its cluster, and requests that go on.

A cluster can be louder than any engine; each has a share of its own, so that neither drives out what the other said.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from lessons import graders
from lessons.contracts import OF_CLUSTER
from lessons.models import LabSession
from lessons.sandbox import Lab

TRAFFIC = "traffic"  # as Type of an event
MOST_EVENTS = 2_000  # of the engines
MOST_BYTES = 2 * 1024 * 1024  # likewise, as JSON
MOST_CLUSTER_EVENTS = 1_500
MOST_CLUSTER_BYTES = 1024 * 1024
MOST_TEXT = 300  # letters of one text in an event
MOST_ATTRIBUTES = 30
MOST_ANSWERS = 16 * 1024  # letters of what a second of traffic was answered with
MOST_DEPTH = 12
HEARD_TWICE_SECONDS = 10.0
QUIET_SECONDS = 20.0


def is_traffic(told: Mapping[str, Any]) -> bool:
    """Whether it is a second of requests, not an event: {"host", "event"} as the lab tells it."""
    return bool(told["event"].get("Type") == TRAFFIC)


def record_events(lab_id: UUID, fresh: Iterable[Mapping[str, Any]]) -> None:
    """Add events to what was recorded of the lab, in the order in which they happened; what is there already is left.
    A watcher and a grading may do so at once."""
    heard = list(fresh)
    with transaction.atomic():
        row = LabSession.objects.select_for_update().only("events").filter(pk=lab_id).first()
        if row is None:
            return
        events = {_key(event): event for event in [*map(dict, heard), *row.events]}
        if len(events) > len(row.events):
            in_order = sorted(events.values(), key=lambda event: event["event"]["timeNano"])
            LabSession.objects.filter(pk=lab_id).update(events=_bounded(in_order))


def catch_up(lab_id: UUID, lab: Lab) -> None:
    """Record what the lab has told up to now, whether or not its watcher has heard it. Raises SandboxError."""
    row = LabSession.objects.only("events", "ready_at").filter(pk=lab_id).first()
    if row is not None:
        record_events(lab_id, map(compact, lab.told(since=heard_until(row))))


def _bounded(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As many of the last ones as are stored, in their order: all of them are written anew at each burst."""
    of_cluster = _thinned([event for event in events if _is_of_cluster(event)])
    of_engines = [event for event in events if not _is_of_cluster(event)]
    kept = {id(event) for event in _newest(of_engines, MOST_EVENTS, MOST_BYTES)}
    kept |= {id(event) for event in _newest(of_cluster, MOST_CLUSTER_EVENTS, MOST_CLUSTER_BYTES)}
    return [event for event in events if id(event) in kept]


def _newest(events: list[dict[str, Any]], most: int, most_bytes: int) -> list[dict[str, Any]]:
    size, kept = 0, events[-most:]
    for place in range(len(kept) - 1, -1, -1):
        size += len(json.dumps(kept[place]))
        if size > most_bytes:
            return kept[place + 1 :]
    return kept


def _without_rereading(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of looks at the same thing the first one: who watches it for an hour drives out nothing. A Pod's log is
    another thing than the Pod, and an object that was not there yet another than one that is."""
    kept, looked_at = [], set()
    for event in events:
        told = event["event"]
        about = told["Actor"]["Attributes"]
        what = tuple(about.get(name) for name in ("kind", "namespace", "name", "subresource", "code"))
        if told["Action"] == "read":
            if what in looked_at:
                continue
            looked_at.add(what)
        kept.append(event)
    return kept


def _thinned(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without what later ones say again: of an Event that happened often the last word, and, once there are too many,
    the oldest changes of objects that changed again since. Objects that came and went stay in sight."""
    latest: set[tuple[str, str]] = set()
    heard: list[dict[str, Any]] = []
    for event in reversed(_without_rereading(events)):
        told = event["event"]
        what = told["Actor"]["ID"], told["Actor"]["Attributes"].get("reason", "")
        if told["Action"] == "happened":
            if what in latest:
                continue
            latest.add(what)
        heard.append(event)
    heard.reverse()
    over = len(heard) - MOST_CLUSTER_EVENTS
    if over <= 0:
        return heard
    last = {event["event"]["Actor"]["ID"]: place for place, event in enumerate(heard)}
    outdated = [
        place
        for place, event in enumerate(heard)
        if event["event"]["Action"] == "changed" and last[event["event"]["Actor"]["ID"]] > place
    ]
    dropped = set(outdated[:over])
    return [event for place, event in enumerate(heard) if place not in dropped]


def _is_of_cluster(event: Mapping[str, Any]) -> bool:
    return bool(event["event"]["Type"] == OF_CLUSTER)


def record_traffic(lab_id: UUID, fresh: Iterable[Mapping[str, Any]]) -> None:
    """Add seconds of requests to what is known of each stream."""
    heard = list(fresh)
    with transaction.atomic():
        row = LabSession.objects.select_for_update().only("streams").filter(pk=lab_id).first()
        if row is None:
            return
        streams = dict(row.streams)
        for second in heard:
            told = second["event"]
            name = told["Actor"]["ID"]
            streams[name] = graders.add_second(
                streams.get(name, {}), told["Actor"]["Attributes"], told["timeNano"] / 1e9
            )
        LabSession.objects.filter(pk=lab_id).update(streams=plain(streams))


def begin_streams_anew(row: LabSession, known: Mapping[str, Any], *, after: float = QUIET_SECONDS) -> None:
    """The requests that go on count as ``known`` from ``after`` seconds on: a cluster is put back, whose Pods take a
    while to run again."""
    until = timezone.now().timestamp() + after
    names = [str(stream["id"]) for stream in graders.streams(row.revision.spec, row.seed)]
    streams = {name: graders.quiet_until(known.get(name, {}), until) for name in names}
    LabSession.objects.filter(pk=row.pk).update(streams=streams)


def compact(event: Mapping[str, Any]) -> dict[str, Any]:
    """An event as it is stored: Docker's own keys, with texts and attributes within bounds."""
    told = event["event"]
    actor = _mapping(told.get("Actor"))
    most = MOST_ANSWERS if told.get("Type") == TRAFFIC else MOST_TEXT
    kept = list(_mapping(actor.get("Attributes")).items())[:MOST_ATTRIBUTES]
    return {
        "host": str(event.get("host", "")),
        "event": {
            "Type": _text(told.get("Type")),
            "Action": _text(told.get("Action")),
            "Actor": {
                "ID": _text(actor.get("ID")),
                "Attributes": {_text(name): _text(value, most) for name, value in kept},
            },
            "time": _whole(told.get("time")),
            "timeNano": _whole(told.get("timeNano")),
        },
    }


def plain(value: Any, depth: int = MOST_DEPTH) -> Any:
    """A JSON value as every database takes it: no NUL in texts, nothing nested without end."""
    if isinstance(value, str):
        return value.replace("\0", "␀")
    if depth and isinstance(value, Mapping):
        return {str(plain(str(key))): plain(item, depth - 1) for key, item in value.items()}
    if depth and isinstance(value, list):
        return [plain(item, depth - 1) for item in value]
    return value if isinstance(value, int | float | None) else None


def _mapping(value: Any) -> Mapping[Any, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any, most: int = MOST_TEXT) -> str:
    return str(value or "")[:most].replace("\0", "␀")


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and 0 <= value < 2**63 else 0


def _key(event: Mapping[str, Any]) -> tuple[Any, ...]:
    told = event["event"]
    return event["host"], told["timeNano"], told["Type"], told["Action"], told["Actor"]["ID"]


def heard_until(row: LabSession) -> float:
    """Unix seconds from which on the lab is asked for events: when it was ready, or a little before the last one heard,
    for another of its engines may tell later of what was earlier."""
    ready = (row.ready_at or timezone.now()).timestamp()
    if row.events:
        return max(ready, row.events[-1]["event"]["timeNano"] / 1e9 - HEARD_TWICE_SECONDS)
    return ready
