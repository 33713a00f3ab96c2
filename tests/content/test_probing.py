"""Checks of exercise.yaml together with the variables they use."""

from __future__ import annotations

import pytest

from lessons.content import ContentError, parse_exercise
from tests.content.build import EXERCISE, FILES

DRAWING = EXERCISE.replace("b: {int: [1, 99]}", "b: {int: [1, 99]}, c: {choice: [one, two]}")


def at_most(value: str) -> dict[str, str]:
    """The exercise whose third check compares the exit code with ``value``."""
    assert DRAWING.count("equals: 0") == 1
    return {**FILES, "exercise.yaml": DRAWING.replace("equals: 0", f'at_most: "{value}"')}


def test_drawn_text_where_a_number_is_compared_is_refused():
    with pytest.raises(ContentError) as caught:
        parse_exercise("sum", at_most("{{c}}"))
    (problem,) = caught.value.problems
    assert problem.field == "checks[2].at_most"
    assert "글이라" in problem.message


def test_drawn_number_where_a_number_is_compared_is_taken():
    assert parse_exercise("sum", at_most("{{a}}")).checks[2].fields["at_most"] == "{{a}}"
