"""What services and the sandbox say to each other about labs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LabShape:
    """What must be known before a lab starts; labs of one shape are interchangeable. ``memory_mb``: the whole lab's."""

    environment: str
    engines: tuple[str, ...] = ()
    memory_mb: int = 512


@dataclass(frozen=True)
class ExecResult:
    """What a command in a lab left behind; outputs are bytes, cut at what was asked for."""

    exit_code: int
    stdout: bytes
    stderr: bytes
    truncated: bool = False
