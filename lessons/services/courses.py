"""Courses from files and from admin: one validation, and nothing of a learner's work is ever lost."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from lessons import content
from lessons.content import Catalogue, ContentError, CourseFiles, ExerciseFiles, LessonFiles
from lessons.contracts import ExerciseSpec, Problem
from lessons.models import Course, Exercise, Lesson, LessonImage, Revision, User

RENDERING = 1  # counts up when the same Markdown gives other HTML, so that an import renders it again


@dataclass(frozen=True)
class ImportReport:
    """What an import did, by name: a course as its slug, a lesson as course/lesson, an exercise as course/exercise.

    ``kept`` were edited in admin since their last import and stay as they are; ``archived``
    are gone from the files but have submissions, drafts or labs; ``removed`` had none.
    """

    course: str
    added: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]
    kept: tuple[str, ...]
    archived: tuple[str, ...]
    removed: tuple[str, ...]


def current_catalogue() -> Catalogue:
    """The environments of this installation. Raises ContentError."""
    return content.read_catalogue(Path(settings.CATALOGUE))


def import_course(*, source: Path, catalogue: Catalogue | None = None, replace_other: bool = False) -> ImportReport:
    """Take the course in a folder or zip into the database, all or nothing.

    A course of the same slug that shares no lesson with it counts as somebody else's and is
    only replaced with ``replace_other``. Raises ContentError, and then nothing has changed.
    """
    files = content.read_course(source, catalogue=catalogue or current_catalogue())
    with transaction.atomic():
        return _Import(files).run(replace_other=replace_other)


def check_lesson(
    *, lesson: Lesson, title: str, summary: str, minutes: int, objectives: Sequence[str], body: str
) -> None:
    """Validate a lesson as an import would. Raises ContentError whose problems name the argument as ``field``."""
    _rendered(lesson, title=title, summary=summary, minutes=minutes, objectives=objectives, body=body)


def save_lesson(
    *, lesson: Lesson, title: str, summary: str, minutes: int, objectives: Sequence[str], body: str
) -> None:
    """Save what was edited in admin; the next import keeps it. Raises ContentError as check_lesson."""
    rendered = _rendered(lesson, title=title, summary=summary, minutes=minutes, objectives=objectives, body=body)
    lesson.title, lesson.summary, lesson.minutes = title.strip(), summary, minutes
    lesson.objectives, lesson.body = list(objectives), body
    lesson.blocks, lesson.contents = rendered.blocks, rendered.contents
    lesson.edited_at = timezone.now()
    lesson.save()


def check_exercise_files(*, exercise: Exercise, files: Mapping[str, str]) -> ExerciseSpec:
    """Validate an exercise's files as an import would. Raises ContentError; ``file`` is a key of ``files``."""
    images = frozenset(exercise.lesson.images.values_list("name", flat=True)) if exercise.lesson_id else frozenset()
    return content.parse_exercise(exercise.slug, files, catalogue=current_catalogue(), images=images)


def save_exercise_files(*, exercise: Exercise, files: Mapping[str, str], author: User | None = None) -> Revision:
    """Save edited files as the next revision and make it current; the same files again change nothing."""
    spec = check_exercise_files(exercise=exercise, files=files)
    with transaction.atomic():
        if exercise.revision and exercise.revision.content_hash == content.exercise_hash(files):
            return exercise.revision
        exercise.edited_at = timezone.now()
        exercise.title, exercise.kind = spec.title, spec.kind.value
        exercise.save()
        revision = _add_revision(exercise, files, spec, author)
    return revision


def _rendered(
    lesson: Lesson, *, title: str, summary: str, minutes: int, objectives: Sequence[str], body: str
) -> content.RenderedLesson:
    problems = content.lesson_faults(
        title=title, summary=summary, minutes=minutes, objectives=objectives, file="lesson.md"
    )
    rendered = content.RenderedLesson([], [])
    try:
        rendered = content.render_lesson(
            body,
            image_base=_image_base(lesson),
            images=set(lesson.images.values_list("name", flat=True)) if lesson.pk else set(),
            exercises=set(lesson.exercises.filter(archived=False).values_list("slug", flat=True)) if lesson.pk else (),
        )
    except ContentError as error:
        problems += [replace(problem, field="body") for problem in error.problems]
    if problems:
        raise ContentError(problems)
    return rendered


def _image_base(lesson: Lesson) -> str:
    return reverse("lesson-image", args=[lesson.course.slug, lesson.slug, "x"]).removesuffix("x")


def _add_revision(
    exercise: Exercise, files: Mapping[str, str], spec: ExerciseSpec, author: User | None = None
) -> Revision:
    last = exercise.revisions.aggregate(last=Max("number"))["last"] or 0
    revision = Revision.objects.create(
        exercise=exercise,
        number=last + 1,
        files=dict(files),
        prompt_html=content.render_markdown(spec.prompt, image_base=_image_base(exercise.lesson)),
        content_hash=content.exercise_hash(files),
        author=author,
    )
    exercise.revision = revision
    exercise.save(update_fields=["revision"])
    return revision


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _lesson_hash(files: LessonFiles) -> str:
    images = {name: hashlib.sha256(data).hexdigest() for name, data in files.images.items()}
    told = [files.title, files.summary, files.minutes, list(files.objectives), files.body]
    return _hash([RENDERING, *told, images])


