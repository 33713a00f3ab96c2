"""The course of this repository holds: every exercise proves itself in real containers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lessons.content import CourseFiles, read_course
from lessons.contracts import Kind

ROOT = Path(__file__).resolve().parent.parent
COURSE = ROOT / "courses" / "cloud-native"
LEAST_WRONG = {Kind.LAB: 3}  # a rule of this course, not of the format; of other kinds two
PROOF_SECONDS = 3000  # some hundred labs, opened and typed into, on two cores
EXERCISES = sorted(folder.name for folder in COURSE.glob("*/exercises/*"))


@pytest.fixture(scope="module")
def course() -> CourseFiles:
    return read_course(COURSE)


@pytest.fixture(scope="module")
def proofs(engine_socket: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """Exercise -> results of ``checkexercises`` on data of its own, as an author would run it."""
    data = tmp_path_factory.mktemp("course")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NARU_", "DJANGO_"))}
    environment = {
        **kept,
        "NARU_DATA": str(data),
        "NARU_SECRET_KEY": "of-this-test-only-0123456789-0123456789-0123456789",
        "NARU_ENGINE_SOCKET": str(engine_socket),
    }

    def manage(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            env=environment, cwd=ROOT, capture_output=True, text=True, timeout=PROOF_SECONDS, check=False,
        )  # fmt: skip

    for arguments in (["migrate", "--verbosity", "0"], ["importcourse", str(COURSE)]):
        done = manage(*arguments)
        assert done.returncode == 0, done.stderr
    done = manage("checkexercises", "cloud-native", "--json")
    assert done.returncode in (0, 1), done.stderr
    found: dict[str, list[dict[str, Any]]] = {}
    for result in json.loads(done.stdout)["results"]:
        found.setdefault(result["exercise"].removeprefix("cloud-native/"), []).append(result)
    return found


@pytest.mark.parametrize("slug", EXERCISES)
def test_exercise_proves_itself(slug: str, proofs: dict[str, list[dict[str, Any]]]) -> None:
    assert [(result["case"], result["problem"]) for result in proofs[slug] if not result["holds"]] == []
    assert {"starter", "solution"} < {result["case"] for result in proofs[slug]}


@pytest.mark.parametrize("slug", EXERCISES)
def test_exercise_knows_its_wrong_answers_and_helps(slug: str, course: CourseFiles) -> None:
    spec = next(one.spec for lesson in course.lessons for one in lesson.exercises if one.slug == slug)
    assert len(spec.wrong) >= LEAST_WRONG.get(spec.kind, 2)
    assert spec.hints
    assert all(check.message or check.type == "script" for check in spec.checks)  # an author's program says it itself


def test_every_exercise_stands_in_its_lesson(course: CourseFiles) -> None:
    placed = {
        line.removeprefix("::exercise[").rstrip("]")
        for lesson in course.lessons
        for line in lesson.body.splitlines()
        if line.startswith("::exercise[")
    }
    assert placed == set(EXERCISES)


def test_every_check_of_a_lab_names_the_command_that_reveals_it(course: CourseFiles) -> None:
    labs = [one.spec for lesson in course.lessons for one in lesson.exercises if one.spec.kind == Kind.LAB]
    docker = {"container", "image", "isolation", "portability", "registry"}
    pods = {
        "scheduling",
        "self-healing",
        "auto-scaling",
        "discovery",
        "rollout",
        "pod",
        "deployment",
        "service",
        "config",
    }
    assert {spec.slug for spec in labs} == docker | pods | {"flow", "fault"}
    assert [(spec.slug, check.id) for spec in labs for check in spec.checks if not check.show] == []
