"""Answers: what a learner is writing, and what was handed in."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from lessons import contracts
from lessons.models.courses import Exercise, Revision


class Draft(models.Model):
    """What a learner has in the editor and has not handed in; one a learner and exercise."""

    learner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="drafts")
    exercise = models.ForeignKey(Exercise, models.CASCADE, related_name="drafts")
    files = models.JSONField(default=dict)
    stdin = models.TextField(blank=True, default="")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["learner", "exercise"], name="one_draft_each")]
        verbose_name = verbose_name_plural = _("쓰던 답")


class Origin(models.TextChoices):
    LEARNER = "learner", _("학습자")
    PROOF = "proof", _("검증")  # tryanswer, checkexercises: exempt from a learner's limits


class BrokenReason(models.TextChoices):
    """Whose fault it was when no verdict came: never the learner's. Details are in the log."""

    ENGINE = "engine", _("채점 서버에 닿지 못했어요.")
    ENVIRONMENT = "environment", _("채점에 쓸 환경이 아직 준비되지 않았어요.")
    DISK = "disk", _("채점 서버의 디스크가 가득 찼어요.")
    CONTENT = "content", _("문제 파일에 잘못이 있어요.")
    LAB = "lab", _("실습 환경이 끝났어요. 실습을 새로 시작해 다시 채점해 주세요.")
    INTERNAL = "internal", _("채점하다가 예상하지 못한 문제가 생겼어요.")


class SubmissionQuerySet(models.QuerySet["Submission"]):
    def waiting(self) -> SubmissionQuerySet:
        return self.filter(status=contracts.Status.QUEUED)

    def running(self) -> SubmissionQuerySet:
        return self.filter(status=contracts.Status.RUNNING)

    def attempts(self) -> SubmissionQuerySet:
        """What counts as a try: graded and finished; a broken one costs nothing."""
        return self.filter(graded=True, status=contracts.Status.FINISHED)


class Submission(models.Model):
    """One answer handed in. The row is the job: QUEUED rows are the queue.

    ``attempt`` counts claims, so that a late result of an earlier claim is dropped.
    ``result`` is {"checks": [CheckResult as dict], "output": [{"probe", "stdout", "stderr",
    "exit_code", "ended", "cpu_ms", "peak_mb", "truncated"}], "timings": {phase: ms}}.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    learner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="submissions", verbose_name=_("학습자")
    )
    revision = models.ForeignKey(Revision, models.PROTECT, related_name="submissions", verbose_name=_("판"))
    exercise = models.ForeignKey(Exercise, models.PROTECT, related_name="submissions", verbose_name=_("문제"))
    origin = models.CharField(_("낸 곳"), max_length=8, choices=Origin, default=Origin.LEARNER)
    lab = models.ForeignKey(
        "LabSession", models.SET_NULL, null=True, blank=True, related_name="submissions", verbose_name=_("실습 환경")
    )  # which was looked at; None for what is run or answered
    graded = models.BooleanField(_("채점"), default=True)  # False: 실행, tried but not graded
    files = models.JSONField(_("답"), default=dict)
    stdin = models.TextField(blank=True, default="")
    token = models.CharField(max_length=40, blank=True, default="")  # of the form: a double click lands once
    seed = models.BigIntegerField(default=0)

    status = models.CharField(
        _("상태"), max_length=8, choices=[(s.value, s.value) for s in contracts.Status], default=contracts.Status.QUEUED
    )
    verdict = models.CharField(
        _("결과"), max_length=16, blank=True, default="", choices=[(v.value, v.value) for v in contracts.Verdict]
    )
    score = models.FloatField(_("점수"), null=True, blank=True)
    result = models.JSONField(default=dict)
    cpu_ms = models.PositiveIntegerField(_("CPU 시간(ms)"), null=True, blank=True)
    peak_mb = models.FloatField(_("메모리(MB)"), null=True, blank=True)

    attempt = models.PositiveIntegerField(_("채점한 횟수"), default=0)
    broken_count = models.PositiveSmallIntegerField(default=0)
    broken_reason = models.CharField(max_length=16, choices=BrokenReason, blank=True, default="")
    worker = models.CharField(max_length=80, blank=True, default="")
    lease_until = models.DateTimeField(null=True, blank=True)
    retry_at = models.DateTimeField(null=True, blank=True)
    queued_at = models.DateTimeField(_("낸 때"), auto_now_add=True)
    started_at = models.DateTimeField(_("시작한 때"), null=True, blank=True)
    finished_at = models.DateTimeField(_("끝난 때"), null=True, blank=True)

    objects = SubmissionQuerySet.as_manager()

    class Meta:
        ordering = ["-queued_at"]
        indexes = [
            models.Index(fields=["status", "queued_at"], name="submission_queue"),
            models.Index(fields=["learner", "exercise", "-queued_at"], name="submission_history"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["learner", "exercise", "token"], condition=~models.Q(token=""), name="one_submission_a_token"
            )
        ]
        verbose_name = verbose_name_plural = _("제출")

    def __str__(self) -> str:
        return f"{self.exercise} · {self.learner}"

    @property
    def is_open(self) -> bool:
        return self.status in (contracts.Status.QUEUED, contracts.Status.RUNNING)

    @property
    def passed(self) -> bool:
        return self.verdict == contracts.Verdict.PASS
