"""Sandbox.collect and its neighbours, with containers that are none."""

from __future__ import annotations

import itertools
import threading
import time

import pytest

import lessons.sandbox as sandboxes
from lessons.contracts import Plan
from lessons.sandbox import (
    DeadlineError,
    EngineFullError,
    EngineUnavailableError,
    EnvironmentMissingError,
    EnvironmentState,
    Sandbox,
    SandboxError,
)
from lessons.sandbox.limits import Shape
from lessons.sandbox.run import LABEL_OWNER, LABEL_PROCESS
from tests.sandbox.running import FakeContainer, carry_out, eventually, make_sandbox, plan_of, python

RUN = python("print(7)")


class FakeApi:
    def __init__(self) -> None:
        self.removed: list[str] = []
        self.tags = ["naru-python:latest", "naru-python-debian12:latest"]

    def remove_container(self, container_id: str, **_: bool) -> None:
        self.removed.append(container_id)

    def images(self) -> list[dict]:
        return [{"RepoTags": [tag]} for tag in self.tags] + [{"RepoTags": None}]


class Workshop:
    """Stands for the RunContainer class; every container it made is in ``made``."""

    kind = FakeContainer

    def __init__(self) -> None:
        self.made: list[FakeContainer] = []
        self.labels: list[dict[str, str]] = []
        self.numbers = itertools.count()
        self.fails: list[Exception | None] = []
        self.cannot_begin = False

    def __call__(self, engine, shape, image, labels, lifetime) -> FakeContainer:
        made = self.kind(shape, f"c{next(self.numbers)}", self.fails.pop(0) if self.fails else None)
        if self.cannot_begin:
            made.begin = self.refuse
        self.made.append(made)
        self.labels.append(labels | {"image": image})
        return made

    def refuse(self) -> None:
        raise EngineUnavailableError("OCI runtime start failed")


@pytest.fixture
def workshop(monkeypatch) -> Workshop:
    shop = Workshop()
    monkeypatch.setattr(sandboxes, "RunContainer", shop)
    return shop


@pytest.fixture
def api(monkeypatch) -> FakeApi:
    fake = FakeApi()
    monkeypatch.setattr(sandboxes.Engine, "api", fake)
    return fake


@pytest.fixture
def sandbox(tmp_path, workshop, api):
    made = make_sandbox(tmp_path / "engine" / "docker.sock", tmp_path, runs_in_flight=1, pool_size=1)
    yield made
    made.close()


def fill(sandbox: Sandbox) -> None:
    assert sandbox.pool.refill_one()


def test_run_without_a_pool_takes_the_cold_path_and_is_removed(sandbox, workshop, api):
    evidence = sandbox.collect(plan_of(RUN), owner="x", deadline=5)
    (made,) = workshop.made
    assert made.began
    assert made.ran == [RUN]
    assert made.closed
    assert evidence.timings["pooled"] == 0
    assert set(evidence.timings) == {"wait", "start", "run", "pooled"}
    eventually(lambda: api.removed == ["c0"])
    labels = {LABEL_PROCESS: sandbox._own_process().name, LABEL_OWNER: "x"}
    assert workshop.labels == [labels | {"image": "naru-python"}]


def test_every_probe_has_a_container_of_its_own(sandbox, workshop):
    plan = Plan(runs={"a": RUN, "b": python("print(8)"), "c": python("x", environment="python-debian12")}, answer={})
    evidence = sandbox.collect(plan, owner="x", deadline=5)
    assert list(evidence.runs) == ["a", "b", "c"]
    assert [run.inspect["Id"] for run in evidence.runs.values()] == ["c0", "c1", "c2"]
    assert [label["image"] for label in workshop.labels] == ["naru-python", "naru-python", "naru-python-debian12"]


def test_plan_without_runs_needs_no_engine(sandbox, workshop):
    assert sandbox.collect(Plan(runs={}, answer={}), owner="x", deadline=5).runs == {}
    assert workshop.made == []


def test_parked_container_is_used_when_there_is_one(sandbox, workshop):
    fill(sandbox)
    assert workshop.made[0].parked
    evidence = sandbox.collect(plan_of(RUN), owner="x", deadline=5)
    assert evidence.runs["p"].inspect["Id"] == "c0"
    assert evidence.timings["pooled"] == 1
    assert len(workshop.made) == 1
    assert workshop.labels[0][LABEL_OWNER] == "pool"


def test_parked_container_that_died_is_made_up_for_on_the_cold_path(sandbox, workshop):
    workshop.fails = [EngineUnavailableError("it died while parked")]
    fill(sandbox)
    assert carry_out(sandbox, RUN).inspect["Id"] == "c1"
    assert workshop.made[0].closed
    assert sandbox.pool.parked_count() == 0


def test_deadline_on_a_parked_container_is_not_tried_again(sandbox, workshop):
    workshop.fails = [DeadlineError("no report in time")]
    fill(sandbox)
    with pytest.raises(DeadlineError):
        carry_out(sandbox, RUN)
    assert len(workshop.made) == 1


