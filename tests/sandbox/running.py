"""Small verbs for tests that run real programs in the tests' engine, and a stand-in for a run container."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lessons.contracts import Limits, Plan, Run, RunEvidence
from lessons.sandbox import Sandbox, SandboxConfig, Shell
from lessons.sandbox.limits import Shape
from lessons.sandbox.run import LABEL_PROCESS
from tests.fakes import make_run_evidence

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = ROOT / "labs" / "catalogue.yaml"
SUM = "print(sum(map(int, input().split())))\n"


def make_sandbox(socket: Path, data_dir: Path, **config: Any) -> Sandbox:
    return Sandbox(SandboxConfig(socket=socket, catalogue=CATALOGUE, data_dir=data_dir, **config))


@contextmanager
def running_sandbox(socket: Path, data_dir: Path, **config: Any) -> Iterator[Sandbox]:
    """A started sandbox with its pool filled; closed at the end, with nothing left behind."""
    sandbox = make_sandbox(socket, data_dir, **{"pool_size": 2, **config})
    sandbox.start()
    try:
        eventually(lambda: sandbox.pool.parked_count() >= sandbox.config.pool_size)
        yield sandbox
    finally:
        sandbox.close()


@contextmanager
def lab_sandbox(socket: Path, data_dir: Path, **config: Any) -> Iterator[Sandbox]:
    """A sandbox for labs; what it opened is gone at the end, learners' labs too."""
    sandbox = make_sandbox(socket, data_dir, **{"pool_size": 0, **config})
    try:
        eventually(lambda: sandbox.progress("docker").state == "ready", seconds=300)
        yield sandbox
    finally:
        sandbox.close()
        for container in labelled(sandbox):
            sandbox.lab(container).end()


def read_until(shell: Shell, wanted: bytes, seconds: float = 40.0) -> bytes:
    """What a shell says up to and with ``wanted``; fails where that does not come in time.

    What it has said after that is left to the next reader, however the bytes were cut on the way.
    """
    said = b""
    ends_at = time.monotonic() + seconds
    while wanted not in said:
        left = ends_at - time.monotonic()
        assert left > 0, f"{wanted!r} did not come, but {said[-2000:]!r}"
        if select.select([shell.socket], [], [], left)[0]:
            seen = said + shell.socket.recv(1 << 16, socket.MSG_PEEK)
            found = seen.find(wanted)
            part = shell.socket.recv((found + len(wanted) if found >= 0 else len(seen)) - len(said))
            assert part, f"the shell ended after {said[-2000:]!r}"
            said += part
    return said


def type_line(shell: Shell, line: str) -> None:
    shell.socket.sendall(f"{line}\r".encode())


def python(code: str, *, stdin: str = "", collect: tuple[str, ...] = (), environment: str = "python", **limits: Any):
    """A run of ``code`` as main.py; keywords are fields of Limits."""
    files, bounds = {"main.py": code}, Limits(**limits)
    return Run(environment, ("python3", "main.py"), stdin=stdin, files=files, collect=collect, limits=bounds)


def plan_of(run: Run) -> Plan:
    return Plan(runs={"p": run}, answer={})


def carry_out(sandbox: Sandbox, run: Run, deadline: float = 40.0) -> RunEvidence:
    return sandbox.collect(plan_of(run), owner="test", deadline=deadline).runs["p"]


def labelled(sandbox: Sandbox, process: str = "") -> set[str]:
    """Ids of run containers in the engine: of one process, by default the sandbox's own."""
    name = process or sandbox._own_process().name
    found = sandbox.engine.api.containers(all=True, filters={"label": f"{LABEL_PROCESS}={name}"})
    return {container["Id"] for container in found}


def eventually(holds: Callable[[], Any], seconds: float = 60.0) -> None:
    """Wait until it holds; fail when it does not in time."""
    ends_at = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends_at, "it did not come to hold in time"
        time.sleep(0.02)


class FakeContainer:
    """Stands where a RunContainer would: no engine, and it says how it was used."""

    def __init__(self, shape: Shape, name: str = "c0", fails: BaseException | None = None) -> None:
        self.shape, self.id, self.fails = shape, name, fails
        self.born = time.monotonic()
        self.ran: list[Run] = []
        self.began = self.parked = self.closed = False

    def begin(self) -> None:
        self.began = True

    def park(self, seconds: float) -> None:
        self.parked = True

    def carry_out(self, run: Run, deadline: float) -> RunEvidence:
        self.ran.append(run)
        if self.fails is not None:
            raise self.fails
        return make_run_evidence(limits=run.limits, inspect={"Id": self.id})

    def close(self) -> None:
        self.closed = True
