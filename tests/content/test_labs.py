"""exercise.yaml of kind lab: what is read, and how each fault is told."""

from __future__ import annotations

import re

import pytest

from lessons import graders
from lessons.content import Catalogue, ContentError, parse_exercise
from lessons.content.catalogue import Bounds
from lessons.contracts import ExerciseSpec, Kind, Limits, Problem

CATALOGUE = Catalogue({"python": {"memory_mb": Bounds(32, 1024)}}, {"docker": {"memory_mb": Bounds(384, 2048)}})
HANGUL = re.compile("[가-힣]")

LAB = """\
title: 내 컴퓨터에서는 되는데요
kind: lab
engines: [laptop, server]
starter_on: laptop
limits: {seconds: 20, memory_mb: 768}
keep: [/root/shop]
vars: {word: {word: 6}, n: {int: [100, 999], per: attempt}}
setup:
  - ["on", "server", "docker", "tag", "busybox:1.37", "old:{{word}}"]
baseline: [old]
probes:
  - {id: old, docker: {object: image, name: "old:{{word}}", engine: server}}
  - {id: img, docker: {object: image, name: "shop:1", engine: server}}
  - {id: answer, exec: ["on", "server", "docker", "run", "shop:1", "{{n}}"], active: true, undo: [["true"]]}
  - {id: built, build: {context: /root/shop, run: ["./shop", "3"]}}
checks:
  - {id: same, type: query, probe: old, query: Id, equals: {probe: baseline.old, query: Id}}
  - {id: there, type: query, probe: img, query: Id, contains: sha256, within: 5, latch: true}
  - {id: works, type: text, probe: answer, numbers_from: "n * 2"}
  - {id: judged, type: script, program: judge.py}
  - {id: told, type: text, probe: answer, expect_from: want.py}
  - {id: builds, type: query, probe: built, query: built, equals: true}
"""
FILES = {
    "exercise.yaml": LAB,
    "prompt.md": "옮겨 보세요.\n",
    "starter/shop/shop.py": "print(1)\n",
    "solution/solution.sh": "docker save shop:1 | on server docker load\n",
    "wrong/rebuilt/solution.sh": "true\n",
    "wrong/rebuilt/expect.yaml": "check: works\nverdict: fail\n",
    "checks/judge.py": "print('[]')\n",
    "checks/want.py": "print(1)\n",
}


def parsed(files: dict[str, str]) -> ExerciseSpec:
    return parse_exercise("portability", files, catalogue=CATALOGUE)


def problems_of(files: dict[str, str]) -> list[Problem]:
    with pytest.raises(ContentError) as caught:
        parsed(files)
    return caught.value.problems


def test_lab_is_read_as_written() -> None:
    spec = parsed(FILES)
    assert (spec.kind, spec.environment, spec.editable) == (Kind.LAB, "docker", ())
    assert (spec.engines, spec.starter_on, spec.keep) == (("laptop", "server"), "laptop", ("/root/shop",))
    assert (spec.limits.seconds, spec.limits.memory_mb) == (20, 768)
    assert spec.setup == (("on", "server", "docker", "tag", "busybox:1.37", "old:{{word}}"),)
    assert spec.baseline == ("old",)
    assert [probe.type for probe in spec.probes] == ["docker", "docker", "exec", "build"]
    assert (spec.probes[2].active, spec.probes[2].undo) == (True, (("true",),))
    assert (spec.checks[1].within, spec.checks[1].latch) == (5.0, True)
    assert [var.per_attempt for var in spec.vars] == [False, True]
    assert spec.starter == {"shop/shop.py": "print(1)\n"}
    assert set(spec.solution) == set(spec.wrong[0].files) == {"solution.sh"}
    assert set(spec.programs) == {"judge.py", "want.py"}


def test_lab_that_is_read_can_be_planned_and_watched() -> None:
    spec = parsed(FILES)
    assert list(graders.plan(spec, {}, 1).asks) == ["old", "img", "built", "answer", "undo:answer:0"]
    assert list(graders.watch_plan(spec, 1).asks) == ["old", "img"]
    assert list(graders.setup_plan(spec, 1).asks) == ["old"]


def test_lab_with_only_what_is_required_gets_defaults() -> None:
    text = "title: 짧게\nkind: lab\nprobes: [{docker: {object: container, name: web}}]\n"
    text += "checks: [{type: query, query: State.Running, equals: true}]\n"
    spec = parsed({"exercise.yaml": text, "prompt.md": "해 보세요.\n"})
    assert (spec.environment, spec.engines, spec.starter_on, spec.setup, spec.keep) == ("docker", (), "", (), ())
    assert spec.limits == Limits(seconds=10, memory_mb=512)


