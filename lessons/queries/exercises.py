"""Exercises as pages show them: one, or all of a lesson in a fixed number of queries."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

import yaml
from django.conf import settings
from django.db.models import OuterRef, Subquery
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _

from lessons import graders
from lessons.contracts import ExerciseSpec, Kind, Status
from lessons.models import Draft, Exercise, ExerciseQuerySet, Origin, Revision, Submission, User
from lessons.queries import words
from lessons.queries.files import editor_files
from lessons.queries.lab_shapes import LabCard
from lessons.queries.labs import lab_card, open_labs
from lessons.queries.progress import NO_STANDING, Standing, standings
from lessons.queries.quizzes import question_views, right_answers
from lessons.queries.shapes import EditorFile, ExerciseView, SubmissionView
from lessons.queries.specs import spec_of
from lessons.queries.submissions import last_attempts, solution_visible, submission_view
from lessons.sandbox import Progress


def shown_exercises() -> ExerciseQuerySet:
    """Published exercises with what their pages need, and without what only parsing needs."""
    rows = Exercise.objects.published().exclude(revision=None).select_related("course", "lesson", "revision")
    return rows.defer("revision__files", "lesson__body", "lesson__blocks", "lesson__contents")


def exercise_for(course_slug: str, exercise_slug: str) -> Exercise | None:
    return shown_exercises().filter(course__slug=course_slug, slug=exercise_slug).first()


def add_revisions(exercises: Sequence[Exercise]) -> None:
    """Give each exercise its current revision, without the files, which are parsed once a process."""
    found = Revision.objects.defer("files").in_bulk([exercise.revision_id for exercise in exercises])
    for exercise in exercises:
        exercise.revision = found[exercise.revision_id]
        exercise.revision.exercise = exercise


def exercise_views(
    exercises: Sequence[Exercise],
    *,
    learner: User | None,
    place_of: Callable[[Submission], int],
    progress_of: Callable[[str], Progress],
    known: Mapping[int, Standing] | None = None,
) -> list[ExerciseView]:
    """The exercises (with their revisions) with this learner's drafts, latest results and progress.

    ``place_of`` is the queue's, ``progress_of`` the sandbox's (asked once an environment);
    ``known`` are standings that the caller has already.
    """
    ids = [exercise.pk for exercise in exercises]
    if known is None:
        known = standings(learner, ids)
    drafts = _drafts(learner, ids)
    latest = _latest(learner, exercises)
    trials = [pk for pk, row in latest.items() if not row.graded and pk in known]
    attempts = last_attempts(learner, trials) if learner and trials else {}
    cards = _lab_cards(exercises, learner, progress_of)
    return [
        _exercise_view(
            exercise,
            learner=learner,
            standing=known.get(exercise.pk, NO_STANDING),
            draft=drafts.get(exercise.pk),
            latest=latest.get(exercise.pk),
            attempt=attempts.get(exercise.pk),
            place_of=place_of,
            card=cards.get(exercise.pk),
        )
        for exercise in exercises
    ]


def exercise_view(
    exercise: Exercise,
    *,
    learner: User | None,
    place_of: Callable[[Submission], int],
    progress_of: Callable[[str], Progress],
    restored: Submission | None = None,
    posted: tuple[Mapping[str, str], str] | None = None,
    problems: Sequence[str] = (),
) -> ExerciseView:
    """One exercise. ``restored`` puts an old attempt's files into the editor; ``posted`` is (files, stdin) of
    what was just refused for ``problems``."""
    known = standings(learner, [exercise.pk])
    standing = known.get(exercise.pk, NO_STANDING)
    draft = _drafts(learner, [exercise.pk]).get(exercise.pk)
    number = 0
    if posted is not None:
        draft = Draft(exercise=exercise, files=dict(posted[0]), stdin=posted[1])
    elif restored is not None:
        draft = Draft(exercise=exercise, files=restored.files, stdin=restored.stdin)
        number = submission_view(restored, standing=standing).number
    return _exercise_view(
        exercise,
        learner=learner,
        standing=standing,
        draft=draft,
        latest=_latest(learner, [exercise]).get(exercise.pk),
        place_of=place_of,
        card=_lab_cards([exercise], learner, progress_of).get(exercise.pk),
        problems=problems,
        from_attempt=number,
    )


def _exercise_view(
    exercise: Exercise,
    *,
    learner: User | None,
    standing: Standing,
    draft: Draft | None,
    latest: Submission | None,
    place_of: Callable[[Submission], int],
    card: LabCard | None,
    attempt: Submission | None = None,
    problems: Sequence[str] = (),
    from_attempt: int = 0,
) -> ExerciseView:
    revision = exercise.revision
    if revision is None:
        raise ValueError(f"{exercise}: no revision; take exercises from shown_exercises()")
    spec = spec_of(revision)
    quiz = spec.kind == Kind.QUIZ
    texts = draft.files if draft else latest.files if latest else {}
    seen = solution_visible(spec, standing)
    address = [exercise.course.slug, exercise.slug]
    url = reverse("exercise", args=address)
    return ExerciseView(
        exercise=exercise,
        dom_id=f"exercise-{exercise.slug}",
        kind=exercise.kind,
        kind_label=words.kind_label(exercise.kind),
        prompt_html=mark_safe(revision.prompt_html),  # noqa: S308  (sanitised when the revision was saved)
        files=editor_files(spec, texts) if spec.kind == Kind.RUN else (),
        questions=question_views(spec, texts, shuffle=f"{learner.pk if learner else 0}/{exercise.pk}") if quiz else (),
        points=_("%(points)s점") % {"points": f"{sum(check.weight for check in spec.checks):g}"},
        stdin=draft.stdin if draft else graders.default_stdin(spec),
        can_run=_can_run(spec),
        can_submit=learner is not None or settings.GUESTS,
        token=str(uuid.uuid4()),
        latest=_latest_view(latest, standing, attempt, place_of) if latest else None,
        attempts=standing.attempts,
        passed=standing.passed,
        solution=_solution_files(spec) if seen and not quiz else (),
        solution_questions=right_answers(spec) if seen and quiz else (),
        solution_after=spec.solution_after,
        limits=words.limits_sentence(spec.limits) if spec.kind == Kind.RUN else "",
        environment="" if quiz else environment_title(spec.environment),
        problems=tuple(problems),
        from_attempt=from_attempt,
        lab_card=card,
        url=url,
        submit_url=reverse("submissions", args=address),
        draft_url=reverse("draft", args=address),
        history_url=reverse("submissions", args=address),
        login_url=f"{reverse('login')}?next={url}",
    )


def environment_title(name: str) -> str:
    """The environment as learners know it: its title in the catalogue, else its name."""
    return _titles(settings.CATALOGUE).get(name, name)


@cache
def _titles(catalogue: Path) -> dict[str, str]:
    environments = yaml.safe_load(catalogue.read_text(encoding="utf-8"))["environments"]
    return {name: str(entry.get("title", name)) for name, entry in environments.items()}


def _lab_cards(
    exercises: Sequence[Exercise], learner: User | None, progress_of: Callable[[str], Progress]
) -> dict[int, LabCard]:
    """Of the exercises of kind lab: one query and one question an environment, however many there are."""
    found = [exercise for exercise in exercises if exercise.kind == Kind.LAB and exercise.revision]
    if not found:
        return {}
    labs = open_labs(learner)
    told = cache(progress_of)
    return {
        exercise.pk: lab_card(exercise, spec_of(exercise.revision), learner=learner, labs=labs, progress_of=told)
        for exercise in found
        if exercise.revision is not None
    }


def _can_run(spec: ExerciseSpec) -> bool:
    """실행 needs a visible run probe, whose program it starts with the learner's own input."""
    return spec.kind == Kind.RUN and any(probe.type == "run" and not probe.hidden for probe in spec.probes)


