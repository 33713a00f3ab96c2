"""Labs that lie: answers of any shape, depth and size become a verdict in time, and never an error."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from lessons import graders
from lessons.contracts import Evidence, Grade, Kind, ProbeSpec
from lessons.graders.evidence import DEPTH_MOST, ITEMS_MOST, TEXT_MOST, bounded, parsed_json
from lessons.graders.registry import ASK_PROBES
from tests.graders.helpers import check
from tests.graders.labs import BUILT, RUNNING, lab

STREAM = {"url": "http://a/"}
VALUES: tuple[tuple[str, Any], ...] = (
    ("build", {"context": "answer", "run": ["a"]}),
    ("docker", {"object": "container", "name": "web"}),
    ("events", {"filter": {"event": "die", "container": "web", "image": "x", "type": "container"}}),
    ("events", {"filter": {"type": "kubernetes", "action": "wrote", "kind": ["Pod", "Deployment"]}}),
    ("events", {}),
    ("exec", ["ls"]),
    ("http", {"url": "http://a/", "times": 3}),
    ("http", {"url": "http://a/", "from": "pod x/client"}),
    ("kubernetes", {"kind": "Deployment", "name": "shop"}),
    ("kubernetes", {"kind": "Pod", "selector": ""}),
    ("registry", {"repository": "shop"}),
    ("traffic", {"http": STREAM, "since": "setup"}),
    ("traffic", {"http": STREAM, "while": [["ls"]], "undo": [["ls"]], "watch": ["p0"]}),
)


def deep(levels: int) -> Any:
    value: Any = "end"
    for number in range(levels):
        value = [value] if number % 2 else {"a": value}
    return value


NASTY: tuple[Any, ...] = (
    None,
    True,
    0,
    -(10**400),
    float("nan"),
    float("inf"),
    "x" * 3_000_000,
    "\x00\ud800\u202e<script>",
    [],
    {},
    deep(5_000),
    ["x"] * 200_000,
    {str(number): number for number in range(100_000)},
    [None, True, 3, "x", [], {}],
    [{"host": 3, "event": "x"}, {"host": "a", "event": {"Actor": []}}, {"event": {"Actor": {"Attributes": 3}}}],
    {"answers": {"a": 1}, "failed": "many", "distinct": 3},
    {"answers": [3, None, {"status": "200", "body": ["x"], "ms": "soon"}, {"ms": float("nan")}], "failed": True},
    {"exit_code": "0", "stdout": 3, "stderr": ["x"], "ended": {"a": 1}},
    {"exit_code": 10**50, "stdout": "[" * 60_000, "stderr": None, "ended": []},
    {"exit_code": 0, "stdout": "9" * 60_000, "stderr": "\x1b]0;x\x07\x00", "ended": "exit"},
    {"built": "yes", "log": 3, "image": [], "layers": {"a": 1}, "rebuild": "x", "ran": [], "leaked": "x", "refused": 3},
    {"built": True, "layers": [3, {"command": ["x"], "size": "big", "cached": "yes"}] * 500, "rebuild": {"layers": 3}},
    {"built": True, "layers": [{"size": 1e308}, {"size": -1e308}, {"size": -5}, {"command": "\x00" * 9_000}]},
    {"built": False, "log": "ERROR: \x00\u202e" * 20_000, "refused": "", "ended": "time"},
    {"built": False, "refused": "<b>\x00\u202e" * 50_000},
    {"digest": 3, "config": deep(200), "layers": "x", "manifest": [1]},
    [{"metadata": deep(300), "\x00": "\x00"}] * 500,
    {"sent": -5, "failed": 10**30, "distinct": {"a": 1}, "timeline": "x", "before": [], "after": 3, "commands": "x"},
    {"sent": 1.5, "failed": True, "distinct": [3, None, "\x00\u202e" * 900] * 99, "timeline": [3, {"at": "x"}] * 9_000},
    {
        "sent": 9,
        "failed": 99,
        "timeline": [{"at": float("nan"), "sent": -1, "answers": {"\x00" * 99: 10**30, "b": "x"}}],
    },
    {
        "sent": 9,
        "timeline": [{"at": -(10**200), "answers": []}],
        "before": {"p0": deep(99)},
        "after": {"x": 1, "p0": [3]},
    },
    {"sent": 9, "commands": [3, {"exit_code": 1, "stderr": "\x00\x1b]0;\x07" * 9_000}, {"exit_code": "1"}] * 30},
)
CHECKS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("query", {"query": "@", "equals": {"a": [1]}}),
    ("query", {"query": "State.Status || digest || exit_code || length(@)", "at_least": 3}),
    ("query", {"query": "failed", "equals": 0}),
    ("query", {"query": "spec.replicas || timeline", "equals": [{"a": 1, "b": {"c": 2}}]}),
    ("query", {"query": "[length(distinct), before.p0, after]", "contains": [3]}),
    ("query", {"query": "layers[].size | sum(@)", "at_most": 3}),
    ("query", {"query": "[].Actor.Attributes.name", "subset": ["web"]}),
    ("query", {"query": "sort_by(answers, &ms)[0].ms || *", "one_of": [1, 2]}),
    ("query", {"query": "json", "contains": "a"}),
    ("text", {"equals": "7\nseven\n"}),
    ("text", {"field": "log || stdout || distinct", "matches": "^(a+)+$"}),
    ("text", {"field": "ran.stdout || stdout", "numbers": [7]}),
)


def test_every_type_of_probe_meets_labs_that_lie() -> None:
    assert {type for type, _ in VALUES} == set(ASK_PROBES)


@pytest.mark.parametrize(("type", "asked"), VALUES, ids=[f"{type}{place}" for place, (type, _) in enumerate(VALUES)])
@pytest.mark.parametrize("value", NASTY, ids=range(len(NASTY)))
def test_any_answer_is_judged_shown_and_storable(type: str, asked: Any, value: Any) -> None:
    probes = (ProbeSpec("p", type, asked), ProbeSpec("p0", "kubernetes", {"kind": "Pod", "selector": "a=b"}))
    checks = [check(kind, fields, id=f"c{number}") for number, (kind, fields) in enumerate(CHECKS)]
    spec = lab(*checks, probes=probes, kind=Kind.RUN if type == "build" else Kind.LAB)
    plan, evidence = graders.plan(spec, {}, 1), Evidence({}, answers={"p": value, "p0": []})
    started = time.monotonic()
    result = graders.judge(spec, plan, evidence)
    rows = graders.output_rows(spec, plan, evidence)
    assert time.monotonic() - started < 5
    assert isinstance(result, Grade)
    told = " ".join(row.expected + row.found + row.message + row.diff + row.show for row in result.checks)
    assert len(told) < 30_000 * len(checks)
    assert not set(told) & set("\x00\x07\x1b\u202e\ud800")
    json.dumps([row.picture for row in result.checks], allow_nan=False)
    traffic = [row.picture["traffic"] for row in result.checks if "traffic" in row.picture]
    assert all(len(json.dumps(one)) < 400_000 and "\\u0000" not in json.dumps(one) for one in traffic)
    drawn = [layer for row in result.checks for layer in row.picture.get("layers", [])]
    assert all(isinstance(layer["size"], int) and 0 <= layer["size"] <= 10**15 for layer in drawn)
    assert "\\u0000" not in json.dumps(rows, allow_nan=False)


@pytest.mark.parametrize("value", NASTY, ids=range(len(NASTY)))
def test_any_answer_is_remembered_as_plain_json(value: Any) -> None:
    spec = lab(check("query", {"query": "a", "equals": 1}), baseline=("p",))
    plan = graders.setup_plan(spec, 1)
    known = graders.baseline_documents(spec, plan, Evidence({}, answers={"p": value}))
    assert len(json.dumps(known, allow_nan=False)) < 20_000_000


@pytest.mark.parametrize("value", NASTY, ids=range(len(NASTY)))
def test_any_answer_fits_into_what_a_program_reads(value: Any) -> None:
    probes = tuple(ProbeSpec(name, "docker", {"object": "container", "name": name}) for name in ("a", "b", "c"))
    spec = lab(check("script", {"program": "x.py"}, probe=""), probes=probes, programs={"x.py": ""})
    more = graders.judge(spec, graders.plan(spec, {}, 1), Evidence({}, answers=dict.fromkeys(("a", "b", "c"), value)))
    assert not isinstance(more, Grade)
    (run,) = more.plan.runs.values()
    assert len(run.stdin) < 3_000_000
    assert json.loads(run.stdin)["evidence"].keys() == {"a", "b", "c"}


def test_read_folder_of_a_lab_may_hold_anything() -> None:
    probe = ProbeSpec("p", "build", {"context": "/root/app"}, environment="docker")
    spec = lab(check("query", {"query": "built", "equals": True}), probes=(probe,))
    plan = graders.plan(spec, {}, 1)
    for value in (*NASTY, {"files": ["x"]}, {"files": {"/root/app/a": 3, "/root/app/../b": None, "/root/app": "x"}}):
        more = graders.judge(spec, plan, Evidence({}, answers={"p": value}))
        assert not isinstance(more, Grade)
        assert [ask.tool for ask in more.plan.asks.values()] == ["build"]


def test_bounded_cuts_texts_items_and_depth() -> None:
    assert bounded("x" * (TEXT_MOST + 1)) == "x" * TEXT_MOST
    assert len(bounded([0] * (ITEMS_MOST * 2))) < ITEMS_MOST
    value, levels = bounded(deep(1_000)), 0
    while isinstance(value, list | dict):
        value, levels = (value["a"] if isinstance(value, dict) else value[0]), levels + 1
    assert (value, levels) == (None, DEPTH_MOST)


def test_bounded_leaves_ordinary_documents_as_they_are() -> None:
    for document in (RUNNING, BUILT, [1, 2.5, None, True, "글"]):
        assert bounded(document) == document


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", "{", "[" * 100_000, ""])
def test_parsed_json_of_what_is_none_is_nothing(text: str) -> None:
    assert parsed_json(text) is None
