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

from lessons.contracts import CheckSpec, Kind, VarSpec
from lessons.graders.checks import choice, dockerfile, order, query, script, short, text
from lessons.graders.fields import Fault, unknown_fields
from lessons.graders.interfaces import AskProbe, CheckType, RunProbe
from lessons.graders.probes import build, docker, events, exec, http, kubernetes, run, traffic
from lessons.graders.probes import registry as images

RUN_PROBES: Mapping[str, RunProbe] = {
    "run": run,
}

# One look at the lab as it is: `traffic` takes such before and after.
LOOKS: Mapping[str, AskProbe] = {
    "docker": docker.Docker(),
    "exec": exec.Exec(),
    "http": http.Http(),
    "kubernetes": kubernetes.Kubernetes(),
    "registry": images.Registry(),
}

ASK_PROBES: Mapping[str, AskProbe] = {
    **LOOKS,
    "build": build.Build(),
    "events": events.Events(),
    "traffic": traffic.Traffic(LOOKS),
}

PROBES: Mapping[str, RunProbe | AskProbe] = {**RUN_PROBES, **ASK_PROBES}

CHECKS: Mapping[str, CheckType] = {
    "text": text,
    "query": query,
    "dockerfile": dockerfile,
    "script": script,
}

QUESTIONS: Mapping[str, CheckType] = {
    "choice": choice,
    "short": short,
    "order": order,
}

# Which probes and checks belong to a kind; what is named nowhere here belongs to both.
_ONLY_IN: Mapping[str, Kind] = {
    "run": Kind.RUN,
    "docker": Kind.LAB,
    "events": Kind.LAB,
    "exec": Kind.LAB,
    "http": Kind.LAB,
    "kubernetes": Kind.LAB,
    "registry": Kind.LAB,
    "traffic": Kind.LAB,
    "dockerfile": Kind.RUN,
}


def only_in(name: str) -> Kind | None:
    """The kind of exercise that a probe or check type is for; None where it is for runs and labs."""
    return _ONLY_IN.get(name)


def check_type(name: str) -> CheckType:
    """The module of a check or question type; KeyError if there is none of that name."""
    return CHECKS[name] if name in CHECKS else QUESTIONS[name]


def needs_probe(name: str) -> bool:
    """Whether checks of this type look at a probe's evidence."""
    return check_type(name).NEEDS_PROBE


def program_of(check: CheckSpec) -> str:
    """The author's program in ``checks/`` that the check waits for; empty where it needs none."""
    return str(check.fields.get("program" if check.type == "script" else "expect_from") or "")


def validate_probe(name: str, value: Any) -> list[Fault]:
    """What is wrong with the value of a probe of this type."""
    return PROBES[name].validate(value)


def validate_check(name: str, fields: Mapping[str, Any], *, variables: Iterable[VarSpec] = ()) -> list[Fault]:
    """What is wrong with the fields that this type of check owns."""
    kind = check_type(name)
    return unknown_fields(fields, kind.FIELDS) + kind.validate(fields, {spec.name: spec for spec in variables})
