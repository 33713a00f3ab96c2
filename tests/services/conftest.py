"""What the tests of services share."""

from __future__ import annotations

import pytest

from lessons.services import sandboxes
from tests.services.sums import SumSandbox


@pytest.fixture
def sandbox(monkeypatch) -> SumSandbox:
    """The process's sandbox, answering for the sum exercise."""
    fake = SumSandbox()
    monkeypatch.setattr(sandboxes, "_sandbox", fake)
    return fake
