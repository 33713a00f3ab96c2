"""What a grading saw over time: requests by the second, and what happened when."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from lessons.queries.text import inline_html, visible

MOST_BARS = 60  # more are drawn two by two
MOST_SERIES = 4  # answers told apart; others are one
MOST_MOMENTS = 30
HEIGHT, BAR, GAP = 120, 10, 2  # of the chart, in its own units

_POD = re.compile(r"\s*\([^()]*\)\s*$")  # "shop v1 (shop-7d9f-x2x9k)": what differs is who answered, not what


@dataclass(frozen=True)
class ChartPart:
    """A piece of a bar. series: a0..a3 (an answer) | rest | failed."""

    series: str
    x: int
    y: int
    height: int


@dataclass(frozen=True)
class ChartSeries:
    series: str
    label: str
    count: int


@dataclass(frozen=True)
class ChartRow:
    """One bar in numbers, in the order of the legend; ``when`` in words."""

    when: str
    counts: tuple[int, ...]
    failed: int


@dataclass(frozen=True)
class TrafficChart:
    """Requests that ran while something happened. ``most``: of one bar, ``lasted``: seconds of the whole."""

    summary: str
    width: int
    parts: tuple[ChartPart, ...]
    legend: tuple[ChartSeries, ...]
    rows: tuple[ChartRow, ...]
    most: int
    lasted: str


@dataclass(frozen=True)
class Moment:
    """tone: bad | seen | ok"""

    when: str
    html: SafeString
    tone: str


@dataclass(frozen=True)
class Timeline:
    title_html: SafeString
    moments: tuple[Moment, ...]


@dataclass
class _Bar:
    first: float
    until: float
    sent: int
    failed: int
    answers: Counter[str]


def charts_of(checks: Sequence[Mapping[str, Any]]) -> tuple[TrafficChart, ...]:
    """One for each stream of requests, however many checks looked at it."""
    streams: list[Any] = []
    for check in checks:
        traffic = (check.get("picture") or {}).get("traffic")
        if isinstance(traffic, dict) and traffic not in streams:
            streams.append(traffic)
    return tuple(chart for chart in map(_chart, streams) if chart is not None)


def timelines_of(checks: Sequence[Mapping[str, Any]]) -> tuple[Timeline, ...]:
    found = []
    for check in checks:
        rows = (check.get("picture") or {}).get("timeline")
        if isinstance(rows, list):
            moments = tuple(_moment(row) for row in rows[:MOST_MOMENTS] if isinstance(row, dict))
            if moments:
                found.append(Timeline(inline_html(str(check.get("title", ""))), moments))
    return tuple(found)


def _chart(traffic: Mapping[str, Any]) -> TrafficChart | None:
    bars = _bars(traffic.get("timeline"))
    most = max((_height(bar) for bar in bars), default=0)
    if not most:
        return None
    totals: Counter[str] = Counter()
    for bar in bars:
        totals.update(bar.answers)
    # Versions in their own order, not in that of their numbers: a colour stays with its version.
    names = sorted(name for name, _count in sorted(totals.items(), key=lambda one: (-one[1], one[0]))[:MOST_SERIES])
    failed = sum(bar.failed for bar in bars)
    legend = [ChartSeries(f"a{index}", visible(name), totals[name]) for index, name in enumerate(names)]
    rest = totals.total() - sum(totals[name] for name in names)
    if rest:
        legend.append(ChartSeries("rest", _("다른 대답"), rest))
    if failed:
        legend.append(ChartSeries("failed", _("실패"), failed))
    parts: list[ChartPart] = []
    rows = []
    for index, bar in enumerate(bars):
        counts = [bar.answers[name] for name in names]
        others = bar.answers.total() - sum(counts)
        stack = [(f"a{place}", count) for place, count in enumerate(counts)] + [
            ("rest", others),
            ("failed", bar.failed),
        ]
        parts += _stacked(stack, index * (BAR + GAP), most)
        rows.append(ChartRow(_seconds(bar.first), (*counts, others) if rest else tuple(counts), bar.failed))
    sent = max(sum(bar.sent for bar in bars), _number(traffic.get("sent")))
    return TrafficChart(
        summary=_summary(sent, max(failed, _number(traffic.get("failed")))),
        width=len(bars) * (BAR + GAP) - GAP,
        parts=tuple(parts),
        legend=tuple(legend),
        rows=tuple(rows),
        most=most,
        lasted=_seconds(bars[-1].until - bars[0].first),
    )


def _summary(sent: int, failed: int) -> str:
    if failed:
        return _("요청 %(sent)d번 가운데 %(failed)d번이 실패했어요.") % {"sent": sent, "failed": failed}
    return _("요청 %(sent)d번을 보내는 동안 한 번도 실패하지 않았어요.") % {"sent": sent}


def _bars(value: Any) -> list[_Bar]:
    rows = [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
    bars: list[_Bar] = []
    for row in rows[:1000]:
        at = row.get("at")
        second = float(at) if isinstance(at, int | float) and 0 <= at < 1e9 else float(len(bars))
        answers: Counter[str] = Counter()
        found = row.get("answers")
        for body, count in found.items() if isinstance(found, dict) else ():
            answers[_POD.sub("", str(body).strip())[:40] or _("(빈 대답)")] += _number(count)
        bars.append(_Bar(second, second, _number(row.get("sent")), _number(row.get("failed")), answers))
    for bar, following in pairwise(bars):
        bar.until = following.first
    if bars:
        bars[-1].until = bars[-1].first + _step(bars)
    while len(bars) > MOST_BARS:
        bars = [_joined(bars[start : start + 2]) for start in range(0, len(bars), 2)]
    return bars


def _step(bars: Sequence[_Bar]) -> float:
    """Seconds of the last one, as long as the one before it: those of a long stream are several seconds each."""
    step = bars[-1].first - bars[-2].first if len(bars) > 1 else 1.0
    return step if step > 0 else 1.0


def _joined(bars: Sequence[_Bar]) -> _Bar:
    answers: Counter[str] = Counter()
    for bar in bars:
        answers.update(bar.answers)
    sent, failed = sum(bar.sent for bar in bars), sum(bar.failed for bar in bars)
    return _Bar(bars[0].first, bars[-1].until, sent, failed, answers)


def _height(bar: _Bar) -> int:
    return bar.answers.total() + bar.failed


def _stacked(stack: Sequence[tuple[str, int]], x: int, most: int) -> list[ChartPart]:
    """From the ground up; whatever there is at all can be seen, at the cost of the tallest."""
    heights = {series: max(2, round(HEIGHT * count / most)) for series, count in stack if count}
    while sum(heights.values()) > HEIGHT:
        heights[max(heights, key=heights.__getitem__)] -= 1
    parts, ground = [], HEIGHT
    for series, height in heights.items():
        ground -= height
        parts.append(ChartPart(series, x, ground, height))
    return parts


def _moment(row: Mapping[str, Any]) -> Moment:
    tone = row.get("tone")
    return Moment(
        _when(row.get("at")), inline_html(str(row.get("text", ""))[:200]), tone if tone in ("bad", "ok") else "seen"
    )


def _when(at: Any) -> str:
    if isinstance(at, int | float) and not isinstance(at, bool) and 0 <= at < 1e9:
        return _seconds(at)
    try:
        moment: datetime | None = parse_datetime(str(at)[:40])
    except ValueError:
        moment = None
    if moment is None:
        return visible(str(at)[:40])
    return (timezone.localtime(moment) if timezone.is_aware(moment) else moment).strftime("%H:%M:%S")


def _seconds(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    if minutes:
        return _("%(minutes)d분 %(seconds)d초") % {"minutes": minutes, "seconds": rest}
    return _("%(seconds)d초") % {"seconds": rest}


def _number(value: Any) -> int:
    return max(0, value) if isinstance(value, int) and not isinstance(value, bool) else 0
