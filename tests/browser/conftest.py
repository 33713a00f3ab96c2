"""A real browser at a real server: the portal in a thread, graded by a sandbox that adds two numbers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from lessons.models import Exercise, User
from lessons.services import dispatch, grading, sandboxes
from tests.browser.adding import AddingSandbox
from tests.factories import SUM_FILES, make_exercise, make_learner, make_lesson, make_quiz

CHROMIUM = "/usr/bin/chromium"
PATIENCE_MS = 30_000  # what comes at once takes long on a busy machine; it is waited for no longer than it takes

FILES = {**SUM_FILES, "starter/numbers.txt": "3 4\n", "starter/notes.yaml": "sum: 7\n"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "page" in getattr(item, "fixturenames", ()) or "still_page" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """One browser for these tests, ended before others run: Playwright keeps an event loop in this thread,
    and Django would refuse the database beside it."""
    patch = pytest.MonkeyPatch()
    patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()
    patch.undo()


@pytest.fixture
def sandbox(chromium, transactional_db, settings, monkeypatch) -> Iterator[AddingSandbox]:
    """What grades: a fake sandbox under a real dispatcher."""
    fake = AddingSandbox()
    monkeypatch.setattr(sandboxes, "_sandbox", fake)
    settings.GUESTS = True
    settings.SUBMISSIONS_PER_MINUTE = 1000
    cache.clear()
    dispatch.start(grade=grading.grade_submission)
    yield fake
    dispatch.stop()


@pytest.fixture
def exercise(sandbox) -> Exercise:
    """The sum exercise in a lesson, with two read-only files beside main.py."""
    lesson = make_lesson(slug="first")
    html = (
        '<h2 id="start">시작</h2>\n<p>컨테이너는 <code>프로세스</code>예요.</p>'
        '<div class="highlight"><pre><span></span><code><span class="gp">$ </span>docker ps\n'
        '<span class="go">CONTAINER ID</span>\n</code></pre></div>'
        "<table><thead><tr><th>이름</th><th>뜻</th></tr></thead><tbody><tr><td>층</td><td>layer</td></tr></tbody></table>"
    )
    lesson.blocks = [{"html": html}]
    lesson.save(update_fields=["blocks"])
    return make_exercise(lesson, "sum", FILES)


@pytest.fixture
def quiz(exercise) -> Exercise:
    return make_quiz(exercise.lesson, "quiz")


@pytest.fixture
def learner(sandbox) -> User:
    return make_learner("learner")


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complained of: errors of scripts, of the network, of the content security policy.

    A test that provokes some clears them; what is left at the end fails it.
    """
    return []


@pytest.fixture
def site(live_server) -> str:
    """Where the portal answers."""
    return str(live_server.url)


@pytest.fixture
def context(chromium, site, complaints) -> Iterator[BrowserContext]:
    context = chromium.new_context(base_url=site, locale="ko-KR", viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    with under_way() as requests:
        yield context
        for page in context.pages:
            page.goto("about:blank")  # a page that is left still saves its draft: before the rows go away
        context.close()
        requests.settle()
    assert complaints == []


@pytest.fixture
def page(context, learner, complaints) -> Page:
    """A tab in which ``learner`` is logged in."""
    log_in(context, learner)
    return open_tab(context, complaints)


@pytest.fixture
def still_page(chromium, live_server, learner) -> Iterator[Page]:
    """The same without JavaScript."""
    context = chromium.new_context(base_url=live_server.url, locale="ko-KR", java_script_enabled=False)
    context.set_default_timeout(PATIENCE_MS)
    log_in(context, learner)
    yield context.new_page()
    context.close()


class UnderWay:
    """Counts the requests that the server has taken and not yet answered."""

    def __init__(self) -> None:
        self._count = 0
        self._changed = threading.Condition()

    def begun(self, **signal: object) -> None:
        with self._changed:
            self._count += 1

    def ended(self, **signal: object) -> None:
        with self._changed:
            self._count -= 1
            self._changed.notify_all()

    def settle(self) -> None:
        """Wait until the server has nothing to do."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._count <= 0, timeout=PATIENCE_MS / 1000)


@contextmanager
def under_way() -> Iterator[UnderWay]:
    requests = UnderWay()
    request_started.connect(requests.begun)
    request_finished.connect(requests.ended)
    try:
        yield requests
    finally:
        request_started.disconnect(requests.begun)
        request_finished.disconnect(requests.ended)


def open_tab(context: BrowserContext, complaints: list[str]) -> Page:
    page = context.new_page()

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(f"{message.type}: {message.text}")

    page.on("console", note)
    page.on("pageerror", lambda error: complaints.append(f"script: {error}"))
    return page


def log_in(context: BrowserContext, learner: User) -> None:
    client = Client()
    client.force_login(learner)
    name = django_settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "domain": "localhost", "path": "/"}])
