"""The host's Docker: asked through its command line, installed and started where nobody else does."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from _naru import say, shell, system
from _naru.places import cache_dir

READY_S = 40.0
PID_FILES = {
    Path("/var/run/docker.pid"): "dockerd",
    Path("/var/run/docker/containerd/containerd.pid"): "containerd",
}
PACKAGES = ("docker.io", "iptables")
CLIENT = "docker-cli"  # a package of its own since Debian 13


class HostDocker:
    """The engine of the host. ``started`` is the dockerd that we started ourselves, if any."""

    def __init__(self) -> None:
        self.started: subprocess.Popen[bytes] | None = None

    def ensure(self) -> None:
        """Return when an engine answers; install and start one on Debian and Ubuntu as root; else raise Failure."""
        if self.answers():
            return
        if os.environ.get("DOCKER_HOST"):
            raise say.Failure(f"DOCKER_HOST={os.environ['DOCKER_HOST']}의 Docker 엔진이 대답하지 않아요.")
        self._refuse_without_rights()
        if not system.can_install():
            raise say.Failure(
                "Docker 엔진이 없어요. 배포판의 Docker(Debian과 Ubuntu는 apt install docker.io)를 설치해서 켜고 "
                "다시 시작해 주세요."
            )
        if not shutil.which("dockerd") or not shutil.which("docker"):
            client = (CLIENT,) if system.apt_knows(CLIENT) else ()
            system.apt_install(*PACKAGES, *client)
        self._start()

    def answers(self) -> bool:
        return bool(shell.answer(["docker", "version", "--format", "{{.Server.Version}}"]))

    def _refuse_without_rights(self) -> None:
        socket = Path("/var/run/docker.sock")
        if socket.exists() and not os.access(socket, os.R_OK | os.W_OK):
            raise say.Failure(
                "Docker를 쓸 권한이 없어요. sudo usermod -aG docker $USER 를 실행하고 다시 로그인한 다음 시작해 주세요."
            )

    def _start(self) -> None:
        with say.step("Docker 엔진 켜기"):
            if Path("/run/systemd/system").is_dir():
                shell.run(["systemctl", "start", "docker"], failure="Docker 서비스를 켜지 못했어요.")
                self._wait(lambda: True, "journalctl -u docker")
                return
            for file, program in PID_FILES.items():
                remove_stale_pid(file, program)
            log = cache_dir() / "dockerd.log"
            with log.open("wb") as out:
                self.started = subprocess.Popen(
                    ["dockerd"], stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True, cwd="/"
                )
            process = self.started
            self._wait(lambda: process.poll() is None, str(log))

    def _wait(self, alive: Callable[[], bool], log: str) -> None:
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            if self.answers():
                return
            if not alive():
                break
            time.sleep(0.1)
        self.started = None
        raise say.Failure(f"Docker 엔진이 켜지지 않아요. 기록을 확인해 주세요: {log}")

    def stop_started(self) -> None:
        """End the dockerd that we started, unless somebody's container runs on it; leave every other alone."""
        process, self.started = self.started, None
        if process is None or process.poll() is not None:
            return
        if shell.answer(["docker", "ps", "--quiet"]) != "":
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def remove_stale_pid(file: Path, program: str) -> bool:
    """Remove a pid file whose process is gone or is another program by now; dockerd refuses to start beside it."""
    try:
        pid = int(file.read_text().strip() or "0")
    except (FileNotFoundError, ValueError):
        pid = 0
    if not file.exists():
        return False
    try:
        name = Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        name = ""
    if name == program:
        return False
    file.unlink()
    return True


def build_environment() -> dict[str, str]:
    """BuildKit where its plugin is; the classic builder says a long warning otherwise, so choose it openly."""
    if "DOCKER_BUILDKIT" in os.environ or shell.answer(["docker", "buildx", "version"]):
        return {}
    return {"DOCKER_BUILDKIT": "0"}
