"""What a learner does in a lab, in one line each."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from lessons.models import Exercise


def open_lab(page: Page, exercise: Exercise) -> Locator:
    """Press 실습 시작 in the lesson; the dock, its first terminal connected."""
    page.goto(exercise.lesson.get_absolute_url())
    page.get_by_role("button", name="실습 시작").click()
    return expect_terminal(page)


def expect_terminal(page: Page) -> Locator:
    dock = page.locator("[data-lab][data-live=true]")
    expect(dock.locator(".lab-panel:not([hidden])")).to_have_attribute("data-state", "open")
    return dock


def field_of(page: Page) -> Locator:
    """Where keys go in the shown terminal."""
    return page.locator(".lab-panel:not([hidden]) .xterm-helper-textarea")


def expect_shown(page: Page, text: str) -> None:
    """Some line of the shown terminal has this text."""
    expect(page.locator(".lab-panel:not([hidden]) .xterm-rows > div").filter(has_text=text).first).to_be_visible()


def give_up_soon(page: Page) -> None:
    """Pages opened from now on wait a fifth of a second for an answer, where they set themselves a limit."""
    page.add_init_script("AbortSignal.timeout = (real => () => real.call(AbortSignal, 200))(AbortSignal.timeout)")


def compose(page: Page, *steps: str) -> None:
    """A Korean input method at work: each step is what the unfinished syllable looks like."""
    session = page.context.new_cdp_session(page)
    for text in steps:
        session.send("Input.imeSetComposition", {"text": text, "selectionStart": len(text), "selectionEnd": len(text)})
    session.detach()


def finish(page: Page, text: str) -> None:
    """The input method hands the syllable over, or a text that was never composed."""
    session = page.context.new_cdp_session(page)
    session.send("Input.insertText", {"text": text})
    session.detach()
