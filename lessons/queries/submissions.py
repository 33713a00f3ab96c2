"""Submissions as pages show them."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, Subquery
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from lessons import graders
from lessons.contracts import ExerciseSpec, Kind, Status
from lessons.models import Exercise, Origin, Submission, User
from lessons.queries import words
from lessons.queries.ansi import ansi_html
from lessons.queries.charts import charts_of, timelines_of
from lessons.queries.files import editor_files
from lessons.queries.pictures import pictures_of
from lessons.queries.progress import Standing, standings
from lessons.queries.shapes import CheckRow, DiffLine, HistoryRow, OutputRow, SubmissionView
from lessons.queries.specs import spec_of
from lessons.queries.text import inline_html, plain_path, visible

POLL_MS = (300, 500, 1000, 2000)  # the longer it takes, the less often one asks
POLL_MS_PER_PLACE = 50  # about what a short run takes on two cores
MOST_POLL_MS = 5000
POLL_BROKEN_MS = 5000
POLL_FOR = datetime.timedelta(hours=1)  # nobody looks at a page that has waited so long
MOST_DIFF_LINES = 200
MOST_HISTORY_ROWS = 100


def submission_for(learner: User, submission_id: UUID) -> Submission | None:
    """The submission if this learner may see it (its owner, or staff), with exercise, lesson and course."""
    rows = Submission.objects.select_related("exercise__course", "exercise__lesson", "revision")
    rows = rows.defer(*HEAVY_FIELDS)
    if not learner.is_staff:
        rows = rows.filter(learner=learner)
    submission = rows.filter(pk=submission_id).first()
    if submission is not None and submission.learner_id == learner.pk:
        submission.learner = learner  # known already: nobody needs to fetch it again
    return submission


# Never shown with a submission: the revision's files are parsed once a process, lesson texts stand on their own page.
HEAVY_FIELDS = (
    "revision__files",
    "revision__prompt_html",
    "exercise__lesson__body",
    "exercise__lesson__blocks",
    "exercise__lesson__contents",
)


def submission_view(
    submission: Submission,
    *,
    place: int = 0,
    standing: Standing | None = None,
    number: int | None = None,
    attempt: Submission | None = None,
) -> SubmissionView:
    """Everything a page shows of a submission. ``place`` comes from the queue; the others are asked here
    where the caller does not know them: one query each. ``attempt``: of a trial, as last_attempts finds it."""
    spec = spec_of(submission.revision)
    if standing is None:
        found = standings(submission.learner, [submission.exercise_id])
        standing = found.get(submission.exercise_id, Standing())
    if number is None:
        number = _number_of(submission)
    finished = submission.status == Status.FINISHED
    result: dict[str, Any] = submission.result if finished else {}
    checks = tuple(_check_row(check) for check in result.get("checks", []))
    passed_count = sum(1 for check in checks if check.passed)
    headline = words.headline_of(submission, spec.limits, passed=passed_count, total=len(checks))
    elapsed = timezone.now() - submission.queued_at
    hinted = submission if submission.graded else attempt
    if hinted is None and finished and standing.attempts:
        hinted = last_attempts(submission.learner, [submission.exercise_id]).get(submission.exercise_id)
    unsolved = finished and hinted is not None and not hinted.passed  # who passed needs no hint
    hints = hints_of(spec, standing, hinted.result.get("checks", [])) if unsolved and hinted else []
    url = reverse("submission", args=[submission.pk])
    exercise_url = submission.exercise.get_absolute_url()
    return SubmissionView(
        id=str(submission.pk),
        url=url,
        exercise_title=submission.exercise.title,
        exercise_url=exercise_url,
        status=submission.status,
        verdict=submission.verdict,
        tone=words.tone_of(submission),
        graded=submission.graded,
        is_open=submission.is_open,
        headline=headline,
        subline=_subline(submission, number=number, place=place),
        announcement=_announcement(headline, checks),
        number=number,
        passed_count=passed_count,
        total=len(checks),
        checks=checks,
        outputs=tuple(_output_row(row, spec) for row in result.get("output", [])),
        pictures=pictures_of(submission, result.get("checks", [])),
        charts=charts_of(result.get("checks", [])),
        timelines=timelines_of(result.get("checks", [])),
        files=editor_files(spec, submission.files) if spec.kind == Kind.RUN else (),
        stdin=visible(submission.stdin),
        hints=tuple(inline_html(hint) for hint in hints),
        hints_left=len(spec.hints) - len(hints) if unsolved else 0,
        place=place,
        elapsed_seconds=int(elapsed.total_seconds()),
        handed_in_at=submission.queued_at,
        poll_url=url,
        poll_ms=_poll_ms(submission, elapsed, place),
        retry_url=reverse("retry", args=[submission.pk]) if submission.status == Status.BROKEN else "",
        restore_url=f"{exercise_url}?from={submission.pk}" if spec.kind != Kind.LAB else "",
        solution_url=f"{exercise_url}#exercise-{submission.exercise.slug}-solution"
        if solution_visible(spec, standing)
        else "",
        history_url=reverse("submissions", args=[submission.exercise.course.slug, submission.exercise.slug]),
    )


def history_of(learner: User, exercise: Exercise) -> tuple[HistoryRow, ...]:
    """What the learner handed in for this exercise, the newest first, at most MOST_HISTORY_ROWS."""
    rows = (
        Submission.objects.filter(learner=learner, exercise=exercise, origin=Origin.LEARNER)
        .select_related("exercise__course", "revision")
        .defer("files", "stdin", "revision__files", "revision__prompt_html")
        .order_by("-queued_at")[:MOST_HISTORY_ROWS]
    )
    attempts = standings(learner, [exercise.pk]).get(exercise.pk, Standing()).attempts
    return tuple(_numbered(rows, attempts))


def recent_of(learner: User, *, most: int) -> list[Submission]:
    """The learner's newest submissions with exercise, lesson and course."""
    rows = Submission.objects.filter(learner=learner, origin=Origin.LEARNER)
    rows = rows.select_related("exercise__course", "exercise__lesson", "revision")
    return list(rows.defer("files", "stdin", *HEAVY_FIELDS).order_by("-queued_at")[:most])


