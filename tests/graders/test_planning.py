from __future__ import annotations

from dataclasses import replace

import pytest

from lessons import graders
from lessons.contracts import Ended, Evidence, Hint, Kind, Limits, ProbeSpec, VarSpec
from lessons.graders.registry import validate_probe
from tests.graders.helpers import check, exercise, quiz, ran

SPEC = exercise(
    vars=(VarSpec("a", "int", 5, 5),),
    limits=Limits(seconds=2),
    starter={"main.py": "start", "lib.py": "lib", "in.txt": "x"},
    editable=("main.py",),
    probes=(
        ProbeSpec(
            "p", "run", ("python3", "main.py", "{{a}}"), stdin="{{a}}\n", files={"in.txt": "{{a}}"}, collect=("o",)
        ),
        ProbeSpec("again", "run", ("python3", "main.py", "5"), stdin="5\n", files={"in.txt": "5"}, collect=("o",)),
        ProbeSpec("other", "run", ("python3", 3), environment="debian12", hidden=True, stdin="secret"),
    ),
)


def test_plan_writes_read_only_files_the_answer_and_the_probes_own() -> None:
    plan = graders.plan(SPEC, {"main.py": "mine {{a}}", "lib.py": "evil", "new.py": "evil"}, 1)
    assert plan.runs["p"].files == {"main.py": "mine {{a}}", "lib.py": "lib", "in.txt": "5"}
    assert plan.answer == {"main.py": "mine {{a}}"}


def test_plan_fills_in_what_was_drawn() -> None:
    run = graders.plan(SPEC, {}, 1).runs["p"]
    assert (run.argv, run.stdin, run.environment) == (("python3", "main.py", "5"), "5\n", "python")
    assert (run.collect, run.limits) == (("o",), Limits(seconds=2))


def test_plan_takes_equal_probes_once() -> None:
    plan = graders.plan(SPEC, {}, 1)
    assert list(plan.runs) == ["p", "other"]
    assert plan.aliases == {"again": "p"}


def test_plan_lets_a_probe_name_its_environment() -> None:
    run = graders.plan(SPEC, {}, 1).runs["other"]
    assert (run.environment, run.argv) == ("debian12", ("python3", "3"))


def test_plan_repeats_for_a_seed() -> None:
    assert graders.plan(SPEC, {}, 9) == graders.plan(SPEC, {}, 9)


def test_plan_of_a_quiz_runs_nothing() -> None:
    plan = graders.plan(quiz(), {"answer.yaml": "a: b", "x": "y"}, 1)
    assert plan.runs == {}
    assert plan.answer == {"answer.yaml": "a: b"}


def test_try_plan_runs_the_first_visible_probe_with_the_learners_stdin() -> None:
    plan = graders.try_plan(SPEC, {"main.py": "mine"}, "내 입력", 1)
    assert list(plan.runs) == ["try"]
    run = plan.runs["try"]
    assert (run.argv, run.stdin, run.files["main.py"]) == (("python3", "main.py", "5"), "내 입력", "mine")


@pytest.mark.parametrize(("stdin", "read"), [(None, "5\n"), ("", "")])
def test_try_plan_reads_the_probes_stdin_only_where_none_is_given(stdin: str | None, read: str) -> None:
    assert graders.try_plan(SPEC, {}, stdin, 1).runs["try"].stdin == read


def test_try_plan_never_runs_a_hidden_probe() -> None:
    hidden = replace(SPEC, probes=SPEC.probes[2:])
    assert graders.try_plan(hidden, {}, "x", 1).runs == {}
    assert graders.default_stdin(hidden) == ""
    assert graders.default_stdin(SPEC) == "5\n"


def test_output_rows_show_visible_probes_and_hide_the_others() -> None:
    plan = graders.plan(SPEC, {}, 1)
    evidence = Evidence({"p": ran("\x1b[31m가\x1b[0m\n", stderr=b"e"), "other": ran("secret", ended=Ended.TIME)})
    rows = graders.output_rows(SPEC, plan, evidence)
    assert rows[0] == {
        "probe": "p",
        "hidden": False,
        "command": "python3 main.py 5",
        "stdin": "5\n",
        "stdout": "\x1b[31m가\x1b[0m\n",
        "stderr": "e",
        "exit_code": 0,
        "ended": "exit",
        "cpu_ms": 20,
        "peak_mb": 9.5,
        "wall_ms": 31,
        "truncated": False,
    }
    assert rows[1]["probe"] == "again"
    assert rows[2:] == [{"probe": "other", "hidden": True, "ended": "time"}]


def test_output_rows_show_a_try() -> None:
    plan = graders.try_plan(SPEC, {}, "x", 1)
    rows = graders.output_rows(SPEC, plan, Evidence({"try": ran("y")}))
    assert [(row["probe"], row["stdin"], row["stdout"]) for row in rows] == [("try", "x", "y")]


def test_hints_wait_for_attempts_or_for_their_check() -> None:
    spec = exercise(
        check("text", {}),
        hints=(Hint("한 번", after=1), Hint("세 번", after=3), Hint("항목", when="c"), Hint("둘 다", 2, "c")),
    )
    due = [
        graders.hints_for(spec, failed_attempts=n, failed_checks=c) for n, c in ((0, []), (1, ["c"]), (3, ["c", "d"]))
    ]
    assert due == [[], ["한 번", "항목"], ["한 번", "세 번", "항목", "둘 다"]]


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ("python3 main.py", ""),
        ([], ""),
        (None, ""),
        (["a"] * 65, ""),
        (["a", None], "1"),
        ([""], "0"),
        (["a", "\0"], "1"),
    ],
)
def test_run_probe_validate_names_the_place(value: object, field: str) -> None:
    assert [fault.field for fault in validate_probe("run", value)] == [field]


def test_run_probe_validate_shows_how_to_write_a_shell_string() -> None:
    assert validate_probe("run", ["python3", "main.py", 3]) == []
    assert 'run: ["python3", "main.py"]' in validate_probe("run", "python3 main.py")[0].fix


def test_plan_kind_is_no_matter_for_checks_without_probes() -> None:
    spec = exercise(check("dockerfile", {"instruction": "FROM"}, probe=""), probes=(), kind=Kind.RUN)
    assert graders.plan(spec, {}, 1).runs == {}
