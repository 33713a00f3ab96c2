"""What a lab holds before its learner arrives: starter files, what was kept, setup, and what was there at first.

Files that were kept are there before setup, which may build on them. A kept cluster comes last: it takes the place of
what setup made, so that the learner goes on where the other lab ended, with the values that were drawn for that one.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from lessons import graders
from lessons.contracts import CLUSTER, ExerciseSpec
from lessons.models import KeptHome, LabSession
from lessons.sandbox import LabGoneError, SandboxError
from lessons.sandbox.lab import Lab
from lessons.services.lab_events import begin_streams_anew
from lessons.services.sandboxes import current_sandbox

logger = logging.getLogger(__name__)

HOME = "/root"
SETUP_SECONDS = 120.0  # all commands of a setup together
BASELINE_SECONDS = 60.0
LOAD_SECONDS = 60.0
LOAD_TRIES = 2


class SetupFailed(Exception):
    """A command of an exercise's setup failed."""


class HomeFailed(Exception):
    """What was kept of an earlier lab cannot be put into this one, which may hold a part of it now."""


def furnish(row: LabSession, spec: ExerciseSpec, lab: Lab, *, take: Callable[..., bool]) -> dict[str, Any] | None:
    """Put everything in; the baseline. ``take`` changes the row while it is still ours, else None is returned.

    Raises SetupFailed, HomeFailed and SandboxError.
    """
    host = spec.starter_on or (spec.engines[0] if spec.engines else "")
    if spec.starter:
        lab.put({f"{HOME}/{path}": (text, _mode(path, text)) for path, text in spec.starter.items()}, host=host)
    kept = _kept_home(row)
    if kept is None or not kept.has_cluster:
        if kept is not None:
            lab.load(bytes(kept.data))
        _set_up(row, spec, lab)
        return _baseline(row, spec, lab)
    if CLUSTER not in spec.keep:  # of another revision, whose environment had a cluster
        logger.info("Lab %s begins without what was kept: its exercise keeps no cluster any more", row.pk)
        _set_up(row, spec, lab)
        return _baseline(row, spec, lab)
    latches = {check.id for check in spec.checks if check.latch}
    latched = {name: result for name, result in kept.latched.items() if name in latches}
    if not take(row, seed=kept.seed, latched=latched):
        return None
    _set_up(row, spec, lab)
    wanted = {f"baseline.{name}" for name in spec.baseline}
    known = {name: document for name, document in kept.baseline.items() if name in wanted}
    baseline = known if set(known) == wanted else {**_baseline(row, spec, lab), **known}
    _load_cluster(row, lab, bytes(kept.data))
    begin_streams_anew(row, {})
    return baseline


def _kept_home(row: LabSession) -> KeptHome | None:
    if not row.keeps_home:
        return None
    return KeptHome.objects.filter(learner=row.learner_id, exercise=row.exercise_id).first()


def _set_up(row: LabSession, spec: ExerciseSpec, lab: Lab) -> None:
    ends_at = time.monotonic() + SETUP_SECONDS
    for argv in graders.setup_commands(spec, row.seed):
        done = lab.run(argv, seconds=max(1.0, ends_at - time.monotonic()))
        if done.exit_code != 0:
            said = (done.stderr or done.stdout)[-500:].decode(errors="replace").strip()
            raise SetupFailed(f"{' '.join(argv)!r} ended with {done.exit_code}: {said}")


def _mode(path: str, text: str) -> int:
    return 0o755 if path.endswith(".sh") or text.startswith("#!") else 0o644


def _baseline(row: LabSession, spec: ExerciseSpec, lab: Lab) -> dict[str, Any]:
    plan = graders.setup_plan(spec, row.seed)
    if not plan.asks:
        return {}
    evidence = current_sandbox().collect(plan, owner=str(row.pk), deadline=BASELINE_SECONDS, lab=lab)
    return graders.baseline_documents(spec, plan, evidence)


def _load_cluster(row: LabSession, lab: Lab, data: bytes) -> None:
    for left in reversed(range(LOAD_TRIES)):
        try:
            lab.load(data, seconds=LOAD_SECONDS)
        except LabGoneError:
            raise
        except SandboxError as error:
            if not left:
                raise HomeFailed(f"its cluster could not be put back: {error}") from error
            logger.warning("Lab %s: its cluster is put back again: %s", row.pk, error)
        else:
            return
