"""question ``short``: a typed answer is one of ``accept``: texts, or RE2 patterns written ``/pattern/``.

Both sides are compared after NFC, trim, case fold and single spaces. A pattern must fit the whole answer.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from lessons.contracts import CheckSpec, VarSpec
from lessons.graders.answers import given_texts
from lessons.graders.fields import Fault, as_texts, compile_pattern, pattern_faults, texts_faults
from lessons.graders.interfaces import Context, Outcome
from lessons.graders.normalise import answer_key

NEEDS_PROBE = False
FIELDS = frozenset({"accept"})
MAX_ANSWER = 2000


def validate(fields: Mapping[str, Any], variables: Mapping[str, VarSpec]) -> list[Fault]:
    accept = fields.get("accept")
    if accept is None:
        return [Fault("accept", "받아 줄 답이 없어요.", "accept: [답, /정규식/]처럼 적어 주세요.")]
    found = texts_faults(accept, "accept")
    if found:
        return found
    for index, text in enumerate(as_texts(accept)):
        if _is_pattern(text):
            found += pattern_faults(text[1:-1], f"accept.{index}")
    return found


def probes_of(check: CheckSpec) -> tuple[str, ...]:
    return ()


def asks_ended(check: CheckSpec) -> bool:
    return False


def judge(check: CheckSpec, context: Context) -> Outcome:
    given = " ".join(given_texts(context.given.get(check.id)))
    if not given:
        return Outcome(False, "맞는 답", "", always="아직 답하지 않았어요. 생각한 답을 적어 보세요.", only=True)
    answer = answer_key(given[:MAX_ANSWER])
    passed = len(given) <= MAX_ANSWER and any(_accepts(text, answer) for text in as_texts(check.fields["accept"]))
    return Outcome(passed, "맞는 답", given, "아직이에요. 단원에서 쓰는 낱말을 떠올려 다시 적어 보세요.")


def _accepts(text: str, answer: str) -> bool:
    if not _is_pattern(text):
        return answer_key(text) == answer
    pattern = unicodedata.normalize("NFC", text[1:-1])
    return compile_pattern(pattern, ignore_case=True).fullmatch(answer) is not None


def _is_pattern(text: str) -> bool:
    return len(text) > 2 and text.startswith("/") and text.endswith("/")
