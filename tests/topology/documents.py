"""Documents as the attendant gives them: a cluster with something broken in each way, and a Docker lab of two hosts."""

from __future__ import annotations

from typing import Any


def pod(name: str, *, app: str = "shop", made_by: str = "", **fields: Any) -> dict[str, Any]:
    """A ready Pod on worker-1."""
    owner = {"kind": "ReplicaSet", "name": made_by} if made_by else None
    usual = {
        "namespace": "default",
        "name": name,
        "node": "worker-1",
        "phase": "Running",
        "ready": True,
        "reason": "",
        "restarts": 0,
        "owner": owner,
        "labels": {"app": app},
        "ip": "10.244.0.5",
        "images": ["shop:v1"],
        "deleting": False,
    }
    return {**usual, **fields}


def service(name: str, selector: dict[str, str], *endpoints: tuple[str, bool]) -> dict[str, Any]:
    return {
        "namespace": "default",
        "name": name,
        "type": "ClusterIP",
        "cluster_ip": "10.96.0.20",
        "ports": [{"port": 80, "target": 8080, "node_port": 0}],
        "selector": selector,
        "endpoints": [{"pod": who, "ip": "10.244.0.5", "ready": ready} for who, ready in endpoints],
    }


def cluster(**changes: Any) -> dict[str, Any]:
    """shop: two ready Pods behind a Service, nothing broken."""
    usual: dict[str, Any] = {
        "nodes": [
            {"name": f"worker-{n}", "ready": True, "simulated": True, "schedulable": True, "reason": ""}
            for n in (1, 2, 3)
        ],
        "pods": [
            pod("shop-7d9f8b6c4d-x2x9k", made_by="shop-7d9f8b6c4d"),
            pod("shop-7d9f8b6c4d-q8wlt", made_by="shop-7d9f8b6c4d"),
        ],
        "replicasets": [made("shop", "7d9f8b6c4d", 2)],
        "deployments": [deployment("shop", 2)],
        "workloads": [],
        "services": [
            service("shop", {"app": "shop"}, ("shop-7d9f8b6c4d-x2x9k", True), ("shop-7d9f8b6c4d-q8wlt", True))
        ],
        "autoscalers": [],
        "left_out": 0,
    }
    return {"docker": [], "kubernetes": {**usual, **changes}}


def deployment(name: str, desired: int, ready: int | None = None) -> dict[str, Any]:
    ready = desired if ready is None else ready
    counts = {"desired": desired, "ready": ready, "updated": desired, "available": ready}
    return {"namespace": "default", "name": name, **counts, "images": ["shop:v1"]}


def made(name: str, part: str, desired: int, ready: int | None = None, revision: str = "1") -> dict[str, Any]:
    counts = {"desired": desired, "ready": desired if ready is None else ready}
    owner = {"kind": "Deployment", "name": name}
    return {
        "namespace": "default",
        "name": f"{name}-{part}",
        "owner": owner,
        **counts,
        "images": ["shop:v1"],
        "revision": revision,
    }


def troubled() -> dict[str, Any]:
    """A roll-out that does not go on, a Service that finds nothing, Pods without a node, a node that is gone."""
    new, old = "shop-85c6d9f7bb", "shop-7d9f8b6c4d"
    pods = [
        pod(f"{new}-h4kzp", made_by=new, ready=False, reason="CrashLoopBackOff", restarts=5, node="worker-2"),
        pod(f"{new}-m2v7d", made_by=new, ready=False, node="worker-3"),
        pod(f"{old}-q8wlt", made_by=old),
        pod(f"{old}-x2x9k", made_by=old),
        pod(
            "big-0",
            app="big",
            owner={"kind": "StatefulSet", "name": "big"},
            node="",
            phase="Pending",
            ready=False,
            reason="Unschedulable",
        ),
        pod("typo", app="typo", phase="Pending", ready=False, reason="ImagePullBackOff"),
        *[
            pod(f"web-6f7d-{n:02}", app="web", made_by="web-6f7d", node=f"worker-{n % 3 + 1}", ready=n != 3)
            for n in range(18)
        ],
    ]
    return cluster(
        pods=pods,
        nodes=[
            {"name": "real-1", "ready": True, "simulated": False, "schedulable": True, "reason": ""},
            {"name": "worker-1", "ready": True, "simulated": True, "schedulable": True, "reason": ""},
            {"name": "worker-2", "ready": False, "simulated": True, "schedulable": True, "reason": "NodeStatusUnknown"},
            {"name": "worker-3", "ready": True, "simulated": True, "schedulable": False, "reason": ""},
        ],
        replicasets=[
            made("shop", "85c6d9f7bb", 2, 0, "2"),
            made("shop", "7d9f8b6c4d", 2, 2),
            made("web", "6f7d", 18, 17),
        ],
        deployments=[deployment("shop", 3, 2), deployment("web", 18, 17)],
        workloads=[{"kind": "StatefulSet", "namespace": "default", "name": "big", "desired": 1, "ready": 0}],
        services=[
            service("kubernetes", {}),
            service("shop", {"app": "shop"}, (f"{old}-q8wlt", True), (f"{old}-x2x9k", True), (f"{new}-m2v7d", False)),
            service("lost", {"app": "shp"}),
            service("web", {"app": "web"}, *[(f"web-6f7d-{n:02}", n != 3) for n in range(18)]),
        ],
        autoscalers=[
            {
                "namespace": "default",
                "name": "web",
                "target": {"kind": "Deployment", "name": "web"},
                "min": 2,
                "max": 20,
                "current": 18,
                "desired": 18,
            }
        ],
    )


def docker() -> dict[str, Any]:
    """Two hosts, as a lab about registries has them."""

    def container(name: str, **fields: Any) -> dict[str, Any]:
        usual = {"id": "a41f0c2b77de", "name": name, "image": "shop:1.2", "state": "running", "health": ""}
        return {**usual, "networks": ["shop-net"], "ports": [], "volumes": [], **fields}

    port = {"host": 8080, "container": 80, "protocol": "tcp"}
    laptop = {
        "host": "laptop",
        "containers": [
            container("web", ports=[port, {**port, "host": 8443, "container": 443}], health="unhealthy"),
            container("db", image="postgres:17", volumes=[{"name": "data", "path": "/var/lib/postgresql/data"}]),
            container("loop", state="restarting", networks=["bridge"]),
            container("once", state="exited", networks=[]),
        ],
        "networks": [
            {"name": name, "driver": kind}
            for name, kind in (("bridge", "bridge"), ("host", "host"), ("shop-net", "bridge"))
        ],
        "volumes": [{"name": "data"}, {"name": "unused"}],
    }
    server = {**laptop, "host": "server", "containers": [container("api", ports=[port])], "volumes": []}
    return {"docker": [laptop, server], "kubernetes": None}
