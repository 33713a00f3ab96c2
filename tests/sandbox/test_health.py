"""What doctor is told, from what an engine and a look inside a run show."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from lessons.contracts import Ended, Evidence, RunEvidence
from lessons.sandbox import EngineUnavailableError, EnvironmentState
from lessons.sandbox.config import Entry
from lessons.sandbox.health import MEMORY, PROCESSES, SOCKETS, examine
from tests.fakes import make_run_evidence

REFUSED = {"AF_ALG": "refused", "AF_VSOCK": "refused", "AF_PACKET": "refused"}


def looked(sockets: dict[str, str] | None = None, free_mb: int = 9000) -> str:
    return json.dumps({"sockets": sockets or REFUSED, "uid": 20_000, "free_mb": free_mb})


class FakeSandbox:
    def __init__(self) -> None:
        self.engine = SimpleNamespace(api=self, runtime=lambda: self.best)
        self.best = "runsc"
        self.states = {"python": EnvironmentState.READY}
        self.images = SimpleNamespace(entries=lambda: {name: Entry(f"naru-{name}") for name in self.states})
        self.tried: list[str] = []
        self.answers: dict[str, RunEvidence | Exception] = {
            SOCKETS: make_run_evidence(stdout=looked()),
            MEMORY: make_run_evidence(ended=Ended.MEMORY),
            PROCESSES: make_run_evidence(ended=Ended.PROCESSES),
        }

    def version(self) -> dict[str, str]:
        return {"Version": "26.1.5"}

    def environments(self) -> dict[str, EnvironmentState]:
        return dict(self.states)

    def default_environment(self) -> str:
        return next(iter(self.states))

    def collect(self, plan, *, owner, deadline) -> Evidence:
        (run,) = plan.runs.values()
        self.tried.append(run.environment)
        answer = self.answers[run.argv[2]]
        if isinstance(answer, Exception):
            raise answer
        return Evidence(runs={"look": answer})


@pytest.fixture
def sandbox() -> FakeSandbox:
    return FakeSandbox()


def only(findings, level: str):
    return [finding for finding in findings if finding.level == level]


def test_good_engine_has_good_findings_only(sandbox):
    findings = examine(sandbox)
    assert {finding.level for finding in findings} == {"good"}
    assert "26.1.5" in findings[0].what
    assert any("gVisor" in finding.what for finding in findings)
    assert len(findings) == 7


def test_weaker_runtime_is_noted(sandbox):
    sandbox.best = "crun"
    (note,) = only(examine(sandbox), "note")
    assert "crun" in note.what
    assert note.effect
    assert note.fix


def test_runtime_that_is_not_allowed_is_bad_and_nothing_is_run(sandbox):
    def refuse() -> str:
        raise EngineUnavailableError("no gVisor")

    sandbox.engine.runtime = refuse
    sandbox.answers = {}
    assert len(only(examine(sandbox), "bad")) == 1


@pytest.mark.parametrize(
    ("state", "level", "runs"),
    [(EnvironmentState.BUILDING, "note", True), (EnvironmentState.MISSING, "bad", False)],
)
def test_environment_that_is_not_ready_is_named(sandbox, state, level, runs):
    sandbox.states["python-debian12"] = state
    findings = examine(sandbox)
    (found,) = only(findings, level)
    assert "python-debian12" in found.what
    assert found.fix
    assert any("메모리 제한" in finding.what for finding in findings) is runs


@pytest.mark.parametrize(
    ("program", "evidence", "said"),
    [
        (SOCKETS, make_run_evidence(stdout=looked(REFUSED | {"AF_VSOCK": "open"})), "AF_VSOCK"),
        (SOCKETS, make_run_evidence(stdout=looked(free_mb=100)), "100 MB"),
        (SOCKETS, make_run_evidence(stdout="", stderr="python3: not found"), "python3: not found"),
        (SOCKETS, EngineUnavailableError("no report"), "no report"),
        (MEMORY, make_run_evidence(ended=Ended.TIME), "메모리 제한이 지켜지지 않아요"),
        (PROCESSES, make_run_evidence(ended=Ended.EXIT), "프로세스 수 제한이 지켜지지 않아요"),
    ],
)
def test_fault_seen_inside_a_run_is_bad_and_says_what_to_do(sandbox, program, evidence, said):
    sandbox.answers[program] = evidence
    (bad,) = only(examine(sandbox), "bad")
    assert said in bad.what
    assert bad.effect
    assert bad.fix


def test_engine_that_does_not_answer_is_an_error(sandbox):
    def silent() -> dict[str, str]:
        raise ConnectionRefusedError("no socket")

    sandbox.version = silent
    with pytest.raises(EngineUnavailableError):
        examine(sandbox)


def test_the_first_environment_of_the_catalogue_is_tried(sandbox):
    sandbox.states = {"python-next": EnvironmentState.READY, "python": EnvironmentState.READY}
    examine(sandbox)
    assert sandbox.tried == ["python-next"] * 3
