"""What every view shares: typed requests, who is asking, page or fragment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django_htmx.middleware import HtmxDetails

from lessons.models import User

THEMES = ("light", "dark", "auto")

P = ParamSpec("P")


class Request(HttpRequest):
    """A request after the middleware: who asks, and whether htmx does."""

    user: User | AnonymousUser
    htmx: HtmxDetails
    csp_nonce: str


View = Callable[Concatenate[Request, P], HttpResponse]


def methods(*allowed: str) -> Callable[[View[P]], View[P]]:
    """Refuse other methods with 405 and a page that says so; HEAD comes with GET."""
    names = [*allowed, "HEAD"] if "GET" in allowed else list(allowed)

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def checked(request: Request, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if request.method in names:
                return view(request, *args, **kwargs)
            response = render(request, "405.html", {"problem": ""}, status=405)
            response["Allow"] = ", ".join(names)
            return response

        return checked

    return decorate


def learner_of(request: Request) -> User | None:
    """Who is logged in, guests included; None for an anonymous visitor."""
    return request.user if isinstance(request.user, User) else None


def wants_fragment(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of the page, rather than a browser for the whole."""
    htmx: HtmxDetails | None = getattr(request, "htmx", None)
    return bool(htmx) and htmx is not None and not htmx.boosted and not htmx.history_restore_request


def respond(
    request: Request, page: str, fragment: str, context: Mapping[str, Any], *, fragment_status: int = 200
) -> HttpResponse:
    """The fragment for htmx, the page otherwise, under the same address."""
    if wants_fragment(request):
        response = render(request, fragment, dict(context), status=fragment_status)
        response["Cache-Control"] = "no-store"  # or the back button might show a fragment as a page
    else:
        response = render(request, page, dict(context))
    patch_vary_headers(response, ["HX-Request"])
    return response


def problem_fragment(request: HttpRequest, problems: Sequence[str], *, status: int) -> HttpResponse:
    return render(request, "_problem.html", {"problems": problems}, status=status)


def go_to(request: HttpRequest, url: str) -> HttpResponse:
    """Redirect, also where htmx would otherwise put the new page into the old one."""
    if wants_fragment(request):
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)


def go_to_login(request: HttpRequest, *, after: str) -> HttpResponse:
    return go_to(request, f"{reverse('login')}?{urlencode({'next': after})}")


def next_url(request: HttpRequest) -> str:
    """The address to go on to, if it is one of ours; else the front page."""
    url = request.POST.get("next") or request.GET.get("next") or ""
    ours = url_has_allowed_host_and_scheme(url, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return url if ours else reverse("home")


def page_context(request: HttpRequest) -> dict[str, Any]:
    """Context processor: what base.html needs on every page."""
    theme = request.COOKIES.get("theme", "auto")
    return {
        "theme": theme if theme in THEMES else "auto",
        "guests": settings.GUESTS,
        "page_path": request.get_full_path(),
        "csp_nonce": getattr(request, "csp_nonce", ""),
    }
