"""Parked containers, started and never used: each is given away once. Of runs and, in a pool of their own, of labs.

The pool learns what to keep from demand: the shapes asked for most recently. Refilling and removing wait
while runs are under way, so that they never stand beside a learner's run.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from typing import Generic, Protocol, TypeVar

from lessons.sandbox.errors import SandboxError

logger = logging.getLogger(__name__)

MOST_SHAPES = 4
LIFETIME_SECONDS = 3600.0  # of a parked container, after which the reaper may take it
RETIRE_SECONDS = 3000.0
MOST_REMOVALS_WAITING = 64
PATIENCE_SECONDS = 5.0  # removal waits no longer than this for a quiet moment
AFTER_FAILURE_SECONDS = 2.0
SETTLE_SECONDS = 0.15


class Gate:
    """Counts runs under way; upkeep waits here for a quiet moment: fewer than ``busy_from`` runs, and none that
    ended within ``settle_seconds``, in which its verdict is written and sent."""

    def __init__(self, busy_from: int, settle_seconds: float = SETTLE_SECONDS) -> None:
        self._busy_from = max(1, busy_from)
        self._settle_seconds = settle_seconds
        self._running = 0
        self._ended_at = -settle_seconds
        self._changed = threading.Condition()

    def __enter__(self) -> None:
        with self._changed:
            self._running += 1

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._running -= 1
            self._ended_at = time.monotonic()
            self._changed.notify_all()

    def wait_until_quiet(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        with self._changed:
            while True:
                now = time.monotonic()
                settled_at = self._ended_at + self._settle_seconds
                if self._running < self._busy_from and now >= settled_at:
                    return True
                if now >= deadline:
                    return False
                wake_at = deadline if self._running >= self._busy_from else min(settled_at, deadline)
                self._changed.wait(wake_at - now)


class Parked(Protocol):
    """What lies in a pool. ``born`` is of time.monotonic(); ``close`` lets go of what this process holds of it."""

    id: str
    born: float

    def close(self) -> None: ...


S = TypeVar("S", bound=Hashable)
C = TypeVar("C", bound=Parked)


class Pool(Generic[S, C]):
    """``make`` starts a container of a shape, ``remove`` destroys one; both raise SandboxError. Where ``may_make`` says
    no, nothing is started; ``most_shapes`` are kept at a time, the least recently asked for goes."""

    def __init__(
        self,
        *,
        size: int,
        gate: Gate,
        make: Callable[[S], C],
        remove: Callable[[C], None],
        prefill: tuple[S, ...] = (),
        may_make: Callable[[S], bool] = lambda _: True,
        most_shapes: int = MOST_SHAPES,
        name: str = "sandbox",
    ) -> None:
        self._size, self._gate, self._make, self._remove = size, gate, make, remove
        self._may_make, self._most_shapes, self._name = may_make, most_shapes, name
        self._parked: OrderedDict[S, deque[C]] = OrderedDict((shape, deque()) for shape in prefill)
        self._leaving: deque[tuple[float, C]] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        for name, step, pause in (("pool", self.refill_one, 0.5), ("remover", self.remove_one, 0.2)):
            thread = threading.Thread(target=self._loop, args=(step, pause), name=f"{self._name}-{name}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def close(self) -> None:
        """End upkeep and destroy everything parked."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(timeout=30)
        with self._changed:
            rest = [container for parked in self._parked.values() for container in parked]
            rest += [container for _, container in self._leaving]
            self._parked.clear()
            self._leaving.clear()
        for container in rest:
            self._destroy(container)

    def take(self, shape: S) -> C | None:
        """A parked container, or None: then the caller starts its own. Remembers the shape either way."""
        if not self._size:
            return None
        with self._changed:
            parked = self._parked.setdefault(shape, deque())
            self._parked.move_to_end(shape)
            while len(self._parked) > self._most_shapes:
                _, stale = self._parked.popitem(last=False)
                self._leaving.extend((0.0, container) for container in stale)
            container = parked.popleft() if parked else None
            self._changed.notify_all()
            return container

    def parked_count(self) -> int:
        with self._changed:
            return sum(len(parked) for parked in self._parked.values())

    def evict(self) -> C | None:
        """Give one up to make room, of the shape asked for least recently; None where none is parked."""
        with self._changed:
            for parked in self._parked.values():
                if parked:
                    container = parked.popleft()
                    self._leaving.append((0.0, container))
                    self._changed.notify_all()
                    return container
        return None

    def drop_all(self) -> None:
        """Forget what is parked: the engine that held it is gone."""
        with self._changed:
            for parked in self._parked.values():
                self._leaving.extend((0.0, container) for container in parked)
                parked.clear()
            self._changed.notify_all()

    def dismiss(self, container: C) -> None:
        """Destroy a used container, later: never on the path of a reply. Park waits in it until then."""
        with self._changed:
            self._leaving.append((time.monotonic(), container))
            self._changed.notify_all()

    def refill_one(self) -> bool:
        """Start one container where one is missing; whether there was work."""
        with self._changed:
            self._retire()
            wanted = next((s for s in reversed(self._parked) if len(self._parked[s]) < self._size), None)
        if wanted is None or self._closing:
            return False
        try:
            if not self._may_make(wanted) or not self._gate.wait_until_quiet(0.5):
                return False
            container = self._make(wanted)
        except SandboxError as error:
            logger.warning("The pool could not be filled: %s", error)
            with self._changed:
                self._changed.wait_for(lambda: self._closing, AFTER_FAILURE_SECONDS)
            return False
        with self._changed:
            if wanted in self._parked and not self._closing:
                self._parked[wanted].append(container)
            else:
                self._leaving.append((0.0, container))
        return True

    def remove_one(self) -> bool:
        """Destroy one used container; whether there was work."""
        with self._changed:
            if not self._leaving:
                return False
            since, _ = self._leaving[0]
            patience = (
                0.0 if len(self._leaving) > MOST_REMOVALS_WAITING else since + PATIENCE_SECONDS - time.monotonic()
            )
        if patience > 0:
            self._gate.wait_until_quiet(patience)
        with self._changed:
            if not self._leaving:
                return False
            _, container = self._leaving.popleft()
        self._destroy(container)
        return True

    def _destroy(self, container: C) -> None:
        container.close()
        try:
            self._remove(container)
        except SandboxError as error:
            logger.warning("Container %s is left to the reaper: %s", container.id[:12], error)

    def _retire(self) -> None:
        """Aged containers go before their deadline; called with the lock held."""
        oldest = time.monotonic() - RETIRE_SECONDS
        for parked in self._parked.values():
            while parked and parked[0].born < oldest:
                self._leaving.append((0.0, parked.popleft()))

    def _loop(self, step: Callable[[], bool], pause: float) -> None:
        while not self._closing:
            try:
                worked = step()
            except Exception:
                logger.exception("Upkeep of the pool failed")
                worked = False
            if not worked:
                with self._changed:
                    if not self._closing:
                        self._changed.wait(pause)
