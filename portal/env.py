"""Read settings from the environment, loudly: a wrong value stops the start with one clear line."""

from __future__ import annotations

import os
from pathlib import Path


class EnvironmentValueError(SystemExit):
    """A variable that cannot be used; its text names variable, value and what is wanted."""


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, default)


def flag(name: str, default: bool = False) -> bool:
    raw = os.environ.get(name)
    if raw is None or raw == "":
        return default
    if raw.lower() in {"1", "true", "yes", "on"}:
        return True
    if raw.lower() in {"0", "false", "no", "off"}:
        return False
    raise EnvironmentValueError(f"{name}={raw!r}: want 1 or 0")


def number(name: str, default: int, *, least: int = 0, most: int = 1_000_000) -> int:
    raw = os.environ.get(name)
    if raw is None or raw == "":
        return default
    try:
        value = int(raw)
    except ValueError as error:
        raise EnvironmentValueError(f"{name}={raw!r}: want a whole number") from error
    if not least <= value <= most:
        raise EnvironmentValueError(f"{name}={value}: want {least}..{most}")
    return value


def memory_mb() -> int:
    """What this machine has, in MiB: 2,048 where nothing says it."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    except (OSError, ValueError):
        return 2048


def words(name: str, default: str = "") -> list[str]:
    return [word.strip() for word in os.environ.get(name, default).split(",") if word.strip()]


def path(name: str, default: Path) -> Path:
    raw = os.environ.get(name)
    return Path(raw).expanduser().resolve() if raw else default


def secret(name: str, file: Path) -> str:
    """The variable, or the content of ``file`` (made by bin/start with mode 0600)."""
    raw = os.environ.get(name, "")
    if raw:
        return raw
    try:
        return file.read_text().strip()
    except FileNotFoundError as error:
        raise EnvironmentValueError(
            f"{name} is not set and {file} does not exist: run bin/start once, or set {name}"
        ) from error
