"""A cluster as tables: every fact of its drawings, for whoever does not see them."""

from __future__ import annotations

from lessons.topology.cluster import Cluster
from lessons.topology.shapes import OK, Row, Table
from lessons.topology.states import matches, selector_text, state_of_node, state_of_pod, state_of_service, tone_of_owner


def tables_of(cluster: Cluster) -> list[Table]:
    """Without those that would be empty."""
    tables = [_services(cluster), _workloads(cluster), _replicasets(cluster), _pods(cluster), _nodes(cluster)]
    tables.append(_autoscalers(cluster))
    found = [table for table in tables if table.rows]
    if cluster.left_out and found:
        last = found[-1]
        note = f"너무 많아서 오브젝트 {cluster.left_out}개는 그림과 표에서 뺐어요."
        found[-1] = Table(last.caption, last.head, last.rows, note)
    return found


def _row(tone: str, *cells: str) -> Row:
    return Row(tone, tuple(cell or "-" for cell in cells))


def _services(cluster: Cluster) -> Table:
    rows = []
    for one in cluster.services:
        state = state_of_service(one, cluster.pods)
        ready = [end.pod or end.ip for end in one.endpoints if end.ready]
        waiting = [end.pod or end.ip for end in one.endpoints if not end.ready]
        known = {*ready, *waiting}
        waiting += [pod.name for pod in cluster.pods if matches(one, pod) and pod.name not in known]
        ports = ", ".join(one.ports)
        rows.append(
            _row(
                state.tone, one.title, f"{one.type} {one.ip}".strip(), ports, selector_text(one.selector), state.words,
                _listed(ready), _listed(waiting),
            )
        )  # fmt: skip
    head = ("이름", "종류와 주소", "포트", "selector", "상태", "요청을 받는 Pod", "아직 못 받는 Pod")
    return Table("Service와 엔드포인트", head, tuple(rows))


def _listed(names: list[str], most: int = 12) -> str:
    return ", ".join(names[:most]) + (f" 등 {len(names)}개" if len(names) > most else "")


def _workloads(cluster: Cluster) -> Table:
    rows = [
        _row(tone_of_owner(one), one.title, one.kind, str(one.desired), str(one.ready), ", ".join(one.images))
        for one in cluster.workloads
    ]
    return Table(
        "Pod를 만들고 개수를 지키는 오브젝트", ("이름", "종류", "바란 Pod", "준비된 Pod", "이미지"), tuple(rows)
    )


def _replicasets(cluster: Cluster) -> Table:
    rows = [
        _row(
            tone_of_owner(one),
            one.title,
            one.owner,
            one.revision,
            str(one.desired),
            str(one.ready),
            ", ".join(one.images),
        )
        for one in cluster.replicasets
    ]
    head = ("이름", "Deployment", "판(revision)", "바란 Pod", "준비된 Pod", "이미지")
    return Table("ReplicaSet", head, tuple(rows))


def _pods(cluster: Cluster) -> Table:
    rows = []
    for pod in cluster.pods:
        state = state_of_pod(pod)
        words = f"{state.words} ({pod.reason})" if pod.reason else state.words
        owner = " ".join(filter(None, pod.owner))
        rows.append(
            _row(state.tone, pod.title, words, pod.node, owner, str(pod.restarts), pod.ip, ", ".join(pod.images))
        )
    head = ("이름", "상태", "노드", "만든 오브젝트", "다시 시작", "IP", "이미지")
    return Table("Pod", head, tuple(rows))


def _nodes(cluster: Cluster) -> Table:
    rows = []
    for one in cluster.nodes:
        state = state_of_node(one)
        here = sum(pod.node == one.name for pod in cluster.pods)
        kind = "흉내 낸 노드" if one.simulated else "진짜 노드"
        words = f"{state.words} ({one.reason})" if one.reason and one.reason != state.words else state.words
        rows.append(_row(state.tone, one.name, kind, words, f"{here}개"))
    return Table("노드", ("이름", "종류", "상태", "Pod"), tuple(rows))


def _autoscalers(cluster: Cluster) -> Table:
    rows = [
        _row(
            OK,
            one.title,
            " ".join(filter(None, one.target)),
            f"{one.least}~{one.most}",
            str(one.current),
            str(one.desired),
        )
        for one in cluster.autoscalers
    ]
    head = ("이름", "대상", "범위", "지금 Pod", "바란 Pod")
    return Table("오토스케일러(HorizontalPodAutoscaler)", head, tuple(rows))
