"""What is known of a lab from looking at it: how it is built, checks as they stand, what latches."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields, replace
from typing import Any

from django.db import transaction
from django.utils import timezone

from lessons import graders, notify
from lessons.contracts import Ask, CheckResult, Evidence, ExerciseSpec, Place, Plan
from lessons.models import LIVE_LABS, LabSession, Origin
from lessons.sandbox import EngineUnavailableError, Lab, LabTooLargeError
from lessons.services.lab_events import plain
from lessons.services.lab_use import in_use
from lessons.services.sandboxes import current_sandbox

logger = logging.getLogger(__name__)

TOPOLOGY = Ask("topology", "{}", seconds=10.0)
BESIDE = "beside:topology"  # its id in a plan: no probe can be called so
MOST_TOPOLOGY = 128 * 1024  # bytes, as JSON
SEEN_SECONDS = 60.0  # nobody looks at a lab that nobody has seen for so long
TICK_SECONDS = 20.0


def is_seen(row: LabSession) -> bool:
    """Whether somebody may be looking at the lab; a proof does all the time."""
    if row.origin == Origin.PROOF:
        return True
    seen = row.seen_at or row.ready_at
    return seen is not None and (timezone.now() - seen).total_seconds() < SEEN_SECONDS


def look(row: LabSession) -> tuple[CheckResult, ...]:
    """Ask what the passive checks want to know, store how they stand; the results. Of a learner's lab also how it is
    built, in the same question.

    Raises SandboxError, and ContentError where the revision holds no exercise.
    """
    spec = row.revision.spec
    plan = graders.watch_plan(spec, row.seed, row.baseline, latched_of(row))
    with in_use(row) as lab:
        evidence = _seen(row, plan, lab)
    results = graders.judge_watch(spec, plan, evidence)
    store_results(row, spec, results)
    return results


def _seen(row: LabSession, plan: Plan, lab: Lab) -> Evidence:
    """The evidence for the plan; what the lab is built of is stored beside it."""
    if row.origin != Origin.LEARNER:
        return _collected(row, plan, lab)
    # Questions to the lab first, all in one call.
    asks = dict(sorted({BESIDE: TOPOLOGY, **plan.asks}.items(), key=lambda item: item[1].place is Place.RECORD))
    try:
        evidence = _collected(row, replace(plan, asks=asks), lab)
    except (EngineUnavailableError, LabTooLargeError) as error:  # a picture is not worth a look
        logger.info("Lab %s: looking without its topology: %s", row.pk, error)
        return _collected(row, plan, lab) if plan.asks else Evidence(runs={})
    answers = dict(evidence.answers)
    _store_topology(row, answers.pop(BESIDE, None))
    return replace(evidence, answers=answers)


def _collected(row: LabSession, plan: Plan, lab: Lab) -> Evidence:
    recorded = {"events": row.events, "streams": row.streams}
    return current_sandbox().collect(plan, owner=str(row.pk), deadline=TICK_SECONDS, lab=lab, recorded=recorded)


def _store_topology(row: LabSession, answer: Any) -> None:
    """Keep how the lab is built, where that changed; one too large to be drawn is left out."""
    if not isinstance(answer, dict):
        return
    if len(json.dumps(answer, ensure_ascii=False).encode()) > MOST_TOPOLOGY:
        logger.info("Lab %s: its topology is too large", row.pk)
        return
    found = plain(answer)
    if found == row.topology:
        return
    row.topology = found
    if LabSession.objects.filter(pk=row.pk, state__in=LIVE_LABS).update(topology=found):
        notify.lab_changed(row.pk)


def latched_of(row: LabSession) -> dict[str, CheckResult]:
    """What was seen once and stays passed."""
    known = {one.name for one in fields(CheckResult)}  # it may be of an earlier version: a kept home outlives that
    return {
        name: CheckResult(**{key: value for key, value in stored.items() if key in known})
        for name, stored in row.latched.items()
    }


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
