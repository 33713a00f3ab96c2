"""From a claimed submission to its grade: plan, collect, judge, record."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from lessons import graders
from lessons.content import ContentError
from lessons.contracts import Evidence, ExerciseSpec, Grade, Plan
from lessons.models import BrokenReason, Submission
from lessons.sandbox import SandboxError
from lessons.services.sandboxes import current_sandbox
from lessons.services.submissions import record_broken, record_grade

logger = logging.getLogger(__name__)
Figure = TypeVar("Figure", int, float)

MOST_ROUNDS = 8  # of asking for more evidence
START_SECONDS = 20.0  # what making and removing a container may take besides the learner's own seconds
MOST_SECONDS = 300.0


class UnfinishedJudgement(Exception):
    """Judging asked for more evidence than a submission may gather."""


def grade_submission(submission: Submission) -> None:
    """Grade a row that this process has claimed; every end is recorded, none is raised.

    Whatever goes wrong on our side makes the row broken, which is tried again, never a verdict.
    """
    clock = _Clock()
    try:
        exercise = submission.revision.spec
        plan, evidence, grade = _gather_and_judge(submission, exercise, clock)
        rows = graders.output_rows(exercise, plan, evidence)
        record_grade(
            submission_id=submission.pk,
            attempt=submission.attempt,
            grade=grade,
            evidence_rows=rows,
            timings=clock.finish(),
            cpu_ms=_most(run.cpu_ms for run in evidence.runs.values()),
            peak_mb=_most(run.peak_mb for run in evidence.runs.values()),
        )
    except SandboxError as error:
        logger.warning("Submission %s: %s", submission.pk, error)
        _record_broken(submission, BrokenReason(error.reason))
    except ContentError as error:
        logger.error("Submission %s: its revision holds no exercise: %s", submission.pk, error)
        _record_broken(submission, BrokenReason.CONTENT)
    except Exception:
        logger.exception("Submission %s could not be graded", submission.pk)
        _record_broken(submission, BrokenReason.INTERNAL)


def _gather_and_judge(
    submission: Submission, exercise: ExerciseSpec, clock: _Clock
) -> tuple[Plan, Evidence, Grade | None]:
    """The last round's plan and evidence, and the grade; None for 실행."""
    sandbox = current_sandbox()
    if submission.graded:
        plan = graders.plan(exercise, submission.files, submission.seed)
    else:
        plan = graders.try_plan(exercise, submission.files, submission.stdin, submission.seed)
    clock.lap("plan")
    ends_at = time.monotonic() + seconds_for(plan)
    for _ in range(MOST_ROUNDS):
        left = ends_at - time.monotonic()
        evidence = sandbox.collect(plan, owner=str(submission.pk), deadline=left) if plan.runs else Evidence(runs={})
        clock.lap("collect", evidence.timings)
        if not submission.graded:
            return plan, evidence, None
        judged = graders.judge(exercise, plan, evidence)
        clock.lap("judge")
        if isinstance(judged, Grade):
            return plan, evidence, judged
        plan = judged.plan
        if time.monotonic() >= ends_at:
            break
    raise UnfinishedJudgement(f"{exercise.slug}: more than {MOST_ROUNDS} rounds or {seconds_for(plan):.0f} s")


def seconds_for(plan: Plan) -> float:
    """What a plan may take at most, all its runs one after the other."""
    return min(MOST_SECONDS, sum(run.limits.seconds + START_SECONDS for run in plan.runs.values()) + 1.0)


def _record_broken(submission: Submission, reason: BrokenReason) -> None:
    record_broken(submission_id=submission.pk, attempt=submission.attempt, reason=reason)


def _most(figures: Iterable[Figure | None]) -> Figure | None:
    """The largest; None where no trustworthy source had any."""
    return max((figure for figure in figures if figure is not None), default=None)


@dataclass
class _Clock:
    """Milliseconds a phase."""

    started: float = field(default_factory=time.monotonic)
    phases: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._lap = self.started

    def lap(self, phase: str, within: Mapping[str, int] | None = None) -> None:
        now = time.monotonic()
        self.phases[phase] = self.phases.get(phase, 0) + round((now - self._lap) * 1000)
        self._lap = now
        for name, ms in (within or {}).items():
            self.phases[f"{phase}.{name}"] = self.phases.get(f"{phase}.{name}", 0) + ms

    def finish(self) -> dict[str, int]:
        return {**self.phases, "total": round((time.monotonic() - self.started) * 1000)}
