"""Requests that go on from setup to the end of a lab: what to ask for, and what the seconds told so far add up to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from lessons.contracts import ExerciseSpec
from lessons.graders.variables import draw, fill

SINCE_SETUP = "setup"
MOST_BUCKETS = 300  # of a timeline: when full, neighbours are one from then on
MOST_DISTINCT = 20
MOST_ANSWER = 200  # letters of one answer


def streams(exercise: ExerciseSpec, seed: int) -> tuple[dict[str, Any], ...]:
    """The requests of an exercise that go on, as the attendant takes them: {"id": probe, "http": its request}."""
    values = draw((one for one in exercise.vars if not one.per_attempt), seed)
    return tuple(
        {"id": probe.id, "http": fill(probe.value["http"], values)}
        for probe in exercise.probes
        if probe.type == "traffic" and probe.value.get("since") == SINCE_SETUP
    )


def add_second(summary: Mapping[str, Any], attributes: Mapping[str, str], at: float) -> dict[str, Any]:
    """The summary ({} at first) with one more second of requests in it; ``at``: unix seconds.

    {"sent", "failed", "distinct": [answers, cut], "timeline": [{"at": seconds since ``began``, "sent", "failed",
    "answers": {answer: count}}], "began": unix seconds, "every": seconds of a bucket}. Attributes that are not what
    the attendant sends count as nothing.
    """
    began = float(summary.get("began", at))
    every = float(summary.get("every", 1.0))
    answers = _answers(attributes.get("answers", ""))
    sent, failed = _number(attributes.get("sent")), _number(attributes.get("failed"))
    timeline = [dict(bucket) for bucket in summary.get("timeline", [])]
    distinct = list(summary.get("distinct", []))
    distinct += [answer for answer in answers if answer not in distinct]
    place = max(0.0, at - began)
    second = {"at": place - place % every, "sent": sent, "failed": failed, "answers": answers}
    if timeline and timeline[-1]["at"] >= second["at"]:
        timeline[-1] = _together(timeline[-1], second)
    else:
        timeline.append(second)
    while len(timeline) > MOST_BUCKETS:
        every *= 2
        timeline = _halved(timeline, every)
    return {
        "sent": int(summary.get("sent", 0)) + sent,
        "failed": int(summary.get("failed", 0)) + failed,
        "distinct": distinct[:MOST_DISTINCT],
        "timeline": timeline,
        "began": began,
        "every": every,
    }


def _halved(timeline: list[dict[str, Any]], every: float) -> list[dict[str, Any]]:
    """The timeline in buckets of so many seconds."""
    merged: list[dict[str, Any]] = []
    for bucket in timeline:
        at = bucket["at"] - bucket["at"] % every
        if merged and merged[-1]["at"] == at:
            merged[-1] = _together(merged[-1], bucket)
        else:
            merged.append({**bucket, "at": at})
    return merged


def _together(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    answers = dict(first["answers"])
    for answer, count in second["answers"].items():
        if answer in answers or len(answers) < MOST_DISTINCT:
            answers[answer] = answers.get(answer, 0) + count
    sent, failed = first["sent"] + second["sent"], first["failed"] + second["failed"]
    return {"at": first["at"], "sent": sent, "failed": failed, "answers": answers}


def _answers(text: str) -> dict[str, int]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    items = list(found.items())[:MOST_DISTINCT] if isinstance(found, dict) else []
    return {str(answer)[:MOST_ANSWER]: _number(count) for answer, count in items}


def _number(value: Any) -> int:
    try:
        return max(0, int(value))
    except (TypeError, ValueError, OverflowError):
        return 0
