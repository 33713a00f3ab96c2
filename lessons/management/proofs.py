"""What the commands that grade have in common."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from lessons.models import Exercise
from lessons.services.sandboxes import close_sandbox

USAGE = 2


def exercises_named(names: Sequence[str], *, whole_courses: bool = True) -> list[Exercise]:
    """The exercises of ``COURSE`` or ``COURSE/EXERCISE`` names, all of them for none; CommandError for unknown ones."""
    known = (
        Exercise.objects.filter(archived=False, revision__isnull=False)
        .select_related("course", "lesson", "revision")
        .order_by("course__slug", "lesson__position", "position", "slug")
    )
    if not names:
        return list(known)
    found: list[Exercise] = []
    for name in names:
        course, slash, slug = name.partition("/")
        if not slash and not whole_courses:
            raise CommandError(_("COURSE/EXERCISE 꼴로 써 주세요: %(name)s") % {"name": name}, returncode=USAGE)
        some = list(known.filter(course__slug=course, **({"slug": slug} if slash else {})))
        if not some:
            raise CommandError(_("%(name)s 문제를 찾지 못했어요.") % {"name": name}, returncode=USAGE)
        found += [exercise for exercise in some if exercise not in found]
    return found


@contextmanager
def finish() -> Iterator[None]:
    """Whatever happens in the body, this process leaves no container behind."""
    try:
        yield
    finally:
        close_sandbox()


class ProgressBar:
    """Drawn on standard error where a person looks at it; nothing elsewhere."""

    WIDTH = 30

    def __init__(self) -> None:
        self.shown = sys.stderr.isatty()

    def __call__(self, done: int, total: int) -> None:
        if self.shown and total:
            filled = self.WIDTH * done // total
            end = "\n" if done == total else ""
            sys.stderr.write(f"\r[{'#' * filled}{'.' * (self.WIDTH - filled)}] {done}/{total}{end}")
            sys.stderr.flush()
