"""Guests, and what becomes of their work."""

from __future__ import annotations

import datetime
import secrets
from typing import Any

from django.db import transaction
from django.db.models import Exists, Manager, OuterRef, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from lessons.models import Draft, KeptHome, KeptStep, LabSession, Origin, Submission, User
from lessons.services.labs import end_lab


def create_guest() -> User:
    """A learner without a name or a password, good for as long as the session lives."""
    guest = User(username=f"guest-{secrets.token_hex(8)}", is_guest=True)
    guest.set_unusable_password()
    guest.save(force_insert=True)
    return guest


@transaction.atomic
def adopt_guest_work(*, guest: User, learner: User) -> None:
    """Move a guest's submissions, drafts and labs to the learner who logged in, and forget the guest.

    Where both have a draft or kept files of an exercise, the newer ones stay; where both have a lab, the
    guest's ends. Nothing happens for who is no guest.
    """
    if not guest.is_guest or guest.pk == learner.pk:
        return
    _adopt_drafts(guest, learner)
    # A form's token tells a double click; after the move two rows might share one.
    work = Submission.objects.filter(learner=guest)
    tokens = learner.submissions.exclude(token="").values("token")
    work.filter(~Q(token=""), token__in=tokens).update(token="")
    work.update(learner=learner)
    _adopt_labs(guest, learner)
    guest.delete()


@transaction.atomic
def forget_idle_guests(*, older_than_days: int = 7) -> int:
    """Delete guests who left neither a submission, a draft nor a lab and came that long ago; how many there were."""
    guests = User.objects.filter(is_guest=True).annotate(came_at=Coalesce("last_login", "date_joined"))
    idle = guests.filter(
        ~Exists(Submission.objects.filter(learner=OuterRef("pk"))),
        ~Exists(Draft.objects.filter(learner=OuterRef("pk"))),
        ~Exists(LabSession.objects.filter(learner=OuterRef("pk"))),
        came_at__lt=timezone.now() - datetime.timedelta(days=older_than_days),
    )
    _, deleted = idle.delete()
    return deleted.get(User._meta.label, 0)


def _adopt_labs(guest: User, learner: User) -> None:
    if LabSession.objects.open().filter(learner=learner, origin=Origin.LEARNER).exists():
        for lab in LabSession.objects.slim().open().filter(learner=guest):
            end_lab(lab=lab)
    LabSession.objects.filter(learner=guest).update(learner=learner)
    _adopt_newer(KeptHome.objects, "updated_at", guest, learner)
    _adopt_newer(KeptStep.objects, "at", guest, learner)


def _adopt_newer(kept: Manager[Any], when: str, guest: User, learner: User) -> None:
    """One each of a learner and exercise: the guest's takes the place of what the learner kept before it."""
    own = dict(kept.filter(learner=learner).values_list("exercise", when))
    for pk, exercise, at in kept.filter(learner=guest).values_list("pk", "exercise", when):
        if exercise not in own or own[exercise] < at:
            kept.filter(learner=learner, exercise=exercise).delete()
            kept.filter(pk=pk).update(learner=learner)


def _adopt_drafts(guest: User, learner: User) -> None:
    own = {draft.exercise_id: draft for draft in Draft.objects.filter(learner=learner)}
    outdated: list[int] = []
    for draft in Draft.objects.filter(learner=guest):
        mine = own.get(draft.exercise_id)
        if mine is not None:
            outdated.append(mine.pk if mine.updated_at < draft.updated_at else draft.pk)
    Draft.objects.filter(pk__in=outdated).delete()
    Draft.objects.filter(learner=guest).update(learner=learner)
