"""What templates are given: finished values, so that no template computes anything.

Every ``*_html`` field and every ``SafeString`` is already escaped or sanitised; all other texts
are plain and escaped by the template engine. URLs are paths on this site, "" where there is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.safestring import SafeString

from lessons.models import Course, Exercise, Lesson
from lessons.queries.charts import Timeline, TrafficChart
from lessons.queries.lab_shapes import BuildPicture, LabCard, LabView


@dataclass(frozen=True)
class CourseCard:
    """A course in a list. ``percent`` is 0..100, whole; ``done`` and ``total`` count exercises."""

    course: Course
    lessons: tuple[LessonLink, ...]
    done: int
    total: int
    percent: int
    next_lesson: LessonLink | None
    next_exercise: ExerciseLink | None


@dataclass(frozen=True)
class ExerciseLink:
    """An exercise in a list. ``tone`` is done | tried | new; ``state`` says the same in words."""

    slug: str
    title: str
    url: str
    kind: str
    kind_label: str
    tone: str
    state: str

    @property
    def done(self) -> bool:
        return self.tone == "done"


@dataclass(frozen=True)
class LessonLink:
    """A lesson in a list. ``number`` is its place in the course from 1; done: every exercise passed."""

    number: int
    slug: str
    title: str
    summary: str
    minutes: int
    url: str
    exercises: tuple[ExerciseLink, ...]
    done_count: int
    total: int

    @property
    def done(self) -> bool:
        return self.total > 0 and self.done_count == self.total


@dataclass(frozen=True)
class ContentsEntry:
    """An H2 of a lesson: ``url`` is "#anchor"; done: it has exercises and all are passed."""

    title: str
    url: str
    done: bool
    kind_label: str  # of its first exercise, "" without one


@dataclass(frozen=True)
class Block:
    """A part of a lesson: exactly one of the two is set."""

    html: SafeString | None = None
    exercise: ExerciseView | None = None


@dataclass(frozen=True)
class LessonPage:
    """Everything of lesson.html."""

    lesson: Lesson
    course: Course
    number: int
    contents: tuple[ContentsEntry, ...]
    blocks: tuple[Block, ...]
    previous: LessonLink | None
    next: LessonLink | None
    done: int
    total: int
    percent: int  # of the whole course
    lab: LabView | None  # the learner's open one, if it belongs to an exercise of this lesson


@dataclass(frozen=True)
class EditorFile:
    """A tab of the editor. ``field`` is the name of its form field, ``language`` a word for the highlighter:
    python, dockerfile, yaml, json, shell, javascript, go, html, css, sql, markdown or text."""

    path: str
    field: str
    text: str
    starter: str
    language: str
    editable: bool


@dataclass(frozen=True)
class OptionView:
    """An option of a choice, or an item of an order; ``value`` is what the form posts."""

    value: str
    html: SafeString
    chosen: bool


@dataclass(frozen=True)
class QuestionView:
    """A question of a quiz; never tells what is right.

    type: choice | short | order. ``multiple``: a choice with checkboxes. An order posts its items
    under one name, in the learner's order (``options`` come in that order, or shuffled at first).
    """

    id: str
    field: str
    number: int
    type: str
    prompt_html: SafeString
    multiple: bool
    options: tuple[OptionView, ...]
    text: str  # of a short answer


@dataclass(frozen=True)
class CheckRow:
    """One check of a result; texts visible as they are (control characters already replaced)."""

    id: str
    title_html: SafeString
    passed: bool
    state: str  # 통과 | 실패
    expected: str
    found: str
    message_html: SafeString
    diff: tuple[DiffLine, ...]
    show: str
    hint_html: SafeString
    looked_at: str  # what of the evidence was asked for
    latched: bool  # seen once in the lab, and passed for good


@dataclass(frozen=True)
class DiffLine:
    """A line of a diff. kind: want | got | same | place; ``label`` says it for those who do not see it."""

    kind: str
    label: str
    text: str


@dataclass(frozen=True)
class OutputRow:
    """What one probe printed. ``note`` is how it ended, in words; hidden probes carry no command, input or output."""

    label: str
    command: str
    stdin: str
    stdout_html: SafeString
    stderr_html: SafeString
    note: str
    ended: str
    exit_code: int | None
    truncated: bool
    hidden: bool


@dataclass(frozen=True)
class SubmissionView:
    """A submission, ready to show.

    tone: pass | fail | limit | ran (실행, came to an end) | waiting | running | broken.
    ``poll_ms`` is when to ask again, 0 when there is nothing to wait for.
    """

    id: str
    url: str
    exercise_title: str
    exercise_url: str
    status: str
    verdict: str
    tone: str
    graded: bool
    is_open: bool
    headline: str
    subline: str
    announcement: str  # headline, and the first failed checks, for a screen reader
    number: int  # of the attempt, from 1; 0 for 실행
    passed_count: int
    total: int
    checks: tuple[CheckRow, ...]
    outputs: tuple[OutputRow, ...]
    pictures: tuple[BuildPicture, ...]  # what was built
    charts: tuple[TrafficChart, ...]  # requests that ran meanwhile
    timelines: tuple[Timeline, ...]  # what happened when
    files: tuple[EditorFile, ...]
    stdin: str
    hints: tuple[SafeString, ...]
    hints_left: int
    place: int  # in the queue, from 1; 0 when not waiting
    elapsed_seconds: int
    handed_in_at: datetime
    poll_url: str
    poll_ms: int
    retry_url: str
    restore_url: str
    solution_url: str
    history_url: str


@dataclass(frozen=True)
class HistoryRow:
    """A line of the history. ``restore_url`` is "" where no answer can come back."""

    id: str
    url: str
    restore_url: str
    number: int
    graded: bool
    tone: str
    headline: str
    handed_in_at: datetime


@dataclass(frozen=True)
class ExerciseView:
    """An exercise with what this learner has done in it.

    ``solution`` is empty until it may be seen. ``problems`` are what is wrong with what was just posted.
    ``from_attempt`` is the number of the old attempt whose files are shown, 0 for draft or starter.
    """

    exercise: Exercise
    dom_id: str
    kind: str
    kind_label: str
    prompt_html: SafeString
    files: tuple[EditorFile, ...]
    questions: tuple[QuestionView, ...]
    points: str
    stdin: str
    can_run: bool
    can_submit: bool  # False: an anonymous visitor where guests are not allowed
    token: str
    latest: SubmissionView | None
    attempts: int
    passed: bool
    solution: tuple[EditorFile, ...]
    solution_questions: tuple[tuple[SafeString, tuple[SafeString, ...]], ...]  # of a quiz: (prompt, right answers)
    solution_after: int | None
    limits: str
    environment: str
    problems: tuple[str, ...]
    from_attempt: int
    lab_card: LabCard | None  # of an exercise of kind lab
    url: str
    submit_url: str
    draft_url: str
    history_url: str
    login_url: str


@dataclass(frozen=True)
class LearnerPage:
    """Everything of me.html."""

    courses: tuple[CourseCard, ...]
    recent: tuple[RecentRow, ...]
    passed: int
    attempts: int


@dataclass(frozen=True)
class RecentRow:
    """A recent submission on the learner's own page."""

    exercise_title: str
    exercise_url: str
    row: HistoryRow
