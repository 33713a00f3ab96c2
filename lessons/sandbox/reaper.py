"""Removes run containers that outlived their deadline or whose process has died.

A process is alive while it holds the lock of its file in ``processes/``: the kernel lets go of it
however the process ends.
"""

from __future__ import annotations

import fcntl
import logging
import threading
import time
import uuid
from pathlib import Path

from lessons.sandbox.engine import Engine, engine_errors, remove_container
from lessons.sandbox.errors import SandboxError
from lessons.sandbox.run import LABEL_DEADLINE, LABEL_PROCESS

logger = logging.getLogger(__name__)

EVERY_SECONDS = 60.0


class ProcessLock:
    """This process's sign of life. ``name`` is the label of its containers."""

    def __init__(self, data_dir: Path) -> None:
        self.name = uuid.uuid4().hex
        self.folder = data_dir / "processes"
        self.folder.mkdir(parents=True, exist_ok=True)
        self._file = (self.folder / f"{self.name}.lock").open("w")
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def is_alive(self, name: str) -> bool:
        """Whether another process with that name holds its lock. Dead ones' files are cleared away."""
        if name == self.name:
            return True
        path = self.folder / f"{name}.lock"
        if "/" in name or not path.is_file():
            return False
        with path.open("r") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        path.unlink(missing_ok=True)
        return False

    def release(self) -> None:
        (self.folder / f"{self.name}.lock").unlink(missing_ok=True)
        self._file.close()


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
        with engine_errors():
            found = self._engine.api.containers(all=True, filters={"label": LABEL_PROCESS})
        gone = 0
        for container in found:
            labels = container.get("Labels") or {}
            overdue = int(labels.get(LABEL_DEADLINE) or 0) < time.time()
            if overdue or not self._process.is_alive(labels[LABEL_PROCESS]):
                remove_container(self._engine.api, container["Id"])
                gone += 1
        return gone

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
