"""Forms of the admin: course content is checked as import checks it, and faults stand at their field."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from lessons.content import ContentError, course_faults
from lessons.contracts import Problem
from lessons.models import Course, Exercise, Lesson
from lessons.services import courses

CODE = {"rows": 12, "cols": 100, "spellcheck": "false", "class": "vLargeTextField code"}


class CodeArea(forms.Textarea):
    """A text area in which every character is as wide as the next."""

    class Media:
        css: ClassVar = {"all": ["admin-code.css"]}


class LinesField(forms.CharField):
    """A list of texts, one a line."""

    widget = forms.Textarea

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return [line.strip() for line in (super().to_python(value) or "").splitlines() if line.strip()]


class CourseForm(forms.ModelForm):
    class Meta:
        model = Course
        fields = ("title", "summary", "archived")

    def clean(self) -> dict[str, Any]:
        super().clean()
        if not self.errors:
            told = {name: self.cleaned_data[name] for name in ("title", "summary")}
            for problem in course_faults(slug=self.instance.slug, **told):
                self.add_error(problem.field if problem.field in told else None, in_words(problem))
        return self.cleaned_data


class LessonForm(forms.ModelForm):
    body = forms.CharField(label=_("본문(Markdown)"), strip=False, widget=CodeArea(attrs={**CODE, "rows": 40}))
    objectives = LinesField(label=_("목표"), required=False, help_text=_("한 줄에 하나씩 쓰세요."))

    CONTENT = ("title", "summary", "minutes", "objectives", "body")

    class Meta:
        model = Lesson
        fields = ("title", "summary", "minutes", "objectives", "body", "position", "archived")

    def clean_body(self) -> str:
        return self.cleaned_data["body"].replace("\r\n", "\n")  # browsers send CRLF, files have LF

    def content_of_lesson(self) -> dict[str, Any]:
        """What ``courses.save_lesson`` takes besides the lesson."""
        return {name: self.cleaned_data[name] for name in self.CONTENT}

    def clean(self) -> dict[str, Any]:
        super().clean()
        if not self.errors:
            try:
                courses.check_lesson(lesson=self.instance, **self.content_of_lesson())
            except ContentError as error:
                for problem in error.problems:
                    self.add_error(problem.field if problem.field in self.CONTENT else "body", in_words(problem))
        return self.cleaned_data


class ExerciseForm(forms.ModelForm):
    """One text area a file of the current revision, and one more for a new file; an emptied file is removed."""

    new_name = forms.CharField(label=_("이름"), required=False, help_text=_("보기: wrong/overflow/main.py"))
    new_text = forms.CharField(
        label=_("내용"), required=False, strip=False, widget=CodeArea(attrs=CODE), empty_value=""
    )

    class Meta:
        model = Exercise
        fields = ("position", "archived")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, path in zip(self.field_names(self.instance), self.paths(self.instance), strict=True):
            text = self.instance.revision.files[path]
            self.fields[name] = forms.CharField(
                label=path,
                initial=text,
                required=False,
                strip=False,
                widget=CodeArea(attrs={**CODE, "rows": min(40, max(3, text.count("\n") + 2))}),
                help_text=_("비워 두면 파일을 지워요."),
            )

    @staticmethod
    def paths(exercise: Exercise) -> list[str]:
        """exercise.yaml and prompt.md first, then the folders."""
        files: Collection[str] = exercise.revision.files if exercise.revision else ()
        return sorted(files, key=lambda path: ("/" in path, path))

    @classmethod
    def field_names(cls, exercise: Exercise) -> list[str]:
        return [f"file{number}" for number in range(len(cls.paths(exercise)))]

    def exercise_files(self) -> dict[str, str]:
        """Every file as typed, with newlines as \\n; a text without a last newline keeps that."""
        texts = {
            path: self.cleaned_data.get(name, "").replace("\r\n", "\n")
            for name, path in zip(self.field_names(self.instance), self.paths(self.instance), strict=True)
        }
        if self.cleaned_data.get("new_name"):
            texts[self.cleaned_data["new_name"]] = self.cleaned_data.get("new_text", "").replace("\r\n", "\n")
        before = self.instance.revision.files if self.instance.revision else {}
        return {path: text for path, text in texts.items() if text or before.get(path) == ""}

    def clean(self) -> dict[str, Any]:
        super().clean()
        if not self.errors:
            try:
                courses.check_exercise_files(exercise=self.instance, files=self.exercise_files())
            except ContentError as error:
                self._place(error.problems)
        return self.cleaned_data

    def _place(self, problems: Iterable[Problem]) -> None:
        names = dict(zip(self.paths(self.instance), self.field_names(self.instance), strict=True))
        names.setdefault(self.cleaned_data.get("new_name", ""), "new_text")
        for problem in problems:
            self.add_error(names.get(problem.file), in_words(problem))


def in_words(problem: Problem) -> str:
    where = f"{problem.file}:{problem.line}" if problem.line else problem.file
    return " ".join(part for part in (f"{where}:" if where else "", problem.message, problem.fix) if part)
