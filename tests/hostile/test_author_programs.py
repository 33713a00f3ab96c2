"""Hostile item 31: programs of an author's (`script`, `expect_from`) are contained like a learner's run, on real
containers. What such a program does ends the submission as broken by its content, and never as a verdict.
"""

from __future__ import annotations

import re
import socket
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lessons import queue
from lessons.models import Submission
from lessons.sandbox import Sandbox
from lessons.services import grading, sandboxes
from lessons.services.submissions import submit_answer
from tests.factories import make_exercise, make_learner

pytestmark = [pytest.mark.docker, pytest.mark.hostile, pytest.mark.django_db]

ROOT = Path(__file__).resolve().parents[2]
MOST_GROWTH_KB = 32 * 1024
# What each kind of program says where it did what it was after: then the learner would pass, and the test fail.
SAYS = {"script": 'print(\'[{"id": "a", "passed": true}]\')', "expect_from": "print(7)"}
CHECKS = {
    "script": "{id: judged, title: 판단, type: script, program: judge.py}",
    "expect_from": "{id: judged, title: 판단, type: text, probe: small, expect_from: judge.py}",
}
FORKS = """
import os, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
while True:
    try:
        if os.fork() == 0:
            os.setsid()
    except OSError:
        pass
"""
FLOODS = """
SAY
import sys
while True:
    sys.stdout.write("x" * 65536)
"""
FILLS = """
held = []
while True:
    held.append(bytearray(1 << 24))
"""
CONNECTS = """
import socket
for address in (("127.0.0.1", PORT), ENGINE, "/run/naru/docker.sock"):
    try:
        socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET).connect(address)
    except OSError as error:
        print(error)
    else:
        SAY
        raise SystemExit(0)
for family, kind in ((40, 1), (38, 5), (17, 3)):
    try:
        socket.socket(family, kind)
    except OSError as error:
        print(error)
    else:
        SAY
        raise SystemExit(0)
raise SystemExit("nothing could be reached")
"""
READS = """
import os
from pathlib import Path
wanted = [SECRET, ROOT, ENGINE, "/run/naru", "/var/lib/docker/overlay2", "/labs/bin", "/proc/1/environ"]
found = [path for path in wanted if os.access(path, os.R_OK)]
for process in Path("/proc").glob("[0-9]*/environ"):
    try:
        found += [process] * (b"NARU_" in process.read_bytes())
    except OSError:
        pass
found += [name for name in os.environ if "NARU" in name or "SECRET" in name or "DJANGO" in name]
if found:
    SAY
else:
    raise SystemExit("nothing could be read")
"""


@pytest.fixture
def listener() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def graded(real_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, listener: int):
    """Grades a right answer whose exercise asks this program; the submission, and by how many KB we grew meanwhile."""
    monkeypatch.setattr(sandboxes, "_sandbox", real_sandbox)
    secret = tmp_path / "secret-key"
    secret.write_text("of the portal")

    def grade(kind: str, program: str) -> tuple[Submission, int]:
        named = {"SECRET": secret, "ROOT": ROOT, "ENGINE": real_sandbox.config.socket, "PORT": listener}
        for name, value in named.items():
            program = re.sub(rf"\b{name}\b", repr(value if isinstance(value, int) else str(value)), program)
        exercise = make_exercise(
            files={
                "exercise.yaml": textwrap.dedent(f"""\
                    title: 프로그램이 판단하는 문제
                    kind: run
                    environment: python
                    editable: [main.py]
                    probes:
                      - {{id: small, run: ["python3", "main.py"]}}
                    checks:
                      - {CHECKS[kind]}
                    """),
                "prompt.md": "7을 출력하세요.\n",
                "starter/main.py": "print(0)\n",
                "solution/main.py": "print(7)\n",
                "checks/judge.py": program.replace("SAY", SAYS[kind]),
            }
        )
        row = submit_answer(learner=make_learner(), exercise=exercise, files={"main.py": "print(7)\n"})
        claimed = queue.claim(worker="w", cap=10)
        assert claimed is not None
        before = _peak_kb()
        grading.grade_submission(claimed)
        row.refresh_from_db()
        return row, _peak_kb(reset=False) - before

    return grade


def _peak_kb(*, reset: bool = True) -> int:
    """The most memory of this process, since it was asked last."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    assert found
    return int(found[1])


@pytest.mark.parametrize("kind", ["script", "expect_from"])
def test_author_program_that_behaves_gives_a_verdict(graded, kind):
    """What the refusals below are told from."""
    row, _ = graded(kind, "SAY\n")
    assert (row.status, row.verdict) == ("finished", "pass")


@pytest.mark.parametrize("kind", ["script", "expect_from"])
@pytest.mark.parametrize(
    "program", [FORKS, FLOODS, FILLS, CONNECTS, READS], ids=["forks", "floods", "fills", "connects", "reads"]
)
def test_author_program_is_contained_and_breaks_its_own_exercise(graded, kind, program):
    began = time.monotonic()
    row, grown_kb = graded(kind, program)
    assert (row.status, row.verdict, row.broken_reason) == ("broken", "", "content")
    assert not row.result
    assert grown_kb < MOST_GROWTH_KB
    assert time.monotonic() - began < 40
    after, _ = graded(kind, "SAY\n")
    assert after.verdict == "pass"
