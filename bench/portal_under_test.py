"""A portal of the bench's own: bin/start with its own data, engine and port, and learners who speak HTTP to it."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import uuid
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = ROOT / ".venv" / "bin" / "python"
START_DEADLINE_S = 900  # a fresh machine builds images first
CREATE_LEARNERS = """
import json, sys
from django.contrib.auth import SESSION_KEY, BACKEND_SESSION_KEY, HASH_SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from lessons.models import User
cookies = []
for number in range(int(sys.stdin.readline())):
    user, _ = User.objects.get_or_create(username=f"bench-{number}")
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    cookies.append(session.session_key)
print("COOKIES " + json.dumps(cookies))
"""


FORGET_KEPT = "from lessons.models import KeptHome; KeptHome.objects.all().delete()"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Portal:
    """A running ``bin/start``; use as a context manager."""

    data: Path
    pool_size: int
    runs_in_flight: int | None = None
    port: int = field(default_factory=free_port)
    ready_s: float = 0.0
    process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        chosen = {
            "NARU_DATA": str(self.data),
            "NARU_COURSES": str(ROOT / "bench" / "course"),
            "NARU_POOL_SIZE": str(self.pool_size),
            "NARU_SUBMISSIONS_PER_MINUTE": "10000",
            "NARU_OPEN_SUBMISSIONS": "1000",
            "NARU_LOG_LEVEL": "WARNING",
        }
        if self.runs_in_flight:
            chosen["NARU_RUNS_IN_FLIGHT"] = str(self.runs_in_flight)
        return {**os.environ, **chosen}

    def __enter__(self) -> Portal:
        began = time.monotonic()
        self.log = (self.data / f"start-{self.pool_size}.log").open("wb")
        command = [str(ROOT / "bin" / "start"), "--port", str(self.port), "--data", str(self.data)]
        self.process = subprocess.Popen(
            command, env=self.environment, stdout=self.log, stderr=subprocess.STDOUT, start_new_session=True
        )
        while time.monotonic() - began < START_DEADLINE_S:
            if self.process.poll() is not None:
                raise SystemExit(f"bin/start ended with {self.process.returncode}: see {self.log.name}")
            if self._answers():
                self.ready_s = time.monotonic() - began
                return self
            time.sleep(0.1)
        raise SystemExit(f"the portal did not answer within {START_DEADLINE_S} s: see {self.log.name}")

    def __exit__(self, *_: object) -> None:
        if self.process is None:
            return
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.log.close()

    def _answers(self) -> bool:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except OSError:
            return False

    @property
    def engine_socket(self) -> Path:
        return self.data / "engine" / "docker.sock"

    def server_pid(self) -> int:
        """The uvicorn process among bin/start and its descendants."""
        if self.process is None:
            raise RuntimeError("not started")
        queue = [self.process.pid]
        while queue:
            pid = queue.pop(0)
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
            if b"uvicorn" in command and b"bin/start" not in command:
                return pid
            for task in Path(f"/proc/{pid}/task").iterdir():
                queue += [int(child) for child in (task / "children").read_text().split()]
        return self.process.pid

    def rss_mb(self) -> float:
        status = Path(f"/proc/{self.server_pid()}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]  # always there for a live process

    def collect_ms(self) -> list[int]:
        """Milliseconds that the sandbox took for each graded submission, newest first."""
        program = (
            "import json; from lessons.models import Submission; print('TIMES ' + json.dumps([row.result['timings']"
            "['collect'] for row in Submission.objects.filter(status='finished').order_by('-queued_at')]))"
        )
        asked = subprocess.run(
            [str(PYTHON), str(ROOT / "manage.py"), "shell", "-c", program],
            env=self.environment, capture_output=True, check=True, timeout=120,
        )  # fmt: skip
        line = next(line for line in asked.stdout.decode().splitlines() if line.startswith("TIMES "))
        return list(json.loads(line.removeprefix("TIMES ")))

    def forget_kept(self) -> None:
        """Remove what learners kept of their labs: the next ones begin from nothing."""
        subprocess.run(
            [str(PYTHON), str(ROOT / "manage.py"), "shell", "-c", FORGET_KEPT],
            env=self.environment, capture_output=True, check=True, timeout=120,
        )  # fmt: skip

    def learners(self, count: int) -> list[Learner]:
        made = subprocess.run(
            [str(PYTHON), str(ROOT / "manage.py"), "shell", "-c", CREATE_LEARNERS],
            input=f"{count}\n".encode(), env=self.environment, capture_output=True, check=True, timeout=120,
        )  # fmt: skip
        line = next(line for line in made.stdout.decode().splitlines() if line.startswith("COOKIES "))
        return [Learner(self.port, cookie) for cookie in json.loads(line.removeprefix("COOKIES "))]


@dataclass
class Verdict:
    """What a learner waited for."""

    ms: float
    verdict: str
    in_reply: bool


class Learner:
    """One browser: a session, a CSRF token, a kept-alive connection."""

    LESSON = "/bench/01-sum/"
    CREATE = "/bench/exercises/sum/submissions/"
    ANSWER = "print(sum(map(int, input().split())))\n"

    def __init__(self, port: int, session: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self.session = session
        self.csrf = ""
        status, page = self.get(self.LESSON)
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        if status != 200 or not found:
            raise SystemExit(f"no form on {self.LESSON}: {status}")
        self.token = found[1]

    def _headers(self) -> dict[str, str]:
        cookie = f"sessionid={self.session}" + (f"; csrftoken={self.csrf}" if self.csrf else "")
        return {"Cookie": cookie, "HX-Request": "true", "Accept-Encoding": "identity"}

    def _exchange(
        self, method: str, path: str, headers: dict[str, str], body: str = ""
    ) -> tuple[http.client.HTTPResponse, str]:
        """As a browser does, on a kept-alive connection; the server may have closed an idle one. The token makes
        sending an answer twice harmless."""
        for last in (False, True):
            try:
                self.connection.request(method, path, body or None, headers)
                response = self.connection.getresponse()
                return response, response.read().decode()
            except (BrokenPipeError, ConnectionResetError, http.client.RemoteDisconnected):
                self.connection.close()
                if last:
                    raise
        raise AssertionError("not reached")

    def get(self, path: str, *, htmx: bool = False) -> tuple[int, str]:
        headers = self._headers()
        if not htmx:
            del headers["HX-Request"]
        response, body = self._exchange("GET", path, headers)
        for value in response.headers.get_all("Set-Cookie") or []:
            if value.startswith("csrftoken="):
                self.csrf = value.split(";")[0].split("=", 1)[1]
        return response.status, body

    def submit(self, deadline_s: float = 120) -> Verdict:
        """POST the right answer and wait until a verdict is on the page."""
        body = urllib.parse.urlencode(
            {
                "csrfmiddlewaretoken": self.token,
                "token": uuid.uuid4().hex,
                "action": "grade",
                "file:main.py": self.ANSWER,
            }
        )
        headers = {**self._headers(), "Content-Type": "application/x-www-form-urlencoded"}
        began = time.perf_counter()
        response, page = self._exchange("POST", self.CREATE, headers, body)
        if response.status != 200:
            return Verdict((time.perf_counter() - began) * 1000, f"http {response.status}", True)
        in_reply = True
        while time.perf_counter() - began < deadline_s:
            verdict = re.search(r'data-verdict="([a-z_]+)"', page)
            if verdict:
                return Verdict((time.perf_counter() - began) * 1000, verdict[1], in_reply)
            again = re.search(r"/submissions/([0-9a-f-]{36})/", page)
            if not again:
                return Verdict((time.perf_counter() - began) * 1000, "no verdict, no way on", in_reply)
            in_reply = False
            delay = re.search(r"delay:(\d+)ms", page)  # as the page asks its browser to
            time.sleep(int(delay[1]) / 1000 if delay else 0.5)
            page = self.get(f"/submissions/{again[1]}/", htmx=True)[1]
        return Verdict(deadline_s * 1000, "lost", False)


if __name__ == "__main__":
    sys.exit("run bench/verdict.py")
