"""What can go wrong on our side. Never a verdict: the learner's attempt is not counted.

Nothing but ``SandboxError`` leaves ``Sandbox.collect``.
"""

from __future__ import annotations


class SandboxError(Exception):
    """A run could not be carried out, and it was not the learner's doing.

    ``reason`` is one word that other layers translate: "engine" (not reachable, too slow, died in
    the middle), "environment" (the image is missing or still being built), "disk" (no room left), "lab" (this lab
    has ended: another must be opened) or "size" (more was to be saved than may be).
    """

    reason = "engine"


class EngineUnavailableError(SandboxError):
    """The engine did not answer, answered with an error of its own, or went away in the middle."""


class DeadlineError(SandboxError):
    """The engine took longer than the caller was ready to wait."""


class EnvironmentMissingError(SandboxError):
    """The engine has no image for the environment that a run names (missing, or still being built)."""

    reason = "environment"


class EngineFullError(SandboxError):
    """The engine's disk is full."""

    reason = "disk"


class LabGoneError(SandboxError):
    """The lab has died or was ended: nothing brings it back, a new one must be opened."""

    reason = "lab"


class LabTooLargeError(SandboxError):
    """What was to be saved of a lab, or the answer to a question about it, is over its bound."""

    reason = "size"
