"""What a learner may do with a lab: ask for one, use it, prolong it, end it, begin anew.

Nothing here waits for a container: rows change by compare and set, ``lab_keeper`` does the rest.
"""

from __future__ import annotations

import datetime
import secrets
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from lessons import notify
from lessons.contracts import ExerciseSpec, Kind, LabShape
from lessons.models import (
    LIVE_LABS,
    OPEN_LABS,
    Exercise,
    LabReason,
    LabSession,
    LabState,
    Origin,
    Revision,
    User,
)
from lessons.sandbox import Progress
from lessons.services import lab_wakes
from lessons.services.sandboxes import current_sandbox

TOUCH_SECONDS = 15.0  # a lab that is seen all the time is written down no more often
USE_SECONDS = 5.0
SETTLING_FIELDS = (
    "state",
    "reason",
    "placed_at",
    "ready_at",
    "ended_at",
    "failed_at",
    "expires_at",
    "seen_at",
    "used_at",
)
AWAY_SECONDS = 60.0  # who comes back after so long wants to see how it stands now


class LabRefused(Exception):
    """A lab that is not given now."""


class NotAllowed(LabRefused):
    """Guests have labs only while the portal is open to this machine alone."""


class NotOpen(LabRefused):
    """The exercise is archived or no lab exercise, or the lab is over."""


class OneIsOpen(LabRefused):
    """The learner's other lab must be ended first."""

    def __init__(self, lab: LabSession) -> None:
        super().__init__(lab)
        self.lab = lab


class EnvironmentNotReady(LabRefused):
    """Its image is still being built, or failed to; ``progress`` says how far."""

    def __init__(self, progress: Progress) -> None:
        super().__init__(progress)
        self.progress = progress


class NoExtensionLeft(LabRefused):
    """It was extended as often as may be."""


def request_lab(
    *,
    learner: User,
    exercise: Exercise,
    origin: str = Origin.LEARNER,
    front: datetime.datetime | None = None,
    keeps_home: bool = True,
    instead: bool = False,
) -> LabSession:
    """The learner's open lab of the exercise, else a new one in the queue (state requested).

    ``front``: since when it has waited already; ``keeps_home``: whether what was kept is put in; ``instead``: end the
    learner's labs of other exercises, once nothing refuses this one. Raises LabRefused, and SandboxError where the
    engine does not say how its images are.
    """
    revision = _openable(learner, exercise, origin)
    shape = shape_of(revision.spec)
    if instead:
        for other in LabSession.objects.slim().open().filter(learner=learner, origin=origin):
            if other.exercise_id != exercise.pk:
                end_lab(lab=other)
    row = LabSession(
        learner=learner,
        exercise=exercise,
        revision=revision,
        origin=origin,
        seed=secrets.randbits(62),
        shape={"environment": shape.environment, "engines": list(shape.engines), "memory_mb": shape.memory_mb},
        memory_mb=shape.memory_mb,
        keeps_home=keeps_home,
        requested_at=front or timezone.now(),
    )
    try:
        with transaction.atomic():
            User.objects.select_for_update().get(pk=learner.pk)  # two clicks, one after the other
            if origin == Origin.LEARNER:
                mine = list(LabSession.objects.slim().open().filter(learner=learner, origin=origin))
                same = next((lab for lab in mine if lab.exercise_id == exercise.pk), None)
                if same is not None:
                    return same
                if len(mine) >= settings.LABS_PER_LEARNER:
                    raise OneIsOpen(mine[0])
            row.save(force_insert=True)
    except IntegrityError:  # the other tab was faster
        return LabSession.objects.slim().open().get(learner=learner, exercise=exercise, origin=origin)
    if origin == Origin.LEARNER:
        lab_wakes.wake()
    return row


def _openable(learner: User, exercise: Exercise, origin: str) -> Revision:
    """What a lab of the exercise would be made from. Raises where none can be given, whatever labs there are."""
    revision = exercise.revision
    if revision is None or (exercise.archived and origin == Origin.LEARNER):
        raise NotOpen
    spec = revision.spec
    if spec.kind != Kind.LAB:
        raise NotOpen
    if learner.is_guest and not settings.LOOPBACK_ONLY:
        raise NotAllowed
    progress = current_sandbox().progress(spec.environment)
    if progress.state != "ready":
        raise EnvironmentNotReady(progress)
    return revision


def shape_of(spec: ExerciseSpec) -> LabShape:
    """What a lab of this exercise is made from."""
    return LabShape(environment=spec.environment, engines=spec.engines, memory_mb=spec.limits.memory_mb)


