"""From evidence to a grade: what every check has in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lessons.contracts import CheckResult, CheckSpec, Evidence, ExerciseSpec, Grade, Kind, NeedMore, Plan, Verdict
from lessons.graders import limits, registry
from lessons.graders.answers import ANSWER_FILE, read_answers
from lessons.graders.interfaces import Context, Outcome
from lessons.graders.particles import fill_message
from lessons.graders.wording import difference, pair, plain, single_line

# Of a hidden probe only these are shown as found: they say how it ended, not what went in.
_TELLS_NO_INPUT = frozenset({"exit_code", "ended"})
_HIDDEN_EXPECTED, _HIDDEN_FOUND = "입력에 맞는 값", "다른 값"
_HIDDEN_MESSAGE = "문제에 나온 예와 다른 값을 넣으면 바란 값과 다른 값이 나와요. 다른 값으로도 실행해 보세요."


class MissingEvidence(LookupError):
    """The evidence lacks a run of the plan: our fault, never a verdict."""


def judge(exercise: ExerciseSpec, plan: Plan, evidence: Evidence) -> Grade | NeedMore:
    """What the evidence means. Raises MissingEvidence if it does not belong to the plan."""
    context = Context(
        documents=_documents(exercise, plan, evidence),
        answer={**exercise.starter, **plan.answer},
        variables=plan.variables,
        given=read_answers(plan.answer.get(ANSWER_FILE, "")) if exercise.kind == Kind.QUIZ else {},
    )
    hidden = frozenset(probe.id for probe in exercise.probes if probe.hidden)
    results = tuple(_result(check, context, hidden) for check in exercise.checks)
    return Grade(_verdict(exercise, results, context), _score(results), results)


def _documents(exercise: ExerciseSpec, plan: Plan, evidence: Evidence) -> dict[str, Any]:
    """Probe id -> evidence document; equal probes share one."""
    made: dict[str, Any] = {}
    documents = {}
    for probe in exercise.probes:
        source = plan.aliases.get(probe.id, probe.id)
        if source not in evidence.runs:
            raise MissingEvidence(f"{exercise.slug}: no evidence of probe {probe.id}")
        if source not in made:
            made[source] = registry.PROBES[probe.type].document(evidence.runs[source])
        documents[probe.id] = made[source]
    return documents


def _verdict(exercise: ExerciseSpec, results: tuple[CheckResult, ...], context: Context) -> Verdict:
    seen = set()
    for check in exercise.checks:
        kind = registry.check_type(check.type)
        if not kind.asks_ended(check):
            seen |= {context.documents[probe]["ended"] for probe in kind.probes_of(check)}
    for ended, verdict in limits.VERDICTS.items():
        if ended in seen:
            return verdict
    return Verdict.PASS if results and all(result.passed for result in results) else Verdict.FAIL


def _score(results: tuple[CheckResult, ...]) -> float:
    total = sum(result.weight for result in results)
    if total <= 0:
        return float(bool(results) and all(result.passed for result in results))
    return sum(result.weight for result in results if result.passed) / total


def _result(check: CheckSpec, context: Context, hidden: frozenset[str]) -> CheckResult:
    kind = registry.check_type(check.type)
    outcome = kind.judge(check, context)
    probes = kind.probes_of(check)
    # What a wanted value takes from a hidden probe may be its output, whatever is asked of the other one.
    harmless = check.fields.get("query") in _TELLS_NO_INPUT and len(probes) == 1
    secret = bool(hidden.intersection(probes)) and not harmless
    expected, found = (_HIDDEN_EXPECTED, _HIDDEN_FOUND) if secret else _shown(check, outcome)
    if secret and outcome.passed:
        found = _HIDDEN_EXPECTED
    documents = [context.documents[probe] for probe in probes]
    limited = "" if kind.asks_ended(check) else next(filter(None, map(limits.sentence, documents)), "")
    return CheckResult(
        id=check.id,
        title=check.title,
        passed=outcome.passed,
        weight=check.weight,
        expected=expected,
        found=found,
        message=_message(check, outcome, limited, documents, (expected, found), secret=secret),
        diff=difference(outcome.expected, outcome.found) if outcome.exact and not secret else "",
        show=check.show,
        hint="" if outcome.passed else check.hint,
    )


def _shown(check: CheckSpec, outcome: Outcome) -> tuple[str, str]:
    expected, found = pair(outcome.expected, outcome.found, exact=outcome.exact and not outcome.passed)
    return plain(check.expected) or expected, found


def _message(
    check: CheckSpec,
    outcome: Outcome,
    limited: str,
    documents: list[Mapping[str, Any]],
    shown: tuple[str, str],
    *,
    secret: bool,
) -> str:
    """The limit that was hit first, then the author's words, or ours where there are none."""
    if outcome.passed:
        explained = check.message if check.type in registry.QUESTIONS else ""
        return " ".join(filter(None, (limited, explained)))
    if outcome.only:
        return plain(outcome.always)
    expected, found = map(single_line, shown)
    written = fill_message(check.message, expected, found)
    if not written and not limited:
        own = _HIDDEN_MESSAGE if secret else fill_message(outcome.message, expected, found)
        ending = next(filter(None, map(limits.ending, documents)), "")
        written = ending if ending and not secret and not outcome.always else own
    return plain(" ".join(filter(None, (limited, outcome.always, written))))
