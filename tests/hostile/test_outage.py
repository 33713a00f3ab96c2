"""Hostile item 29: the portal is killed, the engine stops, in the middle of a run. No submission is lost."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from tests.conftest import SpareEngine
from tests.hostile.portal_process import PortalProcess

pytestmark = [pytest.mark.docker, pytest.mark.hostile]

SLOW = "import time\na, b = map(int, input().split())\ntime.sleep(4)\nprint(a + b)\n"


@pytest.fixture
def portal(tmp_path: Path, spare_engine: SpareEngine) -> Iterator[PortalProcess]:
    data = tmp_path / "data"
    data.mkdir()
    started = PortalProcess(data, spare_engine.socket)
    started.start()
    yield started
    started.end()


def test_portal_killed_in_the_middle_loses_no_submission(portal: PortalProcess, spare_engine: SpareEngine) -> None:
    submission = portal.submit(SLOW)
    assert portal.wait_for(submission, "running")[2] == 1
    portal.end(signal.SIGKILL)
    assert portal.state(submission)[0] == "running"
    portal.start()
    status, verdict, claims, attempts = portal.wait_for(submission, "finished")
    assert (status, verdict, attempts) == ("finished", "pass", 1)
    assert claims >= 2
    portal.end()
    client = docker.APIClient(base_url=f"unix://{spare_engine.socket}", version="1.44")
    try:
        assert client.containers(all=True, filters={"label": "naru.process"}) == []
    finally:
        client.close()


def test_engine_stopped_in_the_middle_breaks_and_heals_without_a_verdict(
    portal: PortalProcess, spare_engine: SpareEngine
) -> None:
    submission = portal.submit(SLOW)
    portal.wait_for(submission, "running")
    spare_engine.stop()
    status, verdict, _, attempts = portal.wait_for(submission, "broken")
    assert (status, verdict, attempts) == ("broken", "", 0)
    while_down = portal.submit("print(sum(map(int, input().split())))\n")
    assert portal.wait_for(while_down, "broken")[1] == ""
    spare_engine.start()
    assert portal.wait_for(submission, "finished")[:2] == ("finished", "pass")
    assert portal.wait_for(while_down, "finished")[:2] == ("finished", "pass")
    assert portal.state(submission)[3] == 2
