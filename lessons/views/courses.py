"""Reading: the courses, a course, a lesson with its pictures, and what the learner has done."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import render

from lessons import queries, queue
from lessons.views.environments import progress_of
from lessons.views.http import Request, go_to_login, learner_of, methods

# A picture is only ever shown as <img>; opened by itself it may run nothing, load nothing and reach nothing.
IMAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
IMAGE_TYPES = {"image/svg+xml", "image/png", "image/jpeg", "image/gif", "image/webp"}


@methods("GET")
def home(request: Request) -> HttpResponse:
    return render(request, "home.html", {"courses": queries.course_cards(learner_of(request))})


@methods("GET")
def course(request: Request, course_slug: str) -> HttpResponse:
    card = queries.course_card(course_slug, learner_of(request))
    if card is None:
        raise Http404
    return render(request, "course.html", {"card": card})


@methods("GET")
def lesson(request: Request, course_slug: str, lesson_slug: str) -> HttpResponse:
    learner = learner_of(request)
    page = queries.lesson_page(
        course_slug, lesson_slug, learner=learner, place_of=queue.place_of, progress_of=progress_of
    )
    if page is None:
        raise Http404
    return render(request, "lesson.html", {"page": page})


@methods("GET")
def lesson_image(request: Request, course_slug: str, lesson_slug: str, name: str) -> HttpResponse:
    image = queries.lesson_image(course_slug, lesson_slug, name)
    if image is None:
        raise Http404
    content_type = image.content_type if image.content_type in IMAGE_TYPES else "application/octet-stream"
    return HttpResponse(
        bytes(image.data),
        content_type=content_type,
        headers={
            "Content-Security-Policy": IMAGE_POLICY,
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cache-Control": "public, max-age=300",
        },
    )


@methods("GET")
def me(request: Request) -> HttpResponse:
    learner = learner_of(request)
    if learner is None:
        return go_to_login(request, after=request.path)
    return render(request, "me.html", {"page": queries.learner_page(learner)})
