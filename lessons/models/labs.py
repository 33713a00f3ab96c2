"""Labs of learners: their life, what was seen in them, and what outlives them."""

from __future__ import annotations

import datetime
import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from lessons import contracts
from lessons.models.courses import Exercise, Revision
from lessons.models.submissions import Origin


class LabState(models.TextChoices):
    """Where a lab is in its life; each is reached at most once, but for ready and idle, which take turns."""

    REQUESTED = "requested", _("차례를 기다려요")
    PLACED = "placed", _("준비하고 있어요")
    READY = "ready", _("쓸 수 있어요")
    IDLE = "idle", _("잠시 멈춰 두었어요")
    ENDED = "ended", _("끝났어요")
    FAILED = "failed", _("쓸 수 없게 되었어요")


class LabReason(models.TextChoices):
    """Why a lab ended or failed."""

    LEARNER = "learner", _("실습을 끝냈어요.")
    RESET = "reset", _("처음 상태로 되돌렸어요.")
    HARD = "hard", _("쓸 수 있는 시간이 다 되어 실습을 마쳤어요.")
    IDLE = "idle", _("오랫동안 쓰지 않아서 실습을 마쳤어요.")
    AWAY = "away", _("화면을 닫은 지 오래되어 실습을 마쳤어요.")
    GONE = "gone", _("실습 환경이 멈췄어요. 메모리를 모두 썼거나 안의 엔진이나 클러스터가 꺼졌을 수 있어요.")
    ENGINE = "engine", _("실습 서버에 닿지 못해 실습을 열지 못했어요.")
    ENVIRONMENT = "environment", _("실습에 쓸 환경이 아직 준비되지 않았어요.")
    DISK = "disk", _("실습 서버의 디스크가 가득 찼어요.")
    SETUP = "setup", _("문제의 처음 상태를 차리지 못했어요. 문제 파일에 잘못이 있을 수 있어요.")
    CONTENT = "content", _("문제 파일에 잘못이 있어요.")
    INTERNAL = "internal", _("실습을 준비하다가 예상하지 못한 문제가 생겼어요.")


OPEN_LABS = (LabState.REQUESTED, LabState.PLACED, LabState.READY, LabState.IDLE)
LIVE_LABS = (LabState.READY, LabState.IDLE)  # its container is there to be used
HOLDING_LABS = (LabState.PLACED, LabState.READY, LabState.IDLE)  # these use memory
# What may be large, with what is left of it once the lab is over and its container gone
EMPTIED: dict[str, object] = {"events": [], "streams": {}, "topology": None, "baseline": {}}
LARGE_FIELDS = tuple(EMPTIED)


class LabQuerySet(models.QuerySet["LabSession"]):
    def open(self) -> LabQuerySet:
        """Waiting for one, or having one."""
        return self.filter(state__in=OPEN_LABS)

    def live(self) -> LabQuerySet:
        """Those whose container can be used."""
        return self.filter(state__in=LIVE_LABS)

    def slim(self) -> LabQuerySet:
        """Without what may be large: what was recorded of it, its picture and its baseline."""
        return self.defer(*LARGE_FIELDS)


