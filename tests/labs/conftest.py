"""Real labs in the tests' engine, shared by the tests of one module."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lessons.contracts import LabShape
from lessons.sandbox import Lab, Sandbox
from tests.sandbox.running import lab_sandbox

LIFETIME = 1800.0
READY_SECONDS = 60.0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test marked ``first`` begins something that a test marked ``last`` ends: the others run while it goes on."""
    items.sort(key=lambda item: bool(item.get_closest_marker("last")) - bool(item.get_closest_marker("first")))


@pytest.fixture(scope="session")
def labs(engine_socket: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox without upkeep: every lab is cold, and gone at the end."""
    with lab_sandbox(engine_socket, tmp_path_factory.mktemp("labs")) as sandbox:
        yield sandbox


def opened(labs: Sandbox, shape: LabShape) -> Iterator[Lab]:
    lab = labs.open_lab(shape, owner="test", lifetime=LIFETIME)
    try:
        lab.wait_ready(READY_SECONDS)
        yield lab
    finally:
        lab.end()


@pytest.fixture(scope="module")
def lab(labs: Sandbox) -> Iterator[Lab]:
    """A ready lab with one engine."""
    yield from opened(labs, LabShape("docker"))


@pytest.fixture(scope="module")
def two_hosts(labs: Sandbox) -> Iterator[Lab]:
    """A ready lab with an engine on ``laptop`` and one on ``server``."""
    yield from opened(labs, LabShape("docker", ("laptop", "server"), 768))


@pytest.fixture
def another_lab(labs: Sandbox) -> Iterator[Lab]:
    """A ready lab of one test's own, to be ruined."""
    yield from opened(labs, LabShape("docker"))


@pytest.fixture
def in_lab(lab: Lab) -> Callable[..., str]:
    """Runs a line of shell in the module's lab and gives its output; fails where the line does."""

    def run(line: str, seconds: float = 60.0) -> str:
        done = lab.run(["/bin/bash", "-c", line], seconds=seconds)
        assert done.exit_code == 0, f"{line}: {(done.stdout + done.stderr).decode(errors='replace')[-2000:]}"
        return done.stdout.decode(errors="replace")

    return run
