"""Runs a plan in throwaway containers on Naru's own engine and brings back evidence.

The only package that imports docker. It knows no Django and no settings: limits and paths come as
arguments. Every container is used once and removed after the reply.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path

from lessons.contracts import Evidence, Limits, Plan, Run, RunEvidence
from lessons.sandbox.config import EnvironmentState, Finding, Progress, SandboxConfig, images_of
from lessons.sandbox.engine import Engine, engine_errors, remove_container
from lessons.sandbox.errors import (
    DeadlineError,
    EngineFullError,
    EngineUnavailableError,
    EnvironmentMissingError,
    LabGoneError,
    LabTooLargeError,
    SandboxError,
)
from lessons.sandbox.health import examine
from lessons.sandbox.limits import Shape, shape_of
from lessons.sandbox.pool import LIFETIME_SECONDS, Gate, Pool
from lessons.sandbox.reaper import ProcessLock, Reaper
from lessons.sandbox.run import LABEL_OWNER, LABEL_PROCESS, RunContainer

__all__ = [
    "DeadlineError",
    "EngineFullError",
    "EngineUnavailableError",
    "EnvironmentMissingError",
    "EnvironmentState",
    "Finding",
    "LabGoneError",
    "LabTooLargeError",
    "Progress",
    "Sandbox",
    "SandboxConfig",
    "SandboxError",
]

PARK_SECONDS = 15.0


class Sandbox:
    """One a process. Without ``start`` there is no warm pool and every run takes the cold path."""

    def __init__(self, config: SandboxConfig) -> None:
        self.config = config
        self.engine = Engine(config)
        self._slots = threading.BoundedSemaphore(config.runs_in_flight)
        self._gate = Gate(busy_from=max(1, config.runs_in_flight // 2))
        self._images: dict[str, str] = {}
        self._lock = threading.Lock()
        self._process: ProcessLock | None = None
        self._reaper: Reaper | None = None
        self._upkeep = False
        self.pool = Pool(
            size=config.pool_size,
            gate=self._gate,
            make=self._park,
            remove=lambda container: remove_container(self.engine.api, container.id),
            prefill=self._prefill() if config.pool_size else (),
        )

    def _prefill(self) -> tuple[Shape, ...]:
        """What the pool keeps before anybody has asked; nothing while the catalogue cannot be read."""
        try:
            return (Shape(self.default_environment(), Limits().memory_mb),)
        except EnvironmentMissingError:
            return ()

    def start(self) -> None:
        """Begin upkeep: reaper, removal, warm pool. The engine need not be there yet."""
        with self._lock:
            if self._upkeep:
                return
            self._upkeep = True
        self._reaper = Reaper(self.engine, self._own_process())
        self._reaper.start()
        self.pool.start()

    def close(self) -> None:
        """End upkeep and remove every container of this process that is left."""
        if self._reaper is not None:
            self._reaper.close()
        self.pool.close()
        if self._process is not None:
            self._process.release()

    def collect(self, plan: Plan, *, owner: str, deadline: float) -> Evidence:
        """Carry out every run of the plan, one after the other, each in a container of its own.

        ``owner`` names the submission in errors and on containers started for it; ``deadline`` is seconds
        from now for all of it.
        Raises SandboxError only.
        """
        ends_at = time.monotonic() + deadline
        runs: dict[str, RunEvidence] = {}
        timings = {"wait": 0, "start": 0, "run": 0, "pooled": 0}
        for probe, run in plan.runs.items():
            began = time.monotonic()
            if not self._slots.acquire(timeout=max(0.0, ends_at - began)):
                raise DeadlineError(f"no free slot for {owner}")
            try:
                with self._gate:
                    timings["wait"] += _ms(began)
                    runs[probe] = self._run(run, owner, ends_at, timings)
            finally:
                self._slots.release()
        return Evidence(runs=runs, timings=timings)

    def _run(self, run: Run, owner: str, ends_at: float, timings: dict[str, int]) -> RunEvidence:
        container = self.pool.take(shape_of(run))
        if container is not None:
            timings["pooled"] += 1
            try:
                return self._carry_out(container, run, ends_at, timings)
            except DeadlineError:
                raise
            except SandboxError:
                # It may have died while parked, with its engine: the cold path tells which.
                self.pool.drop_all()
                self.engine.forget()
        began = time.monotonic()
        container = self._begin(shape_of(run), owner)
        timings["start"] += _ms(began)
        return self._carry_out(container, run, ends_at, timings)

    def _carry_out(self, container: RunContainer, run: Run, ends_at: float, timings: dict[str, int]) -> RunEvidence:
        began = time.monotonic()
        try:
            return container.carry_out(run, ends_at)
        except SandboxError:
            self.engine.forget()
            raise
        finally:
            timings["run"] += _ms(began)
            self._dismiss(container)

    def _dismiss(self, container: RunContainer) -> None:
        if self._upkeep:
            self.pool.dismiss(container)
            return
        container.close()
        threading.Thread(target=self._remove_quietly, args=(container.id,), name="sandbox-removal").start()

    def _remove_quietly(self, container_id: str) -> None:
        try:
            remove_container(self.engine.api, container_id)
        except SandboxError:
            return  # the reaper's: its deadline is on it

    def _begin(self, shape: Shape, owner: str, lifetime: float = 120.0) -> RunContainer:
        image = self._image(shape.environment)
        labels = {LABEL_PROCESS: self._own_process().name, LABEL_OWNER: owner}
        container = RunContainer(self.engine, shape, image, labels, lifetime)
        try:
            container.begin()
        except SandboxError:
            self._dismiss(container)
            self.engine.forget()
            raise
        return container

    def _park(self, shape: Shape) -> RunContainer:
        """A container for the pool, started and looked at."""
        container = self._begin(shape, "pool", LIFETIME_SECONDS)
        try:
            container.park(PARK_SECONDS)
        except SandboxError:
            self._dismiss(container)
            self.engine.forget()
            raise
        return container

    def _image(self, environment: str) -> str:
        images = self._catalogue()
        if environment not in images:
            raise EnvironmentMissingError(f"no environment {environment!r} in the catalogue")
        return images[environment]

    def _catalogue(self) -> dict[str, str]:
        """Environment -> image, one at least, read once. Raises EnvironmentMissingError."""
        if not self._images:
            try:
                self._images = images_of(self.config.catalogue)
            except (OSError, ValueError) as error:
                raise EnvironmentMissingError(f"{self.config.catalogue}: {error}") from error
        return self._images

    def default_environment(self) -> str:
        """The first of the catalogue. Raises EnvironmentMissingError when it cannot be read."""
        return next(iter(self._catalogue()))

    def _own_process(self) -> ProcessLock:
        with self._lock:
            if self._process is None:
                try:
                    self._process = ProcessLock(self.config.data_dir)
                except OSError as error:
                    raise EngineFullError(f"no lock file in {self.config.data_dir}: {error}") from error
            return self._process

    def environments(self) -> dict[str, EnvironmentState]:
        """State of every environment of the catalogue. Raises SandboxError when the engine does not answer."""
        images = self._catalogue()
        with engine_errors():
            tags = {tag for image in self.engine.api.images() for tag in image.get("RepoTags") or []}
        importing = not self._ready_file().exists()
        absent = EnvironmentState.BUILDING if importing else EnvironmentState.MISSING
        return {name: EnvironmentState.READY if f"{image}:latest" in tags else absent for name, image in images.items()}

    def _ready_file(self) -> Path:
        """The engine's entrypoint writes it beside the socket once all images are imported."""
        return self.config.socket.parent / "ready"

    def health(self) -> list[Finding]:
        """What a look at the engine shows: versions, runtime, images, and a probe inside a real run."""
        return examine(self)


def _ms(since: float) -> int:
    return round((time.monotonic() - since) * 1000)
