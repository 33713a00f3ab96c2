"""The claim is a compare and set with a lease; turns are shared between learners."""

from __future__ import annotations

import datetime
import threading

import pytest
from django.db import connection
from django.utils import timezone

from lessons import queue
from lessons.contracts import Status
from lessons.models import Origin, Submission
from tests.factories import make_exercise, make_learner, make_submission

pytestmark = pytest.mark.django_db


def ago(seconds: float) -> datetime.datetime:
    return timezone.now() - datetime.timedelta(seconds=seconds)


def claim(worker: str = "w", cap: int = 10, **options) -> Submission | None:
    return queue.claim(worker=worker, cap=cap, **options)


def test_claim_of_an_empty_queue_is_none_and_writes_nothing(django_assert_num_queries):
    with django_assert_num_queries(2):
        assert claim() is None


def test_claim_takes_the_oldest_with_a_lease_and_counts_the_attempt():
    exercise = make_exercise()
    make_submission(make_learner(), exercise, queued_at=ago(1))
    oldest = make_submission(make_learner(), exercise, queued_at=ago(5))
    taken = claim("me")
    assert taken is not None
    assert (taken.pk, taken.status, taken.worker, taken.attempt) == (oldest.pk, Status.RUNNING, "me", 1)
    assert taken.lease_until > timezone.now()
    assert taken.started_at is not None


def test_claim_is_lost_when_another_worker_was_faster(monkeypatch):
    submission = make_submission()
    choose = queue._next

    def choose_and_lose(*args):
        chosen = choose(*args)
        Submission.objects.filter(pk=chosen.pk).update(status=Status.RUNNING, worker="other", lease_until=ago(-9))
        return chosen

    monkeypatch.setattr(queue, "_next", choose_and_lose)
    assert claim("me") is None
    submission.refresh_from_db()
    assert (submission.worker, submission.attempt) == ("other", 0)


def test_claim_is_lost_when_the_cap_was_reached_meanwhile(monkeypatch):
    exercise = make_exercise()
    for _ in range(2):
        make_submission(make_learner(), exercise)
    monkeypatch.setattr(queue, "_running_by_learner", dict)  # as seen before the other process claimed
    assert claim("me", cap=1) is not None
    assert claim("other", cap=1) is None


def test_claim_serves_the_learner_with_the_fewest_running_first():
    exercise = make_exercise()
    busy, idle = make_learner(), make_learner()
    for age in (9, 8, 7):
        make_submission(busy, exercise, queued_at=ago(age))
    late = make_submission(idle, exercise, queued_at=ago(1))
    assert claim().learner_id == busy.pk
    assert claim().pk == late.pk
    assert claim().learner_id == busy.pk


def test_claim_keeps_the_cap_over_all_workers_and_origins():
    exercise = make_exercise()
    proof = make_submission(exercise=exercise, origin=Origin.PROOF)
    for _ in range(3):
        make_submission(make_learner(), exercise)
    assert claim("proof", cap=2, only=[proof.pk]).pk == proof.pk
    assert claim("a", cap=2) is not None
    assert claim("b", cap=2) is None
    assert Submission.objects.running().count() == 2


def test_claim_does_not_count_what_a_dead_worker_left():
    make_submission(status=Status.RUNNING, worker="dead", lease_until=ago(1))
    waiting = make_submission()
    assert claim(cap=1).pk == waiting.pk


def test_claim_leaves_proofs_to_their_command_and_the_command_leaves_learners_alone():
    proof = make_submission(origin=Origin.PROOF)
    assert claim() is None
    learners = make_submission()
    assert claim(only=[proof.pk]).pk == proof.pk
    assert claim(only=[proof.pk]) is None
    assert claim().pk == learners.pk


def test_claim_waits_for_the_time_of_a_retry():
    early = make_submission(retry_at=ago(-60))
    assert claim() is None
    Submission.objects.filter(pk=early.pk).update(retry_at=ago(1))
    assert claim().pk == early.pk


def test_claim_costs_few_queries(django_assert_max_num_queries):
    make_submission()
    with django_assert_max_num_queries(3):  # count, choose, set
        taken = claim()
        assert taken.revision.content_hash


@pytest.mark.django_db(transaction=True)
def test_claims_of_many_threads_take_each_row_once():
    exercise = make_exercise()
    for _ in range(20):
        make_submission(make_learner(), exercise)
    taken: list = []

    def work() -> None:
        try:
            while submission := queue.claim(worker=threading.current_thread().name, cap=100):
                taken.append(submission.pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, name=f"w{number}") for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(taken) == 20
    assert len(set(taken)) == 20
    assert set(Submission.objects.values_list("attempt", flat=True)) == {1}


def test_renew_prolongs_only_what_the_worker_still_holds():
    mine = make_submission(status=Status.RUNNING, worker="me", lease_until=ago(-1))
    lost = make_submission(status=Status.RUNNING, worker="other", lease_until=ago(-1))
    assert queue.renew(worker="me", ids=[mine.pk, lost.pk]) == 1
    mine.refresh_from_db()
    assert mine.lease_until > timezone.now() + datetime.timedelta(seconds=queue.LEASE_SECONDS - 2)


def test_requeue_expired_brings_back_what_a_killed_portal_was_running():
    lost = make_submission(status=Status.RUNNING, worker="killed", attempt=1, lease_until=ago(1))
    alive = make_submission(status=Status.RUNNING, worker="alive", attempt=1, lease_until=ago(-9))
    assert queue.requeue_expired() == 1
    lost.refresh_from_db()
    alive.refresh_from_db()
    assert (lost.status, lost.worker, lost.attempt) == (Status.QUEUED, "", 1)
    assert alive.status == Status.RUNNING
    assert claim().attempt == 2


def test_requeue_expired_brings_back_broken_rows_when_their_time_has_come():
    due = make_submission(status=Status.BROKEN, retry_at=ago(1))
    make_submission(status=Status.BROKEN, retry_at=ago(-60))
    make_submission(status=Status.BROKEN, retry_at=ago(1), origin=Origin.PROOF)
    assert queue.requeue_expired() == 1
    assert list(Submission.objects.waiting()) == [due]


def test_requeue_expired_of_nothing_costs_one_query(django_assert_num_queries):
    with django_assert_num_queries(1):
        assert queue.requeue_expired() == 0


def test_release_queues_again_what_the_worker_holds():
    make_submission(status=Status.RUNNING, worker="me", lease_until=ago(-9))
    make_submission(status=Status.RUNNING, worker="other", lease_until=ago(-9))
    assert queue.release(worker="me") == 1
    assert list(Submission.objects.running().values_list("worker", flat=True)) == ["other"]


def test_place_of_counts_older_rows_but_shares_turns():
    exercise = make_exercise()
    many, one = make_learner(), make_learner()
    rows = [make_submission(many, exercise, queued_at=ago(20 - number)) for number in range(5)]
    mine = make_submission(one, exercise, queued_at=ago(1))
    assert [queue.place_of(row) for row in rows] == [1, 2, 3, 4, 5]
    assert queue.place_of(mine) == 2


def test_place_of_a_row_that_does_not_wait_is_zero():
    assert queue.place_of(make_submission(status=Status.RUNNING)) == 0
