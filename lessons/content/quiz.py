"""answer.yaml: what the solution and the wrong answers of a quiz say."""

from __future__ import annotations

from lessons.content import rules
from lessons.content.errors import Problems
from lessons.content.reader import Reader
from lessons.content.yamlfile import read_yaml
from lessons.contracts import CheckSpec

ANSWER = "answer.yaml"


def check_answer(file: str, text: str, checks: tuple[CheckSpec, ...], problems: Problems) -> None:
    """An answer.yaml may only name questions, and only options or items that they have."""
    document = read_yaml(file, text, problems)
    if document is None:
        return
    reader = Reader(document, problems)
    for check in checks:
        if not reader.has(check.id):
            reader.raw(check.id)
        elif check.type == "short":
            reader.text(check.id)
        else:
            _check_listed(reader, check)
    reader.finish()


def _check_listed(reader: Reader, check: CheckSpec) -> None:
    if isinstance(reader.values[check.id], list):
        given = reader.texts(check.id, most=rules.OPTIONS)
    else:
        given = (reader.text(check.id),)
    known = _listed(check)
    for index, text in enumerate(given):
        if known and text not in known:
            place = (index,) if isinstance(reader.values[check.id], list) else ()
            reader.problem(check.id, f"보기에 없는 글({text[:60]})이에요.", "보기에 적힌 그대로 적어 주세요.", *place)
    if check.type == "order" and known and sorted(given) != sorted(known):
        reader.problem(check.id, "항목이 빠졌거나 겹쳐요.", "모든 항목을 한 번씩, 순서대로 적어 주세요.")


def _listed(check: CheckSpec) -> list[str]:
    """The texts of a choice's options or of an order's items."""
    found = check.fields.get("options" if check.type == "choice" else "items")
    if not isinstance(found, list | tuple):
        return []
    return [str(item.get("text", "") if isinstance(item, dict) else item) for item in found]
