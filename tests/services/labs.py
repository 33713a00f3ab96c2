"""A Docker lab that is none, for the lab exercise of tests.factories."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from lessons.contracts import Ask, ExecResult
from lessons.models import Exercise, LabSession
from lessons.models.courses import _specs
from lessons.services import lab_placing
from lessons.services.labs import request_lab
from tests.factories import LAB_FILES, make_exercise, make_lab_exercise, make_learner
from tests.fake_labs import FakeLab
from tests.services.sums import SumSandbox


class DockerSandbox(SumSandbox):
    """``running``: whether container web runs; ``note``: what the active probe reads; ``topology``: how labs are built,
    or what is raised instead."""

    def __init__(self) -> None:
        super().__init__()
        self.running = False
        self.note = "안녕\n"
        self.topology: Any = {"docker": [{"host": "", "containers": []}], "kubernetes": None}
        self.answer_ask = self.answer

    def answer(self, ask: Ask) -> Any:
        if ask.tool == "topology":
            if isinstance(self.topology, Exception):
                raise self.topology
            return self.topology
        request = json.loads(ask.request)
        if ask.tool == "exec":
            return {"exit_code": 0, "stdout": self.note, "stderr": "", "lines": [], "json": None, "ended": "exit"}
        if request.get("object") == "container":
            return {"Name": "/web", "State": {"Running": True}} if self.running else None
        return {"Id": "sha256:1"}

    def lab_of(self, row: LabSession) -> FakeLab:
        return self.labs[row.container]


def make_cluster_exercise(*keep: str) -> Exercise:
    """The lab exercise, keeping what runs in a cluster beside a folder."""
    keep = keep or ("cluster",)
    exercise = make_exercise(files={**LAB_FILES, "prompt.md": f"남기는 것: {', '.join(keep)}\n"})
    revision = exercise.revision
    _specs[(revision.pk, revision.content_hash)] = replace(revision.spec, keep=(*revision.spec.keep, *keep))
    return exercise


def die_event(second: int = 1, name: str = "web") -> dict[str, Any]:
    """Docker's word that a container died."""
    actor = {"ID": "c" * 64, "Attributes": {"name": name, "exitCode": "137"}}
    return {"Type": "container", "Action": "die", "Actor": actor, "time": second, "timeNano": second * 10**9}


def opened(learner=None, exercise=None) -> LabSession:
    """A lab by the way of a learner's: requested, placed, prepared."""
    row = request_lab(learner=learner or make_learner(), exercise=exercise or make_lab_exercise())
    assert lab_placing.prepare(lab_placing.claim_lab(worker="w"))
    row.refresh_from_db()
    return row


FAILED = ExecResult(2, b"", "그런 파일이 없어요".encode())
