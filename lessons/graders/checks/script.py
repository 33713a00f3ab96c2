"""check ``script``: a program of the author's decides. Its place is ``checks/`` of the exercise.

    program     its name there; all files of ``checks/`` lie beside it when it runs

It reads {"vars", "evidence", "answer"} as JSON and prints a list of {id, passed, expected, found, message, timeline}.
The check passes if all of them do; what is shown is the first that did not. A program that fails or prints
anything else is its author's fault and no verdict.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lessons.contracts import CheckSpec, VarSpec
from lessons.graders.evidence import number_of, parsed_json
from lessons.graders.fields import Fault, is_number, text_faults
from lessons.graders.interfaces import AuthorProgramError, Context, Outcome
from lessons.graders.wording import describe, plain

NEEDS_PROBE = False
FIELDS = frozenset({"program"})
ITEMS_MOST = 200
MOMENTS_MOST = 30
MOMENT_TEXT_MOST = 200
MOMENT_AT_MOST = 40
TONES = ("bad", "seen", "ok")
_KEYS = frozenset({"id", "passed", "expected", "found", "message", "timeline"})
_DEFAULT_MESSAGE = "{expected}이(가) 나와야 하는데 {found}이(가) 나왔어요. 왜 다른지 살펴보세요."


def validate(fields: Mapping[str, Any], variables: Mapping[str, VarSpec]) -> list[Fault]:
    if "program" not in fields:
        return [Fault("program", "판단할 프로그램이 없어요.", "checks/에 두고 program: judge.py처럼 적어 주세요.")]
    return text_faults(fields["program"], "program", empty=False)


def probes_of(check: CheckSpec) -> tuple[str, ...]:
    return (check.probe,) if check.probe else ()


def asks_ended(check: CheckSpec) -> bool:
    """The program sees how every run ended and decides of it."""
    return True


def judge(check: CheckSpec, context: Context) -> Outcome:
    items = _items(check, parsed_json(context.said[check.id]))
    failed = next((item for item in items if not item["passed"]), None)
    shown = failed or items[0]
    message = shown.get("message") or ""
    expected, found = (_text(shown.get(name)) for name in ("expected", "found"))
    moments: list[Any] = next((item["timeline"] for item in (shown, *items) if item.get("timeline")), [])
    picture = {"timeline": [_moment(moment) for moment in moments[:MOMENTS_MOST]]} if moments else {}
    if failed is None:
        return Outcome(True, expected, found, picture=picture)
    return Outcome(False, expected, found, message or _DEFAULT_MESSAGE, picture=picture)


def _items(check: CheckSpec, said: Any) -> list[dict[str, Any]]:
    """What the program said, if it keeps to the format."""
    if not isinstance(said, list) or not 1 <= len(said) <= ITEMS_MOST:
        raise AuthorProgramError(f"{check.id}: {check.fields['program']} printed no list of results")
    for item in said:
        fits = isinstance(item, dict) and isinstance(item.get("passed"), bool) and not set(item) - _KEYS
        told = isinstance(item.get("message") or "", str) if fits else False
        if not told or not _is_timeline(item.get("timeline")):
            raise AuthorProgramError(f"{check.id}: {check.fields['program']} printed a result of another form")
    return said


def _is_timeline(value: Any) -> bool:
    """A list of {"at": seconds or a text, "text", "tone"}; nothing is fine as well."""
    if value is None:
        return True
    return isinstance(value, list) and all(
        isinstance(moment, dict)
        and set(moment) == {"at", "text", "tone"}
        and (is_number(moment["at"]) or isinstance(moment["at"], str))
        and isinstance(moment["text"], str)
        and moment["tone"] in TONES
        for moment in value
    )


def _moment(moment: Mapping[str, Any]) -> dict[str, Any]:
    at = moment["at"]
    return {
        "at": plain(at)[:MOMENT_AT_MOST] if isinstance(at, str) else number_of(at) or 0,
        "text": plain(moment["text"])[:MOMENT_TEXT_MOST],
        "tone": moment["tone"],
    }


def _text(value: Any) -> str:
    return "" if value is None else describe(value)
