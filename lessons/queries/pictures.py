"""Images that a grading built, drawn as layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from lessons.models import Submission
from lessons.queries.lab_shapes import BuildPicture, LayerRow
from lessons.queries.text import visible

MEGABYTE = 1_000_000  # as docker counts


def pictures_of(submission: Submission, checks: Sequence[Mapping[str, Any]]) -> tuple[BuildPicture, ...]:
    """This build, the one after the edit, and the build of the attempt before; nothing where none was drawn.

    One query, and only where there is something to compare with.
    """
    drawn = _drawn(checks)
    if not drawn:
        return ()
    rows = [(_("이번 이미지"), drawn["layers"]), (_("파일을 고치고 다시 빌드했을 때"), drawn.get("rebuild") or [])]
    rows.append((_("지난 시도의 이미지"), _drawn(_checks_before(submission)).get("layers", [])))
    largest = max((int(layer["size"]) for _title, layers in rows for layer in layers), default=0)
    return tuple(_picture(title, layers, largest) for title, layers in rows if layers)


def _drawn(checks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return next((dict(check["picture"]) for check in checks if (check.get("picture") or {}).get("layers")), {})


def _checks_before(submission: Submission) -> list[dict[str, Any]]:
    earlier = Submission.objects.attempts().filter(
        learner=submission.learner_id,
        exercise=submission.exercise_id,
        origin=submission.origin,
        queued_at__lt=submission.queued_at,
    )
    result: Any = earlier.order_by("-queued_at").values_list("result", flat=True).first()
    return list((result or {}).get("checks", []))


def _picture(title: str, layers: Sequence[Mapping[str, Any]], largest: int) -> BuildPicture:
    rows = []
    for layer in layers:
        size, cached = int(layer["size"]), bool(layer.get("cached"))
        rows.append(
            LayerRow(
                command=visible(str(layer.get("command", ""))),
                size=size_text(size),
                percent=max(1, round(100 * size / largest)) if size and largest else 0,
                cached=cached,
                note=_("캐시를 썼어요") if cached else _("새로 만들었어요"),
            )
        )
    return BuildPicture(title, size_text(sum(int(layer["size"]) for layer in layers)), tuple(rows))


def size_text(size: int) -> str:
    """Bytes as Koreans and docker write them: 0 B, 12 kB, 3.4 MB."""
    if size >= MEGABYTE:
        return f"{size / MEGABYTE:.1f} MB"
    return f"{round(size / 1000)} kB" if size >= 1000 else f"{size} B"
