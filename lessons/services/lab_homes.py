"""What outlives a lab: what its author keeps (paths, the cluster's objects, the registry), and the shell's history."""

from __future__ import annotations

import logging
import time

from lessons.contracts import CLUSTER, REGISTRY, ExerciseSpec
from lessons.models import KeptHome, LabReason, LabSession, Origin
from lessons.sandbox import LabTooLargeError, SandboxError
from lessons.sandbox.lab import Lab

logger = logging.getLogger(__name__)

MOST_KB = 2 * 1024  # of files alone
MOST_CLUSTER_KB = 4 * 1024
MOST_REGISTRY_KB = 16 * 1024
SAVE_SECONDS = 40.0  # all tries together
QUICK_SAVE_SECONDS = 20.0  # likewise where a grading or a look waits for it
HISTORY = "/root/.bash_history"
KEPT_REASONS = (LabReason.LEARNER, LabReason.HARD, LabReason.IDLE, LabReason.AWAY)  # homes are saved at these ends


def kept_paths(spec: ExerciseSpec) -> tuple[str, ...]:
    """Absolute paths in the lab, each host's own history, and perhaps CLUSTER and REGISTRY."""
    return (*spec.keep, HISTORY)


def keeps_cluster(spec: ExerciseSpec) -> bool:
    return CLUSTER in spec.keep


def most_kb(paths: tuple[str, ...]) -> int:
    """What may be kept of a lab, compressed."""
    if REGISTRY in paths:
        return MOST_REGISTRY_KB
    return MOST_CLUSTER_KB if CLUSTER in paths else MOST_KB


def saved(row: LabSession, lab: Lab, *, seconds: float) -> bytes:
    """What the lab's exercise keeps; where that is too large, without the registry, then without files, as far as a
    cluster is left to keep. Raises SandboxError."""
    ends_at = time.monotonic() + seconds
    *larger, smallest = _choices(kept_paths(row.revision.spec))
    for paths in larger:
        try:
            return _saved(lab, paths, ends_at)
        except LabTooLargeError as error:
            logger.warning("Lab %s: %s; saving less", row.pk, error)
    return _saved(lab, smallest, ends_at)


def _choices(paths: tuple[str, ...]) -> list[tuple[str, ...]]:
    """What may be kept, the most first."""
    found = [paths]
    if REGISTRY in paths:
        found.append(tuple(path for path in paths if path != REGISTRY))
    if CLUSTER in paths:
        found.append((CLUSTER, HISTORY))
    return list(dict.fromkeys(found))


def _saved(lab: Lab, paths: tuple[str, ...], ends_at: float) -> bytes:
    most = most_kb(paths)
    data = lab.save(paths, most_kb=most, seconds=max(1.0, ends_at - time.monotonic()))
    if len(data) > most * 1024:
        raise LabTooLargeError(f"{len(data)} bytes to keep")
    return data


def keep_home(row: LabSession, lab: Lab, *, seconds: float = SAVE_SECONDS) -> bytes | None:
    """Save what the lab's exercise keeps, and return it; None where nothing could be.

    No sandbox error leaves: what was kept before stays then.
    """
    if row.origin != Origin.LEARNER:
        return None
    try:
        data = saved(row, lab, seconds=seconds)
    except LabTooLargeError as error:
        logger.warning("Lab %s: too much to keep, what was kept before stays: %s", row.pk, error)
        return None
    except SandboxError as error:
        logger.info("Lab %s: nothing could be kept: %s", row.pk, error)
        return None
    known = LabSession.objects.values("seed", "baseline", "latched").get(pk=row.pk)
    values = {**known, "data": data, "has_cluster": keeps_cluster(row.revision.spec)}
    KeptHome.objects.update_or_create(learner_id=row.learner_id, exercise_id=row.exercise_id, defaults=values)
    return data
