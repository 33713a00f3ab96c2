"""Hostile outputs, answers and patterns against the grader alone; no container is needed for these."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from lessons import graders
from lessons.contracts import Evidence
from tests.graders.helpers import answered, check, exercise, grade, judged, ran
from tests.graders.test_judging import SUM, run_all

pytestmark = pytest.mark.hostile

NASTY = (
    b"\x1b[31mred\x1b[0m\x1b]0;title\x07\x1b]8;;http://x\x1b\\",
    b"\x00\x01\x7f\x9b31m",
    b"\xff\xfe\xed\xa0\x80 broken",
    "\u202eabc\u202c\u2066\u200f\ufeff".encode(),
    b"<script>alert(1)</script><img src=x onerror=y>",
    b"A" * 10_000_000,
    b"\n" * 200_000,
    b"[" * 100_000,
    b"9" * 200_000,
    b"1e999 NaN Infinity -0",
    b'{"a": NaN}',
    "{expected}이(가) {found}".encode(),
    b"",
)
CHECKS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("text", {"equals": "7\nseven\n"}),
    ("text", {"contains": ["7", "8"], "normalise": ["spaces", "case"]}),
    ("text", {"absent": "a"}),
    ("text", {"matches": "^(a+)+$"}),
    ("text", {"numbers": [7], "tolerance": 0.5}),
    ("query", {"query": "json", "equals": {"a": 1}}),
    ("query", {"query": "lines", "contains": "7"}),
    ("query", {"query": "stdout", "not": "7"}),
)


@pytest.mark.parametrize("output", NASTY, ids=range(len(NASTY)))
@pytest.mark.parametrize(("type", "fields"), CHECKS)
def test_nasty_output_is_judged_cut_and_storable(type: str, fields: dict[str, Any], output: bytes) -> None:
    spec = exercise(check(type, fields, message="{found}이(가) 나왔어요."))
    plan = graders.plan(spec, {}, 1)
    evidence = Evidence({"p": ran(output, stderr=output)})
    started = time.monotonic()
    result = graders.judge(spec, plan, evidence)
    rows = graders.output_rows(spec, plan, evidence)
    assert time.monotonic() - started < 5
    row = result.checks[0]  # type: ignore[union-attr]  # judge never asks for more here
    shown = row.expected + row.found + row.message + row.diff
    assert len(shown) < 30_000
    assert not set(shown) & set("\x00\x07\x1b\x7f\x9b\u202e\u2066\u200f\ufeff")
    stored = json.dumps(rows)
    assert "\\u0000" not in stored
    assert "\\ud800" not in stored
    assert len(rows[0]["stdout"]) < 900_000
    assert rows[0]["truncated"] is (len(output) > 64 * 1024)


def test_deep_or_long_json_on_both_sides_of_a_comparison_is_bounded() -> None:
    other = {"probe": "p", "query": "json"}
    started = time.monotonic()
    for output in ("[" * 900 + "]" * 900, json.dumps(list(range(60_000)))):
        for condition in ("equals", "contains", "disjoint", "subset", "one_of", "not"):
            row = judged("query", {"query": "json", condition: other}, ran(output))
            assert row.expected
            assert len(row.found) < 3000
    assert time.monotonic() - started < 5


def test_patterns_that_explode_elsewhere_take_linear_time() -> None:
    started = time.monotonic()
    for pattern in ("^(a+)+$", "(a|aa)+$", "(.*a){20}", r"^(([a-z])+.)+[A-Z]([a-z])+$"):
        judged("text", {"matches": pattern}, ran("a" * 60_000 + "!"))
        answered(check("short", {"accept": [f"/{pattern}/"]}, probe=""), json.dumps({"c": "a" * 1999 + "!"}))
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]",
        "c: !!python/object/apply:os.system ['id']",
        "c: " + "[" * 20_000,
        '{"c": ' + "[" * 20_000,
        "c: " + "x" * 60_000,
        "\x00\ud800",
        "c: {c: {c: d}}",
        "%YAML 9.9\n---\nc: x",
    ],
)
def test_nasty_quiz_answers_are_only_wrong(text: str) -> None:
    started = time.monotonic()
    row = answered(check("choice", {"options": [{"text": "a", "correct": True}, {"text": "b"}]}, probe=""), text)
    assert not row.passed
    assert row.message
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    "text",
    [
        "\x00" * 1000,
        "RUN \\\n" * 1999,
        "FROM a\n" + "RUN <<A <<B\n" * 900,
        "\ud800",
        "FROM \u202e",
        "{" * 60_000,
        "FROM a\rRUN b",
    ],
)
def test_nasty_dockerfiles_end_in_a_clear_message(text: str) -> None:
    spec = exercise(
        check("dockerfile", {"instruction": "USER", "equals": "app"}, probe=""), probes=(), editable=("Dockerfile",)
    )
    started = time.monotonic()
    row = grade(spec, {}, {"Dockerfile": text}).checks[0]
    assert not row.passed
    assert row.message
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("stdout", ["7\n", "7 8 9 10 11 12", "", "drawn"])
def test_output_written_for_the_visible_case_fails_the_drawn_one(stdout: str) -> None:
    assert all(run_all(SUM, lambda stdin: ran(stdout), seed).verdict == "fail" for seed in range(1, 6))


def test_exit_before_the_work_is_done_fails() -> None:
    spec = exercise(check("text", {"equals": "7\n"}), check("query", {"query": "exit_code", "equals": 0}, id="clean"))
    result = grade(spec, {"p": ran("", exit_code=0)})
    assert (result.verdict, [row.passed for row in result.checks]) == ("fail", [False, True])
