"""The Submission table is the queue: claim, lease, requeue.

A claim is a compare and set (QUEUED -> RUNNING) with a lease. Who holds one renews it; a lease
that ran out means that its holder died, and the row is queued again. ``attempt`` counts claims,
so that what a dead or slow holder still reports is told apart and dropped.
"""

from __future__ import annotations

import datetime
import os
import secrets
import socket
from collections.abc import Collection
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Case, Count, IntegerField, Q, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from lessons.contracts import Status
from lessons.models import Origin, Submission, SubmissionQuerySet

LEASE_SECONDS = 12.0
RENEW_SECONDS = 3.0
_CLAIM_LOCK = 0x6E617275  # PostgreSQL advisory lock: one claim at a time, so that the cap is exact


def worker_name(role: str = "") -> str:
    """Names one holder of leases among all processes and threads of all hosts; ``role`` is told in it."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{role}{secrets.token_hex(4)}"


def claim(*, worker: str, cap: int, only: Collection[UUID] | None = None) -> Submission | None:
    """Take the next waiting submission for ``worker``, or None when none waits or the cap is reached.

    The learner with the fewest running submissions comes first, then the oldest row. ``cap`` is over
    the live runs of every process. Without ``only``, learners' rows are taken; with it, just those ids
    (a proof's own). The submission comes with its revision; its files are left out, they are parsed once a process.
    """
    running = _running_by_learner()
    if sum(running.values()) >= cap:
        return None
    candidate = _next(_waiting(only), running)
    if candidate is None:  # an idle look takes no write lock
        return None
    if connection.vendor == "sqlite":  # one statement is one writer
        taken = _take(candidate, worker, cap)
    else:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_CLAIM_LOCK])
            taken = _take(candidate, worker, cap)
    return candidate if taken else None


def renew(*, worker: str, ids: Collection[UUID]) -> int:
    """Prolong the leases that ``worker`` still holds on ``ids``; how many there are."""
    return (
        Submission.objects.running()
        .filter(worker=worker, pk__in=ids)
        .update(lease_until=timezone.now() + datetime.timedelta(seconds=LEASE_SECONDS))
    )


def release(*, worker: str) -> int:
    """Queue again what ``worker`` holds and will not finish; how many rows."""
    return Submission.objects.running().filter(worker=worker).update(**_QUEUED_AGAIN)


def requeue_expired() -> int:
    """Queue again what lost its holder, and broken rows whose time to retry has come; how many rows.

    A broken proof is left to the command that waits for it.
    """
    now = timezone.now()
    due = Q(status=Status.RUNNING, lease_until__lt=now) | Q(
        status=Status.BROKEN, retry_at__lte=now, origin=Origin.LEARNER
    )
    if not Submission.objects.filter(due).exists():  # the usual case takes no write lock
        return 0
    return Submission.objects.filter(due).update(**_QUEUED_AGAIN)


def count_waiting() -> int:
    """How many learners' submissions may be claimed now."""
    return _waiting(None).count()


def place_of(submission: Submission) -> int:
    """The place in the queue of a waiting submission, from 1; 0 once it does not wait.

    An estimate, since others may still come and go first: what is older, but of every other learner
    no more rows than this learner has up to here, for turns are shared.
    """
    if submission.status != Status.QUEUED:
        return 0
    older = (
        Submission.objects.waiting()
        .filter(origin=submission.origin, queued_at__lt=submission.queued_at)
        .order_by()
        .values("learner")
        .annotate(rows=Count("pk"))
        .values_list("learner", "rows")
    )
    rows_of = dict(older)
    own = rows_of.pop(submission.learner_id, 0) + 1
    return own + sum(min(rows, own) for rows in rows_of.values())


_QUEUED_AGAIN = {"status": Status.QUEUED, "worker": "", "lease_until": None, "retry_at": None}


def _waiting(only: Collection[UUID] | None) -> SubmissionQuerySet:
    waiting = Submission.objects.waiting().filter(Q(retry_at=None) | Q(retry_at__lte=timezone.now()))
    return waiting.filter(origin=Origin.LEARNER) if only is None else waiting.filter(pk__in=only)


def _live() -> SubmissionQuerySet:
    """Live claims only: a row whose lease ran out uses no container of anyone alive."""
    return Submission.objects.running().filter(lease_until__gte=timezone.now()).order_by()


def _running_by_learner() -> dict[int, int]:
    return dict(_live().values("learner").annotate(rows=Count("pk")).values_list("learner", "rows"))


def _next(waiting: SubmissionQuerySet, running: dict[int, int]) -> Submission | None:
    turns = [When(learner=learner, then=Value(rows)) for learner, rows in running.items()]
    busy = Case(*turns, default=Value(0), output_field=IntegerField()) if turns else Value(0)
    rows = waiting.select_related("revision").defer("revision__files", "revision__prompt_html")
    return rows.order_by(busy, "queued_at", "pk").first()


def _take(candidate: Submission, worker: str, cap: int) -> bool:
    """The compare and set: False when another worker was faster or the cap was reached meanwhile."""
    now = timezone.now()
    claimed = {
        "status": Status.RUNNING,
        "worker": worker,
        "attempt": candidate.attempt + 1,
        "started_at": now,
        "lease_until": now + datetime.timedelta(seconds=LEASE_SECONDS),
        "retry_at": None,
    }
    live = Subquery(_live().values("status").annotate(rows=Count("pk")).values("rows"))
    rows = Submission.objects.filter(pk=candidate.pk, status=Status.QUEUED, attempt=candidate.attempt)
    if rows.alias(live=Coalesce(live, 0)).filter(live__lt=cap).update(**claimed) != 1:
        return False
    for name, value in claimed.items():
        setattr(candidate, name, value)
    return True
