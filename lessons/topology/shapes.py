"""What a picture is made of. Lengths are whole units of the drawing, x to the right and y downwards.

A tone is ok | wait (not yet, or not known) | bad (broken) | off (stopped on purpose, or empty).
"""

from __future__ import annotations

from dataclasses import dataclass

OK, WAIT, BAD, OFF = "ok", "wait", "bad", "off"


@dataclass(frozen=True)
class Text:
    """A line of a box; ``x`` and ``y`` are where its baseline begins. role: title | sub."""

    x: int
    y: int
    text: str
    role: str


@dataclass(frozen=True)
class Box:
    """kind: deployment | replicaset | workload | pod | service | endpoints | ghost (what is looked for and is not
    there) | node | chip (a Pod on its node) | port | container | volume | network."""

    kind: str
    tone: str
    x: int
    y: int
    width: int
    height: int
    texts: tuple[Text, ...]


@dataclass(frozen=True)
class Link:
    """``d`` is an SVG path of integers. A broken one has a cross at ``cross`` (x, y)."""

    d: str
    tone: str
    cross: tuple[int, int] | None = None


@dataclass(frozen=True)
class Drawing:
    """Links lie under boxes. ``note`` says what had no room, "" where all had."""

    title: str
    width: int
    height: int
    boxes: tuple[Box, ...]
    links: tuple[Link, ...]
    note: str = ""


@dataclass(frozen=True)
class Fault:
    """Where something is broken (bad) or not there yet (wait), and what to look at; with `code`."""

    tone: str
    text: str


@dataclass(frozen=True)
class Row:
    """The first cell is the row's name; ``tone`` stands in words in one of the others."""

    tone: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """``note`` says how many rows were left off, "" where none was."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[Row, ...]
    note: str = ""


@dataclass(frozen=True)
class Picture:
    """``summary``: one sentence about all of it, the broken ones only counted; ``words``: (word, what it means) of
    what is drawn. Without a drawing or table there is nothing in the lab yet."""

    summary: str
    faults: tuple[Fault, ...] = ()
    drawings: tuple[Drawing, ...] = ()
    tables: tuple[Table, ...] = ()
    words: tuple[tuple[str, str], ...] = ()
