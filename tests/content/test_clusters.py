"""Labs with a cluster: what their environment has, what they keep, and how each fault is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from lessons import graders
from lessons.content import Catalogue, ContentError, parse_exercise, read_catalogue
from lessons.content.catalogue import Bounds, LabTraits
from lessons.contracts import ExerciseSpec, Place, Problem

LABS = {
    "docker": LabTraits(512),
    "kubernetes": LabTraits(704, cluster=True),
    "kubernetes-light": LabTraits(384, engine=False, cluster=True),
}
CATALOGUE = Catalogue({"python": {}}, {name: {"memory_mb": Bounds(320, 2048)} for name in LABS}, LABS)

K5 = """\
title: 멈추지 않는 배포
kind: lab
environment: kubernetes
probes:
  - {id: stream, traffic: {http: {url: "http://shop.default.svc/version", from: lab, every_ms: 50}, since: setup}}
  - {id: deploy, kubernetes: {kind: Deployment, name: shop}}
  - {id: sets, kubernetes: {kind: ReplicaSet, selector: app=shop}}
checks:
  - {id: none-lost, title: 끊긴 요청 없음, type: query, probe: stream, query: failed, equals: 0}
  - {id: both, title: 두 판이 모두 대답, type: query, probe: stream, query: "length(distinct)", at_least: 2}
  - {id: tried-v3, title: v3를 내보냄, type: query, probe: sets, query: "[].spec.template.spec.containers[0].image", contains: "shop:v3", latch: true}
  - {id: final, title: v2로 돌아옴, type: query, probe: deploy, query: "spec.template.spec.containers[0].image", equals: "shop:v2", within: 5}
"""  # noqa: E501 - the very lines of the format's own examples
K8 = """\
title: 대표 번호
kind: lab
environment: kubernetes
probes:
  - {id: svc, kubernetes: {kind: Service, name: shop}}
  - {id: pods, kubernetes: {kind: Pod, selector: app=shop}}
  - {id: swap, active: true, traffic: {http: {url: "http://shop/", from: pod client, every_ms: 50}, while: [["kubectl", "delete", "pod", "-l", "app=shop", "--wait"]], watch: [svc, pods]}}
checks:
  - {id: ip, title: 같은 주소, type: query, probe: swap, query: after.svc.spec.clusterIP, equals: {probe: swap, query: before.svc.spec.clusterIP}}
  - {id: new-pods, title: 새 Pod, type: query, probe: swap, query: "after.pods[].status.podIP", disjoint: {probe: swap, query: "before.pods[].status.podIP"}}
  - {id: kept, title: 줄곧 대답, type: query, probe: swap, query: failed, at_most: 2}