def last_attempts(learner: User, exercise_ids: Sequence[int]) -> dict[int, Submission]:
    """Exercise id -> the learner's last graded attempt there, with its verdict and result only: a trial keeps
    the hints of it. One query."""
    own = Submission.objects.attempts().filter(learner=learner, origin=Origin.LEARNER)
    newest = own.filter(exercise=OuterRef("pk")).order_by("-queued_at").values("pk")[:1]
    ids = Exercise.objects.filter(pk__in=exercise_ids).order_by().values_list(Subquery(newest), flat=True)
    rows = Submission.objects.filter(pk__in=ids).only("exercise_id", "verdict", "result")
    return {row.exercise_id: row for row in rows}


def history_row(submission: Submission, *, number: int) -> HistoryRow:
    checks = submission.result.get("checks", [])
    passed = sum(1 for check in checks if check.get("passed"))
    lab = submission.exercise.kind == Kind.LAB  # what was graded is gone, and nothing was typed into an editor
    return HistoryRow(
        id=str(submission.pk),
        url=reverse("submission", args=[submission.pk]),
        restore_url="" if lab else f"{submission.exercise.get_absolute_url()}?from={submission.pk}",
        number=number,
        graded=submission.graded,
        tone=words.tone_of(submission),
        headline=words.headline_of(submission, spec_of(submission.revision).limits, passed=passed, total=len(checks)),
        handed_in_at=submission.queued_at,
    )


def hints_of(spec: ExerciseSpec, standing: Standing, checks: Sequence[Mapping[str, Any]]) -> list[str]:
    """The hints that this learner has earned, given the checks of the latest result."""
    failed = {str(check.get("id")) for check in checks if not check.get("passed")}
    return graders.hints_for(spec, failed_attempts=standing.failed_attempts, failed_checks=failed)


def solution_visible(spec: ExerciseSpec, standing: Standing) -> bool:
    """After passing, or after as many failed attempts as the exercise says."""
    if standing.passed:
        return True
    return spec.solution_after is not None and standing.failed_attempts >= spec.solution_after


