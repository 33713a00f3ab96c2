"""Hostile item 15 on real containers: many learners at once, one of them greedy."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from lessons.contracts import Status, Verdict
from lessons.models import Submission
from lessons.services import dispatch, grading, sandboxes, submissions
from tests.factories import SUM_SOLUTION, make_exercise, make_learner
from tests.sandbox.running import labelled, running_sandbox

pytestmark = [pytest.mark.docker, pytest.mark.hostile, pytest.mark.django_db(transaction=True)]

CAP = 4
LEARNERS = 12
GREEDY = 8


def test_burst_of_real_runs_keeps_the_cap_shares_turns_and_loses_nothing(
    engine_socket: Path, tmp_path: Path, settings, monkeypatch
):
    settings.RUNS_IN_FLIGHT = CAP
    settings.OPEN_SUBMISSIONS_PER_LEARNER = GREEDY
    exercise, greedy = make_exercise(), make_learner("greedy")
    others = [make_learner(f"learner-{number}") for number in range(LEARNERS)]

    def submit(learner):
        return submissions.submit_answer(learner=learner, exercise=exercise, files={"main.py": SUM_SOLUTION})

    for _ in range(GREEDY):
        submit(greedy)
    for learner in others:
        submit(learner)
    most_running = 0
    with running_sandbox(engine_socket, tmp_path, pool_size=1, runs_in_flight=CAP) as sandbox:
        monkeypatch.setattr(sandboxes, "_sandbox", sandbox)
        dispatch.start(grade=grading.grade_submission)
        try:
            deadline, pause = time.monotonic() + 120, threading.Event()
            while Submission.objects.exclude(status=Status.FINISHED).exists() and time.monotonic() < deadline:
                most_running = max(most_running, Submission.objects.running().count())
                pause.wait(0.05)
        finally:
            dispatch.stop()
    rows = list(Submission.objects.order_by("finished_at"))
    assert [(row.status, row.verdict) for row in rows] == [(Status.FINISHED, Verdict.PASS)] * (GREEDY + LEARNERS)
    assert 1 <= most_running <= CAP
    # Turns are shared: everybody else has a verdict before the greedy one has their last.
    assert rows[-1].learner == greedy
    assert labelled(sandbox) == set()
