"""A Docker lab: hosts with containers, the ports that lead in, the volumes and networks that they use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lessons.topology import bounds
from lessons.topology.layout import GAP, ROW, WIDTH, across, box
from lessons.topology.reading import entries, number, part, surplus, text, texts
from lessons.topology.shapes import BAD, OFF, OK, WAIT, Box, Drawing, Fault, Link, Row, Table

LEFT, MIDDLE, RIGHT = (0, 104), (132, 192), (352, 128)
_OWN_NETWORKS = ("host", "none")  # not drawn: they lead to no other container
_STATES = {
    "running": (OK, "실행 중"),
    "created": (OFF, "만들기만 함"),
    "exited": (OFF, "멈춤"),
    "paused": (OFF, "일시 정지"),
    "restarting": (BAD, "자꾸 재시작"),
    "removing": (OFF, "지우는 중"),
    "dead": (BAD, "지우다 실패"),
}


@dataclass(frozen=True)
class Container:
    """``ports``: (host, container, protocol); ``volumes``: (name, path)."""

    name: str
    image: str
    state: str
    health: str
    networks: tuple[str, ...]
    ports: tuple[tuple[int, int, str], ...]
    volumes: tuple[tuple[str, str], ...]

    @property
    def tone_and_words(self) -> tuple[str, str]:
        tone, words = _STATES.get(self.state, (WAIT, self.state or "모름"))
        if self.state == "running" and self.health == "unhealthy":
            return BAD, "건강 검사 실패"
        if self.state == "running" and self.health == "starting":
            return WAIT, "건강 검사 기다림"
        return tone, words


@dataclass(frozen=True)
class Host:
    name: str
    containers: tuple[Container, ...]
    networks: tuple[tuple[str, str], ...]  # (name, driver)
    volumes: tuple[str, ...]
    left_out: int

    @property
    def is_empty(self) -> bool:
        return not self.containers and not self.volumes and not self.own_networks

    @property
    def own_networks(self) -> tuple[tuple[str, str], ...]:
        """Without those that Docker brings along."""
        return tuple(one for one in self.networks if one[0] not in ("bridge", *_OWN_NETWORKS))


def hosts_of(value: Any) -> tuple[Host, ...]:
    """Hosts in the document's order: it is the lab's own."""
    return tuple(_host(row) for row in entries(value, bounds.HOSTS))


def _host(row: Mapping[str, Any]) -> Host:
    most = bounds.CONTAINERS
    names = ("containers", "networks", "volumes")
    return Host(
        name=text(row.get("host")),
        containers=tuple(
            sorted((_container(one) for one in entries(row.get("containers"), most)), key=lambda one: one.name)
        ),
        networks=tuple(
            sorted((text(one.get("name")), text(one.get("driver"))) for one in entries(row.get("networks"), most))
        ),
        volumes=tuple(sorted(text(one.get("name")) for one in entries(row.get("volumes"), most))),
        left_out=sum(surplus(row.get(name), most) for name in names),
    )


def _container(row: Mapping[str, Any]) -> Container:
    ports, volumes = entries(row.get("ports"), bounds.LINES_EACH), entries(row.get("volumes"), bounds.LINES_EACH)
    return Container(
        name=text(row.get("name")) or text(row.get("id"), 12) or "?",
        image=text(row.get("image"), 120),
        state=text(row.get("state"), 20),
        health=text(row.get("health") or part(row, "health").get("status"), 20),
        networks=tuple(sorted(set(texts(row.get("networks"))))),
        ports=tuple(
            (number(one.get("host")), number(one.get("container")), text(one.get("protocol"), 8)) for one in ports
        ),
        volumes=tuple((text(one.get("name")), text(one.get("path"), 120)) for one in volumes),
    )


def draw_host(host: Host, title: str) -> Drawing | None:
    """None where nothing was made on the host yet."""
    if host.is_empty:
        return None
    boxes: list[Box] = []
    links: list[Link] = []
    shown = host.containers[: bounds.CONTAINERS_DRAWN]
    used = {name for one in shown for name in one.networks}
    networks = [
        one for one in host.networks if one in host.own_networks or (one[0] in used and one[0] not in _OWN_NETWORKS)
    ]
    mounted = {name for one in shown for name, _path in one.volumes}
    volumes = sorted({*host.volumes, *filter(None, mounted)})
    right: dict[tuple[str, str], Box] = {}
    y = 0
    for name, driver in networks[: bounds.CONTAINERS_DRAWN]:
        tone = OK if name in used else OFF
        right["network", name] = box("network", tone, (RIGHT[0], y), RIGHT[1], name, f"네트워크 {driver}".strip())
        y += ROW + GAP
    for name in volumes[: bounds.CONTAINERS_DRAWN]:
        tone = OK if name in mounted else OFF
        right["volume", name] = box("volume", tone, (RIGHT[0], y), RIGHT[1], name, "볼륨")
        y += ROW + GAP
    boxes += right.values()
    top = 0
    for one in shown:
        tone, words = one.tone_and_words
        made = box("container", tone, (MIDDLE[0], top), MIDDLE[1], one.name, f"{words} · {one.image}")
        boxes.append(made)
        published = [port for port in one.ports if port[0]]
        for index, (outer, inner, _protocol) in enumerate(published):
            place = (LEFT[0], top + index * (ROW + GAP))
            port = box("port", tone, place, LEFT[1], f"{outer}번 포트", f"컨테이너 {inner}번")
            boxes.append(port)
            links.append(across(port, made, OFF if tone == OFF else OK))
        ends = [right.get(("network", name)) for name in one.networks]
        ends += [right.get(("volume", name)) for name, _path in one.volumes]
        links += [across(made, end, OFF if tone == OFF else OK) for end in ends if end is not None]
        top += max(len(published), 1) * (ROW + GAP)
    left = sum(max(0, len(all_of) - bounds.CONTAINERS_DRAWN) for all_of in (host.containers, networks, volumes))
    note = f"그림에 다 담지 못한 {left}개는 아래 표에 있어요." if left else ""
    return Drawing(title, WIDTH, max(top, y) - GAP, tuple(boxes), tuple(links), note)


def faults_of_hosts(hosts: Sequence[Host]) -> tuple[Fault, ...]:
    found = []
    for host in hosts:
        for one in host.containers:
            who = f"컨테이너 {one.name}" + (f" ({host.name})" if host.name else "")
            if one.state == "restarting":
                found.append(
                    Fault(
                        BAD, f"{who}: 자꾸 끝나서 다시 시작하고 있어요. 까닭은 로그에 있어요: `docker logs {one.name}`"
                    )
                )
            elif one.state == "dead":
                found.append(Fault(BAD, f"{who}: 지우다가 멈췄어요. 다시 지워 보세요: `docker rm -f {one.name}`"))
            elif one.state == "running" and one.health == "unhealthy":
                found.append(
                    Fault(
                        BAD,
                        f"{who}: 건강 검사(HEALTHCHECK)에 자꾸 실패해요. 기록을 보세요: `docker inspect {one.name}`",
                    )
                )
    return tuple(found)


def tables_of_host(host: Host, where: str) -> list[Table]:
    """``where`` stands in each caption, "" where there is but one host."""
    rows = []
    for one in host.containers:
        tone, words = one.tone_and_words
        ports = ", ".join(
            f"{outer}→{inner}/{kind or 'tcp'}" if outer else f"{inner}/{kind or 'tcp'}"
            for outer, inner, kind in one.ports
        )
        volumes = ", ".join(f"{name or '(이름 없음)'} → {path}" for name, path in one.volumes)
        cells = (one.name, one.image, words, ports, ", ".join(one.networks), volumes)
        rows.append(Row(tone, tuple(cell or "-" for cell in cells)))
    note = f"너무 많아서 {host.left_out}개는 뺐어요." if host.left_out else ""
    head = ("이름", "이미지", "상태", "포트", "네트워크", "볼륨")
    tables = [Table(f"컨테이너{where}", head, tuple(rows), note)] if rows else []
    users = {name: [one.name for one in host.containers if name in one.networks] for name, _driver in host.networks}
    networks = [one for one in host.networks if users[one[0]] or one in host.own_networks]
    if networks:
        found = [
            Row(OK if users[name] else OFF, (name, driver or "-", ", ".join(users[name]) or "-"))
            for name, driver in networks
        ]
        tables.append(Table(f"네트워크{where}", ("이름", "드라이버", "이어진 컨테이너"), tuple(found)))
    if host.volumes:
        found = []
        for volume in host.volumes:
            owners = [one.name for one in host.containers if volume in dict(one.volumes)]
            found.append(Row(OK if owners else OFF, (volume, ", ".join(owners) or "-")))
        tables.append(Table(f"볼륨{where}", ("이름", "쓰는 컨테이너"), tuple(found)))
    return tables
