"""A cluster paused for ten minutes goes on as if nothing had been: it costs next to nothing, and loses nothing.

Ten minutes of nothing cost a run of all tests no time: the first test of the file runs at its beginning and pauses the
labs, the second at its end (``conftest.py``).
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from lessons.contracts import LabShape
from lessons.sandbox import Lab, Sandbox
from tests.labs.conftest import READY_SECONDS
from tests.sandbox.running import eventually

pytestmark = pytest.mark.docker

PAUSE_SECONDS = 600.0
PAUSED_SHARE = 0.002  # of a core: the sandbox's own clockwork; an idle cluster takes thirty times as much
LOOK_SECONDS = 40.0  # four times what a silent node is given
LIFETIME = 4 * 3600.0
SHAPES = {"kubernetes-light": LabShape("kubernetes-light", (), 448), "kubernetes": LabShape("kubernetes", (), 768)}
BEGIN = """
set -e
kubectl create deployment shop --image=shop:v1 --replicas=3
kubectl rollout status deployment/shop --timeout=90s
"""


@dataclass
class Sleeper:
    """A lab that is paused, what it was like before, and since when (seconds of ``time.monotonic()``)."""

    lab: Lab
    pods: dict[str, str]
    cpu_ns: int
    since: float


def read(lab: Lab, *words: str) -> list[dict[str, Any]]:
    done = lab.run(["kubectl", "get", *words, "--output=json"], seconds=30)
    assert done.exit_code == 0, done.stderr.decode(errors="replace")
    return json.loads(done.stdout)["items"]


def placed(lab: Lab) -> dict[str, str]:
    """Pod -> its uid, node, and how often its containers were begun anew."""
    return {
        pod["metadata"]["name"]: " ".join(
            (
                pod["metadata"]["uid"],
                pod["spec"]["nodeName"],
                *(str(one["restartCount"]) for one in pod["status"]["containerStatuses"]),
            )
        )
        for pod in read(lab, "pods")
    }


def unready(lab: Lab) -> list[str]:
    return [
        node["metadata"]["name"]
        for node in read(lab, "nodes")
        if not any(one["type"] == "Ready" and one["status"] == "True" for one in node["status"]["conditions"])
    ]


def cpu_ns(labs: Sandbox, lab: Lab) -> int:
    """Processor time of everything in the lab, as the engine counts it."""
    return int(labs.engine.api.stats(lab.id, stream=False, one_shot=True)["cpu_stats"]["cpu_usage"]["total_usage"])


@pytest.fixture(scope="session")
def sleepers(labs: Sandbox) -> Iterator[dict[str, Sleeper]]:
    """Environment -> a lab with three Pods, asleep."""
    found: dict[str, Sleeper] = {}
    try:
        for name, shape in SHAPES.items():
            lab = labs.open_lab(shape, owner="sleeper", lifetime=LIFETIME)
            found[name] = Sleeper(lab, {}, 0, 0.0)
            lab.wait_ready(READY_SECONDS)
            done = lab.run(["/bin/bash", "-c", BEGIN], seconds=120)
            assert done.exit_code == 0, (done.stdout + done.stderr).decode(errors="replace")
            # The old ReplicaSet's Pods are none; what is there is what stays.
            eventually(lambda lab=lab: len(placed(lab)) == 3)
            pods = placed(lab)
            lab.pause()
            found[name] = Sleeper(lab, pods, cpu_ns(labs, lab), time.monotonic())
        yield found
    finally:
        for sleeper in found.values():
            sleeper.lab.end()


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.first
def test_paused_lab_takes_next_to_no_processor_time(name: str, sleepers: dict[str, Sleeper], labs: Sandbox) -> None:
    before = cpu_ns(labs, sleepers[name].lab)
    time.sleep(5)
    assert cpu_ns(labs, sleepers[name].lab) - before < 5 * PAUSED_SHARE * 1e9


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.last
def test_nothing_moves_after_ten_minutes_of_pause(name: str, sleepers: dict[str, Sleeper], labs: Sandbox) -> None:
    sleeper = sleepers[name]
    time.sleep(max(0.0, PAUSE_SECONDS - (time.monotonic() - sleeper.since)))
    assert cpu_ns(labs, sleeper.lab) - sleeper.cpu_ns < (time.monotonic() - sleeper.since) * PAUSED_SHARE * 1e9
    sleeper.lab.resume()
    ends_at = time.monotonic() + LOOK_SECONDS
    while time.monotonic() < ends_at:
        assert unready(sleeper.lab) == []
        assert placed(sleeper.lab) == sleeper.pods
        time.sleep(0.5)
    # It is alive, too: what one asks of it happens.
    done = sleeper.lab.run(
        ["/bin/bash", "-c", "kubectl scale deployment shop --replicas=4 && " + BEGIN.splitlines()[-1]], seconds=120
    )
    assert done.exit_code == 0, (done.stdout + done.stderr).decode(errors="replace")
    assert len(placed(sleeper.lab)) == 4
