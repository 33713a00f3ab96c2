"""A learner with a lab: HTTP for its life, a WebSocket for its terminal."""

from __future__ import annotations

import re
import time
import urllib.parse
from typing import Any

from portal_under_test import Learner, Portal
from websockets.sync.client import connect

_POD = "kubectl run first --image=shop:v1 >/dev/null && kubectl wait --for=condition=Ready pod/first >/dev/null"
# Of a lab image: the exercise of bench/course, and the first thing that its learner does. What is typed is not what is
# waited for.
IMAGES = {
    "docker": ("web", "docker run --rm busybox:1.37 echo usa''ble\r"),
    "kubernetes-light": ("light", f"{_POD}; echo usa''ble\r"),
    "kubernetes": ("full", f"{_POD}; echo usa''ble\r"),
}


class LabLearner(Learner):
    """One browser on the lesson with a lab."""

    LESSON = "/bench/02-lab/"

    def __init__(self, portal: Portal, session: str, image: str = "docker") -> None:
        super().__init__(portal.port, session)
        self.port = portal.port
        exercise, self.first_run = IMAGES[image]
        self.lab_url = f"/bench/exercises/{exercise}/lab/"
        self.url = ""

    def post(self, path: str, **fields: str) -> tuple[int, str]:
        body = urllib.parse.urlencode({"csrfmiddlewaretoken": self.token, **fields})
        headers = {**self._headers(), "Content-Type": "application/x-www-form-urlencoded"}
        response, page = self._exchange("POST", path, headers, body)
        return response.status, page

    def open(self) -> None:
        """Press 실습 시작."""
        status, page = self.post(self.lab_url)
        found = re.search(r"/labs/[0-9a-f-]{36}/", page)
        if status != 200 or not found:
            raise SystemExit(f"no lab: {status} {page[:300]}")
        self.url = found[0]
        self.page = page

    def wait_until_live(self, deadline_s: float = 120) -> bool:
        """Poll as the page does, until the terminals can be used; whether the learner had to wait in the queue."""
        began = time.monotonic()
        queued = False
        page = self.page
        while time.monotonic() - began < deadline_s:
            found = re.search(r'data-tone="([a-z]+)"', page)
            tone = found[1] if found else "missing"
            if tone == "live":
                return queued
            if tone not in ("waiting", "preparing"):
                raise SystemExit(f"the lab is {tone}: {page[:500]}")
            queued = queued or tone == "waiting"
            delay = re.search(r"delay:(\d+)ms", page)
            time.sleep(int(delay[1]) / 1000 if delay else 0.2)
            page = self.get(self.url, htmx=True)[1]
        raise SystemExit(f"the lab was not there within {deadline_s} s")

    def end(self) -> None:
        self.post(f"{self.url}end/")

    def terminal(self, number: int = 1) -> Terminal:
        status, answer = self.post(f"{self.url}terminals/", number=str(number))
        found = re.search(r'"url": *"([^"]+)"', answer)
        if status != 200 or not found:
            raise SystemExit(f"no ticket: {status} {answer[:300]}")
        return Terminal(self.port, self.session, found[1].replace("\\u0026", "&"))


class Terminal:
    """An open terminal; acknowledges what it reads, as a browser does."""

    def __init__(self, port: int, session: str, path: str) -> None:
        self._connecting = connect(
            f"ws://127.0.0.1:{port}{path}",
            origin=f"http://127.0.0.1:{port}",  # type: ignore[arg-type]  # a NewType over str
            additional_headers={"Cookie": f"sessionid={session}"},
            max_size=2**20,
        )
        self.seen = b""

    def __enter__(self) -> Terminal:
        self.socket = self._connecting.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._connecting.__exit__(*error)

    def type(self, text: str) -> None:
        self.socket.send(text.encode())

    def forget(self) -> None:
        """Drop what has come so far."""
        try:
            while True:
                self._read(0.05)
        except TimeoutError:
            self.seen = b""

    def wait_for(self, text: str, *, deadline_s: float = 30, fresh: bool = False) -> None:
        """Until the text has come; with ``fresh`` after what was seen before."""
        if fresh:
            self.seen = b""
        ends_at = time.monotonic() + deadline_s
        while text.encode() not in self.seen:
            self._read(ends_at - time.monotonic())

    def _read(self, seconds: float) -> None:
        message = self.socket.recv(timeout=max(0.01, seconds))
        if isinstance(message, bytes):
            self.seen = (self.seen + message)[-65536:]
            self.socket.send(f'{{"type": "ack", "bytes": {len(message)}}}')
