"""The embedded dispatcher, step by step, and its threads for real."""

from __future__ import annotations

import datetime
import threading
import uuid

import pytest
from django.db import DatabaseError
from django.utils import timezone

from lessons import queue
from lessons.contracts import Status
from lessons.models import Submission
from lessons.services import dispatch
from lessons.services.dispatch import Dispatcher
from tests.factories import make_exercise, make_learner, make_submission

pytestmark = pytest.mark.django_db


def finish(submission: Submission) -> None:
    Submission.objects.filter(pk=submission.pk).update(status=Status.FINISHED, worker="")


def test_work_once_grades_one_submission_and_says_so():
    make_submission()
    graded: list[Submission] = []
    dispatcher = Dispatcher(threads=2, grade=graded.append)
    assert dispatcher.work_once() is True
    assert [row.worker for row in graded] == [dispatcher.worker]
    assert dispatcher.work_once() is False


def test_work_once_takes_nothing_after_the_signal_to_stop():
    row = make_submission()
    dispatcher = Dispatcher(threads=1, grade=finish)
    dispatcher.finish_soon()
    assert dispatcher.work_once() is False
    row.refresh_from_db()
    assert row.status == Status.QUEUED


def test_renew_once_prolongs_what_is_being_graded():
    row = make_submission()
    renewed: list[bool] = []

    def grade(submission: Submission) -> None:
        Submission.objects.update(lease_until=timezone.now())
        renewed.append(dispatcher.renew_once())

    dispatcher = Dispatcher(threads=1, grade=grade)
    dispatcher.work_once()
    row.refresh_from_db()
    assert renewed == [True]
    assert row.lease_until > timezone.now() + datetime.timedelta(seconds=queue.LEASE_SECONDS - 3)
    assert dispatcher.renew_once() is False


def test_sweep_once_brings_back_what_a_killed_portal_left():
    row = make_submission(
        status=Status.RUNNING, worker="killed", attempt=1, lease_until=timezone.now() - datetime.timedelta(seconds=1)
    )
    dispatcher = Dispatcher(threads=1, grade=finish)
    assert dispatcher.sweep_once() is True
    assert dispatcher.work_once() is True
    row.refresh_from_db()
    assert (row.status, row.attempt) == (Status.FINISHED, 2)
    assert dispatcher.sweep_once() is False


@pytest.mark.parametrize("error", [DatabaseError("away"), RuntimeError("ours")])
def test_a_step_that_fails_ends_the_step_and_not_the_thread(error, caplog, monkeypatch):
    monkeypatch.setattr(dispatch.connection, "close", lambda: None)  # the test's own transaction lives on it

    def fail() -> bool:
        raise error

    assert Dispatcher(threads=1, grade=finish)._step(fail) is False
    assert len(caplog.records) == 1


def test_enqueue_without_a_dispatcher_or_of_a_missing_row_does_nothing():
    assert dispatch._dispatcher is None
    dispatch.enqueue(uuid.uuid4())
    assert Submission.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_threads_grade_what_waited_and_what_comes(settings):
    settings.RUNS_IN_FLIGHT = 2
    exercise = make_exercise()
    before = make_submission(make_learner(), exercise)
    done = threading.Semaphore(0)

    def grade(submission: Submission) -> None:
        finish(submission)
        done.release()

    dispatch.start(grade=grade)
    try:
        assert done.acquire(timeout=10)
        after = make_submission(make_learner(), exercise)
        dispatch.enqueue(after.pk)
        assert done.acquire(timeout=10)
        dispatch.enqueue(uuid.uuid4())  # a row that is gone wakes somebody for nothing
    finally:
        dispatch.stop()
    assert set(Submission.objects.filter(status=Status.FINISHED)) == {before, after}


@pytest.mark.django_db(transaction=True)
def test_stop_lets_the_current_run_finish_and_starts_no_other():
    exercise = make_exercise()
    for _ in range(3):
        make_submission(make_learner(), exercise)
    started, leave = threading.Event(), threading.Event()

    def grade(submission: Submission) -> None:
        started.set()
        leave.wait(10)
        finish(submission)

    dispatcher = Dispatcher(threads=1, grade=grade)
    dispatcher.start()
    assert started.wait(10)
    dispatcher.finish_soon()
    leave.set()
    dispatcher.stop(within=10)
    assert Submission.objects.filter(status=Status.FINISHED).count() == 1
    assert Submission.objects.waiting().count() == 2


@pytest.mark.django_db(transaction=True)
def test_stop_queues_again_what_does_not_finish_in_time():
    row = make_submission()
    started, leave = threading.Event(), threading.Event()

    def grade(submission: Submission) -> None:
        started.set()
        leave.wait(10)

    dispatcher = Dispatcher(threads=1, grade=grade)
    dispatcher.start()
    try:
        assert started.wait(10)
        dispatcher.stop(within=0.05)
        row.refresh_from_db()
        assert row.status == Status.QUEUED
    finally:
        leave.set()
        for thread in dispatcher._workers:
            thread.join(10)
