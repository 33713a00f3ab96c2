"""From a terminal's bytes to explanations, at a cost that no output can raise."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

import re2

from lessons.explainer.entries import Entry, fill, read_entries

MOST_CARRIED = 4 * 1024  # bytes of a line that has not ended yet
MOST_LINE = 4 * 1024
LINES_PER_SECOND = 200.0  # lines that are looked at closely
LINES_SAVED_UP = 400.0
BYTES_PER_SECOND = 512 * 1024.0  # bytes that are looked at at all
BYTES_SAVED_UP = 1024 * 1024.0
GAP_SECONDS = 1.0  # between two explanations
SAME_AGAIN_SECONDS = 15.0
LONGEST_VALUE = 120

# What every known error holds: one fast look at bytes decides for nearly all output that there is nothing to explain.
_TELLING = re2.compile(
    rb"(?i)error|denied|unauthorized|no such|not found|cannot|can't|could not|unable|invalid|failed|conflict|unknown"
    rb"|no space|killed|exit code|exited|is not a|refusing"
    rb"|already|dial |not running|in use|no configuration|requires at least|not exist"
    rb"|BackOff|Back-off|nodes are available|InvalidImageName|ErrImage|Endpoints:|<unknown>|no matches|doesn't have"
    rb"|field|must |is required|not set|not available|timed out|exceeded|refused|bad address|is waiting to"
    rb"|unrecognized type"
)
_ANSI = re.compile(rb"\x1b(?:\[[0-9;?<=>!]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[()#%][0-9A-Za-z]|[@-Z\\-_=>])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069`]")
_BREAK = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True)
class Explanation:
    """Plain texts; parts in backticks are code. ``show`` is a command, with every value quoted for the shell."""

    id: str
    title: str
    cause: str
    show: str
    next: str


class Explainer:
    """Of one terminal. ``feed`` takes what it says, as it comes, cut anywhere."""

    def __init__(self) -> None:
        self._entries = read_entries()
        self._carried = b""
        self._lines = _Allowance(LINES_PER_SECOND, LINES_SAVED_UP)
        self._bytes = _Allowance(BYTES_PER_SECOND, BYTES_SAVED_UP)
        self._last_at = float("-inf")
        self._last: Explanation | None = None

    def feed(self, data: bytes, now: float) -> Explanation | None:
        """The last known error among the lines that ended in ``data``; None for nothing new. ``now``: seconds.

        Output that comes too fast to be read by anybody is let pass without a look.
        """
        if not self._bytes.take(len(data), now):
            self._carried = b""
            return None
        text = self._carried + data
        end = max(text.rfind(b"\n"), text.rfind(b"\r"))
        if end < 0:
            self._carried = text[-MOST_CARRIED:]
            return None
        whole, self._carried = text[: end + 1], text[end + 1 :][-MOST_CARRIED:]
        if b"\x1b" in whole:
            whole = _ANSI.sub(b"", whole)
        if _TELLING.search(whole) is None:
            return None
        found = None
        for line in self._telling_lines(whole, now):
            found = self._explain(line) or found
        return self._unless_just_said(found, now)

    def _telling_lines(self, whole: bytes, now: float) -> Iterator[str]:
        for line in _BREAK.split(whole):
            if not line or _TELLING.search(line[:MOST_LINE]) is None:
                continue
            if not self._lines.take(1, now):
                return
            yield line[:MOST_LINE].decode("utf-8", "replace")

    def _explain(self, line: str) -> Explanation | None:
        for entry in self._entries:
            match = entry.pattern.search(line)
            if match is not None:
                return _filled(entry, {name: value or "" for name, value in match.groupdict().items()})
        return None

    def _unless_just_said(self, found: Explanation | None, now: float) -> Explanation | None:
        since = now - self._last_at
        if found is None or since < GAP_SECONDS or (found == self._last and since < SAME_AGAIN_SECONDS):
            return None
        self._last, self._last_at = found, now
        return found


class _Allowance:
    def __init__(self, rate: float, most: float) -> None:
        self.rate, self.most, self.left = rate, most, most
        self.at: float | None = None

    def take(self, amount: float, now: float) -> bool:
        if self.at is not None:
            self.left = min(self.most, self.left + (now - self.at) * self.rate)
        self.at = now
        if amount > self.left:
            return False
        self.left -= amount
        return True


def _filled(entry: Entry, groups: dict[str, str]) -> Explanation:
    """What the terminal said is the learner's, or a program's of theirs: harmless in texts, quoted in a command."""
    shown = {name: _CONTROL.sub("", value)[:LONGEST_VALUE] for name, value in groups.items()}
    quoted = {name: shlex.quote(value) for name, value in shown.items()}
    return Explanation(
        id=entry.id,
        title=fill(entry.title, shown),
        cause=fill(entry.cause, shown),
        show=fill(entry.show, quoted),
        next=fill(entry.next, shown),
    )