"""  # noqa: E501 - the very lines of the format's own examples


def parsed(text: str, catalogue: Catalogue | None = CATALOGUE) -> ExerciseSpec:
    return parse_exercise("shop", {"exercise.yaml": text, "prompt.md": "해 보세요.\n"}, catalogue=catalogue)


def problems_of(text: str, catalogue: Catalogue = CATALOGUE) -> dict[str, Problem]:
    with pytest.raises(ContentError) as caught:
        parsed(text, catalogue)
    return {problem.field: problem for problem in caught.value.problems}


def test_stream_of_requests_is_read_planned_and_watched() -> None:
    spec = parsed(K5)
    asks = graders.plan(spec, {}, 1).asks
    assert {name: ask.place for name, ask in asks.items()} == {
        "stream": Place.RECORD,
        "deploy": Place.LAB,
        "sets": Place.LAB,
    }
    assert list(graders.watch_plan(spec, 1).asks) == ["stream", "deploy", "sets"]
    assert [stream["id"] for stream in graders.streams(spec, 1)] == ["stream"]


def test_requests_during_commands_are_read_planned_last_and_not_watched() -> None:
    spec = parsed(K8)
    assert list(graders.plan(spec, {}, 1).asks) == ["svc", "pods", "swap"]
    assert list(graders.watch_plan(spec, 1).asks) == ["svc", "pods"]
    assert graders.streams(spec, 1) == ()


@pytest.mark.parametrize("text", [K5, K8])
def test_labs_with_a_cluster_are_read_without_a_catalogue(text: str) -> None:
    assert parsed(text, None).environment == "kubernetes"


@pytest.mark.parametrize(
    ("environment", "keep", "kept"),
    [
        ("kubernetes", "", ("cluster", "registry", "/root")),
        ("kubernetes-light", "", ("cluster", "/root")),
        ("kubernetes", "keep: [cluster, /root/app]\n", ("cluster", "/root/app")),
        ("kubernetes", "keep: []\n", ()),
        ("docker", "", ()),
        ("docker", "keep: [registry]\n", ("registry",)),
    ],
)
def test_what_a_lab_keeps_depends_on_what_it_has(environment: str, keep: str, kept: tuple[str, ...]) -> None:
    text = f"title: 짧게\nkind: lab\nenvironment: {environment}\n{keep}probes: [{{exec: [ls]}}]\n"
    text += "checks: [{type: query, query: exit_code, equals: 0}]\n"
    assert parsed(text).keep == kept
    assert parsed(text, CATALOGUE.unchecked()).keep == kept


def test_memory_of_a_lab_is_what_its_environment_gives() -> None:
    assert parsed(K5).limits.memory_mb == 704
    assert parsed(K5.replace("environment: kubernetes", "environment: kubernetes-light")).limits.memory_mb == 384
    assert parsed(K5, CATALOGUE.unchecked()).limits.memory_mb == 704


def test_exercise_that_was_taken_before_may_name_what_is_gone() -> None:
    text = K5.replace("environment: kubernetes", "environment: kubernetes-old\nlimits: {memory_mb: 4000}")
    assert {"environment", "limits.memory_mb"} & set(problems_of(text))
    assert parsed(text, CATALOGUE.unchecked()).limits.memory_mb == 4000


def test_catalogue_says_what_labs_have(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.yaml"
    path.write_text(
        "environments:\n"
        "  light: {kind: lab, memory_mb: {default: 384, min: 320, max: 1024}, engine: false, cluster: true}\n"
        "  docker: {kind: lab, memory_mb: {default: 512, min: 384, max: 2048}}\n"
    )
    assert read_catalogue(path).traits == {
        "light": LabTraits(384, engine=False, cluster=True),
        "docker": LabTraits(512, engine=True, cluster=False),
    }


LIGHT = """\
title: 가벼운 실습
kind: lab
environment: kubernetes-light
vars: {n: {int: [1, 9], per: attempt}}
probes:
  - {id: pods, kubernetes: {kind: Pod, selector: ""}}
  - {id: killed, events: {filter: {type: kubernetes, action: happened, reason: [Killing, Evicted]}}}
  - {id: secret, hidden: true, exec: [ls]}
  - {id: swap, active: true, traffic: {http: {url: "http://shop/"}, while: [[ls]], undo: [[ls]], watch: [pods]}}
  - {id: all, traffic: {http: {url: "http://shop/"}, since: setup}}
checks:
  - {id: there, type: query, probe: pods, query: "length(@)", at_least: 1}
