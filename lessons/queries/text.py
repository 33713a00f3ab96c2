"""Texts of learners and authors, made safe and visible. Nothing here trusts its input."""

from __future__ import annotations

import re

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

LONGEST = 200_000  # characters of one text that a page shows
CUT_NOTE = "\n…"

# Characters that would hide, reorder or break a page: controls but tab and newline, bidi marks and overrides,
# invisible separators, and halves of surrogate pairs, which no page could carry at all.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
_CODE = re.compile(r"`([^`\n]{1,400})`")


_PATH = re.compile(r'[\w.\[\]"/:-]{1,120}')


def plain_path(query: str) -> str:
    """A query that is a mere path into the evidence (``HostConfig.Memory``); anything cleverer would tell a learner
    nothing, and is left out."""
    return query if _PATH.fullmatch(query) else ""


def visible(text: str) -> str:
    """The text with hidden characters replaced by pictures (␀, [U+202E]), cut at LONGEST."""
    if len(text) > LONGEST:
        text = text[:LONGEST] + CUT_NOTE
    return _HIDDEN.sub(lambda match: picture(match.group()), text.replace("\r\n", "\n"))


def picture(character: str) -> str:
    """A printable stand-in for one hidden character."""
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    return f"[U+{code:04X}]"


def inline_html(text: str) -> SafeString:
    """One line or a few in prose: escaped, with `code` as <code>."""
    escaped = escape(visible(text.strip()))
    return mark_safe(_CODE.sub(r"<code>\1</code>", escaped))  # noqa: S308  (escaped just above; the tags are ours)


def hidden_to_html(text: str) -> str:
    """Escaped HTML of a text whose hidden characters stand out in <span class="ctl">."""
    pieces: list[str] = []
    start = 0
    for match in _HIDDEN.finditer(text):
        pieces.append(escape(text[start : match.start()]))
        pieces.append(f'<span class="ctl">{picture(match.group())}</span>')
        start = match.end()
    pieces.append(escape(text[start:]))
    return "".join(pieces)
