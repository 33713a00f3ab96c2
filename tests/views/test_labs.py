"""Cards, docks, heads and ticks: what a learner sees of a lab, and what each press does."""

from __future__ import annotations

import datetime
import json
import re
import uuid

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from lessons.models import LabReason, LabSession, LabState, Submission, TerminalTicket
from lessons.sandbox import EngineUnavailableError, Progress
from lessons.services import sandboxes
from tests.factories import make_exercise, make_finished, make_lab, make_lab_exercise, make_lesson
from tests.fakes import FakeSandbox

HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture(autouse=True)
def sandbox(monkeypatch) -> FakeSandbox:
    cache.clear()
    found = FakeSandbox()
    monkeypatch.setattr(sandboxes, "_sandbox", found)
    return found


@pytest.fixture
def exercise(db):
    return make_lab_exercise(slug="containers")


@pytest.fixture
def start_url(exercise) -> str:
    return reverse("exercise-lab", args=[exercise.course.slug, exercise.slug])


def text_of(response) -> str:
    return response.content.decode()


def tone_of(response) -> str:
    return re.search(r'data-lab-head data-tone="(\w+)"', text_of(response))[1]


def card_of(response) -> str:
    return re.search(r'data-lab-card data-state="(\w+)"', text_of(response))[1]


def test_the_page_of_a_lab_offers_to_start_and_says_what_it_is(browser, exercise):
    page = browser.get(exercise.get_absolute_url())
    text = text_of(page)
    assert card_of(page) == "start"
    assert "실습 시작" in text
    assert "메모리 512 MB" in text
    assert "바깥 인터넷에는 닿지 않아요" in text
    assert "/root/work" in text
    assert 'data-lab-id="' not in text
    assert 'name="file:' not in text


def test_a_start_gives_a_place_in_the_queue_and_brings_the_card_along(browser, exercise, start_url):
    reply = browser.post(start_url, **HTMX)
    lab = LabSession.objects.get()
    assert (lab.state, lab.learner.username) == (LabState.REQUESTED, "owner")
    assert tone_of(reply) == "waiting"
    assert card_of(reply) == "open"
    assert f'hx-get="{reverse("lab", args=[lab.pk])}" hx-trigger="load delay:1500ms"' in text_of(reply)
    assert 'hx-swap-oob="true"' in text_of(reply)
    assert "data-terminals>" not in text_of(reply)


def test_a_start_without_script_leads_to_the_labs_page(browser, start_url):
    reply = browser.post(start_url)
    assert reply.url == reverse("lab", args=[LabSession.objects.get().pk])
    page = browser.get(reply.url)
    assert (page.status_code, tone_of(page)) == (200, "waiting")
    assert "<!doctype html>" in text_of(page)


def test_a_place_in_the_queue_is_told(browser, exercise, owner, start_url):
    for _ in range(2):
        make_lab(state="requested")
    reply = browser.post(start_url, **HTMX)
    assert "앞에 2명이 있어요" in text_of(reply)


@pytest.mark.parametrize(
    ("state", "tone", "polls", "words"),
    [
        ("requested", "waiting", True, "다음 차례예요"),
        ("placed", "preparing", True, "준비하고 있어요"),
        ("ready", "live", False, "실습 중이에요"),
        ("idle", "paused", False, "글자를 쓰면"),
        ("ended", "over", False, "실습이 끝났어요"),
        ("failed", "broken", False, "시도 횟수는 줄지 않았고"),
    ],
)
def test_each_state_has_its_words_and_only_waiting_asks_again(browser, owner, exercise, state, tone, polls, words):
    reason = {"ended": LabReason.HARD, "failed": LabReason.GONE}.get(state, "")
    lab = make_lab(owner, exercise, state=state, reason=reason)
    reply = browser.get(reverse("lab", args=[lab.pk]), **HTMX)
    text = text_of(reply)
    assert tone_of(reply) == tone
    assert words in text
    assert ('hx-trigger="load delay' in text) is polls
    assert ("data-terminals " in text) is (state in ("ready", "idle"))
    assert ("새 실습 시작" in text) is (state in ("ended", "failed"))
    if reason:
        assert str(reason.label) in text


