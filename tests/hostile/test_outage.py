"""Hostile item 29: the portal is killed, the engine stops, in the middle of a run. No submission is lost."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import docker
import pytest

from tests.conftest import SpareEngine

ROOT = Path(__file__).resolve().parent.parent.parent

pytestmark = [pytest.mark.docker, pytest.mark.hostile]

SUBMIT = """
from lessons.models import Exercise, User
from lessons.services.submissions import submit_answer
learner, _ = User.objects.get_or_create(username="unlucky")
row = submit_answer(learner=learner, exercise=Exercise.objects.get(slug="sum"), files={"main.py": %r})
print("ANSWER", row.pk)
"""
STATE = """
SELECT status, verdict, attempt, (SELECT count(*) FROM lessons_submission WHERE graded AND status = 'finished')
FROM lessons_submission WHERE id = ?
"""
SLOW = "import time\na, b = map(int, input().split())\ntime.sleep(4)\nprint(a + b)\n"


class PortalProcess:
    """The portal as uvicorn serves it, on data of its own, which the test may kill and start again."""

    def __init__(self, data: Path, engine: Path) -> None:
        self.data = data
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("NARU_", "DJANGO_"))}
        self.environment = {
            **kept,
            "NARU_DATA": str(data),
            "NARU_SECRET_KEY": "of-this-test-only-0123456789-0123456789-0123456789",
            "NARU_ENGINE_SOCKET": str(engine),
            "NARU_POOL_SIZE": "1",
        }
        self.process: subprocess.Popen[bytes] | None = None
        self._manage("migrate", "--verbosity", "0")
        self._manage("importcourse", str(ROOT / "bench" / "course" / "bench"))

    def start(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        with (self.data / "portal.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "uvicorn", "portal.asgi:application", "--port", str(port)],
                env=self.environment, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self._wait_for(lambda: self._healthy(port), 60, "the portal to answer")

    def end(self, number: int = signal.SIGTERM) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(60)

    def submit(self, program: str) -> str:
        return self._ask(SUBMIT % program)[0]

    def state(self, submission: str) -> tuple[str, str, int, int]:
        """(status, verdict, claims, attempts that count)."""
        with closing(sqlite3.connect(self.data / "naru.sqlite3", timeout=20)) as database:
            row: tuple[str, str, int, int] = database.execute(STATE, [submission.replace("-", "")]).fetchone()
        return row

    def wait_for(self, submission: str, *statuses: str, seconds: float = 60) -> tuple[str, str, int, int]:
        self._wait_for(lambda: self.state(submission)[0] in statuses, seconds, f"{statuses}")
        return self.state(submission)

    def _manage(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments], env=self.environment, cwd=ROOT, capture_output=True, timeout=120
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def _ask(self, program: str) -> list[str]:
        printed = self._manage("shell", "--verbosity", "0", "-c", program)
        return next(line.split()[1:] for line in printed.splitlines() if line.startswith("ANSWER "))

    @staticmethod
    def _healthy(port: int) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            with connection.getresponse() as response:
                return response.status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def _wait_for(self, holds: Callable[[], bool], seconds: float, what: str) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if holds():
                return
            time.sleep(0.2)
        pytest.fail(f"waited {seconds} s for {what}:\n{(self.data / 'portal.log').read_text()[-3000:]}")


@pytest.fixture
def portal(tmp_path: Path, spare_engine: SpareEngine) -> Iterator[PortalProcess]:
    data = tmp_path / "data"
    data.mkdir()
    started = PortalProcess(data, spare_engine.socket)
    started.start()
    yield started
    started.end()


def test_portal_killed_in_the_middle_loses_no_submission(portal: PortalProcess, spare_engine: SpareEngine) -> None:
    submission = portal.submit(SLOW)
    assert portal.wait_for(submission, "running")[2] == 1
    portal.end(signal.SIGKILL)
    assert portal.state(submission)[0] == "running"
    portal.start()
    status, verdict, claims, attempts = portal.wait_for(submission, "finished")
    assert (status, verdict, attempts) == ("finished", "pass", 1)
    assert claims >= 2
    portal.end()
    client = docker.APIClient(base_url=f"unix://{spare_engine.socket}", version="1.44")
    try:
        assert client.containers(all=True, filters={"label": "naru.process"}) == []
    finally:
        client.close()


def test_engine_stopped_in_the_middle_breaks_and_heals_without_a_verdict(
    portal: PortalProcess, spare_engine: SpareEngine
) -> None:
    submission = portal.submit(SLOW)
    portal.wait_for(submission, "running")
    spare_engine.stop()
    status, verdict, _, attempts = portal.wait_for(submission, "broken")
    assert (status, verdict, attempts) == ("broken", "", 0)
    while_down = portal.submit("print(sum(map(int, input().split())))\n")
    assert portal.wait_for(while_down, "broken")[1] == ""
    spare_engine.start()
    assert portal.wait_for(submission, "finished")[:2] == ("finished", "pass")
    assert portal.wait_for(while_down, "finished")[:2] == ("finished", "pass")
    assert portal.state(submission)[3] == 2
