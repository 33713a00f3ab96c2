"""vars, probes, checks and questions of exercise.yaml.

What a type itself wants is asked of ``lessons.graders.registry``; here is what is common to
all: ids, probes that are named, environments, places of variables, and lines.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from lessons.content import rules
from lessons.content.reader import Reader
from lessons.contracts import CheckSpec, ProbeSpec, VarSpec
from lessons.graders import registry

_PLACE = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")  # as lessons.graders.variables fills them
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
    reader.word("per", ["attempt"])  # says what a run does anyway: every attempt draws anew
    reader.finish(("int", "choice", "word"))
    if kind == "choice":
        return _choice(name, reader, value)
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
    return VarSpec(name, kind, low, high)


def _choice(name: str, reader: Reader, value: Any) -> VarSpec | None:
    if not isinstance(value, list) or not 1 <= len(value) <= rules.OPTIONS:
        reader.problem("choice", "고를 값의 목록이 와야 해요.", f"1개에서 {rules.OPTIONS}개까지 적어 주세요.")
        return None
    if not all(isinstance(item, str) or _is_int(item) for item in value):
        reader.problem("choice", "고를 값은 글이나 정수여야 해요.", "다른 값은 따옴표로 묶어 주세요.")
        return None
    return VarSpec(name, "choice", choices=tuple(value))


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def read_probes(
    reader: Reader, variables: Collection[str], environments: Collection[str] | None
) -> tuple[ProbeSpec, ...]:
    """The probes; their type is their key."""
    found: list[ProbeSpec] = []
    for number, item in enumerate(reader.items("probes", most=rules.PROBES), start=1):
        identifier = _identifier(item, f"probe{number}", [probe.id for probe in found])
        environment = item.text("environment", most=80)
        if environment and environments is not None and environment not in environments:
            fix = f"{', '.join(sorted(environments))} 가운데 하나를 적어 주세요."
            item.problem("environment", f"{environment} 환경이 없어요.", fix)
        probe_type, value = _probe_type(item)
        probe = ProbeSpec(
            id=identifier,
            type=probe_type,
            value=value,
            hidden=item.flag("hidden"),
            environment=environment,
            stdin=item.text("stdin", most=rules.ANSWER_FILE_BYTES),
            files=item.files("files"),
            collect=item.paths("collect"),
        )
        item.refuse_later(rules.LATER_PROBE_FIELDS)
        item.finish(registry.PROBES)
        _check_places(item, [probe_type, "stdin", "files", "collect"], variables)
        found.append(probe)
    return tuple(found)


def _identifier(item: Reader, default: str, taken: Collection[str]) -> str:
    identifier = item.identifier("id", default=default)
    if identifier in taken:
        item.problem("id", f"{identifier} id가 이미 있어요.", "다른 id를 적어 주세요.")
    return identifier


def _probe_type(item: Reader) -> tuple[str, Any]:
    types = [key for key in item.values if key in registry.PROBES]
    later = [key for key in item.values if key in rules.LATER_PROBES and key not in registry.PROBES]
    item.refuse_later(later)
    if len(types) == 1 and not later:
        value = item.raw(types[0])
        for fault in registry.validate_probe(types[0], value):
            item.problem(types[0], fault.message, fault.fix, *_steps(fault.field))
        return types[0], value
    if len(types) > 1:
        item.raw(types[0])
        item.raw(types[1])
        item.problem(types[1], "한 프로브에 종류가 둘이에요.", "프로브를 둘로 나눠 주세요.")
    elif not later:
        item.problem("", "무엇을 실행할지 없어요.", 'run: ["python3", "main.py"]처럼 적어 주세요.')
    return "", ()


def _steps(field: str) -> tuple[str | int, ...]:
    """``options.0.text`` as a path."""
    return tuple(int(part) if part.isdecimal() else part for part in field.split(".") if part)


def read_checks(
    reader: Reader, probes: tuple[ProbeSpec, ...], variables: Collection[VarSpec], starter: Collection[str]
) -> tuple[CheckSpec, ...]:
    """The checks of an exercise of kind run; there must be one at least."""
    found: list[CheckSpec] = []
    ids = [probe.id for probe in probes]
    for number, item in enumerate(reader.items("checks", most=rules.CHECKS), start=1):
        identifier = _identifier(item, f"check{number}", [check.id for check in found])
        found.append(_check(item, identifier, ids, variables))
        if found[-1].type == "dockerfile":
            _check_file(item, starter)
    if not found:
        reader.problem("checks", "확인 항목이 하나도 없어요.", "checks에 확인 항목을 적어 주세요.")
    return tuple(found)


def _check(item: Reader, identifier: str, probes: list[str], variables: Collection[VarSpec]) -> CheckSpec:
    check_type = item.text("type", required=True, most=40)
    title = item.text("title", default=identifier, most=rules.TITLE_LENGTH).strip() or identifier
    probe = item.text("probe", most=80)
    weight = float(item.number("weight", default=1.0, least=0.01, most=1000))
    message, hint, show = item.text("message"), item.text("hint"), item.text("show")
    expected = item.text("expected", most=rules.TITLE_LENGTH)
    item.refuse_later(rules.LATER_CHECK_FIELDS)
    fields = item.rest()
    if check_type in registry.CHECKS:
        _check_fields(item, check_type, fields, variables)
        probe = _named_probe(item, probe, probes, needed=registry.needs_probe(check_type))
        _check_named_probes(item, fields, probes)
        _check_places(item, list(fields), {spec.name for spec in variables})
    elif check_type:
        known = f"{', '.join(sorted(registry.CHECKS))} 가운데 하나를 적어 주세요."
        later = check_type in rules.LATER_CHECKS
        message = (
            f"이 판의 포털은 아직 {check_type} 확인을 하지 않아요." if later else f"모르는 종류({check_type})예요."
        )
        item.problem("type", message, known)
    return CheckSpec(identifier, title, check_type, probe, weight, message, hint, show, expected, fields=fields)


def _check_fields(item: Reader, check_type: str, fields: dict[str, Any], variables: Collection[VarSpec]) -> None:
    for fault in registry.validate_check(check_type, fields, variables=variables):
        head, *inner = _steps(fault.field) or ("",)
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


def _check_places(item: Reader, keys: list[str], variables: Collection[str]) -> None:
    """{{name}} must name a variable."""
    names = ", ".join(sorted(variables))
    fix = f"{names} 가운데 하나를 적어 주세요." if names else "vars에 변수를 먼저 적어 주세요."
    for key in keys:
        for path, text in _texts(item.values.get(key), ()):
            for name in _PLACE.findall(text):
                if name not in variables:
                    item.problem(key, f"{{{{{name}}}}} 변수가 없어요.", fix, *path)


def _texts(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _texts(inner, (*path, key))


def read_questions(reader: Reader) -> tuple[CheckSpec, ...]:
    """The questions of a quiz, each a check: title is its prompt, message its `why`."""
    found: list[CheckSpec] = []
    for number, item in enumerate(reader.items("questions", most=rules.CHECKS), start=1):
        identifier = _identifier(item, f"question{number}", [check.id for check in found])
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
