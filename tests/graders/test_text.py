from __future__ import annotations

from typing import Any

import pytest

from lessons.contracts import VarSpec
from lessons.graders.registry import validate_check
from tests.graders.helpers import check, exercise, grade, judged, ran


@pytest.mark.parametrize(
    ("fields", "stdout", "passed"),
    [
        ({"equals": "7\n"}, "7\n", True),
        ({"equals": "7\n"}, "7", True),
        ({"equals": "7\n"}, "7  \r\n\n", True),
        ({"equals": "7\n"}, " 7\n", False),
        ({"equals": "7\n", "normalise": "none"}, "7", False),
        ({"equals": "7\n", "normalise": False}, "7\n", True),
        ({"equals": "a B", "normalise": ["spaces", "case"]}, " A\n b ", True),
        ({"equals": "각"}, "각", True),
        ({"equals": 7}, "7\n", True),
        ({"equals": ""}, "", True),
        ({"contains": "b"}, "abc", True),
        ({"contains": ["a", "c"]}, "abc", True),
        ({"contains": ["a", "z"]}, "abc", False),
        ({"absent": "b"}, "abc", False),
        ({"absent": ["x", "y"]}, "abc", True),
        ({"contains": "a", "absent": "c"}, "abc", False),
        ({"matches": "b.d"}, "abcd", True),
        ({"matches": "^b"}, "abcd", False),
        ({"numbers": [3, 4.5]}, "3 and 4.5\n", True),
        ({"numbers": [3]}, "3 4", False),
        ({"numbers": 3.14, "tolerance": 0.01}, "약 3.141592", True),
        ({"numbers": 3.14}, "3.141592", False),
        ({"numbers": [-2, 0.5, 1000]}, "-2, .5, 1e3", True),
        ({"numbers": [7]}, "v2: 7", True),
        ({"numbers": [7]}, "답은7이에요", True),
        ({"numbers": [1]}, "9" * 5000, False),
        ({"field": "stderr", "equals": "no"}, "7", False),
        ({"field": "lines[1]", "equals": "b"}, "a\nb\n", True),
        ({"field": "lines", "equals": "a\nb"}, "a\nb\n", True),
        ({"field": "exit_code", "equals": "0"}, "", True),
        ({"field": 'files."out.txt"', "contains": "x"}, "", False),
    ],
)
def test_text_judges(fields: dict[str, Any], stdout: str, passed: bool) -> None:
    assert validate_check("text", fields) == []
    assert judged("text", fields, ran(stdout)).passed is passed


def test_text_reads_a_collected_file() -> None:
    row = judged("text", {"field": 'files."out.txt"', "equals": "가"}, ran(files={"out.txt": "가\n".encode()}))
    assert row.passed


def test_text_message_takes_the_right_particles() -> None:
    message = "{expected}이(가) 나와야 하는데 {found}이(가) 나왔어요."
    row = judged("text", {"equals": "7\n"}, ran("12\n"), message=message)
    assert (row.expected, row.found, row.message) == ("7", "12", "7이 나와야 하는데 12가 나왔어요.")


def test_text_shows_a_difference_of_spaces_only() -> None:
    row = judged("text", {"equals": "a b\n", "normalise": "none"}, ran("a b"))
    assert (row.expected, row.found) == ("a·b↵", "a·b")


def test_text_of_several_lines_has_a_diff_and_names_the_line() -> None:
    wanted = "".join(f"{n}\n" for n in range(100))
    row = judged("text", {"equals": wanted}, ran(wanted.replace("70\n", "칠십\n")))
    assert "71번째 줄부터 달라요" in row.message
    assert "-70\n+칠십" in row.diff
    assert "@@ -68" in row.diff


def test_text_cuts_around_the_first_difference() -> None:
    row = judged("text", {"equals": "a" * 9000 + "b"}, ran("a" * 9000 + "c" + "d" * 9000))
    assert row.expected.endswith("b")
    assert "ac" in row.found
    assert len(row.found) < 2100
    assert len(row.message) < 600


def test_text_numbers_from_uses_what_was_drawn() -> None:
    spec = exercise(check("text", {"numbers_from": "a * 2"}), vars=(VarSpec("a", "int", 21, 21),))
    assert grade(spec, {"p": ran("42\n")}).checks[0].passed
    row = grade(spec, {"p": ran("41\n")}).checks[0]
    assert (row.passed, row.expected, row.found) == (False, "42", "41")


def test_text_pattern_takes_a_drawn_value_literally() -> None:
    spec = exercise(check("text", {"matches": "^x{{c}}$"}), vars=(VarSpec("c", "choice", choices=("(+가",)),))
    assert [grade(spec, {"p": ran(out)}).checks[0].passed for out in ("x(+가", "x")] == [True, False]


def test_text_numbers_from_that_cannot_be_computed_fails_and_says_whose_fault() -> None:
    spec = exercise(check("text", {"numbers_from": "1 / a"}), vars=(VarSpec("a", "int", 0, 0),))
    assert "강사에게" in grade(spec, {"p": ran("1")}).checks[0].message


@pytest.mark.parametrize(
    ("stdout", "given", "part"),
    [("", {}, "아무것도 출력하지 않았어요"), ("x", {"exit_code": 1}, "종료 코드 1"), ("x", {}, "견주어 보세요")],
)
def test_text_default_message_says_what_to_do_next(stdout: str, given: dict[str, Any], part: str) -> None:
    assert part in judged("text", {"equals": "7"}, ran(stdout, **given)).message


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, ""),
        ({"equals": None}, "equals"),
        ({"contains": []}, "contains"),
        ({"contains": ["a", ""]}, "contains.1"),
        ({"matches": "(a"}, "matches"),
        ({"matches": "(?=a)"}, "matches"),
        ({"matches": "a" * 501}, "matches"),
        ({"equals": "a", "field": "a ||"}, "field"),
        ({"numbers": "x"}, "numbers"),
        ({"numbers_from": "a +"}, "numbers_from"),
        ({"numbers_from": "z"}, "numbers_from"),
        ({"numbers": 1, "tolerance": -1}, "tolerance"),
        ({"equals": "a", "normalise": ["upper"]}, "normalise"),
        ({"equals": "a", "equal": "b"}, "equal"),
        ({"equals": "a\0"}, "equals"),
    ],
)
def test_text_validate_names_the_field(fields: dict[str, Any], field: str) -> None:
    faults = validate_check("text", fields, variables=[VarSpec("a", "int", 1, 9)])
    assert [fault.field for fault in faults] == [field]
    assert all(fault.message and fault.fix for fault in faults)
