"""From evidence to a grade, or to the next question."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from lessons.contracts import (
    CheckResult,
    CheckSpec,
    Evidence,
    ExerciseSpec,
    Grade,
    Kind,
    NeedMore,
    Plan,
    Verdict,
)
from lessons.graders import gathered, limits, programs, registry
from lessons.graders.answers import ANSWER_FILE, read_answers
from lessons.graders.interfaces import Context
from lessons.graders.planning import BASELINE, undo_asks
from lessons.graders.results import Sight, result_of, too_large
from lessons.graders.variables import names_in

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
WAIT_LEAST_MS, WAIT_MOST_MS = 500, 2000  # between two looks at what may still come true


class MissingEvidence(LookupError):
    """The evidence lacks a run of the plan: our fault, never a verdict."""


def judge(exercise: ExerciseSpec, plan: Plan, evidence: Evidence, *, elapsed: float = 0.0) -> Grade | NeedMore:
    """What the evidence means. Raises MissingEvidence if it does not belong to the plan, AuthorProgramError if
    a program of the author's failed.

    ``plan`` is the first one throughout; after a NeedMore its evidence is added with ``merge`` and judged again.
    ``elapsed``: seconds since the first evidence was complete, for checks with ``within``.
    """
    questions = gathered.following(exercise, plan, evidence)
    if questions:
        return NeedMore(replace(plan, runs={}, asks=questions, aliases={}))
    documents = gathered.documents(exercise, plan, evidence)
    for probe in exercise.probes:
        if probe.id not in documents:
            raise MissingEvidence(f"{exercise.slug}: no evidence of probe {probe.id}")
    context = _context(exercise, plan, documents)
    sight = _sight(exercise, plan, evidence)
    unseen = gathered.too_large(exercise, plan, evidence)
    results = {
        check.id: _result(check, context, sight, plan, unseen)
        for check in exercise.checks
        if not registry.program_of(check) or _is_unseen(check, unseen)
    }
    again = [
        check
        for check in exercise.checks
        if check.within > elapsed and check.id in results and not results[check.id].passed
    ]
    if again:
        return NeedMore(_again(exercise, plan, again), wait_ms=_wait_ms(again, elapsed))
    waiting = {
        programs.run_id(check): check
        for check in exercise.checks
        if registry.program_of(check) and check.id not in plan.latched and check.id not in results
    }
    runs = {
        name: programs.plan_program(
            check, exercise, variables=plan.variables, documents=documents, answer=context.answer
        )
        for name, check in waiting.items()
        if name not in evidence.runs
    }
    if runs:
        return NeedMore(replace(plan, runs=runs, asks={}, aliases={}))
    said = {check.id: programs.said(check, evidence.runs[name]) for name, check in waiting.items()}
    context = replace(context, said=said)
    ordered = tuple(results.get(check.id) or _result(check, context, sight, plan, unseen) for check in exercise.checks)
    return Grade(_verdict(exercise, ordered, context), _score(ordered), ordered)


def merge(evidence: Evidence, more: Evidence) -> Evidence:
    """Both together; what is newer stands, and phases of the same name add up."""
    timings = dict(evidence.timings)
    for phase, ms in more.timings.items():
        timings[phase] = timings.get(phase, 0) + ms
    return Evidence(runs={**evidence.runs, **more.runs}, timings=timings, answers={**evidence.answers, **more.answers})


def judge_watch(exercise: ExerciseSpec, plan: Plan, evidence: Evidence) -> tuple[CheckResult, ...]:
    """The checks that the evidence of a ``watch_plan`` can tell of, as they stand now.

    Left out are those that look at a probe that was not asked, wait for an author's program, or want what is
    drawn anew for each grading.
    """
    documents = gathered.documents(exercise, plan, evidence)
    context = _context(exercise, plan, documents)
    sight = _sight(exercise, plan, evidence)
    unseen = gathered.too_large(exercise, plan, evidence)
    drawn_later = {spec.name for spec in exercise.vars if spec.per_attempt}
    found = []
    for check in exercise.checks:
        if check.id in plan.latched:
            found.append(_result(check, context, sight, plan, unseen))
            continue
        kind = registry.check_type(check.type)
        seen = kind.NEEDS_PROBE and all(probe in documents for probe in kind.probes_of(check))
        if seen and not registry.program_of(check) and not _names_of(check) & drawn_later:
            found.append(_result(check, context, sight, plan, unseen))
    return tuple(found)


def baseline_documents(exercise: ExerciseSpec, plan: Plan, evidence: Evidence) -> dict[str, Any]:
    """The evidence of a ``setup_plan`` as ``known`` of the plans to come: {"baseline.<probe>": document}, JSON-able."""
    documents = gathered.documents(exercise, plan, evidence)
    return {f"{BASELINE}{name}": documents[name] for name in exercise.baseline if name in documents}


def _names_of(check: CheckSpec) -> set[str]:
    """Variables that the wanted values use; in arithmetic they stand without braces."""
    expressions = check.fields.get("numbers_from", [])
    written = expressions if isinstance(expressions, list) else [expressions]
    return names_in(dict(check.fields)) | set(_NAME.findall(" ".join(map(str, written))))


def _context(exercise: ExerciseSpec, plan: Plan, documents: Mapping[str, Any]) -> Context:
    return Context(
        documents=documents,
        answer={**exercise.starter, **plan.answer},
        variables=plan.variables,
        given=read_answers(plan.answer.get(ANSWER_FILE, "")) if exercise.kind == Kind.QUIZ else {},
    )


def _sight(exercise: ExerciseSpec, plan: Plan, evidence: Evidence) -> Sight:
    asks = {}
    for probe in exercise.probes:
        source = plan.aliases.get(probe.id, probe.id)
        if source in plan.asks:
            asks[probe.id] = gathered.answered(probe, exercise, plan, evidence)[0]
    hidden = frozenset(probe.id for probe in exercise.probes if probe.hidden)
    return Sight(
        probes={probe.id: probe for probe in exercise.probes},
        asks=asks,
        hidden=hidden | {f"{BASELINE}{name}" for name in hidden},
    )


def _is_unseen(check: CheckSpec, unseen: Collection[str]) -> bool:
    """Whether the check looks at something that nobody could see; a program may look at all evidence."""
    looked = registry.check_type(check.type).probes_of(check)
    return bool(unseen) and (check.type == "script" or any(probe in unseen for probe in looked))


def _result(check: CheckSpec, context: Context, sight: Sight, plan: Plan, unseen: Collection[str] = ()) -> CheckResult:
    latched = plan.latched.get(check.id)
    if latched is not None:
        return replace(latched, id=check.id, title=check.title, weight=check.weight, passed=True, latched=True)
    missing = [probe for probe in registry.check_type(check.type).probes_of(check) if probe not in context.documents]
    if missing:
        raise MissingEvidence(f"{check.id}: no evidence of {missing[0]}")
    return too_large(check) if _is_unseen(check, unseen) else result_of(check, context, sight)


def _again(exercise: ExerciseSpec, plan: Plan, checks: Collection[CheckSpec]) -> Plan:
    """The probes of these checks once more, in the order of the plan."""
    named = {probe for check in checks for probe in registry.check_type(check.type).probes_of(check)}
    sources = {plan.aliases.get(name, name) for name in named}
    asks = {}
    for probe in exercise.probes:
        if probe.id in sources and probe.id in plan.asks:
            asks[probe.id] = plan.asks[probe.id]
            asks.update(undo_asks(probe, exercise, plan.variables))
    passive_first = {name: plan.asks[name] for name in plan.asks if name in asks}
    return replace(plan, runs={}, asks=passive_first, aliases={})


def _wait_ms(checks: Collection[CheckSpec], elapsed: float) -> int:
    """Longer the longer it takes, but not past the last moment of the check that may wait longest."""
    left = max(check.within for check in checks) - elapsed
    return round(min(max(WAIT_LEAST_MS, min(WAIT_MOST_MS, elapsed * 250)), max(left * 1000, 1)))


def _verdict(exercise: ExerciseSpec, results: tuple[CheckResult, ...], context: Context) -> Verdict:
    """Only runs have limits that are a verdict of their own; a question that took too long fails its checks."""
    runs = {probe.id for probe in exercise.probes if probe.type in registry.RUN_PROBES}
    seen = set()
    for check in exercise.checks:
        kind = registry.check_type(check.type)
        if not kind.asks_ended(check):
            seen |= {context.documents[probe]["ended"] for probe in kind.probes_of(check) if probe in runs}
    for ended, verdict in limits.VERDICTS.items():
        if ended in seen:
            return verdict
    return Verdict.PASS if results and all(result.passed for result in results) else Verdict.FAIL


def _score(results: tuple[CheckResult, ...]) -> float:
    total = sum(result.weight for result in results)
    if total <= 0:
        return float(bool(results) and all(result.passed for result in results))
    return sum(result.weight for result in results if result.passed) / total
