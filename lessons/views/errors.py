"""What a visitor reads when something is refused or broken: Korean, and what to do next."""

from __future__ import annotations

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from lessons.views.http import problem_fragment, wants_fragment


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400, and 413 for a body that is too large."""
    if isinstance(exception, RequestDataTooBig):
        return _answer(request, 413, _("보낸 내용이 너무 커요. 답은 모두 더해 256 KB까지 낼 수 있어요."))
    if isinstance(exception, TooManyFieldsSent | TooManyFilesSent):
        return _answer(request, 413, _("보낸 항목이 너무 많아요. 파일은 20개까지 낼 수 있어요."))
    return _answer(request, 400, "")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 403, "")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 404, "")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without our token: an old page, cookies turned off, or somebody else's site."""
    problem = _("보안을 위해 이 요청을 받지 않았어요. 페이지를 새로 고치고 다시 해 보세요.")
    if wants_fragment(request):
        return problem_fragment(request, [problem], status=403)
    return render(request, "403_csrf.html", {"problem": problem}, status=403)


def _answer(request: HttpRequest, status: int, problem: str) -> HttpResponse:
    if problem and wants_fragment(request):
        return problem_fragment(request, [problem], status=status)
    return render(request, f"{status}.html", {"problem": problem}, status=status)
