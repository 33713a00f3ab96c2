"""Pure grading: what to run and ask for an answer, and what the evidence of it means.

No Django, no Docker, no clock: everything here is a function of its arguments.
"""

from __future__ import annotations

from lessons.graders.interfaces import AuthorProgramError
from lessons.graders.judging import MissingEvidence, baseline_documents, judge, judge_watch, merge
from lessons.graders.outputs import hints_for, output_rows
from lessons.graders.planning import default_stdin, plan, setup_commands, setup_plan, try_plan, watch_plan
from lessons.graders.registry import validate_check, validate_probe
from lessons.graders.streams import add_second, quiet_until, streams
from lessons.graders.variables import shuffled

__all__ = [
    "AuthorProgramError",
    "MissingEvidence",
    "add_second",
    "baseline_documents",
    "default_stdin",
    "hints_for",
    "judge",
    "judge_watch",
    "merge",
    "output_rows",
    "plan",
    "quiet_until",
    "setup_commands",
    "setup_plan",
    "shuffled",
    "streams",
    "try_plan",
    "validate_check",
    "validate_probe",
    "watch_plan",
]
