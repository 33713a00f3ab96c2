"""Grade a folder like a browser's submission."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils.translation import gettext as _

from lessons.content import ContentError
from lessons.contracts import Status
from lessons.management.proofs import exercises_named, finish
from lessons.models import Submission
from lessons.sandbox import SandboxError
from lessons.services.answers import AnswerError, clean_answer, read_answer
from lessons.services.labs import EnvironmentNotReady, LabRefused
from lessons.services.proving import try_answer, typing_problem
from lessons.services.typing import TypingFailed

PASSED, OTHER, USAGE, BROKEN = 0, 1, 2, 3


class Command(BaseCommand):
    help = (
        "답이 든 폴더를 브라우저로 낸 것과 똑같이 채점해요. 종료 코드: 0 통과, 1 다른 결과, 2 쓰는 법, 3 채점하지 못함"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("exercise", metavar="COURSE/EXERCISE")
        parser.add_argument("answer", metavar="ANSWER_DIR", type=Path)
        parser.add_argument("--json", action="store_true", help="표준 출력에 JSON만 써요.")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["answer"]
        if not folder.is_dir():
            raise CommandError(_("%(folder)s 폴더가 없어요.") % {"folder": folder}, returncode=USAGE)
        try:
            (exercise,) = exercises_named([options["exercise"]], whole_courses=False)
            files = clean_answer(spec=exercise.spec, files=read_answer(folder))
            with finish():
                row = try_answer(exercise=exercise, files=files)
        except AnswerError as error:
            raise CommandError(str(error), returncode=USAGE) from error
        except TypingFailed as error:
            raise CommandError(typing_problem(error), returncode=OTHER) from error
        except EnvironmentNotReady as error:
            raise CommandError(error.progress.text, returncode=BROKEN) from error
        except (
            ContentError,
            DatabaseError,
            LabRefused,
            SandboxError,
        ) as error:  # ours: nothing is said about the answer
            raise CommandError(str(error), returncode=BROKEN) from error
        self.stdout.write(json.dumps(as_json(row), ensure_ascii=False, indent=2) if options["json"] else as_text(row))
        sys.exit(BROKEN if row.status != Status.FINISHED else PASSED if row.passed else OTHER)


def as_json(row: Submission) -> dict[str, Any]:
    """The result in the format of the author guide."""
    keys = ("id", "passed", "expected", "found", "message")
    return {
        "status": row.status,
        "verdict": row.verdict or None,
        "score": row.score,
        "checks": [{key: check[key] for key in keys} for check in row.result.get("checks", [])],
        "timings": row.result.get("timings", {}),
    }


def as_text(row: Submission) -> str:
    if row.status != Status.FINISHED:
        return str(row.get_broken_reason_display())
    lines = [f"{row.verdict} {row.score:.0%}"]
    for check in row.result["checks"]:
        lines.append(f"{'✓' if check['passed'] else '✗'} {check['id']}: {check['title']}")
        if not check["passed"]:
            lines += [f"    {line}" for line in (check["message"] or check["found"]).splitlines()]
    return "\n".join(lines)
