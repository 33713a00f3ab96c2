"""Logging in and out, and trying as a guest."""

from __future__ import annotations

import hashlib
import threading
from typing import Any

from django.conf import settings
from django.contrib.auth import login, logout
from django.contrib.auth import views as auth_views
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _

from lessons.forms import LoginForm
from lessons.models import Exercise, User
from lessons.services import accounts, submissions
from lessons.views.http import Request, go_to, go_to_login, learner_of, methods, next_url

BACKEND = "django.contrib.auth.backends.ModelBackend"
MOST_FAILURES = 10  # of one name from one address, then a pause; other names of a class are not touched
PAUSE_SECONDS = 300
TWIN_SECONDS = 30
UNSAVED = "unsaved_answer"  # in the session: what an anonymous visitor posted before being asked to log in

_one_guest_at_a_time = threading.Lock()


def enter(request: Request) -> User | None:
    """Who is asking, for a request that writes: a new guest where guests are allowed, else None."""
    learner = learner_of(request)
    if learner is not None or not settings.GUESTS:
        return learner
    guest = _guest_of_this_browser(request)
    secret = request.META.get("CSRF_COOKIE")
    login(request, guest, backend=BACKEND)
    if secret:
        # login() changes the form secret, which would refuse the next press in the page that is open now. A guest
        # made this moment has nothing that an older secret could reach; the session's own key did change.
        request.META["CSRF_COOKIE"] = secret
    return guest


def keep_unsaved(request: Request, exercise: Exercise, files: dict[str, str], stdin: str) -> None:
    """Remember what was posted until the login that must come first."""
    request.session[UNSAVED] = {"exercise": exercise.pk, "files": files, "stdin": stdin}


class LoginView(auth_views.LoginView):
    """Log in; what was done as a guest in this browser, or just posted, comes along."""

    form_class = LoginForm
    template_name = "registration/login.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        user = request.user
        if isinstance(user, User) and not user.is_guest:
            return HttpResponseRedirect(self.get_success_url())
        return super().dispatch(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        key = _failures_key(request)
        if cache.get(key, 0) >= MOST_FAILURES:
            problem = _("로그인에 여러 번 실패했어요. 5분 뒤에 다시 해 보세요.")
            return render(request, "429.html", {"problem": problem}, status=429)
        return super().post(request, *args, **kwargs)

    def form_invalid(self, form: Any) -> HttpResponse:
        key = _failures_key(self.request)
        cache.set(key, cache.get(key, 0) + 1, PAUSE_SECONDS)
        return super().form_invalid(form)

    def form_valid(self, form: Any) -> HttpResponse:
        cache.delete(_failures_key(self.request))
        before = self.request.user
        unsaved = self.request.session.get(UNSAVED)
        response = super().form_valid(form)
        learner = form.get_user()
        if isinstance(before, User) and before.is_guest:
            accounts.adopt_guest_work(guest=before, learner=learner)
        if unsaved:
            self.request.session.pop(UNSAVED, None)
            _save_unsaved(learner, unsaved)
        return response


@methods("POST")
def log_out(request: Request) -> HttpResponse:
    logout(request)
    return HttpResponseRedirect(next_url(request))


@methods("POST")
def enter_as_guest(request: Request) -> HttpResponse:
    url = next_url(request)
    return go_to_login(request, after=url) if enter(request) is None else go_to(request, url)


def _guest_of_this_browser(request: HttpRequest) -> User:
    """A new guest, the same for two tabs whose first posts come at once (they share the form secret)."""
    secret = request.META.get("CSRF_COOKIE")
    if not secret:
        return accounts.create_guest()
    key = f"guest-{hashlib.sha256(secret.encode()).hexdigest()}"
    with _one_guest_at_a_time:
        guest = User.objects.filter(pk=cache.get(key, 0), is_guest=True).first()
        if guest is None:
            guest = accounts.create_guest()
            cache.set(key, guest.pk, TWIN_SECONDS)
    return guest


def _failures_key(request: HttpRequest) -> str:
    name = request.POST.get("username", "").strip().casefold()
    address = request.META.get("REMOTE_ADDR", "")
    return f"login-{hashlib.sha256(f'{address}/{name}'.encode('utf-8', 'replace')).hexdigest()}"


def _save_unsaved(learner: User, unsaved: dict[str, Any]) -> None:
    exercise = Exercise.objects.published().filter(pk=unsaved["exercise"]).first()
    if exercise is not None:
        submissions.save_draft(learner=learner, exercise=exercise, files=unsaved["files"], stdin=unsaved["stdin"])
