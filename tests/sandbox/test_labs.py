"""Labs from the pool and cold, throwaway labs, and questions of a plan, with an engine that is none."""

from __future__ import annotations

import json
import time

import pytest

from lessons.contracts import Ask, LabShape, Place, Plan
from lessons.sandbox import (
    DeadlineError,
    EngineUnavailableError,
    EnvironmentMissingError,
    LabGoneError,
    Sandbox,
    SandboxConfig,
    lab_pool,
)
from lessons.sandbox import lab as labs
from lessons.sandbox.lab_pool import KIND_LAB, LABEL_KIND, LABEL_MEMORY, name_of, owned_until
from lessons.sandbox.run import LABEL_DEADLINE, LABEL_OWNER, LABEL_PROCESS
from tests.sandbox.lab_engine import Answer, LabEngine, refusal
from tests.sandbox.running import eventually

CATALOGUE = """
environments:
  python: {image: naru-python}
  docker: {kind: lab, image: naru-docker, memory_mb: {default: 512, min: 384, max: 2048}}
"""
DOCKER = LabShape("docker")
TWO = LabShape("docker", ("laptop", "server"), 1024)
BUILD = Ask("build", "{}", Place.FRESH, "docker", 30.0)


@pytest.fixture
def make(tmp_path, engine: LabEngine, monkeypatch):
    """Sandboxes on the engine that is none; images are imported, and its pool waits for nobody's first commands."""
    monkeypatch.setattr(lab_pool, "SETTLE_SECONDS", 0.0)
    catalogue = tmp_path / "catalogue.yaml"
    catalogue.write_text(CATALOGUE)
    (tmp_path / "environments.json").write_text(
        json.dumps({"docker": {"state": "ready", "percent": 100, "text": "준비됐어요."}})
    )
    made: list[Sandbox] = []

    def build(**options) -> Sandbox:
        config = SandboxConfig(
            socket=tmp_path / "docker.sock", catalogue=catalogue, data_dir=tmp_path, pool_size=0, **options
        )
        sandbox = Sandbox(config)
        for name in ("engine", "labs"):
            owner = sandbox if name == "engine" else sandbox.labs
            monkeypatch.setattr(owner, "engine" if name == "engine" else "_engine", engine)
        made.append(sandbox)
        return sandbox

    yield build
    for sandbox in made:
        sandbox.close()


@pytest.fixture
def sandbox(make) -> Sandbox:
    return make()


def config_of(engine: LabEngine, lab) -> dict:
    return engine.containers_made[lab.id]["config"]


def answer(value: object) -> Answer:
    return Answer({"answers": [{"ok": True, "value": value}]})


def ask(sandbox: Sandbox, *asks: Ask, **options):
    plan = Plan(runs={}, answer={}, asks={f"p{number}": one for number, one in enumerate(asks)})
    return sandbox.collect(plan, owner="me", deadline=options.pop("deadline", 20), **options).answers


def test_cold_lab_is_started_as_its_shape_says(sandbox, engine):
    lab = sandbox.open_lab(TWO, owner="5f0e", lifetime=600)
    config = config_of(engine, lab)
    assert (config["Image"], config["Entrypoint"]) == ("naru-docker", ["/naru/bin/naru-attendant", "init"])
    assert config["Env"] == ["NARU_HOSTS=laptop,server"]
    labels = config["Labels"]
    assert (labels[LABEL_OWNER], labels[LABEL_KIND], labels[LABEL_MEMORY]) == ("5f0e", KIND_LAB, "1024")
    assert labels[LABEL_PROCESS] == sandbox._own_process().name
    assert 590 < int(labels[LABEL_DEADLINE]) - time.time() <= 600
    assert 590 < owned_until([engine.containers_made[lab.id]["name"]]) - time.time() <= 600
    assert lab.alive()
    assert lab.shape == TWO


def test_lab_is_confined_whatever_its_learner_does(sandbox, engine):
    host = config_of(engine, sandbox.open_lab(DOCKER, owner="x", lifetime=60))["HostConfig"]
    assert host["Runtime"] == "runsc-lab"
    assert host["NetworkMode"] == "none"
    assert host["Memory"] == host["MemorySwap"] == 512 * 2**20
    assert host["Tmpfs"]["/var/lib/docker"].endswith("size=256m")
    assert (host["NanoCpus"], host["PidsLimit"]) == (10**9, 4096)
    assert [(one["Target"], one["ReadOnly"]) for one in host["Mounts"]] == [("/naru/bin", True)]
    assert "Privileged" not in host
    assert host["LogConfig"]["Type"] == "none"


