"""Everything works without JavaScript: plain forms and pages."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from lessons.models import Submission
from tests.browser.steps import SOLUTION, card_of, give_input


def test_answer_is_graded_on_a_page_of_its_own(still_page, exercise):
    still_page.goto(exercise.lesson.get_absolute_url())
    card = card_of(still_page, exercise)
    card.locator("textarea[name='file:main.py']").fill(SOLUTION)
    card.get_by_role("button", name="채점").click()
    expect(still_page).to_have_url(re.compile(r"/submissions/[0-9a-f-]{36}/$"))
    expect(still_page.locator("section.result")).to_contain_text("통과했어요!")


def test_run_works_with_own_input(still_page, exercise):
    still_page.goto(exercise.get_absolute_url())
    card = card_of(still_page, exercise)
    card.locator("textarea[name='file:main.py']").fill(SOLUTION)
    give_input(card, "20 22\n")
    card.get_by_role("button", name="실행", exact=True).click()
    expect(still_page.locator("section.result")).to_contain_text("42")
    assert Submission.objects.get().graded is False


def test_refused_answer_keeps_what_was_typed(still_page, exercise):
    text = "# " + "가" * 30_000
    still_page.goto(exercise.get_absolute_url())
    card = card_of(still_page, exercise)
    card.locator("textarea[name='file:main.py']").fill(text)
    card.get_by_role("button", name="채점").click()
    expect(still_page.get_by_role("alert")).to_contain_text("64 KB")
    expect(still_page.locator("textarea[name='file:main.py']")).to_have_value(text)


def test_slow_answer_offers_a_way_to_its_result(still_page, exercise, sandbox):
    sandbox.seconds = 2.0
    still_page.goto(exercise.get_absolute_url())
    card_of(still_page, exercise).get_by_role("button", name="채점").click()
    expect(still_page.locator("section.result")).to_contain_text("채점하고 있어요.")
    still_page.wait_for_timeout(2000)
    still_page.get_by_role("link", name="새로 고쳐서 결과 보기").click()
    expect(still_page.locator("section.result")).to_contain_text("아직이에요.")


def test_quiz_is_answered_with_plain_fields(still_page, quiz):
    still_page.goto(quiz.get_absolute_url())
    card = card_of(still_page, quiz)
    card.get_by_label("컨테이너", exact=True).check()
    card.get_by_role("textbox").fill("태그")
    for field, text in zip(card.locator("select[name='q:steps']").all(), ["build", "push", "run"], strict=True):
        field.select_option(text)
    card.get_by_role("button", name="채점").click()
    expect(still_page.locator("section.result")).to_contain_text("통과했어요!")


def test_theme_button_works(still_page, exercise):
    still_page.goto("/")
    still_page.locator("[data-theme-form] button").first.click()
    expect(still_page.locator("html")).to_have_attribute("data-theme", "dark")
