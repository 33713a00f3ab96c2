"""A sandbox on the tests' engine, shared by the tests of one module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lessons.sandbox import Sandbox
from tests.sandbox.running import running_sandbox


@pytest.fixture(scope="module")
def real_sandbox(engine_socket: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Started, with two parked containers."""
    with running_sandbox(engine_socket, tmp_path_factory.mktemp("data")) as sandbox:
        yield sandbox