def touch_lab(*, lab: LabSession, used: bool = False) -> None:
    """A page or terminal of the lab is there now. ``used``: somebody typed, attached or opened it, which wakes it.

    Cheap enough to be called for each key: written down every few seconds only.
    """
    now = timezone.now()
    values: dict[str, Any] = {}
    back = used and (lab.seen_at is None or (now - lab.seen_at).total_seconds() >= AWAY_SECONDS)
    if lab.seen_at is None or (now - lab.seen_at).total_seconds() >= TOUCH_SECONDS:
        values["seen_at"] = now
    if used and (lab.used_at is None or (now - lab.used_at).total_seconds() >= USE_SECONDS):
        values["used_at"] = values["seen_at"] = now
        values["warned_at"] = None if _hard_is_far(lab, now) else lab.warned_at
    if not values:
        return
    rows = LabSession.objects.filter(pk=lab.pk)
    rows.filter(state__in=OPEN_LABS).update(**values)
    for name, value in values.items():
        setattr(lab, name, value)
    if used and (back or rows.filter(state=LabState.IDLE).exists()):
        lab_wakes.wake(lab.pk)


def wait_until_settled(*, lab: LabSession, seconds: float) -> None:
    """Wait a moment for a lab that is being opened to be ready or to have failed; ``lab`` is as the row is then."""

    def settled() -> bool:
        lab.refresh_from_db(fields=SETTLING_FIELDS)
        return lab.state not in (LabState.REQUESTED, LabState.PLACED)

    if lab_wakes.is_heard():  # where no keeper runs, nothing would come to wait for
        notify.wait_for_lab(lab.pk, seconds, settled)


def _hard_is_far(lab: LabSession, now: datetime.datetime) -> bool:
    soon = now + datetime.timedelta(minutes=settings.LAB_WARN_MINUTES)
    return lab.expires_at is not None and lab.expires_at > soon


def extend_lab(*, lab: LabSession) -> LabSession:
    """Move the hard limit by LAB_EXTEND_MINUTES. Raises NoExtensionLeft, or NotOpen where it cannot be used."""
    extended = LabSession.objects.filter(
        pk=lab.pk, state__in=LIVE_LABS, extensions__lt=settings.LAB_EXTENSIONS, extensions=lab.extensions
    ).update(
        extensions=F("extensions") + 1,
        expires_at=(lab.expires_at or timezone.now()) + datetime.timedelta(minutes=settings.LAB_EXTEND_MINUTES),
        warned_at=None,
    )
    lab.refresh_from_db()
    if not extended and not lab.is_live:
        raise NotOpen
    if not extended and not lab.extensions_left:
        raise NoExtensionLeft
    notify.lab_changed(lab.pk)
    return lab


def end_lab(*, lab: LabSession, reason: str = LabReason.LEARNER) -> None:
    """End it now; its files are kept and its container goes a moment later. One that is over stays as it is."""
    if change_lab(lab.pk, when=OPEN_LABS, state=LabState.ENDED, reason=reason, ended_at=timezone.now()):
        lab_wakes.wake()
    lab.refresh_from_db()


def fail_lab(*, lab: LabSession, reason: str) -> bool:
    """It cannot be used any more, through no fault of the learner; False where it was over already."""
    failed = change_lab(lab.pk, when=OPEN_LABS, state=LabState.FAILED, reason=reason, failed_at=timezone.now())
    if failed:
        lab_wakes.wake()
    return failed


def reset_lab(*, lab: LabSession) -> LabSession:
    """처음 상태로: another lab, without what was kept and before everybody who waits.

    Raises as ``request_lab``; then the lab goes on.
    """
    _openable(lab.learner, lab.exercise, lab.origin)
    end_lab(lab=lab, reason=LabReason.RESET)
    return request_lab(
        learner=lab.learner, exercise=lab.exercise, origin=lab.origin, front=lab.requested_at, keeps_home=False
    )


def place_of(lab: LabSession) -> int:
    """The place in the queue of a lab that waits, from 1; 0 once it does not wait."""
    if lab.state != LabState.REQUESTED:
        return 0
    waiting = LabSession.objects.filter(state=LabState.REQUESTED, origin=lab.origin)
    return waiting.filter(requested_at__lt=lab.requested_at).count() + 1


def change_lab(lab_id: UUID, *, when: tuple[str, ...], **values: Any) -> bool:
    """Compare and set: change the row if its state is one of ``when``; tells who follows it. Whether it was."""
    changed = LabSession.objects.filter(pk=lab_id, state__in=when).update(**values)
    if changed:
        notify.lab_changed(lab_id)
    return bool(changed)
