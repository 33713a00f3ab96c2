"""Whose containers may go: process locks and the reaper, with an engine that is none."""

from __future__ import annotations

import subprocess
import sys
import time
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from lessons.sandbox import EngineUnavailableError
from lessons.sandbox import reaper as reapers
from lessons.sandbox.lab_pool import name_of
from lessons.sandbox.reaper import ProcessLock, Reaper
from lessons.sandbox.run import LABEL_DEADLINE, LABEL_PROCESS
from tests.sandbox.running import ROOT, eventually

HOLDER = """
import sys
from pathlib import Path
from lessons.sandbox.reaper import ProcessLock
lock = ProcessLock(Path(sys.argv[1]))
print(lock.name, flush=True)
sys.stdin.read()
"""


class FakeApi:
    def __init__(self, *containers: dict[str, Any]) -> None:
        self.found, self.removed, self.resumed = list(containers), [], []
        self.filters: Any = None
        self.fails: Exception | None = None

    def containers(self, *, all: bool, filters: dict[str, str]) -> list[dict[str, Any]]:
        if self.fails is not None:
            raise self.fails
        assert all
        self.filters = filters
        return self.found

    def unpause(self, container_id: str) -> None:
        self.resumed.append(container_id)

    def remove_container(self, container_id: str, *, force: bool, v: bool) -> None:
        self.removed.append(container_id)


def container(name: str, process: str, lasts: float | None = 100) -> dict[str, Any]:
    labels = {LABEL_PROCESS: process}
    if lasts is not None:
        labels[LABEL_DEADLINE] = str(int(time.time() + lasts))
    return {"Id": name, "Labels": labels}


@pytest.fixture
def lock(tmp_path):
    made = ProcessLock(tmp_path)
    yield made
    made.release()


def test_process_is_dead_once_it_let_go(lock, tmp_path):
    other = ProcessLock(tmp_path)
    assert other.name != lock.name
    assert lock.dead() == other.dead() == set()
    other.release()
    assert lock.dead() == {other.name}
    lock.forget(lock.dead())
    assert [path.stem for path in lock.folder.iterdir()] == [lock.name]


def test_process_killed_in_the_middle_is_dead(lock, tmp_path):
    program = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(program, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        name = holder.stdout.readline().strip()
        assert lock.dead() == set()
        holder.kill()
        holder.wait()
    assert lock.dead() == {name}


def test_forgetting_a_process_twice_is_fine(lock):
    lock.forget(["0" * 32])
    assert [path.stem for path in lock.folder.iterdir()] == [lock.name]


def test_reaper_removes_overdue_and_orphaned_containers_only(lock, tmp_path):
    neighbour, gone = ProcessLock(tmp_path), ProcessLock(tmp_path)
    gone.release()
    api = FakeApi(
        container("mine", lock.name),
        container("mine-overdue", lock.name, -1),
        container("neighbours", neighbour.name),
        container("neighbours-overdue", neighbour.name, -1),
        container("orphan", gone.name),
        container("another-orphan", gone.name),
        container("of-who-knows", "f" * 32),
        container("of-who-knows-overdue", "f" * 32, -1),
        container("without-deadline", lock.name, None),
    )
    assert Reaper(SimpleNamespace(api=api), lock).reap() == 6
    assert api.removed == [
        *("mine-overdue", "neighbours-overdue", "orphan", "another-orphan", "of-who-knows-overdue", "without-deadline"),
    ]
    assert api.filters == {"label": LABEL_PROCESS}
    assert {path.stem for path in lock.folder.iterdir()} == {lock.name, neighbour.name}
    neighbour.release()


def test_labs_of_learners_go_by_their_own_deadline_only(lock, tmp_path):
    gone = ProcessLock(tmp_path)
    gone.release()

    def lab(name: str, process: str, lasts: float, **more: Any) -> dict[str, Any]:
        return container(name, process, lasts) | {"Names": [f"/{name}"]} | more

    kept, over = name_of("kept", 60), name_of("over", -60)
    api = FakeApi(
        lab(kept, gone.name, -60),  # taken from the pool of a process that died, with the pool's labels
        lab(over, lock.name, 60, State="paused"),
        lab("naru-pool-1", gone.name, 60, State="paused"),
        lab("naru-pool-2", lock.name, 60),
        lab("naru-fresh-1", gone.name, 60),
    )
    assert Reaper(SimpleNamespace(api=api), lock).reap() == 3
    assert api.removed == [over, "naru-pool-1", "naru-fresh-1"]
    assert api.resumed == [over, "naru-pool-1"]  # else the engine would wait for each


def test_reaper_that_failed_finds_the_orphans_again(lock, tmp_path):
    gone = ProcessLock(tmp_path)
    gone.release()
    api = FakeApi(container("orphan", gone.name))
    api.fails = requests.ConnectionError("refused")
    with pytest.raises(EngineUnavailableError):
        Reaper(SimpleNamespace(api=api), lock).reap()
    api.fails = None
    assert Reaper(SimpleNamespace(api=api), lock).reap() == 1


def test_reaper_without_an_engine_raises_our_error(lock):
    api = FakeApi()
    api.fails = requests.ConnectionError("refused")
    with pytest.raises(EngineUnavailableError):
        Reaper(SimpleNamespace(api=api), lock).reap()


def test_reaper_begins_at_once_and_outlives_an_absent_engine(lock, monkeypatch, caplog):
    monkeypatch.setattr(reapers, "EVERY_SECONDS", 0.01)
    api = FakeApi(container("orphan", "f" * 32, -1))
    api.fails = requests.ConnectionError("refused")
    reaper = Reaper(SimpleNamespace(api=api), lock)
    reaper.start()
    eventually(lambda: "found no engine" in caplog.text)
    api.fails = None
    eventually(lambda: "orphan" in api.removed)
    reaper.close()
    assert not reaper._thread.is_alive()
