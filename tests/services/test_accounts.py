"""Guests and their work."""

from __future__ import annotations

import datetime

import pytest
from django.utils import timezone

from lessons.models import Draft, KeptHome, KeptStep, Submission, User
from lessons.services.accounts import adopt_guest_work, create_guest, forget_idle_guests
from tests.factories import make_draft, make_exercise, make_guest, make_lab, make_learner, make_submission

pytestmark = pytest.mark.django_db


def test_create_guest_has_no_usable_password():
    guest = create_guest()
    assert guest.is_guest
    assert not guest.has_usable_password()
    assert create_guest().username != guest.username


def test_adopt_guest_work_moves_submissions_and_drafts_and_forgets_the_guest():
    guest, learner, exercise = create_guest(), make_learner(), make_exercise()
    row = make_submission(guest, exercise, token="form")
    make_draft(guest, exercise)
    adopt_guest_work(guest=guest, learner=learner)
    assert list(learner.submissions.values_list("pk", "token")) == [(row.pk, "form")]
    assert learner.drafts.count() == 1
    assert not User.objects.filter(pk=guest.pk).exists()


@pytest.mark.parametrize(("guest_is_newer", "kept"), [(True, "guest"), (False, "own")])
def test_adopt_guest_work_keeps_the_newer_draft(guest_is_newer, kept):
    guest, learner, exercise = create_guest(), make_learner(), make_exercise()
    make_draft(learner, exercise, files={"main.py": "own"})
    make_draft(guest, exercise, files={"main.py": "guest"})
    earlier = timezone.now() - datetime.timedelta(hours=1)
    Draft.objects.filter(learner=learner if guest_is_newer else guest).update(updated_at=earlier)
    adopt_guest_work(guest=guest, learner=learner)
    assert [draft.files for draft in Draft.objects.filter(learner=learner)] == [{"main.py": kept}]


def test_adopt_guest_work_keeps_both_submissions_of_one_token():
    guest, learner, exercise = create_guest(), make_learner(), make_exercise()
    make_submission(guest, exercise, token="same")
    make_submission(learner, exercise, token="same")
    adopt_guest_work(guest=guest, learner=learner)
    assert sorted(learner.submissions.values_list("token", flat=True)) == ["", "same"]


def test_adopt_guest_work_of_another_learner_changes_nothing():
    other, learner, exercise = make_learner(), make_learner(), make_exercise()
    make_submission(other, exercise)
    adopt_guest_work(guest=other, learner=learner)
    assert Submission.objects.get().learner == other


def test_forget_idle_guests_deletes_only_old_guests_who_left_nothing():
    now = timezone.now()
    old, recent = now - datetime.timedelta(days=8), now - datetime.timedelta(days=6)
    make_guest(last_login=old, date_joined=old)
    make_guest(date_joined=old)
    worked = make_guest(last_login=old, date_joined=old)
    make_submission(worked, make_exercise())
    drafting = make_guest(last_login=old, date_joined=old)
    make_draft(drafting, make_exercise())
    back = make_guest(last_login=recent, date_joined=old)
    new = make_guest(date_joined=recent)
    learner = make_learner(last_login=old, date_joined=old)
    assert forget_idle_guests() == 2
    left = {worked, drafting, back, new, learner}
    assert set(User.objects.filter(pk__in=[user.pk for user in left])) == left
    assert User.objects.filter(is_guest=True).count() == 4
    assert forget_idle_guests() == 0


def test_forget_idle_guests_takes_the_days():
    make_guest(last_login=timezone.now() - datetime.timedelta(days=2))
    assert forget_idle_guests(older_than_days=3) == 0
    assert forget_idle_guests(older_than_days=1) == 1


def test_adopt_guest_work_moves_a_lab_with_what_it_keeps():
    guest, learner = make_guest(), make_learner()
    lab = make_lab(guest)
    KeptHome.objects.create(learner=guest, exercise=lab.exercise, data=b"newer")
    KeptHome.objects.create(learner=learner, exercise=lab.exercise, data=b"older")
    KeptHome.objects.filter(learner=learner).update(updated_at=timezone.now() - datetime.timedelta(days=1))
    adopt_guest_work(guest=guest, learner=learner)
    lab.refresh_from_db()
    assert (lab.learner, lab.state) == (learner, "ready")
    assert [bytes(home.data) for home in KeptHome.objects.filter(learner=learner)] == [b"newer"]


def test_adopt_guest_work_keeps_the_newer_step_of_both():
    guest, learner = make_guest(), make_learner()
    lab, other = make_lab(guest), make_lab(guest)
    kept = {"check_id": "runs", "title": "실행 중", "seed": 7}
    now = timezone.now()
    for owner, exercise, data, at in (
        (guest, lab.exercise, b"guest's", now),
        (learner, lab.exercise, b"older", now - datetime.timedelta(days=1)),
        (guest, other.exercise, b"older", now - datetime.timedelta(days=1)),
        (learner, other.exercise, b"own", now),
    ):
        KeptStep.objects.create(learner=owner, exercise=exercise, data=data, at=at, **kept)
    adopt_guest_work(guest=guest, learner=learner)
    assert {bytes(step.data) for step in KeptStep.objects.filter(learner=learner)} == {b"guest's", b"own"}


def test_adopt_guest_work_ends_the_guests_lab_where_the_learner_has_one():
    guest, learner = make_guest(), make_learner()
    own, other = make_lab(learner), make_lab(guest)
    adopt_guest_work(guest=guest, learner=learner)
    own.refresh_from_db()
    other.refresh_from_db()
    assert (own.state, other.state, other.learner) == ("ready", "ended", learner)


def test_forget_idle_guests_keeps_who_has_a_lab():
    guest = make_guest(date_joined=timezone.now() - datetime.timedelta(days=30))
    make_lab(guest)
    assert forget_idle_guests() == 0
