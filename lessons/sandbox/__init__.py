"""Runs a plan in throwaway containers on Naru's own engine and brings back evidence; opens labs there for learners.

The only package that imports docker. It knows no Django and no settings: limits and paths come as
arguments. Every container of a run is used once and removed after the reply; a lab lives until somebody ends it, or
until its deadline.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from lessons.contracts import Evidence, LabShape, Limits, Plan, Run, RunEvidence
from lessons.sandbox.asks import Answering
from lessons.sandbox.config import EnvironmentState, Finding, Progress, SandboxConfig
from lessons.sandbox.engine import Engine, remove_container
from lessons.sandbox.errors import (
    DeadlineError,
    EngineFullError,
    EngineUnavailableError,
    EnvironmentMissingError,
    LabGoneError,
    LabTooLargeError,
    SandboxError,
)
from lessons.sandbox.events import EventStream
from lessons.sandbox.health import examine
from lessons.sandbox.images import Images
from lessons.sandbox.lab import Lab
from lessons.sandbox.lab_pool import READY_SECONDS, LabYard
from lessons.sandbox.limits import Shape, shape_of
from lessons.sandbox.pool import LIFETIME_SECONDS, Gate, Pool
from lessons.sandbox.reaper import ProcessLock, Reaper
from lessons.sandbox.run import LABEL_OWNER, LABEL_PROCESS, RunContainer
from lessons.sandbox.shell import Shell

__all__ = [
    "READY_SECONDS",
    "DeadlineError",
    "EngineFullError",
    "EngineUnavailableError",
    "EnvironmentMissingError",
    "EnvironmentState",
    "EventStream",
    "Finding",
    "Lab",
    "LabGoneError",
    "LabTooLargeError",
    "Progress",
    "Sandbox",
    "SandboxConfig",
    "SandboxError",
    "Shell",
]

PARK_SECONDS = 15.0


class Sandbox:
    """One a process. Without ``start`` there is no warm pool and every run takes the cold path."""

    def __init__(self, config: SandboxConfig) -> None:
        self.config = config
        self.engine = Engine(config)
        self._slots = threading.BoundedSemaphore(config.runs_in_flight)
        self._gate = Gate(busy_from=max(1, config.runs_in_flight // 2))
        self.images = Images(config, self.engine)
        self._lock = threading.Lock()
        self._process: ProcessLock | None = None
        self._reaper: Reaper | None = None
        self._upkeep = False
        self.pool: Pool[Shape, RunContainer] = Pool(
            size=config.pool_size,
            gate=self._gate,
            make=self._park,
            remove=lambda container: remove_container(self.engine.api, container.id),
            prefill=self._prefill() if config.pool_size else (),
        )
        first_lab = self.images.first_lab()
        self.labs = LabYard(
            self.engine,
            entry=self.images.lab_entry,
            process=lambda: self._own_process().name,
            is_ready=self.images.lab_is_ready,
            gate=self._gate,
            pool_size=config.lab_pool_size,
            most_memory_mb=config.lab_memory_mb,
            prefill=(first_lab,) if first_lab else (),
        )
        self._answering = Answering(self.labs, slot=self._slot, shape=self.images.shape_of_lab)

    def _prefill(self) -> tuple[Shape, ...]:
        """What the pool keeps before anybody has asked; nothing while the catalogue cannot be read."""
        try:
            return (Shape(self.default_environment(), Limits().memory_mb),)
        except EnvironmentMissingError:
            return ()

    def start(self) -> None:
        """Begin upkeep: reaper, removal, warm pools. The engine need not be there yet."""
        with self._lock:
            if self._upkeep:
                return
            self._upkeep = True
        self._reaper = Reaper(self.engine, self._own_process())
        self._reaper.start()
        self.pool.start()
        self.labs.start()

    def close(self) -> None:
        """End upkeep and remove every container of this process that is left, but the labs of learners: they go on,
        until their deadline at most."""
        if self._reaper is not None:
            self._reaper.close()
        self.labs.close()
        self.pool.close()
        if self._process is not None:
            self._process.release()

    def collect(
        self,
        plan: Plan,
        *,
        owner: str,
        deadline: float,
        lab: Lab | None = None,
        recorded: Mapping[str, Any] | None = None,
    ) -> Evidence:
        """Carry out every run of the plan, one after the other, each in a container of its own, then ask its questions.

        ``owner`` names the submission in errors and on containers started for it; ``deadline`` is seconds
        from now for all of it. ``lab`` answers what is asked of the learner's; ``recorded`` holds what the
        portal recorded of it: ``events``, and ``streams`` by their id. Raises SandboxError only: LabGoneError when the
        learner's lab has ended.
        """
        ends_at = time.monotonic() + deadline
        runs: dict[str, RunEvidence] = {}
        timings = {"wait": 0, "start": 0, "run": 0, "pooled": 0}
        for probe, run in plan.runs.items():
            began = time.monotonic()
            with self._slot(owner, ends_at):
                timings["wait"] += _ms(began)
                runs[probe] = self._run(run, owner, ends_at, timings)
        began = time.monotonic()
        answers = self._answering.answers(plan.asks, lab, recorded or {}, owner, ends_at)
        if plan.asks:
            timings["ask"] = _ms(began)
        return Evidence(runs=runs, timings=timings, answers=answers)

    @contextmanager
    def _slot(self, owner: str, ends_at: float) -> Iterator[None]:
        """One of the slots for what runs at the same time; upkeep waits meanwhile. Raises DeadlineError."""
        if not self._slots.acquire(timeout=max(0.0, ends_at - time.monotonic())):
            raise DeadlineError(f"no free slot for {owner}")
        try:
            with self._gate:
                yield
        finally:
            self._slots.release()

    def open_lab(self, shape: LabShape, *, owner: str, lifetime: float) -> Lab:
        """A lab for ``owner`` (an id without blanks), from the pool or cold; then ``wait_ready``.

        The reaper takes it after ``lifetime`` seconds, whatever becomes of this process. Raises SandboxError.
        """
        return self.labs.open(shape, owner=owner, lifetime=lifetime)

    def lab(self, container_id: str, shape: LabShape | None = None) -> Lab:
        """One that was opened before, perhaps by another process. No call is made."""
        return Lab(self.engine, container_id, shape)

    def given_labs(self) -> list[tuple[str, Lab]]:
        """(owner, lab) of every lab that was opened and not ended, also by other processes. Raises SandboxError."""
        return self.labs.given()

    def progress(self, environment: str) -> Progress:
        """How far the image of an environment is. No call is made. Raises EnvironmentMissingError."""
        return self.images.progress(environment)

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
        image = self.images.of_run(shape.environment)
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

    def default_environment(self) -> str:
        """The first of the catalogue that runs are made in. Raises EnvironmentMissingError when it cannot be read."""
        return self.images.default()

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
        return self.images.states()

    def health(self) -> list[Finding]:
        """What a look at the engine shows: versions, runtime, images, and a probe inside a real run."""
        return examine(self)


def _ms(since: float) -> int:
    return round((time.monotonic() - since) * 1000)
