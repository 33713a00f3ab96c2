"""What a learner may see besides the rows of the checks: what was printed, and the hints that are due."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping
from typing import Any

from lessons.contracts import Ask, Evidence, ExerciseSpec, Plan, ProbeSpec, Run, RunEvidence
from lessons.graders import registry
from lessons.graders.gathered import answered, document_of
from lessons.graders.planning import TRY
from lessons.graders.wording import cut_output, plain


def output_rows(exercise: ExerciseSpec, plan: Plan, evidence: Evidence) -> list[dict[str, Any]]:
    """What the learner may see of each probe, storable as JSON; of a hidden one only how it ended.

    Visible: {"probe", "hidden": False, "command", "stdin", "stdout", "stderr", "exit_code", "ended", "cpu_ms",
    "peak_mb", "wall_ms", "truncated"}; hidden: {"probe", "hidden": True, "ended"}. Of what was asked in a lab only
    what printed something has rows (exec, build), with null for what nobody measured; a build that was run has a
    second row with a "label" of its own. Colours (ANSI) are still in the outputs; NUL, other control and
    reordering characters are not.
    """
    rows: list[dict[str, Any]] = []
    if TRY in plan.runs and TRY in evidence.runs:
        return [_run_row(TRY, plan.runs[TRY], evidence.runs[TRY])]
    for probe in exercise.probes:
        source = plan.aliases.get(probe.id, probe.id)
        if source in evidence.runs and source in plan.runs:
            run = evidence.runs[source]
            shown = _run_row(probe.id, plan.runs[source], run)
            rows.append({"probe": probe.id, "hidden": True, "ended": run.ended.value} if probe.hidden else shown)
        elif source in plan.asks and source in evidence.answers:
            rows += _ask_rows(probe, *answered(probe, exercise, plan, evidence))
    return rows


def _run_row(name: str, run: Run, evidence: RunEvidence) -> dict[str, Any]:
    texts = _texts(run.stdin.encode(errors="replace"), evidence.stdout, evidence.stderr)
    return {
        "probe": name,
        "hidden": False,
        "command": plain(shlex.join(run.argv)),
        **texts,
        "exit_code": evidence.exit_code,
        "ended": evidence.ended.value,
        "cpu_ms": evidence.cpu_ms,
        "peak_mb": evidence.peak_mb,
        "wall_ms": evidence.wall_ms,
        "truncated": evidence.truncated or texts["truncated"],
    }


def _ask_rows(probe: ProbeSpec, ask: Ask, value: Any) -> list[dict[str, Any]]:
    kind = registry.ASK_PROBES[probe.type]
    rows = []
    for row in kind.output(document_of(probe, ask, value), ask):
        if probe.hidden:
            rows.append({"probe": probe.id, "hidden": True, "ended": row["ended"]})
            continue
        raw = [row[name].encode(errors="replace") for name in ("stdin", "stdout", "stderr")]
        shown = {
            "probe": probe.id,
            "hidden": False,
            "command": plain(row["command"]),
            **_texts(*raw),
            "exit_code": row["exit_code"],
            "ended": row["ended"],
            "cpu_ms": None,
            "peak_mb": None,
            "wall_ms": None,
        }
        rows.append({**shown, "label": f"{probe.id}: {row['label']}"} if row["label"] else shown)
    return rows


def _texts(stdin: bytes, stdout: bytes, stderr: bytes) -> Mapping[str, Any]:
    out, cut_out = cut_output(stdout)
    err, cut_err = cut_output(stderr)
    return {"stdin": cut_output(stdin)[0], "stdout": out, "stderr": err, "truncated": cut_out or cut_err}


def hints_for(exercise: ExerciseSpec, *, failed_attempts: int, failed_checks: Collection[str]) -> list[str]:
    """The hints that are due, in the author's order; one with both ``after`` and ``when`` waits for both."""
    return [
        hint.text
        for hint in exercise.hints
        if (hint.after is None or failed_attempts >= hint.after)
        and (not hint.when or hint.when in failed_checks)
        and (hint.after is not None or hint.when)
    ]
