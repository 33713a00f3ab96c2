"""What crosses a seam between content, graders, sandbox and services.

Frozen dataclasses, enums and words only, standard library only. Times are in
milliseconds (``*_ms``) or seconds (``seconds``), memory in MiB (``*_mb``),
output in KiB (``*_kb``). Mappings are read-only by convention.
"""

from __future__ import annotations

from lessons.contracts.exercises import (
    CheckSpec,
    ExerciseSpec,
    Hint,
    ProbeSpec,
    Problem,
    VarSpec,
    WrongAnswer,
)
from lessons.contracts.gathering import (
    Ask,
    CheckResult,
    Evidence,
    Grade,
    Limits,
    NeedMore,
    Plan,
    Run,
    RunEvidence,
    TooLarge,
)
from lessons.contracts.labs import (
    ExecResult,
    LabShape,
)
from lessons.contracts.words import (
    CLUSTER,
    OF_CLUSTER,
    REGISTRY,
    Ended,
    Kind,
    Place,
    Status,
    Verdict,
)

__all__ = [
    "CLUSTER",
    "OF_CLUSTER",
    "REGISTRY",
    "Ask",
    "CheckResult",
    "CheckSpec",
    "Ended",
    "Evidence",
    "ExecResult",
    "ExerciseSpec",
    "Grade",
    "Hint",
    "Kind",
    "LabShape",
    "Limits",
    "NeedMore",
    "Place",
    "Plan",
    "ProbeSpec",
    "Problem",
    "Run",
    "RunEvidence",
    "Status",
    "TooLarge",
    "VarSpec",
    "Verdict",
    "WrongAnswer",
]
