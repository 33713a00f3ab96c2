"""One look at every live lab: limits, warnings, pauses, deaths. Each step is a compare and set of its own."""

from __future__ import annotations

import datetime
import logging
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from lessons import notify
from lessons.contracts import Status
from lessons.models import EMPTIED, LIVE_LABS, LabReason, LabSession, LabState, Origin, Submission
from lessons.sandbox import SandboxError
from lessons.services import labs
from lessons.services.lab_use import alone_with, in_use, lab_of

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 60.0  # unseen for so long: paused
GRADING_GRACE_SECONDS = 300.0  # a lab that is being graded ends later, but not much later


def live_labs() -> list[LabSession]:
    """Learners' labs and proofs' that can be used, with their limits."""
    return list(LabSession.objects.slim().live().order_by("requested_at"))


def being_graded(rows: list[LabSession]) -> set[UUID]:
    """Which of them a submission waits for or looks at."""
    if not rows:
        return set()
    open_ones = Submission.objects.filter(lab__in=rows, status__in=(Status.QUEUED, Status.RUNNING))
    return {lab_id for lab_id in open_ones.values_list("lab_id", flat=True) if lab_id is not None}


def end_if_over(row: LabSession, now: datetime.datetime, *, graded: bool) -> bool:
    """End a lab that reached a limit; whether it did. Grading holds its end off for a while."""
    reason = over(row, now)
    if reason is None:
        return False
    if graded and not (row.expires_at and (now - row.expires_at).total_seconds() > GRADING_GRACE_SECONDS):
        return False
    labs.end_lab(lab=row, reason=reason)
    return True


def over(row: LabSession, now: datetime.datetime) -> LabReason | None:
    """The limit that the lab reached, if any; a proof's has only the hard one."""
    if row.expires_at and row.expires_at <= now:
        return LabReason.HARD
    if row.origin != Origin.LEARNER:
        return None
    if row.idle_ends_at and row.idle_ends_at <= now:
        return LabReason.IDLE
    if row.away_ends_at and row.away_ends_at <= now:
        return LabReason.AWAY
    return None


def warn_if_soon(row: LabSession, now: datetime.datetime) -> bool:
    """Note once that the lab will end soon; whether that was now."""
    soon = now + datetime.timedelta(minutes=settings.LAB_WARN_MINUTES)
    if row.origin != Origin.LEARNER or row.warned_at or row.ends_at is None or row.ends_at > soon:
        return False
    if not LabSession.objects.live().filter(pk=row.pk, warned_at=None).update(warned_at=now):
        return False
    notify.lab_changed(row.pk)
    return True


def pause_if_unused(row: LabSession, now: datetime.datetime, *, graded: bool) -> bool:
    """Pause a ready lab that nobody sees or that nobody used for half of the idle limit; whether it was."""
    if row.state != LabState.READY or row.origin != Origin.LEARNER or graded or not _unused(row, now):
        return False
    with alone_with(row.pk) as alone:
        if not alone:
            return False
        unchanged = {"seen_at": row.seen_at, "used_at": row.used_at}
        fresh = LabSession.objects.filter(pk=row.pk, state=LabState.READY, **unchanged)
        if not fresh.update(state=LabState.IDLE, idle_at=now):
            return False
        notify.lab_changed(row.pk)
        try:
            lab_of(row).pause()
        except SandboxError as error:
            logger.info("Lab %s could not be paused: %s", row.pk, error)
    return True


def _unused(row: LabSession, now: datetime.datetime) -> bool:
    begun = row.ready_at or now
    unseen = (now - (row.seen_at or begun)).total_seconds()
    unused = (now - (row.used_at or begun)).total_seconds()
    return unseen >= PAUSE_SECONDS or unused >= settings.LAB_IDLE_MINUTES * 30.0


def wake_lab(row: LabSession) -> bool:
    """Let a paused lab go on (idle -> ready); whether it was paused."""
    if not labs.change_lab(row.pk, when=(LabState.IDLE,), state=LabState.READY):
        return False
    row.state = LabState.READY
    try:
        with in_use(row) as lab:
            lab.resume()
    except SandboxError as error:
        logger.info("Lab %s does not go on: %s", row.pk, error)
        fail_if_dead(row)
    return True


def fail_if_dead(row: LabSession) -> bool:
    """Note that the lab's container has died; whether it has. An engine that does not answer says nothing of it."""
    try:
        if lab_of(row).alive():
            return False
    except SandboxError as error:
        if error.reason != "lab":
            return False
    return note_death(row)


def note_death(row: LabSession) -> bool:
    """The lab, or an engine inside, is known to have died; False where it was over already."""
    logger.warning("Lab %s of exercise %s has died", row.pk, row.exercise_id)
    return labs.fail_lab(lab=row, reason=LabReason.GONE)


def end_lost_proofs() -> bool:
    """End proofs' labs whose command never did, with their containers; whether there was any."""
    over = LabSession.objects.slim().live().filter(origin=Origin.PROOF, expires_at__lt=timezone.now())
    lost = list(over)
    for row in lost:
        lab_of(row).end()
        values = {"state": LabState.ENDED, "reason": LabReason.HARD, "ended_at": timezone.now(), "container": ""}
        labs.change_lab(row.pk, when=LIVE_LABS, **values, **EMPTIED)
    return bool(lost)


def give_back_lost() -> bool:
    """Labs whose preparer is gone: learners' wait again with their old turn, a proof's has failed; whether any."""
    now = timezone.now()
    lost = list(LabSession.objects.slim().filter(state=LabState.PLACED, lease_until__lt=now))
    for row in lost:
        if row.container:
            try:
                lab_of(row).end()
            except SandboxError as error:
                logger.warning("Lab %s is left to the reaper: %s", row.pk, error)
        rows = LabSession.objects.filter(pk=row.pk, state=LabState.PLACED, worker=row.worker, lease_until__lt=now)
        if row.origin == Origin.LEARNER:
            rows.update(state=LabState.REQUESTED, container="", worker="", lease_until=None, placed_at=None)
        else:
            rows.update(state=LabState.FAILED, container="", reason=LabReason.INTERNAL, failed_at=now)
        notify.lab_changed(row.pk)
    return bool(lost)
