"""What exercises may ask of an environment, as labs/catalogue.yaml lists it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lessons.content import rules
from lessons.content.errors import ContentError, Problems
from lessons.content.yamlfile import read_yaml
from lessons.contracts import Problem


@dataclass(frozen=True)
class Bounds:
    """What one limit may be, in the unit of its name."""

    least: float
    most: float


_ANY: Mapping[str, Bounds] = {name: Bounds(*numbers) for name, numbers in rules.LIMITS.items()}
_ANY_LAB = {**_ANY, **{name: Bounds(*numbers) for name, numbers in rules.LAB_LIMITS.items()}}


@dataclass(frozen=True)
class Catalogue:
    """What runs are made in: environment name -> limit name -> bounds; ``labs``: likewise, memory_mb of a whole lab."""

    environments: Mapping[str, Mapping[str, Bounds]]
    labs: Mapping[str, Mapping[str, Bounds]] = field(default_factory=dict)

    @property
    def run_names(self) -> frozenset[str]:
        return frozenset(self.environments)

    @property
    def lab_names(self) -> frozenset[str]:
        return frozenset(self.labs)

    def bounds(self, names: Iterable[str]) -> dict[str, Bounds]:
        """What all of ``names`` allow."""
        rows = [_ANY]
        for name in names:
            if name in self.environments:
                rows.append({**_ANY, **self.environments[name]})
            elif name in self.labs:
                rows.append({**_ANY_LAB, **self.labs[name]})
        return {
            limit: Bounds(max(row[limit].least for row in rows), min(row[limit].most for row in rows))
            for limit in rules.LIMITS
        }


def read_catalogue(path: Path) -> Catalogue:
    """The catalogue at ``path``. Raises ContentError when it cannot be read."""
    problems = Problems()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        message = "환경 목록을 읽을 수 없어요."
        raise ContentError([Problem(path.name, None, "environments", message, "파일을 되돌려 주세요.")]) from error
    document = read_yaml(path.name, text, problems)
    problems.raise_any()
    try:
        if document is None:
            raise ValueError("no document")
        return _catalogue(document.value["environments"])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        message = "환경 목록의 꼴이 맞지 않아요."
        fix = "environments 아래에 이름과 limits를 적어 주세요."
        raise ContentError([Problem(path.name, 1, "environments", message, fix)]) from error


def _catalogue(environments: Mapping[str, Mapping[str, Any]]) -> Catalogue:
    runs, labs = {}, {}
    for name, entry in environments.items():
        if entry.get("kind", "run") == "lab":
            labs[name] = {"memory_mb": _bounds(entry["memory_mb"])}
        else:
            runs[name] = {limit: _bounds(row) for limit, row in (entry.get("limits") or {}).items()}
    return Catalogue(runs, labs)


def _bounds(row: Mapping[str, Any]) -> Bounds:
    return Bounds(float(row["min"]), float(row["max"]))
