"""vars, checks and questions of exercise.yaml.

What a type itself wants is asked of ``lessons.graders.registry``; here is what is common to
all: ids, probes and programs that are named, places of variables, and lines.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from lessons.content import rules
from lessons.content.probes import check_places, read_identifier, steps
from lessons.content.reader import Reader
from lessons.contracts import CheckSpec, Kind, ProbeSpec, VarSpec
from lessons.graders import registry

_INT_SPAN = 10**12
_WORD_MOST = 64


def read_vars(reader: Reader) -> tuple[VarSpec, ...]:
    """The drawn variables, in the order of the file."""
    mapping = reader.mapping("vars")
    if len(mapping.values) > rules.VARS:
        reader.problem("vars", f"변수가 {rules.VARS}개보다 많아요.", "개수를 줄여 주세요.")
        return ()
    found = []
    for name in mapping.values:
        if not rules.NAME.fullmatch(name):
            mapping.problem(name, "변수 이름으로 쓸 수 없어요.", "영문자나 _로 시작해 영문자, 숫자, _로 적어 주세요.")
        elif spec := _variable(name, mapping.mapping(name)):
            found.append(spec)
    return tuple(found)


def _variable(name: str, reader: Reader) -> VarSpec | None:
    kinds = [kind for kind in ("int", "choice", "word") if kind in reader.values]
    if len(kinds) != 1:
        reader.problem("", "int, choice, word 가운데 하나만 있어야 해요.", f"{name}: {{int: [1, 99]}}처럼 적어 주세요.")
        return None
    kind = kinds[0]
    value = reader.raw(kind)
    per_attempt = reader.word("per", ["attempt"]) == "attempt"  # in a run every attempt draws anew anyway
    reader.finish(("int", "choice", "word"))
    if kind == "choice":
        return _choice(name, reader, value, per_attempt=per_attempt)
    pair = [value, value] if kind == "word" and _is_int(value) else value
    if not (isinstance(pair, list) and len(pair) == 2 and all(_is_int(number) for number in pair)):
        fix = "int: [가장 작은 수, 가장 큰 수]" if kind == "int" else "word: 길이, 또는 word: [짧은 길이, 긴 길이]"
        reader.problem(kind, "정수로 적은 범위가 와야 해요.", f"{fix}처럼 적어 주세요.")
        return None
    low, high = pair
    least, most = (1, _WORD_MOST) if kind == "word" else (-_INT_SPAN, _INT_SPAN)
    if not least <= low <= high <= most:
        fix = f"{least}에서 {most} 사이에서 작은 수를 앞에 적어 주세요."
        reader.problem(kind, "범위가 맞지 않아요.", fix)
        return None
    return VarSpec(name, kind, low, high, per_attempt=per_attempt)


def _choice(name: str, reader: Reader, value: Any, *, per_attempt: bool) -> VarSpec | None:
    if not isinstance(value, list) or not 1 <= len(value) <= rules.OPTIONS:
        reader.problem("choice", "고를 값의 목록이 와야 해요.", f"1개에서 {rules.OPTIONS}개까지 적어 주세요.")
        return None
    if not all(isinstance(item, str) or _is_int(item) for item in value):
        reader.problem("choice", "고를 값은 글이나 정수여야 해요.", "다른 값은 따옴표로 묶어 주세요.")
        return None
    return VarSpec(name, "choice", choices=tuple(value), per_attempt=per_attempt)


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


@dataclass(frozen=True)
class _Around:
    """What checks are read against."""

    kind: Kind
    probes: tuple[ProbeSpec, ...]
    variables: Collection[VarSpec]
    programs: Collection[str]
    baseline: Collection[str]

    @property
    def names(self) -> list[str]:
        """What may be named as a probe."""
        return [*(probe.id for probe in self.probes), *(f"baseline.{name}" for name in self.baseline)]


def read_checks(
    reader: Reader,
    kind: Kind,
    probes: tuple[ProbeSpec, ...],
    variables: Collection[VarSpec],
    starter: Collection[str],
    *,
    programs: Collection[str] = (),
    baseline: Collection[str] = (),
) -> tuple[CheckSpec, ...]:
    """The checks of an exercise of kind run or lab; there must be one at least."""
    found: list[CheckSpec] = []
    around = _Around(kind, probes, variables, programs, baseline)
    for number, item in enumerate(reader.items("checks", most=rules.CHECKS), start=1):
        identifier = read_identifier(item, f"check{number}", [check.id for check in found])
        found.append(_check(item, identifier, around))
        if found[-1].type == "dockerfile" and kind == Kind.RUN:
            _check_file(item, starter)
    if not found:
        reader.problem("checks", "확인 항목이 하나도 없어요.", "checks에 확인 항목을 적어 주세요.")
    return tuple(found)


def _check(item: Reader, identifier: str, around: _Around) -> CheckSpec:
    check_type = item.text("type", required=True, most=40)
    title = item.text("title", default=identifier, most=rules.TITLE_LENGTH).strip() or identifier
    probe = item.text("probe", most=80)
    weight = float(item.number("weight", default=1.0, least=0.01, most=1000))
    message, hint, show = item.text("message"), item.text("hint"), item.text("show")
    expected = item.text("expected", most=rules.TITLE_LENGTH)
    within = float(item.number("within", default=0.0, least=0.5, most=rules.WITHIN_SECONDS))
    latch = item.flag("latch")
    fields = item.rest()
    if check_type in registry.CHECKS:
        _check_fields(item, check_type, fields, around.variables)
        probe = _named_probe(item, probe, around.names, needed=registry.needs_probe(check_type))
        _check_named_probes(item, fields, around.names)
        check_places(item, list(fields), {spec.name for spec in around.variables})
    elif check_type:
        known = f"{', '.join(sorted(registry.CHECKS))} 가운데 하나를 적어 주세요."
        item.problem("type", f"모르는 종류({check_type})예요.", known)
    check = CheckSpec(
        identifier, title, check_type, probe, weight, message, hint, show, expected, within, latch, fields
    )
    if check_type in registry.CHECKS:
        _check_fit(item, check, around)
    return check


def _check_fit(item: Reader, check: CheckSpec, around: _Around) -> None:
    """That the check belongs to this kind of exercise, and can do what it is told to."""
    only = registry.only_in(check.type)
    if only not in (None, around.kind):
        fix = "다른 확인으로 바꿔 주세요."
        item.problem("type", f"{check.type} 확인은 kind: {only}에서만 쓸 수 있어요.", fix)
    if around.kind != Kind.LAB:
        for key in ("within", "latch"):
            if item.has(key):
                item.problem(key, "kind: lab에서만 쓰는 항목이에요.", f"{key} 항목을 지워 주세요.")
    program = registry.program_of(check)
    if program and program not in around.programs:
        key = "program" if check.type == "script" else "expect_from"
        fix = f"checks/{program[:60]} 파일을 만들거나 이름을 고쳐 주세요."
        item.problem(key, f"checks/에 {program[:60]} 파일이 없어요.", fix)
    looks_once = any(
        probe.id == check.probe and (probe.type == "build" or (probe.type == "traffic" and probe.active))
        for probe in around.probes
    )
    if check.within and (program or looks_once or check.type == "script"):
        fix = "within을 지우거나, 다시 물어볼 수 있는 프로브를 보게 해 주세요."
        item.problem("within", "다시 물어볼 수 없는 확인이에요.", fix)


def _check_fields(item: Reader, check_type: str, fields: dict[str, Any], variables: Collection[VarSpec]) -> None:
    for fault in registry.validate_check(check_type, fields, variables=variables):
        head, *inner = steps(fault.field) or ("",)
        item.problem(str(head), fault.message, fault.fix, *inner)


def _named_probe(item: Reader, probe: str, probes: list[str], *, needed: bool) -> str:
    if not probe and needed and len(probes) == 1:
        return probes[0]
    if not probe and needed:
        item.problem("probe", "어느 프로브를 볼지 없어요.", _probes_fix(probes))
    elif probe and probe not in probes:
        item.problem("probe", f"{probe} 프로브가 없어요.", _probes_fix(probes))
    return probe


def _probes_fix(probes: list[str]) -> str:
    return f"{', '.join(probes)} 가운데 하나를 적어 주세요." if probes else "probes에 프로브를 먼저 적어 주세요."


def _check_named_probes(item: Reader, fields: dict[str, Any], probes: list[str]) -> None:
    """A wanted value may itself be {probe, query}: its probe must exist as well."""
    for key, value in fields.items():
        if isinstance(value, dict) and isinstance(value.get("probe"), str) and value["probe"] not in probes:
            item.problem(key, f"{value['probe']} 프로브가 없어요.", _probes_fix(probes), "probe")


def _check_file(item: Reader, starter: Collection[str]) -> None:
    path = item.values.get("file") or "Dockerfile"
    if path not in starter:
        fix = f"starter/{path} 파일을 만들거나 이름을 고쳐 주세요."
        item.problem("file", f"starter/에 {path} 파일이 없어요.", fix)


def read_questions(reader: Reader) -> tuple[CheckSpec, ...]:
    """The questions of a quiz, each a check: title is its prompt, message its `why`."""
    found: list[CheckSpec] = []
    for number, item in enumerate(reader.items("questions", most=rules.CHECKS), start=1):
        identifier = read_identifier(item, f"question{number}", [check.id for check in found])
        question_type = item.word("type", registry.QUESTIONS, required=True)
        prompt = item.text("prompt", required=True)
        why, hint = item.text("why"), item.text("hint")
        weight = float(item.number("weight", default=1.0, least=0.01, most=1000))
        fields = item.rest()
        if question_type:
            _check_fields(item, question_type, fields, ())
        found.append(CheckSpec(identifier, prompt, question_type, "", weight, why, hint, fields=fields))
    if not found:
        reader.problem("questions", "질문이 하나도 없어요.", "questions에 질문을 적어 주세요.")
    return tuple(found)
