"""A flood of submissions: fair shares, the cap kept, a place for everyone, nothing lost."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from lessons import queue
from lessons.contracts import Status
from lessons.models import Submission
from lessons.sandbox import EngineUnavailableError
from lessons.services import dispatch, grading, sandboxes, submissions
from tests.factories import SUM_SOLUTION, make_exercise, make_learner
from tests.services.sums import SumSandbox

pytestmark = [pytest.mark.hostile, pytest.mark.django_db(transaction=True)]

CAP = 4


@pytest.fixture
def sandbox(monkeypatch, settings) -> SumSandbox:
    settings.RUNS_IN_FLIGHT = CAP
    fake = SumSandbox()
    fake.seconds = 0.005
    monkeypatch.setattr(sandboxes, "_sandbox", fake)
    return fake


def submit(learner, exercise) -> Submission:
    return submissions.submit_answer(learner=learner, exercise=exercise, files={"main.py": SUM_SOLUTION})


def grade_all() -> None:
    """Run the dispatcher's threads until nothing is open."""
    dispatch.start(grade=grading.grade_submission)
    try:
        pause = threading.Event()
        for _ in range(600):
            if not Submission.objects.filter(status__in=[Status.QUEUED, Status.RUNNING]).exists():
                return
            pause.wait(0.05)
        pytest.fail("submissions are still open after half a minute")
    finally:
        dispatch.stop()


def test_a_hundred_submissions_by_one_learner_are_bounded_and_the_next_learner_is_not_kept_waiting(sandbox, settings):
    settings.SUBMISSIONS_PER_MINUTE = 1000
    greedy, modest, exercise = make_learner(), make_learner(), make_exercise()
    refused = 0
    for _ in range(100):
        try:
            submit(greedy, exercise)
        except submissions.TooManyOpen:
            refused += 1
    mine = submit(modest, exercise)
    assert refused == 100 - settings.OPEN_SUBMISSIONS_PER_LEARNER
    assert queue.place_of(mine) == 2
    assert [queue.claim(worker="w", cap=CAP).learner_id for _ in range(2)] == [greedy.pk, modest.pk]


def test_a_hundred_allowed_submissions_by_one_learner_leave_the_cap_and_the_others_their_share(sandbox, settings):
    settings.OPEN_SUBMISSIONS_PER_LEARNER = settings.SUBMISSIONS_PER_MINUTE = 1000
    greedy, exercise = make_learner(), make_exercise()
    for _ in range(100):
        submit(greedy, exercise)
    others = [submit(make_learner(), exercise).pk for _ in range(10)]
    grade_all()
    assert sandbox.most_at_once <= CAP
    assert set(Submission.objects.values_list("status", "verdict")) == {("finished", "pass")}
    order = list(Submission.objects.order_by("finished_at").values_list("pk", flat=True))
    assert max(order.index(pk) for pk in others) < 40  # not behind the hundred


def test_fifty_submissions_by_fifty_learners_at_once_are_all_graded_under_the_cap(sandbox):
    exercise = make_exercise()
    learners = [make_learner() for _ in range(50)]
    barrier = threading.Barrier(10)
    failed: list[BaseException] = []

    def hand_in(some) -> None:
        try:
            barrier.wait(10)
            for learner in some:
                submit(learner, exercise)
        except BaseException as error:
            failed.append(error)
        finally:
            submissions.transaction.get_connection().close()

    threads = [threading.Thread(target=hand_in, args=[learners[start::10]]) for start in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failed == []
    assert sorted(queue.place_of(row) for row in Submission.objects.waiting()) == list(range(1, 51))
    grade_all()
    assert sandbox.most_at_once <= CAP
    assert Submission.objects.filter(status=Status.FINISHED, verdict="pass").count() == 50


def test_fifty_posts_at_once_are_all_taken_and_told_their_place(sandbox, settings):
    settings.ANSWER_WAIT_MS = 10
    exercise = make_exercise()
    url = reverse("submissions", args=[exercise.course.slug, exercise.slug])
    browsers = [Client() for _ in range(50)]
    for browser in browsers:
        browser.force_login(make_learner())

    def press(browser: Client) -> tuple[int, bool, bool]:
        try:
            reply = browser.post(url, {"file:main.py": SUM_SOLUTION, "action": "grade"}, headers={"HX-Request": "true"})
            placed = "바로 다음 차례예요" in reply.text or re.search(r"앞에 \d+개가 있어요", reply.text)
            return reply.status_code, 'data-status="queued"' in reply.text, bool(placed)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(browsers)) as threads:
        replies = set(threads.map(press, browsers))
    assert replies == {(200, True, True)}
    grade_all()
    assert sandbox.most_at_once <= CAP
    assert Submission.objects.filter(status=Status.FINISHED, verdict="pass").count() == 50


DOOMED = """
import time
import django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = {database!r}
django.setup()
from lessons import queue
queue.LEASE_SECONDS = 0.5
assert queue.claim(worker="doomed", cap=4) is not None
print("claimed", flush=True)
time.sleep(60)
"""


def test_sigkill_of_the_portal_in_the_middle_of_a_run_loses_no_submission(sandbox, settings):
    row = submit(make_learner(), make_exercise())
    program = DOOMED.format(database=str(settings.DATABASES["default"]["NAME"]))
    environment = {**os.environ, "NARU_DATA": str(settings.DATA_DIR), "DJANGO_SETTINGS_MODULE": "tests.settings"}
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, env=environment, cwd=settings.BASE_DIR
    ) as portal:
        assert portal.stdout.readline() == b"claimed\n"
        portal.kill()
    row.refresh_from_db()
    assert (row.status, row.worker) == (Status.RUNNING, "doomed")
    grade_all()
    row.refresh_from_db()
    assert (row.status, row.verdict, row.attempt) == ("finished", "pass", 2)


def test_submissions_during_an_outage_are_all_graded_once_the_engine_is_back(sandbox, monkeypatch):
    monkeypatch.setattr(submissions, "RETRY_AFTER", (0.05,))
    monkeypatch.setattr(dispatch, "SWEEP_SECONDS", 0.05)
    exercise = make_exercise()
    for _ in range(8):
        submit(make_learner(), exercise)
    sandbox.down = EngineUnavailableError("stopped")
    pause = threading.Event()
    dispatch.start(grade=grading.grade_submission)
    try:
        for _ in range(200):
            if Submission.objects.filter(broken_count__gte=1).count() == 8:
                break
            pause.wait(0.05)
        assert Submission.objects.exclude(verdict="").count() == 0
        sandbox.down = None
        for _ in range(200):
            if Submission.objects.filter(status=Status.FINISHED).count() == 8:
                break
            pause.wait(0.05)
    finally:
        dispatch.stop()
    assert set(Submission.objects.values_list("status", "verdict")) == {("finished", "pass")}
