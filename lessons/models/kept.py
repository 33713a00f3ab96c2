"""What outlives a learner's lab, or takes it back to where it was."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from lessons.models.courses import Exercise
from lessons.models.labs import LabSession


class KeptHome(models.Model):
    """What outlives a learner's labs of an exercise: what ``keep:`` names and shell history, as the attendant's tar.gz.

    ``has_cluster``: the objects of a cluster are inside. Their names were drawn with ``seed``, hence the next lab
    takes it, and ``baseline`` and ``latched`` (as in LabSession), which no new setup can tell any more.
    """

    learner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="kept_homes")
    exercise = models.ForeignKey(Exercise, models.CASCADE, related_name="kept_homes")
    data = models.BinaryField()
    has_cluster = models.BooleanField(default=False)
    seed = models.BigIntegerField(default=0)
    baseline = models.JSONField(default=dict)
    latched = models.JSONField(default=dict)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["learner", "exercise"], name="one_kept_home_each")]
        verbose_name = verbose_name_plural = _("남겨 둔 파일")


class KeptStepQuerySet(models.QuerySet["KeptStep"]):
    def of(self, lab: LabSession) -> KeptStepQuerySet:
        """To where the lab can go back: one, or none where there is nothing of this lab's seed."""
        return self.filter(learner=lab.learner_id, exercise=lab.exercise_id, seed=lab.seed)


class KeptStep(models.Model):
    """A learner's lab as it was when a check of the exercise last passed for the first time; one each.

    ``check_id`` and ``title`` are that check's (the title is inline Markdown), ``seed`` the lab's: in a lab of
    another seed ``data``, the attendant's tar.gz, means nothing. ``streams`` are the lab's own, as they stood.
    """

    learner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="kept_steps")
    exercise = models.ForeignKey(Exercise, models.CASCADE, related_name="kept_steps")
    check_id = models.CharField(max_length=80)
    title = models.CharField(_("확인 항목"), max_length=300)
    seed = models.BigIntegerField()
    data = models.BinaryField()
    streams = models.JSONField(default=dict)
    at = models.DateTimeField(_("남긴 때"), default=timezone.now)

    objects = KeptStepQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["learner", "exercise"], name="one_kept_step_each")]
        indexes = [models.Index(fields=["at"], name="kept_step_age")]
        verbose_name = verbose_name_plural = _("남겨 둔 단계")
