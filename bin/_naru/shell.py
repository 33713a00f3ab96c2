"""Running other programs: output kept for the failure message, never a shell."""

from __future__ import annotations

import os
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from _naru.say import Failure

TAIL_LINES = 40
_running: set[subprocess.Popen[bytes]] = set()
_cancelled = threading.Event()


def run(
    argv: Sequence[str | Path],
    *,
    failure: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: IO[bytes] | int = subprocess.DEVNULL,
    on_line: Callable[[str], None] | None = None,
) -> str:
    """Run to the end and return stdout and stderr together; raises Failure(failure) with the output's end."""
    if _cancelled.is_set():
        raise Failure(failure)
    tail: deque[str] = deque(maxlen=TAIL_LINES)
    kept: list[str] = []
    try:
        process = subprocess.Popen(
            [str(part) for part in argv],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except OSError as error:
        raise Failure(failure, f"{argv[0]}: {error.strerror}") from error
    _running.add(process)
    with process:
        if process.stdout is None:
            raise RuntimeError("stdout was asked for")
        for raw in process.stdout:
            text = raw.decode(errors="replace").rstrip("\n")
            tail.append(text)
            kept.append(text)
            if on_line and text.strip():
                on_line(text)
    _running.discard(process)
    if process.returncode:
        raise Failure(failure, "\n".join(tail))
    return "\n".join(kept)


def cancel() -> None:
    """The operator wants to stop: end what runs, refuse what comes. Questions (``answer``) still work."""
    _cancelled.set()
    for process in list(_running):
        process.terminate()


def answer(argv: Sequence[str | Path], *, env: Mapping[str, str] | None = None, timeout: float = 30) -> str | None:
    """Stdout of a short question, stripped, or None when it failed, is missing or took too long."""
    try:
        done = subprocess.run(
            [str(part) for part in argv],
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else None
