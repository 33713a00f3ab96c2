"""Which environments there are, and how far the engine is with the image of each."""

from __future__ import annotations

import json
from pathlib import Path

from lessons.contracts import LabShape
from lessons.sandbox.config import Entry, EnvironmentState, Progress, SandboxConfig, read_catalogue
from lessons.sandbox.engine import Engine, engine_errors
from lessons.sandbox.errors import EnvironmentMissingError

BUILDING = Progress("building", 0, "실습 환경을 준비하고 있어요.")
READY = Progress("ready", 100, "실습 환경이 준비됐어요.")
MISSING = Progress("failed", 0, "엔진에 이 실습 환경이 없어요.")


class Images:
    """The catalogue, read once, beside what the engine's entrypoint writes next to its socket."""

    def __init__(self, config: SandboxConfig, engine: Engine) -> None:
        self._config, self._engine = config, engine
        self._entries: dict[str, Entry] = {}

    def entries(self) -> dict[str, Entry]:
        """Environment -> entry, one for runs at least. Raises EnvironmentMissingError."""
        if not self._entries:
            try:
                self._entries = read_catalogue(self._config.catalogue)
            except (OSError, ValueError) as error:
                raise EnvironmentMissingError(f"{self._config.catalogue}: {error}") from error
        return self._entries

    def default(self) -> str:
        """The first environment of the catalogue that runs are made in. Raises EnvironmentMissingError."""
        return next(name for name, entry in self.entries().items() if not entry.is_lab)

    def of_run(self, environment: str) -> str:
        """Its image. Raises EnvironmentMissingError."""
        return self._entry(environment, is_lab=False).image

    def lab_entry(self, environment: str) -> Entry:
        """What the catalogue says of it. Raises EnvironmentMissingError."""
        return self._entry(environment, is_lab=True)

    def shape_of_lab(self, environment: str) -> LabShape:
        """A lab of it as the catalogue has it. Raises EnvironmentMissingError."""
        return LabShape(environment, (), self._entry(environment, is_lab=True).memory_mb)

    def first_lab(self) -> LabShape | None:
        """The lab that a pool begins with; None where the catalogue has none or cannot be read."""
        try:
            labs = [name for name, entry in self.entries().items() if entry.is_lab]
        except EnvironmentMissingError:
            return None
        return self.shape_of_lab(labs[0]) if labs else None

    def _entry(self, environment: str, *, is_lab: bool) -> Entry:
        entry = self.entries().get(environment)
        if entry is None or entry.is_lab is not is_lab:
            raise EnvironmentMissingError(f"no environment {environment!r} for {'labs' if is_lab else 'runs'}")
        return entry

    def states(self) -> dict[str, EnvironmentState]:
        """State of every environment. Raises SandboxError when the engine does not answer."""
        entries = self.entries()
        with engine_errors():
            tags = {tag for image in self._engine.api.images() for tag in image.get("RepoTags") or []}
        return {
            name: EnvironmentState.READY if f"{entry.image}:latest" in tags else self._absent(name, entry)
            for name, entry in entries.items()
        }

    def _absent(self, name: str, entry: Entry) -> EnvironmentState:
        building = self.progress(name).state == BUILDING.state if entry.is_lab else not self._engine_is_ready()
        return EnvironmentState.BUILDING if building else EnvironmentState.MISSING

    def progress(self, environment: str) -> Progress:
        """How far its image is, as the engine's entrypoint last wrote; no call is made."""
        told = self._told().get(environment)
        if isinstance(told, dict):
            try:
                return Progress(str(told["state"]), min(100, max(0, int(told["percent"]))), str(told["text"]))
            except (KeyError, TypeError, ValueError):
                return BUILDING  # by another version: it says more when its import is over
        if not self._engine_is_ready():
            return BUILDING
        entry = self.entries().get(environment)
        return READY if entry is not None and not entry.is_lab else MISSING

    def lab_is_ready(self, environment: str) -> bool:
        """Whether a lab of it can be started now; no call is made."""
        return self.progress(environment).state == READY.state

    def _told(self) -> dict[str, object]:
        try:
            told = json.loads((self._beside() / "environments.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return told if isinstance(told, dict) else {}

    def _engine_is_ready(self) -> bool:
        """The entrypoint writes ``ready`` once all images of runs are imported."""
        return (self._beside() / "ready").exists()

    def _beside(self) -> Path:
        return self._config.socket.parent
