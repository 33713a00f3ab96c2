"""Handed in, graded, broken, tried again."""

from __future__ import annotations

import datetime
import uuid

import pytest
from django.utils import timezone

from lessons import notify, queue
from lessons.contracts import CheckResult, Grade, Status, Verdict
from lessons.models import BrokenReason, Draft, Origin, Submission
from lessons.services import dispatch, submissions
from tests.factories import make_exercise, make_learner, make_submission

pytestmark = pytest.mark.django_db

GRADE = Grade(Verdict.PASS, 1.0, (CheckResult("adds", "더하기", True, found="7\0"),))


@pytest.fixture
def enqueued(monkeypatch) -> list:
    ids: list = []
    monkeypatch.setattr(dispatch, "enqueue", ids.append)
    return ids


def submit(learner, exercise, **options) -> Submission:
    return submissions.submit_answer(learner=learner, exercise=exercise, files={"main.py": "print(1)"}, **options)


def running(**fields) -> Submission:
    return make_submission(
        status=Status.RUNNING, attempt=1, worker="w", lease_until=timezone.now() + datetime.timedelta(60), **fields
    )


def record(row: Submission, *, attempt: int = 1, grade: Grade | None = GRADE) -> bool:
    return submissions.record_grade(
        submission_id=row.pk,
        attempt=attempt,
        grade=grade,
        evidence_rows=[{"probe": "small", "stdout": "7\0"}],
        timings={"total": 5},
        cpu_ms=3,
        peak_mb=1.5,
    )


def test_submit_answer_queues_a_row_and_wakes_the_dispatcher(enqueued, django_capture_on_commit_callbacks):
    learner, exercise = make_learner(), make_exercise()
    with django_capture_on_commit_callbacks(execute=True):
        row = submit(learner, exercise)
    row.refresh_from_db()
    assert (row.status, row.revision, row.files, row.graded) == (
        Status.QUEUED,
        exercise.revision,
        {"main.py": "print(1)"},
        True,
    )
    assert enqueued == [row.pk]


def test_submit_answer_costs_few_queries(enqueued, django_assert_max_num_queries):
    learner, exercise = make_learner(), make_exercise()
    with django_assert_max_num_queries(5):  # savepoint, token, limits, insert, release
        submit(learner, exercise, token="t")


def test_submit_answer_draws_another_seed_each_time(enqueued):
    learner, exercise = make_learner(), make_exercise()
    assert submit(learner, exercise).seed != submit(learner, exercise).seed


def test_submit_answer_of_a_double_click_lands_once(enqueued):
    learner, exercise = make_learner(), make_exercise()
    first = submit(learner, exercise, token="form-1")
    assert submit(learner, exercise, token="form-1") == first
    assert submit(learner, exercise, token="form-2") != first
    assert Submission.objects.count() == 2


def test_submit_answer_of_a_double_click_lands_once_when_both_looked_first(enqueued, monkeypatch):
    learner, exercise = make_learner(), make_exercise()
    first = submit(learner, exercise, token="form-1")
    look = submissions._with_token
    looks = iter([lambda row: None, look])  # the first look comes before the other tab's insert
    monkeypatch.setattr(submissions, "_with_token", lambda row: next(looks)(row))
    assert submit(learner, exercise, token="form-1") == first


def test_submit_answer_of_a_known_token_passes_over_the_limits(enqueued, settings):
    settings.OPEN_SUBMISSIONS_PER_LEARNER = 1
    learner, exercise = make_learner(), make_exercise()
    first = submit(learner, exercise, token="form-1")
    assert submit(learner, exercise, token="form-1") == first


def test_submit_answer_refuses_a_learner_with_too_many_open(enqueued, settings):
    settings.OPEN_SUBMISSIONS_PER_LEARNER = 2
    learner, exercise = make_learner(), make_exercise()
    submit(learner, exercise)
    submit(learner, exercise)
    with pytest.raises(submissions.TooManyOpen) as refusal:
        submit(learner, exercise)
    assert refusal.value.limit == 2
    assert submit(make_learner(), exercise).status == Status.QUEUED


def test_submit_answer_refuses_a_learner_who_is_too_fast(enqueued, settings):
    settings.SUBMISSIONS_PER_MINUTE = 2
    learner, exercise = make_learner(), make_exercise()
    for _ in range(2):
        make_submission(learner, exercise, status=Status.FINISHED)
    with pytest.raises(submissions.TooFast):
        submit(learner, exercise)
    Submission.objects.update(queued_at=timezone.now() - datetime.timedelta(seconds=61))
    assert submit(learner, exercise).status == Status.QUEUED


def test_submit_answer_of_a_proof_has_no_limits_and_wakes_nobody(
    enqueued, settings, django_capture_on_commit_callbacks
):
    settings.OPEN_SUBMISSIONS_PER_LEARNER = settings.SUBMISSIONS_PER_MINUTE = 1
    learner, exercise = make_learner(), make_exercise()
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(3):
            submit(learner, exercise, origin=Origin.PROOF)
    assert enqueued == []


