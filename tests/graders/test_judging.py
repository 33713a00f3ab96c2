"""The frame around the check types: verdicts, scores, hidden probes, messages."""

from __future__ import annotations

from typing import Any

import pytest

from lessons import graders
from lessons.contracts import Ended, Evidence, ExerciseSpec, Grade, Limits, ProbeSpec, RunEvidence, VarSpec
from tests.graders.helpers import check, exercise, grade, ran

# The sum exercise of the format's description, as it is parsed.
SUM = exercise(
    check(
        "text",
        {"equals": "7\n"},
        id="adds",
        probe="small",
        message="{expected}이(가) 나와야 하는데 {found}이(가) 나왔어요.",
    ),
    check("text", {"numbers_from": "a + b"}, id="any", probe="drawn", weight=2),
    check("query", {"query": "exit_code", "equals": 0}, id="clean", probe="small"),
    vars=(VarSpec("a", "int", 1, 99), VarSpec("b", "int", 1, 99)),
    probes=(
        ProbeSpec("small", "run", ("python3", "main.py"), stdin="3 4\n"),
        ProbeSpec("drawn", "run", ("python3", "main.py"), stdin="{{a}} {{b}}\n", hidden=True),
    ),
    starter={"main.py": "", "data.txt": "읽기만"},
)


def run_all(spec: ExerciseSpec, program: Any, seed: int = 7) -> Grade:
    """Grade as if ``program`` (stdin -> RunEvidence) had been run for every probe."""
    plan = graders.plan(spec, {"main.py": "…"}, seed)
    result = graders.judge(spec, plan, Evidence({name: program(run.stdin) for name, run in plan.runs.items()}))
    assert isinstance(result, Grade)
    return result


def adding(stdin: str) -> RunEvidence:
    return ran(f"{sum(map(int, stdin.split()))}\n")


@pytest.mark.parametrize("seed", range(20))
def test_sum_passes_the_program_that_adds(seed: int) -> None:
    result = run_all(SUM, adding, seed)
    assert (result.verdict, result.score) == ("pass", 1.0)
    assert [row.message for row in result.checks] == ["", "", ""]


def test_sum_fails_output_that_is_written_into_the_program() -> None:
    result = run_all(SUM, lambda stdin: ran("7\n"))
    assert (result.verdict, result.score) == ("fail", 0.5)
    assert [row.passed for row in result.checks] == [True, False, True]


def test_sum_fails_the_program_that_subtracts_with_the_authors_words() -> None:
    row = run_all(SUM, lambda stdin: ran("-1\n")).checks[0]
    assert row.message == "7이 나와야 하는데 -1이 나왔어요."


def test_hidden_probe_tells_nothing_of_its_input() -> None:
    plan = graders.plan(SUM, {"main.py": "…"}, 7)
    drawn = plan.runs["drawn"].stdin
    result = run_all(SUM, lambda stdin: ran(f"입력: {stdin}", stderr=stdin.encode()))
    told = repr(result.checks[1])
    assert all(number not in told for number in drawn.split())
    assert result.checks[1].message
    assert result.checks[1].diff == ""


def test_hidden_probe_keeps_the_authors_message_in_general_words() -> None:
    spec = exercise(
        check("text", {"equals": "secret"}, message="{expected}이(가) 나와야 하는데 {found}이(가) 나왔어요."),
        probes=(ProbeSpec("p", "run", ("a",), hidden=True),),
    )
    row = grade(spec, {"p": ran("found")}).checks[0]
    assert row.message == "입력에 맞는 값이 나와야 하는데 다른 값이 나왔어요."


def test_hidden_probe_still_shows_how_it_ended() -> None:
    fields = {"query": "exit_code", "equals": 0}
    spec = exercise(check("query", fields), probes=(ProbeSpec("p", "run", ("a",), hidden=True),))
    row = grade(spec, {"p": ran(exit_code=3)}).checks[0]
    assert (row.expected, row.found) == ("0", "3")


