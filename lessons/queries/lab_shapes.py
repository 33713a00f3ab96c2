"""What templates are given of labs; ``shapes`` says what holds for every shape."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.safestring import SafeString

from lessons.queries.lab_maps import StepView


@dataclass(frozen=True)
class TickRow:
    """A check as it looks in the lab right now. tone: ok (holds) | open (not yet) | later (seen by 채점 only)."""

    id: str
    title_html: SafeString
    tone: str
    state: str  # the tone in words


@dataclass(frozen=True)
class TerminalTab:
    """A terminal that may be opened; ``label`` names its host where the lab has several."""

    number: int
    label: str


@dataclass(frozen=True)
class LabView:
    """A learner's lab. tone: waiting (in the queue) | preparing | live | paused | over | broken.

    ``poll_ms`` is when to ask for the whole again, 0 once nothing is waited for. ``seconds_left`` until it ends by
    itself, None while that is not known; ``ending`` is how, in words.
    """

    id: str
    dom_id: str
    exercise_title: str
    exercise_url: str
    exercise_dom_id: str
    tone: str
    headline: str
    subline: str
    is_live: bool  # its terminals can be used
    is_over: bool
    place: int  # in the queue, from 1; 0 when not waiting
    poll_ms: int
    seconds_left: int | None
    ending: str
    extensions_left: int
    extend_minutes: int
    terminals: tuple[TerminalTab, ...]
    open_at_first: int  # that many of them
    checks: tuple[TickRow, ...]
    done: int
    total: int
    announcement: str  # of the checks, for a screen reader
    url: str
    head_url: str
    checks_url: str
    map_url: str
    step: StepView | None  # where 마지막으로 통과한 때로 leads
    extend_url: str
    end_url: str
    reset_url: str
    terminals_url: str
    start_url: str


@dataclass(frozen=True)
class LabCard:
    """The way into a lab, inside its exercise.

    state: start | building (its image; ``percent`` of it) | down | open (here: ``lab``) | elsewhere (``other_title``,
    ``other_url``: the learner's lab of another exercise) | login.
    """

    dom_id: str
    state: str
    text: str
    facts: tuple[str, ...]
    percent: int
    poll_ms: int
    lab: LabView | None
    other_title: str
    other_url: str
    url: str  # GET: this card again, POST: start
    login_url: str
    problem: str


@dataclass(frozen=True)
class LayerRow:
    """A layer of a built image. ``percent`` of the largest layer drawn beside it, at least 1 where it has any size."""

    command: str
    size: str
    percent: int
    cached: bool
    note: str  # whether the cache was used, in words


@dataclass(frozen=True)
class BuildPicture:
    """One image drawn as its layers, the lowest first; ``title`` says which build it was."""

    title: str
    total: str
    layers: tuple[LayerRow, ...]
