"""What a quiz shows and what stands in its answer; the form and the pages read it here alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.utils.safestring import SafeString

from lessons.contracts import CheckSpec, ExerciseSpec
from lessons.graders import shuffled
from lessons.graders.answers import ANSWER_FILE, given_texts, read_answers
from lessons.queries.shapes import OptionView, QuestionView
from lessons.queries.text import inline_html

FIELD_PREFIX = "q:"


def answers_in(files: Mapping[str, str]) -> dict[str, list[str]]:
    """Question id -> what was chosen or written, from a stored answer; {} where none can be read."""
    return {question: given_texts(value) for question, value in read_answers(files.get(ANSWER_FILE, "")).items()}


def question_views(spec: ExerciseSpec, files: Mapping[str, str], *, shuffle: str) -> tuple[QuestionView, ...]:
    """The questions with what stands in ``files``; ``shuffle`` seeds the order of an order's items."""
    answers = answers_in(files)
    return tuple(
        _question_view(check, number, answers.get(check.id, []), shuffle)
        for number, check in enumerate(spec.checks, start=1)
    )


def right_answers(spec: ExerciseSpec) -> tuple[tuple[SafeString, tuple[SafeString, ...]], ...]:
    """Each question's prompt with the reference answer, for who may see it."""
    answers = answers_in(spec.solution)
    return tuple(
        (inline_html(check.title), tuple(inline_html(text) for text in answers.get(check.id, [])))
        for check in spec.checks
    )


def option_texts(check: CheckSpec) -> list[str]:
    """The texts that a choice or an order offers, as authored; [] for a short answer."""
    if check.type == "choice":
        return [str(option["text"]) for option in check.fields.get("options", ())]
    return [str(item) for item in check.fields.get("items", ())]


def _question_view(check: CheckSpec, number: int, answer: Sequence[str], shuffle: str) -> QuestionView:
    texts = option_texts(check)
    if check.type == "order":
        complete = sorted(answer) == sorted(texts)
        texts = list(answer) if complete else shuffled(texts, f"{shuffle}/{check.id}")
    right = sum(1 for option in check.fields.get("options", ()) if option.get("correct"))
    return QuestionView(
        id=check.id,
        field=f"{FIELD_PREFIX}{check.id}",
        number=number,
        type=check.type,
        prompt_html=inline_html(check.title),
        multiple=check.type == "choice" and right > 1,
        options=tuple(OptionView(value=text, html=inline_html(text), chosen=text in answer) for text in texts),
        text=answer[0] if answer and check.type == "short" else "",
    )
