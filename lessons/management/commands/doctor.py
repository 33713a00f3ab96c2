"""Say what is wrong with this installation, what that means and what helps."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from lessons.management.proofs import finish
from lessons.sandbox import Finding
from lessons.services.doctor import find_problems

MARKS = {"good": "✓", "note": "!", "bad": "✗"}


class Command(BaseCommand):
    help = "설치 상태를 살펴보고, 잘못된 곳마다 영향과 고치는 법을 알려 줘요. 잘못된 곳이 있으면 종료 코드 1"
    requires_system_checks = []  # a broken installation is exactly what it should look at

    def handle(self, *args: Any, **options: Any) -> None:
        with finish():
            findings = find_problems()
        for finding in findings:
            self.stdout.write(_text(finding))
        sys.exit(1 if any(finding.level == "bad" for finding in findings) else 0)


def _text(finding: Finding) -> str:
    lines = [f"{MARKS[finding.level]} {finding.what}"]
    if finding.effect:
        lines.append(f"    영향: {finding.effect}")
    if finding.fix:
        lines.append(f"    고치는 법: {finding.fix}")
    return "\n".join(lines)
