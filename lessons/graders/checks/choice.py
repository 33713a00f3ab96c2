"""question ``choice``: exactly the correct ones of ``options`` ([{text, correct, why}]) are chosen.

What was right is never told; the ``why`` of an option is, once it was chosen wrongly.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lessons.contracts import CheckSpec, VarSpec
from lessons.graders.answers import given_texts
from lessons.graders.fields import Fault, text_faults, unknown_fields
from lessons.graders.interfaces import Context, Outcome
from lessons.graders.normalise import single_spaced

NEEDS_PROBE = False
FIELDS = frozenset({"options"})
_KEYS = frozenset({"text", "correct", "why"})


def validate(fields: Mapping[str, Any], variables: Mapping[str, VarSpec]) -> list[Fault]:
    options = fields.get("options")
    if not isinstance(options, list) or len(options) < 2:
        return [Fault("options", "보기가 두 개는 있어야 해요.", "options: [{text: …, correct: true}, {text: …}]")]
    found: list[Fault] = []
    seen: set[str] = set()
    for index, option in enumerate(options):
        place = f"options.{index}"
        if not isinstance(option, Mapping):
            found.append(
                Fault(place, "보기는 {text, correct, why}로 적어요.", "{text: …, correct: true}로 적어 주세요.")
            )
            continue
        found += [Fault(f"{place}.{fault.field}", fault.message, fault.fix) for fault in unknown_fields(option, _KEYS)]
        faults = text_faults(option.get("text"), f"{place}.text", empty=False)
        found += faults + text_faults(option.get("why", ""), f"{place}.why")
        if not isinstance(option.get("correct", False), bool):
            found.append(Fault(f"{place}.correct", "true나 false가 와야 해요.", "correct: true로 적어 주세요."))
        key = _key(option.get("text"))
        if not faults and key in seen:
            found.append(Fault(f"{place}.text", "같은 보기가 또 있어요.", "보기마다 다른 글을 적어 주세요."))
        seen.add(key)
    if not found and not any(option.get("correct") for option in options):
        found.append(Fault("options", "맞는 보기가 없어요.", "하나 넘게 correct: true로 적어 주세요."))
    return found


def probes_of(check: CheckSpec) -> tuple[str, ...]:
    return ()


def asks_ended(check: CheckSpec) -> bool:
    return False


def judge(check: CheckSpec, context: Context) -> Outcome:
    options = {_key(option["text"]): option for option in check.fields["options"]}
    chosen = given_texts(context.given.get(check.id))
    keys = {_key(text) for text in chosen}
    right = {key for key, option in options.items() if option.get("correct")}
    if not chosen:
        return Outcome(
            False, "맞는 보기", "", always="아직 고르지 않았어요. 맞다고 생각하는 보기를 골라 보세요.", only=True
        )
    reasons = [str(options[key]["why"]) for key in options if key in keys - right and options[key].get("why")]
    message = "맞는 보기와 달라요. 단원을 다시 읽고 골라 보세요."
    if len(right) > 1 and keys < right:
        message = "고른 것은 맞아요. 빠뜨린 보기가 있는지 더 살펴보세요."
    return Outcome(keys == right, "맞는 보기", ", ".join(chosen), message, " ".join(reasons))


def _key(text: Any) -> str:
    return single_spaced(str(text))
