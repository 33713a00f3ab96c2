"""Where two JSON values differ first, and both beside each other where they are too long to compare by eye."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from lessons.graders.wording import difference

SHORT = 120  # letters of a value that can be compared by eye
_DEEPEST = 20
_TEXT_MOST = 20_000
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def differing(wanted: Any, found: Any) -> tuple[str, str]:
    """The way to the first difference inside (``[0].image``; empty where the values themselves differ) and a diff of
    both, written out line by line (empty where both are short, or no objects and lists)."""
    if not (isinstance(wanted, Mapping | list) and isinstance(found, Mapping | list)):
        return "", ""
    try:
        texts = [json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True) for value in (wanted, found)]
    except (TypeError, ValueError, RecursionError):
        return "", ""
    diff = difference(*(text[:_TEXT_MOST] for text in texts)) if max(map(len, texts)) > SHORT else ""
    return _way(wanted, found, 0), diff


def _way(wanted: Any, found: Any, depth: int) -> str:
    if depth < _DEEPEST and isinstance(wanted, Mapping) and isinstance(found, Mapping):
        for name in [*wanted, *(name for name in found if name not in wanted)]:
            if name not in wanted or name not in found or wanted[name] != found[name]:
                step = f".{name}" if _WORD.fullmatch(name) else f'."{name}"'
                return step + _way(wanted.get(name), found.get(name), depth + 1)
    if depth < _DEEPEST and isinstance(wanted, list) and isinstance(found, list):
        for index, (left, right) in enumerate(zip(wanted, found, strict=False)):
            if left != right:
                return f"[{index}]{_way(left, right, depth + 1)}"
    return ""