def test_failure_on_the_cold_path_is_raised_and_the_container_removed(sandbox, workshop, api):
    workshop.fails = [EngineUnavailableError("gone")]
    with pytest.raises(EngineUnavailableError):
        carry_out(sandbox, RUN)
    assert workshop.made[0].closed
    eventually(lambda: api.removed == ["c0"])
    assert carry_out(sandbox, RUN).inspect["Id"] == "c1"  # the slot was given back


def test_container_that_cannot_be_started_is_removed(sandbox, workshop, api):
    workshop.cannot_begin = True
    with pytest.raises(EngineUnavailableError):
        carry_out(sandbox, RUN)
    eventually(lambda: api.removed == ["c0"])


def test_no_free_slot_within_the_deadline_is_an_error(sandbox, workshop):
    sandbox._slots.acquire()
    began = time.monotonic()
    with pytest.raises(DeadlineError, match="no free slot for me"):
        sandbox.collect(plan_of(RUN), owner="me", deadline=0.05)
    assert time.monotonic() - began < 2
    assert workshop.made == []
    sandbox._slots.release()


def test_cap_on_runs_in_flight_is_kept(tmp_path, workshop, api, monkeypatch):
    sandbox = make_sandbox(tmp_path / "none", tmp_path, runs_in_flight=2, pool_size=0)
    most = running = 0
    lock = threading.Lock()

    def watched(container: FakeContainer, run, deadline):
        nonlocal most, running
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1
        return FakeContainer(container.shape).carry_out(run, deadline)

    monkeypatch.setattr(workshop, "kind", type("Watched", (FakeContainer,), {"carry_out": watched}))
    threads = [threading.Thread(target=carry_out, args=(sandbox, RUN)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sandbox.close()
    assert most == 2


def test_unknown_environment_is_missing(sandbox):
    with pytest.raises(EnvironmentMissingError, match="cobol"):
        carry_out(sandbox, python("", environment="cobol"))


@pytest.mark.parametrize(
    "text", ["", "environments: {}", "environments: {python: {}}", "environments: 3", "- a", "[", "\x00"]
)
def test_catalogue_that_cannot_be_read_is_one_of_our_errors(text, tmp_path, workshop, api):
    broken = tmp_path / "catalogue.yaml"
    broken.write_text(text)
    sandbox = Sandbox(sandboxes.SandboxConfig(socket=tmp_path / "none", catalogue=broken, data_dir=tmp_path))
    with pytest.raises(SandboxError):
        carry_out(sandbox, RUN)


def test_data_directory_that_takes_no_lock_is_a_disk_matter(tmp_path, workshop, api):
    (tmp_path / "processes").write_text("a file where a folder should be")
    with pytest.raises(EngineFullError):
        carry_out(make_sandbox(tmp_path / "none", tmp_path), RUN)


def test_environments_are_ready_when_their_images_are_there(sandbox, api):
    api.tags.append("naru-docker:latest")
    assert set(sandbox.environments().values()) == {EnvironmentState.READY}
    assert set(sandbox.environments()) >= {"python", "python-debian12", "docker"}


def test_environments_are_building_until_the_engine_says_ready(sandbox, api):
    api.tags = ["naru-python:latest"]
    assert sandbox.environments()["python-debian12"] == EnvironmentState.BUILDING
    ready = sandbox.config.socket.parent / "ready"
    ready.parent.mkdir()
    ready.touch()
    states = sandbox.environments()
    assert (states["python"], states["python-debian12"]) == (EnvironmentState.READY, EnvironmentState.MISSING)


def test_first_environment_of_the_catalogue_is_the_default_and_is_kept_warm(tmp_path, workshop, api):
    catalogue = tmp_path / "catalogue.yaml"
    catalogue.write_text("environments: {node: {image: naru-node}, python: {image: naru-python}}")
    sandbox = Sandbox(sandboxes.SandboxConfig(socket=tmp_path / "none", catalogue=catalogue, data_dir=tmp_path))
    assert sandbox.default_environment() == "node"
    sandbox.pool.refill_one()
    assert [container.shape.environment for container in workshop.made] == ["node"]
    assert set(sandbox.environments()) == {"node", "python"}
    sandbox.close()


def test_close_is_fine_before_start_and_twice(sandbox):
    sandbox.close()
    sandbox.close()
    assert sandbox.pool.parked_count() == 0


def test_parked_container_that_does_not_park_is_removed(sandbox, workshop, api, monkeypatch):
    def refuse(self, seconds):
        raise EngineUnavailableError("the container did not park")

    monkeypatch.setattr(FakeContainer, "park", refuse)
    with pytest.raises(EngineUnavailableError):
        sandbox._park(Shape("python", 128))
    assert workshop.made[0].closed
    eventually(lambda: api.removed == ["c0"])


def test_engine_gone_is_said_quickly(tmp_path):
    sandbox = make_sandbox(tmp_path / "none.sock", tmp_path)
    began = time.monotonic()
    for ask in (lambda: carry_out(sandbox, RUN), sandbox.environments, sandbox.health):
        with pytest.raises(EngineUnavailableError):
            ask()
    assert time.monotonic() - began < 2
    sandbox.close()
