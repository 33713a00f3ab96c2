"""Refuses Markdown that would keep its library busy for minutes: its search is quadratic in places."""

from __future__ import annotations

import re

from lessons.content import rules

_FENCE = re.compile(r"[ >]*(```+|~~~+)")
_OPEN_BRACKETS = 60  # unclosed ones of a paragraph: each costs Markdown a look through the rest of it
_MARKS = 4_000  # * and _ of a paragraph
_QUOTE_DEPTH = 12
_PARAGRAPH = 20_000
_INDENT = 48
_BULLET = re.compile(r"[*+-] ")


def markdown_fault(text: str) -> tuple[int, str, str] | None:
    """What is too much about ``text``: (row from 0, message, fix) in Korean, or None."""
    if len(text.encode(errors="replace")) > rules.MARKDOWN_BYTES:
        return 0, f"글이 {rules.MARKDOWN_BYTES // rules.KB} KB보다 커요.", "글을 나눠 주세요."
    fence = ""
    opened = marks = size = 0
    for number, row in enumerate(text.split("\n")):
        found = _FENCE.match(row)
        if found and (not fence or found[1].startswith(fence)):
            fence = "" if fence else found[1]
        if not row.strip():
            opened = marks = size = 0
            continue
        size += len(row)
        opened = max(0, opened + sum(row.count(mark) for mark in "[(<") - sum(row.count(mark) for mark in "])>"))
        marks += sum(row.count(mark) for mark in "*_`")
        head = row[: len(row) - len(row.lstrip(" \t>*+-"))]
        deep = head.count(">") > _QUOTE_DEPTH or (
            not fence and (head.expandtabs(4).count(" ") > _INDENT or len(_BULLET.findall(head)) > _QUOTE_DEPTH)
        )
        if deep or (not fence and (opened > _OPEN_BRACKETS or marks > _MARKS or size > _PARAGRAPH)):
            return number, "한 문단에 기호가 너무 많거나 너무 깊이 겹쳐 있어요.", "문단을 나누고 겹친 것을 줄여 주세요."
    return None
