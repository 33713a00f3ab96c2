"""What a lab answered made safe to look at: of known shape, and of bounded size. Nothing here raises."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from lessons.graders.fields import is_number

TEXT_MOST = 64 * 1024  # characters of one text
DEPTH_MOST = 60
ITEMS_MOST = 20_000  # values of one document, all levels together
LARGE_ITEMS_MOST = 60_000  # of one that is a list of objects or events, as large as a lab says it at most


def parsed_json(text: str) -> Any:
    """JSON that a learner printed, or None where it is none (NaN and Infinity are none either)."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None


def _refuse(name: str) -> None:
    raise ValueError(name)


def bounded(value: Any, *, text: int = TEXT_MOST, items: int = ITEMS_MOST) -> Any:
    """``value`` as JSON of at most ``items`` values with texts of at most ``text`` characters.

    What lies deeper than DEPTH_MOST, past the number of items, or is no JSON becomes None or is left out.
    """
    return _Cutter(text, items).cut(value, 0)


class _Cutter:
    def __init__(self, text: int, items: int) -> None:
        self.text, self.left = text, items

    def cut(self, value: Any, depth: int) -> Any:
        self.left -= 1
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return value[: self.text]
        if isinstance(value, int):
            return value if abs(value) < 10**300 else None  # no figure; and slow to print
        if isinstance(value, float):
            return value if abs(value) < float("inf") else None  # neither NaN nor infinite
        if depth >= DEPTH_MOST or self.left <= 0:
            return None
        if isinstance(value, Mapping):
            return self._mapping(value, depth)
        if isinstance(value, list | tuple):
            return self._list(value, depth)
        return None

    def _mapping(self, value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        found = {}
        for key, inner in value.items():
            if self.left <= 0:
                break
            found[str(key)[: self.text]] = self.cut(inner, depth + 1)
        return found

    def _list(self, value: list[Any] | tuple[Any, ...], depth: int) -> list[Any]:
        found = []
        for inner in value:
            if self.left <= 0:
                break
            found.append(self.cut(inner, depth + 1))
        return found


def mapping_of(value: Any) -> dict[str, Any] | None:
    """A JSON object within bounds; None for anything else."""
    return bounded(value) if isinstance(value, Mapping) else None


def list_of(value: Any, *, items: int = ITEMS_MOST) -> list[Any]:
    """A JSON list within bounds; an empty one for anything else."""
    return bounded(value, items=items) if isinstance(value, list | tuple) else []


def text_of(value: Any) -> str:
    """A text within bounds; an empty one for anything else."""
    return value[:TEXT_MOST] if isinstance(value, str) else ""


def whole_of(value: Any) -> int | None:
    """A whole number of sensible size; None for anything else."""
    fits = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**18
    return value if fits else None


def number_of(value: Any) -> int | float | None:
    """A finite number; None for anything else."""
    return bounded(value) if is_number(value) else None


def output_of(value: Mapping[str, Any]) -> dict[str, Any]:
    """What a program printed and how it exited: exit_code, stdout, stderr, lines and json (of stdout)."""
    stdout = text_of(value.get("stdout"))
    return {
        "exit_code": whole_of(value.get("exit_code")),
        "stdout": stdout,
        "stderr": text_of(value.get("stderr")),
        "lines": stdout.splitlines(),
        "json": bounded(parsed_json(stdout)),
    }
