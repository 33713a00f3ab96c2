"""Probes of a cluster, and of requests that go on: what they ask, what their evidence says, and how it is shown."""

from __future__ import annotations

from typing import Any

import pytest

from lessons import graders
from lessons.contracts import CheckSpec, Evidence, ExerciseSpec, Grade, NeedMore, Place, ProbeSpec, TooLarge, VarSpec
from lessons.graders.registry import validate_probe
from tests.content.test_clusters import K5, K8, parsed
from tests.graders.helpers import check
from tests.graders.labs import graded, lab, request, running, seen

DEPLOYMENT = ProbeSpec("p", "kubernetes", {"kind": "Deployment", "name": "shop"})
PODS = ProbeSpec("p", "kubernetes", {"kind": "Pod", "selector": "app=shop", "namespace": "web"})
STREAM = ProbeSpec("p", "traffic", {"http": {"url": "http://shop/"}, "since": "setup"})
SWAP = ProbeSpec(
    "p",
    "traffic",
    {"http": {"url": "http://shop/", "from": "pod client"}, "while": [["kubectl", "delete", "pod", "{{word}}"]]},
    active=True,
)
WORD = (VarSpec("word", "choice", choices=("web",)),)


def container(image: str) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": [{"image": image}]}}}}


def service(address: str) -> dict[str, Any]:
    return {"spec": {"clusterIP": address}}


def pods(*addresses: str) -> list[dict[str, Any]]:
    return [{"status": {"podIP": address}} for address in addresses]


def evidence(**answers: Any) -> Evidence:
    return Evidence({}, answers=answers)


def passed(spec: ExerciseSpec, **answers: Any) -> dict[str, bool]:
    grade = graders.judge(spec, graders.plan(spec, {}, 1), evidence(**answers), elapsed=60)
    assert isinstance(grade, Grade)
    return {row.id: row.passed for row in grade.checks}


def told(sent: int = 100, failed: int = 0, **more: Any) -> dict[str, Any]:
    bucket = {"at": 0, "sent": sent, "failed": failed, "answers": {"v1\n": sent - failed}}
    return {"sent": sent, "failed": failed, "distinct": ["v1\n", "v2\n"], "timeline": [bucket], **more}


# The two examples of the format


def test_rollout_without_a_lost_request_passes() -> None:
    spec = parsed(K5)
    answers = {"stream": told(), "deploy": container("shop:v2"), "sets": [container("shop:v3"), container("shop:v2")]}
    assert set(passed(spec, **answers).values()) == {True}
    lost = passed(spec, **{**answers, "stream": told(failed=1), "sets": []})
    assert lost == {"none-lost": False, "both": True, "tried-v3": False, "final": True}


def test_rollout_that_may_still_come_true_is_asked_again_with_what_was_recorded() -> None:
    spec = parsed(K5)
    plan = graders.plan(spec, {}, 1)
    more = graders.judge(spec, plan, evidence(stream=told(), deploy=container("shop:v3"), sets=[]))
    assert isinstance(more, NeedMore)
    assert list(more.plan.asks) == ["deploy"]


def test_address_that_stays_while_pods_are_replaced_passes() -> None:
    spec = parsed(K8)
    before = {"svc": service("10.96.0.9"), "pods": pods("10.244.1.2", "10.244.1.3")}
    swapped = told(before=before, after={**before, "pods": pods("10.244.1.7")}, commands=[{"exit_code": 0}])
    rest = {"svc": service("10.96.0.9"), "pods": pods("10.244.1.7")}
    assert set(passed(spec, **rest, swap=swapped).values()) == {True}
    kept = told(failed=9, before=before, after={"svc": service("10.96.0.8"), "pods": before["pods"]})
    assert set(passed(spec, **rest, swap=kept).values()) == {False}


def test_requests_during_commands_ask_with_all_that_belongs_to_them() -> None:
    plan = graders.plan(parsed(K8), {}, 1)
    assert request(plan, "swap") == {
        "http": {"url": "http://shop/", "from": "pod client", "method": "GET", "every_ms": 50},
        "while": [["kubectl", "delete", "pod", "-l", "app=shop", "--wait"]],
        "watch": {
            "svc": {"tool": "kubernetes", "request": request(plan, "svc"), "seconds": 10.0},
            "pods": {"tool": "kubernetes", "request": request(plan, "pods"), "seconds": 10.0},
        },
        "seconds": 60.0,
    }
    assert plan.asks["swap"].seconds > 60


# kubernetes


