"""Learners, courses and their immutable revisions."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from lessons import content, contracts


class User(AbstractUser):
    """A learner, instructor or guest. Guests have no usable password."""

    is_guest = models.BooleanField(_("손님"), default=False, editable=False)


class CourseQuerySet(models.QuerySet["Course"]):
    def published(self) -> CourseQuerySet:
        return self.filter(archived=False)


class Course(models.Model):
    """A course; ``source_hash`` is the content hash of its last import."""

    slug = models.SlugField(_("주소 이름"), unique=True, max_length=80)
    title = models.CharField(_("제목"), max_length=200)
    summary = models.TextField(_("소개"), blank=True)
    archived = models.BooleanField(_("보관함"), default=False)
    source_hash = models.CharField(max_length=64, blank=True, editable=False)
    edited_at = models.DateTimeField(
        _("고친 때"), null=True, blank=True, editable=False
    )  # in admin, since the last import

    objects = CourseQuerySet.as_manager()

    class Meta:
        ordering = ["slug"]
        verbose_name = verbose_name_plural = _("과정")

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("course", args=[self.slug])


class LessonQuerySet(models.QuerySet["Lesson"]):
    def published(self) -> LessonQuerySet:
        return self.filter(archived=False, course__archived=False)


class Lesson(models.Model):
    """A lesson page. ``blocks`` and ``contents`` are rendered from ``body`` when saved.

    blocks: [{"html": sanitised html} | {"exercise": slug}, …]
    contents: [{"id": anchor, "title": text, "exercises": [slug, …]}, …], one entry a H2
    """

    course = models.ForeignKey(Course, models.CASCADE, related_name="lessons", verbose_name=_("과정"))
    slug = models.SlugField(_("주소 이름"), max_length=80)
    title = models.CharField(_("제목"), max_length=200)
    summary = models.TextField(_("소개"), blank=True)
    minutes = models.PositiveSmallIntegerField(_("읽는 시간(분)"), default=10)
    objectives = models.JSONField(_("목표"), default=list, blank=True)
    body = models.TextField(_("본문(Markdown)"), blank=True)
    blocks = models.JSONField(default=list, editable=False)
    contents = models.JSONField(default=list, editable=False)
    position = models.PositiveSmallIntegerField(_("순서"), default=0)
    archived = models.BooleanField(_("보관함"), default=False)
    source_hash = models.CharField(max_length=64, blank=True, editable=False)
    edited_at = models.DateTimeField(_("고친 때"), null=True, blank=True, editable=False)

    objects = LessonQuerySet.as_manager()

    class Meta:
        ordering = ["course", "position", "slug"]
        constraints = [models.UniqueConstraint(fields=["course", "slug"], name="lesson_slug_in_course")]
        verbose_name = verbose_name_plural = _("단원")

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("lesson", args=[self.course.slug, self.slug])


class LessonImage(models.Model):
    """A picture of a lesson, served only as <img> with a sandboxing policy."""

    lesson = models.ForeignKey(Lesson, models.CASCADE, related_name="images")
    name = models.CharField(max_length=120)
    content_type = models.CharField(max_length=40)
    data = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["lesson", "name"], name="image_name_in_lesson")]
        verbose_name = verbose_name_plural = _("그림")


class ExerciseQuerySet(models.QuerySet["Exercise"]):
    def published(self) -> ExerciseQuerySet:
        return self.filter(archived=False, lesson__archived=False, lesson__course__archived=False)


class Exercise(models.Model):
    """An exercise's identity; what it asks and how it is graded is its ``revision``."""

    course = models.ForeignKey(Course, models.CASCADE, related_name="exercises", verbose_name=_("과정"))
    lesson = models.ForeignKey(Lesson, models.CASCADE, related_name="exercises", verbose_name=_("단원"))
    slug = models.SlugField(_("주소 이름"), max_length=80)
    title = models.CharField(_("제목"), max_length=200)
    kind = models.CharField(_("종류"), max_length=8, choices=[(k.value, k.value) for k in contracts.Kind])
    position = models.PositiveSmallIntegerField(_("순서"), default=0)
    archived = models.BooleanField(_("보관함"), default=False)
    revision = models.ForeignKey(
        "Revision", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("지금 판")
    )
    source_hash = models.CharField(max_length=64, blank=True, editable=False)
    edited_at = models.DateTimeField(_("고친 때"), null=True, blank=True, editable=False)

    objects = ExerciseQuerySet.as_manager()

    class Meta:
        ordering = ["lesson", "position", "slug"]
        constraints = [models.UniqueConstraint(fields=["course", "slug"], name="exercise_slug_in_course")]
        verbose_name = verbose_name_plural = _("문제")

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("exercise", args=[self.course.slug, self.slug])

    @property
    def spec(self) -> contracts.ExerciseSpec:
        """What its current revision says; raises LookupError where it has none, else as Revision.spec."""
        if self.revision:
            return self.revision.spec
        raise LookupError(f"{self.slug} has no revision")


class Revision(models.Model):
    """One immutable version of an exercise; submissions point at the one that graded them.

    files: every file of the exercise's folder as path -> text (exercise.yaml, prompt.md,
    starter/…, solution/…, wrong/…, checks/…); ``lessons.content`` parses it to an ExerciseSpec.
    """

    exercise = models.ForeignKey(Exercise, models.CASCADE, related_name="revisions", verbose_name=_("문제"))
    number = models.PositiveIntegerField(_("판"))
    files = models.JSONField()
    prompt_html = models.TextField()
    content_hash = models.CharField(max_length=64)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("고친 사람")
    )
    created_at = models.DateTimeField(_("만든 때"), auto_now_add=True)

    class Meta:
        ordering = ["exercise", "-number"]
        constraints = [models.UniqueConstraint(fields=["exercise", "number"], name="revision_number_in_exercise")]
        verbose_name = verbose_name_plural = _("판")

    def __str__(self) -> str:
        return f"{self.exercise} #{self.number}"

    @property
    def spec(self) -> contracts.ExerciseSpec:
        """The parsed exercise, kept in this process; raises ContentError where the files hold none."""
        key = (self.pk, self.content_hash)
        if key not in _specs:
            if len(_specs) >= SPECS_KEPT:
                _specs.clear()
            catalogue = _catalogue(Path(settings.CATALOGUE))
            _specs[key] = content.parse_exercise(self.exercise.slug, self.files, catalogue=catalogue)
        return _specs[key]


@cache
def _catalogue(path: Path) -> content.Catalogue:
    """What environments give to an exercise that leaves it out; its bounds were looked at when it was taken."""
    return content.read_catalogue(path).unchecked()


SPECS_KEPT = 500  # a revision never changes: its parsed form is good for as long as the process lives
_specs: dict[tuple[int, str], contracts.ExerciseSpec] = {}
