"""Texts and words of pages: what a learner's program printed, safely; verdicts in Korean."""

from __future__ import annotations

import time

import pytest

from lessons.contracts import Status
from lessons.models import BrokenReason
from lessons.queries import submission_view
from lessons.queries.ansi import ansi_html
from lessons.queries.exercises import exercise_views, shown_exercises
from lessons.queries.files import language_of
from lessons.queries.text import LONGEST, inline_html, plain_path, visible
from lessons.sandbox import Progress
from tests.factories import make_exercise, make_finished, make_learner, make_submission


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("plain", "plain"),
        ("<script>&", "&lt;script&gt;&amp;"),
        ("\x1b[31mred\x1b[0m plain", '<span class="ansi-red">red</span> plain'),
        ("\x1b[1;4;92mall\x1b[m", '<span class="ansi-bright-green ansi-bold ansi-underline">all</span>'),
        ("\x1b[38;5;196mx", '<span class="ansi-bright-red">x</span>'),
        ("\x1b[48;2;0;0;255mx", '<span class="ansi-on-bright-blue">x</span>'),
        ("\x1b[38;2;1", ""),
        ("\x1b[2J\x1b[10;20Hx\x1b[K", "x"),
        ("\x1b]0;title\x07x\x1b]8;;http://evil/\x1b\\y", "xy"),
        ("\x1bP1$r\x1b\\x\x1bcy\x1b", "xy"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("a\0b", 'a<span class="ctl">␀</span>b'),
        ("a\u202eb", 'a<span class="ctl">[U+202E]</span>b'),
        ("\x9b31mx", '<span class="ctl">[U+009B]</span>31mx'),
        ("\ud800", '<span class="ctl">[U+D800]</span>'),
        ("\x1b[31m<b>\x1b[39m", '<span class="ansi-red">&lt;b&gt;</span>'),
        ("\x1b[99999999999mx", "x"),
        ("\x1b[38;5;٣mx", "٣mx"),
    ],
)
def test_ansi_html_keeps_colours_and_drops_the_rest(text, html):
    assert ansi_html(text) == html


@pytest.mark.parametrize(
    "text",
    ["x" * 10_000_000, "\x1b[31m" * 2_000_000, "\x1b]" * 5_000_000, "\x1b[" + "1;" * 5_000_000, "\x1b" * 10_000_000],
)
def test_ansi_html_of_ten_megabytes_is_bounded(text):
    started = time.perf_counter()
    html = ansi_html(text)
    assert len(html) <= 2 * LONGEST
    assert time.perf_counter() - started < 2.0


def test_ansi_html_of_endless_colour_changes_is_bounded():
    html = ansi_html("".join(f"\x1b[{31 + number % 6}mx" for number in range(20_000)))
    assert html.count("<span") <= 5_001
    assert html.endswith("x")


def test_visible_marks_what_would_hide():
    assert visible("a\u2066b\u0007\x7f\tc") == "a[U+2066]b␇␡\tc"


def test_inline_html_escapes_before_it_marks_code():
    assert inline_html("`<b>` & `x`") == "<code>&lt;b&gt;</code> &amp; <code>x</code>"


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("main.py", "python"),
        ("Dockerfile", "dockerfile"),
        ("app/Dockerfile.prod", "dockerfile"),
        ("a.YML", "yaml"),
        ("x", "text"),
    ],
)
def test_language_follows_the_name(path, language):
    assert language_of(path) == language


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("verdict", "tone", "words"),
    [
        ("pass", "pass", "통과했어요"),
        ("fail", "fail", "아직이에요"),
        ("time_limit", "limit", "5초"),
        ("memory_limit", "limit", "128 MB"),
        ("output_limit", "limit", "64 KB"),
        ("process_limit", "limit", "32개"),
    ],
)
def test_verdict_is_said_in_words(verdict, tone, words):
    view = submission_view(make_finished(verdict=verdict))
    assert view.tone == tone
    assert words in view.headline
    assert (view.is_open, view.poll_ms, view.retry_url) == (False, 0, "")


@pytest.mark.django_db
def test_busy_and_idle_programs_read_differently():
    def headline(cpu_ms: int) -> str:
        row = make_finished(verdict="time_limit")
        row.result["output"][0].update(ended="time", cpu_ms=cpu_ms)
        return submission_view(row).headline

    assert headline(4900) != headline(20)


