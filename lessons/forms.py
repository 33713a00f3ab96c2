"""What learners type. AnswerForm is the only gate from a browser to an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml
from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from lessons.contracts import CheckSpec, ExerciseSpec, Kind
from lessons.graders.answers import ANSWER_FILE
from lessons.queries import files as file_fields
from lessons.queries import quizzes
from lessons.services.answers import AnswerError, clean_answer, clean_stdin

LONGEST_SHORT_ANSWER = 500  # characters


class AnswerForm(forms.Form):
    """An answer as posted: ``file:<path>``, ``q:<question id>``, stdin, token, action.

    cleaned_data has ``files`` (path -> text, complete), ``stdin``, ``token`` and ``action``. As a draft
    (``draft=True``) an empty or half-filled answer is fine too. ``problems`` are for the learner.
    """

    action = forms.ChoiceField(
        choices=[("grade", "grade"), ("run", "run")],
        required=False,
        error_messages={"invalid_choice": gettext_lazy("채점이나 실행 가운데 하나를 골라 주세요.")},
    )
    token = forms.CharField(
        max_length=40,
        required=False,
        error_messages={
            "max_length": gettext_lazy("보낸 내용을 알아볼 수 없어요. 페이지를 새로 고치고 다시 내 주세요.")
        },
    )
    stdin = forms.Field(required=False)  # not a CharField, which would strip it and speak of NUL in Django's words

    def __init__(self, data: QueryDict, *, spec: ExerciseSpec, draft: bool = False) -> None:
        super().__init__(data)
        self.posted = data
        self.spec = spec
        self.draft = draft

    @property
    def problems(self) -> list[str]:
        return [str(message) for messages in self.errors.values() for message in messages]

    @property
    def files_as_posted(self) -> dict[str, str]:
        """What to show again beside the problems; never stored."""
        if self.spec.kind == Kind.QUIZ:
            return {ANSWER_FILE: _dump(self._answers())}
        return {path: text for path, text in self._files().items() if path in self.spec.editable}

    def clean_action(self) -> str:
        action: str = self.cleaned_data["action"] or "grade"
        if action == "run" and self.spec.kind == Kind.QUIZ:
            raise ValidationError(_("퀴즈는 실행하지 않고 채점만 해요."))
        if action == "run" and self.spec.kind == Kind.LAB:
            raise ValidationError(_("실습은 터미널에서 해 보고 채점을 눌러 주세요."))
        return action

    def clean_stdin(self) -> str:
        try:
            return clean_stdin(self.cleaned_data["stdin"] or "")
        except AnswerError as error:
            raise ValidationError([problem.message for problem in error.problems]) from error

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        quiz = self.spec.kind == Kind.QUIZ
        if quiz and not self.draft and not self._answers():
            raise ValidationError(_("답이 비어 있어요. 하나라도 답을 고르거나 쓰고 나서 내 주세요."))
        files = {ANSWER_FILE: _dump(self._answers())} if quiz else self._files()
        if any(
            "\ufffd" in text for text in files.values()
        ):  # what the form's decoding leaves of bytes that are no UTF-8
            raise ValidationError(_("읽을 수 없는 글자가 들어 있어요. UTF-8로 쓴 글만 낼 수 있어요."))
        try:
            cleaned["files"] = self._cleaned_draft(files) if self.draft else clean_answer(spec=self.spec, files=files)
        except AnswerError as error:
            raise ValidationError(
                [
                    f"{problem.file}: {problem.message}" if problem.file else problem.message
                    for problem in error.problems
                ]
            ) from error
        return cleaned

    def _cleaned_draft(self, files: Mapping[str, str]) -> dict[str, str]:
        """Only what was posted of the editable files, empty or not, under the same bounds."""
        known = files if self.spec.kind == Kind.QUIZ else {p: t for p, t in files.items() if p in self.spec.editable}
        if any(text.strip() for text in known.values()):
            complete = clean_answer(spec=self.spec, files=known)
            return {path: text for path, text in complete.items() if path in known}
        return dict.fromkeys(known, "")

    def _files(self) -> dict[str, str]:
        if self.spec.kind == Kind.LAB:  # what is graded is the lab itself; only proofs bring files
            return {}
        prefix = file_fields.FIELD_PREFIX
        return {key.removeprefix(prefix): str(self.posted[key]) for key in self.posted if key.startswith(prefix)}

    def _answers(self) -> dict[str, list[str] | str]:
        """Question id -> what was posted for it: a text for a short one, else a list of what it offers.
        Blanks are left out."""
        found: dict[str, list[str] | str] = {}
        for check in self.spec.checks:
            values = self._posted_for(check)
            if values:
                found[check.id] = values[0] if check.type == "short" else values
        return found

    def _posted_for(self, check: CheckSpec) -> list[str]:
        values = [value.replace("\r\n", "\n") for value in self.posted.getlist(f"{quizzes.FIELD_PREFIX}{check.id}")]
        if check.type == "short":
            return [value.strip()[:LONGEST_SHORT_ANSWER] for value in values[:1] if value.strip()]
        offered = quizzes.option_texts(check)
        return [value for value in values[: len(offered)] if value in offered]


class LoginForm(AuthenticationForm):
    """Name and password, with Naru's own words."""

    error_messages = {
        "invalid_login": gettext_lazy(
            "사용자 이름이나 비밀번호가 맞지 않아요. 대문자와 소문자를 구별하니 다시 살펴보세요."
        ),
        "inactive": gettext_lazy("지금은 쓸 수 없는 계정이에요. 강사에게 물어보세요."),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label, empty in (
            ("username", _("사용자 이름"), _("사용자 이름을 써 주세요.")),
            ("password", _("비밀번호"), _("비밀번호를 써 주세요.")),
        ):
            self.fields[name].label = label
            self.fields[name].error_messages["required"] = empty


def _dump(answers: Mapping[str, list[str] | str]) -> str:
    """YAML as an author would write it; "" for nothing."""
    return yaml.safe_dump(dict(answers), allow_unicode=True, sort_keys=False) if answers else ""
