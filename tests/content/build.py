"""Small courses on disk or in a zip, each test changing only what it is about."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><path d="M0 0h10"/></svg>'

EXERCISE = """\
title: 두 수의 합
kind: run
environment: python
editable: [main.py]
limits: {seconds: 5, memory_mb: 128}
vars: {a: {int: [1, 99]}, b: {int: [1, 99]}}
probes:
  - {id: small, run: ["python3", "main.py"], stdin: "3 4\\n"}
  - {id: drawn, run: ["python3", "main.py"], stdin: "{{a}} {{b}}\\n", hidden: true}
checks:
  - {id: adds, title: 더하기, type: text, probe: small, equals: "7\\n"}
  - {id: any, title: 어떤 수든 더하기, type: text, probe: drawn, numbers_from: "a + b", weight: 2}
  - {id: clean, title: 정상으로 끝나기, type: query, probe: small, query: exit_code, equals: 0}
hints: [{after: 1, text: 더해 보세요.}, {when: adds, text: 합이 맞나요?}]
solution_after: 3
"""

QUIZ = """\
title: 돌아보기
kind: quiz
questions:
  - id: what
    type: choice
    prompt: 실행 중인 것은 무엇인가요?
    options: [{text: 이미지}, {text: 컨테이너, correct: true}]
    why: 이미지를 실행하면 컨테이너가 돼요.
  - {id: word, type: short, prompt: 쌍점 뒤는 뭐라고 하나요?, accept: [태그, /tags?/], why: 태그예요.}
  - {id: steps, type: order, prompt: 순서대로 놓아 보세요., items: [build, push, run], why: 만들고 올려요.}
"""

QUIZ_FILES: dict[str, str] = {
    "exercise.yaml": QUIZ,
    "prompt.md": "떠올려 보세요.\n",
    "solution/answer.yaml": "what: [컨테이너]\nword: 태그\nsteps: [build, push, run]\n",
    "wrong/image/answer.yaml": "what: [이미지]\n",
    "wrong/image/expect.yaml": "check: what\n",
}

FILES: dict[str, str] = {
    "exercise.yaml": EXERCISE,
    "prompt.md": "두 수를 읽어 **합**을 출력하세요.\n",
    "starter/main.py": "print(0)\n",
    "solution/main.py": "print(sum(map(int, input().split())))\n",
    "wrong/constant/main.py": "print(7)\n",
    "wrong/constant/expect.yaml": "check: any\nverdict: fail\n",
}

LESSON = """\
---
title: Docker 첫걸음
summary: 컨테이너를 만나요.
minutes: 12
objectives: [컨테이너가 무엇인지 말할 수 있어요.]
---
## 시작

컨테이너는 프로세스예요.

![상자](images/box.svg)

::exercise[sum]
"""

COURSE = "slug: first\ntitle: 첫 과정\nsummary: 소개\nlessons: [01-start]\n"


def course_files(changes: Mapping[str, str | bytes | None] | None = None) -> dict[str, bytes]:
    """A course of one lesson and one exercise as path -> bytes; None in ``changes`` takes a file out."""
    files: dict[str, str | bytes] = {
        "course.yaml": COURSE,
        "01-start/lesson.md": LESSON,
        "01-start/images/box.svg": SVG,
        **{f"01-start/exercises/sum/{path}": text for path, text in FILES.items()},
    }
    for path, data in (changes or {}).items():
        if data is None:
            files.pop(path)
        else:
            files[path] = data
    return {path: data.encode() if isinstance(data, str) else data for path, data in files.items()}


def make_course(folder: Path, changes: Mapping[str, str | bytes | None] | None = None) -> Path:
    """The course as a folder."""
    for path, data in course_files(changes).items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return folder


def make_zip(path: Path, files: Mapping[str, bytes], top: str = "") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(top + name, data)
    return path


def png(width: int = 2, height: int = 2) -> bytes:
    """A black picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress((b"\0" + b"\0" * 3 * min(width, 4)) * min(height, 4))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
