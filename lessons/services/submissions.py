"""What happens to a submission: handed in, graded, broken, tried again."""

from __future__ import annotations

import datetime
import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Count, Q
from django.utils import timezone

from lessons import notify
from lessons.contracts import Grade, Kind, Status
from lessons.models import BrokenReason, Draft, Exercise, LabSession, Origin, Submission, SubmissionQuerySet, User
from lessons.services import dispatch
from lessons.services.labs import touch_lab

logger = logging.getLogger(__name__)

# Seconds until a broken submission is tried again by itself; the last one repeats for as long as it takes.
RETRY_AFTER = (1.0, 2.0, 4.0, 8.0, 15.0)
# An exercise or a portal that is at fault does not heal in seconds.
RETRY_SLOWLY_AFTER = (5.0, 60.0, 300.0)


class SubmissionRefused(Exception):
    """An answer that is not taken now; nothing was stored and no attempt is lost."""


class TooManyOpen(SubmissionRefused):
    """The learner already has ``limit`` submissions that are not graded yet."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit


class TooFast(SubmissionRefused):
    """The learner handed in ``limit`` answers within the last minute."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit


class NotOpen(SubmissionRefused):
    """The exercise is archived, or has no revision to grade against."""


class LabNeeded(SubmissionRefused):
    """A lab is graded while it can be used: the learner has none of this exercise that is ready."""


def submit_answer(
    *,
    learner: User,
    exercise: Exercise,
    files: Mapping[str, str],
    graded: bool = True,
    stdin: str = "",
    token: str = "",
    origin: str = Origin.LEARNER,
    lab: LabSession | None = None,
) -> Submission:
    """Store an answer as a waiting submission and wake the dispatcher.

    ``files`` is what ``answers.clean_answer`` returned. Of a lab exercise the learner's own lab is graded, unless
    ``lab`` names another, by the revision that set it up. A ``token`` that came before (double click,
    reload) returns the submission it made. Raises SubmissionRefused for a learner over a limit;
    proofs have none.
    """
    if exercise.revision_id is None or (exercise.archived and origin == Origin.LEARNER):
        raise NotOpen
    if exercise.kind == Kind.LAB:
        lab = _usable_lab(learner, exercise, lab)
    row = Submission(
        learner=learner,
        exercise=exercise,
        revision_id=lab.revision_id if lab else exercise.revision_id,
        lab=lab,
        origin=origin,
        graded=graded,
        files=dict(files),
        stdin=stdin,
        token=token,
        seed=secrets.randbits(62),
    )
    try:
        with transaction.atomic():
            earlier = _with_token(row)
            if earlier is not None:
                return earlier
            if origin == Origin.LEARNER:
                _refuse_over_limits(learner)
            row.save(force_insert=True)
            if origin == Origin.LEARNER:
                transaction.on_commit(lambda: dispatch.enqueue(row.pk))
    except IntegrityError:  # the other tab was faster between the look and the insert (PostgreSQL)
        earlier = _with_token(row)
        if earlier is None:
            raise
        return earlier
    return row


def record_grade(
    *,
    submission_id: UUID,
    attempt: int,
    grade: Grade | None,
    evidence_rows: Sequence[Mapping[str, Any]],
    timings: Mapping[str, int],
    cpu_ms: int | None,
    peak_mb: float | None,
) -> bool:
    """Finish the submission; False where the result came late (another claim, already finished, gone).

    ``grade`` is None for 실행, which has no verdict. ``cpu_ms`` in milliseconds, ``peak_mb`` in MiB.
    """
    result = {
        "checks": [asdict(check) for check in grade.checks] if grade else [],
        "output": list(evidence_rows),
        "timings": dict(timings),
    }
    landed = _running(submission_id, attempt).update(
        status=Status.FINISHED,
        verdict=grade.verdict if grade else "",
        score=grade.score if grade else None,
        result=_storable(result),
        cpu_ms=cpu_ms,
        peak_mb=peak_mb,
        broken_reason="",
        worker="",
        lease_until=None,
        finished_at=timezone.now(),
    )
    return _landed(submission_id, attempt, landed)


