"""A revision's parsed exercise, for pages."""

from __future__ import annotations

import logging

from lessons.content import ContentError
from lessons.contracts import ExerciseSpec, Kind
from lessons.models import Revision

logger = logging.getLogger(__name__)


def spec_of(revision: Revision) -> ExerciseSpec:
    """The parsed exercise; an empty one where the files are none any more (written for an older Naru), so that
    one bad exercise or old attempt never takes a whole page away."""
    try:
        return revision.spec
    except ContentError:
        logger.exception("%s cannot be read; its page shows no form", revision)
        exercise = revision.exercise
        return ExerciseSpec(slug=exercise.slug, title=exercise.title, kind=Kind(exercise.kind), prompt="")
