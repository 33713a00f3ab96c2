"""What a learner does at an exercise, in one line each."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from lessons.models import Exercise
from tests.factories import SUM_SOLUTION

SOLUTION = SUM_SOLUTION


def card_of(page: Page, exercise: Exercise) -> Locator:
    return page.locator(f"#exercise-{exercise.slug}")


def open_lesson(page: Page, exercise: Exercise) -> Locator:
    """The exercise's card on its lesson page, its editor loaded."""
    page.goto(exercise.lesson.get_absolute_url())
    card = card_of(page, exercise)
    if exercise.kind != "quiz":
        card.scroll_into_view_if_needed()
        expect(editor_of(card)).to_be_visible()
    return card


def editor_of(card: Locator) -> Locator:
    return card.locator(".cm-content").first


def write(card: Locator, text: str) -> None:
    """Replace the shown file's text, as if pasted."""
    editor = editor_of(card)
    editor.click()
    editor.press("ControlOrMeta+a")
    card.page.keyboard.insert_text(text.rstrip("\n"))


def result_of(card: Locator) -> Locator:
    return card.locator("section.result")


def expect_passed(card: Locator) -> None:
    expect(result_of(card)).to_have_attribute("data-verdict", "pass")
    expect(result_of(card)).to_contain_text("통과했어요!")


def expect_failed(card: Locator) -> None:
    expect(result_of(card)).to_have_attribute("data-verdict", "fail")
    expect(result_of(card)).to_contain_text("아직이에요.")


def give_input(card: Locator, text: str) -> None:
    """What 실행 reads; the field is folded away where it is empty."""
    field = card.locator("textarea[name=stdin]")
    if not field.is_visible():
        card.locator("details.stdin summary").click()
    field.fill(text)
