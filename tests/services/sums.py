"""A sandbox that knows the sum exercise of tests.factories: it answers without a container."""

from __future__ import annotations

import threading
import time

from lessons.contracts import Ended, Evidence, Plan, Run, RunEvidence
from lessons.sandbox import EnvironmentState, Finding, SandboxConfig, SandboxError
from tests.factories import SUM_SOLUTION, SUM_STARTER


class SumSandbox:
    """Set ``outage`` to make every collect raise it, ``seconds`` to make it take time."""

    def __init__(self, config: SandboxConfig | None = None) -> None:
        self.outage: SandboxError | None = None
        self.building = False
        self.seconds = 0.0
        self.findings: list[Finding] = []
        self.closed = False
        self.most_at_once = 0
        self._running = 0
        self._lock = threading.Lock()

    def collect(self, plan: Plan, *, owner: str, deadline: float) -> Evidence:
        with self._lock:
            self._running += 1
            self.most_at_once = max(self.most_at_once, self._running)
        try:
            time.sleep(self.seconds)
            if self.outage is not None:
                raise self.outage
            return Evidence({probe: self._run(run) for probe, run in plan.runs.items()}, {"start": 1, "run": 2})
        finally:
            with self._lock:
                self._running -= 1

    def start(self) -> None:
        self.closed = False

    def close(self) -> None:
        self.closed = True

    def health(self) -> list[Finding]:
        return self.findings

    def environments(self) -> dict[str, EnvironmentState]:
        return {"python": EnvironmentState.BUILDING if self.building else EnvironmentState.READY}

    def _run(self, run: Run) -> RunEvidence:
        numbers = [int(word) for word in run.stdin.split()]
        program = run.files.get("main.py", "")
        shown = {SUM_SOLUTION: sum(numbers), SUM_STARTER: numbers[0] if numbers else 0}.get(program, 7)
        return RunEvidence(
            ended=Ended.EXIT,
            exit_code=0,
            stdout=f"{shown}\n".encode(),
            stderr=b"",
            files={},
            limits=run.limits,
            inspect={},
            cpu_ms=12,
            peak_mb=8.5,
            wall_ms=20,
        )
