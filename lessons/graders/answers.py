"""What a quiz answer says: ``answer.yaml`` as {question id: texts or text}, read safely and within bounds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import yaml

ANSWER_FILE = "answer.yaml"
MAX_ANSWER = 64 * 1024
MAX_ITEMS = 200


class _Refused(Exception):
    """An alias: the way to make a small file huge."""


class _PlainLoader(yaml.BaseLoader):
    """Every scalar is a text (``yes`` and ``3`` are what the learner typed), and there are no aliases."""

    def compose_node(self, parent: Any, index: int) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise _Refused
        return super().compose_node(parent, index)


def read_answers(text: str) -> dict[str, Any]:
    """Question id -> text or list of texts. An answer that cannot be read holds nothing."""
    if len(text) > MAX_ANSWER:
        return {}
    try:
        loaded = json.loads(text)
    except (ValueError, RecursionError):
        try:
            loaded = yaml.load(text, Loader=_PlainLoader)  # noqa: S506 - a BaseLoader: it makes no objects
        except (yaml.YAMLError, _Refused, ValueError, RecursionError, TypeError):
            return {}
    if not isinstance(loaded, Mapping):
        return {}
    return {str(key): _texts(value) for key, value in list(loaded.items())[:MAX_ITEMS]}


def _texts(value: Any) -> str | list[str]:
    if isinstance(value, list):
        return [_text(item) for item in value[:MAX_ITEMS]]
    return _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return json.dumps(value)
    return str(value) if isinstance(value, str | int | float) else ""


def given_texts(given: Any) -> list[str]:
    """An answer as a list; nothing and empty texts leave it empty."""
    items = given if isinstance(given, list) else [given]
    return [item for item in items if isinstance(item, str) and item.strip()]
