"""Learners' and evidence's texts made fit to show and to store: neutral, short, with their difference in sight."""

from __future__ import annotations

import difflib
import json
import re
from itertools import zip_longest
from typing import Any

EMPTY = "(비어 있음)"
NOTHING = "(찾지 못함)"
LINE_MOST = 200  # characters of a value in one line
TEXT_MOST = 2000  # of a value of several lines
OUTPUT_MOST = 64 * 1024
DIFF_LINES = 40
_BEFORE = 3

# Characters that reorder or hide text around them; the page could not be believed with them in it.
_BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_REORDERING = {ord(char): f"⟨U+{ord(char):04X}⟩" for char in _BIDI + "\u2028\u2029\ufeff"}
_CONTROL = {code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\n\t"} | {0x7F: "\u2421"}
_C1 = dict.fromkeys((*range(0x80, 0xA0), *range(0xD800, 0xE000)), "\ufffd")
_PLAIN = _CONTROL | _C1 | _REORDERING
_OUTPUT = {code: char for code, char in _PLAIN.items() if code not in (0x1B, 0x0D, 0x08)}


def plain(text: str) -> str:
    """``text`` without NUL, control, reordering and half characters: signs stand in their place."""
    return text.replace("\r\n", "\n").translate(_PLAIN)


def storable(text: str) -> str:
    """As ``plain``, but with what a terminal's colours need: escape, carriage return, backspace."""
    return text.translate(_OUTPUT)


def decode(raw: bytes) -> str:
    return raw.decode("utf-8", errors="replace")


def cut_output(raw: bytes) -> tuple[str, bool]:
    """A storable text of at most OUTPUT_MOST characters, and whether something was cut."""
    text = decode(raw[: 4 * OUTPUT_MOST])
    return storable(text[:OUTPUT_MOST]), len(text) > OUTPUT_MOST or len(raw) > 4 * OUTPUT_MOST


def describe(value: Any) -> str:
    """A JSON value in words: texts as they are, nothing as such, the rest as short JSON."""
    if value is None:
        return NOTHING
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, RecursionError):
        return str(type(value).__name__)


def pair(expected: str, found: str, *, exact: bool = False) -> tuple[str, str]:
    """Both texts to show beside each other, cut around their first difference.

    ``exact``: they were found to differ, so they must not look the same (spaces and line ends get signs).
    """
    start = _first_difference(expected, found)
    cut = [_window(text, start) for text in (expected, found)]
    shown = [plain(text).rstrip("\n") for text in cut]
    if exact and shown[0] == shown[1]:
        shown = [_with_marks(text) for text in cut]
    return shown[0] or EMPTY, shown[1] or EMPTY


def single_line(text: str) -> str:
    """For a sentence: one line, and no longer than one."""
    line = text.replace("\n", "↵")
    return line if len(line) <= LINE_MOST else line[: LINE_MOST - 1] + "…"


def difference(expected: str, found: str) -> str:
    """A unified diff of the lines around the first difference; empty where both are single lines."""
    wanted, got = plain(expected[: 2 * OUTPUT_MOST]).splitlines(), plain(found[: 2 * OUTPUT_MOST]).splitlines()
    if wanted == got or (len(wanted) <= 1 and len(got) <= 1):
        return ""
    first = next(i for i, (left, right) in enumerate(zip_longest(wanted, got)) if left != right)
    start = max(0, first - _BEFORE)
    left, right = (
        [_window(line, 0, LINE_MOST) for line in lines[start : start + DIFF_LINES]] for lines in (wanted, got)
    )
    lines = list(difflib.unified_diff(left, right, "바란 값", "실제 값", lineterm="", n=_BEFORE))
    if not lines:  # the difference lies past the cut of a long line
        lines = ["--- 바란 값", "+++ 실제 값", "@@ -1 +1 @@", f" {first + 1}번째 줄의 뒷부분이 달라요."]
    return "\n".join(_renumber(line, start) for line in lines)


def first_different_line(expected: str, found: str) -> int:
    """Counted from 1."""
    lines = zip_longest(expected.splitlines(), found.splitlines())
    return next((number for number, (left, right) in enumerate(lines, start=1) if left != right), 1)


def _renumber(line: str, offset: int) -> str:
    if not line.startswith("@@"):
        return line
    return re.sub(r"([-+])(\d+)", lambda part: f"{part[1]}{int(part[2]) + offset}", line, count=2)


def _with_marks(text: str) -> str:
    """Spaces and line ends made visible, for texts that differ in nothing else."""
    marked = text.replace("\r", "␍").replace("\n", "↵").replace("\t", "→").replace(" ", "·")
    return plain(marked)


def _first_difference(left: str, right: str) -> int:
    return next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))


def _window(text: str, start: int, most: int = TEXT_MOST) -> str:
    if len(text) <= most:
        return text
    begin = max(0, min(start - most // 3, len(text) - most))
    piece = text[begin : begin + most]
    return ("…" if begin else "") + piece + ("…" if begin + most < len(text) else "")
