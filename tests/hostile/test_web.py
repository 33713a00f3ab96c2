"""Hostile inputs 20, 26 and 27 as a browser meets them. None of these needs the engine."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client
from django.urls import reverse

from lessons.models import Draft, Submission, User
from lessons.services import dispatch
from tests.factories import make_exercise, make_finished, make_learner, make_lesson, make_staff, make_submission

pytestmark = [pytest.mark.hostile, pytest.mark.django_db]

OUTPUTS = {
    "script": "<script>alert(1)</script>",
    "osc": "\x1b]8;;javascript:alert(1)\x07click\x1b]8;;\x07\x1b]52;c;ZXZpbA==\x07",
    "ansi": "\x1b[31mred\x1b[0m\x1b[2J\x1b[1;1H\x1b[8mhidden",
    "bidi": "access \u202egranted\u2066\u2069\u200f",
    "nul": "a\0b\x08\x7f",
    "surrogate": "\ud800 \udfff",
    "attribute": '" onmouseover="alert(1)" x="',
    "template": "{{ request.user }} {% csrf_token %}",
    "htmx": '<div hx-get="/logout/" hx-trigger="load">',
    "long": "x" * 10_000_000,
}


@pytest.fixture(autouse=True)
def _nobody_grades(monkeypatch):
    monkeypatch.setattr(dispatch, "enqueue", lambda submission_id: None)


@pytest.fixture
def learner():
    return make_learner()


@pytest.fixture
def client(learner) -> Client:
    client = Client()
    client.force_login(learner)
    return client


@pytest.mark.parametrize("name", OUTPUTS)
def test_output_reaches_the_page_as_text(client, learner, name):
    text = OUTPUTS[name]
    row = make_finished(learner, verdict="fail")
    row.result["output"][0].update(stdout=text, stderr=text, probe=text)
    for field in ("title", "expected", "found", "message", "diff", "show", "hint"):
        row.result["checks"][0][field] = text[:20_000]
    row.save()
    for headers in ({}, {"HX-Request": "true"}):
        response = client.get(f"/submissions/{row.pk}/", headers=headers)
        assert response.status_code in (200, 286)
        html = response.text
        for forbidden in (
            "<script>alert",
            "\x1b",
            "\0",
            "\u202e",
            "\u2066",
            "\ud800",
            '" onmouseover="',
            "<div hx-get",
        ):
            assert forbidden not in html
        assert len(html) < 2_000_000
    assert client.get(reverse("submissions", args=[row.exercise.course.slug, row.exercise.slug])).status_code == 200


def test_answer_reaches_the_page_as_text(client, learner):
    exercise = make_exercise()
    evil = "</textarea><script>alert(1)</script>"
    client.post(reverse("draft", args=[exercise.course.slug, exercise.slug]), {"file:main.py": evil, "stdin": evil})
    html = client.get(exercise.get_absolute_url()).text
    assert "<script>alert" not in html
    assert "&lt;/textarea&gt;" in html


def test_file_name_reaches_the_message_as_text(client):
    exercise = make_exercise()
    url = reverse("submissions", args=[exercise.course.slug, exercise.slug])
    response = client.post(url, {"file:<script>alert(1)</script>\u202e": "x"}, headers={"HX-Request": "true"})
    assert response.status_code == 422
    assert "<script>" not in response.text
    assert "\u202e" not in response.text


def posts(learner: User) -> list[tuple[str, dict[str, str]]]:
    """Every address that changes something, with a body that would change it."""
    exercise = make_exercise()
    broken = make_submission(learner, exercise, status="broken")
    address = [exercise.course.slug, exercise.slug]
    answer = {"file:main.py": "print(1)", "token": str(uuid.uuid4())}
    return [
        (reverse("submissions", args=address), answer),
        (reverse("draft", args=address), answer),
        (reverse("retry", args=[broken.pk]), {}),
        (reverse("logout"), {}),
        (reverse("guest"), {}),
        (reverse("theme"), {"theme": "dark"}),
        (reverse("login"), {"username": learner.username, "password": "secret"}),
    ]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"HX-Request": "true"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"X-CSRFToken": "a" * 64},
        {"X-HTTP-Method-Override": "GET"},
    ],
)
def test_post_without_our_token_changes_nothing(learner, headers):
    client = Client(enforce_csrf_checks=True)
    client.force_login(learner)
    for url, body in posts(learner):
        response = client.post(url, body, headers=headers)
        assert response.status_code == 403, url
        assert "새로 고" in response.text
    assert client.get("/me/").status_code == 200  # still logged in
    assert Submission.objects.filter(learner=learner).count() == 1
    assert not Draft.objects.exists()
    assert not User.objects.filter(is_guest=True).exists()


def test_cross_site_post_is_refused_even_with_the_token(learner):
    client = Client(enforce_csrf_checks=True)
    client.force_login(learner)
    url, body = posts(learner)[0]
    client.get("/login/")
    client.get(url.removesuffix("submissions/"))
    body["csrfmiddlewaretoken"] = client.cookies["csrftoken"].value
    assert client.post(url, body, headers={"Origin": "https://evil.example"}).status_code == 403
    assert client.post(url, body).status_code == 302


def test_get_on_a_changing_address_changes_nothing(client, learner):
    for url, body in posts(learner):
        if url.endswith("/login/"):
            continue
        response = client.get(url, body)
        assert response.status_code == (200 if url.endswith("/submissions/") else 405), url
    assert Submission.objects.count() == 1
    assert not Draft.objects.exists()


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options", "trace"])
def test_other_methods_are_refused(client, learner, method):
    for url, _ in posts(learner):
        assert getattr(client, method)(url).status_code in (403, 405) or url.endswith("/login/")
    assert Submission.objects.count() == 1


def test_method_override_is_ignored(client, learner):
    exercise = make_exercise()
    url = reverse("draft", args=[exercise.course.slug, exercise.slug])
    assert client.get(f"{url}?_method=POST", headers={"X-HTTP-Method-Override": "POST"}).status_code == 405
    assert not Draft.objects.exists()


def test_lesson_block_of_an_unknown_exercise_leaves_no_trace(client):
    lesson = make_lesson(blocks=[{"html": "<p>앞</p>"}, {"exercise": "gone"}, {"html": "<p>뒤</p>"}])
    html = client.get(lesson.get_absolute_url()).text
    assert "앞" in html
    assert "뒤" in html
    assert "gone" not in html


@pytest.mark.parametrize(
    "next_url", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_next_never_leads_away(learner, next_url):
    client = Client()
    response = client.post("/login/", {"username": learner.username, "password": "secret", "next": next_url})
    assert response.url == "/"


def test_unknown_host_is_refused():
    assert Client(headers={"Host": "evil.example"}).get("/").status_code == 400


@pytest.mark.parametrize(
    "path", ["/submissions/not-a-uuid/", "/x/exercises/../../etc/", "/%00/", "/x/y/images/..%2f..%2fetc"]
)
def test_odd_addresses_are_not_found(client, path):
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("query", ["?from=x", "?from=%00", f"?from={uuid.uuid4()}", "?from=" + "9" * 5000])
def test_odd_restores_are_not_found(client, query):
    assert client.get(make_exercise().get_absolute_url() + query).status_code == 404


def test_admin_works_under_the_policy():
    client = Client()
    client.force_login(make_staff())
    response = client.get("/admin/")
    assert response.status_code == 200
    assert "script-src 'self'" in response["Content-Security-Policy"]
    assert "<style" not in response.text
    assert " style=" not in response.text
