"""Commands that grade and look: what they print and how they exit."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from lessons.management.commands import checkexercises, tryanswer
from lessons.models import Revision, Submission
from lessons.sandbox import EngineUnavailableError, Finding
from lessons.services import doctor, proving, sandboxes
from tests.factories import SUM_FILES, SUM_SOLUTION, SUM_STARTER, make_course, make_exercise, make_lesson
from tests.services.sums import SumSandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sandbox(monkeypatch) -> SumSandbox:
    fake = SumSandbox()
    monkeypatch.setattr(sandboxes, "_sandbox", fake)
    monkeypatch.setattr(proving, "RETRY_SECONDS", 0.01)
    return fake


@pytest.fixture
def exercise():
    return make_exercise(make_lesson(make_course("course")), "sum")


@pytest.fixture
def answer(tmp_path):
    folder = tmp_path / "answer"
    folder.mkdir()
    (folder / "main.py").write_text(SUM_SOLUTION)
    return folder


def run(*args: str) -> tuple[int, str]:
    """The exit code and standard output of a command."""
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command(*args, stdout=out, stderr=io.StringIO())
    return ended.value.code, out.getvalue()


def test_tryanswer_of_the_solution_exits_0_with_json_in_the_documented_form(sandbox, exercise, answer):
    code, out = run("tryanswer", "course/sum", str(answer), "--json")
    document = json.loads(out)
    assert code == 0
    assert sorted(document) == ["checks", "score", "status", "timings", "verdict"]
    assert (document["status"], document["verdict"], document["score"]) == ("finished", "pass", 1.0)
    assert sorted(document["checks"][0]) == ["expected", "found", "id", "message", "passed"]
    assert document["timings"]["total"] >= 0
    assert not sandbox.started


def test_tryanswer_of_a_wrong_answer_exits_1_and_says_why(sandbox, exercise, answer):
    (answer / "main.py").write_text(SUM_STARTER)
    code, out = run("tryanswer", "course/sum", str(answer))
    assert code == 1
    assert "7이 나와야 하는데 3이 나왔어요." in out


def test_tryanswer_without_an_engine_exits_3(sandbox, exercise, answer):
    sandbox.down = EngineUnavailableError("down")
    code, out = run("tryanswer", "course/sum", str(answer), "--json")
    document = json.loads(out)
    assert code == 3
    assert (document["status"], document["verdict"], document["checks"]) == ("broken", None, [])


def test_tryanswer_of_an_exercise_that_cannot_be_read_exits_3(exercise, answer):
    Revision.objects.filter(exercise=exercise).update(files={"exercise.yaml": "title: ["}, content_hash="broken")
    with pytest.raises(CommandError) as error:
        call_command("tryanswer", "course/sum", str(answer))
    assert error.value.returncode == 3


@pytest.mark.parametrize("arguments", [("tryanswer", "course/sum", "."), ("checkexercises",)])
def test_commands_without_a_database_exit_3(arguments, monkeypatch):
    def away(*args, **kwargs):
        raise OperationalError("no such table")

    for module in (tryanswer, checkexercises):
        monkeypatch.setattr(module, "exercises_named", away)
    with pytest.raises(CommandError) as error:
        call_command(*arguments)
    assert error.value.returncode == 3


@pytest.mark.parametrize("name", ["course/none", "none/sum", "course", "course/sum/more"])
def test_tryanswer_of_an_unknown_exercise_is_a_usage_error(exercise, answer, name):
    with pytest.raises(CommandError) as error:
        call_command("tryanswer", name, str(answer))
    assert error.value.returncode == 2


def test_tryanswer_of_a_missing_folder_is_a_usage_error(exercise, tmp_path):
    with pytest.raises(CommandError) as error:
        call_command("tryanswer", "course/sum", str(tmp_path / "none"))
    assert error.value.returncode == 2


@pytest.mark.parametrize("content", [b"\xff\xfe", b"x" * 70_000, b"", b"\0"])
def test_tryanswer_refuses_what_a_form_refuses(exercise, answer, content):
    (answer / "main.py").write_bytes(content)
    with pytest.raises(CommandError) as error:
        call_command("tryanswer", "course/sum", str(answer))
    assert error.value.returncode == 2
    assert Submission.objects.count() == 0


def test_checkexercises_exits_0_when_all_hold(sandbox, exercise):
    code, out = run("checkexercises", "course")
    assert code == 0
    assert "✓ course/sum solution (pass)" in out
    assert "4개 모두 맞아요." in out


def test_checkexercises_exits_1_with_json_when_one_does_not_hold(sandbox, exercise):
    make_exercise(exercise.lesson, "bad", {**SUM_FILES, "starter/main.py": SUM_SOLUTION})
    code, out = run("checkexercises", "course/bad", "course/sum", "--json")
    document = json.loads(out)
    bad = [(row["exercise"], row["case"]) for row in document["results"] if not row["holds"]]
    assert (code, document["holds"], document["broken"]) == (1, False, False)
    assert bad == [("course/bad", "starter")]


def test_checkexercises_without_an_engine_exits_3(sandbox, exercise):
    sandbox.down = EngineUnavailableError("down")
    code, _ = run("checkexercises")
    assert code == 3


def test_checkexercises_of_nothing_is_a_usage_error():
    with pytest.raises(CommandError) as error:
        call_command("checkexercises")
    assert error.value.returncode == 2


def test_doctor_names_effect_and_fix_and_exits_1(sandbox, monkeypatch):
    bad = Finding("bad", "엔진이 없어요.", "채점되지 않아요.", "bin/start를 실행하세요.")
    monkeypatch.setattr(doctor, "LOOKS", (lambda: iter([bad, Finding("good", "다른 것은 좋아요.", "", "")]),))
    code, out = run("doctor")
    assert code == 1
    assert out == (
        "✗ 엔진이 없어요.\n    영향: 채점되지 않아요.\n    고치는 법: bin/start를 실행하세요.\n✓ 다른 것은 좋아요.\n"
    )


def test_doctor_exits_0_when_nothing_is_bad(sandbox, monkeypatch):
    note = Finding("note", "runc로 실행해요.", "격리가 약해요.", "gVisor를 설치하세요.")
    monkeypatch.setattr(doctor, "LOOKS", (lambda: iter([note]),))
    code, _ = run("doctor")
    assert code == 0
