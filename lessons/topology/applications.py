"""The drawing of a cluster's applications: Deployment, ReplicaSet, Pods in the middle, Endpoints, Service.

A band is one owner of Pods with the Services that lead to them; bands lie one below the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from lessons.topology import bounds
from lessons.topology.cluster import Autoscaler, Cluster, Pod, ReplicaSet, Service, Workload
from lessons.topology.layout import GAP, ROW, WIDTH, across, box, down, quiet
from lessons.topology.shapes import BAD, OFF, OK, WAIT, Box, Drawing, Link
from lessons.topology.states import matches, selector_text, state_of_pod, state_of_service, tone_of_owner

LEFT, MIDDLE, RIGHT = (0, 174), (200, 122), (348, 132)  # x and width of the three columns
INDENT = 22
BAND_GAP = 22


@dataclass
class Group:
    """Pods of one owner, drawn below each other beside it."""

    owner: ReplicaSet | Workload | None
    pods: list[Pod]


@dataclass
class Band:
    head: Workload | None
    groups: list[Group]
    services: list[Service] = field(default_factory=list)
    left: int = 0  # ReplicaSets with Pods that have no room
    top: int = 0


@dataclass
class _Paper:
    boxes: list[Box] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    pods: dict[tuple[str, str], Box] = field(default_factory=dict)

    def put(self, one: Box) -> Box:
        self.boxes.append(one)
        return one


def draw_applications(cluster: Cluster) -> Drawing | None:
    """None where there is neither a Pod nor an owner nor a Service to speak of."""
    bands = _bands(cluster)
    if not bands:
        return None
    paper = _Paper()
    top = 0
    for band in bands[: bounds.BANDS_DRAWN]:
        top = _draw_band(paper, band, top, cluster) + BAND_GAP
    for band in bands[: bounds.BANDS_DRAWN]:
        _link_services(paper, band, cluster)
    left = max(0, len(bands) - bounds.BANDS_DRAWN)
    left += sum(max(0, len(band.services) - bounds.SERVICES_EACH) + band.left for band in bands[: bounds.BANDS_DRAWN])
    note = f"그림에 다 담지 못한 {left}묶음은 아래 표에 있어요." if left else ""
    title = "애플리케이션: Deployment에서 Pod까지, Service에서 Pod까지"
    return Drawing(title, WIDTH, top - BAND_GAP, tuple(paper.boxes), tuple(paper.links[: bounds.LINKS_DRAWN]), note)


def _bands(cluster: Cluster) -> list[Band]:
    owned: dict[tuple[str, str, str], list[Pod]] = {}
    for pod in cluster.pods:
        owned.setdefault((pod.namespace, *pod.owner), []).append(pod)
    bands = []
    for one in cluster.workloads:
        if one.kind == "Deployment":
            groups = [
                Group(made, owned.pop((made.namespace, "ReplicaSet", made.name), [])) for made in _made_by(one, cluster)
            ]
            shown = [group for group in groups if group.pods or (group.owner and group.owner.desired)]
            most = bounds.REPLICASETS_DRAWN
            bands.append(Band(one, (shown or groups)[:most], left=max(0, len(shown) - most)))
        else:
            bands.append(Band(None, [Group(one, owned.pop((one.namespace, one.kind, one.name), []))]))
    for made in cluster.replicasets:
        pods = owned.pop((made.namespace, "ReplicaSet", made.name), [])
        if pods:
            bands.append(Band(None, [Group(made, pods)]))
    bands += [Band(None, [Group(None, pods)]) for _key, pods in sorted(owned.items())]
    return [*bands, *_join_services(cluster, bands)]


def _made_by(deployment: Workload, cluster: Cluster) -> list[ReplicaSet]:
    """Its ReplicaSets, the newest revision first."""
    made = [one for one in cluster.replicasets if (one.namespace, one.owner) == (deployment.namespace, deployment.name)]
    return sorted(made, key=lambda one: (-int(one.revision) if one.revision.isdecimal() else 0, one.name))


def _join_services(cluster: Cluster, bands: Sequence[Band]) -> list[Band]:
    """Each Service to the first band that it leads to; bands of their own for those that lead nowhere."""
    alone = []
    for service in cluster.services:
        if not service.selector and not service.endpoints:
            continue  # the cluster's own "kubernetes" is such a one
        named = {one.pod for one in service.endpoints}
        for band in bands:
            pods = [pod for group in band.groups for pod in group.pods if pod.namespace == service.namespace]
            if any(pod.name in named or matches(service, pod) for pod in pods):
                band.services.append(service)
                break
        else:
            alone.append(Band(None, [], [service]))
    return alone


def _draw_band(paper: _Paper, band: Band, top: int, cluster: Cluster) -> int:
    """Owners and Pods; Services come when all Pods have their places. Returns where the band ends."""
    band.top = left = middle = top
    head = None
    if band.head is not None:
        head = paper.put(_owner_box(band.head, (LEFT[0], left), LEFT[1], cluster.autoscalers))
        left += ROW + GAP
    for index, group in enumerate(band.groups):
        start = max(left, middle)
        beside = start if index else top  # the first Pods begin beside the Deployment: it takes no row of its own
        owner = None
        if group.owner is not None:
            x = LEFT[0] + (INDENT if head else 0)
            owner = paper.put(
                _owner_box(group.owner, (x, start), LEFT[1] - (INDENT if head else 0), cluster.autoscalers)
            )
            if head:
                paper.links.append(down(head, owner, quiet(owner.tone)))
        boxes = _pod_boxes(paper, group.pods, beside)
        if owner:
            paper.links += [across(owner, one, quiet(one.tone)) for one in boxes]
        left = start + ROW + GAP
        middle = beside + max(len(boxes), 1) * (ROW + GAP)
    services = 2 * min(len(band.services), bounds.SERVICES_EACH) * (ROW + GAP)
    return max(left, middle, top + services, top + ROW + GAP) - GAP


def _owner_box(one: Workload | ReplicaSet, place: tuple[int, int], width: int, scalers: Sequence[Autoscaler]) -> Box:
    kind = one.kind if isinstance(one, Workload) else "ReplicaSet"
    tone = tone_of_owner(one)
    sub = f"{kind} {one.ready}/{one.desired}"
    if isinstance(one, ReplicaSet):
        sub = f"ReplicaSet {one.ready}/{one.desired}" + (f" {_tag(one.images[0])}" if one.images else "")
    for scaler in scalers:
        if (scaler.namespace, scaler.target) == (one.namespace, (kind, one.name)):
            sub += " · HPA"
    css = {"Deployment": "deployment", "ReplicaSet": "replicaset"}.get(kind, "workload")
    return box(css, tone, place, width, one.title, sub)


def _tag(image: str) -> str:
    return image.rsplit("/", 1)[-1]


def _pod_boxes(paper: _Paper, pods: Sequence[Pod], top: int) -> list[Box]:
    """One each, or where they are many one for each state with their number."""
    x, width = MIDDLE
    states = [(pod, state_of_pod(pod)) for pod in pods]
    boxes = []
    if len(pods) <= bounds.PODS_EACH:
        for index, (pod, state) in enumerate(states):
            sub = f"{state.words} · {pod.node}" if pod.node and state.tone == OK else state.words
            made = paper.put(box("pod", state.tone, (x, top + index * (ROW + GAP)), width, pod.title, sub))
            paper.pods[pod.namespace, pod.name] = made
            boxes.append(made)
        return boxes
    for tone, words in ((OK, "준비됨"), (WAIT, "아직 준비 안 됨"), (BAD, "고장 남"), (OFF, "끝남")):
        alike = [pod for pod, state in states if state.tone == tone]
        if alike:
            place = (x, top + len(boxes) * (ROW + GAP))
            made = paper.put(box("pod", tone, place, width, f"Pod {len(alike)}개", words))
            paper.pods.update({(pod.namespace, pod.name): made for pod in alike})
            boxes.append(made)
    return boxes


def _link_services(paper: _Paper, band: Band, cluster: Cluster) -> None:
    """Service, its Endpoints, and a line to each Pod that it leads to."""
    y = band.top
    for service in band.services[: bounds.SERVICES_EACH]:
        state = state_of_service(service, cluster.pods)
        x, width = RIGHT
        ports = ", ".join(service.ports)
        first = paper.put(box("service", OK, (x, y), width, service.title, f"Service {ports}".strip()))
        ends = paper.put(
            box("endpoints", state.tone, (x + INDENT, y + ROW + GAP), width - INDENT, "Endpoints", state.words)
        )
        paper.links.append(down(first, ends, OFF if state.tone == BAD else OK))
        _link_pods(paper, service, ends, cluster)
        y += 2 * (ROW + GAP)


def _link_pods(paper: _Paper, service: Service, ends: Box, cluster: Cluster) -> None:
    ready = {one.pod: one.ready for one in service.endpoints}
    wanted = [pod.name for pod in cluster.pods if pod.namespace == service.namespace and matches(service, pod)]
    drawn: dict[tuple[int, int], tuple[Box, bool]] = {}
    for name in dict.fromkeys([*ready, *wanted]):
        made = paper.pods.get((service.namespace, name))
        if made and made.tone != OFF:
            drawn[made.x, made.y] = (made, drawn.get((made.x, made.y), (made, False))[1] or ready.get(name, False))
    for made, holds in drawn.values():
        paper.links.append(across(made, ends, OK if holds else BAD if made.tone == BAD else WAIT))
    if not drawn and service.selector and not ready:
        x, width = MIDDLE
        missing = paper.put(box("ghost", BAD, (x, ends.y), width, selector_text(service.selector), "이런 Pod 없음"))
        paper.links.append(across(missing, ends, BAD))
