from __future__ import annotations

from typing import Any

import pytest

from lessons.contracts import Ended, Limits, ProbeSpec, VarSpec
from lessons.graders.registry import validate_check
from tests.graders.helpers import check, exercise, grade, judged, ran

OUTPUT = '{"n": 3, "list": ["a", "b"], "empty": [], "yes": true, "text": "shop:v3", "none": null, "map": {"k": 1}}'


@pytest.mark.parametrize(
    ("fields", "passed"),
    [
        ({"query": "exit_code", "equals": 0}, True),
        ({"query": "json.n", "equals": 3.0}, True),
        ({"query": "json.n", "equals": "3"}, False),
        ({"query": "json.yes", "equals": 1}, False),
        ({"query": "json.yes", "equals": True}, True),
        ({"query": "json.list", "equals": ["a", "b"]}, True),
        ({"query": "json.map", "equals": {"k": 1}}, True),
        ({"query": "json.n", "not": 4}, True),
        ({"query": "json.n", "not": 3}, False),
        ({"query": "json.text", "contains": "v3"}, True),
        ({"query": "json.list", "contains": "a"}, True),
        ({"query": "json.list", "contains": ["a", "z"]}, False),
        ({"query": "json.map", "contains": "k"}, True),
        ({"query": "json.n", "at_least": 3}, True),
        ({"query": "json.n", "at_least": 2, "at_most": 2}, False),
        ({"query": "json.text", "at_least": 1}, False),
        ({"query": "json.n", "one_of": [1, 3]}, True),
        ({"query": "json.list", "count": 2}, True),
        ({"query": "json.empty", "count": 0}, True),
        ({"query": "json.list", "disjoint": ["c"]}, True),
        ({"query": "json.list", "disjoint": ["b"]}, False),
        ({"query": "json.list", "subset": ["a", "b", "c"]}, True),
        ({"query": "json.list", "subset": ["a"]}, False),
        ({"query": "json.none", "equals": None}, True),
        ({"query": "nowhere", "equals": None}, True),
        ({"query": "nowhere", "not": 3}, False),
        ({"query": "nowhere", "disjoint": ["a"]}, False),
        ({"query": "nowhere", "at_most": 3}, False),
        ({"query": "json.empty", "disjoint": ["a"]}, False),
        ({"query": "json.empty", "subset": ["a"]}, False),
        ({"query": "length(exit_code)", "equals": 1}, False),
        ({"query": "length(lines)", "equals": 1}, True),
        ({"query": "limits.memory_mb", "equals": 128}, True),
        ({"query": "inspect.HostConfig.NetworkMode", "equals": "none"}, True),
        ({"query": "ended", "equals": "exit"}, True),
    ],
)
def test_query_judges(fields: dict[str, Any], passed: bool) -> None:
    assert validate_check("query", fields) == []
    evidence = ran(OUTPUT, inspect={"HostConfig": {"NetworkMode": "none"}})
    assert judged("query", fields, evidence).passed is passed


def test_query_document_has_exactly_the_keys_of_the_format() -> None:
    keys = [
        "ended",
        "exit_code",
        "stdout",
        "stderr",
        "lines",
        "json",
        "files",
        "limits",
        "inspect",
        "cpu_ms",
        "peak_mb",
    ]
    assert judged("query", {"query": "sort(keys(@))", "equals": sorted(keys)}, ran()).passed


@pytest.mark.parametrize(("other", "passed"), [("same\n", True), ("other\n", False), ("", False)])
def test_query_compares_with_another_probe(other: str, passed: bool) -> None:
    spec = exercise(
        check("query", {"query": "lines[0]", "equals": {"probe": "q", "query": "lines[0]"}}),
        probes=(ProbeSpec("p", "run", ("a",)), ProbeSpec("q", "run", ("b",))),
    )
    assert grade(spec, {"p": ran("same\n"), "q": ran(other)}).checks[0].passed is passed


def test_query_two_probes_that_find_nothing_are_not_alike() -> None:
    spec = exercise(check("query", {"query": "json.a", "equals": {"probe": "p", "query": "json.b"}}))
    row = grade(spec, {"p": ran("")}).checks[0]
    assert not row.passed
    assert "견줄 값을 찾지 못했어요" in row.message


def test_query_compares_a_report_with_the_limits_that_were_applied() -> None:
    fields = {"query": "json.memory_mb", "equals": {"probe": "p", "query": "limits.memory_mb"}}
    assert judged("query", fields, ran('{"memory_mb": 64}', limits=Limits(memory_mb=64))).passed


def test_query_says_expected_and_found() -> None:
    row = judged("query", {"query": "exit_code", "equals": 0}, ran(exit_code=3))
    assert (row.expected, row.found) == ("0", "3")
    assert "종료 코드 3" in row.message


def test_query_can_ask_how_a_run_ended_itself() -> None:
    spec = exercise(check("query", {"query": "ended", "equals": "memory"}))
    assert grade(spec, {"p": ran(ended=Ended.MEMORY, exit_code=None)}).verdict == "pass"
    assert grade(spec, {"p": ran()}).verdict == "fail"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"equals": 1}, "query"),
        ({"query": "a"}, ""),
        ({"query": "a[", "equals": 1}, "query"),
        ({"query": "a" * 600, "equals": 1}, "query"),
        ({"query": "a", "count": "x"}, "count"),
        ({"query": "a", "one_of": "x"}, "one_of"),
        ({"query": "a", "subset": 3}, "subset"),
        ({"query": "a", "equals": {"probe": "p", "query": "["}}, "equals.query"),
        ({"query": "a", "contains": None}, "contains"),
        ({"query": "a", "equals": 1, "field": "b"}, "field"),
    ],
)
def test_query_validate_names_the_field(fields: dict[str, Any], field: str) -> None:
    assert [fault.field for fault in validate_check("query", fields)] == [field]


DRAWN = (
    VarSpec("n", "int", 1, 9),
    VarSpec("sizes", "choice", choices=(1, 2)),
    VarSpec("names", "choice", choices=("1", "2")),
    VarSpec("mixed", "choice", choices=(1, "two")),
    VarSpec("w", "word", 3, 8),
)


@pytest.mark.parametrize("name", ["at_least", "at_most", "count"])
@pytest.mark.parametrize("text", ["{{names}}", "{{mixed}}", "{{w}}", "{{n}}0", "{{n}} {{sizes}}"])
def test_query_validate_refuses_texts_where_a_number_is_compared(name: str, text: str) -> None:
    (fault,) = validate_check("query", {"query": "exit_code", name: text}, variables=DRAWN)
    assert fault.field == name
    assert "글이라" in fault.message
    assert f'{name}: "{{{{n}}}}"' in fault.fix


@pytest.mark.parametrize(
    "condition",
    [
        {"at_least": "{{n}}"},
        {"at_most": " {{ sizes }} "},
        {"count": "{{n}}"},
        {"equals": "{{w}}"},
        {"not": "{{mixed}}"},
    ],
)
def test_query_validate_takes_drawn_values_that_can_hold(condition: dict[str, Any]) -> None:
    assert validate_check("query", {"query": "exit_code", **condition}, variables=DRAWN) == []