def _numbered(rows: Iterable[Submission], attempts: int) -> Iterator[HistoryRow]:
    """Rows from the newest with the number of each attempt; what is still open would become the next one."""
    for row in rows:
        counted = row.graded and row.status == Status.FINISHED
        number = attempts if counted else attempts + 1
        yield history_row(row, number=number if row.graded else 0)
        attempts -= counted


def _number_of(submission: Submission) -> int:
    if not submission.graded:
        return 0
    before = Submission.objects.attempts().filter(
        learner=submission.learner_id,
        exercise=submission.exercise_id,
        origin=submission.origin,
        queued_at__lt=submission.queued_at,
    )
    return before.count() + 1


def _subline(submission: Submission, *, number: int, place: int) -> str:
    if submission.status == Status.BROKEN:
        return words.broken_sentence(submission)
    if submission.is_open:
        return words.waiting_sentence(submission, place=place)
    walls = [row["wall_ms"] for row in submission.result.get("output", []) if isinstance(row.get("wall_ms"), int)]
    return words.facts_sentence(number=number, wall_ms=max(walls, default=None), peak_mb=submission.peak_mb)


def _announcement(headline: str, checks: Sequence[CheckRow]) -> str:
    failed = [str(check.title_html) for check in checks if not check.passed][:3]
    if not failed:
        return headline
    return _("%(headline)s 통과하지 못한 확인 항목: %(titles)s") % {"headline": headline, "titles": ", ".join(failed)}


def _poll_ms(submission: Submission, elapsed: datetime.timedelta, place: int) -> int:
    """Later for whoever stands further back: a class that asks all the time slows the answers it asks for."""
    if elapsed > POLL_FOR:
        return 0
    if submission.status == Status.BROKEN:
        return POLL_BROKEN_MS
    if not submission.is_open:
        return 0
    patience = POLL_MS[min(int(elapsed.total_seconds() / 2), len(POLL_MS) - 1)]
    return max(patience, min(place * POLL_MS_PER_PLACE, MOST_POLL_MS))


def _check_row(check: Mapping[str, Any]) -> CheckRow:
    passed = bool(check.get("passed"))
    return CheckRow(
        id=str(check.get("id", "")),
        title_html=inline_html(str(check.get("title", ""))),
        passed=passed,
        state=_("통과") if passed else _("실패"),
        expected=visible(str(check.get("expected", ""))),
        found=visible(str(check.get("found", ""))),
        message_html=inline_html(str(check.get("message", ""))),
        diff=tuple(_diff_lines(str(check.get("diff", "")))),
        show=visible(str(check.get("show", ""))),
        hint_html=inline_html(str(check.get("hint", ""))),
        looked_at=plain_path(str(check.get("looked_at", ""))),
        latched=passed and bool(check.get("latched")),
    )


def _diff_lines(diff: str) -> Iterator[DiffLine]:
    """Unified diff text, from what was expected to what was found, without its two heading lines."""
    lines = diff.split("\n")
    if lines[0].startswith("--- "):
        lines = lines[2:]
    kinds = {"-": ("want", _("바란 값")), "+": ("got", _("실제 값")), "@": ("place", ""), "\\": ("place", "")}
    for line in lines[:MOST_DIFF_LINES]:
        if line:
            kind, label = kinds.get(line[0], ("same", ""))
            yield DiffLine(kind=kind, label=label, text=visible(line if kind == "place" else line[1:]))


def _output_row(row: Mapping[str, Any], spec: ExerciseSpec) -> OutputRow:
    hidden = bool(row.get("hidden"))
    exit_code = row.get("exit_code")
    return OutputRow(
        label=_output_label(row, hidden=hidden),
        command=visible(str(row.get("command") or "")),
        stdin=visible(str(row.get("stdin") or "")),
        stdout_html=ansi_html(str(row.get("stdout") or "")),
        stderr_html=ansi_html(str(row.get("stderr") or "")),
        note=words.ended_note(row, spec.limits),
        ended=str(row.get("ended") or ""),
        exit_code=exit_code if isinstance(exit_code, int) else None,
        truncated=bool(row.get("truncated")),
        hidden=hidden,
    )


def _output_label(row: Mapping[str, Any], *, hidden: bool) -> str:
    if hidden:
        return _("숨은 입력")
    if row.get("probe") == "try":
        return _("실행 결과")
    return visible(str(row.get("label") or row.get("probe") or ""))