def test_lab_needs_no_catalogue_to_be_read() -> None:
    assert parse_exercise("portability", FILES).environment == "docker"


def test_default_memory_of_a_lab_keeps_to_the_catalogue() -> None:
    small = Catalogue({}, {"docker": {"memory_mb": Bounds(64, 256)}})
    files = {**FILES, "exercise.yaml": LAB.replace("limits: {seconds: 20, memory_mb: 768}\n", "")}
    assert parse_exercise("portability", files, catalogue=small).limits.memory_mb == 256


FAULTS = [
    # (what is replaced, by what, line, field, part of the message)
    ("kind: lab", "kind: lab\nenvironment: python", 3, "environment", "환경이 없어요"),
    ("kind: lab", "kind: lab\neditable: [shop.py]", 3, "editable", "쓰지 않는"),
    ("kind: lab", "kind: lab\nhosts: [a]", 3, "hosts", "모르는"),
    ("[laptop, server]", "[Laptop]", 3, "engines[0]", "이름으로"),
    ("[laptop, server]", "[laptop, laptop]", 3, "engines[1]", "두 번"),
    ("[laptop, server]", "[a, b, c, d]", 3, "engines", "3개"),
    ("starter_on: laptop", "starter_on: desk", 4, "starter_on", "쓸 수 없"),
    ("memory_mb: 768", "memory_mb: 128", 5, "limits.memory_mb", "범위"),
    ("memory_mb: 768", "processes: 8", 5, "limits.processes", "lab에는"),
    ("seconds: 20", "seconds: 300", 5, "limits.seconds", "범위"),
    ("/root/shop]", "shop]", 6, "keep[0]", "절대 경로"),
    ("/root/shop]", "/root/../etc]", 6, "keep[0]", "절대 경로"),
    ("/root/shop]", "/proc/1]", 6, "keep[0]", "간직할 수 없는"),
    ("per: attempt", "per: lab", 7, "vars.n.per", "쓸 수 없"),
    ('["on", "server", "docker", "tag"', '["on", 3, {a: b}', 9, "setup[0][2]", "글이"),
    ('{{word}}"]', '{{n}}"]', 9, "setup[0][5]", "채점할 때마다"),
    ('{{word}}"]', '{{zz}}"]', 9, "setup[0][5]", "{{zz}}"),
    ("baseline: [old]", "baseline: [gone]", 10, "baseline[0]", "gone"),
    ("baseline: [old]", "baseline: [old, answer]", 10, "baseline[1]", "처음에 볼 수 없"),
    ("baseline: [old]", "baseline: [old, built]", 10, "baseline[1]", "처음에 볼 수 없"),
    ("engine: server}}\n  - {id: img", "engine: desk}}\n  - {id: img", 12, "probes[0].docker.engine", "desk"),
    ('object: image, name: "shop:1"', "object: pod, name: web", 13, "probes[1].docker.object", "무엇을"),
    ('"shop:1", engine: server}}', '"shop:1"}, stdin: x}', 13, "probes[1].stdin", "쓰지 않는"),
    ('"shop:1", engine: server}}', '"shop:1"}, environment: docker}', 13, "probes[1].environment", "쓰지 않는"),
    ('"shop:1", engine: server}}', '"shop:1"}, undo: [[a]]}', 13, "probes[1].undo", "되돌릴"),
    ("exec: [", "run: [", 14, "probes[2].run", "kind: run에서만"),
    ("exec: [", "exec: ls, files: [", 14, "probes[2].exec", "셸 문장"),
    ("context: /root/shop", "context: answer", 15, "probes[3].build.context", "빌드"),
    ("probes:\n", "probes:\n  - {id: k, kubernetes: {kind: Pod}}\n", 12, "probes[0].kubernetes", "가운데 하나"),
    (
        "probes:\n",
        "probes:\n  - {id: k, http: {url: 'http://a', from: pod X}}\n",
        12,
        "probes[0].http.from",
        "어디에서",
    ),
    ("baseline.old", "baseline.img", 17, "checks[0].equals.probe", "baseline.img"),
    ("within: 5", "within: 600", 18, "checks[1].within", "범위"),
    ("within: 5", "within: soon", 18, "checks[1].within", "수가"),
    ("latch: true", "latch: maybe", 18, "checks[1].latch", "true"),
    ('"n * 2"', '"m * 2"', 19, "checks[2].numbers_from", ""),
    ("program: judge.py", "program: other.py", 20, "checks[3].program", "other.py"),
    ("program: judge.py", "program: judge.py, within: 3", 20, "checks[3].within", "다시 물어볼 수 없"),
    ("expect_from: want.py", "expect_from: other.py", 21, "checks[4].expect_from", "other.py"),
    ("expect_from: want.py", "expect_from: want.py, within: 3", 21, "checks[4].within", "다시 물어볼 수 없"),
    (
        "query: built, equals: true",
        "query: built, equals: true, within: 3",
        22,
        "checks[5].within",
        "다시 물어볼 수 없",
    ),
    ("type: script, program: judge.py", "type: dockerfile, instruction: FROM", 20, "checks[3].type", "kind: run에서만"),
]


