"""Small builders for exercises of kind lab and what a lab answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from lessons import graders
from lessons.contracts import CheckResult, CheckSpec, Evidence, ExerciseSpec, Grade, Kind, Limits, Plan, ProbeSpec
from tests.graders.helpers import check, exercise

WEB = ProbeSpec("p", "docker", {"object": "container", "name": "web"})
RUNNING = {"Id": "c1", "Name": "/web", "State": {"Status": "running"}}
BUILT = {
    "built": True,
    "log": "#5 DONE\n",
    "image": {"Id": "sha256:1", "Size": 9},
    "layers": [{"command": "FROM python", "size": 5, "cached": True}, {"command": "COPY . .", "size": 4}],
    "rebuild": {"built": True, "layers": [{"command": "COPY . .", "size": 4, "cached": False}]},
    "ran": {"exit_code": 0, "stdout": '{"total": 7}\n', "stderr": ""},
    "leaked": [{"text": "key", "layer": 1, "path": "/app/.env"}],
}


def lab(*checks: CheckSpec, **given: Any) -> ExerciseSpec:
    """An exercise of kind lab with one probe ``p`` of a container ``web``, unless told otherwise."""
    whole: dict[str, Any] = {
        "kind": Kind.LAB,
        "environment": "docker",
        "editable": (),
        "starter": {},
        "probes": (WEB,),
        "limits": Limits(seconds=10, memory_mb=512),
    }
    return exercise(*checks, **{**whole, **given})


def running(**given: Any) -> CheckSpec:
    """The check that the container runs."""
    return check("query", {"query": "State.Status", "equals": "running"}, **given)


def request(plan: Plan, name: str) -> dict[str, Any]:
    found = json.loads(plan.asks[name].request)
    assert isinstance(found, dict)
    return found


def graded(spec: ExerciseSpec, answers: Mapping[str, Any], **planned: Any) -> Grade:
    found = graders.judge(spec, graders.plan(spec, {}, 1, **planned), Evidence({}, answers=answers))
    assert isinstance(found, Grade)
    return found


def seen(probe: ProbeSpec, value: Any, fields: Mapping[str, Any], type: str = "query", **given: Any) -> CheckResult:
    """The row of a single check on what ``probe`` (id p) was answered."""
    kind = Kind.RUN if probe.type == "build" else Kind.LAB
    return graded(lab(check(type, fields, **given), probes=(probe,), kind=kind), {"p": value}).checks[0]
