"""What exercises of more than one kind have: title and prompt, limits, hints."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lessons.content import rules
from lessons.content.catalogue import Catalogue
from lessons.content.reader import Reader
from lessons.contracts import CheckSpec, Hint, Limits
from lessons.graders.particles import particle


@dataclass(frozen=True)
class Common:
    """What every kind has."""

    slug: str
    title: str
    prompt: str


def read_environment(reader: Reader, names: frozenset[str] | None, default: str) -> str:
    """The environment of an exercise or probe; ``names``: those that it may be, None where anything goes."""
    environment = reader.text("environment", default=default, most=80)
    if environment and names is not None and environment not in names:
        fix = f"{', '.join(sorted(names))} 가운데 하나를 적어 주세요." if names else "labs/catalogue.yaml을 살펴보세요."
        reader.problem("environment", f"{environment} 환경이 없어요.", fix)
    return environment


def read_limits(reader: Reader, catalogue: Catalogue, environments: Iterable[str], defaults: Limits) -> Limits:
    """The limits, within what all ``environments`` allow; a default outside of it is moved to its edge."""
    bounds = catalogue.bounds(environments)

    def ask(name: str, *, whole: bool) -> float:
        bound = bounds[name]
        # A default may only be moved where nobody wrote a number that could be at fault.
        default = min(max(getattr(defaults, name), bound.least), bound.most)
        return reader.number(name, default=default, least=bound.least, most=bound.most, whole=whole)

    limits = Limits(
        seconds=float(ask("seconds", whole=False)),
        cpu_seconds=float(ask("cpu_seconds", whole=False)),
        memory_mb=math.floor(ask("memory_mb", whole=True)),
        output_kb=math.floor(ask("output_kb", whole=True)),
        processes=math.floor(ask("processes", whole=True)),
        file_kb=math.floor(ask("file_kb", whole=True)),
    )
    reader.finish()
    return limits


def read_hints(reader: Reader, checks: tuple[CheckSpec, ...]) -> tuple[tuple[Hint, ...], int | None]:
    """The hints, and after how many failed attempts the solution shows."""
    ids = [check.id for check in checks]
    hints = []
    for item in reader.items("hints", most=rules.HINTS):
        text = item.text("text", required=True)
        when = item.word("when", ids)
        if item.has("when") and item.has("after"):
            item.problem("after", "after와 when을 함께 쓸 수 없어요.", "둘 가운데 하나만 적어 주세요.")
        if not item.has("when"):
            after = int(item.number("after", default=1, least=0, most=1000, whole=True))
            hints.append(Hint(text=text, after=after))
        else:
            item.raw("after")
            hints.append(Hint(text=text, when=when))
        item.finish()
    after = int(reader.number("solution_after", default=-1, least=0, most=1000, whole=True))
    return tuple(hints), None if after < 0 else after


def refuse_other(reader: Reader, keys: Iterable[str], kind: str, others: str) -> None:
    """Keys that belong to other kinds of exercises."""
    fix = f"항목을 지우거나 kind를 {others}{particle(others, '(으)로')} 바꿔 주세요."
    for key in keys:
        if reader.raw(key) is not None:
            reader.problem(key, f"{kind}에는 쓰지 않는 항목이에요.", f"{key} {fix}")


def read_programs(files: Mapping[str, str], reader: Reader) -> dict[str, str]:
    """The author's programs: ``checks/`` without the folder's name."""
    found = {path.removeprefix("checks/"): text for path, text in files.items() if path.startswith("checks/")}
    for path, message in rules.answer_faults(found):
        reader.problems.add(f"checks/{path}", None, "file", message, "파일을 줄여 주세요.")
    return found