@pytest.mark.parametrize(("old", "new", "line", "field", "words"), FAULTS, ids=[fault[1][:40] for fault in FAULTS])
def test_lab_fault_names_line_field_and_fix(old: str, new: str, line: int, field: str, words: str) -> None:
    assert old in LAB
    problems = {(p.line, p.field): p for p in problems_of({**FILES, "exercise.yaml": LAB.replace(old, new, 1)})}
    assert (line, field) in problems, list(problems)
    problem = problems[line, field]
    assert words in problem.message
    assert HANGUL.search(problem.message)
    assert problem.fix


def test_baseline_may_not_use_what_is_drawn_for_each_attempt() -> None:
    text = LAB.replace('old:{{word}}", engine', 'old:{{n}}", engine')
    (problem,) = problems_of({**FILES, "exercise.yaml": text})
    assert (problem.field, problem.line) == ("baseline[0]", 10)


FILE_FAULTS = [
    ({"solution/shop.py": "x"}, "solution/shop.py", "고칠 수 없는"),
    ({"wrong/rebuilt/shop.py": "x"}, "wrong/rebuilt/shop.py", "고칠 수 없는"),
    ({"wrong/rebuilt/expect.yaml": "check: nothing\n"}, "wrong/rebuilt/expect.yaml", "쓸 수 없"),
    ({"starter/big": "x" * 65_537}, "starter/big", "64 KB"),
    ({"checks/big.py": "x" * 65_537}, "checks/big.py", "64 KB"),
    ({"wrong/rebuilt/solution.sh": None}, "wrong/rebuilt/expect.yaml", "하나도"),
]


@pytest.mark.parametrize(("changes", "file", "words"), FILE_FAULTS)
def test_lab_file_fault_names_the_file(changes: dict[str, str | None], file: str, words: str) -> None:
    files = {path: text for path, text in {**FILES, **changes}.items() if text is not None}
    problems = {p.file: p for p in problems_of(files)}
    assert file in problems
    assert words in problems[file].message


RUN = """\
title: 캐시
kind: run
editable: [Dockerfile]
probes:
  - {id: image, build: {context: answer, run: ["python3", "app.py"]}, active: true}
checks:
  - {id: builds, type: query, probe: image, query: built, equals: true}
"""
RUN_FILES = {"exercise.yaml": RUN, "prompt.md": "쓰세요.\n", "starter/Dockerfile": ""}


def test_build_of_a_run_says_in_which_lab_it_happens() -> None:
    spec = parsed(RUN_FILES)
    assert (spec.environment, spec.probes[0].environment) == ("python", "docker")
    assert spec.limits.memory_mb == 128


def test_build_of_a_run_may_not_happen_where_programs_run() -> None:
    text = RUN.replace("active: true", "environment: python")
    (problem,) = problems_of({**RUN_FILES, "exercise.yaml": text})
    assert (problem.field, problem.line) == ("probes[0].environment", 5)


def test_run_may_not_happen_in_a_lab() -> None:
    text = RUN.replace("kind: run\n", "kind: run\nenvironment: docker\n")
    assert [p.field for p in problems_of({**RUN_FILES, "exercise.yaml": text})] == ["environment"]


@pytest.mark.parametrize(
    "key", ["setup: [[ls]]", "engines: [a]", "keep: [/root]", "baseline: [image]", "starter_on: a"]
)
def test_keys_of_labs_are_refused_in_a_run(key: str) -> None:
    (problem,) = problems_of({**RUN_FILES, "exercise.yaml": RUN + key + "\n"})
    assert problem.field == key.partition(":")[0]
    assert "kind를 lab으로" in problem.fix
