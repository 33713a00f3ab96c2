"""The instructor's plain way in: the same rows and the same validation as course files."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db.models import Model
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from lessons.admin_forms import CourseForm, ExerciseForm, LessonForm
from lessons.contracts import Status, Verdict
from lessons.models import Course, Exercise, Lesson, Revision, Submission, User
from lessons.queries import words
from lessons.services import courses

admin.site.site_header = admin.site.site_title = _("나루 관리")
admin.site.index_title = _("과정과 제출")


STATES: dict[str, Any] = {
    Status.QUEUED: _("기다림"),
    Status.RUNNING: _("채점 중"),
    Status.FINISHED: _("실행함"),  # without a verdict: tried, not graded
    Status.BROKEN: _("채점하지 못함"),
    Verdict.PASS: _("통과"),
    Verdict.FAIL: _("통과하지 못함"),
    Verdict.TIME_LIMIT: _("시간 제한"),
    Verdict.MEMORY_LIMIT: _("메모리 제한"),
    Verdict.OUTPUT_LIMIT: _("출력 제한"),
    Verdict.PROCESS_LIMIT: _("프로세스 제한"),
}


class NotAdded(admin.ModelAdmin):
    """Rows that come from course files: they are edited here, not added or deleted."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ReadOnly(NotAdded):
    """Rows that are history."""

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(User)
class NaruUserAdmin(UserAdmin):
    list_display = ("username", "first_name", "is_guest", "is_staff", "last_login")
    list_filter = ("is_guest", "is_staff", "is_active")


@admin.register(Course)
class CourseAdmin(NotAdded):
    form = CourseForm
    list_display = ("title", "slug", "archived", "edited_at")
    readonly_fields = ("slug", "edited_at")
    fields = ("slug", "title", "summary", "archived", "edited_at")

    def save_model(self, request: HttpRequest, obj: Course, form: ModelForm, change: bool) -> None:
        obj.edited_at = timezone.now()  # the next import keeps this row
        obj.save(update_fields=["title", "summary", "archived", "edited_at"])


@admin.register(Lesson)
class LessonAdmin(NotAdded):
    form = LessonForm
    list_display = ("title", "course", "slug", "position", "archived", "edited_at")
    list_filter = ("course", "archived")
    search_fields = ("title", "slug", "body")
    readonly_fields = ("course", "slug", "edited_at")
    fields = (
        "course",
        "slug",
        "title",
        "summary",
        "minutes",
        "objectives",
        "body",
        "position",
        "archived",
        "edited_at",
    )

    def save_model(self, request: HttpRequest, obj: Lesson, form: Any, change: bool) -> None:
        courses.save_lesson(lesson=obj, **form.content_of_lesson())  # with position and archived, as the form set them


@admin.register(Exercise)
class ExerciseAdmin(NotAdded):
    """Every file of the current revision is a field; saving changed files makes the next revision."""

    form = ExerciseForm
    list_display = ("title", "course", "lesson", "kind_name", "revision", "archived", "edited_at")
    list_filter = ("course", "kind", "archived")
    search_fields = ("title", "slug")
    list_select_related = ("course", "lesson", "revision__exercise")
    readonly_fields = ("course", "lesson", "slug", "title", "kind_name", "revision", "edited_at")

    @admin.display(description=_("종류"), ordering="kind")
    def kind_name(self, exercise: Exercise) -> str:
        return words.kind_label(exercise.kind)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        # The file fields differ from exercise to exercise: the form makes them itself.
        return super().get_form(request, obj, change, fields=("position", "archived"))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        head = (None, {"fields": (*self.readonly_fields, "position", "archived")})
        names = ExerciseForm.field_names(obj) if obj else []
        return [head, (_("파일"), {"fields": names}), (_("새 파일"), {"fields": ("new_name", "new_text")})]

    def save_model(self, request: HttpRequest, obj: Exercise, form: Any, change: bool) -> None:
        if {"position", "archived"} & set(form.changed_data):
            obj.edited_at = timezone.now()  # the next import keeps this row
        obj.save(update_fields=["position", "archived", "edited_at"])
        courses.save_exercise_files(exercise=obj, files=form.exercise_files(), author=cast(User, request.user))


@admin.register(Revision)
class RevisionAdmin(ReadOnly):
    list_display = ("exercise", "number", "author", "created_at")
    list_filter = ("exercise__course",)
    list_select_related = ("exercise", "author")
    fields = ("exercise", "number", "author", "created_at", "all_files")
    readonly_fields = fields

    @admin.display(description=_("파일"))
    def all_files(self, revision: Revision) -> SafeString:
        return file_texts(revision.files)


@admin.register(Submission)
class SubmissionAdmin(ReadOnly):
    list_display = ("exercise", "learner", "state", "score", "origin", "graded", "queued_at")
    list_filter = ("origin", "graded", "exercise__course", "exercise")
    search_fields = ("learner__username", "exercise__slug")
    list_select_related = ("exercise", "learner")
    date_hierarchy = "queued_at"
    fields = (
        *("exercise", "revision", "learner", "origin", "graded", "state", "score", "trouble", "attempt"),
        *("queued_at", "started_at", "finished_at", "cpu_ms", "peak_mb", "answer", "checks", "output"),
    )
    readonly_fields = fields

    @admin.display(description=_("결과"))
    def state(self, submission: Submission) -> str:
        return str(STATES[submission.verdict or submission.status])

    @admin.display(description=_("채점하지 못한 까닭"))
    def trouble(self, submission: Submission) -> str:
        return str(submission.get_broken_reason_display())

    @admin.display(description=_("답"))
    def answer(self, submission: Submission) -> SafeString:
        return file_texts(submission.files)

    @admin.display(description=_("확인 항목"))
    def checks(self, submission: Submission) -> SafeString:
        rows = submission.result.get("checks", [])
        return format_html(
            "<ul>{}</ul>",
            format_html_join(
                "",
                "<li>{} {}<br>{}</li>",
                (("✓" if row["passed"] else "✗", row["title"], row["message"]) for row in rows),
            ),
        )

    @admin.display(description=_("출력"))
    def output(self, submission: Submission) -> SafeString:
        rows = submission.result.get("output", [])
        return file_texts(
            {f"{row['probe']} {name}": row.get(name) or "" for row in rows for name in ("stdout", "stderr")}
        )


def file_texts(files: dict[str, str]) -> SafeString:
    """Names and texts, one below the other, escaped."""
    return format_html_join("", "<h4>{}</h4><pre>{}</pre>", sorted(files.items()))
