"""The admin: the same validation as import, faults at their field, history untouched."""

from __future__ import annotations

import pytest
from django.urls import reverse

from lessons.models import Revision
from tests.factories import (
    SUM_FILES,
    make_course,
    make_exercise,
    make_finished,
    make_learner,
    make_lesson,
    make_quiz,
    make_staff,
    make_submission,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client):
    user = make_staff()
    client.force_login(user)
    return user


def url(row, view: str = "change") -> str:
    return reverse(f"admin:lessons_{row._meta.model_name}_{view}", args=[row.pk] if view != "changelist" else [])


def exercise_form(exercise, **changes: str) -> dict[str, str]:
    """What the browser posts: every file by its label, ``changes`` by path."""
    paths = sorted(exercise.revision.files, key=lambda path: ("/" in path, path))
    files = {
        f"file{number}": changes.get(path, exercise.revision.files[path]).replace("\n", "\r\n")
        for number, path in enumerate(paths)
    }
    extra = {name: changes[name] for name in ("new_name", "new_text") if name in changes}
    return {"position": str(exercise.position), **files, **extra}


def lesson_form(lesson, **changes: str) -> dict[str, str]:
    return {
        "title": lesson.title,
        "summary": lesson.summary,
        "minutes": "10",
        "objectives": "\n".join(lesson.objectives),
        "body": lesson.body,
        "position": "0",
        **changes,
    }


def test_every_list_and_page_opens(client, staff):
    learner = make_learner()
    exercise = make_exercise()
    rows = [
        exercise.course,
        exercise.lesson,
        exercise,
        exercise.revision,
        make_finished(learner, exercise),
        make_submission(learner, make_quiz(), status="broken", broken_reason="engine", files={"answer.yaml": "a: <b>"}),
        learner,
    ]
    for row in rows:
        assert client.get(url(row, "changelist")).status_code == 200
        assert client.get(url(row)).status_code == 200


def test_pages_are_for_staff_only(client):
    client.force_login(make_learner())
    assert client.get(url(make_course())).status_code == 302


@pytest.mark.parametrize("rows", [1, 3])
def test_submission_list_costs_the_same_for_one_and_for_three(client, staff, rows, django_assert_max_num_queries):
    exercise = make_exercise()
    for _ in range(rows):
        make_finished(make_learner(), exercise)
    client.get(url(exercise, "changelist"))
    with django_assert_max_num_queries(12):
        client.get(reverse("admin:lessons_submission_changelist"))


def test_saving_a_lesson_renders_it_and_keeps_it_from_the_next_import(client, staff):
    lesson = make_lesson()
    response = client.post(
        url(lesson), lesson_form(lesson, body="## 새 제목\r\n\r\n본문이에요.\r\n", objectives="하나\n둘")
    )
    assert response.status_code == 302
    lesson.refresh_from_db()
    assert lesson.body == "## 새 제목\n\n본문이에요.\n"
    assert [entry["title"] for entry in lesson.contents] == ["새 제목"]
    assert lesson.objectives == ["하나", "둘"]
    assert lesson.edited_at is not None


def test_saving_a_lesson_with_an_unknown_exercise_shows_the_fault_at_the_body(client, staff):
    lesson = make_lesson()
    response = client.post(url(lesson), lesson_form(lesson, body="## 제목\n\n::exercise[none]\n"))
    assert response.status_code == 200
    assert list(response.context["adminform"].form.errors) == ["body"]
    lesson.refresh_from_db()
    assert lesson.edited_at is None


def test_saving_a_course_keeps_it_from_the_next_import(client, staff):
    course = make_course()
    assert client.post(url(course), {"title": "새 이름", "summary": ""}).status_code == 302
    course.refresh_from_db()
    assert (course.title, course.edited_at is None) == ("새 이름", False)


def test_saving_a_course_with_a_fault_shows_it_as_import_would_and_saves_nothing(client, staff):
    course = make_course()
    response = client.post(url(course), {"title": "새 이름", "summary": "가" * 20_001})
    assert response.status_code == 200
    (fault,) = response.context["adminform"].form.errors["summary"]
    assert fault.startswith("course.yaml: 20000자보다 길어요.")
    course.refresh_from_db()
    assert (course.title == "새 이름", course.edited_at) == (False, None)


def test_saving_a_course_whose_slug_belongs_to_the_portal_is_refused(client, staff):
    course = make_course(slug="admin")
    response = client.post(url(course), {"title": "새 이름", "summary": ""})
    assert response.status_code == 200
    assert "포털이 써요" in response.context["adminform"].form.non_field_errors()[0]


def test_saving_an_exercise_makes_the_next_revision(client, staff):
    exercise = make_exercise()
    old = exercise.revision
    response = client.post(url(exercise), exercise_form(exercise, **{"prompt.md": "새 설명이에요.\n"}))
    assert response.status_code == 302, response.context["adminform"].form.errors
    exercise.refresh_from_db()
    assert (exercise.revision.number, exercise.revision.author) == (2, staff)
    assert exercise.revision.files == {**SUM_FILES, "prompt.md": "새 설명이에요.\n"}
    assert "새 설명" in exercise.revision.prompt_html
    assert Revision.objects.get(pk=old.pk).files == SUM_FILES


def test_saving_an_exercise_unchanged_makes_no_revision(client, staff):
    exercise = make_exercise()
    assert client.post(url(exercise), exercise_form(exercise)).status_code == 302
    exercise.refresh_from_db()
    assert (exercise.revisions.count(), exercise.edited_at) == (1, None)


def test_saving_an_exercise_can_add_and_remove_files(client, staff):
    exercise = make_exercise()
    changes = {
        "wrong/first/main.py": "",
        "wrong/first/expect.yaml": "",
        "new_name": "starter/note.txt",
        "new_text": "1\r\n",
    }
    assert client.post(url(exercise), exercise_form(exercise, **changes)).status_code == 302
    exercise.refresh_from_db()
    assert "wrong/first/main.py" not in exercise.revision.files
    assert exercise.revision.files["starter/note.txt"] == "1\n"


def test_saving_an_exercise_with_a_fault_shows_it_at_the_file_and_saves_nothing(client, staff):
    exercise = make_exercise()
    broken = SUM_FILES["exercise.yaml"].replace("kind: run", "kind: nonsense")
    response = client.post(url(exercise), exercise_form(exercise, **{"exercise.yaml": broken}))
    assert response.status_code == 200
    form = response.context["adminform"].form
    (field,) = form.errors
    assert form.fields[field].label == "exercise.yaml"
    assert "exercise.yaml:2:" in form.errors[field][0]
    exercise.refresh_from_db()
    assert (exercise.revisions.count(), exercise.edited_at) == (1, None)


def test_history_cannot_be_changed_added_or_deleted(client, staff):
    submission = make_submission()
    for row in (submission, submission.revision):
        assert client.post(url(row), {"number": "9", "score": "1"}).status_code == 403
        assert client.post(url(row, "delete"), {"post": "yes"}).status_code == 403


def test_a_submission_is_shown_escaped(client, staff):
    submission = make_submission(files={"main.py": "<script>alert(1)</script>"})
    page = client.get(url(submission)).content.decode()
    assert "<script>alert(1)</script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_forms_carry_no_style_that_the_policy_would_refuse(client, staff):
    exercise = make_exercise()
    for row in (exercise, exercise.lesson, exercise.course):
        page = client.get(url(row)).content.decode()
        assert ' style="' not in page
        assert ("admin-code.css" in page) == (row is not exercise.course)
