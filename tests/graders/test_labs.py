"""Exercises of kind lab: what is planned, watched and judged, in how many rounds."""

from __future__ import annotations

from typing import Any

import pytest

from lessons import graders
from lessons.contracts import CheckResult, Evidence, Grade, NeedMore, Place, ProbeSpec, VarSpec
from tests.graders.helpers import check, exercise, ran
from tests.graders.labs import RUNNING, WEB, graded, lab, request, running

PER_LAB, PER_ATTEMPT = VarSpec("a", "int", 1, 10**9), VarSpec("n", "int", 1, 10**9, per_attempt=True)
ACTIVE = ProbeSpec("kick", "exec", ("docker", "kill", "web"), active=True, undo=(("docker", "start", "web"), ("true",)))
STOPPED = {"Id": "c1", "State": {"Status": "exited"}}


def test_plan_asks_passive_probes_first_and_undoes_active_ones_at_once() -> None:
    other = ProbeSpec("answer", "exec", ("curl", "web"), active=True)
    plan = graders.plan(lab(running(), probes=(ACTIVE, other, WEB)), {}, 1)
    assert list(plan.asks) == ["p", "kick", "undo:kick:0", "undo:kick:1", "answer"]
    assert request(plan, "undo:kick:0")["argv"] == ["docker", "start", "web"]
    assert plan.runs == {}


def test_plan_asks_equal_questions_once_but_never_an_active_for_a_passive_one() -> None:
    probes = (WEB, ProbeSpec("q", "docker", WEB.value), ProbeSpec("r", "docker", WEB.value, active=True))
    plan = graders.plan(lab(running(), probes=probes), {}, 1)
    assert list(plan.asks) == ["p", "r"]
    assert plan.aliases == {"q": "p"}


def test_plan_draws_variables_of_the_lab_and_of_the_attempt_from_their_seeds() -> None:
    spec = lab(running(), vars=(PER_LAB, PER_ATTEMPT))
    first, second = (graders.plan(spec, {}, 5, attempt_seed=seed).variables for seed in (1, 2))
    assert first["a"] == second["a"]
    assert first["n"] != second["n"]
    assert graders.plan(spec, {}, 5, attempt_seed=1).variables == first
    assert graders.plan(spec, {}, 6, attempt_seed=1).variables["a"] != first["a"]


def test_plan_takes_nothing_of_what_is_posted_to_a_lab() -> None:
    assert graders.plan(lab(running(), starter={"Dockerfile": "x"}), {"Dockerfile": "y"}, 1).answer == {}


def test_setup_is_filled_in_and_its_baseline_known_later() -> None:
    same = check("query", {"query": "Id", "equals": {"probe": "baseline.p", "query": "Id"}})
    spec = lab(
        same,
        vars=(PER_LAB,),
        setup=(("docker", "tag", "nginx:1.28", "shop:{{a}}"),),
        probes=(ACTIVE, WEB),
        baseline=("p",),
    )
    (command,) = graders.setup_commands(spec, 5)
    assert command[3] == f"shop:{graders.plan(spec, {}, 5).variables['a']}"
    plan = graders.setup_plan(spec, 5)
    assert list(plan.asks) == ["p"]
    known = graders.baseline_documents(spec, plan, Evidence({}, answers={"p": RUNNING}))
    assert known == {"baseline.p": RUNNING}
    answers = {"kick": {}, "p": RUNNING}
    assert graded(spec, answers, known=known).verdict == "pass"
    row = graded(spec, {**answers, "p": {"Id": "c2"}}, known=known).checks[0]
    assert (row.passed, row.expected, row.found) == (False, "c1", "c2")


def test_a_baseline_can_be_the_probe_of_a_check_itself() -> None:
    spec = lab(running(probe="baseline.p"), baseline=("p",))
    assert graded(spec, {"p": STOPPED}, known={"baseline.p": RUNNING}).verdict == "pass"
    with pytest.raises(graders.MissingEvidence):
        graded(spec, {"p": STOPPED})


