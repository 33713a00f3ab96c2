"""docker compose, for real: up, a page answers, an answer is graded, down with everything it made."""

from __future__ import annotations

import json
import socket
import subprocess
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SUM_COURSE = ROOT / "bench" / "course" / "bench"

pytestmark = pytest.mark.docker


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Compose:
    """One compose project of the tests' own."""

    def __init__(self, environment: dict[str, str], port: int) -> None:
        self.port = port
        self.environment = environment
        self.project = f"naru-test-{uuid.uuid4().hex[:8]}"

    def run(self, *arguments: str, check: bool = True, timeout: int = 300) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            ["docker", "compose", "--project-name", self.project, *arguments],
            cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout,
            check=False,
        )  # fmt: skip
        if check and done.returncode:
            log = subprocess.run(
                ["docker", "compose", "--project-name", self.project, "logs", "--no-color", "--tail", "40"],
                cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
            pytest.fail(f"compose {' '.join(arguments)}: {done.stdout}{done.stderr}\n{log.stdout}", pytrace=False)
        return done


@pytest.fixture(scope="module")
def compose(docker_environment: dict[str, str], engine_image: str, portal_image: str) -> Iterator[Compose]:
    port = free_port()
    chosen = {
        "NARU_ENGINE_IMAGE": engine_image,
        "NARU_PORTAL_IMAGE": portal_image,
        "NARU_PORT": str(port),
        "NARU_ENGINE_LABS": "0",  # tests/labs has them; here they would only take disk and time
    }
    project = Compose({**docker_environment, **chosen}, port)
    try:
        project.run("up", "--no-build", "--detach", "--wait")
        yield project
    finally:
        project.run("down", "--volumes", "--timeout", "20", check=False)


def test_compose_answers_with_a_page_on_loopback(compose: Compose) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{compose.port}/", timeout=10) as page:
        assert page.status == 200
        assert 'lang="ko"' in page.read().decode()


def test_compose_keeps_its_secrets_to_the_portal(compose: Compose) -> None:
    modes = compose.run("exec", "-T", "portal", "stat", "-c", "%a %U", "/data/secret-key", "/data/admin-password")
    assert modes.stdout.splitlines() == ["600 naru", "600 naru"]


def test_compose_grades_a_right_and_a_wrong_sum(compose: Compose) -> None:
    compose.run("cp", str(SUM_COURSE), "portal:/tmp/bench")
    compose.run("exec", "-T", "portal", ".venv/bin/python", "manage.py", "importcourse", "/tmp/bench")
    exercise = "/tmp/bench/01-sum/exercises/sum"
    verdicts = {}
    for answer in ("solution", "wrong/minus"):
        done = compose.run(
            "exec", "-T", "portal", ".venv/bin/python", "manage.py", "tryanswer", "bench/sum",
            f"{exercise}/{answer}", "--json", check=False,
        )  # fmt: skip
        verdicts[answer] = (done.returncode, json.loads(done.stdout)["verdict"])
    assert verdicts == {"solution": (0, "pass"), "wrong/minus": (1, "fail")}


def test_compose_gives_the_engine_no_network_and_the_portal_no_capability(compose: Compose) -> None:
    ids = {name: compose.run("ps", "--quiet", name).stdout.strip() for name in ("portal", "engine")}
    documents = {
        name: json.loads(subprocess.run(["docker", "inspect", id_], capture_output=True, check=True).stdout)[0]
        for name, id_ in ids.items()
    }
    assert documents["engine"]["HostConfig"]["NetworkMode"] == "none"
    assert not documents["engine"]["HostConfig"]["Privileged"]
    assert documents["portal"]["HostConfig"]["CapDrop"] == ["ALL"]
    assert documents["portal"]["Config"]["User"] == "naru"
