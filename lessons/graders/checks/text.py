"""check ``text``: a text of the evidence is as wanted.

``field`` (a jmespath query, default stdout) picks the text; a list of texts is joined as lines.
All of the conditions that are given must hold; there must be one at least:

    equals        the whole text
    contains      a text, or a list of which every one must stand in it
    absent        a text, or a list of which none may stand in it
    matches       an RE2 pattern, found anywhere unless it is anchored with ^ $ (\\A \\z for the whole text)
    numbers       the numbers in the text, all of them and in order, within ``tolerance``
    numbers_from  the same, computed from vars: one expression, or a list of them
    expect_from   the whole text, as a program of the author's in ``checks/`` prints it

``normalise`` (see graders/normalise.py) makes both sides alike first, for all but numbers.
A number stands alone: the 2 of ``v2`` is none. ``tolerance`` is absolute, 1e-9 by default.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from lessons.contracts import CheckSpec, VarSpec
from lessons.graders import arithmetic
from lessons.graders.asking import ask, reads_field
from lessons.graders.fields import (
    Fault,
    as_text,
    as_texts,
    compile_pattern,
    is_number,
    pattern_faults,
    query_faults,
    text_faults,
    texts_faults,
)
from lessons.graders.interfaces import Context, Outcome
from lessons.graders.normalise import faults as normalise_faults
from lessons.graders.normalise import normalise, options
from lessons.graders.variables import fill, fill_pattern, fill_text
from lessons.graders.wording import first_different_line

NEEDS_PROBE = True
CONDITIONS = ("equals", "contains", "absent", "matches", "numbers", "numbers_from", "expect_from")
FIELDS = frozenset({*CONDITIONS, "field", "tolerance", "normalise"})

_NUMBER = re.compile(r"(?<![A-Za-z0-9_.])[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)
_DIGITS_MOST = 300  # of one number; a longer one is no number
_NUMBERS_MOST = 10_000
_LABELS = {"stdout": "출력", "stderr": "오류 출력"}


def validate(fields: Mapping[str, Any], variables: Mapping[str, VarSpec]) -> list[Fault]:
    found = normalise_faults(fields.get("normalise"))
    if "field" in fields:
        found += query_faults(fields["field"], "field")
    if not any(name in fields for name in CONDITIONS):
        found.append(Fault("", "무엇과 견줄지 없어요.", f"{', '.join(CONDITIONS)} 가운데 하나를 적어 주세요."))
    if "equals" in fields:
        found += text_faults(fields["equals"], "equals")
    for name in ("contains", "absent"):
        if name in fields:
            found += texts_faults(fields[name], name)
    if "matches" in fields:
        found += pattern_faults(fields["matches"], "matches")
    if "numbers" in fields and not all(is_number(item) or _is_place(item) for item in _listed(fields["numbers"])):
        found.append(Fault("numbers", "수나 수의 목록이 와야 해요.", "예: numbers: [3, 4.5]"))
    for expression in _listed(fields.get("numbers_from", [])):
        try:
            arithmetic.check(str(expression), variables)
        except arithmetic.ArithmeticFault as fault:
            found.append(Fault("numbers_from", str(fault), '예: numbers_from: "a + b"'))
    if "expect_from" in fields:
        found += text_faults(fields["expect_from"], "expect_from", empty=False)
    tolerance = fields.get("tolerance", 0)
    if not is_number(tolerance) or not 0 <= tolerance < float("inf"):
        found.append(Fault("tolerance", "0이거나 더 큰 수가 와야 해요.", "예: tolerance: 0.01"))
    return found


def probes_of(check: CheckSpec) -> tuple[str, ...]:
    return (check.probe,)


def asks_ended(check: CheckSpec) -> bool:
    return reads_field(check.fields.get("field", "stdout"), "ended")


def judge(check: CheckSpec, context: Context) -> Outcome:
    fields = check.fields
    field = fields.get("field", "stdout")
    text = _text(ask(field, context.documents[check.probe]))
    wanted = {
        name: fill(fields[name], context.variables) for name in ("equals", "contains", "absent") if name in fields
    }
    if text is None:
        expected = "\n".join(as_texts(wanted.get("equals", wanted.get("contains", context.said.get(check.id, "글")))))
        return Outcome(
            False, expected, "", f"{_label(field)}에서 견줄 글을 찾지 못했어요. 파일 이름과 형식을 살펴보세요."
        )
    outcomes = [_CHECKERS[name](name, text, check, context) for name in CONDITIONS if name in fields]
    return next((outcome for outcome in outcomes if not outcome.passed), outcomes[0])


def _text(value: Any) -> str | None:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "\n".join(value)
    if isinstance(value, bool):
        return json.dumps(value)
    return as_text(value)


def _equals(name: str, text: str, check: CheckSpec, context: Context) -> Outcome:
    steps = options(check.fields.get("normalise"))
    wanted = context.said[check.id] if name == "expect_from" else fill_text(str(check.fields[name]), context.variables)
    left, right = normalise(wanted, steps), normalise(text, steps)
    if left == right:
        return Outcome(True, wanted, text)
    # What does not count must not look like the difference; letters keep their case to be readable.
    shown = tuple(step for step in steps if step != "case")
    expected, found = normalise(wanted, shown), normalise(text, shown)
    message = "{expected}이(가) 나와야 하는데 {found}이(가) 나왔어요. 어디가 다른지 견주어 보세요."
    if "\n" in left or "\n" in right:
        where = (
            f"{_label(check.fields.get('field', 'stdout'))}이 {first_different_line(left, right)}번째 줄부터 달라요."
        )
        message = f"{where} 바란 값과 실제 값을 견주어 보세요."
    return Outcome(False, expected, found, _empty(text, check) or message, exact=True)


def _contains(name: str, text: str, check: CheckSpec, context: Context) -> Outcome:
    steps = options(check.fields.get("normalise"))
    wanted = [fill_text(item, context.variables) for item in as_texts(check.fields[name])]
    missing = [item for item in wanted if normalise(item, steps) not in normalise(text, steps)]
    message = (
        _label(check.fields.get("field", "stdout")) + "에 {expected}이(가) 들어 있어야 해요. 실제 값을 살펴보세요."
    )
    return Outcome(not missing, (missing or wanted)[0], text, _empty(text, check) or message)


def _absent(name: str, text: str, check: CheckSpec, context: Context) -> Outcome:
    steps = options(check.fields.get("normalise"))
    unwanted = [fill_text(item, context.variables) for item in as_texts(check.fields[name])]
    present = [item for item in unwanted if normalise(item, steps) in normalise(text, steps)]
    label = _label(check.fields.get("field", "stdout"))
    if not present:
        return Outcome(True, f"{unwanted[0]} 없음", text)
    return Outcome(
        False, f"{present[0]} 없음", present[0], label + "에 {found}이(가) 없어야 하는데 있어요. 지우고 다시 해 보세요."
    )


def _matches(name: str, text: str, check: CheckSpec, context: Context) -> Outcome:
    pattern = fill_pattern(check.fields[name], context.variables)
    passed = compile_pattern(pattern).search(normalise(text, options(check.fields.get("normalise")))) is not None
    label = _label(check.fields.get("field", "stdout"))
    message = f"{label}의 꼴이 달라요." + " {found}이(가) 나왔어요. 문제에 나온 형식과 견주어 보세요."
    return Outcome(passed, f"/{pattern}/", text, _empty(text, check) or message)


def _numbers(name: str, text: str, check: CheckSpec, context: Context) -> Outcome:
    try:
        wanted = [_wanted_number(name, item, context) for item in _listed(check.fields[name])]
    except (arithmetic.ArithmeticFault, ValueError):
        return Outcome(
            False, "", text, always="이 확인 항목의 식을 계산하지 못했어요. 강사에게 알려 주세요.", only=True
        )
    expected = " ".join(f"{number:.12g}" if isinstance(number, float) else str(number) for number in wanted)
    found = _numbers_in(text)
    tolerance = check.fields.get("tolerance", 1e-9)
    passed = len(found) == len(wanted) and all(map(lambda a, b: abs(a - b) <= tolerance, wanted, found))
    message = "{expected}이(가) 나와야 하는데 {found}이(가) 나왔어요. 계산을 살펴보세요."
    if len(found) != len(wanted):
        message = f"수가 {len(wanted)}개 나와야 하는데 {len(found)}개 나왔어요. 답만 찍고 있는지 살펴보세요."
    return Outcome(passed, expected, text, _empty(text, check) or message)


def _wanted_number(name: str, item: Any, context: Context) -> int | float:
    if name == "numbers_from":
        return arithmetic.evaluate(str(item), context.variables)
    value = fill(item, context.variables)
    return value if is_number(value) else float(value)


def _numbers_in(text: str) -> list[int | float]:
    found: list[int | float] = []
    for match in _NUMBER.finditer(text):
        digits = match[0]
        if len(digits) > _DIGITS_MOST or len(found) >= _NUMBERS_MOST:
            return []
        found.append(float(digits) if re.search(r"[.eE]", digits) else int(digits))
    return found


_CHECKERS = {
    "equals": _equals,
    "contains": _contains,
    "absent": _absent,
    "matches": _matches,
    "numbers": _numbers,
    "numbers_from": _numbers,
    "expect_from": _equals,
}


def _empty(text: str, check: CheckSpec) -> str:
    if text.strip() or check.fields.get("field", "stdout") != "stdout":
        return ""
    return "아무것도 출력하지 않았어요. 답을 화면에 찍고 있는지 살펴보세요."


def _label(field: str) -> str:
    return _LABELS.get(field, "확인한 값" if not field.startswith("files") else "파일 내용")


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _is_place(item: Any) -> bool:
    """``{{name}}``: content looks whether there is a variable of that name."""
    return isinstance(item, str) and item.strip().startswith("{{")
