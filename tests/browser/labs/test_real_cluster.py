"""A learner breaks and mends a Service in a real cluster, and the map tells of both without a reload.

Whatever the browser complains of meanwhile fails the test (`context` looks).
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from lessons.models import Exercise
from lessons.sandbox import Sandbox
from lessons.services import dispatch, grading, sandboxes
from tests.browser.labs.steps import expect_shown, field_of, open_lab
from tests.factories import make_exercise, make_lesson
from tests.sandbox.running import eventually, lab_sandbox

FILES = {
    "exercise.yaml": """\
title: 요청이 닿는 Service
kind: lab
environment: kubernetes-light
probes:
  - {id: service, kubernetes: {kind: Service, name: shop}}
  - {id: ends, kubernetes: {kind: EndpointSlice, selector: kubernetes.io/service-name=shop}}
checks:
  - {id: chosen, title: Service가 Pod를 고름, type: query, probe: service, query: spec.selector.app, equals: shop}
  - {id: reached, title: 엔드포인트 둘, type: query, probe: ends, query: "[].endpoints[?conditions.ready][]", count: 2}
""",
    "prompt.md": "요청이 Pod까지 닿게 하세요.\n",
    "solution/solution.sh": "kubectl create deployment shop --image=shop:v1 --replicas=2\n"
    "kubectl expose deployment shop --port=80 --target-port=8080\n",
}
DEPLOY = "kubectl create deployment shop --image=shop:v1 --replicas=2"
EXPOSE = "kubectl expose deployment shop --port=80 --target-port=8080 --selector=app=shp"
MEND = """kubectl patch service shop -p '{"spec": {"selector": {"app": "shop"}}}'"""


@pytest.fixture
def sandbox(chromium, transactional_db, settings, monkeypatch, engine_socket, tmp_path) -> Iterator[Sandbox]:
    settings.GUESTS = True
    settings.SUBMISSIONS_PER_MINUTE = 1000
    with lab_sandbox(engine_socket, tmp_path) as real:
        eventually(lambda: real.progress("kubernetes-light").state == "ready", seconds=300)
        monkeypatch.setattr(sandboxes, "_sandbox", real)
        dispatch.start(grade=grading.grade_submission)
        yield real
        dispatch.stop()


@pytest.fixture
def cluster_exercise(sandbox) -> Exercise:
    return make_exercise(make_lesson(slug="labs"), "cluster", FILES, title="요청이 닿는 Service")


def run(page: Page, command: str, says: str) -> None:
    """Type a command into the shown terminal, which has the focus, and see what it says."""
    page.keyboard.type(f"clear; {command}\n")
    expect_shown(page, says)


def tab_to(page: Page, wanted: Locator, most: int = 12) -> None:
    """On with Tab until ``wanted`` has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if wanted.evaluate("one => one === document.activeElement"):
            return
    raise AssertionError(f"{most} Tabs did not lead to {wanted}")


def box_of(page: Page, kind: str) -> Locator:
    return page.locator(f".map .box.{kind}")


def row_of(page: Page, caption: str, name: str) -> Locator:
    """A row of a table under the drawings, by what screen readers call the two."""
    return page.get_by_role("region", name=caption, exact=True).get_by_role("row").filter(has_text=name)


