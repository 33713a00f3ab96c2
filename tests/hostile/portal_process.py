"""A portal of a test's own, to be killed and started again."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
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


class PortalProcess:
    """The portal as uvicorn serves it, on data of its own, which the test may kill and start again."""

    def __init__(self, data: Path, engine: Path, **settings: str) -> None:
        """``settings``: NARU_* variables without their beginning."""
        self.data = data
        self.port = 0
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("NARU_", "DJANGO_"))}
        self.environment = {
            **kept,
            "NARU_DATA": str(data),
            "NARU_SECRET_KEY": "of-this-test-only-0123456789-0123456789-0123456789",
            "NARU_ENGINE_SOCKET": str(engine),
            "NARU_POOL_SIZE": "1",
            **{f"NARU_{name}": value for name, value in settings.items()},
        }
        self.process: subprocess.Popen[bytes] | None = None
        self._manage("migrate", "--verbosity", "0")
        self._manage("importcourse", str(ROOT / "bench" / "course" / "bench"))

    def start(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        with (self.data / "portal.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "uvicorn", "portal.asgi:application", "--port", str(self.port)],
                env=self.environment, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self.until(lambda: self._healthy(self.port), 60, "the portal to answer")

    def end(self, number: int = signal.SIGTERM) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(60)

    def submit(self, program: str) -> str:
        return self.ask(SUBMIT % program)[0]

    def state(self, submission: str) -> tuple[str, str, int, int]:
        """(status, verdict, claims, attempts that count)."""
        status, verdict, claims, attempts = self.row(STATE, submission)
        return status, verdict, claims, attempts

    def row(self, query: str, pk: str) -> tuple[Any, ...]:
        """The row of the portal's database with this id."""
        with closing(sqlite3.connect(self.data / "naru.sqlite3", timeout=20)) as database:
            found: tuple[Any, ...] = database.execute(query, [pk.replace("-", "")]).fetchone()
        return found

    def wait_for(self, submission: str, *statuses: str, seconds: float = 60) -> tuple[str, str, int, int]:
        self.until(lambda: self.state(submission)[0] in statuses, seconds, f"{statuses}")
        return self.state(submission)

    def _manage(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments], env=self.environment, cwd=ROOT, capture_output=True, timeout=120
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def ask(self, program: str) -> list[str]:
        """The words after ANSWER that a program in the portal's own shell prints."""
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

    def until(self, holds: Callable[[], bool], seconds: float, what: str) -> None:
        """Wait until it holds; fails with the portal's last words."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if holds():
                return
            time.sleep(0.2)
        pytest.fail(f"waited {seconds} s for {what}:\n{(self.data / 'portal.log').read_text()[-3000:]}")
