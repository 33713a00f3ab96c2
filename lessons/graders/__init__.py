"""Pure grading: what to run for an answer, and what the evidence of it means.

No Django, no Docker, no clock: everything here is a function of its arguments.
"""

from __future__ import annotations

from lessons.graders.judging import MissingEvidence, judge
from lessons.graders.planning import default_stdin, hints_for, output_rows, plan, try_plan
from lessons.graders.registry import validate_check, validate_probe
from lessons.graders.variables import shuffled

__all__ = [
    "MissingEvidence",
    "default_stdin",
    "hints_for",
    "judge",
    "output_rows",
    "plan",
    "shuffled",
    "try_plan",
    "validate_check",
    "validate_probe",
]
