"""What is in a lab right now, drawn; and the step that it can go back to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from lessons.contracts import CLUSTER
from lessons.models import KeptStep, LabSession
from lessons.queries.specs import spec_of
from lessons.queries.text import inline_html, visible
from lessons.topology import Drawing, Table, picture_of


@dataclass(frozen=True)
class MapFault:
    """tone: bad | wait; ``word`` says it."""

    tone: str
    word: str
    html: SafeString


@dataclass(frozen=True)
class LabMap:
    """A lab's picture. ``tone`` of its summary: bad | wait | ok | off (nothing there yet). ``announcement``: what is
    broken, for a screen reader; it changes only when that does."""

    tone: str
    summary: str
    announcement: str
    faults: tuple[MapFault, ...]
    drawings: tuple[Drawing, ...]
    tables: tuple[Table, ...]
    words: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class StepView:
    """Where 마지막으로 통과한 때로 leads: ``title`` without marks, for a question; ``url`` takes a POST."""

    title_html: SafeString
    title: str
    at: datetime
    url: str


def lab_map(lab: LabSession) -> LabMap:
    picture = picture_of(lab.topology if lab.is_live else None)
    words = {"bad": _("고장"), "wait": _("기다림")}
    faults = tuple(MapFault(fault.tone, words.get(fault.tone, ""), inline_html(fault.text)) for fault in picture.faults)
    tone = picture.faults[0].tone if picture.faults else "ok" if picture.drawings else "off"
    broken = [fault.text.replace("`", "") for fault in picture.faults if fault.tone == "bad"]
    return LabMap(
        tone=tone,
        summary=picture.summary,
        announcement=visible(" ".join([picture.summary, *broken])) if broken or tone == "ok" else "",
        faults=faults,
        drawings=picture.drawings,
        tables=picture.tables,
        words=picture.words,
    )


def step_view(lab: LabSession) -> StepView | None:
    """None where there is nothing to go back to. One query, and only for a live lab that has steps at all."""
    if not lab.is_live or CLUSTER not in spec_of(lab.revision).keep:  # only such labs have steps
        return None
    step = KeptStep.objects.of(lab).values_list("title", "at").first()
    if step is None:
        return None
    title, at = step
    return StepView(inline_html(title), visible(title.replace("`", "")), at, reverse("lab-step", args=[lab.pk]))