def test_judge_wants_an_answer_to_every_question() -> None:
    with pytest.raises(graders.MissingEvidence):
        graded(lab(running()), {})


def test_watch_plan_leaves_out_what_is_active_hidden_or_drawn_for_each_attempt() -> None:
    probes = (
        WEB,
        ACTIVE,
        ProbeSpec("secret", "exec", ("id",), hidden=True),
        ProbeSpec("drawn", "exec", ("echo", "{{n}}")),
        ProbeSpec("built", "build", {"context": "/root/app"}),
        ProbeSpec("heard", "events", {"filter": {"event": "die"}}),
    )
    spec = lab(running(), probes=probes, vars=(PER_ATTEMPT,))
    plan = graders.watch_plan(spec, 1)
    assert list(plan.asks) == ["p", "heard"]
    assert {ask.place for ask in plan.asks.values()} == {Place.LAB, Place.RECORD}


def test_judge_watch_tells_only_of_checks_whose_evidence_is_there() -> None:
    probes = (WEB, ACTIVE, ProbeSpec("q", "docker", WEB.value))
    checks = (
        running(within=5),
        check("text", {"equals": "7"}, id="kicked", probe="kick"),
        check("script", {"program": "judge.py"}, id="script"),
        check("text", {"expect_from": "want.py", "field": "Id"}, id="from"),
        check("text", {"field": "Id", "numbers_from": "n + 1"}, id="drawn"),
        check("query", {"query": "Id", "equals": "{{n}}"}, id="drawn2"),
        check("query", {"query": "Id", "equals": {"probe": "kick", "query": "stdout"}}, id="refers"),
        running(id="alias", probe="q"),
    )
    spec = lab(*checks, probes=probes, vars=(PER_ATTEMPT,))
    plan = graders.watch_plan(spec, 1)
    rows = graders.judge_watch(spec, plan, Evidence({}, answers={"p": STOPPED}))
    assert [(row.id, row.passed) for row in rows] == [("c", False), ("alias", False)]
    assert graders.judge_watch(spec, plan, Evidence({})) == ()


def test_latched_check_stays_passed_with_what_was_seen() -> None:
    spec = lab(running(latch=True), running(id="d"))
    seen = graded(spec, {"p": RUNNING}).checks
    assert [row.latched for row in seen] == [True, False]
    later = graded(spec, {"p": STOPPED}, latched={"c": seen[0], "d": seen[1]})
    assert [row.passed for row in later.checks] == [True, False]
    assert later.checks[0] == seen[0]
    assert later.score == 0.5


def test_latched_result_of_the_watch_needs_no_evidence() -> None:
    spec = lab(running(latch=True, title="새 제목", weight=3))
    plan = graders.watch_plan(spec, 1, {}, {"c": CheckResult("c", "옛 제목", passed=False, found="running")})
    (row,) = graders.judge_watch(spec, plan, Evidence({}))
    assert (row.title, row.weight, row.passed, row.latched, row.found) == ("새 제목", 3, True, True, "running")


def test_failing_check_latches_nothing() -> None:
    assert not graded(lab(running(latch=True)), {"p": STOPPED}).checks[0].latched


def test_within_asks_again_for_what_may_still_come_true() -> None:
    probes = (WEB, ProbeSpec("other", "docker", {"object": "image", "name": "shop"}), ACTIVE)
    spec = lab(
        running(within=5), running(id="d", probe="other"), check("text", {"absent": "x"}, id="k", probe="kick"),
        probes=probes,
    )  # fmt: skip
    plan = graders.plan(spec, {}, 1)
    evidence = Evidence({}, answers={"p": STOPPED, "other": STOPPED, "kick": {}})
    more = graders.judge(spec, plan, evidence)
    assert isinstance(more, NeedMore)
    assert (list(more.plan.asks), more.plan.runs, more.wait_ms) == (["p"], {}, 500)
    assert isinstance(graders.judge(spec, plan, evidence, elapsed=4.9), NeedMore)
    late = graders.judge(spec, plan, evidence, elapsed=5.0)
    assert isinstance(late, Grade)
    assert not late.checks[0].passed
    whole = graders.merge(evidence, Evidence({}, answers={"p": RUNNING}))
    found = graders.judge(spec, plan, whole, elapsed=1.0)
    assert isinstance(found, Grade)
    assert [row.passed for row in found.checks] == [True, False, True]


