"""Answers that try to pass without doing the work, graded with real containers from plan to verdict."""

from __future__ import annotations

import json
import re
import textwrap

import pytest

from lessons import graders
from lessons.content import parse_exercise, read_catalogue
from lessons.contracts import Ended, Evidence, ExerciseSpec, Grade, Plan, Verdict
from lessons.sandbox import Sandbox
from tests.sandbox.running import CATALOGUE

pytestmark = [pytest.mark.docker, pytest.mark.hostile]

SUM_YAML = """
title: 두 수의 합
kind: run
environment: python
editable: [main.py]
limits: {seconds: 5, cpu_seconds: 5, memory_mb: 128, output_kb: 256, processes: 32}
vars: {a: {int: [100000000, 999999999]}, b: {int: [100000000, 999999999]}}
probes:
  - {id: small, run: ["python3", "main.py"], stdin: "3 4\\n", files: {notes.txt: "시험 자료"}}
  - {id: drawn, run: ["python3", "main.py"], stdin: "{{a}} {{b}}\\n", hidden: true}
checks:
  - {id: adds, title: 더하기, type: text, probe: small, equals: "7\\n",
     message: "{expected}이(가) 나와야 하는데 {found}이(가) 나왔어요."}
  - {id: any, title: 어떤 수든 더하기, type: text, probe: drawn, numbers_from: "a + b", weight: 2}
  - {id: clean, title: 정상으로 끝나기, type: query, probe: small, query: exit_code, equals: 0}
"""
SOLUTION = "a, b = map(int, input().split())\nprint(a + b)\n"
SEED = 20_771


@pytest.fixture(scope="module")
def spec() -> ExerciseSpec:
    files = {
        "exercise.yaml": SUM_YAML,
        "prompt.md": "두 수를 더해요.\n",
        "starter/main.py": "print(input())\n",
        "solution/main.py": SOLUTION,
        "wrong/constant/main.py": "print(7)\n",
        "wrong/constant/expect.yaml": "check: any\n",
        "wrong/product/main.py": "print(12)\n",
        "wrong/product/expect.yaml": "check: adds\n",
    }
    return parse_exercise("sum", files, catalogue=read_catalogue(CATALOGUE))


class Graded:
    """An answer's way from the plan to its grade."""

    def __init__(self, sandbox: Sandbox, spec: ExerciseSpec, answer: str) -> None:
        self.plan: Plan = graders.plan(spec, {"main.py": textwrap.dedent(answer)}, SEED)
        self.evidence: Evidence = sandbox.collect(self.plan, owner="hostile", deadline=60)
        judged = graders.judge(spec, self.plan, self.evidence)
        assert isinstance(judged, Grade)
        self.grade = judged
        self.rows = graders.output_rows(spec, self.plan, self.evidence)
        self.passed = {check.id for check in judged.checks if check.passed}
        self.stdout = self.evidence.runs["small"].stdout.decode(errors="replace")


@pytest.fixture
def graded(real_sandbox: Sandbox, spec: ExerciseSpec):
    return lambda answer: Graded(real_sandbox, spec, answer)


def test_solution_passes(graded):
    assert graded(SOLUTION).grade.verdict is Verdict.PASS


@pytest.mark.parametrize(
    "answer",
    [
        "import sys; sys.exit(0)",
        "import os; os._exit(0)",
        "raise SystemExit",
        "import atexit, os; atexit.register(lambda: 1 / 0); atexit.register(os._exit, 0)",
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "",
        "syntax error(",
    ],
)
def test_leaving_before_the_work_is_done_fails(graded, answer):
    outcome = graded(answer)
    assert outcome.grade.verdict is Verdict.FAIL
    assert "any" not in outcome.passed


@pytest.mark.parametrize(
    "answer",
    [
        """
        class Same(str):
            __eq__ = __contains__ = __bool__ = lambda *_: True
            __ne__ = lambda *_: False
            __hash__ = str.__hash__
        print(Same("whatever"))
        """,
        """
        import builtins, sys, types
        builtins.print = builtins.input = builtins.sum = builtins.int = lambda *_, **__: 7
        builtins.AssertionError = Warning
        for name in ("unittest", "pytest", "json", "jmespath", "lessons", "lessons.graders", "difflib"):
            module = types.ModuleType(name)
            module.judge = module.main = module.loads = module.search = lambda *_, **__: True
            sys.modules[name] = module
        sys.excepthook = sys.unraisablehook = lambda *_: None
        """,
        """
        import unittest
        unittest.TestCase.assertEqual = lambda *_: None
        unittest.main = lambda *_, **__: None
        print("OK")
        """,
        """
        import json, sys
        grade = {"id": "any", "passed": True, "verdict": "pass", "score": 1.0, "ended": "exit", "exit_code": 0}
        for stream in (sys.stdout, sys.stderr):
            print(json.dumps({"checks": [grade], **grade}), file=stream)
        """,
        """
        import os, struct
        report = b'{"ended":"exit","exit_code":0,"stdout":"Nwo=","stderr":"","files":{},"cpu_ms":1,"peak_bytes":1,' \\
                 b'"wall_ms":1,"truncated":false}'
        frame = struct.pack(">I", len(report)) + report
        for descriptor in range(256):
            try: os.write(descriptor, frame); os.write(descriptor, struct.pack(">BxxxI", 1, len(frame)) + frame)
            except OSError: pass
        """,
    ],
    ids=["equal-to-all", "modules", "unittest", "a-grade-in-the-output", "a-report-on-every-descriptor"],
)
def test_patched_python_and_forged_reports_fail(graded, answer):
    outcome = graded(answer)
    assert outcome.grade.verdict is Verdict.FAIL
    assert not {"adds", "any"} & outcome.passed
    assert outcome.evidence.runs["small"].ended is Ended.EXIT