def test_a_service_that_finds_no_pod_is_seen_read_and_mended(page, cluster_exercise):
    open_lab(page, cluster_exercise)
    expect_shown(page, "root@")
    page.evaluate("window.stayed = true")
    run(page, DEPLOY, "deployment.apps/shop created")

    # By keyboard from here on: out of the terminal, to the map, into it.
    page.keyboard.press("Shift+F6")
    toggle = page.get_by_role("button", name="한눈에 보기")
    tab_to(page, toggle)
    page.keyboard.press("Enter")
    expect(toggle).to_have_attribute("aria-expanded", "true")
    expect(page.locator(".map-summary")).to_have_text("고장 난 곳이 없어요.")

    # The map follows what is typed, by the watch alone.
    links = page.locator(".map .link")
    page.keyboard.press("F6")
    expect(field_of(page)).to_be_focused()
    run(page, EXPOSE, "service/shop exposed")
    broken = page.locator(".map-faults li.bad")
    expect(broken).to_have_count(1)
    expect(page.locator("[data-announcer]")).to_contain_text("Service shop")
    expect(broken).to_contain_text("Service shop: selector(app=shp)에 맞는 Pod가 없어서 요청을 보낼 곳이 없어요.")
    expect(page.locator(".map-summary")).to_have_text("고장 난 곳이 1군데 있어요.")
    expect(box_of(page, "deployment")).to_contain_text("Deployment 2/2")
    expect(box_of(page, "replicaset")).to_contain_text("ReplicaSet 2/2 shop:v1")
    expect(box_of(page, "pod")).to_have_count(2)
    expect(box_of(page, "endpoints")).to_contain_text("맞는 Pod 없음")
    expect(box_of(page, "ghost")).to_contain_text("app=shp")
    expect(page.locator(".map .cross.bad")).to_have_count(1)
    expect(links).to_have_count(5)  # one to the ReplicaSet, two to its Pods, two that lead nowhere
    expect(page.locator(".map .link.bad")).to_have_count(1)
    expect(box_of(page, "chip.ok")).to_have_count(2)
    expect(box_of(page, "node").first).to_contain_text("worker-1")

    # The tables say the same, and the keyboard gets there.
    page.keyboard.press("Shift+F6")
    services = page.get_by_role("region", name="Service와 엔드포인트", exact=True)
    tab_to(page, services)
    expect(services).to_be_in_viewport()
    for _ in range(12):
        page.keyboard.press("ArrowRight")
    expect(services.get_by_role("columnheader", name="아직 못 받는 Pod")).to_be_in_viewport()
    expect(services.locator("caption")).to_be_in_viewport(ratio=1)  # it stays where it was
    shop = row_of(page, "Service와 엔드포인트", "shop")
    expect(shop.get_by_role("cell")).to_contain_text(["ClusterIP", "80", "app=shp", "맞는 Pod 없음", "-", "-"])
    pods = row_of(page, "Pod", "shop-")
    expect(pods).to_have_count(2)
    expect(pods.first).to_contain_text("worker-")

    # Graded now, it says what was wanted beside what is, and how to look.
    page.get_by_role("button", name="채점", exact=False).first.press("Enter")
    result = page.locator("section.result")
    expect(result).to_have_attribute("data-verdict", "fail")
    failed = result.locator("[data-check=chosen]")
    expect(failed.locator(".want")).to_have_text("shop")
    expect(failed.locator(".got")).to_have_text("shp")
    expect(failed.locator("[data-copy]")).to_have_text("kubectl get service shop -o yaml")

    # Mended in the same terminal, with the map still open.
    page.get_by_role("link", name="실습으로 가기").press("Enter")
    expect(field_of(page)).to_be_focused()
    run(page, MEND, "service/shop patched")
    expect(page.locator(".map-summary")).to_have_text("고장 난 곳이 없어요.")
    expect(page.locator("[data-lab-checks] [data-check=chosen]")).to_have_attribute("data-tone", "ok")
    expect(page.locator("[data-lab-checks] [data-check=reached]")).to_have_attribute("data-tone", "ok")
    expect(box_of(page, "endpoints")).to_contain_text("2/2 준비됨")
    expect(page.locator(".map .cross")).to_have_count(0)
    expect(page.locator(".map .link.ok")).to_have_count(6)  # and from Service to Endpoints, from there to two Pods
    expect(links).to_have_count(6)
    expect(box_of(page, "ghost")).to_have_count(0)
    expect(shop.get_by_role("cell")).to_contain_text(["ClusterIP", "80", "app=shop", "2/2 준비됨", "shop-", "-"])
    assert page.evaluate("window.stayed")
