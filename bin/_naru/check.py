"""bin/test: everything that is checked, in one command with an engine, a browser and data of its own."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import FrameType

from _naru import dockerd, engine, extras, frontend, images, say, shell, venv
from _naru.places import PYTHON, ROOT, VENV, Data

FAST = "not docker and not browser"
# Each with the stage of the engine's Dockerfile that holds a Go to test it with, where this machine has none.
GO_MODULES = {
    "labs/park": "go",
    "labs/attendant": "go",
    "labs/docker/bake": "go",
    "labs/kubernetes/images": "go",
    "labs/kubernetes/labnet": "go",
    "labs/kubernetes/pause": "go",
    "labs/kubernetes/shop": "go",
    "labs/kubernetes/cluster": "kubernetes-light-upstream",  # and what takes minutes to compile
}


class Stop(Exception):
    """Ctrl-C or SIGTERM: tidy up and leave."""


def options(arguments: list[str]) -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(
        prog="bin/test",
        description="모든 검사를 돌려요: 린트, 타입, 가져오기 순서, Go, 화면 파일, pytest.",
        epilog="나머지 인자는 pytest로 가요. 예: bin/test -k name, bin/test tests/test_queue.py",
        add_help=False,
    )
    parser.add_argument("--fast", action="store_true", help="컨테이너와 브라우저가 필요한 테스트를 빼고 돌려요")
    parser.add_argument("-h", "--help", action="help", help="이 도움말을 보여 줘요")
    return parser.parse_known_args(arguments)


class Checks:
    """Steps that must all hold; the first failure does not hide the next."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.failed: list[str] = []

    def run(self, label: str, *argv: str | Path, cwd: Path = ROOT) -> None:
        try:
            with say.step(label):
                shell.run(argv, cwd=cwd, env=self.environment, failure=label)
        except say.Failure as failure:
            say.failed(failure)
            self.failed.append(label)

    def static(self, *, fast: bool) -> None:
        tools = VENV / "bin"
        self.run("ruff check", tools / "ruff", "check", ".")
        self.run("ruff format", tools / "ruff", "format", "--check", ".")
        self.run("mypy", tools / "mypy")
        self.run("mypy bin", tools / "mypy", "--config-file=", "--strict", "-p", "_naru", cwd=ROOT / "bin")
        self.run("lint-imports", tools / "lint-imports")
        self.run("makemigrations", PYTHON, ROOT / "manage.py", "makemigrations", "--check", "--dry-run")
        if not fast:
            self.run("frontend check", "npm", "run", "check", cwd=ROOT / "frontend")

    def go(self) -> None:
        """Vet and test the Go modules: with the machine's Go where it is new enough, else with the engine build's."""
        for name, stage in GO_MODULES.items():
            folder = ROOT / name
            if extras.host_go_suffices(folder / "go.mod"):
                self.run(f"go vet {name}", "go", "vet", "./...", cwd=folder)
                self.run(f"go test {name}", "go", "test", "./...", cwd=folder)
                continue
            try:
                with say.step(f"go vet, go test {name} (컨테이너)"):
                    extras.go_test_in_container(folder, stage)
            except say.Failure as failure:
                say.failed(failure)
                self.failed.append(f"go {name}")

    def pytest(self, arguments: list[str], report: Path) -> int:
        """Run pytest with its output shown as it comes; returns how many tests passed."""
        command: list[str | Path] = [PYTHON, "-m", "pytest", "--durations=10", f"--junitxml={report}", *arguments]
        with say.step("pytest"):
            code = subprocess.run(
                command, cwd=ROOT, env={**os.environ, **self.environment}, stdin=subprocess.DEVNULL, check=False
            ).returncode
        passed, failed, skipped = counts(report)
        self.failed += [f"pytest: {number}" for number in range(failed)]
        if skipped:
            say.failed(say.Failure(f"건너뛴 테스트가 {skipped}개 있어요. 빠진 것이 있다면 실패예요."))
            self.failed += [f"skipped: {number}" for number in range(skipped)]
        if code and not failed and not skipped:
            self.failed.append("pytest")  # a broken collection, no test at all, a crash
        return passed