def test_a_live_lab_has_its_terminals_ticks_and_buttons(browser, owner, exercise):
    lab = make_lab(owner, exercise)
    text = text_of(browser.get(reverse("lab", args=[lab.pk]), **HTMX))
    assert re.findall(r'data-number="(\d)" data-label="([^"]+)"', text) == [
        (str(number), f"터미널 {number}") for number in range(1, 5)
    ]
    assert 'data-open-at-first="1"' in text
    assert 'data-live="true"' in text
    for name in ("data-lab-extend", "data-lab-reset", "data-lab-end", "data-explain", "data-csrf"):
        assert name in text
    assert re.findall(r'data-check="(\w+)" data-tone="(\w+)"', text) == [
        ("runs", "open"),
        ("died", "open"),
        ("note", "open"),
    ]


def test_a_lab_of_two_hosts_names_its_terminals_after_them(browser, owner, exercise):
    shape = {"environment": "docker", "engines": ["laptop", "server"], "memory_mb": 768}
    lab = make_lab(owner, exercise, shape=shape)
    text = text_of(browser.get(reverse("lab", args=[lab.pk]), **HTMX))
    assert re.findall(r'data-label="([^"]+)"', text) == ["laptop", "server", "laptop 2", "server 2"]
    assert 'data-open-at-first="2"' in text


def test_ticks_follow_the_last_look_and_what_was_latched(browser, owner, exercise):
    results = [{"id": "runs", "title": "web이 실행 중", "passed": True}, {"id": "died", "title": "x", "passed": False}]
    latched = {"died": {"id": "died", "title": "web이 멈춘 적 있음", "passed": True, "latched": True}}
    lab = make_lab(owner, exercise, results=results, latched=latched, results_at=timezone.now())
    text = text_of(browser.get(reverse("lab-checks", args=[lab.pk]), **HTMX))
    assert re.findall(r'data-check="(\w+)" data-tone="(\w+)"', text) == [
        ("runs", "ok"),
        ("died", "ok"),
        ("note", "later"),
    ]
    assert 'data-done="2" data-total="3"' in text
    assert "3개 가운데 2개를 했어요" in text


def test_the_countdown_is_of_the_whole_time_until_idling_is_near(browser, owner, exercise):
    now = timezone.now()
    lab = make_lab(owner, exercise, expires_at=now + datetime.timedelta(minutes=50))
    head = reverse("lab-head", args=[lab.pk])
    seconds = int(re.search(r'data-seconds="(\d+)"', text_of(browser.get(head, **HTMX)))[1])
    assert 2900 < seconds <= 3000
    LabSession.objects.update(used_at=now - datetime.timedelta(minutes=17))
    text = text_of(browser.get(head, **HTMX))
    assert int(re.search(r'data-seconds="(\d+)"', text)[1]) <= 180
    assert "더 쓰지 않으면" in text


def test_extending_moves_the_end_as_often_as_may_be(browser, owner, exercise):
    lab = make_lab(owner, exercise)
    url = reverse("lab-extend", args=[lab.pk])
    before = lab.expires_at
    for _ in range(2):
        assert browser.post(url, **HTMX).status_code == 200
    lab.refresh_from_db()
    assert lab.expires_at - before == datetime.timedelta(minutes=60)
    text = text_of(browser.post(url, **HTMX))
    assert "늘릴 수 있는 만큼 다 늘렸어요" in text
    assert "data-lab-extend" not in text


def test_ending_says_so_and_offers_a_new_one(browser, owner, exercise):
    lab = make_lab(owner, exercise)
    reply = browser.post(reverse("lab-end", args=[lab.pk]), **HTMX)
    lab.refresh_from_db()
    assert (lab.state, lab.reason) == (LabState.ENDED, LabReason.LEARNER)
    assert (tone_of(reply), card_of(reply)) == ("over", "start")
    assert "새 실습 시작" in text_of(reply)


def test_reset_gives_another_lab_in_its_place(browser, owner, exercise):
    lab = make_lab(owner, exercise)
    reply = browser.post(reverse("lab-reset", args=[lab.pk]), **HTMX)
    fresh = LabSession.objects.open().get()
    assert fresh.pk != lab.pk
    assert (tone_of(reply), f'id="lab-{fresh.pk}"' in text_of(reply)) == ("waiting", True)
    again = browser.post(reverse("lab-reset", args=[lab.pk]), **HTMX)
    assert tone_of(again) == "over"
    assert LabSession.objects.open().get() == fresh