@pytest.mark.parametrize(
    ("value", "asked", "shown"),
    [
        (
            {"kind": "Deployment", "name": "{{word}}"},
            {"kind": "Deployment", "name": "web", "namespace": "default"},
            "kubectl get deployment web -o yaml",
        ),
        (
            {"kind": "Pod", "selector": "app={{word}},tier in (a, b)", "namespace": "{{word}}"},
            {"kind": "Pod", "selector": "app=web,tier in (a, b)", "namespace": "web"},
            "kubectl get pod -n web -l 'app=web,tier in (a, b)' -o yaml",
        ),
        (
            {"kind": "Pod", "selector": "", "namespace": "*"},
            {"kind": "Pod", "selector": "", "namespace": "*"},
            "kubectl get pod -A -o yaml",
        ),
    ],
)
def test_cluster_is_asked_for_an_object_or_a_list(value: Any, asked: Any, shown: str) -> None:
    probe = ProbeSpec("p", "kubernetes", value)
    assert validate_probe("kubernetes", value) == []
    plan = graders.plan(lab(running(), probes=(probe,), vars=WORD), {}, 1)
    assert (plan.asks["p"].tool, plan.asks["p"].place, request(plan, "p")) == ("kubernetes", Place.LAB, asked)
    rows = graded(lab(check("query", {"query": "@", "equals": 3}), probes=(probe,), vars=WORD), {"p": None}).checks
    assert rows[0].show == shown


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ("Pod", ""),
        ({"name": "web"}, "kind"),
        ({"kind": "a b", "name": "web"}, "kind"),
        ({"kind": "Pod"}, ""),
        ({"kind": "Pod", "name": "web", "selector": "a=b"}, ""),
        ({"kind": "Pod", "name": "Web_1"}, "name"),
        ({"kind": "Pod", "name": None}, "name"),
        ({"kind": "Pod", "selector": "a=b; rm"}, "selector"),
        ({"kind": "Pod", "selector": ["a=b"]}, "selector"),
        ({"kind": "Pod", "name": "web", "namespace": "A"}, "namespace"),
        ({"kind": "Pod", "name": "web", "namespace": "*"}, "namespace"),
        ({"kind": "Pod", "name": "web", "field": "status"}, "field"),
    ],
)
def test_fault_of_a_question_to_a_cluster_names_the_field(value: Any, field: str) -> None:
    assert [fault.field for fault in validate_probe("kubernetes", value)] == [field]


def test_large_list_of_objects_is_seen_to_its_end() -> None:
    object_ = {"metadata": {"labels": {str(n): "x" for n in range(240)}}}
    row = seen(PODS, [object_] * 200, {"query": "length([?metadata.labels.\"239\" == 'x'])", "equals": 200})
    assert row.passed


def test_desired_and_actual_stand_beside_each_other_with_the_field_that_differs() -> None:
    row = seen(DEPLOYMENT, {"spec": {"replicas": 2}}, {"query": "spec.replicas", "equals": 3})
    assert (row.expected, row.found, row.looked_at) == ("3", "2", "spec.replicas")
    assert row.message == "이름이 shop인 Deployment의 `spec.replicas` 자리에 바란 값은 3인데 지금은 2로 되어 있어요."


def test_differing_field_is_named_inside_of_what_was_looked_at() -> None:
    wanted = [{"name": "web", "image": "shop:v2"}]
    found = {"spec": {"containers": [{"name": "web", "image": "shop:v1", "resources": {"limits": {"memory": "64Mi"}}}]}}
    row = seen(DEPLOYMENT, found, {"query": "spec.containers", "equals": wanted})
    assert row.looked_at == "spec.containers[0].image"
    assert '-    "image": "shop:v2"' in row.diff
    assert '+    "image": "shop:v1"' in row.diff
    hidden = ProbeSpec("p", "kubernetes", DEPLOYMENT.value, hidden=True)
    row = seen(hidden, found, {"query": "spec.containers", "equals": wanted})
    assert (row.looked_at, row.diff, row.show) == ("spec.containers", "", "")
    assert "shop:v1" not in row.message + row.found


def test_object_that_is_not_there_is_told_with_the_command_that_looks() -> None:
    row = seen(DEPLOYMENT, None, {"query": "spec.replicas", "equals": 3})
    assert row.message.startswith("이름이 shop인 Deployment가 없어요. `kubectl get deployment`")
    row = seen(PODS, [], {"query": "[].metadata.name", "contains": "a"})
    assert row.message.startswith(
        "web 네임스페이스의 이름표가 app=shop인 Pod가 없어요. `kubectl get pod -n web -l app=shop`"
    )
    row = seen(DEPLOYMENT, {"spec": {}}, {"query": "spec.replicas", "equals": 3})
    assert "`spec.replicas` 값이 아직 없어요" in row.message


