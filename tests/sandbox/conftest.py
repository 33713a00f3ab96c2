"""A sandbox on the tests' engine, shared by the tests of one module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lessons.sandbox import Sandbox, execs
from tests.sandbox.lab_engine import LabEngine
from tests.sandbox.running import running_sandbox


@pytest.fixture(scope="session")
def lock_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all sandboxes of these tests, as for all processes of one portal."""
    return tmp_path_factory.mktemp("locks")


@pytest.fixture(scope="module")
def real_sandbox(engine_socket: Path, lock_dir: Path) -> Iterator[Sandbox]:
    """Started, with two parked containers."""
    with running_sandbox(engine_socket, lock_dir) as sandbox:
        yield sandbox


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[LabEngine]:
    """None that runs: for labs, with the connections of their execs held by the test."""
    made = LabEngine()
    monkeypatch.setattr(execs, "_hijack", made.hijack)
    yield made
    made.close()
