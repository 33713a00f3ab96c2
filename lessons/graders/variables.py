"""Values drawn from a seed, and where they stand: ``{{name}}`` in texts."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import re2

from lessons.contracts import VarSpec

_PLACE = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_Item = TypeVar("_Item")


def _random(seed: int | str, name: str) -> random.Random:
    # Not a secret: the seed is, and it never reaches the learner.
    return random.Random(f"{seed}:{name}")  # noqa: S311 - repeatable on purpose, no cryptography


def draw(specs: Iterable[VarSpec], seed: int, attempt_seed: int | None = None) -> dict[str, int | str]:
    """One value a variable. The same seed gives the same value, whatever other variables there are.

    Variables drawn ``per: attempt`` come from ``attempt_seed`` where there is one.
    """
    again = seed if attempt_seed is None else attempt_seed
    return {spec.name: _draw_one(spec, _random(again if spec.per_attempt else seed, spec.name)) for spec in specs}


def _draw_one(spec: VarSpec, source: random.Random) -> int | str:
    if spec.kind == "int":
        return source.randint(spec.low, spec.high)
    if spec.kind == "choice":
        return source.choice(spec.choices)
    return "".join(source.choices(_LETTERS, k=source.randint(spec.low, spec.high)))


def fill_text(text: str, values: Mapping[str, int | str]) -> str:
    """``text`` with ``{{name}}`` replaced; names that were not drawn stay as they are."""
    return _PLACE.sub(lambda place: str(values.get(place[1], place[0])), text)


def names_in(value: Any) -> set[str]:
    """The names of all ``{{name}}`` in a text, or in the texts of lists and mappings (keys as well)."""
    if isinstance(value, str):
        return set(_PLACE.findall(value))
    if isinstance(value, Mapping):
        return names_in([*value.keys(), *value.values()])
    if isinstance(value, list | tuple):
        return set().union(*map(names_in, value))
    return set()


def only_place(text: str) -> str:
    """The name in a text that is one ``{{name}}`` alone, else an empty text."""
    place = _PLACE.fullmatch(text.strip())
    return str(place[1]) if place else ""


def fill(value: Any, values: Mapping[str, int | str]) -> Any:
    """As ``fill_text``, through lists and mappings. A text that is one place alone becomes the drawn value itself."""
    if isinstance(value, str):
        name = only_place(value)
        return values.get(name, value) if name else fill_text(value, values)
    if isinstance(value, list | tuple):
        return [fill(item, values) for item in value]
    if isinstance(value, Mapping):
        return {key: fill(item, values) for key, item in value.items()}
    return value


def fill_pattern(pattern: str, values: Mapping[str, int | str]) -> str:
    """As ``fill_text``, for RE2: a drawn value stands for itself, whatever signs it holds."""
    return fill_text(pattern, {name: re2.escape(str(value)) for name, value in values.items()})


def shuffled(items: Sequence[_Item], seed: int | str) -> list[_Item]:
    """``items`` in an order drawn from the seed, never the given one where another exists."""
    mixed = list(items)
    source = _random(seed, "order")
    for _ in range(20):
        source.shuffle(mixed)
        if mixed != list(items):
            return mixed
    return mixed[1:] + mixed[:1]
