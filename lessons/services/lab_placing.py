"""From a lab that waits to one that can be used: its turn, a container, files, setup, baseline.

A turn is a compare and set under the cap of memory, with a lease, as claims of submissions are. Preparing is done
without any transaction; a learner who ends the lab meanwhile is noticed at the next change of state.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Collection
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from lessons import notify
from lessons.content import ContentError
from lessons.contracts import ExerciseSpec
from lessons.models import HOLDING_LABS, LabQuerySet, LabReason, LabSession, LabState, Origin
from lessons.sandbox import READY_SECONDS, SandboxError
from lessons.sandbox.lab import Lab
from lessons.services import lab_wakes
from lessons.services.lab_furnishing import HomeFailed, SetupFailed, furnish
from lessons.services.lab_homes import KEPT_REASONS
from lessons.services.sandboxes import current_sandbox

logger = logging.getLogger(__name__)

LEASE_SECONDS = 12.0
PROOF_LIFE = datetime.timedelta(minutes=20)
SPARE_MINUTES = 30  # a container outlives its lab's longest life by this, then the reaper takes it
_TURN_LOCK = 0x6E61726C  # PostgreSQL advisory lock: one turn at a time, so that the cap is exact


def claim_lab(*, worker: str, only: Collection[UUID] | None = None) -> LabSession | None:
    """Give the longest waiting lab its memory (requested -> placed); None where none waits or none fits.

    Without ``only`` learners' labs are taken; with it just those ids (a proof's own).
    """
    waiting = LabSession.objects.filter(state=LabState.REQUESTED)
    waiting = waiting.filter(origin=Origin.LEARNER) if only is None else waiting.filter(pk__in=only)
    waiting = waiting.exclude(Q(keeps_home=True) & Exists(_still_saved()))
    candidate = waiting.order_by("requested_at", "pk").select_related("revision", "exercise").first()
    if candidate is None:
        return None
    if connection.vendor == "sqlite":  # one statement is one writer
        taken = _take(candidate, worker)
    else:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_TURN_LOCK])
            taken = _take(candidate, worker)
    if not taken:
        return None
    notify.lab_changed(candidate.pk)
    return candidate


def _still_saved() -> LabQuerySet:
    """The learner's last lab of the exercise whose home is about to be saved: the new one is to have it."""
    mine = LabSession.objects.filter(learner=OuterRef("learner"), exercise=OuterRef("exercise"), origin=Origin.LEARNER)
    return mine.filter(state=LabState.ENDED, reason__in=KEPT_REASONS).exclude(container="")


def _take(candidate: LabSession, worker: str) -> bool:
    """The compare and set: False where another was faster or the memory does not suffice.

    One that is larger than all labs may be together has its turn when no other is there.
    """
    now = timezone.now()
    claimed = {
        "state": LabState.PLACED,
        "placed_at": now,
        "worker": worker,
        "lease_until": now + datetime.timedelta(seconds=LEASE_SECONDS),
    }
    held = LabSession.objects.filter(Q(state__in=HOLDING_LABS) | ~Q(container="")).order_by()
    total = held.annotate(one=Value(1)).values("one").annotate(mb=Sum("memory_mb")).values("mb")
    rows = LabSession.objects.filter(pk=candidate.pk, state=LabState.REQUESTED)
    rows = rows.alias(held=Coalesce(Subquery(total), 0))
    fits = Q(held__lte=settings.LAB_MEMORY_MB - F("memory_mb")) | Q(held=0)
    if rows.filter(fits).update(**claimed) != 1:
        return False
    for name, value in claimed.items():
        setattr(candidate, name, value)
    return True


def renew_leases(*, worker: str) -> int:
    """Prolong what ``worker`` prepares; how many there are."""
    until = timezone.now() + datetime.timedelta(seconds=LEASE_SECONDS)
    return LabSession.objects.filter(state=LabState.PLACED, worker=worker).update(lease_until=until)


def prepare(row: LabSession) -> bool:
    """Make a placed lab ready, or failed with its reason; whether it is ready. Raises nothing."""
    try:
        return _prepare(row, row.revision.spec)
    except SetupFailed as error:
        logger.error("Lab %s of %s: %s", row.pk, row.exercise.slug, error)
        _give_up(row, LabReason.SETUP)
    except HomeFailed as error:
        logger.error("Lab %s begins anew, without what was kept: %s", row.pk, error)
        _begin_anew(row)
    except ContentError as error:
        logger.error("Lab %s: its revision holds no exercise: %s", row.pk, error)
        _give_up(row, LabReason.CONTENT)
    except SandboxError as error:
        logger.warning("Lab %s could not be opened: %s", row.pk, error)
        _give_up(row, reason_of(error))
    except Exception:
        logger.exception("Lab %s could not be prepared", row.pk)
        _give_up(row, LabReason.INTERNAL)
    return False


def _give_up(row: LabSession, reason: LabReason) -> None:
    """The lab has failed, unless it is somebody else's to prepare by now; the keeper removes what there is of it."""
    if _own(row, state=LabState.FAILED, reason=reason, failed_at=timezone.now(), lease_until=None):
        lab_wakes.wake()


def _begin_anew(row: LabSession) -> None:
    """Its turn comes again, for a container that nothing was put into; what was kept stays until the next saving."""
    container = row.container
    waiting = {"state": LabState.REQUESTED, "container": "", "worker": "", "lease_until": None, "placed_at": None}
    if _own(row, keeps_home=False, **waiting):
        _end_quietly(current_sandbox().lab(container, row.lab_shape))
        lab_wakes.wake()


def reason_of(error: SandboxError) -> LabReason:
    """Our word for what the sandbox says."""
    named = {"environment": LabReason.ENVIRONMENT, "disk": LabReason.DISK, "lab": LabReason.GONE}
    return named.get(error.reason, LabReason.ENGINE)


def _prepare(row: LabSession, spec: ExerciseSpec) -> bool:
    """False where somebody else took the row meanwhile: what was made for it is gone again."""
    lab = current_sandbox().open_lab(row.lab_shape, owner=str(row.pk), lifetime=lifetime())
    if not _own(row, container=lab.id):
        _end_quietly(lab)
        return False
    row.container = lab.id
    lab.wait_ready(READY_SECONDS)
    baseline = furnish(row, spec, lab, take=_own)
    if baseline is None:
        return False
    now, learners = timezone.now(), row.origin == Origin.LEARNER
    return _own(
        row,
        state=LabState.READY,
        baseline=baseline,
        lease_until=None,
        ready_at=now,
        seen_at=now,
        used_at=now,
        expires_at=now + (datetime.timedelta(minutes=settings.LAB_HARD_MINUTES) if learners else PROOF_LIFE),
    )


def lifetime() -> float:
    """Seconds after which the reaper may take a lab's container, whatever happened to its row."""
    most = settings.LAB_HARD_MINUTES + settings.LAB_EXTENSIONS * settings.LAB_EXTEND_MINUTES
    return (most + SPARE_MINUTES) * 60.0


def _own(row: LabSession, **values: object) -> bool:
    """Change the row while it is still ours to prepare; values stay on ``row``."""
    # ``placed_at`` tells this turn from a later one of the same worker.
    rows = LabSession.objects.filter(pk=row.pk, state=LabState.PLACED, worker=row.worker, placed_at=row.placed_at)
    if not rows.update(**values):
        return False
    for name, value in values.items():
        setattr(row, name, value)
    notify.lab_changed(row.pk)
    return True


def _end_quietly(lab: Lab) -> None:
    try:
        lab.end()
    except SandboxError as error:
        logger.warning("A lab that nobody wants is left to the reaper: %s", error)
