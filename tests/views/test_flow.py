"""From the press of 채점 to the verdict on the page, through the real dispatcher and a sandbox that only sums."""

from __future__ import annotations

import uuid
from html.parser import HTMLParser

import pytest
from django.test import Client
from django.urls import reverse

from lessons.contracts import Status
from lessons.models import Submission
from lessons.sandbox import SandboxError
from lessons.services import dispatch, grading, sandboxes
from tests.factories import SUM_SOLUTION, SUM_WRONG, make_exercise, make_learner, make_quiz
from tests.services.sums import SumSandbox

pytestmark = pytest.mark.django_db(transaction=True)

HTMX = {"HX-Request": "true"}


@pytest.fixture
def sandbox(monkeypatch, settings):
    settings.ANSWER_WAIT_MS = 20_000  # a busy machine; the reply comes as soon as the verdict does
    sandbox = SumSandbox()
    monkeypatch.setattr(sandboxes, "_sandbox", sandbox)
    dispatch.start(grade=grading.grade_submission)
    yield sandbox
    dispatch.stop()


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(make_learner())
    return client


class _Hidden(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "input" and given.get("type") == "hidden":
            self.found[given["name"]] = given.get("value", "")


def hidden_fields(html: str) -> dict[str, str]:
    """What a browser posts of a page by itself."""
    parser = _Hidden()
    parser.feed(html)
    return parser.found


def press(client: Client, exercise, **fields):
    url = reverse("submissions", args=[exercise.course.slug, exercise.slug])
    return client.post(url, {"token": str(uuid.uuid4()), "action": "grade", **fields}, headers=HTMX)


@pytest.mark.parametrize(("text", "tone"), [(SUM_SOLUTION, "pass"), (SUM_WRONG, "fail")])
def test_verdict_comes_in_the_reply(client, sandbox, text, tone):
    view = press(client, make_exercise(), **{"file:main.py": text}).context["submission"]
    assert (view.tone, view.number, view.total) == (tone, 1, 3)
    assert view.outputs[1].hidden
    assert view.outputs[1].stdout_html == ""


def test_trial_shows_its_output_and_costs_no_attempt(client, sandbox):
    exercise = make_exercise()
    fields = {"file:main.py": SUM_SOLUTION, "action": "run", "stdin": "20 22\n"}
    view = press(client, exercise, **fields).context["submission"]
    assert (view.tone, view.outputs[0].stdout_html, view.checks) == ("ran", "42\n", ())
    assert client.get(exercise.get_absolute_url()).context["view"].attempts == 0


def test_quiz_is_graded_with_reasons(client, sandbox):
    quiz = make_quiz()
    answer = {"q:what": "이미지", "q:word": "TAG", "q:steps": ["build", "push", "run"]}
    view = press(client, quiz, **answer).context["submission"]
    assert [check.passed for check in view.checks] == [False, True, True]
    assert "이미지를 실행하면 컨테이너가 돼요" in view.checks[0].message_html


def test_engine_that_is_down_costs_no_attempt_and_is_graded_later(client, sandbox):
    exercise = make_exercise()
    sandbox.down = SandboxError("engine", "gone")
    broken = press(client, exercise, **{"file:main.py": SUM_SOLUTION}).context["submission"]
    assert (broken.status, broken.number) == (Status.BROKEN, 1)
    sandbox.down = None
    response = client.post(broken.retry_url, headers=HTMX)
    assert response.context["submission"].tone == "pass"
    assert response.context["submission"].number == 1


def test_whole_way_works_without_javascript(sandbox, settings):
    """Only what stands in the page: its form, its links, its redirects."""
    settings.GUESTS = True
    exercise = make_exercise()
    client = Client(enforce_csrf_checks=True)
    page = client.get(exercise.get_absolute_url())
    fields = {**hidden_fields(page.text), "file:main.py": SUM_SOLUTION, "stdin": "", "action": "grade"}
    result = client.post(page.context["view"].submit_url, fields, follow=True)
    assert result.redirect_chain == [(f"/submissions/{Submission.objects.get().pk}/", 302)]
    assert "통과했어요!" in result.text
    history = client.get(result.context["submission"].history_url)
    restored = client.get(history.context["rows"][0].restore_url)
    assert restored.context["view"].files[0].text == SUM_SOLUTION
