"""check ``dockerfile``: the parsed Dockerfile satisfies a rule. No probe is needed.

    file                     which file of the answer, default Dockerfile
    instruction              RUN, COPY, … ; case does not count
    equals/contains/matches  what stands after it: the whole, a part (or a list: each of them), an RE2 pattern
    absent: true             no such instruction may be there
    before/after             {instruction, contains}: at least one stands before the first of those;
                             all of them stand after the first of those

Runs of spaces count as one, and ["a","b"] is the same as ["a", "b"]. Variables are not expanded.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dockerfile_parse import DockerfileParser

from lessons.contracts import CheckSpec, VarSpec
from lessons.graders.fields import (
    Fault,
    as_text,
    as_texts,
    compile_pattern,
    pattern_faults,
    text_faults,
    texts_faults,
    unknown_fields,
)
from lessons.graders.interfaces import Context, Outcome
from lessons.graders.normalise import single_spaced
from lessons.graders.variables import fill, fill_pattern
from lessons.graders.wording import plain

NEEDS_PROBE = False
FIELDS = frozenset({"file", "instruction", "equals", "contains", "matches", "absent", "before", "after"})
# fmt: off
INSTRUCTIONS = frozenset([
    "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK",
    "LABEL", "MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
])
# fmt: on
MAX_BYTES = 64 * 1024
MAX_LINES = 2000
_PLACES = ("before", "after")
_HEREDOC = re.compile(r"<<-?([\"']?)([A-Za-z_][A-Za-z0-9_]*)\1")


class Unreadable(Exception):
    """A Dockerfile that cannot be read; the text is Korean, for the learner."""


@dataclass(frozen=True)
class Instruction:
    name: str
    value: str  # continuation lines joined, single spaces
    line: int  # counted from 1


def validate(fields: Mapping[str, Any], variables: Mapping[str, VarSpec]) -> list[Fault]:
    found = _instruction_faults(fields.get("instruction"), "instruction")
    for name, look in (("equals", text_faults), ("contains", texts_faults), ("matches", pattern_faults)):
        if name in fields:
            found += look(fields[name], name)
    if "file" in fields:
        found += text_faults(fields["file"], "file", empty=False)
    if "absent" in fields and fields["absent"] is not True:
        found.append(Fault("absent", "true만 올 수 있어요.", "absent: true로 적거나 지워 주세요."))
    for name in _PLACES:
        if name not in fields:
            continue
        place = fields[name]
        if not isinstance(place, Mapping):
            found.append(
                Fault(name, "{instruction, contains}가 와야 해요.", f"{name}: {{instruction: RUN, contains: pip}}")
            )
            continue
        known = ("instruction", "contains")
        found += [Fault(f"{name}.{fault.field}", fault.message, fault.fix) for fault in unknown_fields(place, known)]
        found += _instruction_faults(place.get("instruction"), f"{name}.instruction")
        if "contains" in place:
            found += texts_faults(place["contains"], f"{name}.contains")
    return found


def _instruction_faults(value: Any, field: str) -> list[Fault]:
    if isinstance(value, str) and value.upper() in INSTRUCTIONS:
        return []
    return [
        Fault(field, "Dockerfile 명령이 와야 해요.", f"{', '.join(sorted(INSTRUCTIONS))} 가운데 하나를 적어 주세요.")
    ]


def probes_of(check: CheckSpec) -> tuple[str, ...]:
    return ()


def asks_ended(check: CheckSpec) -> bool:
    return False


def judge(check: CheckSpec, context: Context) -> Outcome:
    rule = fill(dict(check.fields), context.variables)
    if "matches" in rule:
        rule["matches"] = fill_pattern(check.fields["matches"], context.variables)
    name = str(rule["instruction"]).upper()
    expected = _rule_in_words(rule)
    file = as_text(rule.get("file", "Dockerfile")) or "Dockerfile"
    try:
        if file not in context.answer:
            raise Unreadable(f"{file} 파일이 없어요. 파일을 만들어 주세요.")
        instructions = read(context.answer[file])
    except Unreadable as fault:
        return Outcome(False, expected, "", always=str(fault))
    same_name = [item for item in instructions if item.name == name]
    found = "\n".join(f"{item.line}: {item.name} {item.value}" for item in same_name)
    matching = [item for item in same_name if _fits(item, rule)]
    absent = bool(rule.get("absent"))
    for where in _PLACES:
        if where not in rule:
            continue
        anchor = _first(instructions, rule[where])
        if anchor is None:
            words = _rule_in_words(rule[where])
            return Outcome(False, expected, found, f"순서를 견줄 {words} 줄이 없어요. 먼저 그 줄을 적어 주세요.")
        matching = _placed(matching, anchor, where, absent=absent)
    if absent:
        shown = "\n".join(f"{item.line}: {item.name} {item.value}" for item in matching)
        return Outcome(not matching, f"{expected} 없음", shown, "{found} 줄은 없어야 해요. 지우거나 바꿔 보세요.")
    return Outcome(bool(matching), expected, found, _message(rule, same_name))


def _message(rule: Mapping[str, Any], same_name: list[Instruction]) -> str:
    if not same_name:
        return f"{str(rule['instruction']).upper()} 명령이 없어요. " + "{expected} 줄을 적어 보세요."
    if any(where in rule for where in _PLACES):
        return "{expected} 줄의 자리를 다시 살펴보세요. 먼저 실행할 것이 위에 와요."
    return "{expected} 줄이 있어야 하는데 {found}이(가) 있어요. 견주어 보세요."


def _placed(items: list[Instruction], anchor: Instruction, where: str, *, absent: bool) -> list[Instruction]:
    if where == "before":
        return [item for item in items if item.line < anchor.line]
    later = [item for item in items if item.line > anchor.line]
    return later if absent or len(later) == len(items) else []


def _first(instructions: list[Instruction], rule: Mapping[str, Any]) -> Instruction | None:
    name = str(rule["instruction"]).upper()
    return next((item for item in instructions if item.name == name and _fits(item, rule)), None)


def _fits(item: Instruction, rule: Mapping[str, Any]) -> bool:
    forms = {item.value, _canonical(item.value)}
    if "equals" in rule and _canonical(single_spaced(str(rule["equals"]))) != _canonical(item.value):
        return False
    if "contains" in rule:
        parts = [single_spaced(text) for text in as_texts(rule["contains"])]
        if not all(any(part in form for form in forms) for part in parts):
            return False
    if "matches" in rule:
        pattern = compile_pattern(str(rule["matches"]))
        return any(pattern.search(form) is not None for form in forms)
    return True


def _canonical(value: str) -> str:
    """The exec form spelled in one way; anything else as it is."""
    if not value.startswith("["):
        return value
    try:
        return json.dumps(json.loads(value), ensure_ascii=False)
    except (ValueError, RecursionError):
        return value


def _rule_in_words(rule: Mapping[str, Any]) -> str:
    name = str(rule["instruction"]).upper()
    if "equals" in rule:
        return f"{name} {rule['equals']}"
    if "contains" in rule:
        return f"{name} … {' … '.join(as_texts(rule['contains']))}"
    return f"{name} /{rule['matches']}/" if "matches" in rule else name


def read(text: str) -> list[Instruction]:
    """The instructions of a Dockerfile, comments left out. Raises Unreadable only."""
    if len(text.encode("utf-8", errors="replace")) > MAX_BYTES or text.count("\n") > MAX_LINES:
        raise Unreadable(f"Dockerfile이 너무 커요. {MAX_BYTES // 1024} KB, {MAX_LINES}줄보다 짧게 줄여 주세요.")
    source = _folded(plain(text)).rstrip().rstrip("\\")
    try:
        # A file object of its own: given a path, the parser would write to it.
        entries = DockerfileParser(fileobj=io.BytesIO(source.encode())).structure
    except Exception as error:  # whatever the library does with a learner's text, it is a text that cannot be read
        raise Unreadable("Dockerfile을 읽지 못했어요. 한 줄에 명령 하나씩 적었는지 살펴보세요.") from error
    found = [
        Instruction(str(entry["instruction"]).upper(), single_spaced(str(entry["value"])), int(entry["startline"]) + 1)
        for entry in entries
        if entry["instruction"] != "COMMENT"
    ]
    if not found:
        raise Unreadable("Dockerfile이 비어 있어요. FROM부터 적어 보세요.")
    for item in found:
        if item.name not in INSTRUCTIONS:
            word = item.name[:40]
            raise Unreadable(f"{item.line}번째 줄의 {word}: Dockerfile 명령이 아니에요. 철자를 살펴보세요.")
    return found


def _folded(text: str) -> str:
    """Heredocs as continuation lines, which the parser knows; lines keep their numbers."""
    lines = text.split("\n")
    index = 0
    while index < len(lines):
        marks = [] if lines[index].lstrip().startswith("#") else [match[2] for match in _HEREDOC.finditer(lines[index])]
        for mark in marks:
            end = next((i for i in range(index + 1, len(lines)) if lines[i].strip() == mark), None)
            if end is None:
                break
            for inner in range(index, end):
                lines[inner] = lines[inner].rstrip("\\") + " \\"
            index = end
        index += 1
    return "\n".join(lines)
