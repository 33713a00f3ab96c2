"""What is drawn of a lab: places, links, what is broken, and the same facts in the tables."""

from __future__ import annotations

import copy
import random

import pytest

from lessons.topology import Box, Drawing, Picture, bounds, picture_of
from tests.topology import documents
from tests.topology.documents import cluster, made, pod, service


def box(drawing: Drawing, title: str) -> Box:
    return next(one for one in drawing.boxes if one.texts and one.texts[0].text == title)


def sub(one: Box) -> str:
    return one.texts[1].text


def sentences(picture: Picture) -> list[str]:
    return [f"{fault.tone} {fault.text}" for fault in picture.faults]


def rows(picture: Picture, caption: str) -> dict[str, tuple[str, ...]]:
    table = next(one for one in picture.tables if one.caption.startswith(caption))
    return {row.cells[0]: row.cells[1:] for row in table.rows}


def test_a_sound_application_is_linked_from_deployment_and_service_to_its_pods():
    picture = picture_of(cluster())
    drawing = picture.drawings[0]
    assert (picture.summary, picture.faults) == ("고장 난 곳이 없어요.", ())
    assert [(one.kind, one.tone) for one in drawing.boxes] == [
        ("deployment", "ok"),
        ("replicaset", "ok"),
        ("pod", "ok"),
        ("pod", "ok"),
        ("service", "ok"),
        ("endpoints", "ok"),
    ]
    assert {link.tone for link in drawing.links} == {"ok"}
    assert len(drawing.links) == 1 + 2 + 1 + 2
    told = rows(picture, "Service")["shop"]
    assert told[:4] == ("ClusterIP 10.96.0.20", "80→8080", "app=shop", "2/2 준비됨")
    assert told[4:] == ("shop-7d9f8b6c4d-x2x9k, shop-7d9f8b6c4d-q8wlt", "-")


def test_a_selector_that_finds_nothing_is_drawn_as_what_is_missing():
    picture = picture_of(cluster(services=[service("shop", {"app": "shp"})]))
    drawing = picture.drawings[0]
    ghost = box(drawing, "app=shp")
    assert (ghost.kind, ghost.tone, sub(ghost)) == ("ghost", "bad", "이런 Pod 없음")
    broken = [link for link in drawing.links if link.cross]
    assert [link.tone for link in broken] == ["bad"]
    assert sentences(picture) == [
        "bad Service shop: selector(app=shp)에 맞는 Pod가 없어서 요청을 보낼 곳이 없어요. "
        "Pod의 이름표와 견주어 보세요: `kubectl get pods --show-labels`"
    ]


def test_pods_that_are_not_ready_break_the_link_to_the_service():
    pods = [pod("a", made_by="shop-1", ready=False), pod("b", made_by="shop-1", ready=False)]
    changes = {"pods": pods, "replicasets": [made("shop", "1", 2, 0)]}
    picture = picture_of(cluster(**changes, services=[service("shop", {"app": "shop"}, ("a", False), ("b", False))]))
    assert [link.tone for link in picture.drawings[0].links if link.cross] == ["wait", "wait"]
    ends = box(picture.drawings[0], "Endpoints")
    assert (ends.tone, sub(ends)) == ("bad", "준비된 Pod 없음")
    assert sentences(picture)[0].startswith("bad Service shop: selector에 맞는 Pod는 2개지만 준비된 것이 없어서")
    assert sentences(picture)[1].startswith("wait Pod a 등 2개: 돌고 있지만 준비되지 않아서")
    assert rows(picture, "Service")["shop"][5] == "a, b"


