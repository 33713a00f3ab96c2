"""A learner types Korean into a real lab in a real browser, and is graded on what its engine says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from lessons.sandbox import Sandbox
from lessons.services import dispatch, grading, sandboxes
from tests.browser.labs.steps import compose, expect_shown, expect_terminal, finish, open_lab
from tests.sandbox.running import lab_sandbox


@pytest.fixture
def sandbox(chromium, transactional_db, settings, monkeypatch, engine_socket, tmp_path) -> Iterator[Sandbox]:
    settings.GUESTS = True
    settings.SUBMISSIONS_PER_MINUTE = 1000
    with lab_sandbox(engine_socket, tmp_path) as real:
        monkeypatch.setattr(sandboxes, "_sandbox", real)
        dispatch.start(grade=grading.grade_submission)
        yield real
        dispatch.stop()


def test_a_learner_works_in_korean_with_real_containers(page, lab_exercise):
    open_lab(page, lab_exercise)
    expect_shown(page, "root@")

    page.keyboard.type("docker run --rm busybox:1.37 echo ")
    for syllable, steps in {"나": ["ㄴ", "나"], "루": ["ㄹ", "루"]}.items():
        compose(page, *steps)
        finish(page, syllable)
    page.keyboard.type(" | cat -A\n")
    expect_shown(page, "M-kM-^BM-^XM-kM-#M-(")  # the bytes of 나루, once

    page.keyboard.type(
        "clear; docker run -d --name web busybox:1.37 sleep 1d; docker stop -t 1 web; docker start web\n"
    )
    expect(page.locator("[data-lab-checks] [data-check=runs]")).to_have_attribute("data-tone", "ok")
    page.keyboard.type("clear; docker run -d --name web busybox:1.37\n")
    expect(page.locator("[data-explain]")).to_contain_text("이름")

    page.keyboard.type("vi note\n")
    expect_shown(page, "0,0-1")  # where its cursor is; its first words go when it draws anew
    page.get_by_role("button", name="나 갇혔어요").click()
    expect(page.locator(".lab-note")).to_contain_text("셸로 돌아왔어요")
    page.keyboard.type("clear; echo 안녕 > note; cat note\n")
    expect_shown(page, "안녕")
    page.reload()
    expect_terminal(page)
    expect_shown(page, "root@")
    page.get_by_role("button", name="채점", exact=False).first.click()
    expect(page.locator("section.result")).to_have_attribute("data-verdict", "pass")


def test_two_terminals_are_two_shells_of_one_machine(page, lab_exercise):
    open_lab(page, lab_exercise)
    expect_shown(page, "root@")
    page.keyboard.type("echo one > /tmp/shared; tty\n")
    expect_shown(page, "/dev/pts/")
    page.get_by_role("button", name="터미널 하나 더").click()
    expect_terminal(page)
    expect_shown(page, "root@")
    page.keyboard.type("clear; cat /tmp/shared; stty size\n")
    expect_shown(page, "one")
