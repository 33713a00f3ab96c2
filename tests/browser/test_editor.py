"""Writing: drafts, tabs, Korean input, the way out of the editor."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import OperationalError
from playwright.sync_api import Page, expect

from lessons.models import Draft, Submission
from lessons.services import submissions
from tests.browser.conftest import log_in
from tests.browser.steps import SOLUTION, card_of, editor_of, expect_passed, open_lesson, write
from tests.factories import SUM_STARTER, make_learner


def compose(page: Page, steps: list[str]) -> None:
    """A Korean input method at work: each step is what the unfinished syllable looks like."""
    session = page.context.new_cdp_session(page)
    for text in steps:
        session.send("Input.imeSetComposition", {"text": text, "selectionStart": len(text), "selectionEnd": len(text)})


def finish(page: Page, text: str) -> None:
    page.context.new_cdp_session(page).send("Input.insertText", {"text": text})


def test_korean_syllables_arrive_whole(page, exercise):
    card = open_lesson(page, exercise)
    write(card, "# ")
    for steps, syllable in ((["ㅎ", "하", "한"], "한"), (["ㄱ", "그", "글"], "글")):
        compose(page, steps)
        finish(page, syllable)
    expect(card.locator("textarea[name='file:main.py']")).to_have_value("# 한글")
    expect(editor_of(card)).to_have_text("# 한글")


def test_control_enter_in_the_middle_of_a_syllable_hands_it_in_too(page, exercise):
    card = open_lesson(page, exercise)
    write(card, SOLUTION + "# 마지막 ")
    compose(page, ["ㅁ", "마", "말"])
    page.keyboard.press("Control+Enter")
    expect_passed(card)
    assert Submission.objects.get().files["main.py"].rstrip("\n") == SOLUTION + "# 마지막 말"


def test_draft_survives_a_reload(page, exercise):
    card = open_lesson(page, exercise)
    write(card, "print('쓰던 답')")
    expect(card.locator("[data-saved]")).to_contain_text("자동 저장됨")
    assert Draft.objects.get().files["main.py"].strip() == "print('쓰던 답')"
    page.reload()
    expect(editor_of(card)).to_contain_text("쓰던 답")


def test_draft_survives_a_reload_that_comes_at_once(page, exercise):
    card = open_lesson(page, exercise)
    write(card, "print('방금 친 답')")
    page.reload()
    expect(editor_of(card)).to_contain_text("방금 친 답")


@pytest.fixture
def drafts_refused(monkeypatch, complaints) -> Iterator[None]:
    """The server cannot save drafts."""

    def fail(**draft):
        raise OperationalError("database is locked")

    monkeypatch.setattr(submissions, "save_draft", fail)
    yield
    complaints.clear()  # the browser reports each 500 itself


def test_draft_survives_a_server_that_cannot_save(page, exercise, drafts_refused):
    card = open_lesson(page, exercise)
    write(card, "print('못 보낸 답')")
    expect(card.locator("[data-saved]")).to_contain_text("저장하지 못했어요")
    page.reload()
    expect(editor_of(card)).to_contain_text("못 보낸 답")
    assert Draft.objects.count() == 0


def test_drafts_of_two_learners_stay_apart_in_one_browser(page, exercise, context, drafts_refused):
    card = open_lesson(page, exercise)
    write(card, "print('남의 답')")
    expect(card.locator("[data-saved]")).to_contain_text("저장하지 못했어요")
    log_in(context, make_learner("other"))
    page.reload()
    expect(editor_of(card)).to_contain_text("print(a)")
    expect(editor_of(card)).not_to_contain_text("남의 답")


def test_tabs_move_by_arrow_keys_and_read_only_files_say_so(page, exercise):
    card = open_lesson(page, exercise)
    tabs = card.get_by_role("tab")
    expect(tabs).to_have_count(3)
    tabs.nth(0).focus()
    page.keyboard.press("ArrowRight")
    expect(tabs.nth(1)).to_be_focused()
    expect(tabs.nth(1)).to_have_attribute("aria-selected", "true")
    expect(tabs.nth(1).get_by_role("img", name="읽기 전용")).to_be_visible()
    panel = card.get_by_role("tabpanel")
    expect(panel).to_have_count(1)
    expect(panel.locator(".cm-content")).to_have_attribute("aria-readonly", "true")
    page.keyboard.press("End")
    page.keyboard.press("ArrowRight")
    expect(tabs.nth(0)).to_be_focused()


def test_tab_key_indents_and_escape_leaves(page, exercise):
    card = open_lesson(page, exercise)
    write(card, "x")
    page.keyboard.press("Home")
    page.keyboard.press("Tab")
    expect(card.locator("textarea[name='file:main.py']")).to_have_value("    x")
    expect(card.locator("[data-escape-help]")).to_be_visible()
    page.keyboard.press("Escape")
    expect(editor_of(card)).not_to_be_focused()


def test_reset_asks_first_and_then_shows_the_starter(page, exercise):
    card = open_lesson(page, exercise)
    write(card, SOLUTION)
    card.get_by_role("button", name="처음 상태로").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="그만두기").click()
    expect(editor_of(card)).to_contain_text("a + b")
    card.get_by_role("button", name="처음 상태로").click()
    dialog.get_by_role("button", name="되돌리기").click()
    expect(card.locator("textarea[name='file:main.py']")).to_have_value(SUM_STARTER)
    expect(editor_of(card)).not_to_contain_text("a + b")


def test_editor_comes_only_when_its_exercise_is_near(page, exercise):
    far = '<p>길어요.</p><div class="highlight"><pre><code>' + "\n" * 300 + "</code></pre></div>"
    exercise.lesson.blocks = [{"html": far}, *exercise.lesson.blocks]
    exercise.lesson.save(update_fields=["blocks"])
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(exercise.lesson.get_absolute_url())
    page.wait_for_load_state("networkidle")
    assert [url for url in asked if "editor" in url] == []
    card = card_of(page, exercise)
    card.scroll_into_view_if_needed()
    expect(editor_of(card)).to_be_visible()
    assert len([url for url in asked if "editor" in url]) == 1


def test_colours_of_the_editor_pass_the_content_security_policy(page, exercise):
    card = open_lesson(page, exercise)
    write(card, "import os\n")
    word = card.locator(".tok-keyword")
    line = card.locator(".cm-line").first
    assert card.locator(".cm-gutters").first.evaluate("e => getComputedStyle(e).display") == "flex"
    colours = [item.evaluate("e => getComputedStyle(e).color") for item in (word, line)]
    assert colours[0] != colours[1]


def test_copy_button_takes_the_commands_without_prompt_and_output(page, exercise, context):
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(exercise.lesson.get_absolute_url())
    page.locator(".prose pre").first.hover()
    page.get_by_role("button", name="코드 복사").first.click()
    assert page.evaluate("navigator.clipboard.readText()").strip() == "docker ps"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_theme_button_changes_the_look_and_the_next_page_keeps_it(page, exercise, scheme):
    page.emulate_media(color_scheme=scheme)
    page.goto("/")
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    with page.expect_response("**/theme/"):
        page.locator("[data-theme-form] button").first.click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light" if scheme == "dark" else "dark")
    after = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert before != after
    page.goto(exercise.lesson.get_absolute_url())
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == after
