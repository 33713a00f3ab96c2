"""Reads for pages: rows in, the shapes that templates show out. Nothing here writes."""

from lessons.queries.courses import course_card, course_cards, learner_page, lesson_image, lesson_page
from lessons.queries.exercises import exercise_for, exercise_view
from lessons.queries.specs import spec_of
from lessons.queries.submissions import history_of, submission_for, submission_view

__all__ = [
    "course_card",
    "course_cards",
    "exercise_for",
    "exercise_view",
    "history_of",
    "learner_page",
    "lesson_image",
    "lesson_page",
    "spec_of",
    "submission_for",
    "submission_view",
]
