"""The drawing of a cluster's nodes with the Pods on them: one small square each."""

from __future__ import annotations

from collections.abc import Sequence

from lessons.topology import bounds
from lessons.topology.cluster import Cluster, Pod
from lessons.topology.layout import GAP, WIDTH, box
from lessons.topology.shapes import BAD, OFF, WAIT, Box, Drawing
from lessons.topology.states import state_of_node, state_of_pod

COLUMNS = 2
CHIP, CHIP_GAP, CHIPS_A_ROW = 14, 5, 11
HEAD = 42  # of a node, above its Pods
_ORDER = {BAD: 0, WAIT: 1, OFF: 3}


def draw_nodes(cluster: Cluster) -> Drawing | None:
    """None where there is no node."""
    cards: list[tuple[str, str, str, str, list[Pod]]] = []
    for node in cluster.nodes[: bounds.NODES_DRAWN]:
        state = state_of_node(node)
        here = [pod for pod in cluster.pods if pod.node == node.name]
        kind = "흉내 낸 노드" if node.simulated else "노드"
        cards.append(("node", state.tone, node.name, f"{kind} · {state.words} · Pod {len(here)}개", here))
    homeless = [pod for pod in cluster.pods if not pod.node]
    if homeless:
        tone = BAD if any(state_of_pod(pod).tone == BAD for pod in homeless) else WAIT
        cards.append(("ghost", tone, "노드 없음", f"놓일 곳을 기다리는 Pod {len(homeless)}개", homeless))
    if not cards:
        return None
    width = (WIDTH - GAP * (COLUMNS - 1)) // COLUMNS
    boxes: list[Box] = []
    top = 0
    for start in range(0, len(cards), COLUMNS):
        row = cards[start : start + COLUMNS]
        height = HEAD + max(_rows(pods) for *_rest, pods in row) * (CHIP + CHIP_GAP) + 8
        for index, (kind, tone, title, sub, pods) in enumerate(row):
            x = index * (width + GAP)
            boxes.append(box(kind, tone, (x, top), width, title, sub, height))
            boxes += _chips(pods, x + 9, top + HEAD)
        top += height + GAP
    left = len(cluster.nodes) - bounds.NODES_DRAWN
    note = f"그림에 다 담지 못한 노드 {left}개는 아래 표에 있어요." if left > 0 else ""
    return Drawing("노드와 그 위의 Pod", WIDTH, top - GAP, tuple(boxes), (), note)


def _rows(pods: Sequence[Pod]) -> int:
    return max(1, -(-min(len(pods), bounds.CHIPS) // CHIPS_A_ROW))


def _chips(pods: Sequence[Pod], x: int, y: int) -> list[Box]:
    """A square for each Pod, in the order of their names; the sick ones first where not all have room."""
    tones = [state_of_pod(pod).tone for pod in pods]
    if len(tones) > bounds.CHIPS:
        tones = sorted(tones, key=lambda tone: _ORDER.get(tone, 2))[: bounds.CHIPS]
    step = CHIP + CHIP_GAP
    return [
        Box("chip", tone, x + index % CHIPS_A_ROW * step, y + index // CHIPS_A_ROW * step, CHIP, CHIP, ())
        for index, tone in enumerate(tones)
    ]