def test_folders_of_a_lab_hold_what_the_catalogue_says_and_grow_with_its_memory(make, engine, tmp_path):
    entry = "{kind: lab, image: naru-k, memory_mb: 704, tmpfs_mb: {/var/lib/docker: 320, /var/lib/x: 64}}"
    (tmp_path / "catalogue.yaml").write_text(f"{CATALOGUE}  kubernetes: {entry}\n")
    sandbox = make()
    for memory, sizes in ((704, ["320m", "64m"]), (1408, ["640m", "128m"])):
        lab = sandbox.open_lab(LabShape("kubernetes", (), memory), owner="x", lifetime=60)
        tmpfs = config_of(engine, lab)["HostConfig"]["Tmpfs"]
        assert [tmpfs[path].rpartition("size=")[2] for path in ("/var/lib/docker", "/var/lib/x")] == sizes


class Busy:
    """A lab that has used so much of its CPU at each look."""

    def __init__(self, *cpu_ms: int) -> None:
        self.cpu_ms, self.looks = cpu_ms, 0

    def stats(self) -> dict[str, int]:
        self.looks += 1
        return {"cpu_ms": self.cpu_ms[min(self.looks, len(self.cpu_ms)) - 1]}


def test_lab_comes_to_rest_before_it_is_parked(sandbox, monkeypatch):
    monkeypatch.setattr(lab_pool, "CALM_WINDOW_SECONDS", 0.001)
    monkeypatch.setattr(lab_pool, "CALM_SHARE", 100.0)  # 100 ms a look
    for lab, looks in ((Busy(0, 900, 1700, 1750), 4), (Busy(0, 10), 2)):
        sandbox.labs._wait_for_calm(lab, 30.0)
        assert lab.looks == looks


def test_lab_that_never_rests_is_waited_for_no_longer_than_the_catalogue_says(sandbox, monkeypatch):
    monkeypatch.setattr(lab_pool, "CALM_WINDOW_SECONDS", 0.001)
    monkeypatch.setattr(lab_pool, "CALM_SHARE", 0.0)
    lab, unasked = Busy(0), Busy(0)
    sandbox.labs._wait_for_calm(lab, 0.05)
    sandbox.labs._wait_for_calm(unasked, 0.0)
    assert lab.looks >= 2
    assert unasked.looks == 0


def test_streams_are_answered_from_what_was_recorded(sandbox):
    asks = [Ask("stream", json.dumps({"id": name}), Place.RECORD) for name in ("shop", "gone")]
    found = ask(sandbox, *asks, recorded={"streams": {"shop": {"sent": 3}}, "events": []})
    assert found == {"p0": {"sent": 3}, "p1": None}


def test_lab_needs_gvisor(sandbox, engine, monkeypatch):
    def refuse():
        raise EngineUnavailableError("no runsc-lab")

    monkeypatch.setattr(engine, "lab_runtime", refuse)
    with pytest.raises(EngineUnavailableError, match="runsc-lab"):
        sandbox.open_lab(DOCKER, owner="x", lifetime=60)
    assert engine.containers_made == {}


@pytest.mark.parametrize("environment", ["python", "cobol", ""])
def test_only_labs_of_the_catalogue_are_opened(sandbox, engine, environment):
    with pytest.raises(EnvironmentMissingError):
        sandbox.open_lab(LabShape(environment), owner="x", lifetime=60)
    assert engine.containers_made == {}


def test_lab_that_cannot_be_started_leaves_nothing(sandbox, engine):
    engine.refusals["start"] = [refusal("OCI runtime create failed", 500)]
    with pytest.raises(EngineUnavailableError):
        sandbox.open_lab(DOCKER, owner="x", lifetime=60)
    assert engine.containers_made == {}


def test_image_that_is_not_there_is_an_environment_matter(sandbox, engine):
    engine.refusals["create"] = [refusal("No such image: naru-docker:latest", 404)]
    with pytest.raises(EnvironmentMissingError):
        sandbox.open_lab(DOCKER, owner="x", lifetime=60)


def test_pool_starts_nothing_beside_the_first_commands_of_a_lab_just_given(make, engine, monkeypatch):
    sandbox = make(lab_pool_size=1)
    assert sandbox.labs.pool.refill_one()
    monkeypatch.setattr(lab_pool, "SETTLE_SECONDS", 60.0)
    sandbox.open_lab(DOCKER, owner="5f0e", lifetime=600)
    assert not sandbox.labs.pool.refill_one()
    monkeypatch.setattr(lab_pool, "SETTLE_SECONDS", 0.0)
    assert sandbox.labs.pool.refill_one()


