"""A Docker lab that is none, for the lab exercise of tests.factories."""

from __future__ import annotations

import json
from typing import Any

from lessons.contracts import Ask, ExecResult
from lessons.models import LabSession
from lessons.services import lab_placing
from lessons.services.labs import request_lab
from tests.factories import make_lab_exercise, make_learner
from tests.fake_labs import FakeLab
from tests.services.sums import SumSandbox


class DockerSandbox(SumSandbox):
    """``running``: whether container web runs; ``note``: what the active probe reads."""

    def __init__(self) -> None:
        super().__init__()
        self.running = False
        self.note = "안녕\n"
        self.answer_ask = self.answer

    def answer(self, ask: Ask) -> Any:
        request = json.loads(ask.request)
        if ask.tool == "exec":
            return {"exit_code": 0, "stdout": self.note, "stderr": "", "lines": [], "json": None, "ended": "exit"}
        if request.get("object") == "container":
            return {"Name": "/web", "State": {"Running": True}} if self.running else None
        return {"Id": "sha256:1"}

    def lab_of(self, row: LabSession) -> FakeLab:
        return self.labs[row.container]


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
