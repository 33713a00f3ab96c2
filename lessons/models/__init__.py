"""The rows: courses and their immutable revisions, learners, submissions, labs.

A fact about one row is a property here; anything that touches two models or the
outside world lives in ``lessons.services``.
"""

from __future__ import annotations

from lessons.models.courses import (
    Course,
    CourseQuerySet,
    Exercise,
    ExerciseQuerySet,
    Lesson,
    LessonImage,
    LessonQuerySet,
    Revision,
    User,
)
from lessons.models.kept import KeptHome, KeptStep
from lessons.models.labs import (
    EMPTIED,
    HOLDING_LABS,
    LARGE_FIELDS,
    LIVE_LABS,
    OPEN_LABS,
    LabQuerySet,
    LabReason,
    LabSession,
    LabState,
    TerminalTicket,
)
from lessons.models.submissions import BrokenReason, Draft, Origin, Submission, SubmissionQuerySet

__all__ = [
    "EMPTIED",
    "HOLDING_LABS",
    "LARGE_FIELDS",
    "LIVE_LABS",
    "OPEN_LABS",
    "BrokenReason",
    "Course",
    "CourseQuerySet",
    "Draft",
    "Exercise",
    "ExerciseQuerySet",
    "KeptHome",
    "KeptStep",
    "LabQuerySet",
    "LabReason",
    "LabSession",
    "LabState",
    "Lesson",
    "LessonImage",
    "LessonQuerySet",
    "Origin",
    "Revision",
    "Submission",
    "SubmissionQuerySet",
    "TerminalTicket",
    "User",
]
