"""Values out of any JSON: what is not of the wanted kind is as if it were not there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from lessons.topology import bounds

MOST_NUMBER = 1_000_000
UNSEEN = "\N{REPLACEMENT CHARACTER}"


def text(value: Any, most: int = bounds.NAME) -> str:
    """One line of what can be seen; control characters, bidi marks and the like become a question mark's sign."""
    if not isinstance(value, str):
        return ""
    cut = value[: most + 1]
    line = "".join(one if one.isprintable() else UNSEEN for one in cut)
    return line if len(cut) <= most else line[: most - 1] + "…"


def number(value: Any) -> int:
    """0 up to MOST_NUMBER."""
    if isinstance(value, bool) or not isinstance(value, int):
        return 0
    return min(max(value, 0), MOST_NUMBER)


def flag(value: Any) -> bool:
    return value is True


def entries(value: Any, most: int) -> Iterator[Mapping[str, Any]]:
    """The objects of a list, at most ``most``."""
    if isinstance(value, list):
        yield from islice((one for one in value if isinstance(one, dict)), most)


def surplus(value: Any, most: int) -> int:
    """How many of a list ``entries`` leaves off."""
    return max(0, len(value) - most) if isinstance(value, list) else 0


def part(value: Any, name: str) -> Mapping[str, Any]:
    """An object in an object; an empty one where there is none."""
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def pairs(value: Any, most: int = 12) -> dict[str, str]:
    """Labels or a selector."""
    if not isinstance(value, dict):
        return {}
    return {text(name): text(one) for name, one in islice(value.items(), most)}


def texts(value: Any, most: int = 8) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(filter(None, (text(one, 80) for one in value[:most])))
