"""Grading what a learner did in a lab."""

from __future__ import annotations

import datetime

import pytest
from django.utils import timezone

from lessons import queue
from lessons.contracts import Place
from lessons.models import KeptHome, LabSession, Submission
from lessons.sandbox import EngineUnavailableError, LabTooLargeError
from lessons.services import grading, watching
from lessons.services.lab_events import compact, record_events
from lessons.services.lab_homes import QUICK_SAVE_SECONDS
from lessons.services.lab_use import alone_with
from lessons.services.submissions import LabNeeded, retry_submission, submit_answer
from tests.factories import LAB_FILES, make_exercise, make_lab, make_lab_exercise, make_learner
from tests.services.labs import die_event, opened

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def quick(monkeypatch) -> None:
    """Waits take no time."""
    monkeypatch.setattr(grading, "pause", lambda seconds: None)
    monkeypatch.setattr(watching, "QUIET_SECONDS", 0.0)


def hand_in(row: LabSession) -> Submission:
    return submit_answer(learner=row.learner, exercise=row.exercise, files={})


def graded(submission: Submission) -> Submission:
    claimed = queue.claim(worker="w", cap=10)
    assert claimed is not None
    grading.grade_submission(claimed)
    submission.refresh_from_db()
    return submission


def passed(submission: Submission) -> dict[str, bool]:
    return {check["id"]: check["passed"] for check in submission.result["checks"]}


def died(row: LabSession) -> None:
    record_events(row.pk, [compact({"host": "", "event": die_event()})])


def test_lab_that_is_as_wanted_passes(docker):
    row = opened()
    docker.running = True
    died(row)
    done = graded(hand_in(row))
    assert (done.status, done.verdict, done.lab_id) == ("finished", "pass", row.pk)
    assert passed(done) == {"runs": True, "died": True, "note": True}
    assert {"plan", "collect", "judge", "total"} <= set(done.result["timings"])


def test_untouched_lab_fails_and_says_why(docker):
    done = graded(hand_in(opened()))
    assert (done.verdict, passed(done)["runs"]) == ("fail", False)
    assert done.result["checks"][0]["message"] == "web을 켜요."


def test_lab_that_is_not_ready_is_not_graded(docker):
    exercise, learner = make_lab_exercise(), make_learner()
    for state in ("requested", "ended"):
        make_lab(learner, exercise, state=state)
        with pytest.raises(LabNeeded):
            submit_answer(learner=learner, exercise=exercise, files={})
    assert not Submission.objects.exists()


def test_lab_of_somebody_else_is_not_graded(docker):
    row = opened()
    with pytest.raises(LabNeeded):
        submit_answer(learner=make_learner(), exercise=row.exercise, files={})


def test_grading_uses_the_revision_that_set_the_lab_up(docker):
    row = opened()
    type(row.exercise).objects.update(revision=make_exercise().revision)
    row.exercise.refresh_from_db()
    assert hand_in(row).revision_id == row.revision_id


def test_paused_lab_goes_on_for_grading(docker):
    row = opened()
    docker.lab_of(row).pause()
    LabSession.objects.update(state="idle")
    done = graded(hand_in(row))
    row.refresh_from_db()
    assert (done.status, row.state, docker.lab_of(row).paused) == ("finished", "ready", False)


def test_grading_latches_and_keeps_the_home(docker):
    row = opened()
    died(row)
    graded(hand_in(row))
    row.refresh_from_db()
    assert list(row.latched) == ["died"]
    assert bytes(KeptHome.objects.get(learner=row.learner, exercise=row.exercise).data) == b"saved"
    LabSession.objects.update(events=[])
    assert passed(graded(hand_in(row)))["died"] is True


def test_nobody_puts_the_lab_back_before_what_was_graded_is_kept(docker, monkeypatch):
    row = opened()
    alone: list[bool] = []

    def look(*args, **kwargs):
        with alone_with(row.pk) as free:
            alone.append(free)

    for name in ("record_grade", "latch", "keep_home"):
        monkeypatch.setattr(grading, name, look)
    graded(hand_in(row))
    with alone_with(row.pk) as free:
        assert (alone, free) == ([False, False, False], True)


def test_save_that_a_learner_waits_for_is_short(docker):
    row = opened()
    graded(hand_in(row))
    assert 15 < docker.lab_of(row).save_seconds[0] <= QUICK_SAVE_SECONDS


def test_lab_that_ended_breaks_the_submission_and_is_not_tried_again(docker):
    row = opened()
    submission = hand_in(row)
    LabSession.objects.update(state="ended")
    done = graded(submission)
    assert (done.status, done.broken_reason, done.retry_at) == ("broken", "lab", None)
    assert "새로 시작해" in done.get_broken_reason_display()
    assert queue.requeue_expired() == 0
    assert retry_submission(submission=done) is False


def test_lab_that_dies_while_it_is_graded_breaks_the_submission(docker):
    row = opened()
    submission = hand_in(row)
    docker.lab_of(row).kill()
    assert graded(submission).broken_reason == "lab"
    row.refresh_from_db()
    assert (row.state, row.reason) == ("failed", "gone")


def test_what_was_graded_before_the_lab_died_stays(docker):
    row = opened()
    first = graded(hand_in(row))
    docker.lab_of(row).kill()
    graded(hand_in(row))
    first.refresh_from_db()
    assert first.status == "finished"
    assert KeptHome.objects.count() == 1


def test_engine_that_is_away_is_tried_again_in_the_same_lab(docker):
    row = opened()
    docker.down = EngineUnavailableError("down")
    done = graded(hand_in(row))
    assert (done.status, done.broken_reason) == ("broken", "engine")
    docker.down, docker.running = None, True
    Submission.objects.update(retry_at=timezone.now() - datetime.timedelta(seconds=1))
    assert queue.requeue_expired() == 1
    assert passed(graded(done))["runs"] is True


def test_lab_that_says_too_much_is_no_verdict(docker):
    docker.down = None
    row = opened()
    docker.down = LabTooLargeError("too much")
    assert graded(hand_in(row)).broken_reason == "internal"


def test_check_within_seconds_is_asked_again_until_it_holds(docker, monkeypatch):
    files = dict(LAB_FILES)
    files["exercise.yaml"] = files["exercise.yaml"].replace("equals: true,", "equals: true, within: 5,")
    row = opened(exercise=make_exercise(files=files))
    died(row)
    looks = []

    def come_up(seconds: float) -> None:
        looks.append(seconds)
        docker.running = len(looks) >= 3

    monkeypatch.setattr(grading, "pause", come_up)
    done = graded(hand_in(row))
    assert done.verdict == "pass"
    assert len(looks) == 3
    assert all(0.5 <= seconds <= 2 for seconds in looks)


def test_variables_per_attempt_are_drawn_anew_in_the_same_lab(docker):
    row = opened()
    first, second = graded(hand_in(row)), graded(hand_in(row))
    plans = [plan for _, plan in docker.collected if plan.asks and "web" in plan.asks]
    assert first.seed != second.seed
    assert plans[0].variables["n"] == plans[-1].variables["n"]
    assert all(ask.place in (Place.LAB, Place.RECORD) for ask in plans[0].asks.values())


def test_exercise_without_a_lab_needs_none(sandbox):
    exercise = make_exercise()
    submission = submit_answer(learner=make_learner(), exercise=exercise, files={"main.py": "print(7)\n"})
    assert submission.lab is None
    assert graded(submission).status == "finished"
