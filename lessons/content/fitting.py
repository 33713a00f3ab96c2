"""That a probe fits where it stands: the kind of the exercise, what its environment has, and the probes beside it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lessons.content import rules
from lessons.content.catalogue import LabTraits
from lessons.content.reader import Reader
from lessons.contracts import Kind, ProbeSpec
from lessons.graders import registry
from lessons.graders.particles import particle
from lessons.graders.probes.events import of_cluster
from lessons.graders.variables import names_in

_OF_ENGINE = ("build", "docker", "registry")
_FROM = re.compile(r"(container|pod)\s")


@dataclass(frozen=True)
class Setting:
    """What probes are read against. ``runs`` and ``labs``: environments by what they are, None: not checked.

    ``traits``: what the exercise's environment has, None: not known; ``later``: variables drawn for each grading.
    """

    kind: Kind
    environment: str
    variables: frozenset[str]
    runs: frozenset[str] | None = None
    labs: frozenset[str] | None = None
    engines: tuple[str, ...] = ()
    traits: LabTraits | None = None
    later: frozenset[str] = frozenset()


def check_fit(item: Reader, probe_type: str, value: Any, setting: Setting) -> None:
    """That the type belongs to this kind of exercise, and its value to these hosts."""
    only = registry.only_in(probe_type)
    if only is not None and only != setting.kind:
        fix = f"kind를 {only}{particle(only, '(으)로')} 바꾸거나 다른 프로브를 적어 주세요."
        item.problem(probe_type, f"{probe_type} 프로브는 kind: {only}에서만 쓸 수 있어요.", fix)
    elif setting.kind == Kind.LAB:
        _check_environment(item, probe_type, value, setting)
    if not isinstance(value, dict):
        return
    engine = value.get("engine")
    if isinstance(engine, str) and engine not in setting.engines:
        fix = f"{', '.join(setting.engines)} 가운데 하나를 적어 주세요." if setting.engines else "engine을 지워 주세요."
        item.problem(probe_type, f"{engine} 호스트가 engines에 없어요.", fix, "engine")
    if probe_type == "build":
        in_lab = value.get("context", "answer") != "answer"
        if in_lab != (setting.kind == Kind.LAB):
            fix = (
                "context: /root/app처럼 실습 안의 폴더를 적어 주세요."
                if not in_lab
                else "context: answer로 적어 주세요."
            )
            item.problem(probe_type, "이 문제에서는 그 폴더로 빌드할 수 없어요.", fix, "context")


def _check_environment(item: Reader, probe_type: str, value: Any, setting: Setting) -> None:
    """That the lab has what is asked: an engine, or a cluster."""
    if setting.traits is None:
        return
    source, where = _source(probe_type, value)
    wants_cluster = probe_type == "kubernetes" or source == "pod"
    wants_engine = probe_type in _OF_ENGINE or source == "container"
    if probe_type == "events" and isinstance(value, dict):
        wants_cluster, wants_engine = of_cluster(value), not of_cluster(value)
    if wants_cluster and not setting.traits.cluster:
        fix = "environment를 kubernetes나 kubernetes-light로 바꾸거나 다른 것을 물어봐 주세요."
        item.problem(probe_type, f"{setting.environment} 환경에는 Kubernetes 클러스터가 없어요.", fix, *where)
    if wants_engine and not setting.traits.engine:
        fix = "environment를 kubernetes로 바꾸거나, 클러스터에 물어보는 kubernetes 프로브를 적어 주세요."
        if probe_type == "events":
            fix = "클러스터의 일이면 filter에 type: kubernetes를 적어 주세요."
        message = f"{setting.environment} 환경에는 Docker 엔진도 레지스트리도 없어요."
        item.problem(probe_type, message, fix, *where)


def _source(probe_type: str, value: Any) -> tuple[str, tuple[str, ...]]:
    """From where requests are sent (container, pod, or empty), and where that is written."""
    path: tuple[str, ...] = ("http", "from") if probe_type == "traffic" else ("from",)
    if probe_type not in ("http", "traffic") or not isinstance(value, dict):
        return "", ()
    target = value.get("http") if probe_type == "traffic" else value
    written = target.get("from") if isinstance(target, dict) else None
    match = _FROM.match(written) if isinstance(written, str) else None
    return (match[1], path) if match else ("", ())


def check_together(read: Sequence[tuple[Reader, ProbeSpec]], setting: Setting) -> None:
    """What can be said of ``traffic`` probes only once all are known."""
    by_id = {probe.id: probe for _item, probe in read}
    streams = 0
    for item, probe in read:
        if probe.type != "traffic" or not isinstance(probe.value, dict):
            continue
        if "since" in probe.value:
            streams += 1
            _check_stream(item, probe, setting)
            if streams > rules.STREAMS:
                fix = "다른 것은 채점할 때만 보내게 while과 active: true를 적어 주세요."
                message = f"실습하는 내내 보내는 요청은 {rules.STREAMS}개까지예요."
                item.problem("traffic", message, fix, "since")
        elif not probe.active:
            fix = "active: true를 적어 주세요. 실습하는 내내 보낸다면 while 대신 since: setup을 적어요."
            item.problem("traffic", "명령을 하면서 요청을 보내는 프로브는 채점할 때만 할 수 있어요.", fix)
        _check_watched(item, probe, by_id)


def _check_stream(item: Reader, probe: ProbeSpec, setting: Setting) -> None:
    if probe.active:
        fix = "active를 지우거나 since 대신 while을 적어 주세요."
        item.problem("active", "실습하는 내내 보내는 요청은 채점할 때 새로 하지 않아요.", fix)
    for name in sorted(names_in(probe.value) & setting.later):
        message = f"{{{{{name}}}}} 변수는 채점할 때마다 뽑으니 여기에는 쓸 수 없어요."
        item.problem("traffic", message, f"{name} 변수의 per: attempt를 지우거나 다른 변수를 쓰세요.", "http")


def _check_watched(item: Reader, probe: ProbeSpec, by_id: dict[str, ProbeSpec]) -> None:
    watch = probe.value.get("watch")
    for index, name in enumerate(watch if isinstance(watch, list) else ()):
        watched = by_id.get(name) if isinstance(name, str) else None
        if watched is None:
            message, fix = f"{name} 프로브가 없어요.", "이 문제의 probes에 있는 id를 적어 주세요."
        elif watched.type not in registry.LOOKS or watched.active:
            message = f"{name} 프로브는 앞뒤로 살펴볼 수 없어요."
            fix = f"active가 아닌 {', '.join(sorted(registry.LOOKS))} 프로브를 적어 주세요."
        elif watched.hidden and not probe.hidden:
            message = f"{name} 프로브는 숨긴 것이라 여기에서 보일 수 있어요."
            fix = "이 프로브에도 hidden: true를 적어 주세요."
        else:
            continue
        item.problem("traffic", message, fix, "watch", index)
