"""What a check type and a probe type are: modules or objects with these names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from lessons.contracts import Ask, CheckSpec, ExerciseSpec, ProbeSpec, Run, RunEvidence, VarSpec
from lessons.graders.fields import Fault


class AuthorProgramError(Exception):
    """An author's program of ``checks/`` failed or said nonsense: the exercise is at fault, never the answer."""


@dataclass(frozen=True)
class Context:
    """What a check may look at.

    ``documents``: probe id (also ``baseline.<id>``) -> evidence as authors query it (aliases resolved);
    ``answer``: file name -> text; ``given``: question id -> what a quiz answer says, read once;
    ``said``: check id -> what its author's program printed.
    """

    documents: Mapping[str, Any]
    answer: Mapping[str, str]
    variables: Mapping[str, int | str]
    given: Mapping[str, Any]
    said: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What a check type found; the frame makes a CheckResult of it.

    Texts are raw: the frame cuts them and makes them fit to show. ``message`` is the type's
    own, for when the author gave none, and may hold {expected} and {found}. ``always`` goes
    before the message of whoever wrote it; with ``only`` nothing else is said. ``exact``: two whole
    texts were compared, so their difference must be in sight (diff, visible spaces). ``missing``: "found" or "wanted"
    where one of the two values is not there. ``diff`` and ``picture``: as in CheckResult; ``inside``: where in the
    value that was looked at the first difference lies ("[0].image").
    """

    passed: bool
    expected: str = ""
    found: str = ""
    message: str = ""
    always: str = ""
    only: bool = False
    exact: bool = False
    missing: str = ""
    diff: str = ""
    inside: str = ""
    picture: Mapping[str, Any] = field(default_factory=dict)


class Told(NamedTuple):
    """What evidence itself has to say to a learner whose check failed.

    ``first`` goes before the author's message, or with ``alone`` is all that is said: what the author writes of
    is not there. ``instead`` is said where the author wrote none. So are ``differs`` of a query that found another
    value and ``lacks`` of one that found nothing; both may hold {expected} and {found}.
    """

    first: str = ""
    instead: str = ""
    alone: bool = False
    differs: str = ""
    lacks: str = ""


class CheckType(Protocol):
    """``FIELDS``: the fields it owns; ``NEEDS_PROBE``: whether it looks at evidence."""

    FIELDS: frozenset[str]
    NEEDS_PROBE: bool

    def validate(self, fields: Mapping[str, Any], variables: Mapping[str, VarSpec]) -> list[Fault]:
        """What is wrong with the values of its fields; unknown ones are the registry's matter."""

    def judge(self, check: CheckSpec, context: Context) -> Outcome:
        """Whether the evidence is as wanted. Whatever the evidence holds, raises only AuthorProgramError."""

    def probes_of(self, check: CheckSpec) -> tuple[str, ...]:
        """The ids of all probes that the check looks at."""

    def asks_ended(self, check: CheckSpec) -> bool:
        """Whether the check itself judges how the run ended: then a limit is no verdict."""


class RunProbe(Protocol):
    """A probe that runs a program in a fresh container. ``BESIDE``: the keys that may stand beside its own."""

    BESIDE: frozenset[str]

    def validate(self, value: Any) -> list[Fault]:
        """What is wrong with the value that stands under the type's key."""

    def plan_run(
        self, probe: ProbeSpec, exercise: ExerciseSpec, files: Mapping[str, str], variables: Mapping[str, int | str]
    ) -> Run:
        """What to run for this probe; ``files`` are the answer and the read-only starter files."""

    def document(self, evidence: RunEvidence) -> dict[str, Any]:
        """The evidence as authors query it: JSON-able, with the keys of the format."""

    def told(self, document: Mapping[str, Any]) -> Told:
        """What a learner must know of how the run ended."""


class AskProbe:
    """A probe that asks a lab. ``FIELDS``: the keys of its value, where that is an object; ``DRAWN``: the fields of its
    evidence that a picture shows: who asks for one of them sees it."""

    BESIDE: frozenset[str] = frozenset()
    FIELDS: frozenset[str] = frozenset()
    DRAWN: frozenset[str] = frozenset()

    def validate(self, value: Any) -> list[Fault]:
        """What is wrong with the value that stands under the type's key."""
        raise NotImplementedError

    def plan_ask(
        self, probe: ProbeSpec, exercise: ExerciseSpec, files: Mapping[str, str], variables: Mapping[str, int | str]
    ) -> Ask:
        """What to ask for this probe; ``files`` are the answer and the read-only starter files."""
        raise NotImplementedError

    def next_ask(
        self, probe: ProbeSpec, exercise: ExerciseSpec, variables: Mapping[str, int | str], ask: Ask, value: Any
    ) -> Ask | None:
        """The question that the answer ``value`` to ``ask`` leads to, or None where it is the evidence."""
        return None

    def document(self, value: Any, ask: Ask) -> Any:
        """The answer as authors query it. Its shape is the format's, whatever a hostile lab said; raises nothing."""
        raise NotImplementedError

    def told(self, document: Any, ask: Ask, looked_at: str) -> Told:
        """What a learner must know of this evidence, whose check asked for ``looked_at`` (a query)."""
        return Told()

    def show(self, ask: Ask) -> str:
        """The command that reveals the same to a learner; empty where there is none."""
        return ""

    def output(self, document: Any, ask: Ask) -> list[dict[str, Any]]:
        """What it printed: {"label", "command", "stdin", "stdout", "stderr", "exit_code", "ended"}, texts raw."""
        return []

    def picture(self, document: Any) -> dict[str, Any]:
        """What of it is better drawn than told; JSON-able, empty where there is nothing."""
        return {}
