"""한눈에 보기 beside a terminal, and the way back to a step."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from lessons import notify
from lessons.models import Exercise, KeptStep, LabSession
from tests.browser.labs.steps import expect_shown, field_of, give_up_soon, open_lab
from tests.factories import make_finished
from tests.services.labs import make_cluster_exercise
from tests.topology import documents

ROWS_SEEN = "() => document.querySelector('.lab-panel:not([hidden]) .xterm-rows').children.length"

BUTTONS_OUTSIDE = """width => [...document.querySelectorAll('.lab button')].filter(button => {
  const { left, right } = button.getBoundingClientRect();
  return left < 0 || right > width + 1;
}).map(button => button.textContent)"""


@pytest.fixture
def dock(page, lab_exercise):
    return open_lab(page, lab_exercise)


def show(document: dict | None) -> None:
    """The lab was looked at and is made of this."""
    lab = LabSession.objects.get()
    LabSession.objects.update(topology=document)
    notify.lab_changed(lab.pk)


def open_map(page: Page) -> None:
    page.get_by_role("button", name="한눈에 보기").click()
    expect(page.locator("[data-lab-map]")).to_be_visible()


def test_the_map_follows_the_lab_and_leaves_the_terminal_alone(page, dock, far_of):
    far_of(1).say("여기 있어요")
    show(documents.cluster())
    open_map(page)
    expect(page.locator(".map-summary")).to_have_text("고장 난 곳이 없어요.")
    expect_shown(page, "여기 있어요")
    page.wait_for_timeout(300)  # the terminal has fitted itself to what is left
    rows = page.evaluate(ROWS_SEEN)
    show(documents.troubled())
    expect(page.locator(".map-summary")).to_have_text("고장 난 곳이 5군데 있어요.")
    expect(page.locator(".map .cross.bad").first).to_be_visible()
    expect(page.locator("[data-announcer]")).to_contain_text("Service lost")
    page.wait_for_timeout(300)
    assert page.evaluate(ROWS_SEEN) == rows
    expect_shown(page, "여기 있어요")


def test_focus_and_scrolling_stay_while_the_map_changes(page, dock):
    show(documents.troubled())
    open_map(page)
    page.locator(".map-words summary").click()
    page.locator(".map-table").nth(3).focus()
    pane = page.locator(".lab-map")
    pane.evaluate("pane => (pane.scrollTop = 700)")
    document = documents.troubled()
    document["kubernetes"]["pods"][0]["restarts"] = 41
    show(document)
    expect(page.locator(".map-table").nth(3)).to_contain_text("41")
    expect(page.locator(".map-table").nth(3)).to_be_focused()
    assert pane.evaluate("pane => pane.scrollTop") == 700
    expect(page.locator(".map-words")).to_have_attribute("open", "")


def test_wide_takes_the_terminals_place_until_it_is_wanted(page, dock, far_of):
    show(documents.cluster())
    open_map(page)
    page.get_by_role("button", name="넓게", exact=True).click()
    expect(page.locator(".lab-stage")).to_be_hidden()
    page.get_by_role("button", name="터미널에 넣기: docker ps").click()
    expect(page.locator(".lab-stage")).to_be_visible()
    expect(field_of(page)).to_be_focused()
    page.get_by_role("button", name="넓게", exact=True).click()
    page.locator(".lab-map").press("Control+F6")  # the browser's, or the window manager's
    expect(page.locator(".lab-stage")).to_be_hidden()
    page.locator(".lab-map").press("F6")
    expect(page.locator(".lab-stage")).to_be_visible()
    expect(field_of(page)).to_be_focused()
    page.get_by_role("button", name="한눈에 보기").click()
    expect(page.locator(".lab-map")).to_be_hidden()
    expect(page.get_by_role("button", name="한눈에 보기")).to_have_attribute("aria-expanded", "false")


def test_a_map_that_does_not_come_says_so_and_comes_later(page, dock, complaints):
    page.route("**/topology/", lambda route: route.abort(), times=1)
    show(documents.cluster())
    page.get_by_role("button", name="한눈에 보기").click()
    expect(page.locator(".map-summary")).to_contain_text("지금은 불러오지 못했어요")
    expect(page.locator(".map-summary")).to_have_text("고장 난 곳이 없어요.")
    complaints.clear()


def test_a_map_that_hangs_says_so_and_is_asked_for_again(page, lab_exercise):
    give_up_soon(page)
    page.route("**/topology/", lambda route: None, times=1)  # never answered
    open_lab(page, lab_exercise)
    show(documents.cluster())
    page.get_by_role("button", name="한눈에 보기").click()
    expect(page.locator(".map-summary")).to_contain_text("지금은 불러오지 못했어요")
    expect(page.locator(".map-summary")).to_have_text("고장 난 곳이 없어요.")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1280, 900), (1024, 768), (390, 844)])
def test_the_map_fits_and_has_no_accessibility_faults(page, dock, width, height, theme):
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size({"width": width, "height": height})
    show(documents.troubled())
    open_map(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(BUTTONS_OUTSIDE, width) == []
    found = Axe().run(page, context=".lab-map")
    assert [violation["id"] for violation in found.response["violations"]] == []


def test_a_result_with_a_chart_and_moments_has_no_accessibility_faults(page, lab_exercise, learner):
    seconds = [{"at": at, "sent": 20, "failed": at == 2, "answers": {"v1": 19}} for at in range(5)]
    picture = {"traffic": {"timeline": seconds, "sent": 100, "failed": 1, "distinct": ["v1"]}}
    moments = {"timeline": [{"at": 3, "text": "`shop`이 고장 났어요.", "tone": "bad"}]}
    checks = [
        {"id": name, "title": name, "passed": True, "picture": one} for name, one in (("a", picture), ("b", moments))
    ]
    row = make_finished(learner, lab_exercise, result={"checks": checks, "output": [], "timings": {}})
    page.goto(f"/submissions/{row.pk}/")
    page.get_by_text("숫자로 보기").click()
    expect(page.get_by_role("table").get_by_role("row")).to_have_count(6)
    found = Axe().run(page, context=".over-time")
    assert [violation["id"] for violation in found.response["violations"]] == []


@pytest.fixture
def cluster_exercise(sandbox, lab_exercise) -> Exercise:
    return make_cluster_exercise()


def test_the_way_back_asks_loads_and_says_what_happened(page, cluster_exercise, learner, sandbox, far_of):
    open_lab(page, cluster_exercise)
    far_of(1).say("터미널은 그대로")
    lab = LabSession.objects.get()
    KeptStep.objects.create(
        learner=learner, exercise=cluster_exercise, check_id="runs", title="web이 실행 중", seed=lab.seed, data=b"then"
    )
    notify.lab_changed(lab.pk)
    questions = []
    page.on("dialog", lambda dialog: (questions.append(dialog.message), dialog.accept()))
    page.get_by_role("button", name="마지막으로 통과한 때로").click()
    said = page.locator(".lab-said")
    expect(said).to_contain_text("통과한 때로 돌아갔어요")
    assert "“web이 실행 중” 항목을 통과한 때로 돌아갈까요?" in questions[0]
    assert sandbox.labs[lab.container].loaded == [b"then"]
    expect_shown(page, "터미널은 그대로")
    said.get_by_role("button", name="닫기").click()
    expect(said).to_have_count(0)
