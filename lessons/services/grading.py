"""From a claimed submission to its grade: plan, collect, judge, record."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from lessons import graders
from lessons.content import ContentError
from lessons.contracts import Ask, Evidence, ExerciseSpec, Grade, Kind, NeedMore, Place, Plan
from lessons.models import BrokenReason, LabSession, Submission
from lessons.sandbox import Lab, LabGoneError, SandboxError
from lessons.services import watching
from lessons.services.lab_events import catch_up
from lessons.services.lab_homes import QUICK_SAVE_SECONDS, keep_home
from lessons.services.lab_records import latch, latched_of
from lessons.services.lab_steps import keep_step
from lessons.services.lab_upkeep import note_death, wake_lab
from lessons.services.lab_use import in_use
from lessons.services.sandboxes import current_sandbox
from lessons.services.submissions import record_broken, record_grade

logger = logging.getLogger(__name__)
Figure = TypeVar("Figure", int, float)

MOST_ROUNDS = 60  # of asking for more evidence: a check may wait for 20 s, looking twice a second
START_SECONDS = 20.0  # what making and removing a container may take besides the learner's own seconds
FRESH_SECONDS = 90.0  # likewise a lab of a question's own
ASK_SECONDS = 2.0  # on the way to a lab that is there
SETTLE_SECONDS = 3.0
MOST_SECONDS = 300.0


pause = time.sleep  # by this name, so that a test may do without


class UnfinishedJudgement(Exception):
    """Judging asked for more evidence than a submission may gather."""


def grade_submission(submission: Submission) -> None:
    """Grade a row that this process has claimed; every end is recorded, none is raised.

    Whatever goes wrong on our side makes the row broken, which is tried again, never a verdict. A lab that has
    ended breaks it too, and then only another lab helps.
    """
    clock = _Clock()
    try:
        exercise = submission.revision.spec
        row = _lab_row(submission, exercise)
        with _lab_in_use(row) as lab:  # up to the end: what is kept is what was graded
            gathered = _gathered(submission, exercise, clock, row, lab)
            _record(submission, exercise, gathered, clock)
            if row is not None and lab is not None and gathered.grade is not None:
                _keep(row, lab, exercise, gathered.grade)
    except SandboxError as error:
        logger.warning("Submission %s: %s", submission.pk, error)
        known = error.reason in BrokenReason.values
        _record_broken(submission, BrokenReason(error.reason) if known else BrokenReason.INTERNAL)
    except (ContentError, graders.AuthorProgramError) as error:
        logger.error("Submission %s: its exercise is at fault: %s", submission.pk, error)
        _record_broken(submission, BrokenReason.CONTENT)
    except Exception:
        logger.exception("Submission %s could not be graded", submission.pk)
        _record_broken(submission, BrokenReason.INTERNAL)


@dataclass(frozen=True)
class _Gathered:
    """The whole plan, all its evidence, and the grade; None for 실행."""

    plan: Plan
    evidence: Evidence
    grade: Grade | None


def _lab_row(submission: Submission, exercise: ExerciseSpec) -> LabSession | None:
    """The lab to look at, running; None for an exercise without one. Raises LabGoneError when it is over."""
    if exercise.kind != Kind.LAB:
        return None
    row = submission.lab
    if row is None or not row.is_live:
        raise LabGoneError(f"the lab {submission.lab_id} is over")
    wake_lab(row)
    return row


@contextmanager
def _lab_in_use(row: LabSession | None) -> Iterator[Lab | None]:
    """The container of the lab, if any; that it is gone is noted. Raises SandboxError."""
    if row is None:
        yield None
        return
    try:
        with in_use(row) as lab:
            yield lab
    except LabGoneError:
        note_death(row)
        raise


def _gathered(
    submission: Submission, exercise: ExerciseSpec, clock: _Clock, row: LabSession | None, lab: Lab | None
) -> _Gathered:
    if not submission.graded:
        plan = graders.try_plan(exercise, submission.files, submission.stdin, submission.seed)
    elif row is not None:
        known, latched = row.baseline, latched_of(row)
        plan = graders.plan(
            exercise, submission.files, row.seed, attempt_seed=submission.seed, known=known, latched=latched
        )
    else:
        plan = graders.plan(exercise, submission.files, submission.seed)
    clock.lap("plan")
    gather = _Gatherer(submission, row, lab, clock)
    evidence = gather.collect(plan)
    if not submission.graded:
        return _Gathered(plan, evidence, None)
    began = time.monotonic()
    for _ in range(MOST_ROUNDS):
        judged = graders.judge(exercise, plan, evidence, elapsed=time.monotonic() - began)
        clock.lap("judge")
        if isinstance(judged, Grade):
            return _Gathered(plan, evidence, judged)
        evidence = graders.merge(evidence, gather.more(judged))
    raise UnfinishedJudgement(f"{exercise.slug}: more than {MOST_ROUNDS} rounds")


class _Gatherer:
    """Gathers for one submission, within a time that grows with what judging asks for."""

    def __init__(self, submission: Submission, row: LabSession | None, lab: Lab | None, clock: _Clock) -> None:
        self._owner, self._row, self._lab, self._clock = str(submission.pk), row, lab, clock
        self._ends_at = self._began = time.monotonic()

    def collect(self, plan: Plan) -> Evidence:
        if not plan.runs and not plan.asks:
            return Evidence(runs={})
        self._ends_at = min(max(self._ends_at, time.monotonic()) + seconds_for(plan), self._began + MOST_SECONDS)
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise UnfinishedJudgement(f"more than {MOST_SECONDS:.0f} s")
        recorded = self._recorded(plan)
        # A submission without a lab is collected as ever: with what FRESH labs answer, if it asks any.
        evidence = current_sandbox().collect(plan, owner=self._owner, deadline=left, lab=self._lab, recorded=recorded)
        self._clock.lap("collect", evidence.timings)
        return evidence

    def more(self, needed: NeedMore) -> Evidence:
        if needed.wait_ms:
            pause(needed.wait_ms / 1000)
            self._clock.lap("wait")
        return self.collect(needed.plan)

    def _recorded(self, plan: Plan) -> dict[str, Any]:
        """What was heard of the lab, up to now."""
        if self._row is None or all(ask.place is not Place.RECORD for ask in plan.asks.values()):
            return {}
        watching.settle(self._row.pk, seconds=SETTLE_SECONDS)
        if self._lab is not None:
            catch_up(self._row.pk, self._lab)
        return dict(LabSession.objects.values("events", "streams").get(pk=self._row.pk))


def _record(submission: Submission, exercise: ExerciseSpec, gathered: _Gathered, clock: _Clock) -> None:
    runs = gathered.evidence.runs.values()
    record_grade(
        submission_id=submission.pk,
        attempt=submission.attempt,
        grade=gathered.grade,
        evidence_rows=graders.output_rows(exercise, gathered.plan, gathered.evidence),
        timings=clock.finish(),
        cpu_ms=_most(run.cpu_ms for run in runs),
        peak_mb=_most(run.peak_mb for run in runs),
    )


def _keep(row: LabSession, lab: Lab, exercise: ExerciseSpec, grade: Grade) -> None:
    """What a grading leaves for the lab: checks that stay passed, what outlives it, and perhaps a step. The verdict
    stands already."""
    latch(row, exercise, grade.checks)
    data = keep_home(row, lab, seconds=QUICK_SAVE_SECONDS)
    if data is not None:
        keep_step(row, grade.checks, data=data)


def seconds_for(plan: Plan) -> float:
    """What a plan may take at most, all its runs and questions one after the other."""
    runs = sum(run.limits.seconds + START_SECONDS for run in plan.runs.values())
    asks = sum(ask.seconds + _start_seconds(ask) for ask in plan.asks.values())
    return min(MOST_SECONDS, runs + asks + 1.0)


def _start_seconds(ask: Ask) -> float:
    return FRESH_SECONDS if ask.place is Place.FRESH else ASK_SECONDS


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
