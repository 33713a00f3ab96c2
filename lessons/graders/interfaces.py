"""What a check type and a probe type are: modules with these names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from lessons.contracts import CheckSpec, ExerciseSpec, ProbeSpec, Run, RunEvidence, VarSpec
from lessons.graders.fields import Fault


@dataclass(frozen=True)
class Context:
    """What a check may look at.

    ``documents``: probe id -> evidence as authors query it (aliases resolved);
    ``answer``: file name -> text; ``given``: question id -> what a quiz answer says, read once.
    """

    documents: Mapping[str, Any]
    answer: Mapping[str, str]
    variables: Mapping[str, int | str]
    given: Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What a check type found; the frame makes a CheckResult of it.

    Texts are raw: the frame cuts them and makes them fit to show. ``message`` is the type's
    own, for when the author gave none, and may hold {expected} and {found}. ``always`` goes
    before the message of whoever wrote it; with ``only`` nothing else is said. ``exact``: two whole
    texts were compared, so their difference must be in sight (diff, visible spaces).
    """

    passed: bool
    expected: str = ""
    found: str = ""
    message: str = ""
    always: str = ""
    only: bool = False
    exact: bool = False


class CheckType(Protocol):
    """``FIELDS``: the fields it owns; ``NEEDS_PROBE``: whether it looks at evidence."""

    FIELDS: frozenset[str]
    NEEDS_PROBE: bool

    def validate(self, fields: Mapping[str, Any], variables: Mapping[str, VarSpec]) -> list[Fault]:
        """What is wrong with the values of its fields; unknown ones are the registry's matter."""

    def judge(self, check: CheckSpec, context: Context) -> Outcome:
        """Whether the evidence is as wanted. Raises nothing, whatever the evidence holds."""

    def probes_of(self, check: CheckSpec) -> tuple[str, ...]:
        """The ids of all probes that the check looks at."""

    def asks_ended(self, check: CheckSpec) -> bool:
        """Whether the check itself judges how the run ended: then a limit is no verdict."""


class ProbeType(Protocol):
    def validate(self, value: Any) -> list[Fault]:
        """What is wrong with the value that stands under the type's key."""

    def plan_run(
        self, probe: ProbeSpec, exercise: ExerciseSpec, files: Mapping[str, str], variables: Mapping[str, int | str]
    ) -> Run:
        """What to run for this probe; ``files`` are the answer and the read-only starter files."""

    def document(self, evidence: RunEvidence) -> dict[str, Any]:
        """The evidence as authors query it: JSON-able, with the keys of the format."""
