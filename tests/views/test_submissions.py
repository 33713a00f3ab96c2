"""Handing in, watching, retrying, looking back: with htmx and with plain forms."""

from __future__ import annotations

import uuid

import pytest
from django.urls import reverse

from lessons.contracts import Status
from lessons.models import BrokenReason, Draft, Submission, User
from lessons.services import dispatch
from tests.factories import SUM_SOLUTION, make_exercise, make_finished, make_guest, make_quiz, make_submission

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _nobody_grades(monkeypatch):
    monkeypatch.setattr(dispatch, "enqueue", lambda submission_id: None)


def post_url(exercise) -> str:
    return reverse("submissions", args=[exercise.course.slug, exercise.slug])


def answer(text: str = SUM_SOLUTION, **fields: str) -> dict[str, str]:
    return {"file:main.py": text, "action": "grade", "token": str(uuid.uuid4()), **fields}


def test_post_with_htmx_answers_with_the_verdict(browser, exercise, verdict_in_time):
    verdict_in_time("pass")
    response = browser.post(post_url(exercise), answer(), headers=HTMX)
    assert response.status_code == 200
    assert response.templates[0].name == "_submission.html"
    assert response.context["submission"].tone == "pass"
    assert "hx-trigger" not in response.text
    assert "<html" not in response.text


def test_post_with_htmx_polls_while_no_verdict_came(browser, exercise, no_verdict_yet, settings):
    response = browser.post(post_url(exercise), answer(), headers=HTMX)
    view = response.context["submission"]
    assert (response.status_code, view.tone, view.place, view.poll_ms > 0) == (200, "waiting", 1, True)
    assert view.poll_url in response.text
    assert no_verdict_yet == [settings.ANSWER_WAIT_MS / 1000]


def test_post_without_htmx_redirects_to_the_submission(browser, exercise, verdict_in_time):
    verdict_in_time("fail")
    response = browser.post(post_url(exercise), answer())
    submission = Submission.objects.get()
    assert response.status_code == 302
    assert response.url == f"/submissions/{submission.pk}/"
    page = browser.get(response.url)
    assert page.templates[0].name == "submission.html"
    assert "7이 나와야 하는데 3이 나왔어요." in page.text


def test_post_stores_the_answer_as_typed(browser, exercise, no_verdict_yet, owner):
    browser.post(post_url(exercise), answer("print(1)\r\nprint(2)\r\n", stdin="3 4\n", action="run"))
    row = Submission.objects.get()
    assert row.files == {"main.py": "print(1)\nprint(2)\n"}
    assert (row.learner, row.graded, row.stdin, row.status) == (owner, False, "3 4\n", Status.QUEUED)


def test_post_twice_with_one_token_makes_one_submission(browser, exercise, no_verdict_yet):
    same = answer()
    first = browser.post(post_url(exercise), same)
    second = browser.post(post_url(exercise), same)
    assert first.url == second.url
    assert Submission.objects.count() == 1


def test_post_from_two_tabs_makes_two_submissions(browser, exercise, no_verdict_yet):
    pages = [browser.get(exercise.get_absolute_url()).context["view"].token for _ in range(2)]
    for token in pages:
        browser.post(post_url(exercise), answer(token=token))
    assert Submission.objects.count() == 2


def test_post_of_a_quiz_keeps_choices_and_order(browser, no_verdict_yet):
    quiz = make_quiz()
    posted = {"q:what": ["컨테이너"], "q:word": [" 태그 "], "q:steps": ["run", "build", "push"]}
    response = browser.post(post_url(quiz), {**posted, "token": "t1", "action": "grade"})
    assert response.status_code == 302
    row = Submission.objects.get()
    assert row.files == {"answer.yaml": "what:\n- 컨테이너\nword: 태그\nsteps:\n- run\n- build\n- push\n"}
    questions = browser.get(quiz.get_absolute_url()).context["view"].questions
    assert [option.value for option in questions[2].options] == ["run", "build", "push"]
    assert [option.value for option in questions[0].options if option.chosen] == ["컨테이너"]
    assert questions[1].text == "태그"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"file:main.py": " \n"}, "비어"),
        ({"file:main.py": "x" * (64 * 1024 + 1)}, "64 KB"),
        ({"file:main.py": "a\0b"}, "NUL"),
        ({"file:main.py": b"\xff\xfe\x00"}, "UTF-8"),
        ({"file:../etc/passwd": "x"}, "이름"),
        ({"file:main.py": "print(1)", "stdin": "x" * (64 * 1024 + 1)}, "64 KB"),
        ({"file:main.py": "print(1)", "action": "explode"}, ""),
    ],
)
def test_refused_answer_says_why_and_loses_nothing(browser, exercise, fields, words):
    from urllib.parse import urlencode

    body = urlencode({"action": "grade", "token": "t", **fields})
    form = "application/x-www-form-urlencoded"
    fragment = browser.post(post_url(exercise), body, content_type=form, headers=HTMX)
    page = browser.post(post_url(exercise), body, content_type=form)
    assert (fragment.status_code, page.status_code) == (422, 422)
    assert words in " ".join(fragment.context["problems"])
    assert words in " ".join(page.context["view"].problems)
    assert Submission.objects.count() == 0
    typed = fields.get("file:main.py", "")
    if isinstance(typed, str) and typed and "\0" not in typed:
        assert page.context["view"].files[0].text == typed


