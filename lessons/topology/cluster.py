"""A cluster's objects as the document tells them, each list sorted by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lessons.topology import bounds
from lessons.topology.reading import entries, flag, number, pairs, part, surplus, text, texts


@dataclass(frozen=True)
class Named:
    namespace: str
    name: str

    @property
    def title(self) -> str:
        """The name as a learner writes it: with its namespace unless that is the usual one."""
        return self.name if self.namespace in ("", "default") else f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class Node(Named):
    ready: bool
    simulated: bool
    schedulable: bool
    reason: str


@dataclass(frozen=True)
class Pod(Named):
    """``owner``: (kind, name), ("", "") for one that stands alone. ``node``: "" until it has one."""

    node: str
    phase: str
    ready: bool
    reason: str
    restarts: int
    owner: tuple[str, str]
    labels: Mapping[str, str]
    ip: str
    images: tuple[str, ...]
    deleting: bool


@dataclass(frozen=True)
class ReplicaSet(Named):
    owner: str
    desired: int
    ready: int
    images: tuple[str, ...]
    revision: str


@dataclass(frozen=True)
class Workload(Named):
    """A Deployment too."""

    kind: str
    desired: int
    ready: int
    updated: int
    images: tuple[str, ...]


@dataclass(frozen=True)
class Endpoint:
    pod: str
    ip: str
    ready: bool


@dataclass(frozen=True)
class Service(Named):
    type: str
    ip: str
    ports: tuple[str, ...]
    selector: Mapping[str, str]
    endpoints: tuple[Endpoint, ...]


@dataclass(frozen=True)
class Autoscaler(Named):
    target: tuple[str, str]
    least: int
    most: int
    current: int
    desired: int


@dataclass(frozen=True)
class Cluster:
    nodes: tuple[Node, ...]
    pods: tuple[Pod, ...]
    replicasets: tuple[ReplicaSet, ...]
    workloads: tuple[Workload, ...]  # Deployments first
    services: tuple[Service, ...]
    autoscalers: tuple[Autoscaler, ...]
    left_out: int


def cluster_of(document: Mapping[str, Any]) -> Cluster:
    def rows(name: str, most: int = bounds.OBJECTS) -> list[Mapping[str, Any]]:
        return sorted(
            entries(document.get(name), most), key=lambda row: (text(row.get("namespace")), text(row.get("name")))
        )

    deployments = [_workload(row, "Deployment") for row in rows("deployments")]
    others = [_workload(row, text(row.get("kind"), 30)) for row in rows("workloads")]
    kinds = ("nodes", "replicasets", "deployments", "workloads", "services", "autoscalers")
    left = surplus(document.get("pods"), bounds.PODS)
    left += sum(surplus(document.get(name), bounds.OBJECTS) for name in kinds)
    return Cluster(
        nodes=tuple(_node(row) for row in rows("nodes")),
        pods=tuple(_pod(row) for row in rows("pods", bounds.PODS)),
        replicasets=tuple(_replicaset(row) for row in rows("replicasets")),
        workloads=(*deployments, *others),
        services=tuple(_service(row) for row in rows("services")),
        autoscalers=tuple(_autoscaler(row) for row in rows("autoscalers")),
        left_out=left + number(document.get("left_out")),
    )


def _name(row: Mapping[str, Any]) -> dict[str, str]:
    return {"namespace": text(row.get("namespace")), "name": text(row.get("name")) or "?"}


def _owner(row: Mapping[str, Any], field: str = "owner") -> tuple[str, str]:
    """(kind, name); a ReplicaSet's owner may stand there as a bare name."""
    if isinstance(row.get(field), str):
        return "", text(row[field])
    owner = part(row, field)
    return text(owner.get("kind"), 30), text(owner.get("name"))


def _node(row: Mapping[str, Any]) -> Node:
    return Node(
        **_name(row),
        ready=flag(row.get("ready")),
        simulated=flag(row.get("simulated")),
        schedulable=row.get("schedulable") is not False,
        reason=text(row.get("reason")),
    )


def _pod(row: Mapping[str, Any]) -> Pod:
    return Pod(
        **_name(row),
        node=text(row.get("node")),
        phase=text(row.get("phase"), 30),
        ready=flag(row.get("ready")),
        reason=text(row.get("reason")),
        restarts=number(row.get("restarts")),
        owner=_owner(row),
        labels=pairs(row.get("labels")),
        ip=text(row.get("ip")),
        images=texts(row.get("images")),
        deleting=flag(row.get("deleting")),
    )


def _replicaset(row: Mapping[str, Any]) -> ReplicaSet:
    revision = row.get("revision")
    return ReplicaSet(
        **_name(row),
        owner=_owner(row)[1],
        desired=number(row.get("desired")),
        ready=number(row.get("ready")),
        images=texts(row.get("images")),
        revision=str(number(revision) or "") if not isinstance(revision, str) else text(revision, 12),
    )


def _workload(row: Mapping[str, Any], kind: str) -> Workload:
    return Workload(
        **_name(row),
        kind=kind,
        desired=number(row.get("desired")),
        ready=number(row.get("ready")),
        updated=number(row.get("updated")),
        images=texts(row.get("images")),
    )


def _service(row: Mapping[str, Any]) -> Service:
    return Service(
        **_name(row),
        type=text(row.get("type"), 30),
        ip=text(row.get("cluster_ip")),
        ports=tuple(_port(one) for one in entries(row.get("ports"), 8)),
        selector=pairs(row.get("selector")),
        endpoints=tuple(
            Endpoint(text(one.get("pod")), text(one.get("ip")), flag(one.get("ready")))
            for one in entries(row.get("endpoints"), bounds.PODS)
        ),
    )


def _port(row: Mapping[str, Any]) -> str:
    """80 → 8080, with the node's port where there is one."""
    target = row.get("target")
    shown = text(target, 20) if isinstance(target, str) else str(number(target) or "")
    port = str(number(row.get("port")))
    node = number(row.get("node_port"))
    return port + (f"→{shown}" if shown and shown != port else "") + (f" (노드 {node})" if node else "")


def _autoscaler(row: Mapping[str, Any]) -> Autoscaler:
    return Autoscaler(
        **_name(row),
        target=_owner(row, "target"),
        least=number(row.get("min")),
        most=number(row.get("max")),
        current=number(row.get("current")),
        desired=number(row.get("desired")),
    )
