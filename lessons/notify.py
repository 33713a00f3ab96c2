"""Wake who waits for a submission or a lab in this process. Carries an id, never a verdict: read the row.

In a process that grades nothing nobody is woken; waiting there ends by its timeout.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable
from uuid import UUID

REMEMBERED = 2000  # changes kept for who begins to wait only after them

_lock = threading.Lock()
_waiters: dict[UUID, list[threading.Event]] = {}
_changed: OrderedDict[UUID, None] = OrderedDict()
_listeners: dict[UUID, set[_Listener]] = {}
_lab_waiters: dict[UUID, set[threading.Event]] = {}


class _Listener:
    """One coroutine that follows a lab, reachable from any thread."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.event = asyncio.Event()

    def tell(self) -> None:
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.event.set)


def lab_changed(lab_id: UUID) -> None:
    """Something of the lab's row changed (state, results, warning): wake who follows it. From any thread."""
    with _lock:
        for listener in _listeners.get(lab_id, ()):
            listener.tell()
        for event in _lab_waiters.get(lab_id, ()):
            event.set()


def wait_for_lab(lab_id: UUID, timeout: float, settled: Callable[[], bool]) -> bool:
    """Wait at most ``timeout`` seconds until ``settled()``, asked now and after each change; what it said last."""
    event = threading.Event()
    with _lock:
        _lab_waiters.setdefault(lab_id, set()).add(event)
    try:
        ends_at = time.monotonic() + timeout
        while not (done := settled()):
            left = ends_at - time.monotonic()
            if left <= 0 or not event.wait(left):
                return False
            event.clear()
        return done
    finally:
        with _lock:
            rest = _lab_waiters.get(lab_id, set())
            rest.discard(event)
            if not rest:
                _lab_waiters.pop(lab_id, None)


async def lab_changes(lab_id: UUID) -> AsyncGenerator[None, None]:
    """One item for each change from now on; changes that come faster than they are taken are one.

    Begins to listen at the first ``anext``; close the generator (``aclosing``) when done.
    """
    listener = _Listener()
    with _lock:
        _listeners.setdefault(lab_id, set()).add(listener)
    try:
        while True:
            await listener.event.wait()
            listener.event.clear()
            yield
    finally:
        with _lock:
            rest = _listeners.get(lab_id, set())
            rest.discard(listener)
            if not rest:
                _listeners.pop(lab_id, None)


def submission_changed(submission_id: UUID) -> None:
    """The submission is finished or broken: wake who waits for it, now or a moment later."""
    with _lock:
        _changed[submission_id] = None
        _changed.move_to_end(submission_id)
        while len(_changed) > REMEMBERED:
            _changed.popitem(last=False)
        for event in _waiters.pop(submission_id, []):
            event.set()


def forget(submission_id: UUID) -> None:
    """The submission is open again: who waits from now on waits for its next end."""
    with _lock:
        _changed.pop(submission_id, None)


def wait_for(submission_id: UUID, timeout: float) -> bool:
    """Wait at most ``timeout`` seconds for the end of a submission; True if it came, also shortly before."""
    event = threading.Event()
    with _lock:
        if submission_id in _changed:
            return True
        _waiters.setdefault(submission_id, []).append(event)
    came = event.wait(timeout)
    if not came:
        with _lock:
            waiting = _waiters.get(submission_id, [])
            if event in waiting:
                waiting.remove(event)
            if not waiting:
                _waiters.pop(submission_id, None)
    return came