def test_object_that_is_gone_as_wanted_passes() -> None:
    assert seen(DEPLOYMENT, None, {"query": "@", "equals": None}).passed


# traffic


def test_what_was_recorded_since_setup_is_the_evidence() -> None:
    plan = graders.plan(lab(running(), probes=(STREAM,)), {}, 1)
    assert (plan.asks["p"].tool, plan.asks["p"].place, request(plan, "p")["id"]) == ("stream", Place.RECORD, "p")
    summary: dict[str, Any] = {}
    for at in range(3):
        summary = graders.add_second(summary, {"sent": "10", "failed": str(at // 2), "answers": '{"v1": 9}'}, at)
    row = seen(STREAM, summary, {"query": "[sent, failed, length(timeline)]", "equals": [30, 1, 3]})
    assert row.passed
    assert row.picture["traffic"]["timeline"][2] == {"at": 2, "sent": 10, "failed": 1, "answers": {"v1": 9}}


@pytest.mark.parametrize("nothing", [None, {}, {"sent": 0, "failed": 0}])
def test_nothing_sent_is_no_proof_that_all_was_answered(nothing: Any) -> None:
    row = seen(STREAM, nothing, {"query": "failed", "equals": 0})
    assert not row.passed
    assert "보낸 요청이 없어요" in row.message
    assert row.picture == {}
    authors = seen(STREAM, nothing, {"query": "failed", "equals": 0}, message="{found}개를 놓쳤어요.")
    assert authors.message == row.message


def test_lost_requests_are_counted_and_drawn() -> None:
    row = seen(STREAM, told(failed=3), {"query": "failed", "equals": 0})
    assert row.message.startswith("요청 100개 가운데 3개가 대답을 받지 못했어요.")
    assert (row.expected, row.found, row.show) == ("0", "3", "curl -i http://shop/")
    assert row.picture["traffic"]["distinct"] == ["v1", "v2"]
    assert seen(STREAM, told(), {"query": "before", "equals": 1}).picture == {}
    hidden = ProbeSpec("p", "traffic", STREAM.value, hidden=True)
    row = seen(hidden, told(failed=3), {"query": "failed", "equals": 0})
    assert (row.picture, row.show) == ({}, "")


def test_long_timeline_is_drawn_with_fewer_buckets_and_every_request() -> None:
    timeline = [{"at": at, "sent": 10, "failed": 1, "answers": {f"v{at}": 9}} for at in range(290)]
    row = seen(STREAM, told(sent=2900, timeline=timeline), {"query": "sent", "at_least": 1})
    drawn = row.picture["traffic"]["timeline"]
    assert len(drawn) <= 120
    assert sum(bucket["sent"] for bucket in drawn) == 2900
    assert max(len(bucket["answers"]) for bucket in drawn) <= 8


def test_command_that_failed_while_requests_went_on_is_told_and_shown() -> None:
    spec = lab(check("query", {"query": "failed", "equals": 0}), probes=(SWAP,), vars=WORD)
    answer = told(sent=0, commands=[{"exit_code": 1, "stdout": "", "stderr": "no such pod"}])
    assert (
        "`kubectl delete pod web` 명령이 오류로 끝났어요(종료 코드 1)" in graded(spec, {"p": answer}).checks[0].message
    )
    (row,) = graders.output_rows(spec, graders.plan(spec, {}, 1), evidence(p=answer))
    assert (row["command"], row["stderr"], row["exit_code"]) == ("kubectl delete pod web", "no such pod", 1)
    assert graded(spec, {"p": answer}).checks[0].show == "kubectl exec client -- wget -qO- http://shop/"


def test_command_that_failed_is_told_before_what_the_author_wrote() -> None:
    asked = check("query", {"query": "failed", "equals": 0}, message="{found}개를 놓쳤어요.")
    spec = lab(asked, probes=(SWAP,), vars=WORD)
    commands = [{"exit_code": 1, "stdout": "", "stderr": "no such pod"}]
    failed = "확인하면서 한 `kubectl delete pod web` 명령이 오류로 끝났어요(종료 코드 1)."
    lost = graded(spec, {"p": told(failed=3, commands=commands)}).checks[0].message
    assert lost == f"{failed} 3개를 놓쳤어요."
    assert graded(spec, {"p": told(sent=0, commands=commands)}).checks[0].message == failed


def test_requests_during_commands_are_taken_on_grading_only() -> None:
    spec = lab(running(), probes=(SWAP, ProbeSpec("q", "traffic", STREAM.value)), vars=WORD)
    assert list(graders.watch_plan(spec, 1).asks) == ["q"]


# http and events in a cluster


def test_request_from_a_pod_names_it_and_shows_how_to_do_the_same() -> None:
    probe = ProbeSpec("p", "http", {"url": "http://shop/", "from": "pod  web/client"})
    spec = lab(check("query", {"query": "failed", "equals": 0}), probes=(probe,))
    assert request(graders.plan(spec, {}, 1), "p")["from"] == "pod web/client"
    row = graded(spec, {"p": {"answers": [], "failed": 1}}).checks[0]
    assert row.show == "kubectl exec -n web client -- wget -qO- http://shop/"
    assert "Service가 있는지" in row.message


def event(type: str, action: str, **attributes: str) -> dict[str, Any]:
    return {"host": "", "event": {"Type": type, "Action": action, "Actor": {"ID": "u1", "Attributes": attributes}}}


RECORDED = [
    event("container", "die", name="web"),
    event("kubernetes", "happened", kind="Pod", name="shop-1", reason="Killing"),
    event("kubernetes", "wrote", kind="Pod", name="shop-1", verb="delete"),
    event("kubernetes", "wrote", kind="Deployment", name="shop", verb="patch", subresource="scale"),
]


@pytest.mark.parametrize(
    ("value", "count"),
    [
        ({}, 1),
        ({"filter": {"type": "kubernetes"}}, 3),
        ({"filter": {"type": "kubernetes", "action": "wrote"}}, 2),
        ({"filter": {"type": "kubernetes", "action": "wrote", "verb": "delete", "kind": "Pod"}}, 1),
        ({"filter": {"type": "kubernetes", "subresource": "scale", "name": "shop"}}, 1),
        ({"filter": {"type": "kubernetes", "reason": ["Killing", "Evicted"]}}, 1),
        ({"filter": {"type": ["container", "kubernetes"]}}, 4),
    ],
)
def test_events_of_the_cluster_come_where_they_are_asked_for(value: Any, count: int) -> None:
    assert validate_probe("events", value) == []
    row = seen(ProbeSpec("p", "events", value), RECORDED, {"query": "length(@)", "equals": count})
    assert row.passed, row.found


def test_last_events_of_a_loud_lab_are_seen() -> None:
    loud = [event("kubernetes", "changed", kind="Pod", **{f"a{n}": "x" for n in range(20)}) for _ in range(1999)]
    probe = ProbeSpec("p", "events", {"filter": {"type": "kubernetes"}})
    last = event("kubernetes", "deleted", kind="Pod", name="last")
    row = seen(probe, [*loud, last], {"query": "[-1].Actor.Attributes.name", "equals": "last"})
    assert row.passed


# What is too large


def test_answer_that_is_too_large_fails_its_checks_and_no_other() -> None:
    checks = (
        check("query", {"query": "@", "equals": None}, id="gone"),
        check("query", {"query": "State.Status", "equals": "running"}, id="fine", probe="q"),
        check("query", {"query": "@", "equals": {"probe": "p", "query": "@"}}, id="both", probe="q"),
    )
    probes = (DEPLOYMENT, ProbeSpec("q", "docker", {"object": "container", "name": "web"}))
    rows = graded(lab(*checks, probes=probes), {"p": TooLarge(), "q": {"State": {"Status": "running"}}}).checks
    assert [row.passed for row in rows] == [False, True, False]
    assert "너무 많아 다 볼 수 없었어요" in rows[0].message


def test_program_is_not_asked_about_what_nobody_could_see() -> None:
    spec = lab(CheckSpec("c", "확인", "script", fields={"program": "x.py"}), probes=(PODS,), programs={"x.py": ""})
    grade = graders.judge(spec, graders.plan(spec, {}, 1), evidence(p=TooLarge()))
    assert isinstance(grade, Grade)
    assert (grade.verdict, grade.checks[0].passed) == ("fail", False)
    (row,) = graders.judge_watch(lab(running(), probes=(PODS,)), graders.plan(spec, {}, 1), evidence(p=TooLarge()))
    assert not row.passed


def test_folder_that_is_too_large_is_not_built() -> None:
    probe = ProbeSpec("p", "build", {"context": "/root/app"}, environment="docker")
    grade = graded(lab(check("query", {"query": "built", "equals": True}), probes=(probe,)), {"p": TooLarge()})
    assert "너무 많아" in grade.checks[0].message
