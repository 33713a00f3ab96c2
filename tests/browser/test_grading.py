"""Handing in an answer, in place."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from lessons.models import Submission
from lessons.sandbox.errors import EngineUnavailableError
from tests.browser.conftest import open_tab
from tests.browser.steps import (
    SOLUTION,
    card_of,
    editor_of,
    expect_failed,
    expect_passed,
    give_input,
    open_lesson,
    result_of,
    write,
)
from tests.factories import make_learner


def test_grading_answers_in_place_with_rows_for_each_check(page, exercise):
    card = open_lesson(page, exercise)
    address = page.url
    card.get_by_role("button", name="채점").click()
    expect_failed(card)
    assert page.url == address
    row = card.locator("[data-check=adds]")
    expect(row.get_by_role("img", name="실패")).to_be_visible()
    expect(row).to_contain_text("바란 값")
    expect(row).to_contain_text("나왔어요")
    expect(card.locator("[data-check=clean]").get_by_role("img", name="통과")).to_be_visible()


def test_grading_again_after_a_change_passes(page, exercise):
    card = open_lesson(page, exercise)
    card.get_by_role("button", name="채점").click()
    expect_failed(card)
    write(card, SOLUTION)
    card.get_by_role("button", name="채점").click()
    expect_passed(card)
    assert [row.verdict for row in Submission.objects.order_by("queued_at")] == ["fail", "pass"]


def test_verdict_is_announced(page, exercise):
    card = open_lesson(page, exercise)
    card.get_by_role("button", name="채점").click()
    expect(page.locator("[data-announcer]")).to_contain_text("통과하지 못한 확인 항목")


def test_control_enter_in_the_editor_grades(page, exercise):
    card = open_lesson(page, exercise)
    write(card, SOLUTION)
    editor_of(card).press("Control+Enter")
    expect_passed(card)
    assert Submission.objects.get().files["main.py"].strip() == SOLUTION.strip()


def test_double_click_hands_in_once(page, exercise, sandbox):
    sandbox.seconds = 0.5
    card = open_lesson(page, exercise)
    card.get_by_role("button", name="채점").dblclick()
    expect_failed(card)
    assert Submission.objects.count() == 1


def test_the_whole_way_works_by_keyboard_alone(page, exercise):
    open_lesson(page, exercise)
    card = card_of(page, exercise)
    page.evaluate("scrollTo(0, 0)")
    for _step in range(60):
        page.keyboard.press("Tab")
        if editor_of(card).evaluate("element => element.contains(document.activeElement)"):
            break
    expect(editor_of(card)).to_be_focused()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.insert_text(SOLUTION.rstrip("\n"))
    page.keyboard.press("Escape")
    expect(editor_of(card)).not_to_be_focused()
    expect(card.get_by_role("button", name="채점")).to_be_focused()
    page.keyboard.press("Enter")
    expect_passed(card)


def test_skip_link_leads_to_the_text(page, exercise):
    page.goto(exercise.lesson.get_absolute_url())
    page.keyboard.press("Tab")
    link = page.get_by_role("link", name="본문으로 건너뛰기")
    expect(link).to_be_focused()
    expect(link).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"#main$"))


def test_slow_answer_shows_elapsed_time_and_then_its_verdict(page, exercise, sandbox):
    sandbox.seconds = 2.5
    card = open_lesson(page, exercise)
    card.get_by_role("button", name="채점").click()
    expect(result_of(card)).to_contain_text("채점하고 있어요.")
    expect(card.locator("[data-elapsed]")).to_contain_text(re.compile(r"[12]초"))
    expect_failed(card)
    expect(card.get_by_role("button", name="채점")).to_be_enabled()


def test_answer_is_found_again_after_a_reload_in_the_middle(page, exercise, sandbox):
    sandbox.seconds = 2.0
    card = open_lesson(page, exercise)
    card.get_by_role("button", name="채점").click()
    expect(result_of(card)).to_contain_text("채점하고 있어요.")
    page.reload()
    expect_failed(card)
    assert Submission.objects.count() == 1


def test_run_shows_output_of_the_learners_own_input_and_is_not_graded(page, exercise):
    card = open_lesson(page, exercise)
    write(card, SOLUTION)
    give_input(card, "20 22\n")
    card.get_by_role("button", name="실행", exact=True).click()
    expect(card.locator("details.output pre").first).to_be_visible()
    expect(result_of(card)).to_contain_text("42")
    expect(card.locator(".terminal.error")).to_contain_text("보기")
    assert [row.graded for row in Submission.objects.all()] == [False]


def test_fault_of_ours_is_told_as_ours_and_can_be_retried(page, exercise, sandbox):
    sandbox.down = EngineUnavailableError("gone")
    card = open_lesson(page, exercise)
    write(card, SOLUTION)
    card.get_by_role("button", name="채점").click()
    expect(result_of(card)).to_contain_text("채점 서버에 문제가 생겼어요.")
    expect(result_of(card)).to_contain_text("시도 횟수는 줄지 않았고")
    sandbox.down = None
    card.get_by_role("button", name="다시 채점").click()
    expect_passed(card)
    assert Submission.objects.count() == 1


def test_lost_network_is_told_in_place_and_keeps_the_answer(page, context, exercise, complaints):
    card = open_lesson(page, exercise)
    write(card, SOLUTION)
    context.set_offline(True)
    card.get_by_role("button", name="채점").click()
    expect(card).to_contain_text("네트워크를 확인하고")
    context.set_offline(False)
    complaints.clear()
    expect(editor_of(card)).to_contain_text("a + b")
    card.get_by_role("button", name="채점").click()
    expect_passed(card)


def test_refused_answer_says_why_in_place(page, exercise, complaints):
    card = open_lesson(page, exercise)
    write(card, "# " + "가" * 30_000)
    card.get_by_role("button", name="채점").click()
    expect(card.get_by_role("alert")).to_contain_text("64 KB")
    assert Submission.objects.count() == 0
    complaints.clear()  # the browser reports each 422 itself


def test_too_many_answers_are_refused_in_words(page, exercise, settings, complaints):
    settings.SUBMISSIONS_PER_MINUTE = 1
    card = open_lesson(page, exercise)
    card.get_by_role("button", name="채점").click()
    expect_failed(card)
    card.get_by_role("button", name="채점").click()
    expect(card.get_by_role("alert")).to_contain_text("1분에 1번까지")
    complaints.clear()  # the browser reports each 429 itself


def test_old_attempt_comes_back_into_the_editor(page, exercise):
    card = open_lesson(page, exercise)
    write(card, "print('첫 답')")
    card.get_by_role("button", name="채점").click()
    expect_failed(card)
    write(card, SOLUTION)
    card.get_by_role("button", name="채점").click()
    expect_passed(card)
    result_of(card).get_by_role("link", name="지난 시도").click()
    rows = page.locator("ol.history > li")
    expect(rows).to_have_count(2)
    rows.nth(1).get_by_role("link", name="되살리기").click()
    expect(editor_of(card_of(page, exercise))).to_contain_text("첫 답")


def test_guest_may_try_at_once_and_keeps_the_work_at_login(context, exercise, complaints):
    make_learner("jiwoo")
    page = open_tab(context, complaints)
    card = open_lesson(page, exercise)
    write(card, SOLUTION)
    card.get_by_role("button", name="채점").click()
    expect_passed(card)
    page.goto("/login/?next=/me/")
    page.get_by_label("사용자 이름").fill("jiwoo")
    page.get_by_label("비밀번호").fill("secret")
    page.get_by_role("main").get_by_role("button", name="로그인").click()
    expect(page.get_by_role("heading", name="내 학습")).to_be_visible()
    expect(page.locator("ol.history > li")).to_have_count(1)
    assert Submission.objects.get().learner.username == "jiwoo"


def test_contents_mark_the_part_that_is_being_read(page, exercise):
    page.goto(exercise.lesson.get_absolute_url())
    page.locator("nav.toc a[href='#start']").click()
    expect(page.locator("nav.toc [aria-current]")).to_have_text("시작")
