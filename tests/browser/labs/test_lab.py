"""A lab beside its page: start, tabs, what ticks and warns, the end and a new one."""

from __future__ import annotations

import datetime
import time

import pytest
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from lessons import notify
from lessons.contracts import LabShape
from lessons.models import LabSession
from tests.browser.labs.conftest import PATIENCE, PROMPT
from tests.browser.labs.steps import expect_shown, expect_terminal, field_of, give_up_soon, open_lab
from tests.factories import make_lab

BRACKETED = "\x1b[200~{}\x1b[201~"


@pytest.fixture
def dock(page, lab_exercise):
    return open_lab(page, lab_exercise)


def test_start_opens_a_terminal_that_has_the_keyboard(page, dock, far_of):
    expect(field_of(page)).to_be_focused()
    far_of(1).say(PROMPT)
    expect_shown(page, "root@naru:~#")
    assert LabSession.objects.get().is_live
    expect(page.locator("[data-lab-card]")).to_have_attribute("data-state", "open")


def test_reload_finds_the_lab_again(page, dock):
    page.reload()
    expect_terminal(page)
    assert LabSession.objects.count() == 1


def test_commands_of_the_lesson_are_put_on_the_line_and_not_run(page, dock, far_of):
    far = far_of(1)
    far.say(PROMPT)
    expect_shown(page, "root@naru:~#")
    page.get_by_role("button", name="터미널에 넣기: docker ps").click()
    far.hears(BRACKETED.format("docker ps"))
    expect(field_of(page)).to_be_focused()
    page.get_by_role("button", name="터미널에 넣기: docker run -d").click()
    far.hears(BRACKETED.format("docker run -d \\\r--name web nginx:1.28"))


def test_a_program_that_knows_no_pastes_gets_the_first_line_alone(page, dock, far_of):
    far = far_of(1)
    far.say("\x1b[?2004l>>> ")
    expect_shown(page, ">>>")
    page.get_by_role("button", name="터미널에 넣기: docker run -d").click()
    far.hears("docker run -d \\")
    expect(page.locator(".lab-note").first).to_contain_text("첫 줄만")


def test_without_a_lab_commands_have_no_such_button_and_copies_stay_clean(page, lab_exercise, context):
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(lab_exercise.lesson.get_absolute_url())
    expect(page.get_by_role("button", name="실습 시작")).to_be_visible()
    expect(page.locator(".insert")).to_have_count(0)
    open_lab(page, lab_exercise)
    page.locator(".prose pre").first.hover()
    page.get_by_role("button", name="코드 복사").first.click()
    page.wait_for_function("navigator.clipboard.readText().then(t => t.includes('docker ps'))")
    assert "넣기" not in page.evaluate("navigator.clipboard.readText()")


def test_terminals_are_added_up_to_four_and_closed_to_one(page, dock, far_of):
    adder = page.get_by_role("button", name="터미널 하나 더")
    for number in (2, 3, 4):
        adder.click()
        expect_terminal(page)
        far_of(number).say(f"shell {number}")
        expect_shown(page, f"shell {number}")
    expect(adder).to_be_hidden()
    page.get_by_role("tab", name="터미널 4").press("ArrowRight")
    expect(page.get_by_role("tab", name="터미널 1")).to_be_focused()
    expect(page.get_by_role("tab", name="터미널 1")).to_have_attribute("aria-selected", "true")
    for number in (4, 3, 2):
        page.get_by_role("button", name=f"터미널 {number} 닫기").click()
    expect(page.get_by_role("tab")).to_have_count(1)
    expect(page.get_by_role("button", name="터미널 1 닫기")).to_be_hidden()


def test_stuck_frees_the_shell_and_clears_what_the_program_left(page, dock, far_of):
    far = far_of(1)
    far.say("\x1b[?1049h\x1b[2J\x1b[H\x1b[?1000h~ 편집기")
    expect_shown(page, "편집기")
    page.get_by_role("button", name="나 갇혔어요").click()
    expect(page.locator(".xterm-rows")).not_to_contain_text("편집기")
    expect(page.locator(".lab-note").first).to_be_visible()
    expect(field_of(page)).to_be_focused()
    assert far.shell.freed == 1


def test_stuck_that_hangs_says_so_and_can_be_pressed_again(page, lab_exercise, far_of):
    give_up_soon(page)
    page.route("**/free/", lambda route: None, times=1)  # never answered
    open_lab(page, lab_exercise)
    stuck = page.get_by_role("button", name="나 갇혔어요")
    stuck.click()
    expect(page.locator(".lab-note").first).to_contain_text("돌아오지 못했어요")
    expect(stuck).not_to_have_attribute("aria-disabled", "true")
    stuck.click()
    expect(page.locator(".lab-note").first).not_to_contain_text("돌아오지 못했어요")
    assert far_of(1).shell.freed == 1


