"""YAML with lines and bounds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lessons.content.errors import Problems
from lessons.content.yamlfile import field_name, read_yaml


def read(text: str):
    problems = Problems()
    return read_yaml("a.yaml", text, problems), problems.found


def test_values_come_with_their_lines():
    document, problems = read("a: 1\nb:\n  - x\n  - {c: true}\n")
    assert problems == []
    assert document.value == {"a": 1, "b": ["x", {"c": True}]}
    assert document.line(("b", 1, "c")) == 4
    assert document.line(("b", 1, "c", "deeper")) == 4
    assert document.line(("none",)) == 1


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        ("-1.5", -1.5),
        ("0x1f", 31),
        ("010", 10),
        ("true", True),
        ("yes", "yes"),
        ("on", "on"),
        ("'12'", "12"),
        ("~", None),
        ("1:30", "1:30"),
        ("2024-01-01", "2024-01-01"),
        (".inf", ".inf"),
        ("1e999", "1e999"),
        ("9" * 100, "9" * 100),
        ("|\n  글\n", "글\n"),
    ],
)
def test_plain_words_mean_what_they_look_like(text, value):
    document, problems = read(f"a: {text}")
    assert problems == []
    assert document.value["a"] == value
    assert type(document.value["a"]) is type(value)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "두 번"),
        ("a: &x [1]\nb: !!python/object:os.system ls\n", 2, "태그"),
        ("a: !!str 1", 1, "태그"),
        ("a: 1\n---\nb: 2\n", 2, "문서가"),
        ("a: " + "[" * 100, 1, "겹쳐"),
        ("? [a, b]\n: c\n", 1, "이름 자리"),
        ("a:\n\t- b\n", 2, "문법"),
        ("a: *gone\n", 1, "문법"),
        ("a: \x07\n", 1, "문자"),
        ("a: \ud800\n", 1, "문자"),
        ("a: " + "x" * 200_000, 1, "KB"),
        ("a: [" + "1," * 60_001 + "]", 1, "너무 많아요"),
        ("a: &a [*a]\n", 1, "별칭"),
    ],
)
def test_fault_has_line_and_fix(text, line, words):
    _, problems = read(text)
    assert len(problems) == 1
    assert (problems[0].file, problems[0].line) == ("a.yaml", line)
    assert words in problems[0].message
    assert problems[0].fix


def test_lines_above_are_counted():
    problems = Problems()
    document = read_yaml("lesson.md", "a: 1\na: 2\n", problems, lines_above=1)
    assert problems.found[0].line == 3
    assert document is not None
    assert document.line(("a",)) == 2


def test_field_names_read_like_a_path():
    assert field_name(("checks", 0, "equals")) == "checks[0].equals"


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab:-[]{}&*!?|>'\"#%@ \n\t,0.~가\x00\x85\u2028"), max_size=60))
def test_no_text_breaks_the_reader(text):
    document, problems = read(text)
    assert document is not None or problems
    assert all(problem.line and problem.message and problem.fix for problem in problems)