@pytest.mark.django_db
def test_trial_says_how_the_program_ended():
    row = make_finished(verdict="", graded=False)
    row.result["output"][0].update(exit_code=3)
    view = submission_view(row)
    assert (view.tone, view.headline, view.number) == ("ran", "종료 코드 3으로 끝났어요.", 0)


@pytest.mark.django_db
@pytest.mark.parametrize(("status", "tone"), [("queued", "waiting"), ("running", "running"), ("broken", "broken")])
def test_unfinished_submission_shows_no_result(status, tone):
    row = make_submission(status=status, broken_reason=BrokenReason.DISK if status == Status.BROKEN else "")
    view = submission_view(row, place=3)
    assert (view.tone, view.checks, view.outputs, view.hints) == (tone, (), (), ())
    assert view.poll_ms > 0


@pytest.mark.django_db
def test_diff_lines_say_what_they_are():
    row = make_finished(verdict="fail")
    row.result["checks"][0]["diff"] = "--- a\n+++ b\n@@ -1 +1 @@\n-7\n+3\n same\n"
    lines = submission_view(row).checks[0].diff
    assert [(line.kind, line.text) for line in lines] == [
        ("place", "@@ -1 +1 @@"),
        ("want", "7"),
        ("got", "3"),
        ("same", "same"),
    ]


@pytest.mark.django_db
def test_hints_follow_failed_attempts_and_failed_checks():
    learner, exercise = make_learner(), make_exercise()
    row = make_finished(learner, exercise, verdict="fail")
    view = submission_view(row)
    assert view.hints == ("두 수를 더한 값을 출력해 보세요.", "print(a + b)를 떠올려 보세요.")
    assert view.hints_left == 0
    assert submission_view(make_finished(learner, make_exercise())).hints == ()


@pytest.mark.django_db
def test_a_trial_keeps_the_hints_of_the_last_graded_attempt():
    learner, exercise = make_learner(), make_exercise()
    make_finished(learner, exercise, verdict="fail")
    trial = make_finished(learner, exercise, verdict="", graded=False)
    assert submission_view(trial).hints == ("두 수를 더한 값을 출력해 보세요.", "print(a + b)를 떠올려 보세요.")
    make_finished(learner, exercise, verdict="pass")
    assert submission_view(trial).hints == ()


@pytest.mark.django_db
def test_a_trial_before_any_graded_attempt_has_no_hints():
    view = submission_view(make_finished(verdict="", graded=False))
    assert (view.hints, view.hints_left) == ((), 0)


def ready(environment: str) -> Progress:
    return Progress("ready", 100, "")


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 3])
def test_trials_on_a_page_cost_one_query_more_for_their_hints(count, django_assert_num_queries):
    learner = make_learner()
    for exercise in [make_exercise() for _ in range(count)]:
        make_finished(learner, exercise, verdict="fail")
        make_finished(learner, exercise, verdict="", graded=False)
    exercises = list(shown_exercises())
    for exercise in exercises:
        assert exercise.revision.spec
    with django_assert_num_queries(4):  # standings, drafts, latest, last attempts
        views = exercise_views(exercises, learner=learner, place_of=lambda row: 0, progress_of=ready)
    assert [len(view.latest.hints) for view in views] == [2] * count


@pytest.mark.django_db
def test_waiting_submission_asks_later_from_further_back_in_the_queue():
    row = make_submission()
    near, far, farthest = (submission_view(row, place=place).poll_ms for place in (1, 40, 4000))
    assert near < far < farthest == 5000


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("HostConfig.RestartPolicy.Name", "HostConfig.RestartPolicy.Name"),
        ('NetworkSettings.Ports."80/tcp"[0].HostPort', 'NetworkSettings.Ports."80/tcp"[0].HostPort'),
        ("State.Running && Config.Image || State.Status", ""),
        ("[?type(@) == 'x'] | length(@)", ""),
        ("a" * 200, ""),
    ],
)
def test_learners_see_paths_and_no_expressions(query: str, shown: str) -> None:
    assert plain_path(query) == shown