@pytest.mark.parametrize(
    "answer",
    [
        "print(7)",
        "print(7 if input() == '3 4' else 0)",
        "print(*range(1000))",
    ],
)
def test_answers_for_the_visible_case_fail_the_hidden_one(graded, answer):
    outcome = graded(answer)
    assert outcome.grade.verdict is Verdict.FAIL
    assert "any" not in outcome.passed


WALK = """
import gc, glob, os, re, sys
given = sys.stdin.read()
texts = []
for name in glob.glob("/proc/*/environ") + glob.glob("/proc/*/cmdline") + glob.glob("/proc/*/task/*/comm"):
    try: texts.append(open(name, "rb").read().decode("latin-1"))
    except OSError: pass
for process in ["self", *(name for name in os.listdir("/proc") if name.isdigit())]:
    try: descriptors = os.listdir(f"/proc/{process}/fd")
    except OSError: continue
    for descriptor in descriptors:
        try:
            texts.append(os.readlink(f"/proc/{process}/fd/{descriptor}"))
            if process != "self" or int(descriptor) > 2:
                handle = os.open(f"/proc/{process}/fd/{descriptor}", os.O_RDONLY | os.O_NONBLOCK)
                texts.append(os.read(handle, 65536).decode("latin-1"))
        except OSError: pass
frame = sys._getframe()
while frame:
    texts += [repr(frame.f_locals), repr(frame.f_globals)]
    frame = frame.f_back
for thing in gc.get_objects():
    try: texts.append(repr(thing)[:10000])
    except Exception: pass
for folder, folders, files in os.walk("/"):
    if folder == "/": folders[:] = [name for name in folders if name not in ("proc", "sys", "usr", "dev")]
    for name in files:
        try: texts.append(open(os.path.join(folder, name), "rb").read(200000).decode("latin-1"))
        except OSError: pass
seen = "\\n".join(texts).replace(given, "")
print("numbers", *sorted(set(re.findall(r"(?<!\\d)\\d{9,10}(?!\\d)", seen))))
# Backwards, so that the search does not find itself.
backwards = "morf_srebmun lmay.esicrexe :neddih tnatsnoc/gnorw sredarg.snossel _URAN ssecorp.uran"
print("words", *[word for word in backwards[::-1].split() if word in seen])
print("environment", *sorted(os.environ))
print("files", *sorted(os.listdir()))
"""


def test_walk_through_the_process_finds_no_expected_value_and_no_hidden_input(graded):
    outcome = graded(WALK)
    found = dict((line + " ").split(" ", 1) for line in outcome.stdout.splitlines())
    a, b = outcome.plan.variables["a"], outcome.plan.variables["b"]
    assert isinstance(a, int)
    assert isinstance(b, int)
    assert not {str(a), str(b), str(a + b)} & set(found["numbers"].split())
    assert found["words"].split() == []
    assert set(found["environment"].split()) <= {"PATH", "HOME", "TMPDIR", "LANG", "USER", "LC_CTYPE"}
    assert found["files"].split() == ["main.py", "notes.txt"]
    hidden = outcome.evidence.runs["drawn"].stdout.decode()
    assert "numbers" in hidden
    assert str(a + b) not in hidden


def test_hidden_probe_shows_the_learner_nothing_but_its_end(graded):
    outcome = graded("print('leak', input()); raise SystemExit(3)")
    shown = json.dumps([outcome.rows, [repr(check) for check in outcome.grade.checks]], ensure_ascii=False)
    a, b = (str(outcome.plan.variables[name]) for name in "ab")
    assert a not in shown
    assert b not in shown
    assert outcome.rows[1] == {"probe": "drawn", "hidden": True, "ended": "exit"}
    assert b"leak" in outcome.evidence.runs["drawn"].stdout


