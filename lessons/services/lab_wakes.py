"""Lets the keeper look at once: somebody asked for a lab, ended one, or came back to a paused one."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

_listener: Callable[[UUID | None], None] | None = None


def listen(listener: Callable[[UUID | None], None] | None) -> None:
    """Whom to tell in this process; None: nobody any more."""
    global _listener  # one keeper a process
    _listener = listener


def is_heard() -> bool:
    """Whether a keeper of this process listens."""
    return _listener is not None


def wake(lab_id: UUID | None = None) -> None:
    """Look now; ``lab_id`` names a paused lab that is needed. Where no keeper runs nothing happens."""
    if _listener is not None:
        _listener(lab_id)
