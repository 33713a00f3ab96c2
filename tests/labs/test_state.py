"""What a learner made in a cluster outlives its lab: objects, registry, files; in another lab and put back in place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from lessons.contracts import CLUSTER, REGISTRY, LabShape
from lessons.sandbox import Lab, Sandbox
from lessons.services.lab_homes import MOST_REGISTRY_KB
from tests.labs.conftest import opened
from tests.sandbox.running import eventually

pytestmark = pytest.mark.docker

SHAPE = LabShape("kubernetes", (), 768)
KEPT = (CLUSTER, REGISTRY, "/root")  # as exercises do by themselves
MAKE = """
mkdir -p app && cd app
printf 'FROM busybox:1.37\\nRUN mkdir /www && echo written by the learner > /www/index.html\\n' > Dockerfile
printf 'CMD ["httpd", "-f", "-p", "8080", "-h", "/www"]\\n' >> Dockerfile
docker build -q -t registry.naru:5000/own:v1 .
docker push -q registry.naru:5000/own:v1
kubectl create configmap own --from-literal=word=first
kubectl create deployment own --image=shop:v1 --replicas=2
kubectl rollout status deployment/own --timeout=90s
kubectl set image deployment/own shop=registry.naru:5000/own:v1
kubectl rollout status deployment/own --timeout=90s
kubectl expose deployment own --port=80 --target-port=8080
"""
SPOIL = """
kubectl delete service own
kubectl scale deployment own --replicas=1
kubectl create configmap own --from-literal=word=second --dry-run=client -o yaml | kubectl replace -f -
kubectl create configmap later --from-literal=a=b
kubectl run later --image=shop:v1
"""
OF_THE_CLUSTER = {"kube-root-ca.crt", "kubernetes"}  # every cluster makes them for itself


@pytest.fixture(scope="module")
def first(labs: Sandbox) -> Iterator[Lab]:
    """A lab in which somebody has built, pushed and deployed."""
    for lab in opened(labs, SHAPE):
        sh(lab, MAKE)
        eventually(partial(answers, lab))
        yield lab


@pytest.fixture(scope="module")
def kept(first: Lab) -> bytes:
    return first.save(KEPT, most_kb=MOST_REGISTRY_KB)


@pytest.fixture(scope="module")
def second(labs: Sandbox, first: Lab, kept: bytes) -> Iterator[Lab]:
    """Another lab, on which nobody has done anything but to put back what was kept of the first."""
    for lab in opened(labs, SHAPE):
        lab.load(kept)
        yield lab


def sh(lab: Lab, script: str, seconds: float = 150) -> str:
    done = lab.run(["/bin/bash", "-ec", f"cd /root\n{script}"], seconds=seconds)
    assert done.exit_code == 0, (done.stdout + done.stderr).decode(errors="replace")[-3000:]
    return done.stdout.decode()


def answers(lab: Lab) -> bool:
    """Whether the Service gives the learner's own page."""
    done = lab.run(["curl", "-s", "--max-time", "2", "http://own/"], seconds=20)
    return done.stdout == b"written by the learner\n"


def objects(lab: Lab) -> dict[str, Any]:
    """Of what the learner made what must be the same afterwards."""
    found = json.loads(sh(lab, "kubectl get deployments,replicasets,services,configmaps -o json"))["items"]
    return {
        f"{one['kind']}/{one['metadata']['name']}": (one["metadata"]["uid"], one.get("spec"), one.get("data"))
        for one in found
        if one["metadata"]["name"] not in OF_THE_CLUSTER
    }


def runs_own_image(lab: Lab) -> bool:
    pods = json.loads(sh(lab, "kubectl get pods -l app=own -o json"))["items"]
    statuses = [status for pod in pods for status in pod["status"].get("containerStatuses", [])]
    return len(pods) == 2 and [one["ready"] and "own@sha256" in one["imageID"] for one in statuses] == [True, True]


def test_all_of_it_comes_back_in_another_lab(first: Lab, second: Lab) -> None:
    eventually(lambda: runs_own_image(second), seconds=90)
    eventually(partial(answers, second))
    assert objects(second) == objects(first)
    assert sh(second, "cat app/Dockerfile") == sh(first, "cat app/Dockerfile")
    assert sh(second, "docker pull -q registry.naru:5000/own:v1") == "registry.naru:5000/own:v1\n"
    history = sh(second, "kubectl rollout history deployment/own").split()
    assert history[-4:] == ["1", "<none>", "2", "<none>"]


def test_it_goes_on_as_a_cluster(second: Lab) -> None:
    """Controllers know what was loaded: owners, revisions, endpoints."""
    eventually(lambda: runs_own_image(second), seconds=90)
    sh(second, "kubectl delete pod -l app=own --now")
    eventually(lambda: runs_own_image(second), seconds=90)
    eventually(partial(answers, second))
    sh(second, "kubectl rollout undo deployment/own; kubectl rollout status deployment/own --timeout=90s")
    assert "shop:v1" in sh(second, "kubectl get pods -o jsonpath='{.items[*].spec.containers[*].image}'")


def test_what_came_after_it_goes_when_it_is_put_back_in_place(first: Lab, kept: bytes) -> None:
    before = objects(first)
    sh(first, SPOIL)
    assert objects(first) != before
    first.load(kept)
    assert objects(first) == before
    eventually(lambda: sh(first, "kubectl get pods -o name | grep -c later || true").strip() == "0")
    eventually(lambda: runs_own_image(first), seconds=90)
    eventually(partial(answers, first))
