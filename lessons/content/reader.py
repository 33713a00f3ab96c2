"""Reads one mapping of a YAML file field by field, noting each fault with its line."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator
from typing import Any

from lessons.content import rules
from lessons.content.errors import Problems
from lessons.content.yamlfile import Document, Path, field_name

_FLAG_WORDS = {"yes": True, "on": True, "no": False, "off": False}  # what YAML 1.1 took for booleans


class Reader:
    """The fields of the mapping at ``path``. What is never asked for is an unknown key at ``finish``."""

    def __init__(self, document: Document, problems: Problems, value: Any = None, path: Path = ()) -> None:
        self.document, self.problems, self.path = document, problems, path
        self.asked: set[str] = set()
        value = document.value if value is None and not path else value
        if value is None:
            value = {}
        if not isinstance(value, dict):
            self.problem("", "이름: 값 묶음이 와야 해요.", "`이름: 값` 꼴로 적어 주세요.")
            value = {}
        self.values: dict[str, Any] = value

    def problem(self, key: str, message: str, fix: str, *inner: str | int) -> None:
        path = (*self.path, key, *inner) if key else self.path
        name = field_name(path) or "yaml"
        self.problems.add(self.document.file, self.document.line(path), name, message, fix)

    def line(self, key: str) -> int:
        return self.document.line((*self.path, key))

    def has(self, key: str) -> bool:
        return self.values.get(key) is not None

    def raw(self, key: str) -> Any:
        self.asked.add(key)
        return self.values.get(key)

    def text(self, key: str, *, required: bool = False, default: str = "", most: int = rules.TEXT_LENGTH) -> str:
        """A text; numbers and booleans written without quotes are taken by their letters."""
        value = self.raw(key)
        if isinstance(value, bool):
            value = str(value).lower()
        elif isinstance(value, int | float):
            value = str(value)
        if value is None or (isinstance(value, str) and required and not value.strip()):
            if required:
                self.problem(key, "꼭 있어야 하는데 비어 있어요.", f"{key} 항목에 글을 적어 주세요.")
            return default
        if not isinstance(value, str):
            self.problem(key, "글이 와야 해요.", "따옴표로 묶은 글로 적어 주세요.")
            return default
        if len(value) > most:
            self.problem(key, f"{most}자보다 길어요.", "글을 줄여 주세요.")
            return default
        if "\0" in value:
            self.problem(key, "NUL 문자는 쓸 수 없어요.", "그 문자를 지워 주세요.")
            return default
        return value

    def word(self, key: str, choices: Collection[str], *, required: bool = False, default: str = "") -> str:
        """A text out of ``choices``."""
        value = self.text(key, required=required, default=default)
        if value and value not in choices:
            self.problem(
                key, f"{value[:60]!r} 값은 쓸 수 없어요.", f"{', '.join(sorted(choices))} 가운데 하나를 적어 주세요."
            )
            return default
        return value

    def identifier(self, key: str, *, default: str) -> str:
        value = self.text(key, default=default)
        if not rules.ID.fullmatch(value):
            fix = "영문자나 숫자로 시작해 영문자, 숫자, -, _로 60자 안에 적어 주세요."
            self.problem(key, f"{value[:60]!r} 값은 id로 쓸 수 없어요.", fix)
            return default
        return value

    def flag(self, key: str) -> bool:
        value = self.raw(key)
        if isinstance(value, str):
            value = _FLAG_WORDS.get(value.lower(), value)
        if value is None or isinstance(value, bool):
            return bool(value)
        self.problem(key, "true나 false여야 해요.", "true 또는 false로 적어 주세요.")
        return False

    def number(self, key: str, *, default: float, least: float, most: float, whole: bool = False) -> float:
        value = self.raw(key)
        if value is None:
            return default
        kind = "정수" if whole else "수"
        if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
            self.problem(key, f"{kind}가 와야 해요.", f"{least:g}에서 {most:g} 사이의 {kind}를 적어 주세요.")
            return default
        if not least <= value <= most:
            self.problem(key, f"{value:g} 값은 범위 밖이에요.", f"{least:g}에서 {most:g} 사이의 {kind}를 적어 주세요.")
            return default
        return value

    def texts(self, key: str, *, required: bool = False, most: int = 100) -> tuple[str, ...]:
        """A list of texts."""
        value = self.raw(key)
        if value is None:
            if required:
                self.problem(key, "꼭 있어야 하는데 비어 있어요.", f"{key} 항목에 글의 목록을 적어 주세요.")
            return ()
        if not isinstance(value, list) or not all(isinstance(item, str | int | float) for item in value):
            self.problem(key, "글의 목록이 와야 해요.", "[글, 글] 꼴로 적어 주세요.")
            return ()
        if len(value) > most or (required and not value):
            self.problem(key, f"목록에 1개에서 {most}개까지 둘 수 있어요.", "개수를 맞춰 주세요.")
            return ()
        return tuple(str(item).lower() if isinstance(item, bool) else str(item) for item in value)

    def mapping(self, key: str) -> Reader:
        """The mapping under ``key``; an empty one if there is none."""
        value = self.raw(key)
        return Reader(self.document, self.problems, {} if value is None else value, (*self.path, key))

    def items(self, key: str, *, most: int) -> Iterator[Reader]:
        """The mappings of the list under ``key``."""
        value = self.raw(key)
        if value is None:
            return
        if not isinstance(value, list):
            self.problem(key, "목록이 와야 해요.", "줄마다 `- `로 시작하는 목록으로 적어 주세요.")
            return
        if len(value) > most:
            self.problem(key, f"{len(value)}개는 너무 많아요.", f"{most}개까지 둘 수 있어요.")
            return
        for index, item in enumerate(value):
            yield Reader(self.document, self.problems, [] if item is None else item, (*self.path, key, index))

    def paths(self, key: str) -> tuple[str, ...]:
        """A list of paths inside the exercise."""
        found = self.texts(key, most=rules.ANSWER_FILES)
        for index, path in enumerate(found):
            if fault := rules.path_fault(path):
                self.problem(key, fault, "문제 폴더 안의 상대 경로로 적어 주세요.", index)
        return found

    def files(self, key: str) -> dict[str, str]:
        """A mapping of path -> text."""
        inner = self.mapping(key)
        found = {}
        for path in inner.values:
            if fault := rules.path_fault(path):
                inner.problem(path, fault, "답 폴더 안의 상대 경로로 적어 주세요.")
            found[path] = inner.text(path, most=rules.ANSWER_FILE_BYTES)
        for path, message in rules.answer_faults(found):
            inner.problem(path, message, "파일을 줄여 주세요.")
        return found

    def rest(self) -> dict[str, Any]:
        """What nobody asked for yet, now asked for."""
        left = {key: value for key, value in self.values.items() if key not in self.asked}
        self.asked |= left.keys()
        return left

    def finish(self, known: Collection[str] = ()) -> None:
        """Every key that was never asked for is a problem; ``known`` adds names worth suggesting."""
        names = sorted(self.asked | set(known))
        for key in self.values:
            if key in self.asked:
                continue
            close = difflib.get_close_matches(key, names, n=1)
            shown = re.sub(r"[^\w가-힣.-]", "?", key[:40])
            fix = f"혹시 {close[0]} 항목인지 살펴 주세요." if close else f"쓸 수 있는 이름: {', '.join(names)}"
            self.problem(key, f"{shown} 항목은 모르는 이름이에요.", fix)
