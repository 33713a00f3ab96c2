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
    for _ in $(seq 150); do
        said=$(eval "$1" 2>&1) || true
        [ "$said" = "$2" ] && { echo "$said"; return; }
        sleep 0.3
    done
    echo "$1: never '$2', at last: $said" >&2
    return 1
}
waits() {
    for _ in $(seq 150); do eval "$1" >/dev/null 2>&1 && return; sleep 0.3; done
    echo "never: $1" >&2
    eval "$1" >&2
}
refused() {
    local said
    if said=$("$@" 2>&1); then echo "not refused: $*: $said" >&2; return 1; fi
    echo "$said"
}
set -eo pipefail
kubectl create namespace "$NAMESPACE" >/dev/null
kubectl config set-context --current --namespace="$NAMESPACE" >/dev/null
waits 'kubectl get serviceaccount default'
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
    yield from opened(labs, LabShape("kubernetes", (), 768))


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
        said = done.stdout.decode(errors="replace").strip()
        assert done.exit_code == 0, (said + done.stderr.decode(errors="replace"))[-3000:]
        last = said.splitlines()[-1]
        assert last == case["says"] if "says" in case else case["has"] in last
    finally:
        lab.run(["/bin/bash", "-c", f"{space}{EPILOGUE}"], seconds=60)
