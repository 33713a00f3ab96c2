"""Starting a lab, following it, prolonging it, ending it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from lessons import queries
from lessons.models import Exercise, LabSession, LabState, User
from lessons.sandbox import SandboxError
from lessons.services import lab_steps, labs
from lessons.views.accounts import enter
from lessons.views.environments import progress_of
from lessons.views.exercises import exercise_or_404, spec_of
from lessons.views.http import Request, go_to, go_to_login, learner_of, methods, respond, wants_fragment


@methods("GET", "POST")
def start_or_card(request: Request, course_slug: str, exercise_slug: str) -> HttpResponse:
    """POST: a lab for the exercise; GET: the card, for htmx (it asks again while the image is being built)."""
    exercise = exercise_or_404(course_slug, exercise_slug)
    if exercise.kind != "lab":
        raise Http404
    if request.method == "POST":
        return _start(request, exercise)
    if not wants_fragment(request):
        return HttpResponseRedirect(exercise.get_absolute_url())
    return render(request, "_lab_card.html", {"card": _card(exercise, learner_of(request))})


@methods("GET")
def show(request: Request, lab_id: UUID) -> HttpResponse:
    learner = learner_of(request)
    if learner is None:
        return go_to_login(request, after=request.path)
    lab = _lab_or_404(learner, lab_id)
    labs.touch_lab(lab=lab)
    if lab.state == LabState.PLACED and wants_fragment(request):
        labs.wait_until_settled(lab=lab, seconds=settings.ANSWER_WAIT_MS / 1000)
    return respond(request, "lab.html", "_lab_reply.html", _context(lab, learner, with_card=not lab.is_open))


@methods("GET")
def head(request: Request, lab_id: UUID) -> HttpResponse:
    """State and buttons alone: asked for whenever the lab changed."""
    lab = own_lab(request, lab_id)
    context = _context(lab, lab.learner, with_card=not lab.is_open)
    return _fragment(request, "_lab_head_reply.html", context, lab)


@methods("GET")
def checks(request: Request, lab_id: UUID) -> HttpResponse:
    lab = own_lab(request, lab_id)
    return _fragment(request, "_lab_checks.html", {"lab": queries.lab_view(lab)}, lab)


@methods("GET")
def topology(request: Request, lab_id: UUID) -> HttpResponse:
    """What the lab is made of, drawn and as tables."""
    lab = own_lab(request, lab_id)
    return _fragment(request, "_lab_topology.html", {"map": queries.lab_map(lab), "lab_dom_id": f"lab-{lab.pk}"}, lab)


@methods("POST")
def return_to_step(request: Request, lab_id: UUID) -> HttpResponse:
    """Back to where a check last passed; the sentence about it, which stays until it is read."""
    lab = own_lab(request, lab_id)
    try:
        step = lab_steps.return_to_step(lab=lab)
    except lab_steps.StepRefused as refusal:
        response = _fragment(request, "_lab_step_reply.html", {"problem": refusal.text}, lab)
        response.status_code = 422 if wants_fragment(request) else response.status_code
        return response
    context = {"title": step.title.replace("`", ""), "at": step.at, "problem": ""}
    return _fragment(request, "_lab_step_reply.html", context, lab)


@methods("POST")
def extend(request: Request, lab_id: UUID) -> HttpResponse:
    lab = own_lab(request, lab_id)
    problem = ""
    try:
        lab = labs.extend_lab(lab=lab)
    except labs.NoExtensionLeft:
        problem = _("늘릴 수 있는 만큼 다 늘렸어요. 시간이 끝나기 전에 채점해 두세요.")
    except labs.NotOpen:
        problem = _("이미 끝난 실습이에요.")
    context = {**_context(lab, lab.learner, with_card=not lab.is_open), "problem": problem}
    return _fragment(request, "_lab_head_reply.html", context, lab)


@methods("POST")
def end(request: Request, lab_id: UUID) -> HttpResponse:
    lab = own_lab(request, lab_id)
    labs.end_lab(lab=lab)
    return _fragment(request, "_lab_reply.html", _context(lab, lab.learner, with_card=True), lab)


@methods("POST")
def reset(request: Request, lab_id: UUID) -> HttpResponse:
    """Another lab in its first state; of one that is over, just show that it is."""
    lab = own_lab(request, lab_id)
    if not lab.is_open:
        return _fragment(request, "_lab_reply.html", _context(lab, lab.learner, with_card=True), lab)
    try:
        fresh = labs.reset_lab(lab=lab)
    except (labs.LabRefused, SandboxError) as refusal:
        return _refused(request, lab.exercise, lab.learner, refusal)
    return _fragment(request, "_lab_reply.html", _context(_again(fresh, lab), lab.learner, with_card=True), fresh)


def own_lab(request: Request, lab_id: UUID) -> LabSession:
    """The lab of who is asking, else 404: that somebody else's exists is nobody's business."""
    learner = learner_of(request)
    if learner is None:
        raise Http404
    return _lab_or_404(learner, lab_id)


def _start(request: Request, exercise: Exercise) -> HttpResponse:
    learner = enter(request)
    if learner is None:
        return go_to_login(request, after=exercise.get_absolute_url())
    try:
        lab = labs.request_lab(learner=learner, exercise=exercise, instead=bool(request.POST.get("instead")))
    except (labs.LabRefused, SandboxError) as refusal:
        return _refused(request, exercise, learner, refusal)
    labs.touch_lab(lab=lab, used=True)
    labs.wait_until_settled(lab=lab, seconds=settings.ANSWER_WAIT_MS / 1000)
    lab.exercise, lab.learner = exercise, learner
    return _fragment(request, "_lab_reply.html", _context(lab, learner, with_card=True), lab)


def _refused(request: Request, exercise: Exercise, learner: User, refusal: Exception) -> HttpResponse:
    """The card says why and what to do; it takes its own place, wherever the press was to go."""
    problem = ""
    if isinstance(refusal, labs.NotAllowed):
        problem = _("손님은 실습을 열 수 없어요. 로그인하고 다시 해 보세요.")
    elif isinstance(refusal, labs.NotOpen):
        problem = _("지금은 닫힌 문제예요.")
    elif isinstance(refusal, SandboxError):
        problem = _("실습 서버에 닿지 못했어요. 잠시 뒤에 다시 해 보세요.")
    card = _card(exercise, learner, problem=problem)
    if not wants_fragment(request):
        view = {"problem": problem or card.text}
        return render(request, "429.html", view, status=429)
    response = render(request, "_lab_card.html", {"card": card}, status=422)
    response["HX-Retarget"] = f"#{card.dom_id}-lab"
    response["HX-Reswap"] = "outerHTML"
    return response


def _fragment(request: Request, template: str, context: dict[str, Any], lab: LabSession) -> HttpResponse:
    """The fragment for htmx; the lab's own page otherwise."""
    if not wants_fragment(request):
        return go_to(request, reverse("lab", args=[lab.pk]))
    response = render(request, template, context)
    response["Cache-Control"] = "no-store"
    return response


def _context(lab: LabSession, learner: User, *, with_card: bool) -> dict[str, Any]:
    return {
        "lab": queries.lab_view(lab, place=labs.place_of(lab)),
        "card": _card(lab.exercise, learner) if with_card else None,
        "course": lab.exercise.course,
    }


def _card(exercise: Exercise, learner: User | None, *, problem: str = "") -> Any:
    return queries.lab_card(
        exercise,
        spec_of(exercise),
        learner=learner,
        labs=queries.open_labs(learner),
        progress_of=progress_of,
        problem=problem,
    )


def _again(fresh: LabSession, before: LabSession) -> LabSession:
    """The new row with what is known of the old one already."""
    fresh.exercise, fresh.learner = before.exercise, before.learner
    return fresh


def _lab_or_404(learner: User, lab_id: UUID) -> LabSession:
    lab = queries.lab_for(learner, lab_id)
    if lab is None:
        raise Http404
    lab.learner = learner
    return lab