@pytest.mark.parametrize(
    ("fields", "words", "sentence"),
    [
        (
            {"phase": "Pending", "node": "", "ready": False, "reason": "Unschedulable"},
            "노드 없음",
            "놓일 노드를 찾지 못했어요",
        ),
        ({"phase": "Pending", "node": "", "ready": False}, "노드 기다림", "아직 놓일 노드가 정해지지 않았어요"),
        (
            {"phase": "Pending", "ready": False, "reason": "ImagePullBackOff"},
            "이미지 없음",
            "이미지를 가져오지 못했어요",
        ),
        ({"ready": False, "reason": "CrashLoopBackOff"}, "자꾸 끝남", "`kubectl logs x --previous`"),
        ({"ready": False, "reason": "Init:CrashLoopBackOff"}, "자꾸 끝남", "시작하자마자 자꾸 끝나요"),
        (
            {"phase": "Pending", "ready": False, "reason": "CreateContainerConfigError"},
            "설정 없음",
            "ConfigMap이나 Secret",
        ),
        ({"ready": False, "reason": "OOMKilled"}, "메모리 넘침", "limits.memory"),
        ({"phase": "Failed", "ready": False, "reason": "DeadlineExceeded"}, "실패", "`kubectl describe pod x`"),
        ({"ready": False}, "준비 안 됨", "readinessProbe"),
        ({"phase": "Pending", "ready": False, "reason": "ContainerCreating"}, "만드는 중", ""),
        ({"phase": "Succeeded", "ready": False, "reason": "Completed"}, "일을 마침", ""),
        ({"ready": False, "deleting": True}, "끝나는 중", ""),
        ({}, "준비됨", ""),
    ],
)
def test_each_way_of_a_pod_has_its_words(fields, words, sentence):
    picture = picture_of(cluster(pods=[pod("x", **fields)], deployments=[], replicasets=[], services=[]))
    assert sub(box(picture.drawings[0], "x")).split(" · ")[0] == words
    assert rows(picture, "Pod")["x"][0].startswith(words)
    assert sentence in " ".join(sentences(picture))
    assert bool(picture.faults) is bool(sentence)


def test_a_node_that_is_gone_and_one_that_takes_no_pods():
    nodes = [
        {"name": "worker-1", "ready": False, "simulated": True},
        {"name": "worker-2", "ready": True, "schedulable": False},
    ]
    picture = picture_of(cluster(nodes=nodes))
    drawing = picture.drawings[1]
    assert sub(box(drawing, "worker-1")) == "흉내 낸 노드 · NotReady · Pod 2개"
    assert (box(drawing, "worker-2").tone, sub(box(drawing, "worker-2"))) == ("off", "노드 · 새 Pod 안 받음 · Pod 0개")
    assert [one.kind for one in drawing.boxes].count("chip") == 2
    assert next(text for text in sentences(picture) if "worker-1" in text).startswith(
        "bad 노드 worker-1: 연락이 끊겼어요"
    )


def test_pods_without_a_node_wait_beside_the_nodes():
    picture = picture_of(cluster(pods=[pod("x", node="", phase="Pending", ready=False, reason="Unschedulable")]))
    homeless = box(picture.drawings[1], "노드 없음")
    assert (homeless.kind, homeless.tone, sub(homeless)) == ("ghost", "bad", "놓일 곳을 기다리는 Pod 1개")


def test_many_pods_become_counts_and_still_lead_to_their_service():
    names = [f"shop-1-{n:02}" for n in range(40)]
    pods = [pod(name, made_by="shop-1", ready=n < 37) for n, name in enumerate(names)]
    ends = [(name, n < 37) for n, name in enumerate(names)]
    changes = {
        "pods": pods,
        "replicasets": [made("shop", "1", 40, 37)],
        "services": [service("shop", {"app": "shop"}, *ends)],
    }
    drawing = picture_of(cluster(**changes)).drawings[0]
    assert [(one.texts[0].text, sub(one), one.tone) for one in drawing.boxes if one.kind == "pod"] == [
        ("Pod 37개", "준비됨", "ok"),
        ("Pod 3개", "아직 준비 안 됨", "wait"),
    ]
    assert sorted(link.tone for link in drawing.links if link.d.startswith("M322")) == ["ok", "wait"]


def test_a_rollout_shows_the_new_replicaset_over_the_old_one():
    drawing = picture_of(documents.troubled()).drawings[0]
    owners = [one for one in drawing.boxes if one.kind == "replicaset"]
    assert [one.texts[0].text.split("-")[0] for one in owners[:2]] == ["shop", "shop"]
    assert owners[0].texts[0].text.endswith("7bb")
    assert owners[0].y < owners[1].y


def test_an_autoscaler_stands_on_what_it_scales():
    picture = picture_of(documents.troubled())
    assert sub(box(picture.drawings[0], "web")) == "Deployment 17/18 · HPA"
    assert rows(picture, "오토스케일러")["web"] == ("Deployment web", "2~20", "18", "18")


def test_a_deployment_without_any_pod_says_so():
    picture = picture_of(cluster(pods=[], services=[]))
    assert sentences(picture) == ["wait Deployment shop: Pod 2개를 바라지만 아직 하나도 없어요."]


def test_the_same_objects_in_another_order_make_the_same_picture():
    document = documents.troubled()
    shuffled = copy.deepcopy(document)
    for rows_of_kind in shuffled["kubernetes"].values():
        if isinstance(rows_of_kind, list):
            random.Random(3).shuffle(rows_of_kind)
    first, second = picture_of(document), picture_of(shuffled)
    assert first.drawings == second.drawings
    assert first.tables == second.tables


