"""Opens labs: out of a pool of paused ones, or cold; and throwaway ones for questions that need a lab of their own.

An engine cannot relabel a container. Whose lab it is, and until when, therefore stands in its name from the moment it
is given away; the labels tell what was known at its start.
"""

from __future__ import annotations

import logging
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from lessons.contracts import LabShape
from lessons.sandbox.config import Entry
from lessons.sandbox.engine import Engine, engine_errors
from lessons.sandbox.errors import DeadlineError, EngineUnavailableError, LabGoneError, SandboxError
from lessons.sandbox.lab import ATTENDANT, Lab
from lessons.sandbox.limits import lab_host_config
from lessons.sandbox.pool import LIFETIME_SECONDS, Gate, Pool
from lessons.sandbox.run import LABEL_DEADLINE, LABEL_OWNER, LABEL_PROCESS, LABEL_SHAPE

logger = logging.getLogger(__name__)

LABEL_KIND = "naru.kind"
LABEL_MEMORY = "naru.memory"  # MiB
KIND_LAB = "lab"
READY_SECONDS = 150.0  # a cluster takes its time on a busy machine, an engine alone seconds
WARM_SECONDS = 30.0
MOST_THROWAWAYS = 2  # at the same time; their memory comes on top of what learners' labs may have together
# Whoever was just given a lab runs the first commands: starting the next one beside them would double their wait.
SETTLE_SECONDS = 4.0
MOST_LAB_SHAPES = 2
CALM_WINDOW_SECONDS = 1.0
CALM_SHARE = 0.25  # of one CPU: a lab that uses less has come to rest
OWNED = re.compile(r"/?naru-lab-(\d+)-(.+)-[0-9a-f]{6}$")


def owned_until(names: list[str]) -> int | None:
    """Unix seconds until which a lab of these names belongs to somebody; None for one that nobody has taken."""
    found = next((match for name in names if (match := OWNED.match(name))), None)
    return int(found[1]) if found else None


def name_of(owner: str, lifetime: float) -> str:
    """The name of a lab that belongs to ``owner`` for ``lifetime`` seconds from now."""
    plain = re.sub(r"[^a-zA-Z0-9_.-]", "-", owner)[:64]
    return f"naru-lab-{int(time.time() + lifetime)}-{plain}-{uuid.uuid4().hex[:6]}"


