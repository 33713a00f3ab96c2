"""Removes containers that outlived their deadline or whose process has died.

A learner's lab outlives the process that opened it: of it only the deadline counts, which its name tells.

A process is alive while it holds the lock of its file in ``processes/``: the kernel lets go of it
however the process ends. A name without a file there is not known to be dead: only the deadline counts.
"""

from __future__ import annotations

import fcntl
import logging
import threading
import time
import uuid
from collections.abc import Collection
from pathlib import Path
from typing import Any

from lessons.sandbox.engine import Engine, engine_errors, remove_container
from lessons.sandbox.errors import SandboxError
from lessons.sandbox.lab_pool import owned_until
from lessons.sandbox.run import LABEL_DEADLINE, LABEL_PROCESS

logger = logging.getLogger(__name__)

EVERY_SECONDS = 60.0


class ProcessLock:
    """This process's sign of life. ``name`` is the label of its containers."""

    def __init__(self, data_dir: Path) -> None:
        """Raises OSError where the folder takes no file."""
        self.name = uuid.uuid4().hex
        self.folder = data_dir / "processes"
        self.folder.mkdir(parents=True, exist_ok=True)
        unnamed = self.folder / f"{self.name}.new"
        self._file = unnamed.open("w")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        unnamed.rename(unnamed.with_suffix(".lock"))  # never seen without its lock

    def dead(self) -> set[str]:
        """Names of processes that have ended and whose file is still there."""
        return {path.stem for path in self.folder.glob("*.lock") if path.stem != self.name and not _is_locked(path)}

    def forget(self, names: Collection[str]) -> None:
        """Clear away the files of dead processes, once nothing of theirs is left."""
        for name in names:
            (self.folder / f"{name}.lock").unlink(missing_ok=True)

    def release(self) -> None:
        """Let go. The file stays: whoever reaps next looks for what could not be removed, and clears it away."""
        self._file.close()


def _is_locked(path: Path) -> bool:
    try:
        file = path.open("r")
    except FileNotFoundError:  # another reaper was faster
        return True
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


class Reaper:
    """Runs at start and every minute."""

    def __init__(self, engine: Engine, process: ProcessLock) -> None:
        self._engine, self._process = engine, process
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._loop, name="sandbox-reaper", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=30)

    def reap(self) -> int:
        """Remove what is overdue or orphaned; how many went. Raises SandboxError."""
        dead = self._process.dead()
        with engine_errors():
            found = self._engine.api.containers(all=True, filters={"label": LABEL_PROCESS})
        gone = 0
        for container in found:
            if self._may_go(container, dead):
                paused = container.get("State") == "paused"
                remove_container(self._engine.api, container["Id"], may_be_paused=paused)
                gone += 1
        self._process.forget(dead)
        return gone

    def _may_go(self, container: dict[str, Any], dead: Collection[str]) -> bool:
        owned = owned_until(container.get("Names") or [])
        if owned is not None:
            return owned < time.time()
        labels = container.get("Labels") or {}
        return int(labels.get(LABEL_DEADLINE) or 0) < time.time() or labels[LABEL_PROCESS] in dead

    def _loop(self) -> None:
        while True:
            try:
                gone = self.reap()
                if gone:
                    logger.info("Removed %d containers that nobody waits for", gone)
            except SandboxError as error:
                logger.warning("The reaper found no engine: %s", error)
            if self._stop.wait(EVERY_SECONDS):
                return
