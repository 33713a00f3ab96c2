"""AnswerForm: from posted fields to an answer, or to problems in Korean."""

from __future__ import annotations

import pytest
import yaml
from django.http import QueryDict
from django.utils.http import urlencode

from lessons import content
from lessons.forms import AnswerForm
from tests.factories import QUIZ_FILES, SUM_FILES, SUM_STARTER

RUN = content.parse_exercise("sum", SUM_FILES)
QUIZ = content.parse_exercise("quiz", QUIZ_FILES)


def form(fields: dict, spec=RUN, **options) -> AnswerForm:
    return AnswerForm(QueryDict(urlencode(fields, doseq=True)), spec=spec, **options)


def test_answer_is_complete_and_defaults_to_grading():
    posted = form({"file:main.py": "print(1)\r\n"})
    assert posted.is_valid()
    assert posted.cleaned_data == {"files": {"main.py": "print(1)\n"}, "action": "grade", "token": "", "stdin": ""}


def test_file_that_was_not_posted_stays_as_the_starter():
    posted = form({"action": "run"})
    assert posted.is_valid()
    assert posted.cleaned_data["files"] == {"main.py": SUM_STARTER}


@pytest.mark.parametrize(
    "fields",
    [
        {"file:main.py": ""},
        {"file:main.py": "x" * 65_537},
        {"file:main.py": "\ufffd"},
        {"file:other.py": "x"},
        {"file:main.py": "x", "stdin": "\0"},
        {"file:main.py": "x", "token": "t" * 41},
        {"file:main.py": "x", "action": "delete"},
        {f"file:{number}": "x" for number in range(21)},
    ],
)
def test_bad_answer_has_problems(fields):
    posted = form(fields)
    assert not posted.is_valid()
    assert posted.problems


def test_draft_may_be_empty_and_holds_only_what_was_posted():
    posted = form({"file:main.py": ""}, draft=True)
    assert posted.is_valid()
    assert posted.cleaned_data["files"] == {"main.py": ""}


def test_draft_leaves_foreign_files_out():
    posted = form({"file:main.py": "x", "file:conftest.py": "y"}, draft=True)
    assert posted.is_valid()
    assert posted.cleaned_data["files"] == {"main.py": "x"}


def test_quiz_answer_is_read_back_as_posted():
    posted = form({"q:what": "컨테이너", "q:word": "tag: 1 # 😀", "q:steps": ["run", "push", "build"]}, QUIZ)
    assert posted.is_valid()
    assert yaml.safe_load(posted.cleaned_data["files"]["answer.yaml"]) == {
        "what": ["컨테이너"],
        "word": "tag: 1 # 😀",
        "steps": ["run", "push", "build"],
    }


def test_quiz_answer_takes_only_what_is_offered():
    posted = form({"q:what": ["컨테이너", "없는 것", "컨테이너", "이미지"], "q:unknown": "x"}, QUIZ)
    assert posted.is_valid()
    assert yaml.safe_load(posted.cleaned_data["files"]["answer.yaml"]) == {"what": ["컨테이너"]}


def test_quiz_cannot_be_run():
    assert not form({"q:word": "태그", "action": "run"}, QUIZ).is_valid()


def test_files_as_posted_never_hold_a_foreign_name():
    posted = form({"file:main.py": "x" * 70_000, "file:../x": "y"})
    assert not posted.is_valid()
    assert list(posted.files_as_posted) == ["main.py"]
