"""The author's programs: what they are given, how they run, and what they printed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from lessons.contracts import CheckSpec, Ended, ExerciseSpec, Limits, Run, RunEvidence
from lessons.graders.evidence import ITEMS_MOST, LARGE_ITEMS_MOST, TEXT_MOST, bounded
from lessons.graders.interfaces import AuthorProgramError
from lessons.graders.registry import program_of
from lessons.graders.wording import decode

ENVIRONMENT = "python"
INPUT_MOST = 2 * 1024 * 1024  # characters of JSON
LIMITS = Limits(seconds=10.0, cpu_seconds=10.0, memory_mb=256, output_kb=256, processes=32)
# Texts and values of one document, ever less until all of it fits.
_STEPS = ((TEXT_MOST, LARGE_ITEMS_MOST), (TEXT_MOST, ITEMS_MOST), (8 * 1024, 5_000), (1024, 1_000), (128, 100))
_SAID_MOST = 2000


def run_id(check: CheckSpec) -> str:
    """Under which the program's run stands in a plan; no probe's id has a colon."""
    return f"script:{check.id}"


def plan_program(
    check: CheckSpec,
    exercise: ExerciseSpec,
    *,
    variables: Mapping[str, int | str],
    documents: Mapping[str, Any],
    answer: Mapping[str, str],
) -> Run:
    """The program reads {"vars", "evidence", "answer"} and finds the other files of ``checks/`` beside it."""
    return Run(
        environment=ENVIRONMENT,
        argv=("python3", program_of(check)),
        stdin=_input(variables, documents, answer),
        files=exercise.programs,
        limits=LIMITS,
    )


def _input(variables: Mapping[str, int | str], documents: Mapping[str, Any], answer: Mapping[str, str]) -> str:
    text = ""
    for texts, items in _STEPS:
        evidence = {name: bounded(document, text=texts, items=items) for name, document in documents.items()}
        text = json.dumps({"vars": dict(variables), "evidence": evidence, "answer": dict(answer)})
        if len(text) <= INPUT_MOST:
            break
    return text


def said(check: CheckSpec, evidence: RunEvidence) -> str:
    """What the program printed. Raises AuthorProgramError if it did not end well."""
    if evidence.ended == Ended.EXIT and evidence.exit_code == 0 and not evidence.truncated:
        return decode(evidence.stdout)
    last = decode(evidence.stderr[-_SAID_MOST:]).strip()
    raise AuthorProgramError(
        f"{check.id}: {program_of(check)} ended by {evidence.ended.value} with exit code {evidence.exit_code}: {last}"
    )
