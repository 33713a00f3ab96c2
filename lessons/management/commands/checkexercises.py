"""Hold exercises against their own starter, solution and wrong answers."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils.translation import gettext as _

from lessons.content import ContentError
from lessons.management.proofs import ProgressBar, exercises_named, finish
from lessons.services.proving import ProofReport, ProofResult, check_exercises

HOLDS, DOES_NOT, USAGE, BROKEN = 0, 1, 2, 3


class Command(BaseCommand):
    help = (
        "문제마다 처음 상태는 떨어지고, 모범 답안은 통과하고, 틀린 답은 적힌 대로 떨어지는지 확인해요. "
        "종료 코드: 0 모두 맞음, 1 맞지 않음, 2 쓰는 법, 3 채점하지 못함"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("exercises", metavar="COURSE[/EXERCISE]", nargs="*")
        parser.add_argument("--json", action="store_true", help="표준 출력에 JSON만 써요.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            exercises = exercises_named(options["exercises"])
            if not exercises:
                raise CommandError(_("확인할 문제가 없어요. importcourse로 과정을 먼저 들여오세요."), returncode=USAGE)
            with finish():
                report = check_exercises(exercises=exercises, progress=ProgressBar())
        except ContentError as error:
            self.stderr.write(str(error))
            sys.exit(DOES_NOT)
        except DatabaseError as error:
            raise CommandError(str(error), returncode=BROKEN) from error
        self.stdout.write(
            json.dumps(as_json(report), ensure_ascii=False, indent=2) if options["json"] else as_text(report)
        )
        sys.exit(BROKEN if report.broken else HOLDS if report.holds else DOES_NOT)


def as_json(report: ProofReport) -> dict[str, Any]:
    rows = [{**asdict(result), "submission_id": str(result.submission_id or "")} for result in report.results]
    return {"holds": report.holds, "broken": report.broken, "results": rows}


def as_text(report: ProofReport) -> str:
    lines = [_line(result) for result in report.results]
    bad = sum(not result.holds for result in report.results)
    total = len(report.results)
    summary = _("%(total)d개 가운데 %(bad)d개가 맞지 않아요.") if bad else _("%(total)d개 모두 맞아요.")
    return "\n".join([*lines, summary % {"total": total, "bad": bad}])


def _line(result: ProofResult) -> str:
    mark = "✓" if result.holds else "!" if result.broken else "✗"
    return f"{mark} {result.exercise} {result.case} ({result.verdict or result.status}) {result.problem}".rstrip()
