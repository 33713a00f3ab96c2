"""Requests that go on from setup to the end of a lab: what to ask for, and what the seconds told so far add up to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lessons.contracts import ExerciseSpec
from lessons.graders.evidence import number_of, parsed_json, whole_of
from lessons.graders.probes.traffic import (
    ANSWER_MOST,
    BUCKETS_MOST,
    DISTINCT_MOST,
    SETUP,
    fewest,
    stream_of,
    timeline_of,
    together,
)
from lessons.graders.variables import draw


def streams(exercise: ExerciseSpec, seed: int) -> tuple[dict[str, Any], ...]:
    """The requests of an exercise that go on, as the attendant takes them: {"id": probe, "http": its request}."""
    values = draw((one for one in exercise.vars if not one.per_attempt), seed)
    return tuple(
        {"id": probe.id, "http": stream_of(probe, values)}
        for probe in exercise.probes
        if probe.type == "traffic" and probe.value.get("since") == SETUP
    )


def add_second(summary: Mapping[str, Any], attributes: Mapping[str, str], at: float) -> dict[str, Any]:
    """The summary ({} at first) with one more second of requests in it; ``at``: unix seconds.

    {"sent", "failed", "distinct": [answers, cut], "timeline": [{"at": seconds since ``began``, "sent", "failed",
    "answers": {answer: count}}], "began": unix seconds, "every": seconds of a bucket}. Attributes that are not what
    the attendant sends count as nothing; a timeline that is full has buckets twice as long from then on. Seconds before
    ``quiet_until`` are left out.
    """
    if at < (number_of(summary.get("quiet_until")) or 0):
        return dict(summary)
    began = number_of(summary.get("began"))
    began = float(at if began is None else began)
    every = max(float(number_of(summary.get("every")) or 1), 1.0)
    answers = _answers(attributes.get("answers"))
    sent = _number(attributes.get("sent"))
    failed = min(_number(attributes.get("failed")), sent)
    timeline = timeline_of(summary.get("timeline"))
    place = max(0.0, at - began)
    second = {"at": place - place % every, "sent": sent, "failed": failed, "answers": fewest(answers)}
    if timeline and timeline[-1]["at"] >= second["at"]:
        timeline[-1] = together(timeline[-1], second)
    else:
        timeline.append(second)
    while len(timeline) > BUCKETS_MOST:
        every *= 2
        timeline = _halved(timeline, every)
    known = summary.get("distinct")
    distinct = [*(known if isinstance(known, list) else ()), *(answer[:ANSWER_MOST] for answer in answers)]
    return {
        "sent": (whole_of(summary.get("sent")) or 0) + sent,
        "failed": (whole_of(summary.get("failed")) or 0) + failed,
        "distinct": list(dict.fromkeys(map(str, distinct)))[:DISTINCT_MOST],
        "timeline": timeline,
        "began": began,
        "every": every,
    }


def quiet_until(summary: Mapping[str, Any], at: float) -> dict[str, Any]:
    """The summary of a stream of which nothing counts before ``at`` (unix seconds): a cluster was put back, whose Pods
    run again only after a while."""
    return {**summary, "quiet_until": at}


def _halved(timeline: list[dict[str, Any]], every: float) -> list[dict[str, Any]]:
    """The timeline in buckets of so many seconds."""
    merged: list[dict[str, Any]] = []
    for bucket in timeline:
        at = bucket["at"] - bucket["at"] % every
        if merged and merged[-1]["at"] == at:
            merged[-1] = together(merged[-1], bucket)
        else:
            merged.append({**bucket, "at": at})
    return merged


def _answers(text: Any) -> dict[str, int]:
    found = parsed_json(text) if isinstance(text, str) else None
    items = list(found.items())[:DISTINCT_MOST] if isinstance(found, dict) else []
    return {answer: max(whole_of(count) or 0, 0) for answer, count in items}


def _number(text: Any) -> int:
    fits = isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) <= 9
    return int(text) if fits else 0
