"""Small validators that check and probe types share; faults are in Korean for an author.

A fault's ``field`` leads from the authored value to the wrong place: keys and list indices
with dots between (``options.0.text``), so that the caller can find the line; empty is the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import jmespath
import re2

MAX_TEXT = 64 * 1024
MAX_PATTERN = 500
MAX_QUERY = 500


class Fault(NamedTuple):
    """What is wrong where, and how to put it right (both Korean)."""

    field: str
    message: str
    fix: str


def unknown_fields(fields: Mapping[Any, Any], known: Iterable[str]) -> list[Fault]:
    fix = f"쓸 수 있는 이름: {', '.join(sorted(known))}"
    return [Fault(str(key), f"모르는 이름({key})이에요.", fix) for key in fields if key not in known]


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def as_text(value: Any) -> str | None:
    """A text or number as text; None for anything else (also for true and false)."""
    if isinstance(value, str):
        return value
    return str(value) if is_number(value) else None


def text_faults(value: Any, field: str, *, empty: bool = True) -> list[Fault]:
    text = as_text(value)
    if text is None:
        return [Fault(field, "글이 와야 해요.", "따옴표로 감싼 글로 적어 주세요.")]
    if not empty and not text.strip():
        return [Fault(field, "비어 있어요.", "내용을 적어 주세요.")]
    if len(text) > MAX_TEXT:
        return [Fault(field, "너무 길어요.", f"{MAX_TEXT // 1024} KB보다 짧게 줄여 주세요.")]
    if "\0" in text:
        return [Fault(field, "NUL 문자가 들어 있어요.", "NUL 문자를 지워 주세요.")]
    return []


def texts_faults(value: Any, field: str) -> list[Fault]:
    """A text, or a list of texts with at least one, none of them empty."""
    if not isinstance(value, list):
        return text_faults(value, field, empty=False)
    if not value:
        return [Fault(field, "목록이 비어 있어요.", "하나 넘게 적어 주세요.")]
    return [fault for index, item in enumerate(value) for fault in text_faults(item, f"{field}.{index}", empty=False)]


def as_texts(value: Any) -> tuple[str, ...]:
    """What ``texts_faults`` let through, as a tuple."""
    return tuple(str(item) for item in value) if isinstance(value, list) else (str(value),)


def compile_pattern(pattern: str, *, ignore_case: bool = False) -> Any:
    """A compiled RE2 pattern: matching takes time linear in the text. Raises ``re2.error``."""
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = not ignore_case
    return re2.compile(pattern, options)


def pattern_faults(value: Any, field: str) -> list[Fault]:
    if not isinstance(value, str) or not value:
        return [Fault(field, "정규식이 와야 해요.", "따옴표로 감싼 정규식을 적어 주세요.")]
    if len(value) > MAX_PATTERN:
        return [Fault(field, "정규식이 너무 길어요.", f"{MAX_PATTERN}자보다 짧게 줄여 주세요.")]
    try:
        compile_pattern(value)
    except re2.error as error:
        reason = error.args[0].decode(errors="replace") if error.args else ""
        fix = "RE2 문법으로 고쳐 주세요. 앞뒤 살피기(lookaround)와 되부르기(backreference)는 쓸 수 없어요."
        return [Fault(field, f"정규식을 읽을 수 없어요({reason}).", fix)]
    return []


def query_faults(value: Any, field: str) -> list[Fault]:
    if not isinstance(value, str) or not value.strip():
        return [Fault(field, "jmespath 질의가 와야 해요.", "예: query: exit_code")]
    if len(value) > MAX_QUERY:
        return [Fault(field, "질의가 너무 길어요.", f"{MAX_QUERY}자보다 짧게 줄여 주세요.")]
    try:
        jmespath.compile(value)
    except (jmespath.exceptions.JMESPathError, RecursionError) as error:
        reason = str(error).splitlines()[0] if str(error) else ""
        return [Fault(field, f"질의를 읽을 수 없어요({reason}).", "jmespath 문법에 맞게 고쳐 주세요.")]
    return []
