"""check ``query``: a jmespath query on the evidence gives what is wanted.

All conditions that are given must hold; there must be one at least:

    equals, not        the same JSON value, or another one (1 and 1.0 are the same, 1 and true are not)
    contains           a text in a text, an item in a list, a key in an object; of a list, each of them
    at_least, at_most  a number
    one_of             a list with the value in it
    count              how many items, keys or characters it has
    disjoint, subset   a list: nothing in common with it, or nothing beside it

The wanted value may be ``{probe, query}``. A query that finds nothing fails unless ``equals: null`` is
written; an empty list has nothing to be ``not``, ``disjoint`` or a ``subset`` and fails there as well.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

from lessons.contracts import CheckSpec, VarSpec
from lessons.graders.asking import ask, reads_field
from lessons.graders.differing import differing
from lessons.graders.fields import Fault, is_number, query_faults
from lessons.graders.interfaces import Context, Outcome
from lessons.graders.variables import fill, fill_text, only_place
from lessons.graders.wording import describe

NEEDS_PROBE = True
CONDITIONS = ("equals", "not", "contains", "at_least", "at_most", "one_of", "count", "disjoint", "subset")
FIELDS = frozenset({*CONDITIONS, "query"})

_NEEDS_SOMETHING = ("not", "disjoint", "subset")
_NUMBERS = ("at_least", "at_most", "count")


def validate(fields: Mapping[str, Any], variables: Mapping[str, VarSpec]) -> list[Fault]:
    found = query_faults(fields.get("query"), "query")
    given = [name for name in CONDITIONS if name in fields]
    if not given:
        found.append(Fault("", "무엇을 바라는지 없어요.", f"{', '.join(CONDITIONS)} 가운데 하나를 적어 주세요."))
    for name in given:
        value = fields[name]
        if isinstance(value, Mapping) and set(value) == {"probe", "query"}:
            found += query_faults(value["query"], f"{name}.query")
            if not isinstance(value["probe"], str):
                found.append(Fault(f"{name}.probe", "프로브의 id가 와야 해요.", "예: {probe: small, query: stdout}"))
        elif isinstance(value, str) and "{{" in value:
            # Whether there is a variable of that name is content's matter.
            if name in _NUMBERS and not _draws_numbers(value, variables):
                fix = f'int이거나 정수만 있는 choice인 변수 하나만 적어 주세요. 예: {name}: "{{{{n}}}}"'
                found.append(Fault(name, "수와 견주는데 뽑은 값이 글이라 통과할 수 없어요.", fix))
        elif name in _NUMBERS and not is_number(value):
            found.append(Fault(name, "수가 와야 해요.", f"예: {name}: 2"))
        elif name in ("one_of", "disjoint", "subset") and not isinstance(value, list):
            found.append(Fault(name, "목록이 와야 해요.", f"예: {name}: [a, b]"))
        elif name in ("not", "contains", "one_of") and value in (None, "", []):
            found.append(Fault(name, "비어 있어요.", "바라는 값을 적어 주세요."))
    return found


def _draws_numbers(text: str, variables: Mapping[str, VarSpec]) -> bool:
    """Whether the text becomes a number in every attempt; unknown variables are given the benefit of the doubt."""
    name = only_place(text)
    if name not in variables:
        return bool(name)
    spec = variables[name]
    return spec.kind == "int" or (spec.kind == "choice" and all(is_number(item) for item in spec.choices))


def probes_of(check: CheckSpec) -> tuple[str, ...]:
    others = [check.fields[name]["probe"] for name in CONDITIONS if _is_reference(check.fields.get(name))]
    return (check.probe, *others)


def asks_ended(check: CheckSpec) -> bool:
    return reads_field(check.fields["query"], "ended")


def judge(check: CheckSpec, context: Context) -> Outcome:
    value = ask(check.fields["query"], context.documents[check.probe])
    outcomes = [_one(name, value, check.fields[name], context) for name in CONDITIONS if name in check.fields]
    return next((outcome for outcome in outcomes if not outcome.passed), outcomes[0])


def _one(name: str, value: Any, written: Any, context: Context) -> Outcome:
    referred = _is_reference(written)
    if referred:
        wanted = ask(fill_text(written["query"], context.variables), context.documents.get(written["probe"]))
    else:
        wanted = fill(written, context.variables)
    expected, found = _WORDS[name](describe(wanted)), describe(value)
    if referred and wanted is None:
        message = "견줄 값을 찾지 못했어요. 견주는 프로그램이 제대로 끝났는지 살펴보세요."
        return Outcome(False, expected, found, message, missing="wanted")
    if value is None or (name in _NEEDS_SOMETHING and value == []):
        if name == "equals" and wanted is None:
            return Outcome(True, expected, found)
        message = "확인할 값을 찾지 못했어요. 프로그램이 끝까지 실행되는지 살펴보세요."
        return Outcome(False, expected, found, message, missing="found")
    try:
        passed = _TESTS[name](value, wanted)
    except RecursionError:  # JSON that a learner nested deeper than anything that is wanted
        passed = False
    inside, diff = differing(wanted, value) if name == "equals" and not passed else ("", "")
    return Outcome(passed, expected, found, _MESSAGES.get(name, _DEFAULT_MESSAGE), inside=inside, diff=diff)


def _is_reference(written: Any) -> bool:
    return isinstance(written, Mapping) and set(written) == {"probe", "query"}


def same(left: Any, right: Any) -> bool:
    """Equal as JSON values: a boolean is no number."""
    return _key(left) == _key(right)


def _key(value: Any) -> Hashable:
    """Equal keys for the same JSON value; in sets they keep long lists from costing their product."""
    if isinstance(value, list | tuple):
        return ("list", *map(_key, value))
    if isinstance(value, Mapping):
        return ("object", frozenset((name, _key(item)) for name, item in value.items()))
    return ("boolean" if isinstance(value, bool) else "value", value)


def _keys(value: Any) -> set[Hashable]:
    return set(map(_key, _listed(value)))


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _contains(value: Any, wanted: Any) -> bool:
    if isinstance(value, str):
        return all(isinstance(item, str) and item in value for item in _listed(wanted))
    return _keys(wanted) <= _keys(list(value) if isinstance(value, Mapping) else value)


def _compares(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda value, wanted: is_number(value) and is_number(wanted) and test(value, wanted)


def _count(value: Any, wanted: Any) -> bool:
    return isinstance(value, list | Mapping | str) and same(len(value), wanted)


_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "equals": same,
    "not": lambda value, wanted: not same(value, wanted),
    "contains": _contains,
    "at_least": _compares(lambda value, wanted: bool(value >= wanted)),
    "at_most": _compares(lambda value, wanted: bool(value <= wanted)),
    "one_of": lambda value, wanted: _key(value) in _keys(wanted),
    "count": _count,
    "disjoint": lambda value, wanted: not _keys(value) & _keys(wanted),
    "subset": lambda value, wanted: _keys(value) <= _keys(wanted),
}

_WORDS: dict[str, Callable[[str], str]] = {
    "equals": lambda wanted: wanted,
    "not": lambda wanted: f"{wanted} 아닌 값",
    "contains": lambda wanted: wanted,
    "at_least": lambda wanted: f"{wanted} 이상",
    "at_most": lambda wanted: f"{wanted} 이하",
    "one_of": lambda wanted: f"{wanted} 가운데 하나",
    "count": lambda wanted: f"{wanted}개",
    "disjoint": lambda wanted: f"{wanted} 밖의 값",
    "subset": lambda wanted: f"{wanted} 안의 값",
}

_DEFAULT_MESSAGE = "{expected}이(가) 나와야 하는데 {found}이(가) 나왔어요. 왜 다른지 살펴보세요."
_MESSAGES = {
    "contains": "{expected}이(가) 들어 있어야 하는데 없어요. 실제 값을 살펴보세요.",
    "count": "{expected}여야 하는데 개수가 달라요. 실제 값을 세어 보세요.",
}