def test_wanted_value_of_a_hidden_probe_is_never_shown() -> None:
    fields = {"query": "exit_code", "equals": {"probe": "q", "query": "stdout"}}
    probes = (ProbeSpec("p", "run", ("a",)), ProbeSpec("q", "run", ("b",), hidden=True))
    row = grade(exercise(check("query", fields), probes=probes), {"p": ran(), "q": ran("비밀 41\n")}).checks[0]
    assert not row.passed
    assert "41" not in f"{row.expected} {row.found} {row.message} {row.diff}"


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [
        (Ended.EXIT, Ended.TIME, "time_limit"),
        (Ended.MEMORY, Ended.TIME, "time_limit"),
        (Ended.OUTPUT, Ended.MEMORY, "memory_limit"),
        (Ended.PROCESSES, Ended.OUTPUT, "output_limit"),
        (Ended.PROCESSES, Ended.EXIT, "process_limit"),
        (Ended.KILLED, Ended.EXIT, "fail"),
        (Ended.EXIT, Ended.EXIT, "pass"),
    ],
)
def test_verdict_is_the_first_limit_that_was_hit(first: Ended, second: Ended, verdict: str) -> None:
    spec = exercise(
        check("query", {"query": "exit_code", "equals": 0}),
        check("query", {"query": "exit_code", "equals": 0}, id="d", probe="q"),
        probes=(ProbeSpec("p", "run", ("a",)), ProbeSpec("q", "run", ("b",))),
    )
    runs = {
        name: ran(ended=ended, exit_code=0 if ended == Ended.EXIT else None)
        for name, ended in (("p", first), ("q", second))
    }
    assert grade(spec, runs).verdict == verdict


def test_verdict_ignores_the_limit_of_a_probe_that_no_check_names() -> None:
    spec = exercise(
        check("query", {"query": "exit_code", "equals": 0}),
        probes=(ProbeSpec("p", "run", ("a",)), ProbeSpec("q", "run", ("b",))),
    )
    assert grade(spec, {"p": ran(), "q": ran(ended=Ended.TIME)}).verdict == "pass"


def test_verdict_counts_the_limit_of_a_probe_that_a_wanted_value_names() -> None:
    spec = exercise(
        check("query", {"query": "stdout", "equals": {"probe": "q", "query": "stdout"}}),
        probes=(ProbeSpec("p", "run", ("a",)), ProbeSpec("q", "run", ("b",))),
    )
    assert grade(spec, {"p": ran(), "q": ran(ended=Ended.TIME)}).verdict == "time_limit"


def test_verdict_is_the_limit_where_another_check_does_not_ask_for_ended() -> None:
    asks = check("query", {"query": "ended", "equals": "memory"})
    other = check("text", {"equals": ""}, id="d")
    assert grade(exercise(asks, other), {"p": ran(ended=Ended.MEMORY)}).verdict == "memory_limit"


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ({"ended": Ended.TIME, "cpu_ms": 4900}, "쉬지 않고 계산"),
        ({"ended": Ended.TIME, "cpu_ms": 12}, "기다리기만"),
        ({"ended": Ended.TIME, "cpu_ms": None}, "5초 안에 끝나지 않았어요"),
        ({"ended": Ended.MEMORY, "limits": Limits(memory_mb=64)}, "64 MB"),
        ({"ended": Ended.OUTPUT}, "64 KB"),
        ({"ended": Ended.PROCESSES}, "32개"),
    ],
)
def test_message_says_which_limit_and_then_what_the_author_wrote(given: dict[str, Any], part: str) -> None:
    spec = exercise(check("text", {"equals": "7"}, message="더해 보세요."))
    row = grade(spec, {"p": ran("", exit_code=None, **given)}).checks[0]
    assert part in row.message
    assert row.message.endswith("더해 보세요.")


def test_message_of_a_run_that_was_killed_says_so() -> None:
    row = grade(exercise(check("text", {"equals": "7"})), {"p": ran(ended=Ended.KILLED, exit_code=None)}).checks[0]
    assert "신호를 받아" in row.message


def test_result_carries_hint_only_when_failed_and_show_always() -> None:
    spec = exercise(check("text", {"equals": "7"}, hint="힌트", show="python3 main.py"))
    failed, passed = (grade(spec, {"p": ran(out)}).checks[0] for out in ("8", "7"))
    assert (failed.hint, failed.show) == ("힌트", "python3 main.py")
    assert (passed.hint, passed.show) == ("", "python3 main.py")


def test_exercise_without_checks_never_passes() -> None:
    result = grade(exercise(), {"p": ran()})
    assert (result.verdict, result.score) == ("fail", 0.0)


def test_score_of_weightless_checks_is_all_or_nothing() -> None:
    spec = exercise(check("text", {"equals": "7"}, weight=0))
    assert [grade(spec, {"p": ran(out)}).score for out in ("7", "8")] == [1.0, 0.0]


def test_missing_evidence_is_no_verdict() -> None:
    with pytest.raises(graders.MissingEvidence):
        graders.judge(SUM, graders.plan(SUM, {}, 1), Evidence({}))


def test_expected_text_of_the_author_stands_in_for_a_pattern() -> None:
    spec = exercise(check("text", {"matches": "^a{3}$"}, expected="a 세 개", message="{expected}이(가) 아니에요."))
    row = grade(spec, {"p": ran("b")}).checks[0]
    assert (row.expected, row.message) == ("a 세 개", "a 세 개가 아니에요.")
