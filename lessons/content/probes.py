"""The probes of exercise.yaml, and what checks have in common with them: ids, places of variables, commands."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from lessons.content import rules
from lessons.content.fitting import Setting, check_fit, check_together
from lessons.content.parts import read_environment
from lessons.content.reader import Reader
from lessons.contracts import Kind, ProbeSpec
from lessons.graders import registry
from lessons.graders.probes import run

PLACE = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")  # as lessons.graders.variables fills them
_BESIDE = ("stdin", "files", "collect", "environment")


def read_probes(reader: Reader, setting: Setting) -> tuple[ProbeSpec, ...]:
    """The probes; their type is their key."""
    found: list[tuple[Reader, ProbeSpec]] = []
    for number, item in enumerate(reader.items("probes", most=rules.PROBES), start=1):
        identifier = read_identifier(item, f"probe{number}", [probe.id for _item, probe in found])
        probe_type, value = _probe_type(item, setting)
        probe = ProbeSpec(
            id=identifier,
            type=probe_type,
            value=value,
            hidden=item.flag("hidden"),
            environment=_environment(item, probe_type, setting),
            stdin=item.text("stdin", most=rules.ANSWER_FILE_BYTES),
            files=item.files("files"),
            collect=item.paths("collect"),
            active=item.flag("active"),
            undo=read_commands(item, "undo"),
        )
        _check_beside(item, probe, setting)
        item.finish(registry.PROBES)
        check_places(item, [probe_type, "stdin", "files", "collect", "undo"], setting.variables)
        found.append((item, probe))
    check_together(found, setting)
    return tuple(probe for _item, probe in found)


def read_identifier(item: Reader, default: str, taken: Collection[str]) -> str:
    identifier = item.identifier("id", default=default)
    if identifier in taken:
        item.problem("id", f"{identifier} id가 이미 있어요.", "다른 id를 적어 주세요.")
    return identifier


def _probe_type(item: Reader, setting: Setting) -> tuple[str, Any]:
    types = [key for key in item.values if key in registry.PROBES]
    if len(types) == 1:
        value = item.raw(types[0])
        for fault in registry.validate_probe(types[0], value):
            item.problem(types[0], fault.message, fault.fix, *steps(fault.field))
        check_fit(item, types[0], value, setting)
        return types[0], value
    if len(types) > 1:
        item.raw(types[0])
        item.raw(types[1])
        item.problem(types[1], "한 프로브에 종류가 둘이에요.", "프로브를 둘로 나눠 주세요.")
    else:
        example = (
            'run: ["python3", "main.py"]' if setting.kind == Kind.RUN else "docker: {object: container, name: web}"
        )
        item.problem("", "무엇을 실행할지 없어요.", f"{example}처럼 적어 주세요.")
    return "", ()


def _environment(item: Reader, probe_type: str, setting: Setting) -> str:
    """A build always says where it happens, so that it is known what the exercise needs: where there is an engine and
    nothing else to wait for."""
    if probe_type == "build":
        has_cluster = setting.traits is not None and setting.traits.cluster
        default = setting.environment if setting.kind == Kind.LAB and not has_cluster else rules.DEFAULT_LAB
        return read_environment(item, setting.labs, default)
    return read_environment(item, setting.runs, "")


def _check_beside(item: Reader, probe: ProbeSpec, setting: Setting) -> None:
    if probe.type not in registry.PROBES:
        return
    allowed = registry.PROBES[probe.type].BESIDE
    for key in _BESIDE:
        if key not in allowed and item.has(key):
            item.problem(key, f"{probe.type} 프로브에는 쓰지 않는 항목이에요.", f"{key} 항목을 지워 주세요.")
    if probe.undo and (setting.kind != Kind.LAB or not probe.active):
        item.problem("undo", "active 프로브를 되돌릴 때만 써요.", "active: true를 적거나 undo를 지워 주세요.")


def read_commands(reader: Reader, key: str) -> tuple[tuple[str, ...], ...]:
    """A list of argv."""
    value = reader.raw(key)
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > rules.COMMANDS:
        fix = f'{key}: [["docker", "pull", "nginx"]]처럼 {rules.COMMANDS}개까지 적어 주세요.'
        reader.problem(key, "명령의 목록이 와야 해요.", fix)
        return ()
    found = []
    for index, argv in enumerate(value):
        faults = run.validate(argv, name="- ")
        for fault in faults:
            reader.problem(key, fault.message, fault.fix, index, *steps(fault.field))
        if not faults:
            found.append(tuple(str(word) for word in argv))
    return tuple(found)


def steps(field: str) -> tuple[str | int, ...]:
    """``options.0.text`` as a path."""
    return tuple(int(part) if part.isdecimal() else part for part in field.split(".") if part)


def check_places(item: Reader, keys: Collection[str], variables: Collection[str], later: Collection[str] = ()) -> None:
    """{{name}} must name a variable; those of ``later`` are not drawn yet when these are used."""
    names = ", ".join(sorted(variables))
    fix = f"{names} 가운데 하나를 적어 주세요." if names else "vars에 변수를 먼저 적어 주세요."
    for key in keys:
        for path, text in _texts(item.values.get(key), ()):
            for name in PLACE.findall(text):
                if name in later:
                    message = f"{{{{{name}}}}} 변수는 채점할 때마다 뽑으니 여기에는 쓸 수 없어요."
                    item.problem(key, message, f"{name} 변수의 per: attempt를 지우거나 다른 변수를 쓰세요.", *path)
                elif name not in variables:
                    item.problem(key, f"{{{{{name}}}}} 변수가 없어요.", fix, *path)


def _texts(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _texts(inner, (*path, key))
