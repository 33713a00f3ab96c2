"""The page's policy, and how the middleware is called."""

from __future__ import annotations

import asyncio

from django.http import HttpRequest, HttpResponse
from django.middleware.common import CommonMiddleware
from django.test import AsyncClient, RequestFactory, override_settings
from django.urls import path

from lessons.middleware import ContentSecurityPolicyMiddleware


def hello(request: HttpRequest) -> HttpResponse:
    return HttpResponse("hello")


urlpatterns = [path("", hello)]


def answer(use_nonce: bool, **headers: str) -> HttpResponse:
    def view(request):
        if use_nonce:
            headers["X-Nonce"] = str(request.csp_nonce)
            assert str(request.csp_nonce) == headers["X-Nonce"]
        return HttpResponse(headers=headers)

    return ContentSecurityPolicyMiddleware(view)(RequestFactory().get("/"))


def test_policy_allows_nothing_inline():
    policy = answer(use_nonce=False)["Content-Security-Policy"]
    assert "style-src 'self';" in policy
    assert "nonce" not in policy
    assert "unsafe" not in policy


def test_policy_names_the_nonce_that_a_page_asked_for():
    first, second = answer(use_nonce=True), answer(use_nonce=True)
    assert f"style-src 'self' 'nonce-{first['X-Nonce']}'" in first["Content-Security-Policy"]
    assert "script-src 'self';" in first["Content-Security-Policy"]
    assert first["X-Nonce"] != second["X-Nonce"]


def test_policy_of_a_view_is_kept():
    assert answer(False, **{"Content-Security-Policy": "sandbox"})["Content-Security-Policy"] == "sandbox"


def test_line_is_never_called_from_the_event_loop(monkeypatch):
    """Each such call would hop to a thread and back."""
    called: list[str] = []
    monkeypatch.setattr(CommonMiddleware, "__acall__", lambda self, request: called.append("async"))
    line = ["django.middleware.common.CommonMiddleware", "lessons.middleware.stay_in_one_thread"]
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=line):
        response = asyncio.run(AsyncClient().get("/"))
    assert (response.content, called) == (b"hello", [])
