"""A browser for each of the fixed cast: owner, stranger, instructor, nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from lessons import notify
from lessons.models import Submission
from tests.factories import make_exercise, make_finished, make_learner, make_staff


@pytest.fixture(autouse=True)
def _empty_cache():
    cache.clear()


@pytest.fixture(autouse=True)
def _guests_allowed(settings):
    settings.GUESTS = True


@pytest.fixture
def exercise(db):
    return make_exercise(slug="sum")


@pytest.fixture
def owner(db):
    return make_learner("owner")


@pytest.fixture
def browsers(owner) -> dict[str, Client]:
    found = {name: Client() for name in ("owner", "stranger", "instructor", "nobody")}
    found["owner"].force_login(owner)
    found["stranger"].force_login(make_learner("stranger"))
    found["instructor"].force_login(make_staff())
    return found


@pytest.fixture
def browser(browsers) -> Client:
    return browsers["owner"]


@pytest.fixture
def verdict_in_time(monkeypatch) -> Callable[..., None]:
    """Let the wait of a POST end with a verdict, as a grader in the same process makes it."""

    def arrange(verdict: str = "pass", **fields: Any) -> None:
        def wait_for(submission_id, timeout):
            row = Submission.objects.get(pk=submission_id)
            template = make_finished(row.learner, row.exercise, verdict=verdict)
            values = {"status": "finished", "verdict": verdict, "result": template.result, "score": template.score}
            Submission.objects.filter(pk=template.pk).delete()
            Submission.objects.filter(pk=submission_id).update(**{**values, **fields})
            return True

        monkeypatch.setattr(notify, "wait_for", wait_for)

    return arrange


@pytest.fixture
def no_verdict_yet(monkeypatch) -> list[float]:
    """Let the wait of a POST end empty-handed; holds how long each would have lasted, in seconds."""
    waits: list[float] = []
    monkeypatch.setattr(notify, "wait_for", lambda submission_id, timeout: waits.append(timeout) or False)
    return waits
