"""An exercise's files as tabs of an editor."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from lessons.contracts import ExerciseSpec
from lessons.queries.shapes import EditorFile

FIELD_PREFIX = "file:"

_BY_NAME = {"dockerfile": "dockerfile", "containerfile": "dockerfile", "makefile": "shell"}
_BY_SUFFIX = {
    ".py": "python",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".json": "json",
    ".sh": "shell",
    ".js": "javascript",
    ".mjs": "javascript",
    ".go": "go",
    ".html": "html",
    ".css": "css",
    ".sql": "sql",
    ".md": "markdown",
    ".dockerfile": "dockerfile",
}


def language_of(path: str) -> str:
    """The word by which the editor chooses its highlighter."""
    name = PurePosixPath(path)
    first = name.name.split(".")[0].lower()
    return _BY_NAME.get(first) or _BY_SUFFIX.get(name.suffix.lower(), "text")


def editor_files(spec: ExerciseSpec, texts: Mapping[str, str]) -> tuple[EditorFile, ...]:
    """The editable files first, in the author's order, with ``texts`` over the starter's; then the read-only ones."""
    read_only = sorted(set(spec.starter) - set(spec.editable))
    return tuple(
        EditorFile(
            path=path,
            field=f"{FIELD_PREFIX}{path}",
            text=texts.get(path, spec.starter.get(path, "")) if editable else spec.starter[path],
            starter=spec.starter.get(path, ""),
            language=language_of(path),
            editable=editable,
        )
        for path, editable in [*((path, True) for path in spec.editable), *((path, False) for path in read_only)]
    )