@dataclass
class _Import:
    """One import under way, inside its transaction."""

    files: CourseFiles
    log: dict[str, list[str]] = field(default_factory=dict)

    def run(self, *, replace_other: bool) -> ImportReport:
        course = Course.objects.select_for_update().filter(slug=self.files.slug).first()
        if course and not replace_other:
            self._refuse_foreign(course)
        self.course = self._save_course(course)
        lessons = {
            files.slug: self._save_lesson(files, position) for position, files in enumerate(self.files.lessons, start=1)
        }
        for lesson_files in self.files.lessons:
            for position, files in enumerate(lesson_files.exercises, start=1):
                self._save_exercise(files, lessons[lesson_files.slug], position)
        self._clear_exercises({e.slug for lesson in self.files.lessons for e in lesson.exercises})
        self._clear_lessons(set(lessons))
        kinds = ("added", "changed", "unchanged", "kept", "archived", "removed")
        return ImportReport(self.files.slug, *(tuple(self.log.get(kind, ())) for kind in kinds))

    def _note(self, kind: str, *parts: str) -> None:
        self.log.setdefault(kind, []).append("/".join((self.files.slug, *parts)))

    def _refuse_foreign(self, course: Course) -> None:
        there = set(course.lessons.values_list("slug", flat=True))
        if there and there.isdisjoint(lesson.slug for lesson in self.files.lessons):
            message = _("%(slug)s 이름을 쓰는 다른 과정이 이미 있어요.") % {"slug": course.slug}
            fix = _("slug를 바꾸거나, 그 과정을 바꿔 넣으려면 --replace를 붙여 주세요.")
            raise ContentError([Problem("course.yaml", None, "slug", message, fix)])

    def _save_course(self, course: Course | None) -> Course:
        files = self.files
        told = {"title": files.title, "summary": files.summary}
        return self._settle(course, Course(slug=files.slug), told, _hash(told), ())

    def _save_lesson(self, files: LessonFiles, position: int) -> Lesson:
        lesson = self.course.lessons.filter(slug=files.slug).first()
        blank = Lesson(course=self.course, slug=files.slug)
        told = {
            "title": files.title,
            "summary": files.summary,
            "minutes": files.minutes,
            "objectives": list(files.objectives),
            "body": files.body,
        }
        digest = _lesson_hash(files)
        if lesson is None or lesson.source_hash != digest:
            slugs = {exercise.slug for exercise in files.exercises}
            page = content.render_lesson(
                files.body, image_base=_image_base(blank), images=files.images, exercises=slugs
            )
            rendered = {"blocks": page.blocks, "contents": page.contents}
        else:
            rendered = {}
        saved = self._settle(lesson, blank, told, digest, (files.slug,), {"position": position}, rendered)
        if saved.edited_at is None and rendered:
            saved.images.all().delete()
            LessonImage.objects.bulk_create(
                LessonImage(lesson=saved, name=name, content_type=content.content_type(name), data=data)
                for name, data in files.images.items()
            )
        return saved

    def _save_exercise(self, files: ExerciseFiles, lesson: Lesson, position: int) -> None:
        exercise = self.course.exercises.filter(slug=files.slug).select_related("revision").first()
        blank = Exercise(course=self.course, slug=files.slug)
        digest = content.exercise_hash(files.files)
        current = exercise.revision.content_hash if exercise and exercise.revision else ""
        if exercise and exercise.edited_at and current == digest:
            exercise.edited_at = None  # the edit has found its way into the files
        told = {"title": files.spec.title, "kind": files.spec.kind.value}
        place = {"lesson": lesson, "position": position}
        saved = self._settle(exercise, blank, told, digest, (files.slug,), place)
        if saved.edited_at is None and current != digest:
            _add_revision(saved, files.files, files.spec)

    def _settle(
        self,
        row: Any,
        blank: Any,
        told: dict[str, Any],
        digest: str,
        name: tuple[str, ...],
        place: dict[str, Any] | None = None,
        rendered: dict[str, Any] | None = None,
    ) -> Any:
        """Bring a row in line with the files, unless it was edited here; only its place then follows.

        ``told`` is what the files say of it, ``rendered`` what follows from that.
        """
        place = place or {}
        target = row or blank
        same = all(getattr(target, key) == value for key, value in told.items())
        if same and not isinstance(target, Exercise):  # of an exercise, its revision decides
            target.edited_at = None  # the edit has found its way into the files
        moved = row is not None and any(getattr(row, key) != value for key, value in place.items())
        for key, value in place.items():
            setattr(target, key, value)
        if target.edited_at is not None:
            self._note("kept", *name)
            if moved:
                target.save(update_fields=list(place))
            return target
        changed = row is not None and (moved or row.source_hash != digest or row.archived)
        for key, value in {**told, **(rendered or {})}.items():
            setattr(target, key, value)
        target.source_hash, target.archived = digest, False
        target.save()
        self._note("added" if row is None else "changed" if changed else "unchanged", *name)
        return target

    def _clear_exercises(self, present: set[str]) -> None:
        for exercise in self.course.exercises.exclude(slug__in=present):
            if exercise.edited_at is not None or not exercise.source_hash:
                self._note("kept", exercise.slug)
            elif exercise.submissions.exists() or exercise.drafts.exists() or exercise.labs.exists():
                self._archive(exercise)
            else:
                # The row protects its revision: the pointer has to go first.
                Exercise.objects.filter(pk=exercise.pk).update(revision=None)
                Exercise.objects.get(pk=exercise.pk).delete()
                self._note("removed", exercise.slug)

    def _clear_lessons(self, present: set[str]) -> None:
        for lesson in self.course.lessons.exclude(slug__in=present):
            if lesson.edited_at is not None or not lesson.source_hash:
                self._note("kept", lesson.slug)
            elif lesson.exercises.exists():
                self._archive(lesson)
            else:
                lesson.delete()
                self._note("removed", lesson.slug)

    def _archive(self, row: Lesson | Exercise) -> None:
        if not row.archived:
            row.archived = True
            row.save(update_fields=["archived"])
            self._note("archived", row.slug)
