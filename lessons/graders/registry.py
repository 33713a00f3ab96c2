"""Every check, question and probe type, one line each, and the validators that course files use.

A new type is a module beside its siblings, its test, and a line here. ``lessons.content`` asks:

    validate_probe(type, value) -> [Fault]
    validate_check(type, fields, variables=specs) -> [Fault]     also for the questions of a quiz

``value`` and ``fields`` come as YAML gave them and go unchanged into ProbeSpec.value and
CheckSpec.fields; ``fields`` holds only what is not common to all checks. Fields that the type
does not know are among the faults. ``Fault(field, message, fix)``: see fields.py. Content itself
looks at what is common to all, and that every ``{{name}}`` and every probe that is named exists.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lessons.contracts import VarSpec
from lessons.graders.checks import choice, dockerfile, order, query, short, text
from lessons.graders.fields import Fault, unknown_fields
from lessons.graders.interfaces import CheckType, ProbeType
from lessons.graders.probes import run

PROBES: Mapping[str, ProbeType] = {
    "run": run,
}

CHECKS: Mapping[str, CheckType] = {
    "text": text,
    "query": query,
    "dockerfile": dockerfile,
}

QUESTIONS: Mapping[str, CheckType] = {
    "choice": choice,
    "short": short,
    "order": order,
}


def check_type(name: str) -> CheckType:
    """The module of a check or question type; KeyError if there is none of that name."""
    return CHECKS[name] if name in CHECKS else QUESTIONS[name]


def needs_probe(name: str) -> bool:
    """Whether checks of this type look at a probe's evidence."""
    return check_type(name).NEEDS_PROBE


def validate_probe(name: str, value: Any) -> list[Fault]:
    """What is wrong with the value of a probe of this type."""
    return PROBES[name].validate(value)


def validate_check(name: str, fields: Mapping[str, Any], *, variables: Iterable[VarSpec] = ()) -> list[Fault]:
    """What is wrong with the fields that this type of check owns."""
    kind = check_type(name)
    return unknown_fields(fields, kind.FIELDS) + kind.validate(fields, {spec.name: spec for spec in variables})
