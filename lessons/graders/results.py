"""One check's outcome as the row that a learner reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lessons.contracts import Ask, CheckResult, CheckSpec, ProbeSpec
from lessons.graders import registry
from lessons.graders.asking import is_plain_path, reads_field
from lessons.graders.interfaces import Context, Outcome, Told
from lessons.graders.particles import fill_message
from lessons.graders.wording import difference, pair, plain, single_line

# Of a hidden probe only these are shown as found: they say how it ended, not what went in.
_TELLS_NO_INPUT = frozenset({"exit_code", "ended"})
_HIDDEN_EXPECTED, _HIDDEN_FOUND = "입력에 맞는 값", "다른 값"
_HIDDEN_MESSAGE = "문제에 나온 예와 다른 값을 넣으면 바란 값과 다른 값이 나와요. 다른 값으로도 실행해 보세요."
_SHOW_MOST = 500
_TOO_LARGE = (
    "확인할 것이 너무 많아 다 볼 수 없었어요. 실습 환경에 만들어 둔 것이나 그 안에 적은 글을 줄이고 다시 채점해 보세요."
)


@dataclass(frozen=True)
class Sight:
    """What the frame knows of the evidence besides the documents: probes, their questions, and what is hidden."""

    probes: Mapping[str, ProbeSpec]
    asks: Mapping[str, Ask]
    hidden: frozenset[str]


def result_of(check: CheckSpec, context: Context, sight: Sight) -> CheckResult:
    kind = registry.check_type(check.type)
    outcome = kind.judge(check, context)
    probes = kind.probes_of(check)
    # What a wanted value takes from a hidden probe may be its output, whatever is asked of the other one.
    harmless = check.fields.get("query") in _TELLS_NO_INPUT and len(probes) == 1
    secret = bool(sight.hidden.intersection(probes)) and not harmless
    expected, found = (_HIDDEN_EXPECTED, _HIDDEN_FOUND) if secret else _shown(check, outcome)
    if secret and outcome.passed:
        found = _HIDDEN_EXPECTED
    told = [] if kind.asks_ended(check) else [_told(probe, _looked_at(check), context, sight) for probe in probes]
    hidden = bool(sight.hidden.intersection(probes))
    return CheckResult(
        id=check.id,
        title=check.title,
        passed=outcome.passed,
        weight=check.weight,
        expected=expected,
        found=found,
        message=_message(check, outcome, _merged(told), (expected, found), secret=secret),
        diff="" if secret else _diff(outcome),
        show=check.show or ("" if hidden else _show(probes, sight)),
        hint="" if outcome.passed else check.hint,
        looked_at=_looked_at(check) + (outcome.inside if is_plain_path(_looked_at(check)) and not secret else ""),
        latched=outcome.passed and check.latch,
        picture={} if hidden else _picture(check, outcome, context, sight),
    )


def too_large(check: CheckSpec) -> CheckResult:
    """The row of a check whose evidence a lab could not hand over: whatever it was, nobody saw it as it is wanted."""
    return CheckResult(
        id=check.id,
        title=check.title,
        passed=False,
        weight=check.weight,
        expected=plain(check.expected),
        message=_TOO_LARGE,
        show=check.show,
        hint=check.hint,
        looked_at=_looked_at(check),
    )


def _diff(outcome: Outcome) -> str:
    return outcome.diff or (difference(outcome.expected, outcome.found) if outcome.exact else "")


def _shown(check: CheckSpec, outcome: Outcome) -> tuple[str, str]:
    expected, found = pair(outcome.expected, outcome.found, exact=outcome.exact and not outcome.passed)
    return plain(check.expected) or expected, found


def _told(name: str, looked_at: str, context: Context, sight: Sight) -> Told:
    """What the evidence of a probe says for itself; what was known before the learner came says nothing."""
    probe = sight.probes.get(name)
    if probe is None:
        return Told()
    if probe.type in registry.RUN_PROBES:
        return registry.RUN_PROBES[probe.type].told(context.documents[name])
    if name in sight.hidden:  # what a hidden question brought to light may be its input
        return Told()
    return registry.ASK_PROBES[probe.type].told(context.documents[name], sight.asks[name], looked_at)


def _merged(told: list[Told]) -> Told:
    """The first of each; evidence that speaks alone goes before all other; of a value speaks what was asked itself."""
    alone = next((one for one in told if one.alone), None)
    if alone is not None:
        return alone
    return Told(
        next((one.first for one in told if one.first), ""),
        next((one.instead for one in told if one.instead), ""),
        differs=told[0].differs if told else "",
        lacks=told[0].lacks if told else "",
    )


def _message(check: CheckSpec, outcome: Outcome, told: Told, shown: tuple[str, str], *, secret: bool) -> str:
    """What the evidence says first, then the author's words, or ours where there are none."""
    asked = check.type not in registry.QUESTIONS
    if outcome.passed:
        explained = "" if asked else check.message
        return " ".join(filter(None, (told.first, explained)))
    if outcome.only:
        return plain(outcome.always)
    if told.alone:
        return plain(told.first)
    expected, found = map(single_line, shown)
    written = fill_message(check.message, expected, found)
    if not written and not told.first:
        own = _HIDDEN_MESSAGE if secret else fill_message(_own(check, outcome, told), expected, found)
        written = told.instead if told.instead and not secret and not outcome.always else own
    return plain(" ".join(filter(None, (told.first, outcome.always, written))))


def _own(check: CheckSpec, outcome: Outcome, told: Told) -> str:
    """The words for a value that is not the wanted one: the evidence's, which knows what it is of, or the check's."""
    if check.type != "query" or outcome.missing == "wanted":
        return outcome.message
    return (told.lacks if outcome.missing else told.differs) or outcome.message


def _looked_at(check: CheckSpec) -> str:
    if check.type == "text":
        return str(check.fields.get("field", "stdout"))
    return str(check.fields.get("query", ""))


def _show(probes: tuple[str, ...], sight: Sight) -> str:
    """The command that reveals the first probe's evidence, where its type has one."""
    for name in probes[:1]:
        if name in sight.asks:
            return plain(registry.ASK_PROBES[sight.probes[name].type].show(sight.asks[name]))[:_SHOW_MOST]
    return ""


def _picture(check: CheckSpec, outcome: Outcome, context: Context, sight: Sight) -> Mapping[str, Any]:
    if outcome.picture:
        return outcome.picture
    query = _looked_at(check)
    for name in registry.check_type(check.type).probes_of(check):
        if name not in sight.asks:
            continue
        kind = registry.ASK_PROBES[sight.probes[name].type]
        drawn = kind.picture(context.documents[name]) if any(reads_field(query, one) for one in kind.DRAWN) else {}
        if drawn:
            return drawn
    return {}
