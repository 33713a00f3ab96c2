"""The terminal: typing, above all in Korean; pastes, the ways in and out, what comes back after a break."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.labs.conftest import PROMPT
from tests.browser.labs.steps import compose, expect_shown, expect_terminal, field_of, finish, give_up_soon, open_lab

DELETE = "\x7f"


@pytest.fixture
def far(page, lab_exercise, far_of):
    """The far end of an open terminal with a prompt."""
    open_lab(page, lab_exercise)
    expect(field_of(page)).to_be_focused()
    far = far_of(1)
    far.say(PROMPT)
    expect_shown(page, "root@naru:~#")
    return far


def test_keys_arrive_and_what_is_said_is_shown(page, far):
    page.keyboard.type("docker ps\n")
    far.hears("docker ps\r")
    page.keyboard.press("Control+c")
    page.keyboard.press("ArrowUp")
    far.hears("\x03\x1b[A")
    far.say("\r\n가게가 \x1b[38;2;250;120;40m열렸어요\x1b[0m\r\n")
    expect_shown(page, "가게가 열렸어요")


def test_korean_syllables_arrive_whole_and_once(page, far):
    for syllable, steps in {"한": ["ㅎ", "하", "한"], "글": ["ㄱ", "그", "글"]}.items():
        compose(page, *steps)
        finish(page, syllable)
    finish(page, " ")
    far.hears("한글 ")
    far.say("한글")
    wide = page.locator(".xterm-rows > div").first
    expect(wide).to_contain_text("root@naru:~# 한글")


def test_the_syllable_under_way_is_shown_at_the_cursor_and_not_sent(page, far):
    compose(page, "ㅎ", "하", "한")
    shown = page.locator(".composing")
    expect(shown).to_have_text("한")
    screen, box = page.locator(".xterm-screen").bounding_box(), shown.bounding_box()
    assert abs(box["y"] - screen["y"]) < 3  # the first line
    assert box["x"] - screen["x"] > 60  # behind the prompt
    far.hears_nothing(page)
    finish(page, "한")
    expect(shown).to_be_hidden()
    far.hears("한")


def test_backspace_within_a_syllable_takes_letters_and_after_it_syllables(page, far):
    compose(page, "ㅎ", "하", "한", "하")
    finish(page, "하")
    far.hears("하")
    compose(page, "ㅁ", "마", "ㅁ", "")
    far.hears_nothing(page)
    page.keyboard.press("Backspace")
    far.hears(DELETE)


def test_a_final_letter_that_moves_on_to_the_next_syllable_is_not_doubled(page, far):
    compose(page, "ㅎ", "하", "한")
    finish(page, "하")
    compose(page, "나")
    finish(page, "나")
    far.hears("하나")


@pytest.mark.parametrize(
    ("key", "sent"), [("Enter", "\r"), ("ArrowLeft", "\x1b[D"), ("Control+c", "\x03"), ("Tab", "\t"), ("x", "x")]
)
def test_a_key_in_the_middle_of_a_syllable_comes_after_it(page, far, key, sent):
    compose(page, "ㅁ", "마", "말")
    page.keyboard.press(key)
    far.hears("말" + sent)


def test_switching_between_korean_and_english_loses_nothing(page, far):
    page.keyboard.type("echo ")
    compose(page, "ㄴ", "나")
    finish(page, "나")
    page.keyboard.press("Control+Space")  # one of the keys that switch
    page.keyboard.type("ru")
    compose(page, "ㅂ", "배")
    finish(page, "배")
    far.hears("echo 나\x00ru배")


def test_leaving_the_terminal_in_the_middle_of_a_syllable_keeps_it(page, far):
    compose(page, "ㄱ", "가")
    page.get_by_role("button", name="찾기").click()
    far.hears("가")


def test_dictated_text_arrives(page, far):
    finish(page, "말로 한 글")
    far.hears("말로 한 글")


def test_screen_reader_mode_reads_lines_and_sends_keys_once(page, far):
    page.get_by_role("button", name="화면 낭독기").click()
    expect(page.get_by_role("button", name="화면 낭독기")).to_have_attribute("aria-pressed", "true")
    field_of(page).focus()
    page.keyboard.type("ls x")
    compose(page, "ㅎ", "하")
    finish(page, "하")
    page.keyboard.press("Enter")
    far.hears("ls x하\r")
    far.say("\r\n읽을 줄\r\n")
    expect(page.locator(".xterm-accessibility-tree")).to_contain_text("읽을 줄")


def test_pasted_lines_come_in_brackets_and_cannot_leave_them(page, far, context):
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("navigator.clipboard.writeText('echo 가\\necho b\\u001b[201~\\u0003')")
    page.keyboard.press("Control+Shift+V")
    far.hears("\x1b[200~echo 가\recho b[201~\x1b[201~")


def test_a_selection_is_copied_by_its_key(page, far, context):
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    far.say("\x1b[2J\x1b[HCOPYME\r\n")
    expect_shown(page, "COPYME")
    box = page.locator(".xterm-screen").bounding_box()
    page.mouse.dblclick(box["x"] + 15, box["y"] + 10)
    page.keyboard.press("Control+Shift+C")
    expect(page.locator(".lab-note").first).to_have_text("복사했어요")
    assert page.evaluate("navigator.clipboard.readText()") == "COPYME"
    far.hears_nothing(page)


def test_the_way_out_is_said_and_works_both_ways(page, far):
    field = field_of(page)
    help_id = field.get_attribute("aria-describedby")
    expect(page.locator(f"#{help_id}")).to_contain_text("F6")
    expect(page.locator(f"#{help_id}")).to_be_visible()
    page.keyboard.press("Tab")  # belongs to the shell
    expect(field).to_be_focused()
    page.keyboard.press("F6")
    expect(page.get_by_role("button", name="터미널에서 찾기")).to_be_focused()
    page.keyboard.press("F6")
    expect(field).to_be_focused()
    page.keyboard.press("Shift+F6")
    expect(page.get_by_role("tab", name="터미널 1")).to_be_focused()
    far.hears("\t")


def test_search_finds_and_escape_returns(page, far):
    far.say("\r\napple banana apple\r\n")
    expect_shown(page, "banana")
    room = page.locator(".lab-stage").bounding_box()
    page.keyboard.press("Control+Shift+F")
    page.keyboard.type("apple")
    expect(page.locator(".lab-found")).to_have_text("2/2")  # the newest first
    assert page.locator(".lab-stage").bounding_box() == room  # the programs in it keep their size
    page.keyboard.press("Enter")
    expect(page.locator(".lab-found")).to_have_text("1/2")
    field_of(page).focus()
    page.keyboard.press("F6")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.press("Escape")
    expect(field_of(page)).to_be_focused()
    far.hears_nothing(page)


def test_text_size_is_kept_and_tells_the_shell(page, far):
    before = far.shell.sizes[-1]
    for _ in range(4):
        page.get_by_role("button", name="글자 크게").click()
    page.wait_for_function("localStorage.getItem('naru:terminal:size') === '18'")
    page.keyboard.press("F6")
    page.reload()
    expect_terminal(page)
    expect_shown(page, "root@naru:~#")
    assert far.shell.sizes[-1][0] < before[0]


def test_a_narrower_window_resizes_the_shell(page, far):
    before = far.shell.sizes[-1]
    page.set_viewport_size({"width": 1200, "height": 640})
    page.wait_for_function("rows => document.querySelectorAll('.xterm-rows > div').length < rows", arg=before[1])
    page.keyboard.type("x")
    far.hears("x")
    assert far.shell.sizes[-1][1] < before[1]


def test_colours_follow_the_page(page, far):
    colour = "getComputedStyle(document.querySelector('.xterm-rows')).color"
    light = page.evaluate(colour)
    page.locator("[data-theme-form] button").first.click()
    page.wait_for_function(f"light => {colour} !== light", arg=light)


def test_a_reload_shows_what_was_said_before(page, far):
    far.say("\r\n아까 한 말\x1b[6n\r\n")  # and asks where the cursor is
    expect_shown(page, "아까 한 말")
    page.wait_for_timeout(200)
    far.hears("\x1b[2;11R")
    page.reload()
    expect_terminal(page)
    expect_shown(page, "아까 한 말")
    far.hears_nothing(page)  # what is shown again is not answered again


def test_a_lost_connection_comes_back_by_itself_with_the_same_shell(page, far, context, complaints):
    far.say("\r\n끊기기 전\r\n")
    expect_shown(page, "끊기기 전")
    context.set_offline(True)
    page.evaluate("window.dispatchEvent(new Event('offline'))")
    context.set_offline(False)
    expect_terminal(page)
    field_of(page).focus()
    page.keyboard.type("ls")
    far.hears("ls")
    complaints.clear()


def test_a_ticket_that_does_not_come_is_asked_for_again(page, lab_exercise, far_of):
    give_up_soon(page)
    page.route("**/terminals/", lambda route: None, times=1)  # never answered
    open_lab(page, lab_exercise)
    far_of(1).say("이어졌어요")
    expect_shown(page, "이어졌어요")


def test_a_flood_stops_at_the_unacknowledged_and_goes_on(page, far):
    line = b"y" * 78 + b"\r\n"
    total = 3_000_000
    for _ in range(total // (len(line) * 500)):
        far.say(line * 500)
    far.say("\r\nDONE\r\n")
    expect_shown(page, "DONE")
    page.keyboard.press("Control+c")
    far.hears("\x03")


def test_links_of_the_world_are_links_and_of_the_lab_are_not(page, far):
    far.say("\x1b[2J\x1b[Hhttps://docs.docker.com/engine\r\nhttp://localhost:8080/\r\n")
    expect_shown(page, "localhost")
    box = page.locator(".xterm-screen").bounding_box()
    row = page.evaluate("document.querySelector('.xterm-rows > div').getBoundingClientRect().height")
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    for line in (0, 1):
        page.mouse.move(box["x"] + 5, box["y"] + 200)
        page.mouse.move(box["x"] + 40 + line, box["y"] + row * (line + 0.5), steps=3)
        page.wait_for_timeout(150)
        page.mouse.click(box["x"] + 40 + line, box["y"] + row * (line + 0.5))
    assert [message.rsplit("\n", 1)[-1] for message in asked] == ["https://docs.docker.com/engine"]