@pytest.mark.parametrize("document", [documents.troubled(), documents.docker(), cluster()])
def test_no_box_lies_on_another_or_leaves_the_drawing(document):
    for drawing in picture_of(document).drawings:
        solid = [one for one in drawing.boxes if one.kind not in ("node", "ghost")]
        for index, one in enumerate(solid):
            assert 0 <= one.x <= one.x + one.width <= drawing.width
            assert 0 <= one.y <= one.y + one.height <= drawing.height
            for other in solid[index + 1 :]:
                apart = one.x + one.width <= other.x or other.x + other.width <= one.x
                assert apart or one.y + one.height <= other.y or other.y + other.height <= one.y, (one, other)


def test_every_pod_service_and_node_of_a_drawing_stands_in_a_table():
    picture = picture_of(documents.troubled())
    told = {row.cells[0] for table in picture.tables for row in table.rows}
    document = documents.troubled()["kubernetes"]
    for kind in ("nodes", "pods", "replicasets", "deployments", "workloads", "services", "autoscalers"):
        assert {one["name"] for one in document[kind]} <= told


def test_containers_are_linked_to_ports_networks_and_volumes():
    picture = picture_of(documents.docker())
    laptop, server = picture.drawings
    assert (laptop.title, server.title) == ("Docker (laptop)", "Docker (server)")
    assert {one.texts[0].text: (one.kind, one.tone) for one in laptop.boxes} == {
        "bridge": ("network", "ok"),
        "shop-net": ("network", "ok"),
        "data": ("volume", "ok"),
        "unused": ("volume", "off"),
        "db": ("container", "ok"),
        "loop": ("container", "bad"),
        "once": ("container", "off"),
        "web": ("container", "bad"),
        "8080번 포트": ("port", "bad"),
        "8443번 포트": ("port", "bad"),
    }
    assert len(laptop.links) == 2 + 1 + 2 + 1
    assert [text.split(":")[0] for text in sentences(picture)] == [
        "bad 컨테이너 loop (laptop)",
        "bad 컨테이너 web (laptop)",
    ]
    assert rows(picture, "컨테이너 (laptop)")["web"] == (
        "shop:1.2",
        "건강 검사 실패",
        "8080→80/tcp, 8443→443/tcp",
        "shop-net",
        "-",
    )
    assert rows(picture, "볼륨 (laptop)") == {"data": ("db",), "unused": ("-",)}


def test_only_what_is_drawn_is_explained():
    assert [word for word, _meaning in picture_of(documents.docker()).words] == [
        "컨테이너(container)",
        "포트(port)",
        "네트워크(network)",
        "볼륨(volume)",
    ]


@pytest.mark.parametrize(
    "document",
    [None, {}, {"docker": [], "kubernetes": None}, {"docker": [{"host": "", "networks": [{"name": "bridge"}]}]}],
)
def test_an_empty_lab_says_that_something_will_come(document):
    picture = picture_of(document)
    assert (picture.drawings, picture.tables) == ((), ())
    assert picture.summary.startswith("아직 아무것도 없어요")


HOSTILE = [
    7,
    "x",
    [1],
    True,
    {"docker": 3, "kubernetes": []},
    {"docker": [None, {"containers": {"a": 1}}]},
    {
        "kubernetes": {
            "pods": "many",
            "nodes": [None, 3, []],
            "services": [{"selector": [], "endpoints": 3, "ports": "80"}],
        }
    },
    {"kubernetes": {"pods": [{"name": 3, "owner": "x", "labels": {"a": [1]}, "images": {}, "restarts": -5}] * 3}},
    {"kubernetes": {"pods": [{"name": "a\x00\u202eb" + "x" * 100_000}], "left_out": 10**40}},
    {
        "kubernetes": {
            "replicasets": [{"name": "r", "revision": "²", "owner": None}, {"name": "r", "revision": 10**30}],
            "deployments": [{"name": "d", "desired": "3"}, {"name": "d", "desired": 1e308}],
            "autoscalers": [{"target": "shop", "min": None}],
        }
    },
    {
        "docker": [{"host": {}, "containers": [{"ports": [{"host": "80"}], "volumes": [[]], "networks": [None, 1]}]}]
        * 50
    },
]


@pytest.mark.parametrize("document", HOSTILE)
def test_any_document_makes_a_picture(document):
    picture = picture_of(document)
    texts = [text.text for drawing in picture.drawings for one in drawing.boxes for text in one.texts]
    texts += [cell for table in picture.tables for row in table.rows for cell in row.cells]
    assert all(text.isprintable() and len(text) < 2000 for text in texts)
    assert len(picture.drawings) <= bounds.HOSTS + 2