def test_pool_holds_ready_and_paused_labs_that_belong_to_nobody(make, engine):
    sandbox = make(lab_pool_size=1)
    assert sandbox.labs.pool.refill_one()
    assert not sandbox.labs.pool.refill_one()
    ((made, parked),) = engine.containers_made.items()
    assert parked["paused"]
    assert engine.verbs() == ["wait", "check"]
    assert owned_until([parked["name"]]) is None
    assert parked["config"]["Labels"][LABEL_OWNER] == "pool"
    lab = sandbox.open_lab(DOCKER, owner="5f0e", lifetime=600)
    assert lab.id == made
    assert not parked["paused"]
    assert 590 < owned_until([f"/{parked['name']}"]) - time.time() <= 600


def test_pool_waits_for_the_image(make, engine, tmp_path):
    sandbox = make(lab_pool_size=1)
    states = tmp_path / "environments.json"
    ready = states.read_text()
    states.write_text('{"docker": {"state": "building", "percent": 30, "text": "만드는 중이에요."}}')
    assert not sandbox.labs.pool.refill_one()
    assert engine.containers_made == {}
    states.write_text(ready)
    assert sandbox.labs.pool.refill_one()


@pytest.mark.parametrize("ending", ["died", "removed"])
def test_lab_that_died_in_the_pool_is_made_up_for(make, engine, ending, caplog):
    sandbox = make(lab_pool_size=1)
    sandbox.labs.pool.refill_one()
    (parked,) = engine.containers_made
    if ending == "died":
        engine.containers_made[parked] |= {"running": False, "paused": False}
    else:
        del engine.containers_made[parked]
    lab = sandbox.open_lab(DOCKER, owner="x", lifetime=60)
    assert lab.id != parked
    assert lab.alive()
    assert list(engine.containers_made) == [lab.id]
    assert "died in the pool" in caplog.text


def test_lab_that_is_not_ready_is_not_parked_and_not_left(make, engine):
    sandbox = make(lab_pool_size=1)
    engine.answers["wait"] = Answer(code=1)
    with pytest.raises(DeadlineError):
        sandbox.labs._park(DOCKER)
    assert engine.containers_made == {}


def test_pool_keeps_the_two_shapes_asked_for_last(make, engine):
    sandbox = make(lab_pool_size=1)
    for shape in (TWO, LabShape("docker", (), 768)):
        sandbox.open_lab(shape, owner="x", lifetime=60)
    while sandbox.labs.pool.refill_one():
        pass
    parked = [one for one in engine.containers_made.values() if one["paused"]]
    assert sorted(one["config"]["Labels"][LABEL_MEMORY] for one in parked) == ["1024", "768"]


def test_pool_takes_only_memory_that_is_left(make, engine):
    sandbox = make(lab_pool_size=2, lab_memory_mb=1600)
    sandbox.open_lab(DOCKER, owner="x", lifetime=60)
    while sandbox.labs.pool.refill_one():
        pass
    assert sandbox.labs.memory_mb() == 3 * 512
    assert sandbox.labs.pool.parked_count() == 2


def test_pool_makes_room_for_a_learners_lab(make, engine):
    sandbox = make(lab_pool_size=2, lab_memory_mb=1600)
    while sandbox.labs.pool.refill_one():
        pass
    sandbox.open_lab(TWO, owner="x", lifetime=60)
    while sandbox.labs.pool.remove_one():
        pass
    assert sandbox.labs.memory_mb() == 1024 + 512


def test_labs_of_learners_outlive_the_process_that_opened_them(make, engine):
    sandbox = make(lab_pool_size=1)
    sandbox.labs.start()
    eventually(lambda: sandbox.labs.pool.parked_count() == 1)
    lab = sandbox.open_lab(DOCKER, owner="x", lifetime=60)
    sandbox.close()
    assert list(engine.containers_made) == [lab.id]
    assert make().lab(lab.id).alive()


def test_names_of_labs_tell_their_deadline_whatever_the_owner_is_called():
    assert owned_until([name_of("a b/ㄱ" * 50, 10)]) == pytest.approx(time.time() + 10, abs=2)
    assert owned_until([]) is None
    assert owned_until(["/naru-pool-ab", "/naru-fresh-1-2", "/naru-run-1"]) is None
    assert len({name_of("a", 1) for _ in range(9)}) == 9


def test_questions_go_where_they_belong_in_their_order(sandbox, engine):
    engine.answers["ask"] = [Answer({"answers": [{"ok": True, "value": n} for n in (1, 2)]}), answer("f"), answer(3)]
    lab = engine.lab()
    here, told = Ask("docker", '{"name": "web"}'), Ask("events", "{}", Place.RECORD)
    recorded = {"events": [{"host": "", "event": {"Action": "die"}}]}
    found = ask(sandbox, here, here, BUILD, told, here, lab=lab, recorded=recorded)
    assert found == {"p0": 1, "p1": 2, "p2": "f", "p3": recorded["events"], "p4": 3}
    first, second, third = (made for made in engine.execs if made["argv"][1] == "ask")
    assert first["container"] == third["container"] == lab.id
    assert second["container"] != lab.id
    assert list(engine.containers_made) == [lab.id]  # the throwaway one is gone


