"""Headers of every page: what a browser may load, and from where."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import sync_only_middleware
from django.utils.functional import SimpleLazyObject

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}


class ContentSecurityPolicyMiddleware:
    """No inline script or style, nothing from elsewhere.

    ``request.csp_nonce`` allows the <style> elements that the code editor and the terminal make; it is drawn, and
    stands in the policy, only where a template asked for it. A response that brings its own policy keeps it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        drawn: list[str] = []

        def nonce() -> str:
            drawn.append(secrets.token_urlsafe(16))
            return drawn[0]

        request.csp_nonce = SimpleLazyObject(nonce)  # type: ignore[attr-defined]  # read through views.http.page_context
        response = self.get_response(request)
        if "Content-Security-Policy" not in response:
            response["Content-Security-Policy"] = _policy(drawn[0] if drawn else "", _sockets(request))
        return response


@sync_only_middleware
def stay_in_one_thread(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Does nothing, last in line: Django then runs the whole line in one thread.

    Without it each middleware that can do both is called from the event loop and hops to a thread and back
    twice, about 1 ms a request in all.
    """
    return get_response


def _sockets(request: HttpRequest) -> str:
    """Where terminals connect to. Not every browser takes 'self' to mean this site's sockets too."""
    try:
        host = request.get_host()
    except DisallowedHost:
        return ""
    return f"{'wss' if request.is_secure() else 'ws'}://{host}"


def _policy(nonce: str, sockets: str) -> str:
    rules = dict(POLICY)
    if nonce:
        rules["style-src"] += f" 'nonce-{nonce}'"
    if nonce and sockets:  # both belong to the pages that have exercises in them
        rules["connect-src"] += f" {sockets}"
    return "; ".join(f"{name} {value}" for name, value in rules.items())
