"""Steps: a lab as it was when a check passed that had not passed before, to which its learner can return.

Only labs with a cluster have them: of others files alone would come back, and nothing of what runs.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Iterable

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from lessons.contracts import CheckResult, Status
from lessons.models import KeptStep, LabSession, Origin, Submission
from lessons.sandbox import DeadlineError, LabGoneError, LabTooLargeError, SandboxError
from lessons.services import lab_wakes
from lessons.services.lab_events import begin_streams_anew
from lessons.services.lab_homes import QUICK_SAVE_SECONDS, keeps_cluster, saved
from lessons.services.lab_upkeep import note_death, wake_lab
from lessons.services.lab_use import alone_with, in_use, lab_of
from lessons.services.labs import LabRefused, touch_lab

logger = logging.getLogger(__name__)

STEP_SECONDS = 10.0  # a lab's steps are saved no more often
RETURN_SECONDS = 30.0
ALONE_SECONDS = 5.0  # until a look that goes on is over
KEPT_DAYS = 14
MOST_TITLE = 300


class StepRefused(LabRefused):
    """The lab does not go back; ``text`` says why, in Korean."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


def note_first(row: LabSession, results: Iterable[CheckResult]) -> None:
    """What passes when a lab is looked at for the first time is where it began, and no step of the learner's."""
    passing = [result.id for result in results if result.passed]
    if passing and _has_steps(row):
        LabSession.objects.filter(pk=row.pk, passed=[]).update(passed=passing)


def keep_step(row: LabSession, results: Iterable[CheckResult], *, data: bytes | None = None) -> float:
    """Save the lab where a check passes that did not before; seconds after which to try again, 0.0: no need to.

    ``data``: what was saved of the lab right now. No sandbox error leaves: a step that cannot be kept is logged.
    """
    if not _has_steps(row):
        return 0.0
    known = LabSession.objects.values_list("passed", flat=True).filter(pk=row.pk).first() or []
    new = [result for result in results if result.passed and result.id not in known]
    if not new:
        return 0.0
    if data is None:
        if not _may_try(row):
            return STEP_SECONDS
        try:
            with in_use(row) as lab:
                data = saved(row, lab, seconds=QUICK_SAVE_SECONDS)
        except LabTooLargeError as error:  # a later look would find it as large
            logger.warning("Lab %s: its step is too large to be kept: %s", row.pk, error)
        except SandboxError as error:
            logger.info("Lab %s: its step could not be kept: %s", row.pk, error)
            return 0.0
    if data is not None:
        _store(row, new[-1], data)
    _note_passed(row, [result.id for result in new])
    return 0.0


def return_to_step(*, lab: LabSession) -> KeptStep:
    """마지막으로 통과한 때로: what runs in the lab is as it was then. Raises StepRefused."""
    step = KeptStep.objects.of(lab).first()
    if step is None:
        raise StepRefused(_("이 실습에서 아직 새로 통과한 확인 항목이 없어서, 돌아갈 곳이 없어요."))
    if not lab.is_live:
        raise StepRefused(_("지금은 쓸 수 없는 실습이에요."))
    touch_lab(lab=lab, used=True)
    wake_lab(lab)
    try:
        with alone_with(lab.pk, seconds=ALONE_SECONDS) as alone:  # nobody grades or saves what is half put back
            if not alone or Submission.objects.filter(lab=lab, status__in=(Status.QUEUED, Status.RUNNING)).exists():
                raise StepRefused(_("채점하거나 확인하고 있어요. 조금 뒤에 다시 눌러 주세요."))
            known = LabSession.objects.values_list("streams", flat=True).get(pk=lab.pk)
            begin_streams_anew(lab, known, after=RETURN_SECONDS)  # what fails from now on is no fault of the learner's
            lab_of(lab).load(bytes(step.data), seconds=RETURN_SECONDS)
            begin_streams_anew(lab, step.streams)
    except LabGoneError as error:
        note_death(lab)
        raise StepRefused(_("실습 환경이 멈춰서 되돌리지 못했어요.")) from error
    except DeadlineError as error:
        logger.warning("Lab %s: going back took too long: %s", lab.pk, error)
        raise StepRefused(_("되돌리는 데 너무 오래 걸려서 그만뒀어요. 조금 뒤에 다시 눌러 주세요.")) from error
    except SandboxError as error:
        logger.warning("Lab %s could not go back: %s", lab.pk, error)
        raise StepRefused(_("되돌리지 못했어요. 조금 뒤에 다시 눌러 주세요.")) from error
    lab_wakes.wake(lab.pk)
    return step


def forget_old_steps() -> bool:
    """Delete steps that nobody will return to; whether there was any."""
    oldest = timezone.now() - datetime.timedelta(days=KEPT_DAYS)
    deleted, _rows = KeptStep.objects.filter(at__lt=oldest).delete()
    return bool(deleted)


def _has_steps(row: LabSession) -> bool:
    return row.origin == Origin.LEARNER and keeps_cluster(row.revision.spec)


def _may_try(row: LabSession) -> bool:
    """Compare and set: once in a while, whoever looks."""
    now = timezone.now()
    due = Q(step_tried_at=None) | Q(step_tried_at__lte=now - datetime.timedelta(seconds=STEP_SECONDS))
    return bool(LabSession.objects.live().filter(due, pk=row.pk).update(step_tried_at=now))


def _note_passed(row: LabSession, new: Iterable[str]) -> None:
    """A look and a grading may do so at once."""
    with transaction.atomic():
        known = LabSession.objects.select_for_update().values_list("passed", flat=True).filter(pk=row.pk).first() or []
        LabSession.objects.filter(pk=row.pk).update(passed=list(dict.fromkeys([*known, *new])))


def _store(row: LabSession, result: CheckResult, data: bytes) -> None:
    known = LabSession.objects.values("seed", "streams").get(pk=row.pk)
    values = {"check_id": result.id, "title": result.title[:MOST_TITLE], "data": data, **known}
    values["at"] = timezone.now()
    KeptStep.objects.update_or_create(learner_id=row.learner_id, exercise_id=row.exercise_id, defaults=values)
