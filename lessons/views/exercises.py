"""An exercise's page, and its draft."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from lessons import queries, queue
from lessons.contracts import ExerciseSpec
from lessons.forms import AnswerForm
from lessons.models import Exercise, Submission, User
from lessons.services import submissions
from lessons.views.accounts import enter, keep_unsaved
from lessons.views.environments import progress_of
from lessons.views.http import Request, go_to_login, learner_of, methods, problem_fragment, respond, wants_fragment


@methods("GET")
def show(request: Request, course_slug: str, exercise_slug: str) -> HttpResponse:
    exercise = exercise_or_404(course_slug, exercise_slug)
    learner = learner_of(request)
    restored = _restored(request, exercise, learner)
    view = queries.exercise_view(
        exercise, learner=learner, place_of=queue.place_of, progress_of=progress_of, restored=restored
    )
    context = {"view": view, "course": exercise.course, "lesson": exercise.lesson}
    return respond(request, "exercise.html", "_exercise.html", context)


@methods("POST")
def save_draft(request: Request, course_slug: str, exercise_slug: str) -> HttpResponse:
    exercise = exercise_or_404(course_slug, exercise_slug)
    form = AnswerForm(request.POST, spec=spec_of(exercise), draft=True)
    if not form.is_valid():
        return refuse(request, exercise, form, form.problems, status=422)
    learner = enter(request)
    files, stdin = form.cleaned_data["files"], form.cleaned_data["stdin"]
    if learner is None and wants_fragment(request):
        return render(request, "_draft.html", {"saved_at": None})
    if learner is None:
        keep_unsaved(request, exercise, files, stdin)
        return go_to_login(request, after=exercise.get_absolute_url())
    draft = submissions.save_draft(learner=learner, exercise=exercise, files=files, stdin=stdin)
    if wants_fragment(request):
        return render(request, "_draft.html", {"saved_at": draft.updated_at})
    return HttpResponseRedirect(exercise.get_absolute_url())


def exercise_or_404(course_slug: str, exercise_slug: str) -> Exercise:
    exercise = queries.exercise_for(course_slug, exercise_slug)
    if exercise is None:
        raise Http404
    return exercise


def spec_of(exercise: Exercise) -> ExerciseSpec:
    if exercise.revision is None:
        raise Http404
    return queries.spec_of(exercise.revision)


def refuse(request: Request, exercise: Exercise, form: AnswerForm, problems: list[str], *, status: int) -> HttpResponse:
    """Say what is wrong; without htmx on the exercise's page, with everything that was typed still there."""
    if wants_fragment(request):
        return problem_fragment(request, problems, status=status)
    view = queries.exercise_view(
        exercise,
        learner=learner_of(request),
        place_of=queue.place_of,
        progress_of=progress_of,
        posted=(form.files_as_posted, str(request.POST.get("stdin", ""))),
        problems=problems,
    )
    context = {"view": view, "course": exercise.course, "lesson": exercise.lesson}
    return render(request, "exercise.html", context, status=status)


def _restored(request: Request, exercise: Exercise, learner: User | None) -> Submission | None:
    """The old attempt that ``?from=`` names: the learner's own, of this exercise, else 404."""
    wanted = request.GET.get("from")
    if not wanted:
        return None
    try:
        submission = queries.submission_for(learner, UUID(wanted)) if learner else None
    except ValueError as error:
        raise Http404 from error
    if submission is None or submission.exercise_id != exercise.pk:
        raise Http404
    return submission
