"""Exercises held against their own answers."""

from __future__ import annotations

import pytest

from lessons.models import Origin, Submission
from lessons.sandbox import EngineUnavailableError, EnvironmentMissingError, EnvironmentState
from lessons.services import proving
from lessons.services.proving import check_exercises, try_answer
from tests.factories import SUM_FILES, SUM_SOLUTION, make_exercise, make_quiz, make_submission

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch):
    monkeypatch.setattr(proving, "RETRY_SECONDS", 0.01)


def problems(files: dict[str, str]) -> dict[str, str]:
    report = check_exercises(exercises=[make_exercise(files={**SUM_FILES, **files})])
    return {result.case: result.problem for result in report.results if not result.holds}


def test_check_exercises_holds_for_good_exercises(sandbox):
    exercises = [make_exercise(slug="sum"), make_quiz(slug="quiz")]
    seen: list[tuple[int, int]] = []
    report = check_exercises(exercises=exercises, progress=lambda done, total: seen.append((done, total)))
    assert (report.holds, report.broken) == (True, False)
    assert [(result.exercise.split("/")[1], result.case) for result in report.results] == [
        ("sum", "starter"),
        ("sum", "solution"),
        ("sum", "wrong/constant"),
        ("sum", "wrong/first"),
        ("quiz", "starter"),
        ("quiz", "solution"),
        ("quiz", "wrong/image"),
    ]
    assert (seen[0], seen[-1]) == ((0, 7), (7, 7))


def test_check_exercises_finds_a_starter_that_passes(sandbox):
    assert list(problems({"starter/main.py": SUM_SOLUTION})) == ["starter"]


def test_check_exercises_finds_a_solution_that_fails(sandbox):
    found = problems({"solution/main.py": "print(7)\n"})
    assert list(found) == ["solution"]
    assert "any" in found["solution"]


@pytest.mark.parametrize(
    ("expect", "words"),
    [
        ("check: adds\n", "adds"),  # 7 is right for the visible case
        ("check: any\nmessage: 이런 말은 없어요\n", "이런 말은 없어요"),
        ("check: any\nverdict: time_limit\n", "time_limit"),
    ],
)
def test_check_exercises_finds_a_wrong_answer_that_fails_otherwise(sandbox, expect, words):
    found = problems({"wrong/constant/expect.yaml": expect})
    assert list(found) == ["wrong/constant"]
    assert words in found["wrong/constant"]


def test_check_exercises_finds_a_wrong_answer_that_passes(sandbox):
    assert list(problems({"wrong/constant/main.py": SUM_SOLUTION})) == ["wrong/constant"]


def test_check_exercises_without_an_engine_is_broken_and_blames_nobody(sandbox):
    sandbox.down = EngineUnavailableError("down")
    report = check_exercises(exercises=[make_exercise()])
    assert (report.holds, report.broken) == (False, True)
    assert {result.status for result in report.results} == {"broken"}


def test_check_exercises_keeps_the_cap(sandbox, settings):
    settings.RUNS_IN_FLIGHT = 2
    sandbox.seconds = 0.02
    assert check_exercises(exercises=[make_exercise()]).holds
    assert sandbox.most_at_once <= 2


def test_try_answer_waits_for_an_environment_that_is_being_built(sandbox, monkeypatch):
    sandbox.down = EnvironmentMissingError("no image yet")
    sandbox.states["python"] = EnvironmentState.BUILDING
    tries = 0
    once = proving._waits_for_environment

    def finish_the_build(row: Submission) -> bool:
        nonlocal tries
        waits = once(row)
        tries += 1
        if tries == 6:
            sandbox.down = None
        return waits

    monkeypatch.setattr(proving, "_waits_for_environment", finish_the_build)
    assert try_answer(exercise=make_exercise(), files={"main.py": SUM_SOLUTION}).passed


def test_try_answer_leaves_learners_rows_alone_and_is_no_ones_attempt(sandbox):
    exercise = make_exercise()
    waiting = make_submission(exercise=exercise)
    row = try_answer(exercise=exercise, files={"main.py": SUM_SOLUTION})
    waiting.refresh_from_db()
    assert (row.origin, waiting.status) == (Origin.PROOF, "queued")
    assert not row.learner.is_active


def test_try_answer_interrupted_takes_its_row_along(sandbox, monkeypatch):
    def interrupt(row: Submission) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(proving, "grade_submission", interrupt)
    with pytest.raises(KeyboardInterrupt):
        try_answer(exercise=make_exercise(), files={"main.py": SUM_SOLUTION})
    assert Submission.objects.count() == 0
