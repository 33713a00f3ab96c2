"""The embedded dispatcher: threads of this process take waiting submissions and grade them.

``enqueue`` only wakes somebody; the row is the truth, so a wake too many or one that never
comes is harmless: the sweep looks once a second.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, connection

from lessons import queue
from lessons.models import Submission

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 1.0
FINISH_SECONDS = 15.0  # what a stop grants to runs under way; the rest is queued again


class Dispatcher:
    """``threads`` workers and one sweep; every loop is made of ``*_once`` steps that say whether they did work."""

    def __init__(self, *, threads: int, grade: Callable[[Submission], None]) -> None:
        self.worker = queue.worker_name()
        self.cap = threads
        self._grade = grade
        self._condition = threading.Condition()
        self._wakes = 0
        self._held: set[UUID] = set()
        self._claiming = threading.Lock()  # several claims at once would only wait for each other's write
        self._stopping = threading.Event()
        self._finished = threading.Event()
        self._workers: list[threading.Thread] = []
        self._sweeper: threading.Thread | None = None

    def wake(self, times: int = 1) -> None:
        """Let so many workers look for work."""
        with self._condition:
            self._wakes = min(self._wakes + times, self.cap)
            self._condition.notify(times)

    def start(self) -> None:
        """Start the threads; what waits already is taken at once."""
        self._workers = [
            threading.Thread(target=self._work, name=f"grader-{number}", daemon=True) for number in range(self.cap)
        ]
        self._sweeper = threading.Thread(target=self._sweep, name="grader-sweep", daemon=True)
        for thread in [*self._workers, self._sweeper]:
            thread.start()

    def stop(self, *, within: float = FINISH_SECONDS) -> None:
        """Let each worker finish what it has, for at most ``within`` seconds; queue the rest again."""
        self.finish_soon()
        deadline = time.monotonic() + within
        for thread in self._workers:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._finished.set()
        if self._sweeper is not None:
            self._sweeper.join(within)
        if queue.release(worker=self.worker):
            logger.warning("Stopped with runs under way; they are queued again")

    def finish_soon(self) -> None:
        """Take nothing new from now on."""
        self._stopping.set()
        with self._condition:
            self._condition.notify_all()

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    def work_once(self) -> bool:
        """Claim one submission and grade it; whether there was one."""
        with self._claiming:
            submission = None if self.stopping else queue.claim(worker=self.worker, cap=self.cap)
            if submission is None:
                return False
            self._held.add(submission.pk)
        try:
            self._grade(submission)
        finally:
            self._held.discard(submission.pk)
        return True

    def sweep_once(self) -> bool:
        """Queue again what lost its holder or is due for a retry; wake workers if anything waits."""
        queue.requeue_expired()
        waiting = 0 if self.stopping else queue.count_waiting()
        if waiting:
            self.wake(min(waiting, self.cap))
        return bool(waiting)

    def renew_once(self) -> bool:
        """Prolong the leases of what is being graded; whether there was any."""
        held = list(self._held)
        return bool(held) and bool(queue.renew(worker=self.worker, ids=held))

    def _work(self) -> None:
        try:
            while not self.stopping:
                if not self._step(self.work_once):
                    self._sleep_until_woken()
        finally:
            connection.close()

    def _sweep(self) -> None:
        renewed_at = 0.0
        try:
            self._step(self.sweep_once)  # what a crash or a restart left behind
            while not self._finished.wait(SWEEP_SECONDS):
                self._step(self.sweep_once)
                if time.monotonic() - renewed_at >= queue.RENEW_SECONDS:
                    renewed_at = time.monotonic()
                    self._step(self.renew_once)
        finally:
            connection.close()

    def _step(self, step: Callable[[], bool]) -> bool:
        """One step; a database that is away or a fault of ours ends the step, never the thread."""
        try:
            return step()
        except DatabaseError:
            logger.exception("The database did not answer; trying again")
            connection.close()  # a connection in an unknown state is not used again
        except Exception:
            logger.exception("A step of the dispatcher failed; going on")
        return False

    def _sleep_until_woken(self) -> None:
        with self._condition:
            self._condition.wait_for(lambda: self._wakes > 0 or self.stopping)
            self._wakes = max(0, self._wakes - 1)


_dispatcher: Dispatcher | None = None


def enqueue(submission_id: UUID) -> None:
    """A submission waits: wake a worker of this process, if it has any. The id is for distributed dispatch."""
    if _dispatcher is not None:
        _dispatcher.wake()


def start(*, grade: Callable[[Submission], None]) -> Dispatcher:
    """Start this process's dispatcher with as many threads as runs may be in flight."""
    global _dispatcher  # one a process, like the threads it owns
    if _dispatcher is None:
        _dispatcher = Dispatcher(threads=settings.RUNS_IN_FLIGHT, grade=grade)
        _dispatcher.start()
    return _dispatcher


def stop() -> None:
    """Finish what is being graded and stop; nothing happens where nothing was started."""
    global _dispatcher
    if _dispatcher is not None:
        dispatcher, _dispatcher = _dispatcher, None
        dispatcher.stop()
