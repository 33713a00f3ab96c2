"""Small builders: an exercise of one check, and the evidence of one run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lessons import graders
from lessons.contracts import (
    CheckResult,
    CheckSpec,
    Ended,
    Evidence,
    ExerciseSpec,
    Grade,
    Kind,
    Limits,
    ProbeSpec,
    RunEvidence,
)


def ran(stdout: str | bytes = b"", **given: Any) -> RunEvidence:
    """A run that exited with 0, unless told otherwise."""
    raw = stdout.encode() if isinstance(stdout, str) else stdout
    whole: dict[str, Any] = {
        "ended": Ended.EXIT,
        "exit_code": 0,
        "stdout": raw,
        "stderr": b"",
        "files": {},
        "limits": Limits(),
        "inspect": {},
        "cpu_ms": 20,
        "peak_mb": 9.5,
        "wall_ms": 31,
    }
    return RunEvidence(**{**whole, **given})


def exercise(*checks: CheckSpec, **given: Any) -> ExerciseSpec:
    """An exercise of kind run with one visible probe ``p``, unless told otherwise."""
    whole: dict[str, Any] = {
        "slug": "x",
        "title": "제목",
        "kind": Kind.RUN,
        "prompt": "",
        "environment": "python",
        "editable": ("main.py",),
        "probes": (ProbeSpec("p", "run", ("python3", "main.py")),),
        "checks": checks,
        "starter": {"main.py": ""},
    }
    return ExerciseSpec(**{**whole, **given})


def check(type: str, fields: Mapping[str, Any], **given: Any) -> CheckSpec:
    return CheckSpec(**{"id": "c", "title": "확인", "type": type, "probe": "p", "fields": fields, **given})


def grade(spec: ExerciseSpec, runs: Mapping[str, RunEvidence], answer: Mapping[str, str] | None = None) -> Grade:
    judged = graders.judge(spec, graders.plan(spec, answer or {}, 1), Evidence(runs))
    assert isinstance(judged, Grade)
    return judged


def judged(type: str, fields: Mapping[str, Any], evidence: RunEvidence, **given: Any) -> CheckResult:
    """The row of a single check on the evidence of probe ``p``."""
    return grade(exercise(check(type, fields, **given)), {"p": evidence}).checks[0]


def quiz(*questions: CheckSpec) -> ExerciseSpec:
    return exercise(*questions, kind=Kind.QUIZ, probes=(), editable=(), starter={}, environment="")


def answered(question: CheckSpec, text: str) -> CheckResult:
    return grade(quiz(question), {}, {"answer.yaml": text}).checks[0]
