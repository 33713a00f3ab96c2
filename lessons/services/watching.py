"""Watches labs while learners work: records what their engines do, and looks at the passive checks as they do it.

One thread a lab, asleep until its engine tells something. A look counts for nothing but what latches; 채점 counts.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from django.db import DatabaseError, connection

from lessons import graders
from lessons.models import LabSession, LabState
from lessons.sandbox import EventStream, SandboxError
from lessons.services.lab_events import compact, heard_until, is_traffic, record_events, record_traffic
from lessons.services.lab_records import is_seen, look
from lessons.services.lab_steps import keep_step, note_first
from lessons.services.lab_upkeep import note_death
from lessons.services.lab_use import in_use, lab_of

logger = logging.getLogger(__name__)

QUIET_SECONDS = 0.3  # news come in bursts: one look after each
BURST_SECONDS = 1.5  # but not later than this after its first
AFTER_SECONDS = 2.0  # and once more, for what takes a moment to come up
WAIT_SECONDS = 1.0
RETRY_SECONDS = 0.5
LATEST_RETRY_SECONDS = 10.0
TRAFFIC_SECONDS = 5.0  # requests that go on are no news: written down so often, and whenever something else is


class Watcher:
    """One lab's. ``read_once`` is a step for tests; ``start`` lets a thread make them."""

    def __init__(self, lab_id: UUID) -> None:
        self.lab_id = lab_id
        self._faults = 0  # one after the other
        self._stream: EventStream | None = None
        self._fresh: list[dict[str, Any]] = []
        self._streams: frozenset[str] = frozenset()  # ids of the requests that go on
        self._traffic: list[dict[str, Any]] = []
        self._written_at = 0.0
        self._hurry = False  # somebody waits for what was heard to be written down
        self._since: float | None = None  # of the first news not looked at yet
        self._last = 0.0
        self._again_at: float | None = None
        self._nudged = True  # the first look shows where the learner stands
        self._stopping = threading.Event()
        self._settled = threading.Condition()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name=f"lab-watch-{str(self.lab_id)[:8]}", daemon=True)
        self._thread.start()

    def stop(self, *, within: float = 3.0) -> None:
        """Write down what was heard and end; twice is fine."""
        self._stopping.set()
        stream = self._stream
        if stream is not None:
            stream.close()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(within)

    def nudge(self) -> None:
        """Look soon, though the engine told nothing."""
        self._nudged = True

    def settle(self, seconds: float) -> bool:
        """Wait until the requests that were heard of are written down; False after ``seconds``."""
        ends_at = time.monotonic() + seconds
        if self._streams:
            time.sleep(QUIET_SECONDS)  # what was answered just now is on its way
        with self._settled:
            self._hurry = bool(self._traffic)
            while self._hurry:
                if time.monotonic() >= ends_at:
                    return False
                self._settled.wait(QUIET_SECONDS / 2)
        return True

    def read_once(self, seconds: float = WAIT_SECONDS) -> bool:
        """Take in what the engine tells within ``seconds``, and look when it is time; whether anything was done.

        Raises SandboxError when the stream ended by itself.
        """
        if self._stream is None:
            self._open()
        assert self._stream is not None  # noqa: S101 - for the type checker: opened right above
        event = self._stream.read(self._wait_seconds(seconds))
        now = time.monotonic()
        self._faults = 0
        if event is not None and is_traffic(event):
            self._take_traffic(compact(event))
        elif event is not None:
            self._fresh.append(compact(event))
            self._since = self._since or now
            self._last = now
        if self._traffic and (self._hurry or now - self._written_at >= TRAFFIC_SECONDS):
            self._record()
        if not self._is_due(now, quiet=event is None):
            return event is not None
        self._record()
        self._look(now)
        return True

    def _take_traffic(self, second: dict[str, Any]) -> None:
        if second["event"]["Actor"]["ID"] in self._streams:
            self._traffic.append(second)

    def _wait_seconds(self, most: float) -> float:
        if self._since is not None or self._nudged:
            return min(most, QUIET_SECONDS)
        if self._again_at is not None:
            return min(most, max(0.0, self._again_at - time.monotonic()))
        return most

    def _is_due(self, now: float, *, quiet: bool) -> bool:
        if self._since is not None:
            return quiet or now - self._since >= BURST_SECONDS
        return self._nudged or (self._again_at is not None and now >= self._again_at)

    def _look(self, now: float) -> None:
        """One look, and a second one later: after news, and where a step is to be kept but it is too early."""
        had_news, self._since, self._nudged = self._since is not None, None, False
        self._again_at = now + AFTER_SECONDS if had_news else None
        row = LabSession.objects.slim().filter(pk=self.lab_id).first()
        if row is None or row.state != LabState.READY or not is_seen(row):
            return
        with in_use(row):  # the step is of what the look saw: nobody puts the lab back in between
            later = self._look_and_keep()
        if later and self._again_at is None:
            self._again_at = now + later

    def _look_and_keep(self) -> float:
        """Seconds after which to try again to keep a step, 0.0: no need to."""
        row = LabSession.objects.select_related("revision", "exercise").get(pk=self.lab_id)
        results = look(row)
        if row.results_at is not None:
            return keep_step(row, results)
        note_first(row, results)
        return 0.0

    def _record(self) -> None:
        if self._fresh:
            record_events(self.lab_id, self._fresh)
        if self._traffic:
            record_traffic(self.lab_id, self._traffic)
        with self._settled:
            self._fresh, self._traffic, self._hurry = [], [], False
            self._written_at = time.monotonic()
            self._settled.notify_all()

    def _open(self) -> None:
        row = LabSession.objects.select_related("revision", "exercise").get(pk=self.lab_id)
        streams = graders.streams(row.revision.spec, row.seed)
        self._streams = frozenset(str(stream["id"]) for stream in streams)
        self._stream = lab_of(row).events(since=heard_until(row), streams=streams)

    def _run(self) -> None:
        try:
            while not self._stopping.is_set() and self._survives(self.read_once):
                pass
            self._survives(self._record)
        finally:
            if self._stream is not None:
                self._stream.close()
            connection.close()

    def _survives(self, step: Callable[[], Any]) -> bool:
        """One step; False when the lab is over."""
        try:
            step()
        except LabSession.DoesNotExist:
            return False
        except SandboxError as error:
            return self._after_fault(error)
        except DatabaseError:
            logger.exception("Lab %s: the database did not answer; going on", self.lab_id)
            connection.close()
            self._nudged = True
            self._stopping.wait(RETRY_SECONDS)
        except Exception:
            logger.exception("Lab %s: a look failed; going on", self.lab_id)
            self._since, self._nudged = None, False
            self._stopping.wait(RETRY_SECONDS)
        return True

    def _after_fault(self, error: SandboxError) -> bool:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
        if self._stopping.is_set():
            return False
        if error.reason == "lab":
            row = LabSession.objects.slim().filter(pk=self.lab_id).first()
            if row is not None:
                note_death(row)
            return False
        logger.info("Lab %s: its events stopped, trying again: %s", self.lab_id, error)
        self._nudged = True  # a question tells whether the engine inside still lives
        self._faults += 1
        self._stopping.wait(min(RETRY_SECONDS * 2 ** min(self._faults, 5), LATEST_RETRY_SECONDS))
        return True


