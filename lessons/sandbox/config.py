"""What a sandbox is made from and what it reports: plain values, no Docker, no settings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import yaml


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


def images_of(catalogue: Path) -> dict[str, str]:
    """Environment name -> image name inside the engine. Raises OSError or ValueError when unreadable."""
    text = catalogue.read_text(encoding="utf-8")
    try:
        images = {name: str(entry["image"]) for name, entry in yaml.safe_load(text)["environments"].items()}
    except (AttributeError, KeyError, TypeError, yaml.YAMLError) as error:
        raise ValueError(f"no catalogue of environments: {error!r}") from error
    if not images:
        raise ValueError("the catalogue names no environment")
    return images
