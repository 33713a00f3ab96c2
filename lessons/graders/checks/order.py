"""question ``order``: the ``items`` are put into the order in which they are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lessons.contracts import CheckSpec, VarSpec
from lessons.graders.answers import given_texts
from lessons.graders.fields import Fault, as_texts, texts_faults
from lessons.graders.interfaces import Context, Outcome
from lessons.graders.normalise import single_spaced

NEEDS_PROBE = False
FIELDS = frozenset({"items"})


def validate(fields: Mapping[str, Any], variables: Mapping[str, VarSpec]) -> list[Fault]:
    items = fields.get("items")
    if not isinstance(items, list) or len(items) < 2:
        return [Fault("items", "순서를 정할 항목이 두 개는 있어야 해요.", "items: [먼저, 다음]처럼 적어 주세요.")]
    found = texts_faults(items, "items")
    if not found and len({single_spaced(text) for text in as_texts(items)}) < len(items):
        found.append(Fault("items", "같은 항목이 또 있어요.", "항목마다 다른 글을 적어 주세요."))
    return found


def probes_of(check: CheckSpec) -> tuple[str, ...]:
    return ()


def asks_ended(check: CheckSpec) -> bool:
    return False


def judge(check: CheckSpec, context: Context) -> Outcome:
    wanted = [single_spaced(text) for text in as_texts(check.fields["items"])]
    given = given_texts(context.given.get(check.id))
    if not given:
        return Outcome(
            False, "맞는 순서", "", always="아직 순서를 정하지 않았어요. 먼저 일어나는 것부터 놓아 보세요.", only=True
        )
    found = [single_spaced(text) for text in given]
    right = next(
        (i for i, (a, b) in enumerate(zip(wanted, found, strict=False)) if a != b), min(len(wanted), len(found))
    )
    message = (
        f"앞의 {right}개는 맞아요. 그다음부터 다시 놓아 보세요."
        if right
        else "처음부터 순서가 달라요. 무엇이 먼저일까요?"
    )
    return Outcome(found == wanted, "맞는 순서", " → ".join(given), message)
