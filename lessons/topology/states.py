"""How each object is doing, as a tone and two or three words; and what is broken, in sentences with `code`.

Names from the lab stand where no particle follows them, so no sentence depends on how they sound.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lessons.topology import bounds
from lessons.topology.cluster import Cluster, Node, Pod, ReplicaSet, Service, Workload
from lessons.topology.shapes import BAD, OFF, OK, WAIT, Fault

_PULL = "이미지를 가져오지 못했어요. 이미지 이름과 태그, 레지스트리 주소를 살펴보세요."
_CRASH = "프로그램이 시작하자마자 자꾸 끝나요. 까닭은 마지막 로그에 있어요: `kubectl logs {pod} --previous`"
_CONFIG = (
    "컨테이너에 넣을 설정을 찾지 못했어요. Pod가 가리키는 ConfigMap이나 Secret이 있는지, 키 이름이 같은지 살펴보세요."
)
# reason -> (in short, what to look at)
_BAD_REASONS = {
    "ErrImagePull": ("이미지 없음", _PULL),
    "ImagePullBackOff": ("이미지 없음", _PULL),
    "ErrImageNeverPull": ("이미지 없음", _PULL),
    "InvalidImageName": ("이미지 이름 오류", _PULL),
    "CrashLoopBackOff": ("자꾸 끝남", _CRASH),
    "Error": ("오류로 끝남", _CRASH),
    "OOMKilled": (
        "메모리 넘침",
        "메모리를 한도보다 많이 써서 끝났어요. limits.memory와 프로그램이 쓰는 양을 견주어 보세요.",
    ),
    "CreateContainerConfigError": ("설정 없음", _CONFIG),
    "CreateContainerError": ("만들지 못함", _CONFIG),
    "RunContainerError": ("실행 못 함", "컨테이너의 명령을 실행하지 못했어요. command와 args를 살펴보세요."),
    "Evicted": ("쫓겨남", "노드에 자리가 모자라서 쫓겨났어요. 노드의 상태를 살펴보세요."),
    "NodeLost": ("노드 끊김", "Pod가 있던 노드와 연락이 끊겼어요."),
}
_UNPLACED = (
    "놓일 노드를 찾지 못했어요. requests가 노드의 빈 자리보다 큰지, 노드의 테인트(taint)나 nodeSelector가 "
    "막는지 살펴보세요: `kubectl describe pod {pod}`"
)


@dataclass(frozen=True)
class State:
    """``words`` fit into a box; ``advice`` is a sentence where something is to be done, "" where not; {pod} in it
    stands for the name of one."""

    tone: str
    words: str
    advice: str = ""


def state_of_pod(pod: Pod) -> State:
    reason = pod.reason.removeprefix("Init:")
    if pod.deleting:
        return State(OFF, "끝나는 중")
    if pod.phase == "Succeeded" or reason == "Completed":
        return State(OFF, "일을 마침")
    if reason in _BAD_REASONS:
        words, advice = _BAD_REASONS[reason]
        return State(BAD, words, advice)
    if pod.phase == "Failed":
        return State(BAD, "실패", "실패로 끝났어요. 까닭을 보세요: `kubectl describe pod {pod}`")
    if pod.phase == "Pending" and not pod.node:
        if reason:
            return State(BAD, "노드 없음", _UNPLACED)
        return State(WAIT, "노드 기다림", "아직 놓일 노드가 정해지지 않았어요.")
    if pod.ready:
        return State(OK, "준비됨")
    if pod.phase == "Running":
        return State(
            WAIT,
            "준비 안 됨",
            "돌고 있지만 준비되지 않아서 요청을 받지 않아요. 계속 이러면 readinessProbe를 살펴보세요.",
        )
    return State(WAIT, "만드는 중")


def tone_of_owner(one: Workload | ReplicaSet) -> str:
    """Whether it has the Pods that it wants."""
    return OFF if not one.desired else OK if one.ready >= one.desired else WAIT


def state_of_node(node: Node) -> State:
    if not node.ready:
        return State(
            BAD, "NotReady", "연락이 끊겼어요(NotReady). 조금 지나면 여기 있던 Pod가 다른 노드에 다시 만들어져요."
        )
    if not node.schedulable:
        return State(OFF, "새 Pod 안 받음")
    return State(OK, "Ready")


def matches(service: Service, pod: Pod) -> bool:
    """Whether the Service looks for this Pod."""
    if not service.selector or service.namespace != pod.namespace:
        return False
    return all(pod.labels.get(name) == value for name, value in service.selector.items())


def selector_text(selector: Mapping[str, str]) -> str:
    return ",".join(f"{name}={value}" for name, value in selector.items())


def state_of_service(service: Service, pods: Iterable[Pod]) -> State:
    """``pods``: of the whole cluster."""
    ready = sum(one.ready for one in service.endpoints)
    total = len(service.endpoints)
    if ready:
        words = f"{ready}/{total} 준비됨"
        if ready == total:
            return State(OK, words)
        return State(WAIT, words, f"Pod {total}개 가운데 {total - ready}개는 준비되지 않아서 요청을 보내지 않아요.")
    if not service.selector and not total:
        return State(OFF, "selector 없음")
    wanted = selector_text(service.selector)
    matching = [pod for pod in pods if matches(service, pod)]
    if not matching and not total:
        return State(
            BAD,
            "맞는 Pod 없음",
            f"selector({wanted})에 맞는 Pod가 없어서 요청을 보낼 곳이 없어요. Pod의 이름표와 견주어 보세요: "
            "`kubectl get pods --show-labels`",
        )
    return State(
        BAD,
        "준비된 Pod 없음",
        f"selector에 맞는 Pod는 {max(len(matching), total)}개지만 준비된 것이 없어서 요청을 보낼 곳이 없어요.",
    )


def faults_of(cluster: Cluster) -> tuple[Fault, ...]:
    """All that is broken or not there yet."""
    found = [_fault(f"Service {one.title}", state_of_service(one, cluster.pods)) for one in cluster.services]
    found += [_fault(f"노드 {one.name}", state_of_node(one)) for one in cluster.nodes]
    found += _faults_of_pods(cluster.pods)
    found += _missing(cluster)
    return tuple(one for one in found if one is not None)


def shown(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """What is broken first, then what is not there yet; at most bounds.FAULTS, the rest counted."""
    worst_first = sorted(faults, key=lambda one: one.tone != BAD)
    listed, rest = worst_first[: bounds.FAULTS], worst_first[bounds.FAULTS :]
    if not rest:
        return tuple(listed)
    text = f"그 밖에 {len(rest)}곳이 더 있어요. 아래 표에서 볼 수 있어요."
    return (*listed, Fault(rest[0].tone, text))


def _fault(who: str, state: State) -> Fault | None:
    return Fault(state.tone, f"{who}: {state.advice}") if state.advice else None


def _faults_of_pods(pods: Iterable[Pod]) -> list[Fault]:
    """One for all Pods of an owner that suffer from the same."""
    alike: dict[tuple[str, tuple[str, str], State, str], list[Pod]] = {}
    for pod in pods:
        state = state_of_pod(pod)
        if state.advice:
            name = pod.name if not pod.owner[1] else ""
            alike.setdefault((pod.namespace, (pod.owner[1], name), state, pod.reason), []).append(pod)
    found: list[Fault] = []
    for (_namespace, _who, state, reason), sick in alike.items():
        who = f"Pod {sick[0].title}" + (f" 등 {len(sick)}개" if len(sick) > 1 else "")
        why = f"({reason})" if reason and reason not in state.advice else ""
        fault = _fault(who + why, state)
        if fault:
            command = sick[0].name if sick[0].title == sick[0].name else f"{sick[0].name} -n {sick[0].namespace}"
            found.append(Fault(fault.tone, fault.text.replace("{pod}", command)))
    return found


def _missing(cluster: Cluster) -> list[Fault]:
    """Who wants Pods and has not even begun with one."""
    owners = {(pod.namespace, pod.owner[1]) for pod in cluster.pods}
    parents = {(one.namespace, one.owner) for one in cluster.replicasets if (one.namespace, one.name) in owners}
    found: list[Fault] = []
    for one in cluster.workloads:
        key = (one.namespace, one.name)
        if one.desired and one.kind not in ("Job", "CronJob") and key not in owners and key not in parents:
            text = f"{one.kind} {one.title}: Pod {one.desired}개를 바라지만 아직 하나도 없어요."
            found.append(Fault(WAIT, text))
    return found
