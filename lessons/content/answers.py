"""The answers that lie in an exercise's folder: starter/, solution/, wrong/<case>/."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from lessons.content import rules
from lessons.content.errors import Problems
from lessons.content.reader import Reader
from lessons.content.yamlfile import read_yaml
from lessons.contracts import CheckSpec, Verdict, WrongAnswer

EXPECT = "expect.yaml"
_WRONG_VERDICTS = [verdict.value for verdict in Verdict if verdict != Verdict.PASS]


def read_starter(files: Mapping[str, str], reader: Reader) -> tuple[dict[str, str], tuple[str, ...]]:
    """The starter files, and which of them the learner may change (all, unless `editable` says)."""
    starter = read_folder(files, "starter/", reader.problems)
    if not reader.has("editable"):
        reader.raw("editable")
        editable = tuple(sorted(starter))
        if not editable:
            fix = "starter/에 학습자가 고칠 파일을 두거나 editable에 적어 주세요."
            reader.problem("editable", "학습자가 고칠 파일이 하나도 없어요.", fix)
        return starter, editable
    editable = reader.paths("editable")
    if not editable:
        reader.problem("editable", "학습자가 고칠 파일이 하나도 없어요.", "starter/에 있는 파일 이름을 적어 주세요.")
    for index, path in enumerate(editable):
        if path not in starter:
            reader.problem(
                "editable",
                f"starter/에 {path} 파일이 없어요.",
                f"starter/{path} 파일을 만들거나 이름을 고쳐 주세요.",
                index,
            )
    if len(set(editable)) != len(editable):
        reader.problem("editable", "같은 파일을 두 번 적었어요.", "하나를 지워 주세요.")
    return starter, editable


def read_solution(
    files: Mapping[str, str], problems: Problems, editable: Collection[str], starter: Mapping[str, str]
) -> dict[str, str]:
    """The reference answer; empty where there is none."""
    return _answer("solution/", read_folder(files, "solution/", problems), editable, starter, problems)


def read_wrong(
    files: Mapping[str, str],
    problems: Problems,
    checks: tuple[CheckSpec, ...],
    editable: Collection[str],
    starter: Mapping[str, str],
) -> tuple[WrongAnswer, ...]:
    """The known wrong answers, by name."""
    names = []
    for path in sorted(files):
        folder, _, rest = path.partition("/")
        if folder != "wrong":
            continue
        name, _, inner = rest.partition("/")
        if not inner:
            problems.add(
                path, None, "file", "wrong/ 바로 아래에는 폴더만 둘 수 있어요.", "wrong/<이름>/ 안으로 옮겨 주세요."
            )
        elif name not in names:
            names.append(name)
    if len(names) > rules.WRONG:
        problems.add("wrong", None, "file", f"틀린 답이 {rules.WRONG}개보다 많아요.", "개수를 줄여 주세요.")
        return ()
    return tuple(_wrong(name, files, problems, checks, editable, starter) for name in names)


def _wrong(
    name: str,
    files: Mapping[str, str],
    problems: Problems,
    checks: tuple[CheckSpec, ...],
    editable: Collection[str],
    starter: Mapping[str, str],
) -> WrongAnswer:
    prefix = f"wrong/{name}/"
    given = read_folder({path: text for path, text in files.items() if path != prefix + EXPECT}, prefix, problems)
    if not given:
        problems.add(
            prefix + EXPECT, None, "file", "틀린 답에 파일이 하나도 없어요.", f"{prefix}에 틀린 답을 넣어 주세요."
        )
    given = _answer(prefix, given, editable, starter, problems)
    if prefix + EXPECT not in files:
        fix = "이 답을 잡아낼 확인 항목을 check: 이름으로 적어 주세요."
        problems.add(prefix + EXPECT, None, "check", "expect.yaml이 없어요.", fix)
        return WrongAnswer(name, given, "")
    document = read_yaml(prefix + EXPECT, files[prefix + EXPECT], problems)
    if document is None:
        return WrongAnswer(name, given, "")
    reader = Reader(document, problems)
    verdict = reader.word("verdict", _WRONG_VERDICTS)
    # A limit may end the run before any check can say more than that.
    check = reader.word("check", [check.id for check in checks], required=verdict in ("", Verdict.FAIL))
    message = reader.text("message")
    reader.finish()
    return WrongAnswer(name, given, check, message, Verdict(verdict) if verdict else None)


def read_folder(files: Mapping[str, str], prefix: str, problems: Problems) -> dict[str, str]:
    """What lies in one of the folders, kept to what a learner may hand in."""
    found = {path.removeprefix(prefix): text for path, text in files.items() if path.startswith(prefix)}
    for path, message in rules.answer_faults(found):
        problems.add(prefix + path, None, "file", message, "파일을 줄여 주세요.")
    return found


def _answer(
    prefix: str,
    given: Mapping[str, str],
    editable: Collection[str],
    starter: Mapping[str, str],
    problems: Problems,
) -> dict[str, str]:
    """The editable files of ``given``. A read-only file may lie beside them as the starter has it."""
    for path, text in given.items():
        if path not in editable and starter.get(path) != text:
            fix = f"{', '.join(editable) or '고칠 수 있는 파일'}만 두거나 editable에 더해 주세요."
            problems.add(prefix + path, None, "file", "학습자가 고칠 수 없는 파일이에요.", fix)
    return {path: text for path, text in given.items() if path in editable}
