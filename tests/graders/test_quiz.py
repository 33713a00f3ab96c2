from __future__ import annotations

import json
from typing import Any

import pytest

from lessons.graders.answers import read_answers
from lessons.graders.registry import validate_check
from tests.graders.helpers import answered, check, grade, quiz

CHOICE = check(
    "choice",
    {
        "options": [
            {"text": "커널", "correct": True},
            {"text": "파일  시스템", "why": "각자 따로예요."},
            {"text": 3, "correct": True},
        ]
    },
    probe="",
    message="커널을 나눠 써요.",
)
SHORT = check("short", {"accept": ["docker ps", "/docker container (ls|list)/"]}, probe="")
ORDER = check("order", {"items": ["build", "push", "pull", "run"]}, probe="")


@pytest.mark.parametrize(
    ("chosen", "passed"),
    [
        (["커널", "3"], True), (["3", "커널", "커널"], True), (["커널", 3], True), (["커널"], False), ([], False),
        (["커널", "3", "파일 시스템"], False), ("커널", False), (["없는 것"], False), ({"a": 1}, False), (None, False),
    ],
)  # fmt: skip
def test_choice_wants_exactly_the_correct_set(chosen: Any, passed: bool) -> None:
    assert answered(CHOICE, json.dumps({"c": chosen})).passed is passed


def test_choice_explains_what_was_chosen_wrongly_and_never_tells_the_right_one() -> None:
    row = answered(CHOICE, "c: [파일 시스템]")
    assert row.message == "각자 따로예요. 커널을 나눠 써요."
    assert row.found == "파일 시스템"
    assert row.expected == "맞는 보기"


def test_choice_passed_shows_why() -> None:
    assert answered(CHOICE, "c: [커널, 3]").message == "커널을 나눠 써요."


@pytest.mark.parametrize("question", [CHOICE, SHORT, ORDER])
@pytest.mark.parametrize("text", ["", "{}", "c:", "c: []", "c: ''", "[1", "- a", "&a [*a]", "\0"])
def test_question_without_an_answer_fails_and_asks_for_one(question: Any, text: str) -> None:
    row = answered(question, text)
    assert not row.passed
    assert row.message.startswith("아직 ")
    assert "커널" not in row.message


@pytest.mark.parametrize(
    ("text", "passed"),
    [
        ("docker ps", True), ("  Docker   PS \n", True), ("docker container ls", True), ("docker container LIST", True),
        ("docker container ls -a", False), ("docker", False), ("docker ps" * 1000, False),
    ],
)  # fmt: skip
def test_short_compares_after_folding(text: str, passed: bool) -> None:
    assert answered(SHORT, json.dumps({"c": text})).passed is passed


def test_short_composes_korean_first() -> None:
    question = check("short", {"accept": ["격리"]}, probe="")
    assert answered(question, json.dumps({"c": "격리"})).passed


@pytest.mark.parametrize(
    ("items", "passed", "part"),
    [
        (["build", "push", "pull", "run"], True, ""),
        (["build", "pull", "push", "run"], False, "앞의 1개는 맞아요"),
        (["run", "build", "push", "pull"], False, "처음부터"),
        (["build", "push"], False, "앞의 2개는 맞아요"),
    ],
)
def test_order_wants_the_written_order(items: list[str], passed: bool, part: str) -> None:
    row = answered(ORDER, json.dumps({"c": items}))
    assert row.passed is passed
    assert part in row.message


def test_quiz_score_weighs_its_questions() -> None:
    spec = quiz(check("short", {"accept": ["a"]}, id="x", weight=3), check("short", {"accept": ["b"]}, id="y"))
    result = grade(spec, {}, {"answer.yaml": "x: a\ny: z\n"})
    assert (result.verdict, result.score) == ("fail", 0.75)
    assert grade(spec, {}, {"answer.yaml": "x: a\ny: b\n"}).verdict == "pass"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ('{"a": ["x", 3, true]}', {"a": ["x", "3", "true"]}),
        ("a: yes\nb: [1, 2.50]\n", {"a": "yes", "b": ["1", "2.50"]}),
        ("a: &x [1]\nb: *x\n", {}),
        ("!!python/object/apply:os.system [id]", {}),
        ("[" * 5000, {}),
        ('{"a":' * 5000, {}),
        ("x" * 70000, {}),
        ("? [a]\n: b", {}),
    ],
)
def test_read_answers_is_safe(text: str, read: dict[str, Any]) -> None:
    assert read_answers(text) == read


@pytest.mark.parametrize(
    ("type", "fields", "field"),
    [
        ("choice", {}, "options"),
        ("choice", {"options": ["a", "b"]}, "options.0"),
        ("choice", {"options": [{"text": "a"}, {"text": "b"}]}, "options"),
        ("choice", {"options": [{"text": "a", "correct": True}, {"text": "a"}]}, "options.1.text"),
        ("choice", {"options": [{"text": "a", "correct": "yes"}, {"text": "b"}]}, "options.0.correct"),
        ("choice", {"options": [{"text": "a", "corect": True}, {"text": "b", "correct": True}]}, "options.0.corect"),
        ("short", {}, "accept"),
        ("short", {"accept": []}, "accept"),
        ("short", {"accept": ["a", "/(/"]}, "accept.1"),
        ("order", {"items": ["a"]}, "items"),
        ("order", {"items": ["a", "a "]}, "items"),
        ("order", {"items": ["a", "b"], "shuffle": True}, "shuffle"),
    ],
)
def test_question_validate_names_the_field(type: str, fields: dict[str, Any], field: str) -> None:
    assert field in [fault.field for fault in validate_check(type, fields)]


@pytest.mark.parametrize("question", [CHOICE, SHORT, ORDER])
def test_question_validate_accepts_what_is_right(question: Any) -> None:
    assert validate_check(question.type, question.fields) == []
