"""The explanations as they are written in ``explanations/*.yaml``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import re2
import yaml

FOLDER = Path(__file__).parent / "explanations"
KEYS = ("id", "pattern", "title", "cause", "show", "next")
_PLACE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Entry:
    """One error. ``pattern`` (RE2) is searched in a line; its named groups may stand as {name} in the texts.

    ``show`` is a command, "" where none would help.
    """

    id: str
    pattern: Any
    title: str
    cause: str
    show: str
    next: str


@cache
def read_entries() -> tuple[Entry, ...]:
    """Every entry, in the files' order: of several that fit a line the first one counts. Raises ValueError."""
    found: list[Entry] = []
    for file in sorted(FOLDER.glob("*.yaml")):
        for written in yaml.safe_load(file.read_text(encoding="utf-8")):
            found.append(_entry(written, file.name))
    if len({entry.id for entry in found}) < len(found):
        raise ValueError("an id of an explanation is used twice")
    return tuple(found)


def _entry(written: Mapping[str, str], file: str) -> Entry:
    if set(written) != set(KEYS):
        raise ValueError(f"{file}: {written.get('id')}: needs exactly {', '.join(KEYS)}")
    pattern = re2.compile(written["pattern"])
    for key in KEYS[2:]:
        unknown = set(_PLACE.findall(written[key])) - set(pattern.groupindex)
        if unknown:
            raise ValueError(f"{file}: {written['id']}: {key}: no group {', '.join(sorted(unknown))}")
    return Entry(written["id"], pattern, *(written[key].strip() for key in KEYS[2:]))


def fill(text: str, groups: Mapping[str, str]) -> str:
    """``text`` with {name} replaced. Braces that name no group stay (a Go template in a command)."""
    return _PLACE.sub(lambda place: groups.get(place[1], place[0]), text)