def test_while_the_image_is_being_built_the_card_says_how_far(browser, exercise, start_url, sandbox):
    sandbox.progresses["docker"] = Progress("building", 37, "실습 환경을 만들고 있어요. 처음 한 번만 몇 분 걸려요.")
    page = browser.get(exercise.get_absolute_url())
    assert card_of(page) == "building"
    assert '<progress max="100" value="37"' in text_of(page)
    refused = browser.post(start_url, **HTMX)
    assert (refused.status_code, refused["HX-Retarget"], refused["HX-Reswap"]) == (
        422,
        "#exercise-containers-lab",
        "outerHTML",
    )
    poll = browser.get(start_url, **HTMX)
    assert 'hx-trigger="load delay:2000ms"' in text_of(poll)
    sandbox.progresses.clear()
    assert card_of(browser.get(start_url, **HTMX)) == "start"


def test_an_engine_that_does_not_answer_takes_only_the_lab_away(browser, exercise, start_url, sandbox, monkeypatch):
    def fail(environment):
        raise EngineUnavailableError("gone")

    monkeypatch.setattr(sandbox, "progress", fail)
    page = browser.get(exercise.get_absolute_url())
    assert (page.status_code, card_of(page)) == (200, "down")
    assert browser.post(start_url, **HTMX).status_code == 422
    assert browser.post(start_url).status_code == 429
    assert not LabSession.objects.exists()


def test_a_lab_elsewhere_is_named_and_may_be_ended_for_this_one(browser, owner, exercise, start_url):
    other = make_lab(owner, make_lab_exercise(title="네트워크 실습"))
    refused = browser.post(start_url, **HTMX)
    assert (refused.status_code, card_of(refused)) == (422, "elsewhere")
    assert "네트워크 실습" in text_of(refused)
    assert other.exercise.get_absolute_url() in text_of(refused)
    reply = browser.post(start_url, {"instead": "1"}, **HTMX)
    other.refresh_from_db()
    assert (other.state, tone_of(reply)) == (LabState.ENDED, "waiting")


def test_a_page_shows_the_dock_of_its_own_open_lab_only(browser, owner):
    lesson = make_lesson()
    here, there = make_lab_exercise(lesson), make_lab_exercise(lesson)
    lab = make_lab(owner, here)
    page = browser.get(lesson.get_absolute_url())
    assert text_of(page).count('data-lab-id="') == 1
    assert re.findall(r'data-lab-card data-state="(\w+)"', text_of(page)) == ["open", "elsewhere"]
    assert f'id="lab-{lab.pk}"' in text_of(browser.get(here.get_absolute_url()))
    assert 'data-lab-id="' not in text_of(browser.get(there.get_absolute_url()))


@pytest.mark.parametrize("count", [1, 3])
def test_labs_on_a_page_cost_one_query_however_many(browser, owner, count, django_assert_max_num_queries):
    lesson = make_lesson()
    exercises = [make_lab_exercise(lesson) for _ in range(count)]
    make_lab(owner, exercises[0])
    browser.get(lesson.get_absolute_url())
    with django_assert_max_num_queries(14):
        assert browser.get(lesson.get_absolute_url()).status_code == 200


def test_nobody_sees_or_touches_the_lab_of_another(browsers, owner, exercise):
    lab = make_lab(owner, exercise)
    for name in ("stranger", "instructor"):
        for view in ("lab", "lab-head", "lab-checks"):
            assert browsers[name].get(reverse(view, args=[lab.pk]), **HTMX).status_code == 404
        for view in ("lab-extend", "lab-end", "lab-reset", "terminals"):
            assert browsers[name].post(reverse(view, args=[lab.pk]), **HTMX).status_code == 404
        assert browsers[name].post(reverse("terminal-free", args=[lab.pk, 1])).status_code == 404
    assert browsers["nobody"].post(reverse("lab-end", args=[lab.pk])).status_code == 404
    assert browsers["nobody"].get(reverse("lab", args=[lab.pk])).url.startswith("/login/")
    lab.refresh_from_db()
    assert (lab.state, lab.extensions) == (LabState.READY, 0)
    assert browsers["owner"].get(reverse("lab", args=[uuid.uuid4()])).status_code == 404


@pytest.mark.parametrize("view", ["lab-extend", "lab-end", "lab-reset", "terminals"])
def test_changing_needs_a_post_with_a_token(view, owner, exercise):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(owner)
    lab = make_lab(owner, exercise)
    url = reverse(view, args=[lab.pk])
    assert (strict.get(url).status_code, strict.post(url).status_code) == (405, 403)