def test_empty_quiz_is_refused(browser):
    response = browser.post(post_url(make_quiz()), {"q:word": "  "}, headers=HTMX)
    assert response.status_code == 422
    assert "비어" in response.context["problems"][0]


def test_upload_is_refused(browser, exercise, tmp_path):
    file = tmp_path / "main.py"
    file.write_text("print(1)")
    with file.open("rb") as upload:
        response = browser.post(post_url(exercise), {"file:main.py": upload}, headers=HTMX)
    assert response.status_code == 422
    assert Submission.objects.count() == 0


def test_oversized_body_is_refused_in_korean(browser, exercise):
    response = browser.post(post_url(exercise), answer("x" * 1_100_000))
    assert response.status_code == 413
    assert "256 KB" in response.text


def test_too_many_fields_are_refused_in_korean(browser, exercise):
    fields = {f"file:f{number}.py": "x" for number in range(1100)}
    assert browser.post(post_url(exercise), fields, headers=HTMX).status_code == 413


def test_learner_over_the_limit_reads_how_long_to_wait(browser, exercise, owner, settings):
    settings.OPEN_SUBMISSIONS_PER_LEARNER = 1
    make_submission(owner, exercise)
    response = browser.post(post_url(exercise), answer("print(5)"), headers=HTMX)
    assert response.status_code == 429
    assert "1개" in response.context["problems"][0]
    page = browser.post(post_url(exercise), answer("print(5)"))
    assert (page.status_code, page.context["view"].files[0].text) == (429, "print(5)")


def test_limits_are_a_learners_own(browsers, exercise, owner, settings, no_verdict_yet):
    settings.OPEN_SUBMISSIONS_PER_LEARNER = 1
    make_submission(owner, exercise)
    assert browsers["stranger"].post(post_url(exercise), answer(), headers=HTMX).status_code == 200


def test_first_post_makes_a_guest(browsers, exercise, no_verdict_yet):
    browser = browsers["nobody"]
    response = browser.post(post_url(exercise), answer())
    row = Submission.objects.get()
    assert row.learner.is_guest
    assert browser.get(response.url).status_code == 200


def test_anonymous_post_goes_to_login_where_guests_are_off(browsers, exercise, settings):
    settings.GUESTS = False
    login = f"/login/?next=/{exercise.course.slug}/exercises/{exercise.slug}/"
    fragment = browsers["nobody"].post(post_url(exercise), answer(), headers=HTMX)
    assert (fragment.status_code, fragment["HX-Redirect"].replace("%2F", "/")) == (204, login)
    page = browsers["nobody"].post(post_url(exercise), answer())
    assert (page.status_code, page.url.replace("%2F", "/")) == (302, login)
    assert (Submission.objects.count(), User.objects.filter(is_guest=True).count()) == (0, 0)


def test_anonymous_answer_is_a_draft_after_login(browsers, exercise, owner, settings):
    settings.GUESTS = False
    browsers["nobody"].post(post_url(exercise), answer("print('typed')"))
    browsers["nobody"].post("/login/", {"username": "owner", "password": "secret"})
    assert Draft.objects.get(learner=owner).files == {"main.py": "print('typed')"}


WHO_SEES = [("owner", 200), ("stranger", 404), ("instructor", 200), ("nobody", 302)]


@pytest.mark.parametrize(("who", "status"), WHO_SEES)
def test_submission_is_shown_to_its_owner_and_staff(browsers, owner, exercise, who, status):
    row = make_finished(owner, exercise)
    assert browsers[who].get(f"/submissions/{row.pk}/").status_code == status


@pytest.mark.parametrize(("who", "status"), [*WHO_SEES[:3], ("nobody", 404)])
def test_old_files_are_restored_for_their_owner_and_staff(browsers, owner, exercise, who, status):
    row = make_finished(owner, exercise, files={"main.py": "# old\n"})
    response = browsers[who].get(f"{exercise.get_absolute_url()}?from={row.pk}")
    assert response.status_code == status
    assert (b"# old" in response.content) == (status == 200)