def record_broken(*, submission_id: UUID, attempt: int, reason: BrokenReason) -> bool:
    """Say that grading failed through no fault of the learner; it is tried again by itself.

    Costs no attempt, and has no last try: whenever the cause is gone, the submission is graded. Only a lab that has
    ended does not come back: the learner grades another one.
    False where the news came late, as in ``record_grade``.
    """
    counts = _running(submission_id, attempt).values_list("broken_count", flat=True)
    count = counts.first()
    if count is None:
        return _landed(submission_id, attempt, 0)
    slowly = reason in (BrokenReason.CONTENT, BrokenReason.INTERNAL)
    steps = RETRY_SLOWLY_AFTER if slowly else RETRY_AFTER
    landed = _running(submission_id, attempt).update(
        status=Status.BROKEN,
        broken_count=min(count + 1, 30_000),
        broken_reason=reason,
        retry_at=None if reason == BrokenReason.LAB else _later(steps[min(count, len(steps) - 1)]),
        worker="",
        lease_until=None,
        finished_at=timezone.now(),
    )
    return _landed(submission_id, attempt, landed)


def retry_submission(*, submission: Submission) -> bool:
    """Queue a broken submission at once, with its seed; False if it was not broken any more, or its lab has ended."""
    broken = Submission.objects.filter(pk=submission.pk, status=Status.BROKEN).exclude(broken_reason=BrokenReason.LAB)
    queued = broken.update(status=Status.QUEUED, retry_at=None, finished_at=None)
    if queued:
        notify.forget(submission.pk)
        dispatch.enqueue(submission.pk)
    return bool(queued)


def save_draft(*, learner: User, exercise: Exercise, files: Mapping[str, str], stdin: str) -> Draft:
    """Keep what stands in the learner's editor; one draft an exercise."""
    draft, _ = Draft.objects.update_or_create(
        learner=learner, exercise=exercise, defaults={"files": dict(files), "stdin": stdin}
    )
    return draft


def _usable_lab(learner: User, exercise: Exercise, lab: LabSession | None) -> LabSession:
    """The lab to be graded; grading counts as use of it. Raises LabNeeded."""
    rows = LabSession.objects.slim().live()
    own = rows.filter(learner=learner, exercise=exercise, origin=Origin.LEARNER)
    found = (own if lab is None else rows.filter(pk=lab.pk)).first()
    if found is None:
        raise LabNeeded
    touch_lab(lab=found, used=True)
    return found


def _with_token(row: Submission) -> Submission | None:
    if not row.token:
        return None
    return Submission.objects.filter(learner=row.learner, exercise=row.exercise, token=row.token).first()


def _refuse_over_limits(learner: User) -> None:
    recent = Q(queued_at__gt=timezone.now() - datetime.timedelta(minutes=1))
    unfinished = Q(status__in=[Status.QUEUED, Status.RUNNING])
    counts = learner.submissions.filter(recent | unfinished, origin=Origin.LEARNER).aggregate(
        open=Count("pk", filter=unfinished), recent=Count("pk", filter=recent)
    )
    if counts["open"] >= settings.OPEN_SUBMISSIONS_PER_LEARNER:
        raise TooManyOpen(settings.OPEN_SUBMISSIONS_PER_LEARNER)
    if counts["recent"] >= settings.SUBMISSIONS_PER_MINUTE:
        raise TooFast(settings.SUBMISSIONS_PER_MINUTE)


def _later(seconds: float) -> datetime.datetime:
    return timezone.now() + datetime.timedelta(seconds=seconds)


def _running(submission_id: UUID, attempt: int) -> SubmissionQuerySet:
    return Submission.objects.filter(pk=submission_id, status=Status.RUNNING, attempt=attempt)


def _landed(submission_id: UUID, attempt: int, rows: int) -> bool:
    if not rows:
        logger.info("Late result dropped: submission %s, attempt %d", submission_id, attempt)
        return False
    notify.submission_changed(submission_id)
    return True


def _storable(value: Any) -> Any:
    """The same with NUL as its picture: PostgreSQL stores no NUL, and no page could show one."""
    if isinstance(value, str):
        return value.replace("\0", "␀")
    if isinstance(value, dict):
        return {key: _storable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_storable(item) for item in value]
    return value
