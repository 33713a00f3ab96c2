"""A sandbox that runs nothing: it answers from a script, at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lessons.contracts import Ended, Evidence, Limits, Plan, Run, RunEvidence
from lessons.sandbox import EnvironmentState, Finding, SandboxConfig, SandboxError

INSPECT: dict[str, Any] = {
    "Id": "f" * 64,
    "Config": {"Image": "naru-python"},
    "HostConfig": {"NetworkMode": "none", "ReadonlyRootfs": True, "Memory": 268435456, "PidsLimit": 1024},
    "State": {"Status": "running", "Pid": 4242},
}


def make_run_evidence(**overrides: Any) -> RunEvidence:
    """A run that printed 7 and ended well, unless told otherwise. ``stdout``/``stderr`` may be text."""
    values: dict[str, Any] = {
        "ended": Ended.EXIT,
        "exit_code": 0,
        "stdout": b"7\n",
        "stderr": b"",
        "files": {},
        "limits": Limits(),
        "inspect": INSPECT,
        "cpu_ms": 12,
        "peak_mb": 9.5,
        "wall_ms": 40,
        "truncated": False,
    } | overrides
    for stream in ("stdout", "stderr"):
        if isinstance(values[stream], str):
            values[stream] = values[stream].encode()
    return RunEvidence(**values)


class FakeSandbox:
    """Same methods as ``lessons.sandbox.Sandbox``.

    ``behave`` is called with each run and returns its evidence or raises; ``down`` is raised instead
    while it is set. ``collected`` remembers (owner, plan) of every call.
    """

    def __init__(self, config: SandboxConfig | None = None) -> None:
        self.config = config
        self.behave: Callable[[Run], RunEvidence] = lambda run: make_run_evidence(limits=run.limits)
        self.down: SandboxError | None = None
        self.states = {"python": EnvironmentState.READY, "python-debian12": EnvironmentState.READY}
        self.findings = [Finding("good", "채점 엔진이 대답해요.")]
        self.collected: list[tuple[str, Plan]] = []
        self.started = False

    def collect(self, plan: Plan, *, owner: str, deadline: float) -> Evidence:
        self.collected.append((owner, plan))
        if self.down is not None:
            raise self.down
        return Evidence(runs={probe: self.behave(run) for probe, run in plan.runs.items()}, timings={"run": 1})

    def start(self) -> None:
        self.started = True

    def close(self) -> None:
        self.started = False

    def health(self) -> list[Finding]:
        if self.down is not None:
            raise self.down
        return list(self.findings)

    def environments(self) -> dict[str, EnvironmentState]:
        return dict(self.states)
