"""The judge of `fault` (F2): whatever it was that broke, only that may have been mended."""

from __future__ import annotations

import copy
import importlib.util
import os
import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).resolve().parents[1] / "courses" / "cloud-native" / "03-together" / "exercises" / "fault"
SPEC = yaml.safe_load((FOLDER / "exercise.yaml").read_text())
FAULTS = SPEC["vars"]["fault"]["choice"]


@pytest.fixture(scope="module")
def judge() -> ModuleType:
    found = importlib.util.spec_from_file_location("fault_judge", FOLDER / "checks" / "judge.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def objects_of(manifests: str) -> dict[str, Any]:
    """The objects of a file as the API server keeps them."""
    kinds = {"ConfigMap": "config", "Secret": "secret", "Service": "service", "Deployment": "deployment"}
    objects = {kinds[one["kind"]]: one for one in yaml.safe_load_all(manifests)}
    for number, one in enumerate(objects.values()):
        one["metadata"]["uid"] = f"uid-{number}"
    objects["secret"]["data"] = objects["secret"].pop("stringData")
    return objects


@cache
def applied(fault: str) -> str:
    """What the setup applies last where that fault was drawn: the script itself runs, its kubectl only copies."""
    script = SPEC["setup"][0][2].replace("{{fault}}", fault)
    with TemporaryDirectory() as folder:
        room = Path(folder)
        kubectl = room / "kubectl"
        kubectl.write_text(f'#!/bin/sh\n[ "$1" != apply ] || cp "$3" {room}/applied.yaml\n')
        kubectl.chmod(0o755)
        subprocess.run(
            ["sh", "-c", script.replace("/tmp/shop.yaml", f"{room}/shop.yaml")],
            env={"PATH": f"{room}:{os.environ['PATH']}"}, check=True, timeout=30,
        )  # fmt: skip
        return (room / "applied.yaml").read_text()


def working() -> dict[str, Any]:
    """The objects of the exercise as they were before the night."""
    return objects_of(applied("none"))


def broken(fault: str) -> dict[str, Any]:
    return objects_of(applied(fault))


def result(judge: ModuleType, fault: str, now: dict[str, Any], log: Any = None) -> dict[str, Any]:
    evidence = {f"baseline.{name}": one for name, one in broken(fault).items()}
    return judge.judge({"fault": fault}, {**evidence, **now, "log": log})


def test_there_are_eight_faults_and_more() -> None:
    assert len(FAULTS) >= 8


@pytest.mark.parametrize("fault", FAULTS)
def test_setup_breaks_just_the_place_that_the_judge_knows(judge: ModuleType, fault: str) -> None:
    objects = broken(fault)
    assert objects != working()
    for path, value in judge.FAULTS[fault][1]:
        assert judge.at(objects, path) != value
        judge.put(objects, path, value)
    assert objects == working()


@pytest.mark.parametrize("fault", FAULTS)
def test_mending_just_that_passes(judge: ModuleType, fault: str) -> None:
    found = result(judge, fault, working())
    assert found["passed"], found


@pytest.mark.parametrize("fault", FAULTS)
def test_mending_nothing_fails_and_leaves_the_place_to_be_found(judge: ModuleType, fault: str) -> None:
    log = [{"Action": "read", "timeNano": 1, "Actor": {"Attributes": {"kind": "Pod", "name": "shop-1"}}}]
    found = result(judge, fault, broken(fault), log)
    assert not found["passed"]
    assert "아직 그대로예요" in found["message"]
    told = found["message"] + found["expected"] + found["found"] + found["timeline"][0]["text"]
    (kind, what), _ = judge.FAULTS[fault]
    assert kind not in told
    assert what not in told


@pytest.mark.parametrize("fault", FAULTS)
def test_touching_something_else_fails(judge: ModuleType, fault: str) -> None:
    now = working()
    now["deployment"]["spec"]["strategy"] = {"type": "RollingUpdate"}
    found = result(judge, fault, now)
    assert not found["passed"]
    assert "Deployment의 spec.strategy" in found["found"]


def test_making_anew_fails(judge: ModuleType) -> None:
    now = working()
    now["service"]["metadata"]["uid"] = "another"
    found = result(judge, "port", now)
    assert not found["passed"]
    assert "지우고 새로 만들었어요" in found["message"]


@pytest.mark.parametrize("hostile", [None, "text", 7, [], [None, 3], {"spec": []}, {"spec": {"template": [1]}}])
def test_any_evidence_is_judged(judge: ModuleType, hostile: Any) -> None:
    for fault in FAULTS:
        now = dict.fromkeys(("config", "secret", "service", "deployment"), copy.deepcopy(hostile))
        assert not judge.judge({"fault": fault}, {**now, "log": hostile})["passed"]


def test_timeline_tells_what_was_broken_seen_and_mended(judge: ModuleType) -> None:
    def line(seconds: int, action: str, **about: str) -> dict[str, Any]:
        return {"Action": action, "timeNano": 1_000_000_000_000 + seconds * 10**9, "Actor": {"Attributes": about}}

    log = [
        line(0, "happened", kind="Event"),
        line(20, "read", kind="Pod", name="shop-1"),
        line(35, "read", kind="Service", name="shop"),
        line(60, "wrote", kind="Service", name="shop"),
        line(70, "wrote", kind="Service", name="shop", dry_run="true"),
        line(75, "wrote", kind="Service", name="shop", code="422"),
        line(3, "changed", kind="Pod", ready="true"),
    ]
    moments = result(judge, "selector", working(), log)["timeline"]
    assert [(moment["at"], moment["tone"]) for moment in moments] == [
        (0, "bad"),
        (20, "seen"),
        (35, "seen"),
        (60, "seen"),
        (60, "ok"),
    ]
    assert "selector" in moments[0]["text"]
    assert moments[-1]["text"] == "다시 대답해요. 실습을 시작한 지 60초 만이에요."
    assert result(judge, "selector", working(), log[:-1])["timeline"] == moments  # no Pod had to become ready again
    assert result(judge, "selector", working(), [])["timeline"] == []