def counts(report: Path) -> tuple[int, int, int]:
    """(passed, failed, skipped) of a junit report; all zero without one."""
    try:
        suites = ElementTree.parse(report).getroot().iter("testsuite")  # noqa: S314  (pytest wrote it a moment ago)
    except (OSError, ElementTree.ParseError):
        return 0, 0, 0
    passed = failed = skipped = 0
    for suite in suites:
        bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        left = int(suite.get("skipped", 0))
        passed += int(suite.get("tests", 0)) - bad - left
        failed += bad
        skipped += left
    return max(passed, 0), failed, skipped


def prepare_containers(data: Data, docker: dockerd.HostDocker, container: engine.Engine) -> dict[str, str]:
    """Engine, images and compose's plugins; returns what the tests are told of them."""
    docker.ensure()
    plugins = extras.ensure_compose()
    image = images.ensure_engine()
    with say.step("테스트 엔진 켜기"):
        container.start(image)
    portal = images.ensure_portal()
    with say.step("실습 이미지 기다리기"):
        if not container.follow_labs(threading.Event()):
            raise say.Failure("테스트 엔진에 실습 이미지가 준비되지 않아요.", container.log())
    return {
        "NARU_TEST_ENGINE_SOCKET": str(data.socket),
        "NARU_TEST_ENGINE_IMAGE": image,
        "NARU_TEST_PORTAL_IMAGE": portal,
        "NARU_TEST_DOCKER_CONFIG": str(plugins or ""),
    }


def on_signal(number: int, frame: FrameType | None) -> None:
    raise Stop


def run_all(chosen: argparse.Namespace, passed_on: list[str], data: Data, docker: dockerd.HostDocker) -> int:
    """Everything between set-up and tidying; returns the exit code after printing the closing line."""
    began = time.monotonic()
    container = engine.Engine(data)
    checks = Checks({"NARU_DATA": str(data.path), "NARU_SECRET_KEY": "only-for-tests-" + data.key * 3})
    selected = bool(passed_on)
    with ThreadPoolExecutor(1) as beside:
        containers: Future[dict[str, str]] | None = None
        if not chosen.fast:
            containers = beside.submit(prepare_containers, data, docker, container)
        try:
            venv.ensure(dev=True)
            if not chosen.fast:
                frontend.ensure()
                checks.environment.update(frontend.node_environment())
                extras.ensure_browser()
            if not selected:
                checks.static(fast=chosen.fast)
            if containers:
                checks.environment.update(containers.result())
        except Stop:
            shell.cancel()
            raise
        if not chosen.fast and not selected:
            checks.go()
        markers = ["-m", FAST] if chosen.fast and "-m" not in passed_on else []
        passed = checks.pytest([*markers, *passed_on], data.path / "report.xml")
    say.line("\n가장 오래 걸린 단계")
    for label, seconds in say.slowest():
        say.line(f"{seconds:8.1f}초  {label}")
    say.line(f"{time.monotonic() - began:8.1f}초  전체")
    steps = [label for label in checks.failed if not label.startswith(("pytest: ", "skipped: "))]
    if steps:
        say.line("실패한 단계: " + ", ".join(steps))
    say.line(f"{passed} passed, {len(checks.failed)} failed")
    return 1 if checks.failed else 0


def main(arguments: list[str]) -> int:
    chosen, passed_on = options(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, on_signal)
    data = Data(Path(tempfile.mkdtemp(prefix="naru-test-")))
    data.make()
    docker = dockerd.HostDocker()
    try:
        return run_all(chosen, passed_on, data, docker)
    except say.Failure as failure:
        say.failed(failure)
        say.line("0 passed, 1 failed")
        return 1
    except Stop:
        say.line("\n그만둘게요.")
        return 130
    finally:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        if not chosen.fast:
            engine.Engine(data).remove(volume=True)
            docker.stop_started()
        shutil.rmtree(data.path, ignore_errors=True)
