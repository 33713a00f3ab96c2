"""What a sandbox is made from and what it reports: plain values, no Docker, no settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from lessons.contracts import LabShape


@dataclass(frozen=True)
class SandboxConfig:
    """``socket``: the engine's; ``catalogue``: labs/catalogue.yaml; ``data_dir``: where process locks lie.

    ``pool_size`` parked containers are kept for each image and limits in use. A runtime without
    gVisor is used only while the portal is bound to loopback or where ``allow_weak_runtime`` says so; labs never
    use one.
    ``lab_pool_size`` paused labs are kept for each of the shapes asked for last; they make room when all labs of the
    engine together would take more than ``lab_memory_mb`` (0: no bound).
    """

    socket: Path
    catalogue: Path
    data_dir: Path
    runs_in_flight: int = 4
    pool_size: int = 2
    lab_pool_size: int = 0
    lab_memory_mb: int = 0
    loopback_only: bool = True
    allow_weak_runtime: bool = False
    call_seconds: int = 20  # the longest that one call to the engine may take


class EnvironmentState(StrEnum):
    READY = "ready"
    BUILDING = "building"  # the engine is still importing its images
    MISSING = "missing"


@dataclass(frozen=True)
class Progress:
    """How far an environment's image is. state: building | ready | failed; ``text`` is a Korean sentence."""

    state: str
    percent: int  # 0..100
    text: str


@dataclass(frozen=True)
class Finding:
    """One thing that a look at the engine showed, in Korean. level: good | note | bad."""

    level: str
    what: str
    effect: str = ""
    fix: str = ""


@dataclass(frozen=True)
class Entry:
    """An environment of the catalogue. ``memory_mb``: what a lab of it gets unless asked otherwise.

    ``tmpfs_mb``: folder in the lab -> what may be written there, of so much memory; empty: half of it for the engine's
    folder. ``settle_seconds``: how long one that is ready may take at most to come to rest.
    """

    image: str
    is_lab: bool = False
    memory_mb: int = LabShape("").memory_mb
    tmpfs_mb: Mapping[str, int] = field(default_factory=dict)
    settle_seconds: float = 0.0


def read_catalogue(catalogue: Path) -> dict[str, Entry]:
    """Environment name -> what is known of it. Raises OSError or ValueError when unreadable."""
    text = catalogue.read_text(encoding="utf-8")
    try:
        entries = {name: _entry(value) for name, value in yaml.safe_load(text)["environments"].items()}
    except (AttributeError, KeyError, TypeError, yaml.YAMLError) as error:
        raise ValueError(f"no catalogue of environments: {error!r}") from error
    if all(entry.is_lab for entry in entries.values()):
        raise ValueError("the catalogue names no environment for runs")
    return entries


def _entry(value: dict[str, Any]) -> Entry:
    memory = value.get("memory_mb", Entry.memory_mb)
    if isinstance(memory, dict):  # with bounds, for the authors of exercises
        memory = memory["default"]
    return Entry(
        image=str(value["image"]),
        is_lab=value.get("kind", "run") == "lab",
        memory_mb=int(memory),
        tmpfs_mb={str(path): int(mb) for path, mb in value.get("tmpfs_mb", {}).items()},
        settle_seconds=float(value.get("settle_seconds", 0.0)),
    )
