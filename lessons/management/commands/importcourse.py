"""Take a course from a folder or zip into the portal."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from lessons.content import ContentError
from lessons.services.courses import import_course

PROBLEMS, USAGE = 1, 2


class Command(BaseCommand):
    help = (
        "과정 폴더나 zip을 들여와요. 먼저 모두 살펴보고, 잘못이 하나라도 있으면 아무것도 바꾸지 않아요. "
        "종료 코드: 0 들여옴, 1 파일에 잘못이 있음, 2 쓰는 법"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", metavar="DIR|ZIP", type=Path)
        parser.add_argument("--replace", action="store_true", help="이름이 같은 다른 과정이 있으면 바꿔 넣어요.")

    def handle(self, *args: Any, **options: Any) -> None:
        source: Path = options["source"]
        if not source.exists():
            raise CommandError(_("%(source)s: 과정 폴더나 zip 파일이 없어요.") % {"source": source}, returncode=USAGE)
        try:
            report = import_course(source=source, replace_other=options["replace"])
        except ContentError as error:
            for problem in error.problems:
                self.stderr.write(str(problem))
            count = len(error.problems)
            message = _("고칠 곳이 %(count)d군데 있어서 아무것도 바꾸지 않았어요.") % {"count": count}
            raise CommandError(message, returncode=PROBLEMS) from error
        rows = (
            (_("더함"), report.added),
            (_("바꿈"), report.changed),
            (_("여기서 고친 것이라 그대로 둠"), report.kept),
            (_("제출이 있어 보관함으로 옮김"), report.archived),
            (_("지움"), report.removed),
        )
        for label, names in rows:
            for name in names:
                self.stdout.write(f"{label}: {name}")
        summary = _("%(course)s 과정을 들여왔어요. 그대로인 것은 %(count)d개예요.")
        self.stdout.write(summary % {"course": report.course, "count": len(report.unchanged)})
