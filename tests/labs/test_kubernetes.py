"""A lab's cluster does what Kubernetes' documentation says: a slice of its behaviours, each in a namespace of its own.

What gVisor does not enforce is no part of it: memory and CPU limits of containers.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lessons.contracts import LabShape
from lessons.sandbox import Lab, Sandbox
from tests.labs.conftest import opened

pytestmark = pytest.mark.docker

CASES: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "kubernetes.yaml").read_text())
TOPICS = {"pods", "deployments", "services", "config", "jobs", "scheduling", "HPA", "kubectl"}
PRELUDE = """
settles() {
    local said
    for _ in $(seq 100); do said=$(eval "$1"); [ "$said" = "$2" ] && break; sleep 0.4; done
    echo "$said"
}
kubectl create namespace "$NAMESPACE" >/dev/null
kubectl config set-context --current --namespace="$NAMESPACE" >/dev/null
for _ in $(seq 50); do kubectl get serviceaccount default >/dev/null 2>&1 && break; sleep 0.1; done
"""
EPILOGUE = """
kubectl config set-context --current --namespace=default >/dev/null
kubectl delete namespace "$NAMESPACE" --wait=false >/dev/null
kubectl -n "$NAMESPACE" delete pods --all --force --grace-period=0 >/dev/null 2>&1
"""


@pytest.fixture(scope="module")
def light(labs: Sandbox) -> Iterator[Lab]:
    """A ready lab with simulated nodes."""
    yield from opened(labs, LabShape("kubernetes-light", (), 448))


@pytest.fixture(scope="module")
def full(labs: Sandbox) -> Iterator[Lab]:
    """A ready lab with a node that runs containers."""
    yield from opened(labs, LabShape("kubernetes", (), 896))


def test_the_slice_is_wide() -> None:
    assert len(CASES) >= 40
    assert len({case["name"] for case in CASES}) == len(CASES)
    assert {case["topic"] for case in CASES} == TOPICS


@pytest.mark.parametrize("place", range(len(CASES)), ids=[case["name"] for case in CASES])
def test_behaviour(request: pytest.FixtureRequest, place: int) -> None:
    case = CASES[place]
    lab: Lab = request.getfixturevalue(case["lab"])
    space = f"export NAMESPACE=slice-{place}\n"
    try:
        done = lab.run(["/bin/bash", "-c", f"{space}{PRELUDE}{case['run']}"], seconds=150)
        said = (done.stdout + done.stderr).decode(errors="replace")
        assert case["says"] in said, f"exit {done.exit_code}: {said[-3000:]}"
    finally:
        lab.run(["/bin/bash", "-c", f"{space}{EPILOGUE}"], seconds=60)