_lock = threading.Lock()
_watchers: dict[UUID, Watcher] = {}


def follow(rows: Iterable[LabSession]) -> bool:
    """Watch exactly these labs; whether any watcher came or went."""
    wanted = {row.pk for row in rows}
    with _lock:
        leaving = [_watchers.pop(lab_id) for lab_id in list(_watchers) if lab_id not in wanted]
        coming = [Watcher(lab_id) for lab_id in wanted if lab_id not in _watchers]
        _watchers.update({watcher.lab_id: watcher for watcher in coming})
    for watcher in leaving:
        watcher.stop(within=0.0)
    for watcher in coming:
        watcher.start()
    return bool(leaving or coming)


def begin(lab_id: UUID) -> None:
    """Watch this lab, beside those that are followed."""
    with _lock:
        watcher = _watchers.setdefault(lab_id, Watcher(lab_id))
    watcher.start()


def nudge(lab_id: UUID) -> None:
    """Somebody came back to the lab: look soon."""
    watcher = _watchers.get(lab_id)
    if watcher is not None:
        watcher.nudge()


def settle(lab_id: UUID, *, seconds: float) -> None:
    """Let the requests that were heard of be written down, for at most ``seconds``."""
    watcher = _watchers.get(lab_id)
    if watcher is not None:
        watcher.settle(seconds)


def stop(lab_id: UUID) -> None:
    """Watch this lab no more."""
    with _lock:
        watcher = _watchers.pop(lab_id, None)
    if watcher is not None:
        watcher.stop()


def stop_all() -> None:
    """Watch nothing any more."""
    with _lock:
        watchers = list(_watchers.values())
        _watchers.clear()
    for watcher in watchers:
        watcher.stop()
