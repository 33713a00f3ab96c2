"""A lab's container for whoever works in it, so that nobody pauses or removes it in the middle.

Counts are this process's own, as is the keeper that asks them; a proof's lab in another process is never paused.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from lessons.models import LabSession
from lessons.sandbox import LabGoneError
from lessons.sandbox.lab import Lab
from lessons.services.sandboxes import current_sandbox

_changed = threading.Condition()
_used: Counter[UUID] = Counter()
_alone: set[UUID] = set()


def lab_of(row: LabSession) -> Lab:
    """The container of a lab; no call is made. Raises LabGoneError where it has none (any more)."""
    if not row.container:
        raise LabGoneError(f"lab {row.pk} has no container")
    return current_sandbox().lab(row.container, row.lab_shape)


@contextmanager
def in_use(row: LabSession) -> Iterator[Lab]:
    """Its container, which is not paused or removed meanwhile; a paused one goes on by itself when asked."""
    lab = lab_of(row)
    with _changed:
        _changed.wait_for(lambda: row.pk not in _alone)
        _used[row.pk] += 1
    try:
        yield lab
    finally:
        with _changed:
            _used[row.pk] -= 1
            if not _used[row.pk]:
                del _used[row.pk]
            _changed.notify_all()


@contextmanager
def alone_with(lab_id: UUID, *, seconds: float = 0.0) -> Iterator[bool]:
    """Nobody else uses it meanwhile: True; False where somebody does, also after ``seconds``."""
    with _changed:
        free = _changed.wait_for(lambda: not _used[lab_id] and lab_id not in _alone, seconds)
        if not _used[lab_id]:
            del _used[lab_id]  # a Counter remembers what was only looked at
        if free:
            _alone.add(lab_id)
    try:
        yield free
    finally:
        if free:
            with _changed:
                _alone.discard(lab_id)
                _changed.notify_all()
