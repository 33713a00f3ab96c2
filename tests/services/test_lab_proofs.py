"""Proofs of lab exercises: a fresh lab for each case, its script typed by hand."""

from __future__ import annotations

import time

import pytest

from lessons.models import LabSession
from lessons.sandbox import Progress
from lessons.services import lab_proofs, proving, typing
from lessons.services.labs import EnvironmentNotReady
from lessons.services.proving import check_exercises, try_answer
from lessons.services.typing import TypingFailed
from tests.factories import LAB_FILES, make_lab, make_lab_exercise
from tests.fake_labs import FakeLab
from tests.services.bash import BashShell
from tests.services.labs import die_event

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def bash(docker, monkeypatch, tmp_path):
    """Labs whose shell is a bash of this machine, in which ``docker`` tells the fake what is done."""
    shells: list[BashShell] = []
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho "$@" >> "$HOME/said"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")

    def open_shell(lab: FakeLab, **_: object) -> BashShell:
        folder = tmp_path / lab.id
        folder.mkdir()
        shells.append(BashShell(folder))
        return shells[-1]

    def answer(lab: FakeLab, asks, **_: object) -> list[object]:
        said = tmp_path / lab.id / "said"
        lines = said.read_text().splitlines() if said.exists() else []
        docker.running = any(line.startswith(("run", "start")) for line in lines[-1:])
        if any(line.startswith("stop") for line in lines) and not lab.unheard:
            lab.unheard.append({"host": "", "event": die_event(int(time.time()) + 1)})
        return [docker.answer(ask) for ask in asks]

    monkeypatch.setattr(FakeLab, "open_shell", open_shell)
    monkeypatch.setattr(FakeLab, "ask", answer)
    monkeypatch.setattr(proving, "MOST_RETRIES", 0)
    yield shells
    assert all(shell.process.returncode is not None for shell in shells)


def test_check_exercises_types_each_script_into_a_lab_of_its_own(docker, bash, settings):
    settings.RUNS_IN_FLIGHT = 1
    report = check_exercises(exercises=[make_lab_exercise()])
    assert [(result.case, result.holds, result.problem) for result in report.results] == [
        ("starter", True, ""),
        ("solution", True, ""),
        ("wrong/nothing", True, ""),
    ]
    assert len(docker.labs) == 3
    assert len(bash) == 2
    assert all(lab.ended for lab in docker.labs.values())
    assert not LabSession.objects.exists()


def test_try_answer_of_a_lab_grades_what_the_script_left(docker, bash):
    row = try_answer(exercise=make_lab_exercise(), files={"solution.sh": "docker run web\n"})
    assert (row.status, row.verdict, row.origin) == ("finished", "fail", "proof")
    assert [check["passed"] for check in row.result["checks"]] == [True, False, True]


def test_script_that_does_not_end_is_a_problem_of_the_exercise(docker, bash, monkeypatch):
    monkeypatch.setattr(typing, "LINE_SECONDS", 2.0)
    exercise = make_lab_exercise()
    with pytest.raises(TypingFailed):
        try_answer(exercise=exercise, files={"solution.sh": "cat\n"})
    assert all(lab.ended for lab in docker.labs.values())

    revision = exercise.revision
    revision.files = {**LAB_FILES, "solution/solution.sh": "echo 시작\ncat\n"}
    revision.content_hash = "another"
    revision.save()
    (_, solution, _) = check_exercises(exercises=[exercise]).results
    assert (solution.holds, solution.broken) == (False, False)
    assert "2번째 줄이 끝나지 않았어요" in solution.problem


def test_proof_without_an_image_is_broken(docker):
    docker.progresses["docker"] = Progress("failed", 0, "이미지를 만들지 못했어요.")
    exercise = make_lab_exercise()
    with pytest.raises(EnvironmentNotReady):
        try_answer(exercise=exercise, files={})
    report = check_exercises(exercises=[exercise])
    assert report.broken
    assert {result.problem for result in report.results} == {"이미지를 만들지 못했어요."}


def test_proof_waits_for_an_image_that_is_being_built(docker, bash, monkeypatch):
    docker.progresses["docker"] = Progress("building", 10, "만들고 있어요.")
    monkeypatch.setattr(lab_proofs, "BUILDING_SECONDS", 0.01)
    looks = iter([docker.progresses["docker"]] * 2)
    monkeypatch.setattr(docker, "progress", lambda name: next(looks, Progress("ready", 100, "")))
    assert try_answer(exercise=make_lab_exercise(), files={}).status == "finished"
    assert next(looks, None) is None


def test_proof_lab_that_cannot_be_prepared_says_why(docker, monkeypatch):
    monkeypatch.setattr(FakeLab, "run", lambda *args, **options: 1 / 0)
    report = check_exercises(exercises=[make_lab_exercise()])
    assert report.broken
    assert {result.problem for result in report.results} == {"실습을 준비하다가 예상하지 못한 문제가 생겼어요."}
    assert all(lab.ended for lab in docker.labs.values())


def test_proof_waits_for_its_turn_no_longer_than_it_says(docker, settings, monkeypatch):
    settings.LAB_MEMORY_MB = 600
    make_lab(container="c1")
    monkeypatch.setattr(lab_proofs, "TURN_SECONDS", 0.05)
    monkeypatch.setattr(lab_proofs, "LOOK_SECONDS", 0.01)
    with pytest.raises(lab_proofs.NoTurn, match="메모리가 비지 않았어요"):
        try_answer(exercise=make_lab_exercise(), files={})
    assert not LabSession.objects.filter(origin="proof").exists()
