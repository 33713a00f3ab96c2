"""What outlives a lab: the paths that its author keeps, and the shell's history."""

from __future__ import annotations

import logging

from lessons.contracts import ExerciseSpec
from lessons.models import KeptHome, LabReason, LabSession, Origin
from lessons.sandbox import LabTooLargeError, SandboxError
from lessons.sandbox.lab import Lab

logger = logging.getLogger(__name__)

MOST_KB = 2048
HISTORY = "/root/.bash_history"
KEPT_REASONS = (LabReason.LEARNER, LabReason.HARD, LabReason.IDLE, LabReason.AWAY)  # homes are saved at these ends


def kept_paths(spec: ExerciseSpec) -> tuple[str, ...]:
    """Absolute paths in the lab; each host's own history."""
    return (*spec.keep, HISTORY)


def keep_home(row: LabSession, lab: Lab) -> bool:
    """Save what the lab's exercise keeps; whether it was. No sandbox error leaves: what was kept before stays then."""
    if row.origin != Origin.LEARNER:
        return False
    try:
        data = lab.save(kept_paths(row.revision.spec), most_kb=MOST_KB)
    except LabTooLargeError:
        logger.warning("Lab %s: more than %d KB to keep; what was kept before stays", row.pk, MOST_KB)
        return False
    except SandboxError as error:
        logger.info("Lab %s: nothing could be kept: %s", row.pk, error)
        return False
    if len(data) > MOST_KB * 1024:
        return False
    KeptHome.objects.update_or_create(learner_id=row.learner_id, exercise_id=row.exercise_id, defaults={"data": data})
    return True
