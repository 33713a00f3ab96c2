from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lessons.contracts import CheckResult
from lessons.graders.checks.dockerfile import read
from lessons.graders.registry import validate_check
from tests.graders.helpers import check, exercise, grade

GOOD = """\
# syntax=docker/dockerfile:1
FROM python:3.12-slim AS build
WORKDIR /app
COPY requirements.txt .
run pip install \\
    # why
    --no-cache-dir -r requirements.txt
RUN <<EOF
useradd app
FROM nowhere
EOF
FROM build
COPY . .
USER app
CMD ["python","main.py"]
"""


def judged(fields: dict[str, Any], text: str | None = GOOD) -> CheckResult:
    spec = exercise(check("dockerfile", fields, probe=""), probes=(), editable=("Dockerfile",), starter={})
    return grade(spec, {}, {} if text is None else {"Dockerfile": text}).checks[0]


@pytest.mark.parametrize(
    ("fields", "passed"),
    [
        ({"instruction": "USER"}, True),
        ({"instruction": "user", "equals": "app"}, True),
        ({"instruction": "USER", "equals": "root"}, False),
        ({"instruction": "HEALTHCHECK"}, False),
        ({"instruction": "FROM", "contains": "python:3.12"}, True),
        ({"instruction": "FROM", "contains": "nowhere"}, False),
        ({"instruction": "RUN", "contains": "pip install --no-cache-dir"}, True),
        ({"instruction": "RUN", "contains": ["pip", "useradd"]}, False),
        ({"instruction": "RUN", "contains": "useradd app"}, True),
        ({"instruction": "FROM", "matches": ":latest$"}, False),
        ({"instruction": "FROM", "matches": r"^python:\d+\.\d+"}, True),
        ({"instruction": "CMD", "equals": '["python", "main.py"]'}, True),
        ({"instruction": "CMD", "contains": '"python", "main.py"'}, True),
        ({"instruction": "ADD", "absent": True}, True),
        ({"instruction": "USER", "absent": True}, False),
        ({"instruction": "FROM", "contains": "latest", "absent": True}, True),
        (
            {"instruction": "COPY", "contains": "requirements", "before": {"instruction": "RUN", "contains": "pip"}},
            True,
        ),
        ({"instruction": "COPY", "equals": ". .", "before": {"instruction": "RUN", "contains": "pip"}}, False),
        ({"instruction": "COPY", "equals": ". .", "after": {"instruction": "RUN", "contains": "pip"}}, True),
        ({"instruction": "USER", "after": {"instruction": "EXPOSE"}}, False),
        ({"instruction": "COPY", "equals": ". .", "absent": True, "before": {"instruction": "RUN"}}, True),
    ],
)
def test_dockerfile_judges(fields: dict[str, Any], passed: bool) -> None:
    assert validate_check("dockerfile", fields) == []
    assert judged(fields).passed is passed


def test_dockerfile_after_wants_every_one_of_them_after() -> None:
    text = "FROM a\nCOPY . .\nRUN pip install x\nCOPY . .\n"
    assert not judged({"instruction": "COPY", "equals": ". .", "after": {"instruction": "RUN"}}, text).passed


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (None, "파일이 없어요"),
        ("", "비어 있어요"),
        ("# nothing\n", "비어 있어요"),
        ("FORM python\n", "1번째 줄의 FORM"),
        ("FROM a\n\nRUNN x\n", "3번째 줄의 RUNN"),
        ("FROM a\n" * 3000, "너무 커요"),
        ("RUN " + "x" * 70000, "너무 커요"),
    ],
)
def test_dockerfile_that_cannot_be_read_fails_with_the_reason(text: str | None, part: str) -> None:
    row = judged({"instruction": "ADD", "absent": True}, text)
    assert not row.passed
    assert part in row.message


@pytest.mark.parametrize("text", ["FROM a\r\nRUN b\r\n", "FROM a\nRUN b \\\n", "FROM a\nRUN b\\"])
def test_dockerfile_read_tolerates_endings(text: str) -> None:
    assert [(item.name, item.value) for item in read(text)] == [("FROM", "a"), ("RUN", "b")]


def test_dockerfile_read_keeps_a_heredoc_that_never_ends_bounded() -> None:
    assert [item.name for item in read("FROM a\nRUN <<EOF\nRUN x\n")] == ["FROM", "RUN", "RUN"]


def test_dockerfile_read_writes_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert read(GOOD)[0].value == "python:3.12-slim AS build"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "instruction"),
        ({"instruction": "FORM"}, "instruction"),
        ({"instruction": "RUN", "absent": False}, "absent"),
        ({"instruction": "RUN", "matches": "("}, "matches"),
        ({"instruction": "RUN", "before": "COPY"}, "before"),
        ({"instruction": "RUN", "before": {"instruction": "X"}}, "before.instruction"),
        ({"instruction": "RUN", "after": {"instruction": "COPY", "equals": "x"}}, "after.equals"),
    ],
)
def test_dockerfile_validate_names_the_field(fields: dict[str, Any], field: str) -> None:
    assert [fault.field for fault in validate_check("dockerfile", fields)] == [field]
