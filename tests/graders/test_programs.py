"""Checks that wait for an author's program: ``script`` and ``expect_from``."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lessons import graders
from lessons.contracts import (
    CheckSpec,
    Ended,
    Evidence,
    ExerciseSpec,
    Grade,
    NeedMore,
    ProbeSpec,
    Run,
    RunEvidence,
    VarSpec,
)
from lessons.graders.programs import INPUT_MOST
from lessons.graders.registry import validate_check
from tests.graders.helpers import check, exercise, ran
from tests.graders.labs import RUNNING, lab, running

SCRIPT = check("script", {"program": "judge.py"}, probe="")
FROM = check("text", {"expect_from": "want.py"})
PROGRAMS = {"judge.py": "print('[]')", "want.py": "print(7)", "helper.py": "x = 1"}


def asked(spec: ExerciseSpec, evidence: Evidence) -> dict[str, Run]:
    more = graders.judge(spec, graders.plan(spec, {"main.py": "mine"}, 1), evidence)
    assert isinstance(more, NeedMore)
    assert more.plan.asks == {}
    return dict(more.plan.runs)


def judged(said: RunEvidence, checked: CheckSpec = SCRIPT, found: RunEvidence | None = None) -> Grade:
    spec = exercise(checked, programs=PROGRAMS)
    evidence = Evidence({"p": found or ran("6\n"), "script:c": said})
    result = graders.judge(spec, graders.plan(spec, {}, 1), evidence)
    assert isinstance(result, Grade)
    return result


def told(*items: Any) -> RunEvidence:
    return ran(json.dumps(list(items)))


def test_script_runs_in_a_container_of_its_own_with_all_evidence() -> None:
    spec = exercise(SCRIPT, programs=PROGRAMS, vars=(VarSpec("a", "int", 5, 5),))
    ((name, run),) = asked(spec, Evidence({"p": ran("6\n")})).items()
    assert (name, run.argv, run.environment) == ("script:c", ("python3", "judge.py"), "python")
    assert run.files == PROGRAMS
    given = json.loads(run.stdin)
    assert given["vars"] == {"a": 5}
    assert given["answer"] == {"main.py": "mine"}
    assert given["evidence"]["p"]["stdout"] == "6\n"


def test_script_sees_what_a_lab_answered_and_its_baseline() -> None:
    spec = lab(SCRIPT, programs=PROGRAMS)
    plan = graders.plan(spec, {}, 1, known={"baseline.p": RUNNING})
    more = graders.judge(spec, plan, Evidence({}, answers={"p": RUNNING}))
    assert isinstance(more, NeedMore)
    assert set(json.loads(more.plan.runs["script:c"].stdin)["evidence"]) == {"p", "baseline.p"}


def test_script_waits_until_nothing_else_may_come_true() -> None:
    spec = lab(SCRIPT, running(id="d", within=5), programs=PROGRAMS)
    plan, evidence = graders.plan(spec, {}, 1), Evidence({}, answers={"p": None})
    first = graders.judge(spec, plan, evidence)
    assert isinstance(first, NeedMore)
    assert (list(first.plan.asks), first.plan.runs) == (["p"], {})
    last = graders.judge(spec, plan, evidence, elapsed=5)
    assert isinstance(last, NeedMore)
    assert list(last.plan.runs) == ["script:c"]


def test_script_passes_if_all_its_results_do() -> None:
    passed = {"id": "a", "passed": True, "found": "x"}
    assert judged(told(passed, {"passed": True})).verdict == "pass"
    failed = {"id": "b", "passed": False, "expected": 3, "found": [4], "message": "{expected}이(가) 아니에요."}
    row = judged(told(passed, failed, {"passed": False})).checks[0]
    assert (row.passed, row.expected, row.found, row.message) == (False, "3", "[4]", "3이 아니에요.")


MOMENT = {"at": 12, "text": "처음 봤어요.", "tone": "seen"}


def test_timeline_of_a_script_becomes_a_picture_within_bounds() -> None:
    loud = [{"at": "2026-01-02T03:04:05Z" * 9, "text": "\x00" + "가" * 900, "tone": "bad"}] * 99
    (row,) = judged(told({"passed": True, "timeline": [MOMENT]})).checks
    assert row.picture == {"timeline": [MOMENT]}
    (row,) = judged(told({"passed": True, "timeline": [MOMENT]}, {"passed": False, "timeline": loud})).checks
    assert len(row.picture["timeline"]) == 30
    first = row.picture["timeline"][0]
    assert (len(first["at"]), len(first["text"]), first["text"][0]) == (40, 200, "␀")
    assert judged(told({"passed": False, "timeline": []})).checks[0].picture == {}


@pytest.mark.parametrize(
    "timeline",
    [
        "x",
        [3],
        [{"at": 1, "text": "a"}],
        [{**MOMENT, "tone": "red"}],
        [{**MOMENT, "text": 3}],
        [{**MOMENT, "at": None}],
        [{**MOMENT, "more": 1}],
        [{**MOMENT, "tone": ["ok"]}],
    ],
)
def test_timeline_of_another_form_is_no_verdict(timeline: Any) -> None:
    with pytest.raises(graders.AuthorProgramError):
        judged(told({"passed": True, "timeline": timeline}))


def test_script_without_words_gets_ours_and_the_author_of_the_check_goes_first() -> None:
    failed = told({"passed": False, "expected": "3", "found": "4"})
    assert judged(failed).checks[0].message.startswith("3이 나와야 하는데 4가 나왔어요.")
    named = check("script", {"program": "judge.py"}, message="다시 해 봐요.")
    assert judged(failed, named).checks[0].message == "다시 해 봐요."


@pytest.mark.parametrize(
    "said",
    [
        ran("[]"),
        ran("nonsense"),
        ran(""),
        ran('{"passed": true}'),
        ran('[{"passed": "yes"}]'),
        ran("[true]"),
        ran('[{"passed": true, "verdict": "pass"}]'),
        ran('[{"passed": false, "message": 3}]'),
        ran("[" * 100_000),
        ran(json.dumps([{"passed": True}] * 300)),
        ran('[{"passed": true}]', exit_code=1, stderr=b"Traceback"),
        ran('[{"passed": true}]', ended=Ended.TIME, exit_code=None),
        ran('[{"passed": true}]', ended=Ended.MEMORY, exit_code=None),
        ran('[{"passed": true}]', truncated=True),
    ],
)
def test_script_that_fails_or_says_nonsense_is_no_verdict(said: RunEvidence) -> None:
    with pytest.raises(graders.AuthorProgramError, match=r"judge\.py"):
        judged(said)


def test_expect_from_compares_with_what_the_program_prints() -> None:
    assert judged(ran("6\n"), FROM).verdict == "pass"
    row = judged(ran("7\nseven\n"), FROM).checks[0]
    assert (row.passed, row.expected, row.found) == (False, "7\nseven", "6")
    assert "+6" in row.diff


def test_expect_from_that_fails_is_no_verdict() -> None:
    with pytest.raises(graders.AuthorProgramError, match=r"want\.py"):
        judged(ran("6\n", exit_code=2), FROM)


def test_expect_from_and_another_condition_must_both_hold() -> None:
    both = check("text", {"expect_from": "want.py", "contains": "x"})
    assert judged(ran("6\n"), both).verdict == "fail"
    assert judged(ran("6x\n"), both, ran("6x\n")).verdict == "pass"


def test_expect_from_of_a_missing_text_shows_what_was_wanted() -> None:
    row = judged(ran("7"), check("text", {"expect_from": "want.py", "field": "json.none"})).checks[0]
    assert (row.passed, row.expected) == (False, "7")


def test_programs_are_asked_for_once_and_together() -> None:
    spec = exercise(SCRIPT, check("text", {"expect_from": "want.py"}, id="d"), programs=PROGRAMS)
    evidence = Evidence({"p": ran("6\n")})
    assert list(asked(spec, evidence)) == ["script:c", "script:d"]
    left = asked(spec, graders.merge(evidence, Evidence({"script:d": ran("6\n")})))
    assert list(left) == ["script:c"]


def test_latched_script_is_not_run_again() -> None:
    spec = lab(check("script", {"program": "judge.py"}, latch=True), programs=PROGRAMS)
    run = {"script:c": told({"passed": True})}
    evidence = Evidence(run, answers={"p": RUNNING})
    seen = graders.judge(spec, graders.plan(spec, {}, 1), evidence)
    assert isinstance(seen, Grade)
    again = graders.judge(
        spec, graders.plan(spec, {}, 1, latched={"c": seen.checks[0]}), Evidence({}, answers={"p": None})
    )
    assert isinstance(again, Grade)
    assert again.verdict == "pass"


@pytest.mark.parametrize("size", [100, 5_000_000])
def test_input_of_a_program_is_bounded(size: int) -> None:
    probes = tuple(ProbeSpec(f"p{number}", "run", ("a", str(number))) for number in range(40))
    spec = exercise(check("script", {"program": "judge.py"}, probe=""), probes=probes, programs=PROGRAMS)
    evidence = Evidence({probe.id: ran(json.dumps(["x" * 99] * (size // 100))) for probe in probes})
    (run,) = asked(spec, evidence).values()
    assert len(run.stdin) <= INPUT_MOST
    assert set(json.loads(run.stdin)["evidence"]) == {probe.id for probe in probes}


@pytest.mark.parametrize(
    ("type", "fields", "field"),
    [
        ("script", {}, "program"),
        ("script", {"program": ["a"]}, "program"),
        ("script", {"program": "a.py", "equals": 1}, "equals"),
        ("text", {"expect_from": ""}, "expect_from"),
    ],
)
def test_program_validate_names_the_field(type: str, fields: dict[str, Any], field: str) -> None:
    assert [fault.field for fault in validate_check(type, fields)] == [field]
