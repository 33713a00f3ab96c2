"""Boxes and lines of a drawing: sizes, texts that fit, curves."""

from __future__ import annotations

import unicodedata

from lessons.topology.shapes import BAD, OFF, OK, WAIT, Box, Link, Text

WIDTH = 480
GAP = 8  # between boxes of a column
ROW = 40  # height of a box with two lines
PAD = 9
_TITLE_UNIT, _SUB_UNIT = 7.4, 6.0  # width of a Latin letter in the two sizes of text
_CROSSED = (BAD, WAIT)


def fitted(text: str, width: float, unit: float = _TITLE_UNIT) -> str:
    """The text within ``width``: its middle goes, since names differ at both ends."""
    if _length(text) * unit <= width:
        return text
    room = max(3, int(width / unit)) - 1
    tail = room // 2
    head, end = text, ""
    while head and _length(head) > room - tail:
        head = head[:-1]
    for one in reversed(text):
        if _length(one + end) > tail:
            break
        end = one + end
    return f"{head}…{end}"


def _length(text: str) -> float:
    """In Latin letters; Hangul and the like take the room of nearly two."""
    return sum(1.75 if unicodedata.east_asian_width(one) in "WF" else 1.0 for one in text)


def box(kind: str, tone: str, place: tuple[int, int], width: int, title: str, sub: str = "", height: int = ROW) -> Box:
    """A box with its name, and a smaller line below it."""
    x, y = place
    inner = width - 2 * PAD
    texts = []
    if title:
        texts.append(Text(x + PAD, y + (17 if sub else 24), fitted(title, inner), "title"))
    if sub:
        texts.append(Text(x + PAD, y + 32, fitted(sub, inner, _SUB_UNIT), "sub"))
    return Box(kind, tone, x, y, width, height, tuple(texts))


def across(start: Box, end: Box, tone: str) -> Link:
    """From the side of one box to the nearer side of another; one that does not hold is crossed."""
    rightwards = end.x >= start.x
    x1 = start.x + start.width if rightwards else start.x
    x2 = end.x if rightwards else end.x + end.width
    y1, y2 = start.y + start.height // 2, end.y + end.height // 2
    bend = (x1 + x2) // 2
    cross = (bend, (y1 + y2) // 2) if tone in _CROSSED else None
    return Link(f"M{x1} {y1}C{bend} {y1} {bend} {y2} {x2} {y2}", tone, cross)


def down(start: Box, end: Box, tone: str) -> Link:
    """From a box to one below it, along its left edge."""
    x, y1 = start.x + 14, start.y + start.height
    y2 = end.y + end.height // 2
    if end.x > x:
        d = f"M{x} {y1}V{y2 - 6}Q{x} {y2} {x + 6} {y2}H{end.x}"
    else:
        d = f"M{x} {y1}V{end.y}"
        y2 = end.y
    return Link(d, tone, (x, (y1 + y2) // 2) if tone in _CROSSED else None)


def quiet(tone: str) -> str:
    """The tone of a link to what is there but not in use."""
    return OFF if tone == OFF else OK