def test_ticks_arrive_by_themselves_and_leave_the_terminal_alone(page, dock, far_of):
    far_of(1).say("여기 있어요")
    expect_shown(page, "여기 있어요")
    expect(page.locator("[data-lab-score]")).to_have_text("0/3")
    lab = LabSession.objects.get()
    lab.results = [{"id": "runs", "passed": True}]
    lab.latched = {"died": {"id": "died", "passed": True}}
    lab.save(update_fields=["results", "latched"])
    page.locator(".lab-screen").evaluate("screen => (screen.mine = true)")
    notify.lab_changed(lab.pk)
    expect(page.locator("[data-lab-score]")).not_to_have_text("0/3")
    expect(page.locator("[data-announcer]")).to_contain_text("확인 항목")
    assert page.locator(".lab-screen").evaluate("screen => screen.mine") is True
    expect_shown(page, "여기 있어요")


ERROR = (
    "docker: Error response from daemon: "
    'Conflict. The container name "/web" is already in use by container "a41f0c2b77de".\r\n'
)


def test_an_error_of_docker_is_explained_over_the_terminal(page, dock, far_of):
    far_of(1).say(ERROR)
    card = page.locator("[data-explain]")
    expect(card).to_be_visible()
    expect(card.locator("b").first).not_to_be_empty()
    card.get_by_role("button", name="닫기").click()
    expect(card).to_be_hidden()


# Both at once, for a terminal draws its lines, and with them the cursor, anew at any time.
BESIDE_THE_PROMPT = """() => {
    const place = (one) => document.querySelector(one)?.getBoundingClientRect();
    const [prompt, card] = [place(".xterm-cursor"), place("[data-explain]")];
    return prompt && prompt.height && (prompt.bottom <= card.top || prompt.top >= card.bottom);
}"""


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844)])
def test_an_explanation_takes_no_room_and_hides_no_prompt(page, dock, far_of, width, height):
    """A terminal of another size makes a full-screen program draw anew, without what it has just said."""
    page.set_viewport_size({"width": width, "height": height})
    far, stage, card = far_of(1), page.locator(".lab-stage"), page.locator("[data-explain]")
    room = stage.bounding_box()
    for before in ("", "위의 줄\r\n" * 60, "\x1b[2J\x1b[H"):
        far.say(before.encode() + ERROR.encode() + PROMPT)
        expect(card).to_be_visible()
        expect(card).to_have_attribute("data-side", "top") if "줄" in before else expect_shown(page, "root@naru:~#")
        page.wait_for_function(BESIDE_THE_PROMPT)
        assert card.bounding_box()["y"] >= room["y"]
        assert stage.bounding_box() == room


def test_what_an_error_holds_is_shown_as_plain_text(page, dock, far_of):
    name = "<img src=x onerror=alert(1)>"
    far_of(1).say(f'docker: Error response from daemon: Conflict. The container name "/{name}" is already in use\r\n')
    page.wait_for_timeout(500)
    expect(page.locator("[data-explain] img")).to_have_count(0)


def test_time_ticks_and_is_prolonged_without_touching_the_terminal(page, dock, far_of):
    clock = page.locator("[data-countdown]")
    first = clock.inner_text()
    expect(clock).not_to_have_text(first)
    LabSession.objects.update(expires_at=timezone.now() + datetime.timedelta(minutes=4))
    notify.lab_changed(LabSession.objects.get().pk)
    expect(page.locator("[data-lab-warning]")).to_contain_text("늘리기")
    expect(clock).to_have_class("short")
    page.locator("[data-lab-extend] button").click()
    expect(clock).not_to_have_class("short")
    expect(page.locator(".lab-panel")).to_have_attribute("data-state", "open")


def test_a_lab_that_dies_says_so_and_a_new_one_is_a_press_away(page, dock, far_of, sandbox):
    far_of(1).say("그때까지 한 일\r\n")
    expect_shown(page, "그때까지 한 일")
    sandbox.labs["lab0"].kill()
    note = page.locator(".lab-note").first
    expect(note.get_by_role("button", name="새 실습 시작")).to_be_visible(timeout=20_000)
    expect_shown(page, "그때까지 한 일")
    expect(page.locator(".insert").first).to_be_hidden()
    note.get_by_role("button", name="새 실습 시작").click()
    expect_terminal(page)
    expect(page.locator(".xterm-rows")).not_to_contain_text("그때까지")
    assert LabSession.objects.count() == 2


