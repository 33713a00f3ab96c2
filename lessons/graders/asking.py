"""jmespath queries on evidence: never raise, whatever the evidence holds."""

from __future__ import annotations

import re
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

_PLAIN = re.compile(r'[A-Za-z_][\w-]*(?:\.(?:[A-Za-z_][\w-]*|"[^"`{}]+")|\[\d*\])*')


def is_plain_path(query: str) -> bool:
    """Whether the query is a mere path into the evidence, which says something to a learner."""
    return bool(_PLAIN.fullmatch(query))


def ask(query: str, document: Any) -> Any:
    """What the query finds; None where it finds nothing or does not fit the evidence."""
    try:
        return jmespath.search(query, document)
    except (JMESPathError, ArithmeticError, AttributeError, TypeError, ValueError, RecursionError):
        return None


def reads_field(query: str, name: str) -> bool:
    """Whether the query reads the field ``name`` of the evidence itself (not of something inside it)."""
    try:
        return _reads(jmespath.compile(query).parsed, name)
    except (JMESPathError, RecursionError):
        return False


def _reads(node: Any, name: str) -> bool:
    if node["type"] == "field":
        return bool(node["value"] == name)
    children = node.get("children", [])
    if node["type"] == "subexpression" and children[0]["type"] != "current":
        children = children[:1]
    return any(_reads(child, name) for child in children if isinstance(child, dict))
