"""What to run for an answer, and what a learner may see of it."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from lessons.contracts import Evidence, ExerciseSpec, Kind, Plan, ProbeSpec, Run, RunEvidence
from lessons.graders import registry
from lessons.graders.answers import ANSWER_FILE
from lessons.graders.variables import draw, fill_text
from lessons.graders.wording import cut_output, plain

TRY = "try"  # the probe id of 실행


def plan(exercise: ExerciseSpec, answer: Mapping[str, str], seed: int) -> Plan:
    """Every probe's run, equal ones once. A quiz, and checks that need no probe, plan no run."""
    variables = draw(exercise.vars, seed)
    own = _own_files(exercise, answer)
    files = {**exercise.starter, **own}
    runs: dict[str, Run] = {}
    aliases: dict[str, str] = {}
    for probe in exercise.probes:
        run = registry.PROBES[probe.type].plan_run(probe, exercise, files, variables)
        same = next((other for other, planned in runs.items() if planned == run), None)
        if same is None:
            runs[probe.id] = run
        else:
            aliases[probe.id] = same
    return Plan(runs=runs, answer=own, variables=variables, aliases=aliases, seed=seed)


def _own_files(exercise: ExerciseSpec, answer: Mapping[str, str]) -> dict[str, str]:
    """What the learner may write, and nothing else of what was posted; a file left out is as it was given."""
    if exercise.kind == Kind.QUIZ:
        return {ANSWER_FILE: answer[ANSWER_FILE]} if ANSWER_FILE in answer else {}
    given = {**exercise.starter, **answer}
    return {path: given[path] for path in exercise.editable if path in given}


def try_plan(exercise: ExerciseSpec, answer: Mapping[str, str], stdin: str | None, seed: int) -> Plan:
    """실행: the first visible run probe with the learner's own stdin (None: the probe's); no run without one."""
    probe = _tried(exercise)
    if probe is None:
        return Plan(runs={}, answer=_own_files(exercise, answer), seed=seed)
    full = plan(replace(exercise, probes=(replace(probe, id=TRY),)), answer, seed)
    run = full.runs[TRY]
    run = replace(run, collect=(), stdin=run.stdin if stdin is None else stdin)
    return replace(full, runs={TRY: run})


def default_stdin(exercise: ExerciseSpec, seed: int = 0) -> str:
    """What 실행 reads unless the learner types something else: for the page to begin with."""
    probe = _tried(exercise)
    return fill_text(probe.stdin, draw(exercise.vars, seed)) if probe else ""


def _tried(exercise: ExerciseSpec) -> ProbeSpec | None:
    return next((probe for probe in exercise.probes if probe.type == "run" and not probe.hidden), None)


def output_rows(exercise: ExerciseSpec, plan: Plan, evidence: Evidence) -> list[dict[str, Any]]:
    """What the learner may see of each probe, storable as JSON; of a hidden one only how it ended.

    Visible: {"probe", "hidden": False, "command", "stdin", "stdout", "stderr", "exit_code", "ended", "cpu_ms",
    "peak_mb", "wall_ms", "truncated"}; hidden: {"probe", "hidden": True, "ended"}. Colours (ANSI) are still in
    the outputs; NUL, other control and reordering characters are not.
    """
    hidden = {probe.id for probe in exercise.probes if probe.hidden}
    names = [TRY] if TRY in plan.runs else [probe.id for probe in exercise.probes]
    rows = []
    for name in names:
        source = plan.aliases.get(name, name)
        if source not in evidence.runs:
            continue
        run = evidence.runs[source]
        if name in hidden:
            rows.append({"probe": name, "hidden": True, "ended": run.ended.value})
        else:
            rows.append(_visible_row(name, plan.runs[source], run))
    return rows


def _visible_row(name: str, run: Run, evidence: RunEvidence) -> dict[str, Any]:
    stdout, cut_out = cut_output(evidence.stdout)
    stderr, cut_err = cut_output(evidence.stderr)
    return {
        "probe": name,
        "hidden": False,
        "command": plain(shlex.join(run.argv)),
        "stdin": cut_output(run.stdin.encode(errors="replace"))[0],
        "stdout": stdout,
        "stderr": stderr,
        "exit_code": evidence.exit_code,
        "ended": evidence.ended.value,
        "cpu_ms": evidence.cpu_ms,
        "peak_mb": evidence.peak_mb,
        "wall_ms": evidence.wall_ms,
        "truncated": evidence.truncated or cut_out or cut_err,
    }


def hints_for(exercise: ExerciseSpec, *, failed_attempts: int, failed_checks: Collection[str]) -> list[str]:
    """The hints that are due, in the author's order; one with both ``after`` and ``when`` waits for both."""
    return [
        hint.text
        for hint in exercise.hints
        if (hint.after is None or failed_attempts >= hint.after)
        and (not hint.when or hint.when in failed_checks)
        and (hint.after is not None or hint.when)
    ]
