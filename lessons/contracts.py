"""What crosses a seam between content, graders, sandbox and services.

Frozen dataclasses and enums only, standard library only. Times are in
milliseconds (``*_ms``) or seconds (``seconds``), memory in MiB (``*_mb``),
output in KiB (``*_kb``). Mappings are read-only by convention.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What the learner works in."""

    RUN = "run"
    LAB = "lab"
    QUIZ = "quiz"


class Status(StrEnum):
    """Where a submission is; the verdict says how the learner did."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    BROKEN = "broken"


class Verdict(StrEnum):
    """How the learner did; only a finished submission has one."""

    PASS = "pass"
    FAIL = "fail"
    TIME_LIMIT = "time_limit"
    MEMORY_LIMIT = "memory_limit"
    OUTPUT_LIMIT = "output_limit"
    PROCESS_LIMIT = "process_limit"


class Ended(StrEnum):
    """How a run came to its end."""

    EXIT = "exit"  # by itself, with an exit code
    KILLED = "killed"  # by a signal that the learner's side sent
    TIME = "time"  # wall or CPU seconds ran out
    MEMORY = "memory"
    OUTPUT = "output"
    PROCESSES = "processes"


@dataclass(frozen=True)
class Limits:
    """What one run may use. ``memory_mb`` excludes the sandbox's own overhead."""

    seconds: float = 5.0
    cpu_seconds: float = 5.0
    memory_mb: int = 128
    output_kb: int = 64
    processes: int = 32
    file_kb: int = 256  # largest collected file


@dataclass(frozen=True)
class Run:
    """One program to run in one fresh container.

    ``environment`` is a name of the image catalogue (labs/catalogue.yaml). ``files``
    are written, relative to the working directory, before the program starts.
    """

    environment: str
    argv: tuple[str, ...]
    stdin: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    collect: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class Plan:
    """What to gather for one submission, and what was drawn for it.

    ``runs`` maps a probe's id to its run; equal probes share one entry of
    ``aliases`` (alias id -> id in ``runs``). ``answer`` and ``variables`` travel
    along so that judging never draws again.
    """

    runs: Mapping[str, Run]
    answer: Mapping[str, str]
    variables: Mapping[str, int | str] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0


@dataclass(frozen=True)
class RunEvidence:
    """What one run left behind, as seen from outside the learner's reach.

    ``stdout`` and ``stderr`` are raw bytes, cut at the output limit. ``files`` maps each
    collected path to its bytes, or None where it is missing, not a regular file or over
    the cap. ``cpu_ms`` and ``peak_mb`` are None where no trustworthy source exists.
    ``inspect`` is the engine's document of this very container.
    """

    ended: Ended
    exit_code: int | None
    stdout: bytes
    stderr: bytes
    files: Mapping[str, bytes | None]
    limits: Limits
    inspect: Mapping[str, Any]
    cpu_ms: int | None
    peak_mb: float | None
    wall_ms: int
    truncated: bool = False


@dataclass(frozen=True)
class Evidence:
    """Everything gathered for a plan: probe id (of ``Plan.runs``) -> evidence."""

    runs: Mapping[str, RunEvidence]
    timings: Mapping[str, int] = field(default_factory=dict)  # phase -> ms


@dataclass(frozen=True)
class CheckResult:
    """One row of a result. Texts are plain (never HTML); diff is unified-diff text."""

    id: str
    title: str
    passed: bool
    weight: float = 1.0
    expected: str = ""
    found: str = ""
    message: str = ""
    diff: str = ""
    show: str = ""  # the command that reveals it
    hint: str = ""


@dataclass(frozen=True)
class Grade:
    """A judged submission. ``score`` is passed weight / weight, 0..1."""

    verdict: Verdict
    score: float
    checks: tuple[CheckResult, ...]


@dataclass(frozen=True)
class NeedMore:
    """Judging asks for more evidence first (``within`` and scripts, later issues)."""

    plan: Plan


@dataclass(frozen=True)
class VarSpec:
    """A drawn variable: exactly one of int range, choices or word length."""

    name: str
    kind: str  # int | choice | word
    low: int = 0
    high: int = 0
    choices: tuple[int | str, ...] = ()


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