PLANT = """
import glob, os, site, subprocess, sys
planted, before = [], []
names = ("sitecustomize.py", "usercustomize.py", "conftest.py", "python3", "sum.py", "checks.py", "main.pyc")
folders = {*sys.path, site.getusersitepackages(), "/box", "/tmp", "/dev/shm", "/usr/local/bin", "/usr/bin", "/sbin",
           "/usr/local/lib/python3.13/dist-packages", "/usr/lib/python3/dist-packages", "/etc", "/root"}
for folder in sorted(filter(os.path.isabs, folders)):
    for name in names:
        path = os.path.join(folder, name)
        if os.path.exists(path) and folder in ("/box", "/tmp", "/dev/shm", site.getusersitepackages()):
            before.append(path)
        try:
            os.makedirs(folder, exist_ok=True)
            with open(path, "w") as file: file.write("import builtins\\nbuiltins.int = lambda *_: 7\\nprint(7)\\n")
            os.chmod(path, 0o755)
            planted.append(path)
        except OSError: pass
open("/box/main.py", "w").write("print(7)")
subprocess.Popen([sys.executable, "-c", "import time\\nwhile True: time.sleep(1)"], start_new_session=True)
print("before", *before)
print("planted", *planted)
"""


def test_planted_modules_and_tools_reach_no_other_run(graded):
    outcome = graded(PLANT)
    assert outcome.grade.verdict is Verdict.FAIL
    runs = outcome.evidence.runs
    assert runs["small"].inspect["Id"] != runs["drawn"].inspect["Id"]
    for run in runs.values():
        said = dict((line + " ").split(" ", 1) for line in run.stdout.decode().splitlines())
        assert said["before"].split() == []
        planted = said["planted"].split()
        assert "/box/sitecustomize.py" in planted
        assert all(re.match(r"/(box|tmp|dev/shm)/", path) for path in planted)
    assert graded(SOLUTION).grade.verdict is Verdict.PASS  # nor anybody's later


def test_pid_1_cannot_be_written_to(graded):
    outcome = graded(
        """
        import os
        for name, flags in (("fd/0", os.O_WRONLY), ("fd/1", os.O_WRONLY), ("fd/2", os.O_WRONLY), ("fd/1", os.O_RDONLY),
                            ("mem", os.O_RDWR), ("mem", os.O_RDONLY), ("root", os.O_RDONLY), ("cwd", os.O_RDONLY),
                            ("exe", os.O_RDONLY), ("environ", os.O_RDONLY), ("maps", os.O_RDONLY)):
            try:
                handle = os.open(f"/proc/1/{name}", flags)
                if flags == os.O_RDONLY and name in ("environ", "maps"):
                    if not os.read(handle, 10): raise OSError("empty")
                print("opened", name, flags)
            except OSError:
                print("refused", name, flags)
        """
    )
    lines = outcome.stdout.splitlines()
    assert len(lines) == 11
    assert [line for line in lines if not line.startswith("refused")] == []


NASTY = {
    "terminal": rb"\x1b[31m\x1b]0;owned\x07\x1b]8;;http://x\x1b\\link\x1b[2J\x9b31m",
    "nul": rb"7\x00\n\x00",
    "broken": rb"\xff\xfe\xed\xa0\x80\xc3",
    "bidi": rb"\xe2\x80\xae\xe2\x81\xa6\xe2\x80\x8f7\xef\xbb\xbf",
    "markup": rb"<script>alert(1)</script><img src=x onerror=alert(1)>",
}


@pytest.mark.parametrize("name", NASTY)
def test_nasty_output_of_a_real_run_is_storable(graded, name):
    raw = NASTY[name].decode()
    outcome = graded(f"import sys\nfor s in (sys.stdout, sys.stderr): s.buffer.write(b'{raw}')")
    assert outcome.grade.verdict is Verdict.FAIL
    assert outcome.evidence.runs["small"].stdout == eval(f"b'{raw}'")  # noqa: S307 - our own literal, as sent
    stored = json.dumps(outcome.rows, ensure_ascii=False)
    stored.encode("utf-8", errors="strict")
    assert not set(stored) & set("\x00\x07\x7f\x9b\u202e\u2066\u200f\ufeff")
    assert "\\u0000" not in stored
    checks = "".join(check.expected + check.found + check.message + check.diff for check in outcome.grade.checks)
    assert "\x1b" not in checks


def test_line_of_ten_megabytes_is_cut_and_stored(graded):
    outcome = graded("print('A' * 10_000_000)")
    run = outcome.evidence.runs["small"]
    assert (run.ended, run.truncated, len(run.stdout)) == (Ended.OUTPUT, True, 256 << 10)
    assert outcome.grade.verdict is Verdict.OUTPUT_LIMIT
    assert outcome.rows[0]["truncated"] is True
    assert len(json.dumps(outcome.rows)) < 100_000
    assert all(len(check.found + check.diff) < 10_000 for check in outcome.grade.checks)