def test_a_flood_of_objects_stays_bounded_and_is_counted():
    flood = [pod(f"p-{n:05}", app=f"a{n}", made_by=f"r-{n}") for n in range(5000)]
    services = [service(f"s-{n:04}", {"app": "none"}) for n in range(3000)]
    nodes = [{"name": f"n-{n}", "ready": False} for n in range(500)]
    document = cluster(pods=flood, services=services, nodes=nodes, left_out=7)
    containers = [{"name": f"c{n}", "state": "restarting", "networks": [f"n{n}"]} for n in range(5000)]
    document["docker"] = [{"host": str(n), "containers": containers} for n in range(40)]
    picture = picture_of(document)
    assert sum(len(drawing.boxes) for drawing in picture.drawings) < 1000
    assert sum(len(table.rows) for table in picture.tables) < 1500
    assert len(picture.faults) == bounds.FAULTS + 1
    assert all(drawing.note for drawing in picture.drawings)
    assert picture.faults[bounds.FAULTS].text.startswith("그 밖에")
    left = 7 + (5000 - bounds.PODS) + (3000 - bounds.OBJECTS) + (500 - bounds.OBJECTS)
    assert any(f"오브젝트 {left}개" in table.note for table in picture.tables)


def test_all_that_is_broken_is_counted_and_the_rest_is_as_bad_as_its_worst():
    services = [service(f"s-{n:02}", {"app": "none"}) for n in range(20)]
    picture = picture_of(cluster(services=services))
    assert picture.summary == "고장 난 곳이 20군데 있어요."
    assert [fault.tone for fault in picture.faults] == ["bad"] * 13
    assert picture.faults[-1].text.startswith("그 밖에 8곳이 더 있어요")
    waiting = [service(f"s-{n:02}", {"app": "shop"}, ("a", True), ("b", False)) for n in range(20)]
    picture = picture_of(cluster(services=[services[0], *waiting]))
    assert picture.summary == "고장 난 곳이 1군데 있어요."
    assert [fault.tone for fault in picture.faults] == ["bad", *["wait"] * 12]


def test_broken_containers_come_before_a_cluster_that_is_not_there_yet_and_are_all_counted():
    document = cluster(pods=[], services=[])
    containers = [{"name": f"c{n:02}", "state": "restarting"} for n in range(15)]
    document["docker"] = [{"host": "", "containers": containers}]
    picture = picture_of(document)
    assert picture.summary == "고장 난 곳이 15군데 있어요."
    assert [fault.tone for fault in picture.faults] == ["bad"] * 13
    assert picture.faults[-1].text.startswith("그 밖에 4곳이")


def test_networks_volumes_and_replicasets_without_room_are_counted():
    host = {
        "host": "",
        "networks": [{"name": f"n{n:02}", "driver": "bridge"} for n in range(30)],
        "volumes": [{"name": f"v{n:02}"} for n in range(26)],
    }
    (drawing,) = picture_of({"docker": [host]}).drawings
    assert drawing.note == "그림에 다 담지 못한 8개는 아래 표에 있어요."
    owners = [made("shop", str(n), 1, revision=str(n)) for n in range(5)]
    pods = [pod(f"shop-{n}-a", made_by=f"shop-{n}") for n in range(5)]
    drawing = picture_of(cluster(pods=pods, replicasets=owners, services=[])).drawings[0]
    assert drawing.note == "그림에 다 담지 못한 2묶음은 아래 표에 있어요."
    old = [made("shop", str(n), 0, revision=str(n)) for n in range(5)]
    assert picture_of(cluster(pods=[], replicasets=old, services=[])).drawings[0].note == ""


def test_many_services_of_the_same_pods_do_not_make_a_thicket():
    services = [service(f"s-{n:02}", {"app": "shop"}) for n in range(90)]
    drawing = picture_of(cluster(services=services)).drawings[0]
    assert [one.kind for one in drawing.boxes].count("service") == bounds.SERVICES_EACH
    assert drawing.note == f"그림에 다 담지 못한 {90 - bounds.SERVICES_EACH}묶음은 아래 표에 있어요."
    pods = [pod(f"p-{n:03}", made_by=f"r-{n // 5}") for n in range(200)]
    owners = [made("shop", str(n), 5) for n in range(40)]
    crowded = picture_of(cluster(pods=pods, replicasets=owners, services=services, deployments=[])).drawings[0]
    assert len(crowded.links) <= bounds.LINKS_DRAWN
