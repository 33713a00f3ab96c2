"""Labs in a browser: pages and sockets are real, the lab's shells are socket pairs that the test holds."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page

from lessons.models import Exercise
from lessons.services import lab_keeper
from tests.browser.labs.server import Server
from tests.factories import make_lab_exercise, make_lesson
from tests.fakes import FakeShell

PROSE = (
    '<h2 id="start">시작</h2><p>컨테이너를 봐요.</p>'
    '<div class="highlight"><pre><span></span><code><span class="gp">$ </span>docker ps\n'
    '<span class="go">CONTAINER ID</span>\n'
    '<span class="gp">$ </span>docker run -d \\\n<span class="gp">&gt; </span>--name web nginx:1.28\n'
    "</code></pre></div>"
)
PROMPT = b"\x1b[?2004hroot@naru:~# "  # as bash does it: with bracketed paste
PATIENCE = 20.0  # seconds: what comes at once takes longer on a busy machine


class Far:
    """What the shell's program reads and says."""

    def __init__(self, shell: FakeShell) -> None:
        self.shell = shell
        self._read = b""
        self._news = threading.Condition()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                self.shell.far.settimeout(None)
                data = self.shell.far.recv(65536)
            except OSError:
                return
            if not data:
                return
            with self._news:
                self._read += data
                self._news.notify_all()

    def say(self, text: str | bytes) -> None:
        self.shell.far.sendall(text.encode() if isinstance(text, str) else text)

    def hears(self, text: str) -> None:
        """The learner typed exactly this since the last call."""
        wanted = text.encode()
        with self._news:
            self._news.wait_for(lambda: len(self._read) >= len(wanted), timeout=PATIENCE)
            heard, self._read = self._read, b""
        assert heard == wanted

    def exit(self) -> None:
        """The program leaves."""
        self.shell.far.shutdown(socket.SHUT_RDWR)  # wakes the listener, which holds the other end open
        self.shell.exit()

    def hears_nothing(self, page: Page) -> None:
        """Also not a little later."""
        page.wait_for_timeout(200)
        with self._news:
            assert self._read == b""


@pytest.fixture
def site(sandbox, settings) -> Iterator[str]:
    settings.ALLOWED_HOSTS = ["localhost"]
    settings.LAB_MEMORY_MB = 4096
    server = Server()
    lab_keeper.start()
    yield server.url
    lab_keeper.stop()
    server.stop()


@pytest.fixture
def lab_exercise(sandbox) -> Exercise:
    lesson = make_lesson(slug="labs")
    lesson.blocks = [{"html": PROSE}]
    lesson.save(update_fields=["blocks"])
    return make_lab_exercise(lesson, "containers")


@pytest.fixture
def far_of(sandbox) -> Callable[[int], Far]:
    """The far end of terminal ``number`` in the newest lab."""

    def find(number: int = 1) -> Far:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            labs = list(sandbox.labs.values())
            shells = [shell for shell in (labs[-1].shells if labs else []) if shell.number == number]
            if shells:
                return Far(shells[-1])
            time.sleep(0.02)
        raise AssertionError(f"terminal {number} was not opened")

    return find
