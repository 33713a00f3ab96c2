"""Course, lesson and exercise pages, pictures, health, errors and headers."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from lessons.models import LessonImage
from tests.factories import (
    make_draft,
    make_exercise,
    make_finished,
    make_lesson,
    make_quiz,
    make_revision,
    make_submission,
)

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


def test_home_tells_what_comes_next(browser, owner, exercise):
    second = make_exercise(exercise.lesson, position=1)
    make_finished(owner, exercise)
    card = browser.get("/").context["courses"][0]
    assert (card.done, card.total, card.percent) == (1, 2, 50)
    assert card.next_exercise.slug == second.slug
    assert card.next_lesson.slug == exercise.lesson.slug


@pytest.mark.parametrize("count", [1, 3])
def test_home_takes_a_fixed_number_of_queries(browser, owner, count, django_assert_num_queries):
    for _ in range(count):
        make_finished(owner, make_exercise())
    with django_assert_num_queries(6):  # session, user, courses, lessons, exercises, standings
        assert len(browser.get("/").context["courses"]) == count


def test_course_page_lists_lessons_and_states(browser, owner, exercise):
    make_finished(owner, exercise, verdict="fail")
    card = browser.get(f"/{exercise.course.slug}/").context["card"]
    assert [(link.title, link.tone) for link in card.lessons[0].exercises] == [("두 수의 합", "tried")]


def test_lesson_page_puts_exercises_in_place(browser, owner, exercise):
    page = browser.get(exercise.lesson.get_absolute_url()).context["page"]
    assert [bool(block.exercise) for block in page.blocks] == [False, True]
    assert page.contents[0].url == "#start"
    assert not page.contents[0].done
    make_finished(owner, exercise)
    assert browser.get(exercise.lesson.get_absolute_url()).context["page"].contents[0].done


def test_lesson_page_knows_its_neighbours(browser):
    first = make_lesson(position=0)
    middle = make_lesson(first.course, position=1)
    last = make_lesson(first.course, position=2)
    page = browser.get(middle.get_absolute_url()).context["page"]
    assert (page.number, page.previous.slug, page.next.slug) == (2, first.slug, last.slug)


@pytest.mark.parametrize("count", [1, 3])
def test_lesson_page_takes_a_fixed_number_of_queries(browser, owner, count, django_assert_num_queries):
    lesson = make_lesson()
    for number in range(count):
        exercise = make_exercise(lesson, position=number)
        make_finished(owner, exercise, verdict="fail")
        make_draft(owner, exercise)
    browser.get(lesson.get_absolute_url())  # parses the exercises, once a process
    with django_assert_num_queries(9):  # session, user, lesson, lessons, exercises, standings, shown, drafts, latest
        assert len(browser.get(lesson.get_absolute_url()).context["page"].blocks) == count + 1


def test_lesson_page_is_open_to_all(browsers, exercise):
    response = browsers["nobody"].get(exercise.lesson.get_absolute_url())
    assert response.status_code == 200
    assert response.context["page"].blocks[1].exercise.latest is None


@pytest.mark.parametrize("what", ["course", "lesson", "exercise"])
def test_archived_content_is_not_found(browser, exercise, what):
    row = {"course": exercise.course, "lesson": exercise.lesson, "exercise": exercise}[what]
    row.archived = True
    row.save()
    assert browser.get(exercise.get_absolute_url()).status_code == 404
    assert browser.get(row.get_absolute_url()).status_code == 404


def test_exercise_page_and_fragment_share_an_address(browser, exercise):
    page = browser.get(exercise.get_absolute_url())
    fragment = browser.get(exercise.get_absolute_url(), headers=HTMX)
    boosted = browser.get(exercise.get_absolute_url(), headers={**HTMX, "HX-Boosted": "true"})
    assert [r.templates[0].name for r in (page, fragment, boosted)] == [
        "exercise.html",
        "_exercise.html",
        "exercise.html",
    ]


def test_exercise_page_shows_draft_over_latest_over_starter(browser, owner, exercise):
    def shown() -> str:
        return browser.get(exercise.get_absolute_url()).context["view"].files[0].text

    assert shown() == exercise.revision.spec.starter["main.py"]
    make_submission(owner, exercise, files={"main.py": "handed in"})
    assert shown() == "handed in"
    make_draft(owner, exercise, files={"main.py": "draft"})
    assert shown() == "draft"


def test_exercise_page_gives_a_new_token_each_time(browser, exercise):
    tokens = {browser.get(exercise.get_absolute_url()).context["view"].token for _ in range(3)}
    assert len(tokens) == 3


def test_quiz_page_never_says_what_is_right(browsers):
    quiz = make_quiz()
    html = browsers["nobody"].get(quiz.get_absolute_url()).text
    assert "컨테이너" in html
    assert "이미지를 실행하면 컨테이너가 돼요" not in html
    assert "correct" not in html
    order = browsers["nobody"].get(quiz.get_absolute_url()).context["view"].questions[2].options
    assert [option.value for option in order] != ["build", "push", "run"]


def test_draft_survives_a_reload(browser, exercise):
    url = reverse("draft", args=[exercise.course.slug, exercise.slug])
    assert browser.post(url, {"file:main.py": "", "stdin": "1 2"}, headers=HTMX).status_code == 200
    view = browser.get(exercise.get_absolute_url()).context["view"]
    assert (view.files[0].text, view.stdin) == ("", "1 2")
    assert browser.post(url, {"file:main.py": "x = 1"}).status_code == 302
    assert browser.get(exercise.get_absolute_url()).context["view"].files[0].text == "x = 1"


def test_draft_of_nobody_is_not_saved_where_guests_are_off(browsers, exercise, settings):
    settings.GUESTS = False
    url = reverse("draft", args=[exercise.course.slug, exercise.slug])
    response = browsers["nobody"].post(url, {"file:main.py": "x"}, headers=HTMX)
    assert (response.status_code, response.context["saved_at"]) == (200, None)


def test_draft_over_its_bounds_is_refused(browser, exercise):
    url = reverse("draft", args=[exercise.course.slug, exercise.slug])
    assert browser.post(url, {"file:main.py": "x" * 70_000}, headers=HTMX).status_code == 422


def test_me_shows_recent_work(browser, owner, exercise):
    make_finished(owner, exercise)
    page = browser.get("/me/").context["page"]
    assert (page.passed, page.attempts, [row.exercise_title for row in page.recent]) == (1, 1, ["두 수의 합"])


@pytest.mark.parametrize("count", [1, 3])
def test_me_takes_a_fixed_number_of_queries(browser, owner, count, django_assert_num_queries):
    for _ in range(count):
        make_finished(owner, make_exercise())
    browser.get("/me/")
    with django_assert_num_queries(7):  # session, user, courses, lessons, exercises, standings, recent
        assert len(browser.get("/me/").context["page"].recent) == count


def test_me_of_nobody_goes_to_login(browsers):
    assert browsers["nobody"].get("/me/").url == "/login/?next=%2Fme%2F"


def test_lesson_image_may_run_nothing(browser, exercise):
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    LessonImage.objects.create(lesson=exercise.lesson, name="a.svg", content_type="image/svg+xml", data=svg)
    response = browser.get(f"{exercise.lesson.get_absolute_url()}images/a.svg")
    assert (response.content, response["Content-Type"]) == (svg, "image/svg+xml")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    assert browser.get(f"{exercise.lesson.get_absolute_url()}images/b.svg").status_code == 404


def test_lesson_image_of_another_type_is_only_bytes(browser, exercise):
    LessonImage.objects.create(lesson=exercise.lesson, name="a.html", content_type="text/html", data=b"<script>")
    response = browser.get(f"{exercise.lesson.get_absolute_url()}images/a.html")
    assert response["Content-Type"] == "application/octet-stream"


def test_health_answers_without_a_session(db):
    response = Client().get("/healthz")
    assert (response.status_code, response.json(), response.cookies) == (200, {"status": "ok"}, {})


@pytest.mark.parametrize(("sent", "kept"), [("dark", "dark"), ("light", "light"), ("<script>", "auto")])
def test_theme_is_remembered(browser, sent, kept):
    response = browser.post("/theme/", {"theme": sent, "next": "/me/"})
    assert (response.status_code, response.url) == (302, "/me/")
    assert browser.get("/").context["theme"] == kept


def test_theme_never_leads_away(browser):
    assert browser.post("/theme/", {"theme": "dark", "next": "https://evil.example/"}).url == "/"


@pytest.mark.parametrize("path", ["/", "/login/", "/nothing-here/", "/admin/login/"])
def test_every_page_has_a_strict_policy(browsers, path):
    policy = browsers["nobody"].get(path)["Content-Security-Policy"]
    assert "unsafe" not in policy
    for rule in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
        assert rule in policy


def test_not_found_page_is_korean(browsers):
    response = browsers["nobody"].get("/nothing-here/")
    assert response.status_code == 404
    assert 'lang="ko"' in response.text


def test_cookies_are_out_of_reach_of_scripts(browsers, exercise):
    browsers["nobody"].post("/guest/")
    cookies = browsers["nobody"].cookies
    for name in ("sessionid", "csrftoken"):
        assert cookies[name]["httponly"] is True
        assert cookies[name]["samesite"] == "Lax"


def test_unreadable_exercise_takes_no_page_away(browser, owner, exercise):
    good = make_exercise(exercise.lesson, position=1)
    row = make_finished(owner, exercise)
    make_revision(exercise, {"exercise.yaml": "kind: unknown\n", "prompt.md": "x"})
    row.revision.files = {}
    row.revision.content_hash = "none"
    row.revision.save()
    page = browser.get(exercise.lesson.get_absolute_url()).context["page"]
    assert [len(block.exercise.files) for block in page.blocks if block.exercise] == [0, 1]
    assert browser.get(f"/submissions/{row.pk}/").context["submission"].tone == "pass"
    assert browser.get(good.get_absolute_url()).status_code == 200
