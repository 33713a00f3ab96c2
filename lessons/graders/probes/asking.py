"""What the probes that ask a lab have in common."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

from lessons.contracts import Ask, ExerciseSpec, Place
from lessons.graders.fields import Fault, is_number, text_faults, unknown_fields

# What a tool may take beyond what it was given itself, before the question counts as lost.
GRACE_SECONDS = 5.0
NAME_MOST = 300
_ENGINE = re.compile(r"[a-z][a-z0-9-]*")


def make(
    tool: str,
    request: Mapping[str, Any],
    *,
    place: Place = Place.LAB,
    environment: str = "",
    seconds: float = 10.0,
    empty: Collection[str] = (),
) -> Ask:
    """An Ask whose request leaves out what is empty, so that equal questions are equal; but not the keys ``empty``."""
    kept = {key: value for key, value in request.items() if key in empty or value not in (None, "", [], {}, ())}
    return Ask(tool, written(kept), place=place, environment=environment, seconds=seconds)


def written(request: Mapping[str, Any]) -> str:
    """A request as an Ask holds it."""
    return json.dumps(request, ensure_ascii=False, sort_keys=True)


def request_of(ask: Ask) -> dict[str, Any]:
    """What was asked, as an object."""
    found = json.loads(ask.request)
    return found if isinstance(found, dict) else {}


def engine_of(value: Mapping[str, Any], exercise: ExerciseSpec) -> str:
    """The host that is meant: the one written, else the first of a lab with several, else none."""
    return str(value.get("engine") or next(iter(exercise.engines), ""))


def object_faults(value: Any, known: Collection[str], example: str) -> list[Fault]:
    """That the value is an object with known keys, and ``engine`` a word."""
    if not isinstance(value, Mapping):
        return [Fault("", "{이름: 값} 묶음이 와야 해요.", f"{example}처럼 적어 주세요.")]
    found = unknown_fields(value, known)
    engine = value.get("engine")
    if "engine" in value and not (isinstance(engine, str) and _ENGINE.fullmatch(engine)):
        found.append(Fault("engine", "호스트의 이름이 와야 해요.", "engines에 적은 이름을 적어 주세요."))
    return found


def name_faults(value: Any, field: str, example: str) -> list[Fault]:
    """That there is a text of one line, as names are."""
    if value is None:
        return [Fault(field, "꼭 있어야 하는데 없어요.", f"{example}처럼 적어 주세요.")]
    found = text_faults(value, field, empty=False)
    if not found and (len(str(value)) > NAME_MOST or "\n" in str(value)):
        found = [Fault(field, "이름으로 쓸 수 없어요.", f"{NAME_MOST}자 안에서 한 줄로 적어 주세요.")]
    return found


def number_faults(value: Any, field: str, least: float, most: float, *, whole: bool = False) -> list[Fault]:
    if is_number(value) and least <= value <= most and (not whole or isinstance(value, int)):
        return []
    kind = "정수" if whole else "수"
    return [Fault(field, f"{kind}가 와야 해요.", f"{least:g}에서 {most:g} 사이의 {kind}를 적어 주세요.")]


def on(engine: Any, command: str) -> str:
    """``command`` as typed for one of several hosts."""
    return f"on {engine} {command}" if engine else command
