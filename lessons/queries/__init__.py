"""Reads for pages: rows in, the shapes that templates show out. Nothing here writes."""

from lessons.queries.courses import course_card, course_cards, learner_page, lesson_image, lesson_page
from lessons.queries.exercises import exercise_for, exercise_view
from lessons.queries.lab_maps import lab_map
from lessons.queries.labs import (
    MOST_TERMINALS,
    ending_sentence,
    host_of,
    lab_card,
    lab_for,
    lab_view,
    open_labs,
    over_sentence,
)
from lessons.queries.specs import spec_of
from lessons.queries.submissions import history_of, submission_for, submission_view

__all__ = [
    "MOST_TERMINALS",
    "course_card",
    "course_cards",
    "ending_sentence",
    "exercise_for",
    "exercise_view",
    "history_of",
    "host_of",
    "lab_card",
    "lab_for",
    "lab_map",
    "lab_view",
    "learner_page",
    "lesson_image",
    "lesson_page",
    "open_labs",
    "over_sentence",
    "spec_of",
    "submission_for",
    "submission_view",
]
