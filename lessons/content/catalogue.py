"""What exercises may ask of an environment, as labs/catalogue.yaml lists it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
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
class LabTraits:
    """What labs of an environment have; ``memory_mb``: of a whole lab, unless the exercise says another figure."""

    memory_mb: int
    engine: bool = True
    cluster: bool = False


@dataclass(frozen=True)
class Catalogue:
    """What runs are made in: environment name -> limit name -> bounds; ``labs``: likewise, memory_mb of a whole lab;
    ``traits``: what these labs have. ``checks``: whether other names and figures are faults.
    """

    environments: Mapping[str, Mapping[str, Bounds]]
    labs: Mapping[str, Mapping[str, Bounds]] = field(default_factory=dict)
    traits: Mapping[str, LabTraits] = field(default_factory=dict)
    checks: bool = True

    def unchecked(self) -> Catalogue:
        """For exercises that were taken before: what they leave out is filled in, what they say may be gone by now."""
        return replace(self, checks=False)

    @property
    def run_names(self) -> frozenset[str] | None:
        """None where any name will do; so for labs."""
        return frozenset(self.environments) if self.checks else None

    @property
    def lab_names(self) -> frozenset[str] | None:
        return frozenset(self.labs) if self.checks else None

    def bounds(self, names: Iterable[str]) -> dict[str, Bounds]:
        """What all of ``names`` allow."""
        rows = [_ANY]
        for name in names if self.checks else ():
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
    runs, labs, traits = {}, {}, {}
    for name, entry in environments.items():
        if entry.get("kind", "run") == "lab":
            labs[name] = {"memory_mb": _bounds(entry["memory_mb"])}
            traits[name] = LabTraits(
                memory_mb=int(entry["memory_mb"]["default"]),
                engine=bool(entry.get("engine", True)),
                cluster=bool(entry.get("cluster", False)),
            )
        else:
            runs[name] = {limit: _bounds(row) for limit, row in (entry.get("limits") or {}).items()}
    return Catalogue(runs, labs, traits)


def _bounds(row: Mapping[str, Any]) -> Bounds:
    return Bounds(float(row["min"]), float(row["max"]))
