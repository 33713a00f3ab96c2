"""A sandbox that knows the sum exercise of tests.factories: it answers without a container."""

from __future__ import annotations

import threading
import time

from lessons.contracts import Run, RunEvidence
from lessons.sandbox import SandboxConfig
from tests.factories import SUM_SOLUTION, SUM_STARTER
from tests.fakes import FakeSandbox, make_run_evidence


class SumSandbox(FakeSandbox):
    """Each run takes ``seconds``; ``most_at_once`` is how many plans were collected side by side."""

    def __init__(self, config: SandboxConfig | None = None) -> None:
        super().__init__(config)
        self.behave = add_up
        self.seconds = 0.0
        self.most_at_once = 0
        self._running = 0
        self._lock = threading.Lock()

    def collect(self, *args, **options):
        with self._lock:
            self._running += 1
            self.most_at_once = max(self.most_at_once, self._running)
        try:
            time.sleep(self.seconds)
            return super().collect(*args, **options)
        finally:
            with self._lock:
                self._running -= 1


def add_up(run: Run) -> RunEvidence:
    """The solution adds, the starter shows the first number, everything else prints 7."""
    numbers = [int(word) for word in run.stdin.split()]
    shown = {SUM_SOLUTION: sum(numbers), SUM_STARTER: (numbers or [0])[0]}.get(run.files.get("main.py", ""), 7)
    return make_run_evidence(stdout=f"{shown}\n", limits=run.limits, cpu_ms=12, peak_mb=8.5)
