"""An exercise as its author wrote it, parsed and validated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lessons.contracts.gathering import Limits
from lessons.contracts.words import Kind, Verdict


@dataclass(frozen=True)
class VarSpec:
    """A drawn variable: exactly one of int range, choices or word length."""

    name: str
    kind: str  # int | choice | word
    low: int = 0
    high: int = 0
    choices: tuple[int | str, ...] = ()
    per_attempt: bool = False  # in a lab: drawn anew for each grading, else once a lab


@dataclass(frozen=True)
class ProbeSpec:
    """A probe as authored: its type (``run``), that type's value, and what stands beside it."""

    id: str
    type: str
    value: Any
    hidden: bool = False
    environment: str = ""  # empty: the exercise's
    stdin: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    collect: tuple[str, ...] = ()
    active: bool = False  # changes something or costs much: taken on grading only, after the passive ones
    undo: tuple[tuple[str, ...], ...] = ()  # argv lists that put things back after an active one


@dataclass(frozen=True)
class CheckSpec:
    """A check as authored. ``fields`` holds the keys that its type owns, validated."""

    id: str
    title: str
    type: str
    probe: str = ""
    weight: float = 1.0
    message: str = ""
    hint: str = ""
    show: str = ""
    expected: str = ""  # shown as 바란 값 in place of a pattern that nobody wants to read
    within: float = 0.0  # seconds in which it may still come true
    latch: bool = False  # once seen it stays passed, with its evidence
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Hint:
    """Shown after so many failed attempts, or when the named check failed."""

    text: str
    after: int | None = None
    when: str = ""


@dataclass(frozen=True)
class WrongAnswer:
    """A known wrong answer and the check that must catch it."""

    name: str
    files: Mapping[str, str]
    check: str
    message: str = ""
    verdict: Verdict | None = None


@dataclass(frozen=True)
class ExerciseSpec:
    """One exercise, parsed and validated. All file mappings are path -> text.

    ``solution`` and wrong answers hold only editable files (or ``answer.yaml`` of a quiz).
    """

    slug: str
    title: str
    kind: Kind
    prompt: str  # Markdown
    environment: str = ""
    editable: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    vars: tuple[VarSpec, ...] = ()
    probes: tuple[ProbeSpec, ...] = ()
    checks: tuple[CheckSpec, ...] = ()
    hints: tuple[Hint, ...] = ()
    solution_after: int | None = None
    starter: Mapping[str, str] = field(default_factory=dict)
    solution: Mapping[str, str] = field(default_factory=dict)
    wrong: tuple[WrongAnswer, ...] = ()
    programs: Mapping[str, str] = field(default_factory=dict)  # checks/: the author's, for script and expect_from
    engines: tuple[str, ...] = ()  # hosts of a lab by name; empty: one host, the lab itself
    starter_on: str = ""  # the host that gets the starter files; empty: the only one, or the first
    setup: tuple[tuple[str, ...], ...] = ()  # argv lists, as root, before the learner arrives
    keep: tuple[str, ...] = ()  # absolute paths in the lab that outlive it
    baseline: tuple[str, ...] = ()  # probes taken once after setup, known as ``baseline.<id>``


@dataclass(frozen=True)
class Problem:
    """A fault in a course file, in Korean for its author."""

    file: str
    line: int | None
    field: str
    message: str
    fix: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.field}: {self.message} {self.fix}".strip()
