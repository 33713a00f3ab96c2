"""How course files say what is wrong: every problem at once, each with file, line, field and fix."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from lessons.contracts import Problem


class ContentError(Exception):
    """Course files that cannot be taken. ``problems`` is never empty and in the order of the files."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class Problems:
    """Collects problems of one or more files, so that an author sees all of them in one go."""

    LIMIT = 200  # a broken generator must not print a book

    def __init__(self) -> None:
        self.found: list[Problem] = []

    def add(self, file: str, line: int | None, field: str, message: str, fix: str) -> None:
        problem = Problem(file, line, field, message, fix)
        if len(self.found) < self.LIMIT and problem not in self.found:
            self.found.append(problem)

    def take(self, error: ContentError, *, prefix: str = "", lines: int = 0) -> None:
        """Adopt the problems of a part: ``prefix`` is its folder, ``lines`` what stands above it in its file."""
        for problem in error.problems:
            line = None if problem.line is None else problem.line + lines
            moved = replace(problem, file=prefix + problem.file, line=line)
            self.add(moved.file, moved.line, moved.field, moved.message, moved.fix)

    def raise_any(self) -> None:
        """Raise ContentError if anything was found."""
        if self.found:
            raise ContentError(self.found)
