"""From a plan over its evidence to a grade."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lessons.contracts.words import Ended, Place, Verdict


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
class Ask:
    """One question about a lab, answered with one JSON value.

    ``tool`` is a tool of labs/attendant (docker, registry, http, exec, build, kubernetes, traffic), or ``events`` or
    ``stream`` (Place.RECORD).
    ``request`` is the tool's JSON object with sorted keys, so that equal questions are equal. ``environment``
    names the lab image of a FRESH place. ``seconds``: what the tool may take.
    """

    tool: str
    request: str
    place: Place = Place.LAB
    environment: str = ""
    seconds: float = 10.0


@dataclass(frozen=True)
class TooLarge:
    """In place of an answer: a lab had more to say than may be said. No lab can say this itself."""


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
    looked_at: str = ""  # what of the evidence was asked for (a jmespath query)
    latched: bool = False  # seen once, and passed for good
    # To be drawn: {"layers": […], …} of a build, {"traffic": {"timeline", "sent", "failed", "distinct"}} of requests,
    # or {"timeline": [{"at", "text", "tone": bad | seen | ok}]} that a script said.
    picture: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """What to gather for one submission, and what was drawn for it.

    ``runs`` and ``asks`` map a probe's id to what it needs; equal probes share one entry of
    ``aliases`` (alias id -> id in ``runs`` or ``asks``). ``asks`` are asked in their order: passive ones
    first. ``answer`` and ``variables`` travel along so that judging never draws again. ``known`` holds documents
    that need no asking (``baseline.<probe>``), ``latched`` results that stay passed.
    """

    runs: Mapping[str, Run]
    answer: Mapping[str, str]
    variables: Mapping[str, int | str] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0
    asks: Mapping[str, Ask] = field(default_factory=dict)
    known: Mapping[str, Any] = field(default_factory=dict)
    latched: Mapping[str, CheckResult] = field(default_factory=dict)


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
    """Everything gathered for a plan: probe id (of ``Plan.runs``, ``Plan.asks``) -> evidence.

    ``answers`` are JSON values, each of its tool's shape, or TooLarge; texts in them were bytes decoded with
    replacement.
    """

    runs: Mapping[str, RunEvidence]
    timings: Mapping[str, int] = field(default_factory=dict)  # phase -> ms
    answers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Grade:
    """A judged submission. ``score`` is passed weight / weight, 0..1."""

    verdict: Verdict
    score: float
    checks: tuple[CheckResult, ...]


@dataclass(frozen=True)
class NeedMore:
    """Judging asks for more evidence first: what a script said, or the same again after a while (``within``).

    ``plan`` holds only what to gather now; its evidence is added to what is there. ``wait_ms``: how long to
    wait before gathering.
    """

    plan: Plan
    wait_ms: int = 0
