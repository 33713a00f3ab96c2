"""Guests, logging in with what they did, logging out."""

from __future__ import annotations

import threading
import uuid

import pytest
from django.test import Client
from django.urls import reverse

from lessons.models import Draft, Submission, User
from lessons.services import dispatch
from tests.factories import make_course, make_exercise, make_learner

pytestmark = pytest.mark.django_db

SECRET = {"username": "owner", "password": "secret"}


@pytest.fixture(autouse=True)
def _nobody_grades(monkeypatch, no_verdict_yet):
    monkeypatch.setattr(dispatch, "enqueue", lambda submission_id: None)


def hand_in(client: Client, exercise, text: str = "print(1)", **fields: str):
    url = reverse("submissions", args=[exercise.course.slug, exercise.slug])
    return client.post(url, {"file:main.py": text, "token": str(uuid.uuid4()), **fields})


def test_login_keeps_what_the_guest_did(browsers, exercise, owner):
    client = browsers["nobody"]
    submission_url = hand_in(client, exercise).url
    client.post(reverse("draft", args=[exercise.course.slug, exercise.slug]), {"file:main.py": "draft"})
    guest = User.objects.get(is_guest=True)
    assert client.post("/login/", SECRET).status_code == 302
    assert Submission.objects.get().learner == owner
    assert Draft.objects.get().learner == owner
    assert not User.objects.filter(pk=guest.pk).exists()
    assert client.get(submission_url).status_code == 200


def test_login_and_guest_entry_change_the_session_key(browsers, exercise):
    client = browsers["nobody"]
    keys = []
    hand_in(client, exercise)
    keys.append(client.session.session_key)
    client.post("/login/", SECRET)
    keys.append(client.session.session_key)
    client.post("/logout/")
    client.post("/guest/")
    keys.append(client.session.session_key)
    assert len(set(keys)) == 3


def test_page_stays_usable_after_the_press_that_made_a_guest(exercise):
    client = Client(enforce_csrf_checks=True)
    client.get(exercise.get_absolute_url())
    token = client.cookies["csrftoken"].value
    first = hand_in(client, exercise, csrfmiddlewaretoken=token)
    second = hand_in(client, exercise, csrfmiddlewaretoken=token)
    assert (first.status_code, second.status_code) == (302, 302)
    assert {row.learner.is_guest for row in Submission.objects.all()} == {True}
    assert User.objects.filter(is_guest=True).count() == 1


def test_two_tabs_of_one_browser_become_one_guest(exercise):
    page = Client()
    page.get(exercise.get_absolute_url())
    secret = page.cookies["csrftoken"].value
    for _ in range(2):  # neither has the other's session yet
        tab = Client()
        tab.cookies["csrftoken"] = secret
        assert hand_in(tab, exercise).status_code == 302
    assert User.objects.filter(is_guest=True).count() == 1
    assert Submission.objects.count() == 2


def test_guest_entry_leads_back(browsers):
    course = make_course()
    response = browsers["nobody"].post("/guest/", {"next": f"/{course.slug}/"})
    assert (response.status_code, response.url) == (302, f"/{course.slug}/")
    assert browsers["nobody"].get("/me/").status_code == 200


def test_guest_entry_is_refused_where_guests_are_off(browsers, settings):
    settings.GUESTS = False
    assert browsers["nobody"].post("/guest/").url == "/login/?next=%2F"
    assert not User.objects.filter(is_guest=True).exists()


def test_looking_around_makes_no_guest(browsers, exercise):
    for path in ("/", exercise.course.get_absolute_url(), exercise.get_absolute_url(), "/login/"):
        browsers["nobody"].get(path)
    assert not User.objects.filter(is_guest=True).exists()


def test_wrong_password_is_explained_in_korean(browsers):
    response = browsers["nobody"].post("/login/", {**SECRET, "password": "guess"})
    assert response.status_code == 200
    assert "맞지 않아요" in response.text


def test_many_failures_pause_one_name_only(browsers):
    make_learner("classmate")
    client = browsers["nobody"]
    for _ in range(10):
        client.post("/login/", {**SECRET, "password": "guess"})
    assert client.post("/login/", SECRET).status_code == 429
    assert client.post("/login/", {"username": "classmate", "password": "secret"}).status_code == 302


def test_login_page_of_a_learner_leads_home(browser):
    assert browser.get("/login/").url == "/"


def test_logout_is_a_post_and_ends_the_session(browser):
    assert browser.get("/logout/").status_code == 405
    assert browser.post("/logout/").url == "/"
    assert browser.get("/me/").status_code == 302


@pytest.mark.django_db(transaction=True)
def test_double_click_lands_once_also_at_the_same_moment(owner, browser):
    exercise = make_exercise()
    token = str(uuid.uuid4())
    replies: list[int] = []

    def press() -> None:
        client = Client()
        client.force_login(owner)
        replies.append(hand_in(client, exercise, token=token).status_code)

    threads = [threading.Thread(target=_closing(press)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert replies == [302] * 4
    assert Submission.objects.count() == 1


def _closing(work):
    from django.db import connection

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    return run
