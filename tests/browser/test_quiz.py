"""Quizzes: by mouse, by keyboard, in place."""

from __future__ import annotations

from playwright.sync_api import expect

from lessons.models import Submission
from tests.browser.steps import expect_failed, expect_passed, open_lesson


def put_in_order(card, wanted: list[str]) -> None:
    """Move items up one by one, as somebody with the buttons would."""
    for place, text in enumerate(wanted):
        for _step in range(len(wanted)):
            shown = card.locator("ol.order .order-text").all_inner_texts()
            if shown.index(text) == place:
                break
            card.get_by_role("button", name=f"위로 옮기기: {text}").click()


def test_quiz_is_graded_in_place(page, quiz):
    card = open_lesson(page, quiz)
    card.get_by_label("컨테이너", exact=True).check()
    card.get_by_role("textbox").fill(" TAG ")
    put_in_order(card, ["build", "push", "run"])
    card.get_by_role("button", name="채점").click()
    expect_passed(card)


def test_wrong_choice_says_why(page, quiz):
    card = open_lesson(page, quiz)
    card.get_by_label("이미지", exact=True).check()
    card.get_by_role("button", name="채점").click()
    expect_failed(card)
    expect(card.locator("[data-check=what]")).to_contain_text("이미지를 실행하면 컨테이너가 돼요.")


def test_empty_quiz_is_refused_in_words(page, quiz, complaints):
    card = open_lesson(page, quiz)
    for name in ("steps",):
        card.locator(f"[name='q:{name}']").evaluate_all("fields => fields.forEach((field) => (field.disabled = true))")
    card.get_by_role("button", name="채점").click()
    expect(card.get_by_role("alert")).to_contain_text("답이 비어 있어요")
    assert Submission.objects.count() == 0
    complaints.clear()  # the browser reports the 422 itself


def test_choice_survives_a_reload(page, quiz):
    card = open_lesson(page, quiz)
    card.get_by_label("컨테이너", exact=True).check()
    page.reload()
    expect(card.get_by_label("컨테이너", exact=True)).to_be_checked()
