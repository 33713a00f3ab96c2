"""What is known of a lab from looking at it: events as its engines tell them, checks as they stand, what latches."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from lessons import graders, notify
from lessons.contracts import CheckResult, ExerciseSpec
from lessons.models import LIVE_LABS, LabSession, Origin
from lessons.services.lab_use import in_use
from lessons.services.sandboxes import current_sandbox

MOST_EVENTS = 2_000
MOST_BYTES = 2 * 1024 * 1024  # of all events of a lab together, as JSON
MOST_TEXT = 300  # letters of one text in an event
MOST_ATTRIBUTES = 30
SEEN_SECONDS = 60.0  # nobody looks at a lab that nobody has seen for so long
TICK_SECONDS = 20.0


def is_seen(row: LabSession) -> bool:
    """Whether somebody may be looking at the lab; a proof does all the time."""
    if row.origin == Origin.PROOF:
        return True
    seen = row.seen_at or row.ready_at
    return seen is not None and (timezone.now() - seen).total_seconds() < SEEN_SECONDS


def look(row: LabSession) -> tuple[CheckResult, ...]:
    """Ask what the passive checks want to know, store how they stand; the results.

    Raises SandboxError, and ContentError where the revision holds no exercise.
    """
    spec = row.revision.spec
    plan = graders.watch_plan(spec, row.seed, row.baseline, latched_of(row))
    with in_use(row) as lab:
        recorded = {"events": row.events}
        evidence = current_sandbox().collect(plan, owner=str(row.pk), deadline=TICK_SECONDS, lab=lab, recorded=recorded)
    results = graders.judge_watch(spec, plan, evidence)
    store_results(row, spec, results)
    return results


def latched_of(row: LabSession) -> dict[str, CheckResult]:
    """What was seen once and stays passed."""
    return {name: CheckResult(**stored) for name, stored in row.latched.items()}


def store_results(row: LabSession, spec: ExerciseSpec, results: Iterable[CheckResult]) -> None:
    """Keep how the checks stand and what latches; tells who follows the lab where anything changed."""
    results = tuple(results)
    shown = [asdict(result) for result in results]
    values: dict[str, Any] = {"results": shown, "results_at": timezone.now()}
    changed = latch(row, spec, results) or shown != row.results
    if LabSession.objects.filter(pk=row.pk, state__in=LIVE_LABS).update(**values) and changed:
        notify.lab_changed(row.pk)


def latch(row: LabSession, spec: ExerciseSpec, results: Iterable[CheckResult]) -> bool:
    """Keep what stays passed from now on; whether there was any. A look and a grading may do so at once."""
    with transaction.atomic():
        known = LabSession.objects.select_for_update().values_list("latched", flat=True).filter(pk=row.pk).first()
        new = newly_latched(known or {}, spec, results)
        if known is None or not new:
            return False
        LabSession.objects.filter(pk=row.pk).update(latched={**known, **new})
    return True


def newly_latched(known: Mapping[str, Any], spec: ExerciseSpec, results: Iterable[CheckResult]) -> dict[str, Any]:
    """Of the results those that stay passed from now on, with what was found."""
    latches = {check.id for check in spec.checks if check.latch}
    return {
        result.id: asdict(replace(result, latched=True))
        for result in results
        if result.passed and result.id in latches and result.id not in known
    }


def record_events(lab_id: UUID, fresh: Iterable[Mapping[str, Any]]) -> None:
    """Add events to what was recorded of the lab; what came before, and what is there already, goes."""
    row = LabSession.objects.only("events").filter(pk=lab_id).first()
    if row is None:
        return
    known = {_key(event) for event in row.events[-200:]}
    new = [dict(event) for event in fresh if _key(event) not in known]
    if new:
        LabSession.objects.filter(pk=lab_id).update(events=_newest([*row.events, *new]))


def _newest(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As many of the last ones as are stored: all of them are written anew at each burst."""
    size, kept = 0, events[-MOST_EVENTS:]
    for place in range(len(kept) - 1, -1, -1):
        size += len(json.dumps(kept[place]))
        if size > MOST_BYTES:
            return kept[place + 1 :]
    return kept


def compact(event: Mapping[str, Any]) -> dict[str, Any]:
    """An event as it is stored: Docker's own keys, with texts and attributes within bounds."""
    told = event["event"]
    actor = _mapping(told.get("Actor"))
    attributes = _mapping(actor.get("Attributes"))
    kept = list(attributes.items())[:MOST_ATTRIBUTES]
    return {
        "host": str(event.get("host", "")),
        "event": {
            "Type": _text(told.get("Type")),
            "Action": _text(told.get("Action")),
            "Actor": {
                "ID": _text(actor.get("ID")),
                "Attributes": {_text(name): _text(value) for name, value in kept},
            },
            "time": _whole(told.get("time")),
            "timeNano": _whole(told.get("timeNano")),
        },
    }


def _mapping(value: Any) -> Mapping[Any, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    return str(value or "")[:MOST_TEXT].replace("\0", "␀")


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and 0 <= value < 2**63 else 0


def _key(event: Mapping[str, Any]) -> tuple[Any, ...]:
    told = event["event"]
    return event["host"], told["timeNano"], told["Type"], told["Action"], told["Actor"]["ID"]


def heard_until(row: LabSession) -> float:
    """Unix seconds from which on the engine is asked for events: the last one heard, else when the lab was ready."""
    if row.events:
        return max(0.0, row.events[-1]["event"]["timeNano"] / 1e9)
    return row.ready_at.timestamp() if row.ready_at else timezone.now().timestamp()