def test_within_waits_longer_the_longer_it_takes_but_not_past_its_end() -> None:
    spec = lab(running(within=30))
    plan, evidence = graders.plan(spec, {}, 1), Evidence({}, answers={"p": STOPPED})
    waits = []
    for elapsed in (0.0, 4.0, 20.0, 29.9):
        more = graders.judge(spec, plan, evidence, elapsed=elapsed)
        assert isinstance(more, NeedMore)
        waits.append(more.wait_ms)
    assert waits == [500, 1000, 2000, 100]


def test_within_repeats_an_active_probe_with_what_undoes_it() -> None:
    spec = lab(check("text", {"contains": "ok"}, probe="kick", within=5), probes=(WEB, ACTIVE))
    more = graders.judge(spec, graders.plan(spec, {}, 1), Evidence({}, answers={"p": STOPPED, "kick": {}}))
    assert isinstance(more, NeedMore)
    assert list(more.plan.asks) == ["kick", "undo:kick:0", "undo:kick:1"]


def test_within_asks_again_for_both_sides_of_a_comparison() -> None:
    fields = {"query": "Id", "equals": {"probe": "q", "query": "Id"}}
    probes = (WEB, ProbeSpec("q", "docker", {"object": "container", "name": "db"}))
    spec = lab(check("query", fields, within=5), probes=probes)
    more = graders.judge(spec, graders.plan(spec, {}, 1), Evidence({}, answers={"p": {"Id": 1}, "q": {"Id": 2}}))
    assert isinstance(more, NeedMore)
    assert list(more.plan.asks) == ["p", "q"]


def test_merge_keeps_what_is_newer_and_adds_up_times() -> None:
    first = Evidence({"r": ran("1")}, timings={"start": 5, "run": 1}, answers={"p": 1, "q": 2})
    merged = graders.merge(first, Evidence({"s": ran("2")}, timings={"start": 7}, answers={"p": 3}))
    assert set(merged.runs) == {"r", "s"}
    assert merged.timings == {"start": 12, "run": 1}
    assert merged.answers == {"p": 3, "q": 2}


def test_hidden_question_tells_neither_command_nor_finding() -> None:
    probe = ProbeSpec("p", "exec", ("shop", "secret-argument"), hidden=True)
    value = {"exit_code": 4, "stdout": "secret-answer", "stderr": "", "ended": "time"}
    spec = lab(check("text", {"equals": "7"}), probes=(probe,))
    result = graded(spec, {"p": value})
    rows = graders.output_rows(spec, graders.plan(spec, {}, 1), Evidence({}, answers={"p": value}))
    assert "secret" not in repr(result) + repr(rows)


@pytest.mark.parametrize("type", ["text", "query"])
def test_runs_and_builds_of_one_exercise_are_judged_together(type: str) -> None:
    probes = (ProbeSpec("p", "run", ("a",)), ProbeSpec("b", "build", {"context": "answer"}, environment="docker"))
    fields: dict[str, Any] = {"equals": "7"} if type == "text" else {"query": "stdout", "equals": "7"}
    spec = exercise(
        check(type, fields), check("query", {"query": "built", "equals": True}, probe="b", id="d"), probes=probes
    )
    evidence = Evidence({"p": ran("7")}, answers={"b": {"built": True}})
    found = graders.judge(spec, graders.plan(spec, {}, 1), evidence)
    assert isinstance(found, Grade)
    assert found.verdict == "pass"
