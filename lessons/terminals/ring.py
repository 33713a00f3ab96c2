"""The end of what a shell said, to be told again to who comes back."""

from __future__ import annotations

import re
from collections import deque

MOST_BYTES = 256 * 1024
SMALL = 4 * 1024  # pieces are joined up to so much: a program that says single bytes must not cost forty times as much
SEARCHED = 8 * 1024  # a line or an escape sequence begins well within so much
_CONTINUED = frozenset(range(0x80, 0xC0))  # bytes in the middle of a UTF-8 sequence
_SCREEN = re.compile(rb"\x1b\[\?(?:1049|1047|47)([hl])")  # into the other screen (vim, less), and back
_LONGEST_SWITCH = 8
OTHER_SCREEN = b"\x1b[?1049h"


class Ring:
    """Keeps the last ``most`` bytes; remembers whether a full-screen program has the screen (``other_screen``)."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self.most = most
        self.other_screen = False
        self._parts: deque[bytes] = deque()
        self._size = 0
        self._lost = False  # something was said before what is kept
        self._began_on_other = False  # where what is kept begins
        self._tail = self._gone_tail = b""  # a switch may come in two pieces

    def add(self, data: bytes) -> None:
        self.other_screen = self._screen_after(self._tail + data, self.other_screen)
        self._tail = (self._tail + data)[-_LONGEST_SWITCH + 1 :]
        small = self._parts and len(self._parts[-1]) < SMALL
        self._parts.append(self._parts.pop() + data if small else data)
        self._size += len(data)
        while self._size > self.most:
            first = self._parts.popleft()
            extra = self._size - self.most
            gone, kept = (first[:extra], first[extra:]) if len(first) > extra else (first, b"")
            self._size -= len(gone)
            self._began_on_other = self._screen_after(self._gone_tail + gone, self._began_on_other)
            self._gone_tail = (self._gone_tail + gone)[-_LONGEST_SWITCH + 1 :]
            self._lost = True
            if kept:
                self._parts.appendleft(kept)

    def replay(self) -> bytes:
        """What is kept, from where a terminal can begin: never inside a character, nor inside an escape sequence
        where a beginning is near."""
        data = b"".join(self._parts)
        if not self._lost:
            return data
        other = self._screen_after(self._gone_tail + data[:_LONGEST_SWITCH], self._began_on_other)
        data = data[_beginning(data) :]
        return OTHER_SCREEN + data if other else data

    @staticmethod
    def _screen_after(data: bytes, before: bool) -> bool:
        if b"\x1b[?" not in data:
            return before
        switches = _SCREEN.findall(data)
        return switches[-1] == b"h" if switches else before


def _beginning(data: bytes) -> int:
    """The first place after a line's end or at an escape sequence; else the first whole character."""
    near = data[:SEARCHED]
    line, escape = near.find(b"\n"), near.find(b"\x1b")
    found = [place for place in (line + 1 if line >= 0 else -1, escape) if place >= 0]
    if found:
        return min(found)
    return next((place for place, byte in enumerate(near[:4]) if byte not in _CONTINUED), 0)
