"""What to run and to ask for an answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from lessons.contracts import (
    Ask,
    CheckResult,
    ExerciseSpec,
    Kind,
    Place,
    Plan,
    ProbeSpec,
    Run,
)
from lessons.graders import registry
from lessons.graders.answers import ANSWER_FILE
from lessons.graders.probes.exec import plan_command
from lessons.graders.probes.run import argv_of
from lessons.graders.variables import draw, fill_text, names_in

TRY = "try"  # the probe id of 실행
BASELINE = "baseline."  # before a probe's id: what it said right after setup
UNDO = "undo:"  # before an active probe's id: its questions that put things back
NEXT = "next:"  # before a probe's id: the question that its first answer led to
_WATCHED = (Place.LAB, Place.RECORD)


def plan(
    exercise: ExerciseSpec,
    answer: Mapping[str, str],
    seed: int,
    *,
    attempt_seed: int | None = None,
    known: Mapping[str, Any] | None = None,
    latched: Mapping[str, CheckResult] | None = None,
) -> Plan:
    """Every probe's run or question, equal ones once. A quiz, and checks that need no probe, plan nothing.

    ``seed`` is the lab's where there is one, ``attempt_seed`` then the submission's. ``known``: what
    ``baseline_documents`` gave; ``latched``: check id -> result; those of checks that do not latch are dropped.
    """
    variables = draw(exercise.vars, seed, attempt_seed)
    own = _own_files(exercise, answer)
    runs: dict[str, Run] = {}
    aliases: dict[str, str] = {}
    files = {**exercise.starter, **own} if exercise.kind != Kind.LAB else {}
    for probe in exercise.probes:
        if probe.type not in registry.RUN_PROBES:
            continue
        run = registry.RUN_PROBES[probe.type].plan_run(probe, exercise, files, variables)
        same = next((other for other, planned in runs.items() if planned == run), None)
        if same is None:
            runs[probe.id] = run
        else:
            aliases[probe.id] = same
    asks = _asks(exercise.probes, exercise, files, variables, aliases)
    latches = {check.id for check in exercise.checks if check.latch}
    return Plan(
        runs=runs,
        answer=own,
        variables=variables,
        aliases=aliases,
        seed=seed,
        asks=asks,
        known=dict(known or {}),
        latched={name: result for name, result in (latched or {}).items() if name in latches},
    )


def _asks(
    probes: Iterable[ProbeSpec],
    exercise: ExerciseSpec,
    files: Mapping[str, str],
    variables: Mapping[str, int | str],
    aliases: dict[str, str],
) -> dict[str, Ask]:
    """Passive questions first, then each active one followed by what undoes it. Equal ones go to ``aliases``."""
    asks: dict[str, Ask] = {}
    seen: dict[Any, str] = {}
    asking = [probe for probe in probes if probe.type in registry.ASK_PROBES]
    for probe in sorted(asking, key=lambda probe: probe.active):
        ask = registry.ASK_PROBES[probe.type].plan_ask(probe, exercise, files, variables)
        # A path that is read for a build is another question for each build.
        key = (ask, probe.active, probe.undo, repr(probe) if ask.tool == "read" else "")
        if key in seen:
            aliases[probe.id] = seen[key]
            continue
        seen[key] = probe.id
        asks[probe.id] = ask
        asks.update(undo_asks(probe, exercise, variables))
    return asks


def undo_asks(probe: ProbeSpec, exercise: ExerciseSpec, variables: Mapping[str, int | str]) -> dict[str, Ask]:
    """The questions after an active probe that put things back; their answers are no evidence."""
    return {
        f"{UNDO}{probe.id}:{number}": plan_command(argv_of(argv, variables), exercise)
        for number, argv in enumerate(probe.undo)
    }


def watch_plan(
    exercise: ExerciseSpec,
    seed: int,
    known: Mapping[str, Any] | None = None,
    latched: Mapping[str, CheckResult] | None = None,
) -> Plan:
    """What may be asked at any time while the learner works: nothing active, hidden or drawn for each grading."""
    full = plan(exercise, {}, seed, known=known, latched=latched)
    drawn_later = {spec.name for spec in exercise.vars if spec.per_attempt}
    watched = [
        probe
        for probe in exercise.probes
        if not probe.active and not probe.hidden and not names_in([probe.value, probe.stdin]) & drawn_later
    ]
    aliases: dict[str, str] = {}
    asks = _asks(watched, exercise, {}, full.variables, aliases)
    asks = {name: ask for name, ask in asks.items() if ask.place in _WATCHED and ask.tool != "read"}
    aliases = {name: source for name, source in aliases.items() if source in asks}
    return replace(full, runs={}, asks=asks, aliases=aliases)


def setup_plan(exercise: ExerciseSpec, seed: int) -> Plan:
    """The probes of ``baseline``, to be asked once after setup; see ``baseline_documents``."""
    variables = draw(exercise.vars, seed)
    aliases: dict[str, str] = {}
    named = [probe for probe in exercise.probes if probe.id in exercise.baseline]
    asks = _asks(named, exercise, {}, variables, aliases)
    return Plan(runs={}, answer={}, variables=variables, aliases=aliases, seed=seed, asks=asks)


def setup_commands(exercise: ExerciseSpec, seed: int) -> tuple[tuple[str, ...], ...]:
    """``setup`` with the drawn values in it: what runs as root before the learner arrives."""
    variables = draw(exercise.vars, seed)
    return tuple(argv_of(argv, variables) for argv in exercise.setup)


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
