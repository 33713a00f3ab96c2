"""Handing in an answer and reading what became of it."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from lessons import notify, queries, queue
from lessons.forms import AnswerForm
from lessons.models import Submission, User
from lessons.services import submissions
from lessons.views.accounts import enter, keep_unsaved
from lessons.views.exercises import exercise_or_404, refuse, spec_of
from lessons.views.http import Request, go_to_login, learner_of, methods, respond, wants_fragment

STOP_POLLING = 286  # htmx: take the content and ask no more


@methods("GET", "POST")
def create_or_list(request: Request, course_slug: str, exercise_slug: str) -> HttpResponse:
    if request.method == "POST":
        return _create(request, course_slug, exercise_slug)
    return _history(request, course_slug, exercise_slug)


@methods("GET")
def show(request: Request, submission_id: UUID) -> HttpResponse:
    learner = learner_of(request)
    if learner is None:
        return go_to_login(request, after=request.path)
    return _render(request, _submission_or_404(learner, submission_id), polled=True)


@methods("POST")
def retry(request: Request, submission_id: UUID) -> HttpResponse:
    """Queue a broken submission again at once; of any other state, just show it."""
    learner = learner_of(request)
    if learner is None:
        return go_to_login(request, after=request.path.removesuffix("retry/"))
    submission = _submission_or_404(learner, submission_id)
    if submissions.retry_submission(submission=submission):
        notify.wait_for(submission.pk, settings.ANSWER_WAIT_MS / 1000)
    return _show_now(request, learner, submission)


def _create(request: Request, course_slug: str, exercise_slug: str) -> HttpResponse:
    """Take an answer and hold the reply for a moment, so that most verdicts come in it."""
    exercise = exercise_or_404(course_slug, exercise_slug)
    form = AnswerForm(request.POST, spec=spec_of(exercise))
    if request.FILES:
        problem = _("파일 올리기는 받지 않아요. 파일의 내용을 편집기에 붙여 넣어 주세요.")
        return refuse(request, exercise, form, [problem], status=422)
    if not form.is_valid():
        return refuse(request, exercise, form, form.problems, status=422)
    answer = form.cleaned_data
    learner = enter(request)
    if learner is None:
        keep_unsaved(request, exercise, answer["files"], answer["stdin"])
        return go_to_login(request, after=exercise.get_absolute_url())
    try:
        submission = submissions.submit_answer(
            learner=learner,
            exercise=exercise,
            files=answer["files"],
            graded=answer["action"] == "grade",
            stdin=answer["stdin"],
            token=answer["token"],
        )
    except submissions.SubmissionRefused as refusal:
        return refuse(request, exercise, form, [_refusal_sentence(refusal)], status=429)
    if submission.is_open:
        notify.wait_for(submission.pk, settings.ANSWER_WAIT_MS / 1000)
    return _show_now(request, learner, submission)


def _history(request: Request, course_slug: str, exercise_slug: str) -> HttpResponse:
    exercise = exercise_or_404(course_slug, exercise_slug)
    learner = learner_of(request)
    if learner is None:
        return go_to_login(request, after=request.path)
    context = {"exercise": exercise, "course": exercise.course, "rows": queries.history_of(learner, exercise)}
    return respond(request, "history.html", "_history.html", context)


def _show_now(request: Request, learner: User, submission: Submission) -> HttpResponse:
    """The submission as it stands now: in place for htmx, on its own page otherwise."""
    if not wants_fragment(request):
        return HttpResponseRedirect(reverse("submission", args=[submission.pk]))
    return _render(request, _submission_or_404(learner, submission.pk), polled=False)


def _render(request: Request, submission: Submission, *, polled: bool) -> HttpResponse:
    view = queries.submission_view(submission, place=queue.place_of(submission))
    context = {"submission": view, "exercise": submission.exercise, "course": submission.exercise.course}
    status = STOP_POLLING if polled and not view.poll_ms else 200
    return respond(request, "submission.html", "_submission.html", context, fragment_status=status)


def _submission_or_404(learner: User, submission_id: UUID) -> Submission:
    submission = queries.submission_for(learner, submission_id)
    if submission is None:
        raise Http404
    return submission


def _refusal_sentence(refusal: submissions.SubmissionRefused) -> str:
    if isinstance(refusal, submissions.TooManyOpen):
        return _("아직 채점하지 않은 답이 %(n)d개 있어요. 결과가 나오면 다시 내 주세요.") % {"n": refusal.limit}
    if isinstance(refusal, submissions.TooFast):
        return _("1분에 %(n)d번까지 낼 수 있어요. 조금 쉬었다가 다시 내 주세요.") % {"n": refusal.limit}
    if isinstance(refusal, submissions.LabNeeded):
        return _("열려 있는 실습이 없어요. 먼저 실습을 시작하고, 해 본 다음 채점해 주세요.")
    return _("지금은 닫힌 문제예요.")