def test_question_about_no_lab_is_a_lab_that_is_gone(sandbox):
    with pytest.raises(LabGoneError):
        ask(sandbox, Ask("docker", "{}"))


def test_throwaway_lab_comes_from_the_pool_and_goes_for_good(make, engine):
    sandbox = make(lab_pool_size=1)
    sandbox.labs.pool.refill_one()
    engine.answers["ask"] = answer({"built": True})
    assert ask(sandbox, BUILD) == {"p0": {"built": True}}
    assert engine.removed == ["lab0"]
    assert engine.containers_made == {}


def test_throwaway_lab_counts_as_a_run(make, engine):
    sandbox = make(runs_in_flight=1)
    sandbox._slots.acquire()
    with pytest.raises(DeadlineError, match="no free slot"):
        ask(sandbox, BUILD, deadline=0.05)
    assert engine.containers_made == {}
    sandbox._slots.release()
    engine.answers["ask"] = answer(1)
    assert ask(sandbox, BUILD) == {"p0": 1}
    assert sandbox._slots.acquire(blocking=False)


def test_throwaway_labs_are_few_at_a_time(sandbox, engine, monkeypatch):
    held = [sandbox.labs.throwaway(DOCKER, owner="x", seconds=5) for _ in range(lab_pool.MOST_THROWAWAYS)]
    for each in held:
        each.__enter__()
    with (
        pytest.raises(DeadlineError, match="no throwaway lab"),
        sandbox.labs.throwaway(DOCKER, owner="y", seconds=0.01),
    ):
        pass
    held[0].__exit__(None, None, None)
    with sandbox.labs.throwaway(DOCKER, owner="y", seconds=5) as lab:
        assert lab.id in engine.containers_made
    held[1].__exit__(None, None, None)


def test_build_that_used_up_all_memory_is_the_learners_doing(sandbox, engine):
    engine.answers["ask"] = Answer(code=128)
    inspect, looked = engine.inspect_container, []

    def dying(container_id):
        looked.append(container_id)
        engine.containers_made[container_id] |= {"running": False, "oom": True}
        return inspect(container_id)

    engine.inspect_container = dying
    (found,) = ask(sandbox, BUILD).values()
    assert found["built"] is False
    assert "512 MB" in found["refused"]
    assert set(looked) == {"lab0"}


def test_build_whose_lab_died_otherwise_is_our_trouble_and_not_the_learners_lab(sandbox, engine):
    engine.answers["ask"] = Answer({"answers": [{"ok": False, "reason": "engine", "message": "dockerd"}]})
    with pytest.raises(EngineUnavailableError) as caught:
        ask(sandbox, BUILD)
    assert caught.value.reason == "engine"
    assert engine.containers_made == {}


def test_throwaway_lab_that_dies_before_it_is_ready_is_not_the_learners_lab(sandbox, engine, caplog):
    engine.refusals["hijack"] = [refusal("is not running", 409)]
    inspect = engine.inspect_container

    def dying(container_id):
        engine.containers_made[container_id]["running"] = False
        return inspect(container_id)

    engine.inspect_container = dying
    with pytest.raises(EngineUnavailableError, match="a throwaway lab died"):
        ask(sandbox, BUILD)
    assert engine.containers_made == {}


def test_build_that_took_too_long_has_ended_by_time(sandbox, engine):
    engine.answers["ask"] = Answer({"answers": [{"ok": False, "reason": "time", "message": ""}]})
    (found,) = ask(sandbox, BUILD).values()
    assert (found["built"], found["ended"]) == (False, "time")


@pytest.mark.parametrize(
    "told", [answer("x" * 2000), Answer({"answers": [{"ok": False, "reason": "size", "message": "an image of 9 MB"}]})]
)
def test_build_that_says_too_much_is_told_so(sandbox, engine, monkeypatch, told):
    monkeypatch.setattr(labs, "MOST_ANSWERS_KB", 1)
    engine.answers["ask"] = told
    (found,) = ask(sandbox, BUILD).values()
    assert found["built"] is False
    assert "너무 많아요" in found["refused"]


def test_other_fresh_questions_raise_what_went_wrong(sandbox, engine):
    engine.answers["ask"] = Answer({"answers": [{"ok": False, "reason": "time", "message": "slow"}]})
    with pytest.raises(DeadlineError, match="slow"):
        ask(sandbox, Ask("exec", "{}", Place.FRESH, "docker", 5.0))
    assert engine.containers_made == {}
