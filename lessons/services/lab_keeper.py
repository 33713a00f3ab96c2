"""Keeps labs: gives turns, prepares, watches limits, removes what is over. One a process that serves.

The thread is made of steps that say whether they did work; what may take long (preparing, removing) is done by
small pools, so that one slow lab holds nobody up.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from lessons import queue
from lessons.models import EMPTIED, LabSession, LabState
from lessons.sandbox import SandboxError
from lessons.sandbox.lab import Lab
from lessons.services import lab_placing, lab_steps, lab_upkeep, lab_wakes, watching
from lessons.services.lab_homes import KEPT_REASONS, keep_home
from lessons.services.lab_threads import Helpers
from lessons.services.lab_use import alone_with, lab_of
from lessons.services.sandboxes import current_sandbox

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
RENEW_SECONDS = 3.0
ALIVE_SECONDS = 10.0  # between looks whether containers still run; news come faster from their event streams
ORPHAN_SECONDS = 15.0
FORGET_SECONDS = 3600.0
REMOVE_AGAIN_SECONDS = 5.0
KEEP_PATIENCE_SECONDS = 60.0  # how long a home waits to be saved while somebody still uses its lab
REMOVERS = 2
STOP_SECONDS = 15.0


def _is_orphan(row: LabSession, lab: Lab) -> bool:
    about_to_be_noted = row.state == LabState.PLACED and not row.container
    return row.container != lab.id and not about_to_be_noted


def _ended_seconds_ago(row: LabSession) -> float:
    return (timezone.now() - row.ended_at).total_seconds() if row.ended_at else 0.0


def _uuids(texts: Iterable[str]) -> list[UUID]:
    found = []
    for text in texts:
        with suppress(ValueError):
            found.append(UUID(text))
    return found


class LabKeeper:
    """``placing``: how many labs are prepared at the same time."""

    def __init__(self, *, placing: int) -> None:
        self.worker = queue.worker_name()
        self._placers = Helpers("lab-placing", placing)
        self._removers = Helpers("lab-removing", REMOVERS)
        self._removing: dict[UUID, float] = {}  # since when; kept for a while where it failed
        self._wanted: set[UUID] = set()
        self._lock = threading.Lock()
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lab-keeper", daemon=True)
        self._due: dict[str, float] = {}

    def start(self) -> None:
        """Adopt what an earlier process left, then look for as long as it serves."""
        lab_wakes.listen(self.wake)
        self._thread.start()

    def stop(self, *, within: float = STOP_SECONDS) -> None:
        """Give back what is being prepared and stop; learners' labs go on without us."""
        lab_wakes.listen(None)
        self._stopping.set()
        self._woken.set()
        if self._thread.ident is not None:
            self._thread.join(within)
        watching.stop_all()
        LabSession.objects.filter(state=LabState.PLACED, worker=self.worker).update(lease_until=timezone.now())

    def wake(self, lab_id: UUID | None = None) -> None:
        """Look at once; ``lab_id``: a paused lab that somebody came back to."""
        with self._lock:
            if lab_id is not None:
                self._wanted.add(lab_id)
        self._woken.set()

    def place_one(self) -> bool:
        """Give one lab its turn and prepare it, here; whether one had its turn."""
        row = lab_placing.claim_lab(worker=self.worker)
        if row is None:
            return False
        lab_placing.prepare(row)
        return True

    def begin_one(self) -> bool:
        """Give one lab its turn and let a thread prepare it; whether one had its turn."""
        return self._placers.begin(lambda: lab_placing.claim_lab(worker=self.worker), self._prepare)

    def _prepare(self, row: LabSession) -> None:
        try:
            lab_placing.prepare(row)
        finally:
            self._woken.set()

    def renew_once(self) -> bool:
        """Prolong the leases of what is being prepared; whether there was any."""
        return bool(lab_placing.renew_leases(worker=self.worker))

    def wake_once(self) -> bool:
        """Look at labs that somebody came back to, and let paused ones go on; whether there was one of those."""
        with self._lock:
            wanted, self._wanted = self._wanted, set()
        for lab_id in wanted:
            watching.nudge(lab_id)
        idle = LabSession.objects.slim().filter(pk__in=wanted, state=LabState.IDLE) if wanted else ()
        woken = [lab_upkeep.wake_lab(row) for row in idle]
        return any(woken)

    def look_once(self) -> bool:
        """Look at the limits of every live lab, pause the unused; whether anything changed."""
        now = timezone.now()
        rows = lab_upkeep.live_labs()
        graded = lab_upkeep.being_graded(rows)
        changed = False
        for row in rows:
            mine = row.pk in graded
            changed |= (
                lab_upkeep.end_if_over(row, now, graded=mine)
                or lab_upkeep.pause_if_unused(row, now, graded=mine)
                or lab_upkeep.warn_if_soon(row, now)
            )
        return changed

    def watch_once(self) -> bool:
        """Follow the engines of ready labs, and of no others; whether that changed anything."""
        ready = LabSession.objects.slim().filter(state=LabState.READY, origin="learner")
        return watching.follow(list(ready))

    def bury_once(self) -> bool:
        """Note which labs have died; whether any has."""
        dead = [lab_upkeep.fail_if_dead(row) for row in lab_upkeep.live_labs()]
        return any(dead)

    def remove_one(self) -> bool:
        """Let a thread save and remove one lab that is over; whether there was one."""
        return self._removers.begin(self._next_over, self.remove)

    def _next_over(self) -> LabSession | None:
        now = time.monotonic()
        self._removing = {pk: since for pk, since in self._removing.items() if now - since < REMOVE_AGAIN_SECONDS}
        rows = LabSession.objects.slim().filter(state__in=(LabState.ENDED, LabState.FAILED)).exclude(container="")
        row = rows.exclude(pk__in=list(self._removing)).select_related("revision").order_by("requested_at").first()
        if row is not None:
            self._removing[row.pk] = now
        return row

    def remove(self, row: LabSession) -> bool:
        """Save what is kept of a lab that is over, and remove its container; False: to be tried again."""
        watching.stop(row.pk)
        lab = lab_of(row)
        with alone_with(row.pk, seconds=REMOVE_AGAIN_SECONDS / 2) as alone:
            kept = row.state == LabState.ENDED and row.reason in KEPT_REASONS
            if kept and not alone and _ended_seconds_ago(row) < KEEP_PATIENCE_SECONDS:
                return False  # a grading or a look still uses it
            if kept and alone:
                keep_home(row, lab)
            try:
                lab.end()
            except SandboxError as error:
                logger.warning("Lab %s could not be removed yet: %s", row.pk, error)
                return False
        LabSession.objects.filter(pk=row.pk, container=row.container).update(container="", **EMPTIED)
        self._woken.set()  # its memory is free for who waits
        return True

    def sweep_orphans_once(self) -> bool:
        """Remove containers of labs that have another one by now, or none (their preparer died); whether any.

        A lab whose row is unknown here may be another portal's: its deadline ends it.
        """
        given = current_sandbox().given_labs()
        rows = {
            str(row.pk): row for row in LabSession.objects.slim().filter(pk__in=_uuids(owner for owner, _ in given))
        }
        orphans = [lab for owner, lab in given if owner in rows and _is_orphan(rows[owner], lab)]
        for lab in orphans:
            logger.warning("Removing lab %s, which belongs to nobody any more", lab.id[:12])
            lab.end()
        return bool(orphans)

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._woken.clear()
                self._round()
                self._woken.wait(LOOK_SECONDS)
        finally:
            connection.close()

    def _round(self) -> None:
        self._at_times("renew", RENEW_SECONDS, self.renew_once)  # first: after a slow round ours are not lost
        self._step(self.wake_once)
        self._step(lab_upkeep.give_back_lost)
        while not self._stopping.is_set() and (self._step(self.remove_one) or self._step(self.begin_one)):
            pass
        self._step(self.look_once)
        self._step(self.watch_once)
        self._at_times("bury", ALIVE_SECONDS, self.bury_once)
        self._at_times("orphans", ORPHAN_SECONDS, self.sweep_orphans_once)
        self._at_times("forget", FORGET_SECONDS, lab_steps.forget_old_steps)

    def _at_times(self, name: str, seconds: float, step: Callable[[], bool]) -> None:
        now = time.monotonic()
        if now >= self._due.get(name, 0.0):
            self._due[name] = now + seconds
            self._step(step)

    def _step(self, step: Callable[[], bool]) -> bool:
        """One step; whatever is away or wrong ends the step, never the thread."""
        try:
            return step()
        except DatabaseError:
            logger.exception("The database did not answer; trying again")
            connection.close()  # a connection in an unknown state is not used again
        except SandboxError as error:
            logger.warning("The engine did not answer; trying again: %s", error)
        except Exception:
            logger.exception("A step of the lab keeper failed; going on")
        return False


_keeper: LabKeeper | None = None


def start() -> LabKeeper:
    """Start this process's keeper."""
    global _keeper  # one a process, like the threads it owns
    if _keeper is None:
        _keeper = LabKeeper(placing=settings.LABS_PLACING)
        _keeper.start()
    return _keeper


def stop() -> None:
    """Stop it; nothing happens where nothing was started."""
    global _keeper
    if _keeper is not None:
        keeper, _keeper = _keeper, None
        keeper.stop()
