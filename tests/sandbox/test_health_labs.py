"""What doctor is told of labs."""

from __future__ import annotations

from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from lessons.contracts import LabShape
from lessons.sandbox import EngineUnavailableError, EnvironmentState, Progress
from lessons.sandbox.health_labs import look_at_labs


class Labs:
    """The parts of a Sandbox that are looked at."""

    def __init__(self) -> None:
        self.engine = SimpleNamespace(lab_runtime=lambda: "runsc-lab")
        self.images = SimpleNamespace(shape_of_lab=LabShape)
        self.labs = self
        self.checked = {"ok": True}
        self.fails: Exception | None = None
        self.left = 0

    @contextmanager
    def throwaway(self, shape, *, owner, seconds):
        if self.fails is not None:
            raise self.fails
        try:
            yield self
        finally:
            self.left += 1

    def attend(self, verb, *, seconds):
        assert verb == "check"
        return self.checked

    def stats(self):
        return {"memory_mb": 120}

    def progress(self, environment) -> Progress:
        return Progress("building", 40, "들여오는 중이에요.")


@pytest.fixture
def labs() -> Labs:
    return Labs()


READY = {"docker": EnvironmentState.READY}


def test_lab_that_opens_is_good(labs):
    findings = list(look_at_labs(labs, READY))
    assert [finding.level for finding in findings] == ["good", "good"]
    assert "120 MB" in findings[1].what
    assert labs.left == 1


def test_catalogue_without_labs_has_nothing_to_tell(labs):
    assert list(look_at_labs(labs, {})) == []


def test_engine_without_the_runtime_of_labs_is_bad(labs):
    def refuse():
        raise EngineUnavailableError("no runsc-lab")

    labs.engine.lab_runtime = refuse
    (finding,) = look_at_labs(labs, READY)
    assert finding.level == "bad"
    assert "runsc-lab" in finding.what


@pytest.mark.parametrize(
    ("state", "level", "said"),
    [(EnvironmentState.BUILDING, "note", "40%"), (EnvironmentState.MISSING, "bad", "들여오는 중이에요.")],
)
def test_lab_whose_image_is_not_there_is_named(labs, state, level, said):
    _, finding = look_at_labs(labs, {"docker": state})
    assert finding.level == level
    assert said in finding.what
    assert "docker" in finding.what
    assert finding.effect
    assert finding.fix


def test_lab_that_does_not_open_is_bad(labs):
    labs.fails = EngineUnavailableError("bind source path does not exist: /labs/bin")
    _, finding = look_at_labs(labs, READY)
    assert finding.level == "bad"
    assert "/labs/bin" in finding.what


def test_lab_that_runs_no_container_is_bad(labs):
    labs.checked = {"ok": False, "message": "iptables"}
    _, finding = look_at_labs(labs, READY)
    assert finding.level == "bad"
    assert "iptables" in finding.what
