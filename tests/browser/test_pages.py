"""Every page: accessible in both looks, no sideways scrolling on a small phone, nothing the policy refuses."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from lessons.models import Exercise, User
from tests.browser.conftest import open_tab
from tests.browser.steps import card_of, editor_of
from tests.factories import SUM_STARTER, make_finished

RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
}


def _failed(page: Page, exercise: Exercise) -> None:
    page.goto(exercise.lesson.get_absolute_url())
    card = card_of(page, exercise)
    card.get_by_role("button", name="채점").click()
    expect(card.locator("section.result")).to_have_attribute("data-verdict", "fail")


def _lesson(page: Page, exercise: Exercise) -> None:
    page.goto(exercise.lesson.get_absolute_url())
    card_of(page, exercise).scroll_into_view_if_needed()
    expect(editor_of(card_of(page, exercise))).to_be_visible()


def _at(path: str) -> Callable[[Page, Exercise], None]:
    return lambda page, exercise: page.goto(path.format(exercise=exercise.get_absolute_url())) and None


def _submission(page: Page, exercise: Exercise) -> None:
    page.goto(f"/submissions/{exercise.submissions.first().pk}/")


PAGES: dict[str, Callable[[Page, Exercise], None]] = {
    "home": _at("/"),
    "course": lambda page, exercise: page.goto(exercise.course.get_absolute_url()) and None,
    "lesson": _lesson,
    "result": _failed,
    "exercise": _at("{exercise}"),
    "history": _at("{exercise}submissions/"),
    "submission": _submission,
    "me": _at("/me/"),
    "missing": _at("/no-such-course/"),
}


@pytest.fixture
def shown(page, exercise, quiz, learner: User, complaints, request) -> Page:
    """A page of PAGES, of a learner with one failed attempt, under a name given by the test's parameter."""
    make_finished(learner, exercise, verdict="fail", files={"main.py": SUM_STARTER})
    return page


def faults(page: Page) -> list[str]:
    """Axe's violations, one a line, with the elements."""
    found = Axe().run(page, options={**RULES, "resultTypes": ["violations"]}).response["violations"]
    return [f"{v['id']}: {node['target']} {node['html'][:120]}" for v in found for node in v["nodes"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_page_is_accessible(shown, exercise, complaints, name, scheme):
    shown.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    PAGES[name](shown, exercise)
    assert faults(shown) == []
    if name == "missing":
        complaints.clear()  # the browser reports the 404 itself


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_login_page_is_accessible(context, exercise, complaints, scheme):
    page = open_tab(context, complaints)
    page.emulate_media(color_scheme=scheme)
    page.goto("/login/")
    page.get_by_label("사용자 이름").fill("jiwoo")
    page.get_by_label("비밀번호").fill("no")
    page.get_by_role("main").get_by_role("button", name="로그인").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert faults(page) == []


@pytest.mark.parametrize("width", [320, 768, 1440])
@pytest.mark.parametrize("name", PAGES)
def test_page_never_scrolls_sideways(shown, exercise, complaints, name, width):
    shown.set_viewport_size({"width": width, "height": 720})
    PAGES[name](shown, exercise)
    wide = shown.evaluate(
        """() => [...document.querySelectorAll('body *')]
            .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
            .filter((element) => {
              for (let at = element.parentElement; at; at = at.parentElement) {
                const style = getComputedStyle(at);
                if (style.overflowX !== 'visible' || style.clipPath !== 'none') return false;
              }
              return getComputedStyle(element).clipPath === 'none';
            })
            .map((element) => element.outerHTML.slice(0, 100))"""
    )
    assert wide == []
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    if name == "missing":
        complaints.clear()


def test_lesson_page_says_a_strict_policy(page, exercise):
    answer = page.goto(exercise.lesson.get_absolute_url())
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert re.findall(r"<script(?![^>]* src=)|<style|<[^>]*\s(?:style|on[a-z]+)=", answer.text()) == []


def test_first_visit_is_small(page, exercise):
    sizes: dict[str, int] = {}

    def note(response) -> None:
        if response.url.endswith((".js", ".css", "/")) and "editor" not in response.url:
            sizes[response.url] = len(gzip.compress(response.body(), 6))

    page.on("response", note)
    page.goto(exercise.lesson.get_absolute_url())
    page.wait_for_load_state("networkidle")
    assert sum(sizes.values()) <= 150_000, sizes
