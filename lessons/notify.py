"""Wake who waits for a submission in this process. Carries an id, never a verdict: read the row.

In a process that grades nothing nobody is woken; waiting there ends by its timeout.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from uuid import UUID

REMEMBERED = 2000  # changes kept for who begins to wait only after them

_lock = threading.Lock()
_waiters: dict[UUID, list[threading.Event]] = {}
_changed: OrderedDict[UUID, None] = OrderedDict()


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
