"""Remembering what was done for which inputs, so that nothing is done twice."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterable
from pathlib import Path

IGNORED = {"__pycache__", "node_modules", ".git", "dist"}
_lock = threading.Lock()


def files_under(*roots: Path) -> list[Path]:
    """Every regular file under the given files and directories, sorted, without caches and built things."""
    found: set[Path] = set()
    for root in roots:
        if root.is_file():
            found.add(root)
            continue
        for path in root.rglob("*"):
            if path.is_file() and not path.is_symlink() and not IGNORED & set(path.relative_to(root).parts):
                found.add(path)
    return sorted(found)


def digest(paths: Iterable[Path], *, base: Path, also: str = "") -> str:
    """One hash over names (relative to base where below it) and contents."""
    total = hashlib.sha256(also.encode())
    for path in paths:
        name = path.relative_to(base) if path.is_relative_to(base) else path
        content = path.read_bytes()
        total.update(f"\0{name}\0{len(content)}\0".encode())
        total.update(content)
    return total.hexdigest()


class Stamps:
    """A small JSON file of name -> hash of the inputs that were last brought to an end."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def _read(self) -> dict[str, str]:
        try:
            loaded = json.loads(self.file.read_text())
        except (OSError, ValueError):
            return {}
        return loaded if isinstance(loaded, dict) else {}

    def current(self, name: str, value: str) -> bool:
        return self._read().get(name) == value

    def set(self, name: str, value: str) -> None:
        with _lock:
            known = self._read()
            known[name] = value
            temporary = self.file.with_suffix(".new")
            temporary.write_text(json.dumps(known, indent=1, sort_keys=True))
            temporary.replace(self.file)
