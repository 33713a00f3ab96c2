"""How texts are made alike before they are compared: the ``normalise`` of text checks, and short answers.

    unicode   composed characters (NFC)
    newlines  every line end is a line feed
    trailing  spaces at the end of lines and empty lines at the end do not count
    spaces    runs of spaces and line ends are one space, none at the ends
    case      upper and lower case are one

Without ``normalise`` the first three hold. ``none`` (or an empty list, or false) compares as it is.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from lessons.graders.fields import Fault

DEFAULT = ("unicode", "newlines", "trailing")
NAMES = ("unicode", "newlines", "trailing", "spaces", "case")


def options(value: Any) -> tuple[str, ...]:
    """The steps that an authored value asks for; None stands for the default."""
    if value is None or value is True:
        return DEFAULT
    if value is False or value == "none":
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


def faults(value: Any) -> list[Fault]:
    if value is None or isinstance(value, bool) or value == "none":
        return []
    names = [value] if isinstance(value, str) else value
    if isinstance(names, list) and all(name in NAMES for name in names):
        return []
    return [Fault("normalise", "모르는 방법이 있어요.", f"none 또는 {', '.join(NAMES)}의 목록으로 적어 주세요.")]


def normalise(text: str, steps: tuple[str, ...] = DEFAULT) -> str:
    """``text`` after the named steps, always in the same order."""
    if "unicode" in steps:
        text = unicodedata.normalize("NFC", text)
    if "newlines" in steps:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "trailing" in steps:
        text = "\n".join(line.rstrip() for line in text.split("\n")).rstrip("\n")
    if "spaces" in steps:
        text = single_spaced(text)
    return text.casefold() if "case" in steps else text


def single_spaced(text: str) -> str:
    return " ".join(text.split())


def answer_key(text: str) -> str:
    """A short answer as it is compared: NFC, trimmed, case folded, single spaces."""
    return single_spaced(unicodedata.normalize("NFC", re.sub(r"\s+", " ", text)).casefold())
