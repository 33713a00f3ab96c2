"""Threads that work on labs beside the keeper."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from django.db import connection

from lessons.models import LabSession

logger = logging.getLogger(__name__)


class Helpers:
    """At most ``most`` threads, each for one piece of work; daemons: a stuck one keeps no process from its end."""

    def __init__(self, name: str, most: int) -> None:
        self._name = name
        self._free = threading.BoundedSemaphore(most)

    def begin(self, take: Callable[[], LabSession | None], work: Callable[[LabSession], object]) -> bool:
        """``take`` a row if a thread is free, and let it ``work`` on it; whether there was one."""
        if not self._free.acquire(blocking=False):
            return False
        row = None
        try:
            row = take()
        finally:
            if row is None:
                self._free.release()
        if row is None:
            return False
        threading.Thread(target=self._work, args=(work, row), name=self._name, daemon=True).start()
        return True

    def _work(self, work: Callable[[LabSession], object], row: LabSession) -> None:
        try:
            work(row)
        except Exception:
            logger.exception("Lab %s: work on it failed; it is tried again", row.pk)
        finally:
            connection.close()
            self._free.release()
