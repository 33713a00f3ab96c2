"""probe ``run``: a program in a fresh container. Its value is an argv, never a shell string."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from lessons.contracts import ExerciseSpec, ProbeSpec, Run, RunEvidence
from lessons.graders import limits
from lessons.graders.evidence import parsed_json
from lessons.graders.fields import Fault, as_text, text_faults
from lessons.graders.interfaces import Told
from lessons.graders.variables import fill_text
from lessons.graders.wording import decode

BESIDE = frozenset({"stdin", "files", "collect", "environment"})
MAX_ARGV = 64


def validate(value: Any, *, name: str = "run") -> list[Fault]:
    """Faults of an argv; ``name`` is the key that it stands under, for the example."""
    if isinstance(value, str):
        words = ", ".join(json.dumps(word, ensure_ascii=False) for word in value.split())
        return [Fault("", "명령은 셸 문장이 아니라 목록이어야 해요.", f"{name}: [{words}]처럼 적어 주세요.")]
    if not isinstance(value, list | tuple) or not value:
        return [Fault("", "실행할 명령의 목록이 와야 해요.", f'{name}: ["python3", "main.py"]처럼 적어 주세요.')]
    if len(value) > MAX_ARGV:
        return [Fault("", f"명령이 {MAX_ARGV}마디보다 길어요.", "프로그램 파일에 담아 주세요.")]
    first = text_faults(value[0], "0", empty=False)
    return first + [fault for index, word in enumerate(value[1:], 1) for fault in text_faults(word, str(index))]


def argv_of(value: Any, variables: Mapping[str, int | str]) -> tuple[str, ...]:
    """A validated argv with the drawn values in it."""
    return tuple(fill_text(as_text(word) or "", variables) for word in value)


def plan_run(
    probe: ProbeSpec, exercise: ExerciseSpec, files: Mapping[str, str], variables: Mapping[str, int | str]
) -> Run:
    """The probe's own files come last: an answer cannot stand in for an author's input file."""
    own = {fill_text(path, variables): fill_text(text, variables) for path, text in probe.files.items()}
    return Run(
        environment=probe.environment or exercise.environment,
        argv=argv_of(probe.value, variables),
        stdin=fill_text(probe.stdin, variables),
        files={**files, **own},
        collect=tuple(fill_text(path, variables) for path in probe.collect),
        limits=exercise.limits,
    )


def document(evidence: RunEvidence) -> dict[str, Any]:
    stdout = decode(evidence.stdout)
    return {
        "ended": evidence.ended.value,
        "exit_code": evidence.exit_code,
        "stdout": stdout,
        "stderr": decode(evidence.stderr),
        "lines": stdout.splitlines(),
        "json": parsed_json(stdout),
        "files": {path: None if raw is None else decode(raw) for path, raw in evidence.files.items()},
        "limits": asdict(evidence.limits),
        "inspect": dict(evidence.inspect),
        "cpu_ms": evidence.cpu_ms,
        "peak_mb": evidence.peak_mb,
    }


def told(document: Mapping[str, Any]) -> Told:
    return Told(limits.sentence(document), limits.ending(document))