class LabSession(models.Model):
    """One lab of one learner for one exercise; states change by compare and set only.

    ``shape`` is contracts.LabShape as dict. ``baseline``: what graders.baseline_documents gave after setup.
    ``events``: what the lab's engines told since then, the last 2,000 or 2 MB: {"host": name, "" for the only one,
    "event": Docker's document, or one of its shape with Type kubernetes}. ``streams``: {probe: what
    graders.add_second made of the requests that go on since setup}. ``topology``: the last answer of the attendant's
    tool of that name, None before a look. ``results``: [CheckResult as dict] of the last live look, ``latched``:
    {check id: CheckResult as dict} of what stays passed, ``passed``: [check id] of what a look or grading saw
    pass and whose step was kept.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    learner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="labs", verbose_name=_("학습자"))
    exercise = models.ForeignKey(Exercise, models.CASCADE, related_name="labs", verbose_name=_("문제"))
    revision = models.ForeignKey(Revision, models.RESTRICT, related_name="labs", verbose_name=_("판"))
    origin = models.CharField(_("연 곳"), max_length=8, choices=Origin, default=Origin.LEARNER)
    seed = models.BigIntegerField(default=0)
    shape = models.JSONField(default=dict)
    memory_mb = models.PositiveIntegerField(_("메모리(MB)"), default=512)

    state = models.CharField(_("상태"), max_length=10, choices=LabState, default=LabState.REQUESTED)
    reason = models.CharField(_("까닭"), max_length=12, choices=LabReason, blank=True, default="")
    container = models.CharField(max_length=80, blank=True, default="")  # kept until it is removed for sure
    worker = models.CharField(max_length=80, blank=True, default="")  # who prepares it
    lease_until = models.DateTimeField(null=True, blank=True)  # while it is being prepared
    keeps_home = models.BooleanField(default=True)  # False after 처음 상태로: the kept home is not put in

    requested_at = models.DateTimeField(_("청한 때"))  # decides the turn
    placed_at = models.DateTimeField(_("자리를 얻은 때"), null=True, blank=True)
    ready_at = models.DateTimeField(_("준비된 때"), null=True, blank=True)
    idle_at = models.DateTimeField(_("멈춘 때"), null=True, blank=True)
    ended_at = models.DateTimeField(_("끝난 때"), null=True, blank=True)
    failed_at = models.DateTimeField(_("잘못된 때"), null=True, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True)  # a page or terminal was there
    used_at = models.DateTimeField(null=True, blank=True)  # a key, an attach, a grading
    expires_at = models.DateTimeField(_("끝나는 때"), null=True, blank=True)  # the hard limit
    extensions = models.PositiveSmallIntegerField(_("늘린 횟수"), default=0)
    warned_at = models.DateTimeField(null=True, blank=True)

    baseline = models.JSONField(default=dict)
    latched = models.JSONField(default=dict)
    results = models.JSONField(default=list)
    results_at = models.DateTimeField(null=True, blank=True)
    events = models.JSONField(default=list)
    streams = models.JSONField(default=dict)
    topology = models.JSONField(null=True, blank=True)
    passed = models.JSONField(default=list)
    step_tried_at = models.DateTimeField(null=True, blank=True)  # a step was, or was to be, kept

    objects = LabQuerySet.as_manager()

    class Meta:
        ordering = ["-requested_at"]
        indexes = [
            models.Index(fields=["state", "requested_at"], name="lab_queue"),
            models.Index(fields=["learner", "exercise", "-requested_at"], name="lab_history"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["learner", "exercise"],
                condition=models.Q(state__in=["requested", "placed", "ready", "idle"], origin="learner"),
                name="one_open_lab_an_exercise",
            )
        ]
        verbose_name = verbose_name_plural = _("실습")

    def __str__(self) -> str:
        return f"{self.exercise} · {self.learner}"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_LABS

    @property
    def is_live(self) -> bool:
        """Whether its container can be used."""
        return self.state in LIVE_LABS

    @property
    def lab_shape(self) -> contracts.LabShape:
        return contracts.LabShape(
            environment=self.shape["environment"],
            engines=tuple(self.shape.get("engines", ())),
            memory_mb=self.memory_mb,
        )

    @property
    def idle_ends_at(self) -> datetime.datetime | None:
        """When it ends if nothing is typed from now on; None before it is ready."""
        used = self.used_at or self.ready_at
        return used + datetime.timedelta(minutes=settings.LAB_IDLE_MINUTES) if used else None

    @property
    def away_ends_at(self) -> datetime.datetime | None:
        """When it ends if no page shows it from now on; None before it is ready."""
        seen = self.seen_at or self.ready_at
        return seen + datetime.timedelta(minutes=settings.LAB_GRACE_MINUTES) if seen else None

    @property
    def ends_at(self) -> datetime.datetime | None:
        """When it ends with its page open and nothing typed: what the countdown shows. None before it is ready."""
        limits = [limit for limit in (self.expires_at, self.idle_ends_at) if limit is not None]
        return min(limits) if self.is_live and limits else None

    @property
    def extensions_left(self) -> int:
        return max(0, settings.LAB_EXTENSIONS - self.extensions)


class TerminalTicket(models.Model):
    """The right to open one terminal's socket once, soon. ``digest`` is the SHA-256 of its token, in hex."""

    lab = models.ForeignKey(LabSession, models.CASCADE, related_name="tickets")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    number = models.PositiveSmallIntegerField()
    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()

    class Meta:
        verbose_name = verbose_name_plural = _("터미널 표")
