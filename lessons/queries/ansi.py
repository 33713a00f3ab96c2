"""Terminal output as HTML: colours and emphasis become classes, every other sequence is dropped.

No style attributes, so the page's policy needs no exception. The work grows with the length of the
text only, and the text is cut at ``text.LONGEST`` characters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from django.utils.safestring import SafeString, mark_safe

from lessons.queries.text import CUT_NOTE, LONGEST, hidden_to_html

MOST_CHANGES = 5_000  # of style in one text; what follows is shown plain
COLOURS = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")

_SEQUENCE = re.compile(
    "\x1b(?:"
    r"\[(?P<arguments>[0-?]{0,256})[ -/]{0,16}(?P<final>[@-~])?"  # CSI: only its m (SGR) means anything here
    "|\\][^\x07\x1b]{0,4096}(?:\x07|\x1b\\\\)?"  # OSC: titles, links, clipboards
    "|[PX^_][^\x1b]{0,4096}(?:\x1b\\\\)?"  # DCS, SOS, PM, APC
    "|[ -/]{0,16}[0-~]"  # two-character escapes
    ")?"
)


FLAGS = ("bold", "dim", "italic", "underline", "inverse", "strike")


@dataclass(frozen=True)
class _Style:
    colour: str = ""
    background: str = ""
    flags: frozenset[str] = frozenset()

    def classes(self) -> str:
        names = [f"ansi-{self.colour}"] if self.colour else []
        if self.background:
            names.append(f"ansi-on-{self.background}")
        return " ".join(names + [f"ansi-{flag}" for flag in FLAGS if flag in self.flags])


_PLAIN = _Style()
_ON = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "inverse", 9: "strike"}
_OFF = {22: ("bold", "dim"), 23: ("italic",), 24: ("underline",), 27: ("inverse",), 29: ("strike",)}


def ansi_html(text: str) -> SafeString:
    """Escaped HTML with <span class="ansi-…"> around coloured parts and <span class="ctl"> for hidden characters."""
    if len(text) > LONGEST:
        text = text[:LONGEST] + CUT_NOTE
    text = text.replace("\r\n", "\n")
    pieces: list[str] = []
    style = _PLAIN
    start = changes = 0
    run: list[str] = []

    def flush() -> None:
        if joined := "".join(run):
            # A bare carriage return would overwrite a line; on a page the next state stands below.
            html = hidden_to_html(joined.replace("\r", "\n"))
            classes = style.classes()
            pieces.append(f'<span class="{classes}">{html}</span>' if classes else html)
        run.clear()

    for match in _SEQUENCE.finditer(text):
        run.append(text[start : match.start()])
        start = match.end()
        if match["final"] == "m":
            after = _PLAIN if changes >= MOST_CHANGES else _apply(style, match["arguments"] or "")
            if after != style:
                flush()
                style = after
                changes += 1
    run.append(text[start:])
    flush()
    return mark_safe("".join(pieces))  # noqa: S308  (every piece went through escape; classes are ours)


def _apply(style: _Style, arguments: str) -> _Style:
    codes = [int(part) if part.isdecimal() and len(part) < 4 else 0 for part in re.split("[;:]", arguments)]
    position = 0
    while position < len(codes):
        code = codes[position]
        position += 1
        if code == 0:
            style = _PLAIN
        elif code in _ON:
            style = replace(style, flags=style.flags | {_ON[code]})
        elif code in _OFF:
            style = replace(style, flags=style.flags.difference(_OFF[code]))
        elif 30 <= code <= 37 or 90 <= code <= 97:
            style = replace(style, colour=_named(code % 10, bright=code >= 90))
        elif 40 <= code <= 47 or 100 <= code <= 107:
            style = replace(style, background=_named(code % 10, bright=code >= 100))
        elif code == 39:
            style = replace(style, colour="")
        elif code == 49:
            style = replace(style, background="")
        elif code in (38, 48):
            name, position = _extended(codes, position)
            style = replace(style, colour=name) if code == 38 else replace(style, background=name)
    return style


def _named(number: int, *, bright: bool) -> str:
    return f"bright-{COLOURS[number]}" if bright else COLOURS[number]


def _extended(codes: list[int], position: int) -> tuple[str, int]:
    """The nearest of the 16 names for a 256-colour or true-colour code, and where the next code stands."""
    kind = codes[position] if position < len(codes) else 0
    if kind == 5 and position + 1 < len(codes):
        number = min(codes[position + 1], 255)
        if number < 16:
            return _named(number % 8, bright=number >= 8), position + 2
        if number >= 232:
            return _nearest(*[8 + (number - 232) * 10] * 3), position + 2
        cube = number - 16
        return _nearest(cube // 36 * 51, cube // 6 % 6 * 51, cube % 6 * 51), position + 2
    if kind == 2 and position + 3 < len(codes):
        red, green, blue = codes[position + 1 : position + 4]
        return _nearest(red, green, blue), position + 4
    return "", len(codes)


def _nearest(red: int, green: int, blue: int) -> str:
    brightest = max(red, green, blue)
    if brightest < 64:
        return "black"
    number = sum(bit for bit, part in ((1, red), (2, green), (4, blue)) if part * 2 > brightest)
    return _named(number, bright=brightest > 200)
