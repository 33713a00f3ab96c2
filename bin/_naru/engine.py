"""Naru's own engine container on the host's Docker: started, waited for, ended."""

from __future__ import annotations

import json
import os
import threading
import time
from typing import Any

from _naru import say, shell
from _naru.places import Data

READY_S = 180.0  # the first start puts the run images in
LABS_S = 300.0  # and then, without anybody waiting, the images of labs
LABEL = "naru.engine"
# The smallest set that was found to carry dockerd and gVisor (labs/engine/entrypoint.sh says what for).
RIGHTS = (
    "--network=none",
    "--cgroupns=private",
    "--cap-add=SYS_ADMIN",
    "--cap-add=NET_ADMIN",
    "--security-opt=seccomp=unconfined",
    "--security-opt=systempaths=unconfined",
    "--security-opt=apparmor=unconfined",
    "--security-opt=label=disable",
)


class Engine:
    """The engine container of one data directory. ``labs``: whether it puts in the images of labs."""

    def __init__(self, data: Data, *, labs: bool = True) -> None:
        self.data = data
        self.with_labs = labs

    def start(self, image: str) -> None:
        """Remove what a crash left, start anew and wait until runs can be started; raises Failure."""
        self.remove()
        directory = self.data.engine_dir
        for name in ("ready", "environments.json", "docker.sock"):
            (directory / name).unlink(missing_ok=True)
        shell.run(
            ["docker", "run", "--detach", "--name", self.data.engine_name, "--label", f"{LABEL}={self.data.path}",
             "--restart", "on-failure", "--env", f"NARU_ENGINE_LABS={int(self.with_labs)}", *RIGHTS,
             "--volume", f"{self.data.engine_name}:/var/lib/docker", "--volume", f"{directory}:/run/naru", image],
            failure="엔진 컨테이너를 켜지 못했어요.",
        )  # fmt: skip
        self._wait()

    def _wait(self) -> None:
        name, deadline = self.data.engine_name, time.monotonic() + READY_S
        next_look = time.monotonic() + 3
        while not (self.data.engine_dir / "ready").exists():
            now = time.monotonic()
            if now > deadline:
                raise say.Failure("엔진 컨테이너가 준비되지 않아요.", self.log())
            if now > next_look:
                if shell.answer(["docker", "inspect", "--format", "{{.State.Running}}", name]) != "true":
                    raise say.Failure("엔진 컨테이너가 켜지자마자 꺼졌어요.", self.log())
                say.progress("엔진", "실행 이미지를 넣는 중이에요")
                next_look = now + 1
            time.sleep(0.03)
        if not os.access(self.data.socket, os.R_OK | os.W_OK):
            raise say.Failure(f"엔진 소켓을 열 수 없어요: {self.data.socket}. 폴더의 그룹과 권한을 확인해 주세요.")

    def labs(self) -> dict[str, dict[str, Any]]:
        """Environment -> state (building, ready, failed), percent, text; empty before the engine says."""
        try:
            told = json.loads((self.data.engine_dir / "environments.json").read_text())
        except (OSError, ValueError):
            return {}
        return told if isinstance(told, dict) else {}

    def follow_labs(self, ended: threading.Event) -> bool:
        """Show how far the images of labs are until they are there (True), fail, or the engine goes."""
        deadline, shown = time.monotonic() + LABS_S, False
        if not self.with_labs:
            return True
        while time.monotonic() < deadline and not ended.wait(0.3):
            labs = self.labs()
            states = {lab["state"] for lab in labs.values()}
            if "failed" in states:
                say.failed(say.Failure("실습 이미지를 준비하지 못했어요.", self.log()))
                return False
            if states == {"ready"}:
                if shown:
                    say.line("실습 이미지가 준비됐어요.")
                return True
            if labs:
                percent = min(lab["percent"] for lab in labs.values())
                say.progress("실습 이미지", f"{percent}% 준비했어요. 그동안 다른 곳은 그대로 쓸 수 있어요")
                shown = True
        return False

    def log(self) -> str:
        return shell.answer(["docker", "logs", "--tail", "20", self.data.engine_name]) or ""

    def stop(self) -> None:
        """End it in order (its runs end with it) and remove it; the volume with its images stays."""
        shell.answer(["docker", "stop", "--time", "10", self.data.engine_name], timeout=30)
        self.remove()

    def remove(self, *, volume: bool = False) -> None:
        shell.answer(["docker", "rm", "--force", "--volumes", self.data.engine_name], timeout=60)
        if volume:
            shell.answer(["docker", "volume", "rm", "--force", self.data.engine_name], timeout=60)