@pytest.mark.parametrize(("who", "status"), [("owner", 302), ("stranger", 404), ("instructor", 302), ("nobody", 302)])
def test_retry_is_for_the_owner_and_staff(browsers, owner, exercise, no_verdict_yet, who, status):
    row = make_submission(owner, exercise, status=Status.BROKEN, broken_reason=BrokenReason.ENGINE)
    assert browsers[who].post(f"/submissions/{row.pk}/retry/").status_code == status
    row.refresh_from_db()
    assert (row.status == Status.QUEUED) == (who in ("owner", "instructor"))


def test_broken_submission_offers_retry_and_blames_us(browser, owner, exercise):
    row = make_submission(owner, exercise, status=Status.BROKEN, broken_reason=BrokenReason.ENGINE)
    response = browser.get(f"/submissions/{row.pk}/", headers=HTMX)
    view = response.context["submission"]
    assert (view.tone, view.retry_url) == ("broken", f"/submissions/{row.pk}/retry/")
    assert "시도 횟수는 줄지 않았" in view.subline
    assert view.poll_ms > 0  # it is graded by itself once the engine is back


def test_retry_with_htmx_shows_the_result_in_place(browser, owner, exercise, verdict_in_time):
    verdict_in_time("pass")
    row = make_submission(owner, exercise, status=Status.BROKEN, broken_reason=BrokenReason.ENGINE)
    response = browser.post(f"/submissions/{row.pk}/retry/", headers=HTMX)
    assert (response.status_code, response.context["submission"].tone) == (200, "pass")


@pytest.mark.parametrize(("state", "status"), [("finished", 286), ("queued", 200)])
def test_poll_ends_itself(browser, owner, exercise, state, status):
    make = make_finished if state == "finished" else make_submission
    row = make(owner, exercise)
    response = browser.get(f"/submissions/{row.pk}/", headers=HTMX)
    assert response.status_code == status
    assert ("hx-trigger" in response.text) == (status == 200)
    assert "HX-Request" in response["Vary"]
    assert response["Cache-Control"] == "no-store"


def test_poll_without_a_session_goes_to_login(browsers, owner, exercise):
    row = make_submission(owner, exercise)
    response = browsers["nobody"].get(f"/submissions/{row.pk}/", headers=HTMX)
    assert response["HX-Redirect"].startswith("/login/")


def test_history_numbers_attempts_and_leaves_broken_ones_out(browser, owner, exercise):
    make_finished(owner, exercise, verdict="fail")
    make_submission(owner, exercise, status=Status.BROKEN)
    make_finished(owner, exercise, graded=False, verdict="")
    make_finished(owner, exercise)
    make_finished(make_guest(), exercise)
    rows = browser.get(post_url(exercise)).context["rows"]
    assert [(row.tone, row.number) for row in rows] == [("pass", 2), ("ran", 0), ("broken", 2), ("fail", 1)]


def test_history_is_a_fragment_for_htmx(browser, owner, exercise):
    row = make_finished(owner, exercise)
    response = browser.get(post_url(exercise), headers=HTMX)
    assert response.templates[0].name == "_history.html"
    assert f"from={row.pk}" in response.text


@pytest.mark.parametrize("count", [1, 3])
def test_history_takes_a_fixed_number_of_queries(browser, owner, exercise, count, django_assert_num_queries):
    for _ in range(count):
        make_finished(owner, exercise)
    assert exercise.revision.spec.slug == exercise.slug
    with django_assert_num_queries(5):  # session, user, exercise, rows, attempts
        assert len(browser.get(post_url(exercise)).context["rows"]) == count


@pytest.mark.parametrize(
    "path", ["/submissions/{id}/retry/", "/c/exercises/sum/draft/", "/logout/", "/guest/", "/theme/"]
)
def test_get_on_a_changing_address_is_refused(browser, path):
    response = browser.get(path.format(id=uuid.uuid4()))
    assert response.status_code == 405
    assert response["Allow"] == "POST"


def test_unknown_exercise_is_not_found(browser, exercise):
    assert browser.post("/nowhere/exercises/sum/submissions/", answer()).status_code == 404
    exercise.archived = True
    exercise.save()
    assert browser.post(post_url(exercise), answer()).status_code == 404


def test_solution_appears_after_the_authors_number_of_failures(browser, owner):
    exercise = make_exercise()
    for expected in ([], [], [], ["main.py"]):
        view = browser.get(exercise.get_absolute_url()).context["view"]
        assert [file.path for file in view.solution] == expected
        make_finished(owner, exercise, verdict="fail")
