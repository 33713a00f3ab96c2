"""YAML with line numbers and bounds: no tags, no duplicate keys, no bombs.

Words follow YAML 1.2: only true and false are booleans, ``8080:80`` and ``no`` stay texts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import yaml

from lessons.content import rules
from lessons.content.errors import Problems

# libyaml's parser where it is there: quick, and a question mark may end a text inside {…}.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Path = tuple[str | int, ...]

_INT = re.compile(r"[-+]?[0-9]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_BOOLS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_NUMBER_LENGTH = 30


@dataclass(frozen=True)
class Document:
    """A parsed file. ``lines`` maps the path of every value to its line, counted from 1."""

    file: str
    value: Any
    lines: dict[Path, int]

    def line(self, path: Path) -> int:
        """The line of a value, or of the nearest one around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


class _Refused(Exception):
    def __init__(self, line: int, message: str, fix: str) -> None:
        super().__init__(message)
        self.line, self.message, self.fix = line, message, fix


def read_yaml(file: str, text: str, problems: Problems, *, lines_above: int = 0) -> Document | None:
    """Parse ``text``; on a fault add it to ``problems`` and return None. An empty file is ``None`` inside."""
    try:
        if len(text.encode()) > rules.YAML_BYTES:
            raise _Refused(
                1, f"YAML 파일이 {rules.YAML_BYTES // rules.KB} KB보다 커요.", "파일을 나누거나 줄여 주세요."
            )
        _check_events(text)
        node = yaml.compose(text, Loader=_LOADER)
        walker = _Walker(lines_above)
        value = walker.value(node, ()) if node is not None else None
    except _Refused as refused:
        problems.add(file, refused.line + lines_above, "yaml", refused.message, refused.fix)
        return None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = (mark.line + 1 if mark else 1) + lines_above
        detail = (error.problem or error.context or "").strip()
        problems.add(file, line, "yaml", f"YAML 문법이 맞지 않아요({detail}).", "들여쓰기, 따옴표, 괄호를 살펴 주세요.")
        return None
    except (yaml.YAMLError, ValueError):  # ValueError: UnicodeEncodeError of lone surrogates
        problems.add(
            file,
            1 + lines_above,
            "yaml",
            "YAML에 쓸 수 없는 문자가 있어요.",
            "제어 문자를 지우고 UTF-8로 저장해 주세요.",
        )
        return None
    for path, line in walker.duplicates:
        problems.add(file, line, field_name(path), "같은 이름이 두 번 나와요.", "둘 가운데 하나를 지워 주세요.")
    return Document(file, value, walker.lines)


def field_name(path: Path) -> str:
    """``("checks", 0, "equals")`` as ``checks[0].equals``."""
    name = ""
    for part in path:
        name += f"[{part}]" if isinstance(part, int) else f".{part}" if name else str(part)
    return name


def _check_events(text: str) -> None:
    """Depth, tags and number of documents, before anything recursive sees the text."""
    depth = documents = 0
    for count, event in enumerate(yaml.parse(text, Loader=_LOADER)):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if count > 3 * rules.YAML_VALUES:
            raise _Refused(line, "값이 너무 많아요.", f"값을 {rules.YAML_VALUES}개 아래로 줄여 주세요.")
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise _Refused(line, "한 파일에 YAML 문서가 둘 이상 있어요.", "두 번째 --- 아래를 지워 주세요.")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > rules.YAML_DEPTH:
                raise _Refused(line, "너무 깊이 겹쳐 있어요.", f"{rules.YAML_DEPTH}겹 안으로 줄여 주세요.")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if (tag := getattr(event, "tag", None)) is not None:
            raise _Refused(line, f"YAML 태그({tag})는 쓸 수 없어요.", "태그를 지우고 값만 적어 주세요.")


class _Walker:
    """Turns nodes into plain values, counting every value again each time an alias repeats it."""

    def __init__(self, lines_above: int) -> None:
        self.lines: dict[Path, int] = {}
        self.duplicates: list[tuple[Path, int]] = []
        self._above = lines_above
        self._count = 0

    def value(self, node: yaml.Node, path: Path) -> Any:
        line = node.start_mark.line + 1
        self.lines.setdefault(path, line + self._above)
        self._count += 1
        if self._count > rules.YAML_VALUES or len(path) > rules.YAML_DEPTH:
            line = self.lines.get(path[:1], 1) - self._above  # the value at the top that grew so large
            raise _Refused(line, "별칭(*)을 풀면 값이 너무 많아요.", "별칭 대신 값을 직접 적어 주세요.")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node)
        raise TypeError(f"a node that YAML does not know: {node!r}")

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, item in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise _Refused(line, "이름 자리에 목록이나 묶음이 있어요.", "이름은 짧은 글자로 적어 주세요.")
            inner = (*path, key.value)
            if key.value in found:
                self.duplicates.append((inner, line + self._above))
                continue
            self.lines[inner] = line + self._above
            found[key.value] = self.value(item, inner)
        return found


def _scalar(node: yaml.ScalarNode) -> Any:
    text: str = node.value
    if node.style in tuple("'\"|>"):  # quoted or a block: always a text
        return text
    if text in _NULLS:
        return None
    if text in _BOOLS:
        return _BOOLS[text]
    if len(text) <= _NUMBER_LENGTH:
        if _INT.fullmatch(text):
            return int(text, 16 if text.startswith("0x") else 10)
        if _FLOAT.fullmatch(text):
            number = float(text)
            return number if abs(number) < 1e300 else text
    return text