def test_submit_answer_to_an_archived_exercise_is_refused(enqueued):
    exercise = make_exercise(archived=True)
    with pytest.raises(submissions.NotOpen):
        submit(make_learner(), exercise)


def test_record_grade_finishes_the_row_and_wakes_who_waits():
    row = running()
    assert record(row) is True
    row.refresh_from_db()
    assert (row.status, row.verdict, row.score, row.cpu_ms, row.peak_mb) == ("finished", "pass", 1.0, 3, 1.5)
    assert row.result["checks"][0]["id"] == "adds"
    assert row.result["timings"] == {"total": 5}
    assert row.lease_until is None
    assert row.finished_at is not None
    assert notify.wait_for(row.pk, 0) is True


def test_record_grade_stores_nul_as_its_picture():
    row = running()
    record(row)
    row.refresh_from_db()
    assert (row.result["checks"][0]["found"], row.result["output"][0]["stdout"]) == ("7␀", "7␀")


def test_record_grade_of_a_try_has_no_verdict():
    row = running(graded=False)
    assert record(row, grade=None) is True
    row.refresh_from_db()
    assert (row.status, row.verdict, row.score, row.result["checks"]) == ("finished", "", None, [])


def test_record_grade_twice_changes_nothing():
    row = running()
    record(row)
    row.refresh_from_db()
    failed = Grade(Verdict.FAIL, 0.0, ())
    assert record(row, grade=failed) is False
    again = Submission.objects.get(pk=row.pk)
    assert (again.verdict, again.finished_at) == (Verdict.PASS, row.finished_at)


def test_record_grade_of_an_earlier_claim_is_dropped():
    row = running()
    Submission.objects.filter(pk=row.pk).update(attempt=2)
    assert record(row, attempt=1) is False
    row.refresh_from_db()
    assert row.status == Status.RUNNING


def test_record_grade_of_a_missing_row_is_dropped():
    assert record(Submission(pk=uuid.uuid4())) is False


def test_record_broken_costs_no_attempt_and_is_tried_again():
    row = running()
    before = timezone.now()
    assert submissions.record_broken(submission_id=row.pk, attempt=1, reason=BrokenReason.ENGINE) is True
    row.refresh_from_db()
    assert (row.status, row.verdict, row.broken_count, row.broken_reason) == ("broken", "", 1, "engine")
    assert row.retry_at > before
    assert Submission.objects.attempts().count() == 0


def test_record_broken_waits_longer_each_time_but_never_gives_up():
    waits = []
    for count in (0, 2, 100):
        row = running(broken_count=count)
        submissions.record_broken(submission_id=row.pk, attempt=1, reason=BrokenReason.ENGINE)
        row.refresh_from_db()
        waits.append(round((row.retry_at - row.finished_at).total_seconds()))
    assert waits == [1, 4, 15]


def test_record_broken_by_the_exercise_itself_is_retried_slowly():
    row = running(broken_count=9)
    submissions.record_broken(submission_id=row.pk, attempt=1, reason=BrokenReason.CONTENT)
    row.refresh_from_db()
    assert round((row.retry_at - row.finished_at).total_seconds()) == 300


def test_record_broken_of_a_finished_or_missing_row_is_dropped():
    row = running()
    record(row)
    assert submissions.record_broken(submission_id=row.pk, attempt=1, reason=BrokenReason.ENGINE) is False
    assert submissions.record_broken(submission_id=uuid.uuid4(), attempt=1, reason=BrokenReason.ENGINE) is False
    row.refresh_from_db()
    assert row.status == Status.FINISHED


def test_retry_submission_queues_a_broken_row_at_once_with_its_seed(enqueued):
    row = make_submission(
        status=Status.BROKEN, retry_at=timezone.now() + datetime.timedelta(hours=1), broken_reason="engine"
    )
    assert submissions.retry_submission(submission=row) is True
    assert enqueued == [row.pk]
    taken = queue.claim(worker="w", cap=1)
    assert (taken.pk, taken.seed) == (row.pk, row.seed)


def test_retry_submission_twice_queues_once(enqueued):
    row = make_submission(status=Status.BROKEN)
    assert submissions.retry_submission(submission=row) is True
    assert submissions.retry_submission(submission=row) is False
    assert enqueued == [row.pk]


def test_save_draft_keeps_one_draft_of_an_exercise():
    learner, exercise = make_learner(), make_exercise()
    submissions.save_draft(learner=learner, exercise=exercise, files={"main.py": "1"}, stdin="")
    submissions.save_draft(learner=learner, exercise=exercise, files={"main.py": "2"}, stdin="3 4")
    assert list(Draft.objects.values_list("files", "stdin")) == [({"main.py": "2"}, "3 4")]