def _solution_files(spec: ExerciseSpec) -> tuple[EditorFile, ...]:
    return tuple(file for file in editor_files(spec, spec.solution) if file.editable)


def _latest_view(
    latest: Submission, standing: Standing, attempt: Submission | None, place_of: Callable[[Submission], int]
) -> SubmissionView:
    counted = latest.status == Status.FINISHED
    number = (standing.attempts if counted else standing.attempts + 1) if latest.graded else 0
    place = place_of(latest) if latest.status == Status.QUEUED else 0
    return submission_view(latest, place=place, standing=standing, number=number, attempt=attempt)


def _drafts(learner: User | None, exercise_ids: Sequence[int]) -> dict[int, Draft]:
    if learner is None or not exercise_ids:
        return {}
    return {draft.exercise_id: draft for draft in Draft.objects.filter(learner=learner, exercise__in=exercise_ids)}


def _latest(learner: User | None, exercises: Sequence[Exercise]) -> dict[int, Submission]:
    """The newest submission of each exercise, with the exercise and the learner already known."""
    if learner is None or not exercises:
        return {}
    newest = Submission.objects.filter(learner=learner, exercise=OuterRef("pk"), origin=Origin.LEARNER)
    ids = Exercise.objects.filter(pk__in=[exercise.pk for exercise in exercises]).order_by()
    newest_ids = ids.values_list(Subquery(newest.order_by("-queued_at").values("pk")[:1]), flat=True)
    rows = Submission.objects.filter(pk__in=newest_ids).select_related("revision")
    rows = rows.defer("revision__files", "revision__prompt_html")
    known = {exercise.pk: exercise for exercise in exercises}
    found: dict[int, Submission] = {}
    for row in rows:
        row.exercise = known[row.exercise_id]
        row.revision.exercise = row.exercise
        row.learner = learner
        found[row.exercise_id] = row
    return found
