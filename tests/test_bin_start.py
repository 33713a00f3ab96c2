"""bin/start as an operator meets it: it serves, Ctrl-C ends it, nothing of it stays."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from _naru.places import Data

ROOT = Path(__file__).resolve().parent.parent

pytestmark = pytest.mark.docker
END_S = 60


class Started:
    """A bin/start of the test's own, read until its pages answer."""

    def __init__(self, data: Path, courses: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("NARU_", "DJANGO_"))}
        self.process = subprocess.Popen(
            [ROOT / "bin" / "start", "--port", str(port), "--data", str(data)],
            env={**kept, "NARU_COURSES": str(courses), "NARU_POOL_SIZE": "0"},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self.output = ""
        self.url = ""
        assert self.process.stdout
        for line in self.process.stdout:
            self.output += line
            if found := re.search(r"나루가 켜졌어요: (\S+)", line):
                self.url = found[1]
                return
        pytest.fail(f"bin/start ended by itself:\n{self.output}", pytrace=False)

    def end(self, number: int) -> int:
        """Send a signal and return the exit code; a second call changes nothing."""
        if self.process.returncode is None:
            self.process.send_signal(number)
        code = self.process.wait(END_S)
        if self.process.stdout:
            self.process.stdout.close()
        return code


def containers(data: Path) -> str:
    done = subprocess.run(
        ["docker", "ps", "--all", "--quiet", "--filter", f"name=^{Data(data).engine_name}$"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


def status_of(url: str) -> int:
    connection = http.client.HTTPConnection(url.removeprefix("http://").rstrip("/"), timeout=10)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status
    finally:
        connection.close()


StartIn = Callable[[], Started]


@pytest.fixture
def data(tmp_path: Path, engine_socket: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def start(data: Path, tmp_path: Path) -> Iterator[StartIn]:
    """Starts bin/start on ``data``; whatever the test does, nothing of it outlives the test."""
    started: list[Started] = []

    def start_one() -> Started:
        started.append(Started(data, tmp_path))
        return started[-1]

    try:
        yield start_one
    finally:
        for one in started:
            one.end(signal.SIGTERM)
        name = Data(data).engine_name
        subprocess.run(["docker", "rm", "--force", name], capture_output=True, check=False)
        subprocess.run(["docker", "volume", "rm", "--force", name], capture_output=True, check=False)


def test_start_serves_and_ctrl_c_leaves_nothing_running(start: StartIn, data: Path) -> None:
    started = start()
    assert status_of(started.url) == 200
    assert containers(data)
    assert (data / "engine" / "docker.sock").is_socket()
    assert started.process.stdout
    assert str(data / "admin-password") in started.process.stdout.readline()
    assert started.end(signal.SIGINT) == 0
    assert containers(data) == ""
    with pytest.raises(ConnectionRefusedError):
        status_of(started.url)


def test_start_removes_what_a_crash_left_and_serves_again(start: StartIn, data: Path) -> None:
    start().end(signal.SIGKILL)
    left = containers(data)
    assert left
    second = start()
    assert status_of(second.url) == 200
    assert containers(data) != left
    assert second.end(signal.SIGTERM) == 0
    assert containers(data) == ""
