"""Hostile items 24 and 25 in real clusters: what a learner floods or points elsewhere ruins that lab at most.

Two labs stand side by side; one of them is asked how it feels while the other one is being flooded.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from lessons.contracts import ExecResult, LabShape
from lessons.sandbox import Lab, Sandbox, SandboxError
from tests.sandbox.running import eventually, lab_sandbox

pytestmark = [pytest.mark.docker, pytest.mark.hostile]

LIFETIME = 1800.0
LIMIT_MB = 448
FLOOD_SECONDS = 40
ANSWER_SECONDS = 10.0  # a neighbour still answers; how fast is measured in bench/
CRDS = """
for i in $(seq 200); do cat <<Y | kubectl create -f - >/dev/null 2>&1 || true
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things$i.flood.example}
spec:
  group: flood.example
  scope: Namespaced
  names: {plural: things$i, singular: thing$i, kind: Thing$i}
  versions:
    - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
Y
done
"""
SECRETS = """
head -c 700000 /dev/urandom | base64 -w0 > /tmp/large
for i in $(seq 2000); do kubectl create secret generic s$i --from-file=a=/tmp/large >/dev/null 2>&1 || true; done
"""
HOOK = """
cat <<Y | kubectl create -f -
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: out}
webhooks:
  - name: out.naru.example
    clientConfig: {url: "https://%s:%d/hook"}
    sideEffects: None
    timeoutSeconds: 2
    admissionReviewVersions: [v1]
    failurePolicy: Fail
    rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}]
Y
sleep 1
kubectl create configmap triggers --from-literal=a=b
"""


@pytest.fixture(scope="module")
def sandbox(engine_socket: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with lab_sandbox(engine_socket, tmp_path_factory.mktemp("clusters")) as real:
        yield real


def opened(sandbox: Sandbox) -> Lab:
    lab = sandbox.open_lab(LabShape("kubernetes-light", (), LIMIT_MB), owner="hostile", lifetime=LIFETIME)
    lab.wait_ready(90)
    return lab


@pytest.fixture(scope="module")
def neighbour(sandbox: Sandbox) -> Lab:
    """Whom the others must not disturb."""
    return opened(sandbox)


@pytest.fixture
def flooder(sandbox: Sandbox) -> Iterator[Lab]:
    """A lab to be ruined."""
    lab = opened(sandbox)
    yield lab
    lab.end()


def sh(lab: Lab, line: str, seconds: float = 60) -> ExecResult:
    return lab.run(["/bin/bash", "-c", line], seconds=seconds)


def asks_for_pods(lab: Lab) -> float:
    """Seconds of one ``kubectl get pods``."""
    began = time.monotonic()
    done = sh(lab, "kubectl get pods")
    assert done.exit_code == 0, done.stderr
    return time.monotonic() - began


def used_bytes(sandbox: Sandbox, lab: Lab) -> int:
    """What the engine counts, from outside of the lab; 0 once it has died."""
    stats = sandbox.engine.api.stats(lab.id, stream=False, one_shot=True)
    return int(stats["memory_stats"].get("usage", 0))


@dataclass(frozen=True)
class Flood:
    """``run`` fills the cluster, ``full`` succeeds where it says that it takes no more, ``undo`` empties it."""

    run: str
    undo: str
    full: str = ""


ANEW = """
kubectl create deployment shop --image=shop:v1 --dry-run=client -o yaml | kubectl apply -f - &&
kubectl rollout status deployment/shop --timeout=20s
"""
FULL = "'database space exceeded'"
FLOODS = {
    "ten thousand pods": Flood(
        "kubectl create deployment flood --image=shop:v1 --replicas=10000; sleep 600",
        "kubectl delete deployment flood",
        f"kubectl get events -o jsonpath='{{.items[*].message}}' | grep -q {FULL}",
    ),
    "kinds": Flood(CRDS, "kubectl delete crd --all --wait=false"),
    "secrets of a megabyte": Flood(
        SECRETS,
        "kubectl delete secrets --all",
        f"kubectl create secret generic more --from-file=a=/tmp/large 2>&1 | grep -q {FULL}",
    ),
}


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
def test_flood_of_objects_stays_in_its_lab(sandbox: Sandbox, neighbour: Lab, flooder: Lab, flood: Flood) -> None:
    """And that lab says that it is full, and goes on once its learner has made room."""

    def run() -> None:
        with suppress(SandboxError):  # its time is up
            sh(flooder, flood.run, FLOOD_SECONDS)

    flooding = threading.Thread(target=run)
    flooding.start()
    answers, used = [], []
    while flooding.is_alive():
        answers.append(asks_for_pods(neighbour))
        used.append(used_bytes(sandbox, flooder))
        time.sleep(1)
    flooding.join()
    assert len(answers) >= 3
    assert max(answers) < ANSWER_SECONDS
    assert 0 < max(used) <= LIMIT_MB * 2**20
    assert neighbour.alive()
    if flood.full:
        eventually(lambda: sh(flooder, flood.full).exit_code == 0)
    undone = sh(flooder, flood.undo, 120)
    assert undone.exit_code == 0, undone.stderr
    eventually(lambda: sh(flooder, ANEW).exit_code == 0, seconds=180)
    nodes = sh(flooder, "kubectl get nodes --no-headers")
    assert nodes.stdout.count(b" Ready ") == 3, nodes.stdout


def test_webhook_reaches_nobody_outside(flooder: Lab) -> None:
    """The portal listens on the host; an API server asked to call it there finds no network."""
    with socket.create_server(("", 0)) as portal:  # every address of this machine
        portal.settimeout(0.5)
        address = socket.gethostbyname(socket.gethostname())
        done = sh(flooder, HOOK % (address, portal.getsockname()[1]))
        assert b"failed calling webhook" in done.stderr
        with pytest.raises(TimeoutError):
            portal.accept()
    assert b"(NotFound)" in sh(flooder, "kubectl get configmap triggers").stderr


def test_clusters_side_by_side_reach_nothing_of_each_other(neighbour: Lab, flooder: Lab) -> None:
    created = sh(neighbour, "kubectl create configmap own --from-literal=word=secret-of-two")
    assert created.exit_code == 0, created.stderr
    config = sh(neighbour, "cat /root/.kube/config").stdout.decode()
    assert "token" in config
    # With the neighbour's own credentials in hand: another cluster's, and no way to the other server.
    done = sh(flooder, f"cat > /tmp/config <<'E'\n{config}\nE\nkubectl --kubeconfig /tmp/config get configmap own 2>&1")
    assert b"secret-of-two" not in done.stdout
    assert done.exit_code != 0
    addresses = sh(flooder, "ip -brief address")
    assert addresses.exit_code == 0, addresses.stderr
    assert b"eth0" not in addresses.stdout
    own = sh(flooder, "kubectl get configmaps -A -o yaml")
    assert own.exit_code == 0, own.stderr
    assert b"secret-of-two" not in own.stdout


def test_graders_credentials_are_in_no_file(neighbour: Lab) -> None:
    """What the portal asks with is kept in the memory of the cluster's program."""
    found = sh(neighbour, "grep -rl 'naru:grader' /run /root /etc /tmp /var 2>/dev/null")
    assert found.stdout == b""
    eventually(
        lambda: sh(neighbour, "kubectl auth whoami -o jsonpath='{.status.userInfo.username}'").stdout == b"learner"
    )