def test_a_ticket_is_given_for_a_terminal_that_there_is(browser, owner, exercise):
    lab = make_lab(owner, exercise)
    url = reverse("terminals", args=[lab.pk])
    given = json.loads(browser.post(url, {"number": "2"}).content)["url"]
    assert re.fullmatch(rf"/ws/labs/{lab.pk}/terminals/2/\?ticket=[\w-]{{43}}", given)
    for number in ("0", "5", "-1", "x", "", "1e3", "٣", "9" * 50):
        refused = browser.post(url, {"number": number})
        assert (refused.status_code, list(json.loads(refused.content))) == (409, ["message"])
    assert TerminalTicket.objects.count() == 1


def test_a_lab_that_is_over_gives_no_ticket(browser, owner, exercise):
    lab = make_lab(owner, exercise, state="ended")
    refused = browser.post(reverse("terminals", args=[lab.pk]), {"number": "1"})
    assert (refused.status_code, "새 실습" in json.loads(refused.content)["message"]) == (409, True)


def test_free_without_a_terminal_says_so(browser, owner, exercise):
    lab = make_lab(owner, exercise)
    refused = browser.post(reverse("terminal-free", args=[lab.pk, 1]))
    assert (refused.status_code, "열려 있지 않아요" in json.loads(refused.content)["message"]) == (409, True)


def test_who_is_not_logged_in_is_asked_to_where_guests_are_not_allowed(browsers, exercise, start_url, settings):
    settings.GUESTS = False
    nobody = browsers["nobody"]
    page = nobody.get(exercise.get_absolute_url())
    assert (card_of(page), "로그인하고 실습하기" in text_of(page)) == ("login", True)
    reply = nobody.post(start_url, **HTMX)
    assert (reply.status_code, reply["HX-Redirect"].startswith("/login/")) == (204, True)


def test_a_guest_is_made_for_the_first_lab_where_guests_are_allowed(browsers, start_url):
    reply = browsers["nobody"].post(start_url, **HTMX)
    assert (reply.status_code, LabSession.objects.get().learner.is_guest) == (200, True)


def test_no_lab_for_an_exercise_that_is_none(browser):
    run = make_exercise()
    assert browser.post(reverse("exercise-lab", args=[run.course.slug, run.slug])).status_code == 404


def test_grading_without_a_lab_says_to_start_one(browser, exercise):
    reply = browser.post(
        reverse("submissions", args=[exercise.course.slug, exercise.slug]), {"action": "grade"}, **HTMX
    )
    assert (reply.status_code, "먼저 실습을 시작하고" in text_of(reply)) == (429, True)


def test_grading_a_lab_takes_no_files(browser, owner, exercise, no_verdict_yet):
    make_lab(owner, exercise, container="lab0")
    url = reverse("submissions", args=[exercise.course.slug, exercise.slug])
    answer = {"action": "grade", "file:solution.sh": "docker rm -f web"}
    assert browser.post(url, answer, **HTMX).status_code == 200
    assert Submission.objects.get().files == {}
    assert browser.post(url, {"action": "run"}, **HTMX).status_code == 422


def test_a_result_draws_the_layers_of_this_build_and_of_the_last(browser, owner, exercise):
    layers = [
        {"command": "FROM busybox", "size": 4_300_000, "cached": True},
        {"command": "COPY . /", "size": 900, "cached": False},
    ]
    for size in (layers[:1], layers):
        picture = {"layers": size, "rebuild": size}
        check = {"id": "small", "title": "작은 이미지", "passed": True, "picture": picture, "looked_at": "image.Size"}
        last = make_finished(owner, exercise, result={"checks": [check], "output": [], "timings": {}})
    text = text_of(browser.get(reverse("submission", args=[last.pk])))
    assert re.findall(r"<figcaption>([^<]+) <b>([^<]+)</b>", text) == [
        ("이번 이미지", "4.3 MB"),
        ("파일을 고치고 다시 빌드했을 때", "4.3 MB"),
        ("지난 시도의 이미지", "4.3 MB"),
    ]
    assert 'rect width="100"' in text
    assert "캐시를 썼어요" in text


def test_pages_with_terminals_may_connect_to_this_site_only(browser, exercise):
    policy = browser.get(exercise.get_absolute_url())["Content-Security-Policy"]
    assert "connect-src 'self' ws://testserver;" in policy
    assert "unsafe" not in policy
    assert "ws:" not in browser.get("/login/")["Content-Security-Policy"]
