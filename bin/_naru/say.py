"""What the operator reads while things are set up: one line a step, one clear line for a failure."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_shown: dict[str, float] = {}  # label -> when its progress was last written
timings: list[tuple[str, float]] = []  # (step, seconds) in order of their ends

PROGRESS_EVERY_S = 5.0


class Failure(Exception):
    """Setting up cannot go on. The text is one Korean line; ``detail`` (a log's end) follows it."""

    def __init__(self, line: str, detail: str = "") -> None:
        super().__init__(line)
        self.line = line
        self.detail = detail.strip()


def line(text: str) -> None:
    with _lock:
        print(text, flush=True)


def failed(failure: Failure) -> None:
    with _lock:
        if failure.detail:
            print(failure.detail, file=sys.stderr)
        print(f"✗ {failure.line}", file=sys.stderr, flush=True)


def progress(label: str, text: str) -> None:
    """Something long still moves: shown at most every few seconds."""
    now = time.monotonic()
    with _lock:
        if now - _shown.get(label, 0.0) < PROGRESS_EVERY_S:
            return
        _shown[label] = now
        print(f"  … {label}: {text.strip()[:100]}", flush=True)


@contextmanager
def step(label: str, *, quiet: bool = False) -> Iterator[None]:
    """Times a step; says that it began (unless quiet) and, when it took a while, that it is done."""
    if not quiet:
        line(f"· {label}")
    began = time.monotonic()
    try:
        yield
    finally:
        took = time.monotonic() - began
        timings.append((label, took))
        if took >= 2 and not quiet and sys.exc_info()[0] is None:
            line(f"  {label}: {took:.0f}초")


def slowest(count: int = 10) -> list[tuple[str, float]]:
    return sorted(timings, key=lambda item: -item[1])[:count]