class LabYard:
    """``entry`` is what the catalogue says of an environment, ``process`` the label of this process; both raise
    SandboxError.

    ``is_ready`` says whether an environment's image is there; ``most_memory_mb`` bounds all labs of the engine together
    (0: no bound): labs in the pool make room, those of learners are for the caller to count.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        entry: Callable[[str], Entry],
        process: Callable[[], str],
        is_ready: Callable[[str], bool],
        gate: Gate,
        pool_size: int,
        most_memory_mb: int,
        prefill: tuple[LabShape, ...],
    ) -> None:
        self._engine, self._entry, self._process, self._is_ready = engine, entry, process, is_ready
        self._most_memory_mb = most_memory_mb
        self._throwaways = threading.BoundedSemaphore(MOST_THROWAWAYS)
        self._started = False
        self._closing = threading.Event()
        self._given_at = -SETTLE_SECONDS
        self.pool: Pool[LabShape, Lab] = Pool(
            size=pool_size,
            gate=gate,
            make=self._park,
            remove=lambda lab: lab.end(),
            prefill=prefill if pool_size else (),
            may_make=self._has_room_in_pool,
            most_shapes=MOST_LAB_SHAPES,
            name="sandbox-labs",
        )

    def start(self) -> None:
        """Begin to fill the pool and to remove behind the reply."""
        self._started = True
        self.pool.start()

    def close(self) -> None:
        """End the labs that nobody took. Learners' labs go on."""
        self._closing.set()
        self.pool.close()

    def open(self, shape: LabShape, *, owner: str, lifetime: float) -> Lab:
        """A lab of somebody's, running; one from the pool is ready, else ``wait_ready``. Raises SandboxError."""
        name = name_of(owner, lifetime)
        lab = self._from_pool(shape, name)
        return lab if lab is not None else self._begin(shape, name, owner, lifetime)

    @contextmanager
    def throwaway(self, shape: LabShape, *, owner: str, seconds: float) -> Iterator[Lab]:
        """A ready lab for one question, removed after the reply; few at a time. Raises SandboxError."""
        if not self._throwaways.acquire(timeout=seconds):
            raise DeadlineError(f"no throwaway lab was free for {owner}")
        try:
            lab = self._from_pool(shape, f"naru-fresh-{uuid.uuid4().hex[:16]}")
            if lab is None:
                lab = self._begin(shape, f"naru-fresh-{uuid.uuid4().hex[:16]}", owner, seconds + READY_SECONDS)
            try:
                try:
                    lab.wait_ready(min(seconds, READY_SECONDS))
                except LabGoneError as error:  # it was nobody's: whoever waits for it must not think of a learner's
                    raise EngineUnavailableError(f"a throwaway lab died: {error}") from error
                yield lab
            finally:
                self._dismiss(lab)
        finally:
            self._throwaways.release()

    def given(self) -> list[tuple[str, Lab]]:
        """Every lab in the engine that belongs to somebody, with its owner. Raises SandboxError."""
        with engine_errors():
            labs = self._engine.api.containers(all=True, filters={"label": f"{LABEL_KIND}={KIND_LAB}"})
        names = [(lab["Id"], match) for lab in labs for name in lab.get("Names") or [] if (match := OWNED.match(name))]
        return [(match[2], Lab(self._engine, container_id)) for container_id, match in names]

    def memory_mb(self) -> int:
        """What all labs in the engine may use together, anybody's and the pool's. Raises SandboxError."""
        with engine_errors():
            labs = self._engine.api.containers(all=True, filters={"label": f"{LABEL_KIND}={KIND_LAB}"})
        return sum(int((lab.get("Labels") or {}).get(LABEL_MEMORY) or 0) for lab in labs)

    def _from_pool(self, shape: LabShape, name: str) -> Lab | None:
        """The first one parked that still lives."""
        self._given_at = time.monotonic()
        while True:
            lab = self.pool.take(shape)
            if lab is None:
                return None
            try:
                lab.adopt(name)
                lab.resume()
            except SandboxError as error:
                logger.warning("A lab died in the pool: %s", error)
                self._engine.forget()
                self._dismiss(lab)
            else:
                return lab

    def _begin(self, shape: LabShape, name: str, owner: str, lifetime: float) -> Lab:
        """Create and start one. Raises SandboxError, with nothing left."""
        entry, runtime = self._entry(shape.environment), self._engine.lab_runtime()
        self._make_room(shape)
        config = self._config(shape, entry, runtime, owner, lifetime)
        with engine_errors():
            lab = Lab(self._engine, self._engine.api.create_container_from_config(config, name)["Id"], shape)
        try:
            with engine_errors():
                self._engine.api.start(lab.id)
        except SandboxError:
            self._dismiss(lab)
            self._engine.forget()
            raise
        return lab

    def _config(self, shape: LabShape, entry: Entry, runtime: str, owner: str, lifetime: float) -> dict[str, Any]:
        return {
            "Image": entry.image,
            "Entrypoint": [ATTENDANT, "init"],
            "Cmd": [],
            "User": "0:0",
            "Hostname": "naru",
            "Env": [f"NARU_HOSTS={','.join(shape.engines)}"],
            "AttachStdin": False,
            "Tty": False,
            "Labels": {
                LABEL_PROCESS: self._process(),
                LABEL_OWNER: owner,
                LABEL_DEADLINE: str(int(time.time() + lifetime)),
                LABEL_SHAPE: shape.environment,
                LABEL_KIND: KIND_LAB,
                LABEL_MEMORY: str(shape.memory_mb),
            },
            "HostConfig": lab_host_config(shape, runtime, entry),
        }

    def _park(self, shape: LabShape) -> Lab:
        """A lab for the pool: ready, its first container behind it (that one is the slowest), at rest, then paused, so
        that it costs memory only."""
        lab = self._begin(shape, f"naru-pool-{uuid.uuid4().hex[:16]}", "pool", LIFETIME_SECONDS)
        try:
            lab.wait_ready(READY_SECONDS)
            lab.attend("check", seconds=WARM_SECONDS)
            self._wait_for_calm(lab, self._entry(shape.environment).settle_seconds)
            lab.pause()
        except SandboxError:
            self._dismiss(lab)
            self._engine.forget()
            raise
        return lab

    def _wait_for_calm(self, lab: Lab, most: float) -> None:
        """Until the lab hardly uses its CPU, for ``most`` seconds: what a cluster still does after its start would go
        on beside the first commands of whoever is given it. Raises SandboxError."""
        ends_at = time.monotonic() + most
        used = lab.stats()["cpu_ms"] if most else 0
        while time.monotonic() < ends_at and not self._closing.wait(CALM_WINDOW_SECONDS):
            before, used = used, lab.stats()["cpu_ms"]
            if used - before < CALM_SHARE * CALM_WINDOW_SECONDS * 1000:
                return

    def _dismiss(self, lab: Lab) -> None:
        """Remove it: behind the reply where upkeep runs."""
        if self._started:
            self.pool.dismiss(lab)
            return
        try:
            lab.end()
        except SandboxError as error:
            logger.warning("Lab %s is left to the reaper: %s", lab.id[:12], error)

    def _has_room_in_pool(self, shape: LabShape) -> bool:
        if not self._is_ready(shape.environment) or time.monotonic() - self._given_at < SETTLE_SECONDS:
            return False
        return not self._most_memory_mb or self.memory_mb() + shape.memory_mb <= self._most_memory_mb

    def _make_room(self, shape: LabShape) -> None:
        """Give up parked labs where this one would not fit beside them."""
        if not self._most_memory_mb or not self.pool.parked_count():
            return
        over = self.memory_mb() + shape.memory_mb - self._most_memory_mb
        while over > 0:
            evicted = self.pool.evict()
            if evicted is None:
                return
            over -= evicted.shape.memory_mb if evicted.shape else 0
