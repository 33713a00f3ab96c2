"""The one gate for an answer: its names, sizes and encoding, from a form or from a folder."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _

from lessons.content import rules
from lessons.contracts import ExerciseSpec, Kind

MOST_FILES = rules.ANSWER_FILES
FILE_KB = rules.ANSWER_FILE_BYTES // rules.KB
ANSWER_KB = rules.ANSWER_BYTES // rules.KB
QUIZ_FILE = "answer.yaml"
LAB_FILE = "solution.sh"  # of a proof only: a learner's answer is the lab itself
PROOF_NOTE = "expect.yaml"  # lies beside a known wrong answer and is no part of it


@dataclass(frozen=True)
class AnswerProblem:
    """What is wrong, in Korean for the learner; ``file`` is "" where it concerns the whole answer."""

    file: str
    message: str


class AnswerError(Exception):
    """An answer that cannot be taken. ``problems`` is never empty."""

    def __init__(self, problems: Iterable[AnswerProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{p.file}: {p.message}" if p.file else p.message for p in self.problems))


def answer_names(spec: ExerciseSpec) -> tuple[str, ...]:
    """The files that an answer to this exercise consists of."""
    return {Kind.QUIZ: (QUIZ_FILE,), Kind.LAB: (LAB_FILE,)}.get(spec.kind, spec.editable)


def clean_answer(*, spec: ExerciseSpec, files: Mapping[str, str | bytes]) -> dict[str, str]:
    """The answer's files as text with newlines as \\n; raises AnswerError.

    A file that is not given stays as the starter has it. A read-only file may come along unchanged.
    """
    if len(files) > MOST_FILES:
        raise AnswerError([AnswerProblem("", _("파일은 %(most)d개까지 낼 수 있어요.") % {"most": MOST_FILES})])
    names = answer_names(spec)
    problems: list[AnswerProblem] = []
    texts: dict[str, str] = {}
    for name, raw in files.items():
        text = _text_of(name, raw, problems)
        if text is None:
            continue
        if name in names:
            texts[name] = text
        elif text != _newlines(spec.starter.get(name, "\0")):
            problems.append(AnswerProblem(_shown(name), _refusal(name, spec)))
    if sum(len(text.encode()) for text in texts.values()) > ANSWER_KB * 1024:
        problems.append(AnswerProblem("", _("답은 모두 더해 %(kb)d KB까지 낼 수 있어요.") % {"kb": ANSWER_KB}))
    if not problems and spec.kind == Kind.RUN:
        texts = {name: texts.get(name, spec.starter.get(name, "")) for name in names}
        if not any(text.strip() for text in texts.values()):
            problems.append(AnswerProblem("", _("답이 비어 있어요. 코드를 쓰고 나서 내 주세요.")))
    if problems:
        raise AnswerError(problems)
    return texts


def clean_stdin(text: str) -> str:
    """실행's input with newlines as \\n; raises AnswerError."""
    problems: list[AnswerProblem] = []
    clean = _text_of("", text, problems)
    if clean is None:
        raise AnswerError(problems)
    return clean


def read_answer(folder: Path) -> dict[str, bytes]:
    """The files of a folder, no more and no larger than an answer may be; raises AnswerError.

    Links are refused: an answer is what lies in the folder. Hidden files and what Python leaves
    behind are passed over, and so is the note beside a known wrong answer.
    """
    files: dict[str, bytes] = {}
    for path in _entries(folder):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            raise AnswerError([AnswerProblem(_shown(name), _("링크는 낼 수 없어요. 파일로 바꿔 주세요."))])
        if not path.is_file():
            raise AnswerError([AnswerProblem(_shown(name), _("보통 파일만 낼 수 있어요."))])
        if len(files) == MOST_FILES:
            raise AnswerError([AnswerProblem("", _("파일은 %(most)d개까지 낼 수 있어요.") % {"most": MOST_FILES})])
        with path.open("rb") as file:
            files[name] = file.read(FILE_KB * 1024 + 1)
    return files


def _entries(folder: Path) -> Iterator[Path]:
    """What may be an answer's file, in order, found one directory at a time so that a limit ends the search."""
    for place, folders, names in os.walk(folder):
        links = [name for name in folders if Path(place, name).is_symlink()]
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "__pycache__")
        for name in sorted([*names, *links]):
            path = Path(place, name)
            if not name.startswith(".") and path != folder / PROOF_NOTE:
                yield path


def _text_of(name: str, raw: str | bytes, problems: list[AnswerProblem]) -> str | None:
    """The text, or None after adding what is wrong with it."""
    try:
        data = raw if isinstance(raw, bytes) else raw.encode()  # lone surrogates are no UTF-8 either
        if len(data) > FILE_KB * 1024:
            message = _("파일 하나는 %(kb)d KB까지 낼 수 있어요.") if name else _("입력은 %(kb)d KB까지 쓸 수 있어요.")
            problems.append(AnswerProblem(_shown(name), message % {"kb": FILE_KB}))
            return None
        text = data.decode()
    except UnicodeError:
        problems.append(AnswerProblem(_shown(name), _("UTF-8로 쓴 글이 아니에요. UTF-8로 저장해서 다시 내 주세요.")))
        return None
    if "\0" in text:
        problems.append(
            AnswerProblem(_shown(name), _("글이 아닌 내용(NUL 문자)이 들어 있어요. 지우고 다시 내 주세요."))
        )
        return None
    return _newlines(text)


def _newlines(text: str) -> str:
    """Browsers send CRLF; a program's file has LF."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _refusal(name: str, spec: ExerciseSpec) -> str:
    if name in spec.starter:
        return _("읽기 전용 파일이라 바꿀 수 없어요.")
    names = ", ".join(answer_names(spec))
    return _("이 문제의 답에 없는 파일 이름이에요. 낼 수 있는 파일: %(names)s") % {"names": names}


def _shown(name: str) -> str:
    """A name fit for a message, whatever was posted."""
    return "".join(letter if letter.isprintable() else "·" for letter in name)[:80]