"""


def test_lab_without_an_engine_is_read() -> None:
    spec = parsed(LIGHT)
    assert spec.probes[0].value == {"kind": "Pod", "selector": ""}
    assert [probe.type for probe in spec.probes] == ["kubernetes", "events", "exec", "traffic", "traffic"]


SWAP, ALL = "probes[3].traffic", "probes[4].traffic"
FAULTS = [
    # (what is replaced, by what, field, part of the message)
    ("exec: [ls]", "docker: {object: container, name: web}", "probes[2].docker", "Docker 엔진도"),
    ("exec: [ls]", "registry: {repository: shop}", "probes[2].registry", "Docker 엔진도"),
    ("exec: [ls]", "build: {context: /root/app}", "probes[2].build", "Docker 엔진도"),
    ("exec: [ls]", "http: {url: 'http://a/', from: container web}", "probes[2].http.from", "Docker 엔진도"),
    ("type: kubernetes, action: happened, reason: [Killing, Evicted]", "event: die", "probes[1].events", "Docker 엔진"),
    ("type: kubernetes, ", "", "probes[1].events.filter.action", "모르는"),
    ("action: happened", "container: web", "probes[1].events.filter.container", "모르는"),
    ("kubernetes-light", "docker", "probes[0].kubernetes", "클러스터가 없"),
    ("kubernetes-light", "docker", "probes[1].events", "클러스터가 없"),
    ("kubernetes-light", "kubernetes-light\nengines: [a, b]", "engines", "나눌 수 없"),
    ("kubernetes-light", "kubernetes-light\nkeep: [cluster, registry]", "keep[1]", "레지스트리가 없"),
    ("kubernetes-light", "docker\nkeep: [cluster]", "keep[0]", "클러스터가 없"),
    ("kubernetes-light", "kubernetes-light\nkeep: [home]", "keep[0]", "절대 경로"),
    ("kubernetes-light", "kubernetes-light\nbaseline: [swap]", "baseline[0]", "처음에 볼 수 없"),
    ("kubernetes-light", "kubernetes-light\nbaseline: [all]", "baseline[0]", "처음에 볼 수 없"),
    ("active: true, ", "", SWAP, "채점할 때만"),
    ("while: [[ls]], ", "", f"{SWAP}.while", "할 명령이 없"),
    ("while: [[ls]]", "while: [ls]", f"{SWAP}.while[0]", "셸 문장"),
    ("undo: [[ls]]", "undo: ls", f"{SWAP}.undo", "목록이"),
    ("watch: [pods]", "watch: [gone]", f"{SWAP}.watch[0]", "gone"),
    ("watch: [pods]", "watch: [killed]", f"{SWAP}.watch[0]", "앞뒤로"),
    ("watch: [pods]", "watch: [secret]", f"{SWAP}.watch[0]", "숨긴"),
    ("watch: [pods]", "watch: pods", f"{SWAP}.watch", "id의 목록"),
    ("watch: [pods]", "seconds: 999", f"{SWAP}.seconds", "수가"),
    ("since: setup", "since: now", f"{ALL}.since", "언제부터"),
    ("since: setup", "since: setup, watch: [pods]", f"{ALL}.watch", "내내"),
    ("id: all,", "id: all, active: true,", "probes[4].active", "새로 하지"),
    ('"http://shop/"}, since', '"http://{{n}}/"}, since', f"{ALL}.http", "채점할 때마다"),
    ('"http://shop/"}, since', '"shop"}, since', f"{ALL}.http.url", "주소가"),
    ('"http://shop/"}, since', '"http://shop/", times: 3}, since', f"{ALL}.http.times", "모르는"),
    ('"http://shop/"}, since', '"http://shop/", every_ms: 1}, since', f"{ALL}.http.every_ms", "정수"),
    ('http: {url: "http://shop/"}, since', "since", f"{ALL}.http", "어디로"),
    ('selector: ""', "name: web, namespace: '*'", "probes[0].kubernetes.namespace", "모든 네임스페이스"),
    ("probe: pods,", "probe: swap, within: 3,", "checks[0].within", "다시 물어볼 수 없"),
]


@pytest.mark.parametrize(("old", "new", "field", "words"), FAULTS, ids=[fault[1][:40] for fault in FAULTS])
def test_fault_of_a_lab_with_a_cluster_names_field_and_fix(old: str, new: str, field: str, words: str) -> None:
    assert old in LIGHT
    problems = problems_of(LIGHT.replace(old, new, 1))
    assert field in problems, list(problems)
    assert words in problems[field].message
    assert problems[field].fix


def test_lab_has_few_streams() -> None:
    more = "".join(f"  - {{id: s{n}, traffic: {{http: {{url: 'http://a/'}}, since: setup}}}}\n" for n in range(3))
    problems = problems_of(LIGHT.replace("checks:\n", f"{more}checks:\n"))
    assert "3개까지" in problems["probes[7].traffic.since"].message


def test_requests_from_a_pod_need_a_cluster() -> None:
    text = "title: 짧게\nkind: lab\nprobes: [{http: {url: 'http://a/', from: pod client}}]\n"
    text += "checks: [{type: query, query: failed, equals: 0}]\n"
    assert "클러스터가 없" in problems_of(text)["probes[0].http.from"].message
    assert parsed(text.replace("kind: lab", "kind: lab\nenvironment: kubernetes")).probes[0].type == "http"


def test_build_of_a_lab_with_a_cluster_happens_where_there_is_only_an_engine() -> None:
    text = "title: 짧게\nkind: lab\nenvironment: kubernetes\nprobes: [{build: {context: /root/app}}]\n"
    text += "checks: [{type: query, query: built, equals: true}]\n"
    assert parsed(text).probes[0].environment == "docker"
