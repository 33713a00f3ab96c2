"""What the tests of services share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lessons.services import sandboxes, watching
from tests.services.labs import DockerSandbox
from tests.services.sums import SumSandbox


@pytest.fixture
def sandbox(monkeypatch) -> SumSandbox:
    """The process's sandbox, answering for the sum exercise."""
    fake = SumSandbox()
    monkeypatch.setattr(sandboxes, "_sandbox", fake)
    return fake


@pytest.fixture
def docker(monkeypatch) -> Iterator[DockerSandbox]:
    """The process's sandbox, answering for the lab exercise as well; nobody watches afterwards."""
    fake = DockerSandbox()
    monkeypatch.setattr(sandboxes, "_sandbox", fake)
    yield fake
    watching.stop_all()
