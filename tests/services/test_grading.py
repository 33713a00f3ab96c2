"""From a claimed submission to its grade, and every way that may break."""

from __future__ import annotations

import datetime

import pytest
from django.utils import timezone

from lessons import graders, queue
from lessons.contracts import NeedMore, Plan, Status
from lessons.models import Submission
from lessons.sandbox import EngineFullError, EngineUnavailableError, EnvironmentMissingError
from lessons.services.grading import MOST_ROUNDS, grade_submission
from lessons.services.submissions import submit_answer
from tests.factories import (
    SUM_FILES,
    SUM_SOLUTION,
    SUM_STARTER,
    make_exercise,
    make_learner,
    make_quiz,
    make_revision,
    make_submission,
)

pytestmark = pytest.mark.django_db


def graded(row: Submission) -> Submission:
    """Claim what waits, grade it, and read the row again."""
    claimed = queue.claim(worker="w", cap=10)
    assert claimed is not None
    grade_submission(claimed)
    row.refresh_from_db()
    return row


def test_grade_submission_passes_the_solution(sandbox):
    row = graded(make_submission(files={"main.py": SUM_SOLUTION}))
    assert (row.status, row.verdict, row.score, row.broken_reason) == ("finished", "pass", 1.0, "")
    assert (row.cpu_ms, row.peak_mb) == (12, 8.5)
    assert [check["id"] for check in row.result["checks"]] == ["adds", "any", "clean"]
    assert {"plan", "collect", "judge", "total"} <= set(row.result["timings"])


def test_grade_submission_fails_a_wrong_answer_and_says_why(sandbox):
    row = graded(make_submission(files={"main.py": SUM_STARTER}))
    assert (row.status, row.verdict) == ("finished", "fail")
    adds = row.result["checks"][0]
    assert (adds["passed"], adds["message"]) == (False, "7이 나와야 하는데 3이 나왔어요.")


def test_grade_submission_shows_nothing_of_a_hidden_probe(sandbox):
    row = graded(make_submission(files={"main.py": SUM_SOLUTION}))
    hidden = [output for output in row.result["output"] if output["probe"] == "drawn"]
    assert all(not output.get("stdin") and not output.get("stdout") for output in hidden)


def test_grade_submission_of_a_try_has_output_and_no_verdict(sandbox):
    row = graded(make_submission(graded=False, stdin="20 30\n"))
    assert (row.status, row.verdict, row.score, row.result["checks"]) == ("finished", "", None, [])
    assert [output["stdout"] for output in row.result["output"]] == ["50\n"]


def test_grade_submission_of_a_quiz_needs_no_sandbox(sandbox):
    sandbox.down = EngineUnavailableError("down")
    answer = "what: [컨테이너]\nword: tag\nsteps: [build, push, run]\n"
    row = graded(make_submission(exercise=make_quiz(), files={"answer.yaml": answer}))
    assert (row.status, row.verdict) == ("finished", "pass")


@pytest.mark.parametrize(
    ("error", "reason"),
    [(EngineUnavailableError, "engine"), (EnvironmentMissingError, "environment"), (EngineFullError, "disk")],
)
def test_grade_submission_without_an_engine_is_broken_and_later_graded(sandbox, error, reason):
    sandbox.down = error("no container")
    row = graded(make_submission())
    assert (row.status, row.verdict, row.broken_reason, row.broken_count) == ("broken", "", reason, 1)
    assert queue.claim(worker="w", cap=10) is None

    sandbox.down = None
    Submission.objects.update(retry_at=timezone.now() - datetime.timedelta(seconds=1))
    assert queue.requeue_expired() == 1
    row = graded(row)
    assert (row.status, row.verdict, row.broken_reason) == ("finished", "pass", "")
    assert Submission.objects.attempts().count() == 1


def test_grade_submission_of_a_broken_revision_is_our_fault(sandbox):
    exercise = make_exercise(files={**SUM_FILES, "exercise.yaml": "kind: [\n"})
    row = graded(make_submission(exercise=exercise))
    assert (row.status, row.verdict, row.broken_reason) == ("broken", "", "content")


def test_grade_submission_with_a_fault_of_ours_is_broken(sandbox, monkeypatch, caplog):
    def fail(*args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(graders, "judge", fail)
    row = graded(make_submission())
    assert (row.status, row.verdict, row.broken_reason) == ("broken", "", "internal")
    assert "could not be graded" in caplog.text


def test_grade_submission_asks_again_only_so_often(sandbox, monkeypatch):
    asked: list[Plan] = []

    def ask(exercise: object, plan: Plan, evidence: object, *, elapsed: float) -> NeedMore:
        asked.append(plan)
        return NeedMore(plan)

    monkeypatch.setattr(graders, "judge", ask)
    row = graded(make_submission())
    assert len(asked) == MOST_ROUNDS
    assert (row.status, row.broken_reason) == ("broken", "internal")


def test_grade_submission_uses_the_revision_that_was_handed_in_to(sandbox):
    exercise = make_exercise()
    row = make_submission(exercise=exercise)
    make_revision(exercise, {**SUM_FILES, "exercise.yaml": "kind: [\n"})
    assert graded(row).verdict == "pass"


def test_grade_submission_that_lost_its_claim_changes_nothing(sandbox):
    row = make_submission()
    claimed = queue.claim(worker="w", cap=10)
    Submission.objects.update(attempt=2, worker="other")
    grade_submission(claimed)
    row.refresh_from_db()
    assert (row.status, row.worker) == (Status.RUNNING, "other")


def test_grade_submission_of_a_deleted_row_changes_nothing(sandbox):
    make_submission()
    claimed = queue.claim(worker="w", cap=10)
    Submission.objects.all().delete()
    grade_submission(claimed)
    assert Submission.objects.count() == 0


def test_grading_from_claim_to_verdict_costs_few_queries(sandbox, django_assert_max_num_queries):
    learner, exercise = make_learner(), make_exercise()
    graded(make_submission(learner, exercise))  # parses the revision once
    with django_assert_max_num_queries(9):  # five to hand in, three to claim, one to record
        submit_answer(learner=learner, exercise=exercise, files={"main.py": SUM_SOLUTION}, token="t")
        grade_submission(queue.claim(worker="w", cap=10))
