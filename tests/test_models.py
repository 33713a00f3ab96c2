"""Rows and their migrations."""

from __future__ import annotations

import io

import pytest
from django.core.management import call_command

from lessons import models
from lessons.content import ContentError
from lessons.models import courses
from tests.factories import SUM_FILES, make_exercise, make_revision

pytestmark = pytest.mark.django_db


def test_migrations_say_what_models_say():
    out = io.StringIO()
    call_command("makemigrations", "--check", "--dry-run", stdout=out)
    assert out.getvalue() == "No changes detected\n"


def test_revision_spec_is_parsed_once(monkeypatch):
    revision = make_exercise().revision
    first = revision.spec
    monkeypatch.setattr(courses.content, "parse_exercise", None)
    assert models.Revision.objects.get(pk=revision.pk).spec is first


def test_revision_specs_kept_are_bounded(monkeypatch):
    monkeypatch.setattr(courses, "SPECS_KEPT", 2)
    courses._specs.clear()
    exercise = make_exercise()
    for number in range(3):
        assert (
            make_revision(exercise, {**SUM_FILES, "prompt.md": f"{number}번 설명이에요.\n"}).spec.slug == exercise.slug
        )
    assert len(courses._specs) <= 2


def test_revision_spec_of_broken_files_is_a_content_error():
    with pytest.raises(ContentError):
        assert make_revision(make_exercise(), {"exercise.yaml": "kind: ["}).spec


def test_exercise_spec_without_a_revision_is_a_lookup_error():
    exercise = make_exercise()
    exercise.revision = None
    with pytest.raises(LookupError):
        assert exercise.spec
