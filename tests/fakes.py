"""A sandbox that runs nothing: it answers from a script, at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lessons.contracts import Ask, Ended, Evidence, LabShape, Limits, Place, Plan, Run, RunEvidence
from lessons.sandbox import EnvironmentState, Finding, LabGoneError, Progress, SandboxConfig, SandboxError
from lessons.sandbox.asks import from_record
from tests.fake_labs import FakeEventStream, FakeLab, FakeShell

__all__ = ["INSPECT", "FakeEventStream", "FakeLab", "FakeSandbox", "FakeShell", "make_run_evidence"]

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
    while it is set. ``collected`` remembers (owner, plan) of every call, ``labs`` every lab by its id, ``fresh`` every
    question answered in a throwaway lab. ``answer_ask`` answers questions there and in labs that have no other.
    """

    def __init__(self, config: SandboxConfig | None = None) -> None:
        self.config = config
        self.behave: Callable[[Run], RunEvidence] = lambda run: make_run_evidence(limits=run.limits)
        self.down: SandboxError | None = None
        self.states = {"python": EnvironmentState.READY, "python-debian12": EnvironmentState.READY}
        self.states["docker"] = EnvironmentState.READY
        self.findings = [Finding("good", "채점 엔진이 대답해요.")]
        self.collected: list[tuple[str, Plan]] = []
        self.started = False
        self.answer_ask: Callable[[Ask], Any] = lambda ask: None
        self.labs: dict[str, FakeLab] = {}
        self.fresh: list[Ask] = []
        self.progresses: dict[str, Progress] = {}

    def collect(
        self,
        plan: Plan,
        *,
        owner: str,
        deadline: float,
        lab: FakeLab | None = None,
        recorded: Mapping[str, Any] | None = None,
    ) -> Evidence:
        self.collected.append((owner, plan))
        if self.down is not None:
            raise self.down
        runs = {probe: self.behave(run) for probe, run in plan.runs.items()}
        answers = {probe: self._answer(ask, lab, recorded or {}) for probe, ask in plan.asks.items()}
        return Evidence(runs=runs, timings={"run": 1}, answers=answers)

    def _answer(self, ask: Ask, lab: FakeLab | None, recorded: Mapping[str, Any]) -> Any:
        if ask.place is Place.RECORD:
            return from_record(ask, recorded)
        if ask.place is Place.FRESH:
            self.fresh.append(ask)
            return self.answer_ask(ask)
        if lab is None:
            raise LabGoneError("no lab to ask")
        return lab.ask([ask], seconds=ask.seconds)[0]

    def open_lab(self, shape: LabShape, *, owner: str, lifetime: float) -> FakeLab:
        if self.down is not None:
            raise self.down
        lab = FakeLab(f"lab{len(self.labs)}", shape, owner)
        lab.lifetime = lifetime
        lab.answer_ask = lambda ask: self.answer_ask(ask)
        self.labs[lab.id] = lab
        return lab

    def lab(self, container_id: str, shape: LabShape | None = None) -> FakeLab:
        """The one of that id; one that nobody knows has ended."""
        if container_id not in self.labs:
            unknown = FakeLab(container_id, shape)
            unknown.dead = True
            return unknown
        return self.labs[container_id]

    def given_labs(self) -> list[tuple[str, FakeLab]]:
        return [(lab.owner, lab) for lab in self.labs.values() if not lab.ended]

    def progress(self, environment: str) -> Progress:
        return self.progresses.get(environment, Progress("ready", 100, "실습 환경이 준비됐어요."))

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
