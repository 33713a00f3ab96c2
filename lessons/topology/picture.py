"""The whole picture out of a document."""

from __future__ import annotations

from typing import Any

from lessons.topology.applications import draw_applications
from lessons.topology.cluster import Cluster, cluster_of
from lessons.topology.containers import draw_host, faults_of_hosts, hosts_of, tables_of_host
from lessons.topology.nodes import draw_nodes
from lessons.topology.shapes import BAD, Drawing, Fault, Picture, Table
from lessons.topology.states import faults_of, shown
from lessons.topology.tables import tables_of

_WORDS = {
    "deployment": ("Deployment", "같은 Pod를 몇 개, 어떤 이미지로 둘지 적어 둔 것이에요."),
    "replicaset": ("ReplicaSet", "Deployment의 한 판(revision)이에요. Pod가 모자라면 만들고 남으면 지워요."),
    "pod": ("Pod", "컨테이너가 도는 가장 작은 단위예요. 한 노드 위에 놓여요."),
    "service": ("Service", "Pod가 바뀌어도 그대로인 이름과 주소예요. 준비된 Pod로 요청을 나눠 보내요."),
    "endpoints": ("엔드포인트(Endpoints)", "Service의 selector에 맞는 Pod의 주소예요. 준비된 Pod만 요청을 받아요."),
    "node": ("노드(node)", "Pod가 도는 컴퓨터예요. 네모 하나가 Pod 하나예요."),
    "container": ("컨테이너(container)", "이미지로 띄운 프로세스예요."),
    "port": ("포트(port)", "실습 컴퓨터의 이 번호로 온 요청이 컨테이너로 들어가요."),
    "network": ("네트워크(network)", "여기에 함께 이어진 컨테이너끼리 통신해요."),
    "volume": ("볼륨(volume)", "컨테이너를 지워도 남는 저장 공간이에요."),
}


def picture_of(document: Any) -> Picture:
    """What the lab holds, drawn and as tables. ``document`` is the attendant's answer to ``topology``, None before
    the first look; anything that is not of its shape is left out."""
    found = document if isinstance(document, dict) else {}
    drawings: list[Drawing | None] = []
    tables: list[Table] = []
    faults: tuple[Fault, ...] = ()
    cluster: Cluster | None = None
    if isinstance(found.get("kubernetes"), dict):
        cluster = cluster_of(found["kubernetes"])
        drawings += [draw_applications(cluster), draw_nodes(cluster)]
        tables += tables_of(cluster)
        faults = faults_of(cluster)
    hosts = hosts_of(found.get("docker"))
    several = len(hosts) > 1
    for host in hosts:
        where = f" ({host.name})" if several and host.name else ""
        title = f"Docker{where}" if cluster or several else "컨테이너, 포트, 네트워크, 볼륨"
        drawing = draw_host(host, title)
        drawings.append(drawing)
        tables += tables_of_host(host, where) if drawing else []
    faults = (*faults, *faults_of_hosts(hosts))  # all of them: the summary counts what has no room as well
    drawn = tuple(one for one in drawings if one is not None)
    kinds = {box.kind for drawing in drawn for box in drawing.boxes}
    words = tuple(pair for kind, pair in _WORDS.items() if kind in kinds)
    return Picture(_summary(drawn, faults), shown(faults), drawn, tuple(tables), words)


def _summary(drawings: tuple[Drawing, ...], faults: tuple[Fault, ...]) -> str:
    if not drawings:
        return "아직 아무것도 없어요. 터미널에서 만들면 여기에 그려져요."
    broken = sum(fault.tone == BAD for fault in faults)
    if broken:
        return f"고장 난 곳이 {broken}군데 있어요."
    return "아직 준비하는 것이 있어요." if faults else "고장 난 곳이 없어요."