def test_a_shell_that_was_left_opens_again(page, dock, far_of):
    far_of(1).exit()
    page.get_by_role("button", name="다시 열기").click()
    expect_terminal(page)
    far_of(1).say("새 셸")
    expect_shown(page, "새 셸")


def test_reset_asks_and_begins_anew(page, dock, far_of):
    far_of(1).say("지울 것")
    expect_shown(page, "지울 것")
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator("[data-lab-reset] button").click()
    expect(page.locator(".xterm-rows")).not_to_contain_text("지울 것")
    expect_terminal(page)
    assert [lab.is_open for lab in LabSession.objects.order_by("requested_at")] == [False, True]


class Held:
    """Answers to one address, held back until the test lets them go; further ones pass."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self._held, self._gone = page, [], False
        page.route(address, self._take)

    def _take(self, route: Route) -> None:
        if self._gone:
            route.continue_()
        else:
            self._held.append((route, route.fetch()))

    def wait(self) -> None:
        until = time.monotonic() + PATIENCE
        while not self._held:
            assert time.monotonic() < until
            self.page.wait_for_timeout(20)

    def let_go(self) -> None:
        self._gone = True
        for route, answer in self._held:
            with self.page.expect_response(route.request.url):
                route.fulfill(response=answer)


def test_answer_about_the_old_lab_that_comes_after_the_new_one_is_dropped(page, dock, complaints):
    head, reset = Held(page, "**/labs/*/head/"), Held(page, "**/labs/*/reset/")
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator("[data-lab-reset] button").click()
    reset.wait()
    head.wait()  # of a lab that is over by now
    reset.let_go()
    expect_terminal(page)
    head.let_go()
    expect_terminal(page)
    expect(page.locator("[data-lab-card]")).to_have_attribute("data-state", "open")
    assert complaints == []


def test_answer_to_a_press_counts_when_the_button_was_swapped_away_meanwhile(page, dock, complaints):
    reset = Held(page, "**/labs/*/reset/")
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator("[data-lab-reset] button").click()
    reset.wait()
    # The old lab is over, and its page hears of it: the head that comes has no such button.
    expect(page.locator("[data-lab-reset]")).to_have_count(0)
    reset.let_go()
    expect_terminal(page)
    expect(page.locator("[data-lab-card]")).to_have_attribute("data-state", "open")
    assert LabSession.objects.count() == 2
    assert complaints == []


def test_end_gives_the_page_its_width_back(page, dock):
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator("[data-lab-end] button").click()
    page.locator("[data-lab] [data-lab-close]").click()
    expect(page.locator("[data-lab]")).to_have_count(0)
    expect(page.locator("body.with-lab")).to_have_count(0)


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1024, 768), (390, 844)])
def test_the_dock_fits_the_window(page, lab_exercise, width, height):
    page.set_viewport_size({"width": width, "height": height})
    open_lab(page, lab_exercise)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    stage = page.locator(".lab-stage").bounding_box()
    assert stage["width"] >= min(width, 420)
    assert stage["height"] >= 110
    for button in page.locator(".lab button:visible").all():
        box = button.bounding_box()
        assert box["x"] >= 0, button.inner_text()
        assert box["x"] + box["width"] <= width + 1, button.inner_text()
    if width < 1180:
        page.get_by_role("button", name="화면 가득").click()
        page.wait_for_function("height => document.querySelector('.lab').clientHeight > height * 0.95", arg=height)
        page.get_by_role("button", name="작게", exact=True).click()
        page.get_by_role("button", name="실습 접기").click()
        expect(page.locator(".lab-stage")).to_be_hidden()
        page.get_by_role("button", name="실습 펼치기").click()
        expect(page.locator(".lab-stage")).to_be_visible()


def test_a_lab_of_two_hosts_opens_a_terminal_on_each(page, lab_exercise, learner, sandbox, far_of):
    container = sandbox.open_lab(LabShape("docker", ("laptop", "server")), owner="x", lifetime=600)
    shape = {"environment": "docker", "engines": ["laptop", "server"], "memory_mb": 512}
    make_lab(learner, lab_exercise, container=container.id, shape=shape)
    page.goto(lab_exercise.lesson.get_absolute_url())
    expect_terminal(page)
    expect(page.get_by_role("tab")).to_have_text(["laptop", "server"])
    far_of(2).say("root@server:~# ")
    page.get_by_role("tab", name="server").click()
    expect_shown(page, "root@server")
    assert [shell.host for shell in sorted(container.shells, key=lambda shell: shell.number)] == ["laptop", "server"]
