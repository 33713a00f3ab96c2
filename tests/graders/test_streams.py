"""Requests that go on from setup to the end of a lab."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lessons.contracts import ExerciseSpec, Kind, ProbeSpec, VarSpec
from lessons.graders import add_second, quiet_until, streams
from lessons.graders.probes.traffic import BUCKET_ANSWERS_MOST, BUCKETS_MOST, DISTINCT_MOST


def second(sent: int = 20, failed: int = 0, **answers: int) -> dict[str, str]:
    return {"sent": str(sent), "failed": str(failed), "answers": json.dumps(answers)}


def add_all(*told: tuple[dict[str, str], float]) -> dict[str, Any]:
    summary: dict[str, Any] = {}
    for attributes, at in told:
        summary = add_second(summary, attributes, at)
    return summary


def test_streams_are_the_requests_that_go_on_with_what_was_drawn():
    probes = (
        ProbeSpec("stream", "traffic", {"http": {"url": "http://{{name}}/", "every_ms": 50}, "since": "setup"}),
        ProbeSpec("swap", "traffic", {"http": {"url": "http://shop/"}, "while": [["kubectl", "get", "pods"]]}),
        ProbeSpec("once", "http", {"url": "http://shop/"}),
    )
    drawn = VarSpec("name", "choice", choices=("shop",))
    spec = ExerciseSpec("k5", "K5", Kind.LAB, "", vars=(drawn,), probes=probes)
    target = {"url": "http://shop/", "from": "lab", "method": "GET", "every_ms": 50}
    assert streams(spec, 7) == ({"id": "stream", "http": target},)


def test_seconds_add_up_with_their_times_from_the_first():
    found = add_all((second(v1=20), 100.0), (second(failed=1, v1=9, v2=10), 101.2), (second(v2=20), 104.0))
    assert (found["sent"], found["failed"], found["distinct"]) == (60, 1, ["v1", "v2"])
    assert [(bucket["at"], bucket["answers"]) for bucket in found["timeline"]] == [
        (0.0, {"v1": 20}),
        (1.0, {"v1": 9, "v2": 10}),
        (4.0, {"v2": 20}),
    ]


def test_seconds_in_which_a_cluster_is_put_back_do_not_count():
    told = {"sent": "20", "failed": "20", "answers": "{}"}
    quiet = quiet_until(add_second({}, {**told, "failed": "0"}, 100.0), 130.0)
    assert add_second(quiet, told, 129.0) == quiet
    after = add_second(quiet, told, 130.0)
    assert (after["sent"], after["failed"], "quiet_until" in after) == (40, 20, False)


def test_timeline_stays_bounded_and_loses_no_request():
    found = add_all(*((second(10, 1, v1=9), float(at)) for at in range(1000)))
    assert 100 < len(found["timeline"]) <= BUCKETS_MOST
    assert found["every"] == 4.0
    assert sum(bucket["sent"] for bucket in found["timeline"]) == found["sent"] == 10_000
    assert sum(bucket["answers"]["v1"] for bucket in found["timeline"]) == 9_000
    assert [bucket["at"] for bucket in found["timeline"][:3]] == [0.0, 4.0, 8.0]


def test_answers_without_end_are_counted_but_not_kept():
    found = add_all(*((second(1, 0, **{f"{at}-" + "x" * 500: 1}), 100.0 + at / 100) for at in range(50)))
    assert len(found["distinct"]) == DISTINCT_MOST
    assert len(found["timeline"][0]["answers"]) == BUCKET_ANSWERS_MOST
    assert (len(found["distinct"][0]), found["sent"]) == (200, 50)


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"sent": "many", "answers": "{"},
        {"sent": "-3", "answers": "[1]"},
        {"answers": '{"a": "b"}', "failed": "1e9"},
    ],
)
def test_what_no_attendant_says_counts_as_nothing(told):
    found = add_second({}, told, 5.0)
    assert (found["sent"], found["failed"]) == (0, 0)


def test_clock_that_goes_back_makes_no_bucket_of_its_own():
    found = add_all((second(v1=20), 100.0), (second(v1=20), 103.0), (second(v1=20), 101.0))
    assert [(bucket["at"], bucket["sent"]) for bucket in found["timeline"]] == [(0.0, 20), (3.0, 40)]
