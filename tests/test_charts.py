"""What a grading saw over time, drawn: requests by the second, and moments."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from lessons.queries.charts import HEIGHT, MOST_BARS, charts_of, timelines_of
from tests.factories import make_finished, make_lab_exercise, make_learner


def second(at: int, sent: int = 20, failed: int = 0, **answers: int) -> dict:
    return {"at": at, "sent": sent, "failed": failed, "answers": answers}


def check(**picture: object) -> dict:
    return {"id": "smooth", "title": "`shop`이 끊기지 않음", "passed": True, "picture": picture}


def traffic(*seconds: dict, **fields: object) -> dict:
    return {"timeline": list(seconds), **fields}


ROLLOUT = traffic(
    second(0, **{"shop v1 (shop-7d-x2)\n": 12, "shop v1 (shop-7d-q8)\n": 8}),
    second(1, failed=5, **{"shop v1 (shop-7d-x2)\n": 5, "shop v2 (shop-85-h4)\n": 10}),
    second(2, **{"shop v2 (shop-85-h4)\n": 20}),
    sent=60,
    failed=5,
    distinct=["shop v1", "shop v2"],
)


def test_answers_are_stacked_by_what_answered_and_failures_on_top():
    (chart,) = charts_of([check(traffic=ROLLOUT), check(traffic=ROLLOUT)])
    assert chart.summary == "요청 60번 가운데 5번이 실패했어요."
    assert [(one.series, one.label, one.count) for one in chart.legend] == [
        ("a0", "shop v1", 25),
        ("a1", "shop v2", 30),
        ("failed", "실패", 5),
    ]
    assert [(part.series, part.y, part.height) for part in chart.parts if part.x == 12] == [
        ("a0", 90, 30),
        ("a1", 30, 60),
        ("failed", 0, 30),
    ]
    assert [(row.when, row.counts, row.failed) for row in chart.rows] == [
        ("0초", (20, 0), 0),
        ("1초", (5, 10), 5),
        ("2초", (0, 20), 0),
    ]
    assert (chart.most, chart.lasted) == (20, "3초")


def test_a_stream_without_a_failure_says_so():
    (chart,) = charts_of([check(traffic=traffic(second(0, v1=20)))])
    assert chart.summary == "요청 20번을 보내는 동안 한 번도 실패하지 않았어요."


def test_long_streams_are_drawn_in_fewer_bars_and_many_answers_in_few_colours():
    seconds = [second(at, **{f"pod-{at % 9}": 20}) for at in range(200)]
    (chart,) = charts_of([check(traffic=traffic(*seconds))])
    assert len(chart.rows) <= MOST_BARS
    assert [one.series for one in chart.legend] == ["a0", "a1", "a2", "a3", "rest"]
    assert sum(one.count for one in chart.legend) == 4000
    assert sum(sum(row.counts) for row in chart.rows) == 4000
    assert all(part.y >= 0 and part.y + part.height <= HEIGHT for part in chart.parts)
    assert chart.lasted == "3분 20초"


def test_buckets_of_several_seconds_last_as_long_as_they_are():
    (chart,) = charts_of([check(traffic=traffic(*[second(at, v1=20) for at in range(0, 160, 16)]))])
    assert chart.lasted == "2분 40초"
    (chart,) = charts_of([check(traffic=traffic(second(5, v1=20), second(5, v1=20)))])
    assert chart.lasted == "1초"


def test_little_counts_are_seen_within_the_height():
    bar = second(0, failed=1, v1=1, v2=1, v3=1, v4=990, v5=1)
    (chart,) = charts_of([check(traffic=traffic(bar))])
    assert [part.height for part in sorted(chart.parts, key=lambda part: part.height)] == [2, 2, 2, 2, 2, HEIGHT - 10]
    assert sorted(part.y for part in chart.parts)[0] == 0
    assert all(part.y + part.height <= HEIGHT for part in chart.parts)


@pytest.mark.parametrize(
    "value",
    [
        None,
        3,
        [],
        {},
        {"timeline": 3},
        {"timeline": [None, {"answers": [], "failed": "9"}]},
        {"timeline": [{"at": "x"}]},
    ],
)
def test_what_is_no_stream_is_not_drawn(value):
    assert charts_of([check(traffic=value), check(), {"id": "x"}]) == ()


def test_moments_have_their_time_in_words():
    rows = [
        {"at": 3, "text": "`shop` 셀렉터가 바뀌었어요.", "tone": "bad"},
        {"at": 75.9, "text": "kubectl describe로 보았어요.", "tone": "seen"},
        {"at": "2026-01-02T03:04:05+09:00", "text": "고쳤어요.", "tone": "ok"},
        {"at": "어제", "text": 7, "tone": "red"},
        "x",
    ]
    (timeline,) = timelines_of([check(timeline=rows), check(timeline=[]), check(timeline={})])
    assert [(one.when, one.tone) for one in timeline.moments] == [
        ("3초", "bad"),
        ("1분 15초", "seen"),
        ("03:04:05", "ok"),
        ("어제", "seen"),
    ]
    assert timeline.moments[0].html == "<code>shop</code> 셀렉터가 바뀌었어요."


def test_a_result_shows_both(client, db):
    learner = make_learner()
    client.force_login(learner)
    moments = [{"at": 3, "text": "<b>고장</b>", "tone": "bad"}]
    checks = [check(traffic=ROLLOUT), check(timeline=moments)]
    result = {"checks": checks, "output": [], "timings": {}}
    row = make_finished(learner, make_lab_exercise(), result=result)
    text = client.get(reverse("submission", args=[row.pk])).content.decode()
    assert re.findall(r'<rect class="(\w+)" x="12"', text) == ["a0", "a1", "failed"]
    assert "&lt;b&gt;고장&lt;/b&gt;" in text
    assert text.index('class="timeline"') < text.index('class="traffic"')
    assert "shop v2 <b>30번</b>" in text
