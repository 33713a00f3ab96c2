"""What is told again to who comes back, and how much flows."""

from __future__ import annotations

import pytest

from lessons.terminals.pacing import Bucket
from lessons.terminals.ring import MOST_BYTES, OTHER_SCREEN, Ring


def test_a_short_output_is_told_whole():
    ring = Ring()
    ring.add(b"\xb0\x80 half a letter is what came")
    ring.add(b"\x1b[31m")
    assert ring.replay() == b"\xb0\x80 half a letter is what came\x1b[31m"


def test_only_the_last_bytes_are_kept():
    ring = Ring()
    for _ in range(100):
        ring.add(b"x" * 10_000)
    assert len(ring.replay()) == MOST_BYTES
    ring.add(b"y" * 3 * MOST_BYTES)
    assert ring.replay() == b"y" * MOST_BYTES


def test_single_bytes_cost_no_more_memory_than_long_pieces():
    ring = Ring()
    for number in range(MOST_BYTES + 5000):
        ring.add(b"%d" % (number % 10))
    assert len(ring.replay()) == MOST_BYTES
    assert len(ring._parts) < 100


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"aaaa" + "가".encode()[1:] + b"bc\ndef", b"def"),
        ("가나".encode() + b"xy", "나".encode() + b"xy"),
        (b"aaa;31mtext\x1b[0mrest\n", b"\x1b[0mrest\n"),
        (b"aaa;31mtext\nrest\x1b[0m", b"rest\x1b[0m"),
    ],
)
def test_a_cut_output_begins_where_a_terminal_can(data, told):
    ring = Ring(most=len(data) - 1)
    ring.add(data)
    assert ring.replay() == told


def test_a_cut_inside_a_letter_begins_with_the_next():
    text = "가나다".encode() * 1000
    for most in range(100, 109):
        ring = Ring(most=most)
        ring.add(text)
        ring.replay().decode()
        assert len(ring.replay()) > most - 3


def test_a_full_screen_program_is_put_on_its_screen_again():
    ring = Ring(most=100)
    ring.add(b"$ vim\r\n\x1b[?10")
    ring.add(b"49h")
    assert ring.other_screen
    ring.add(b"~\r\n" * 100)
    assert ring.replay().startswith(OTHER_SCREEN)
    ring.add(b"\x1b[?1049l")
    assert not ring.other_screen
    ring.add(b"$ ls\r\n" * 100)
    assert not ring.replay().startswith(OTHER_SCREEN)


def test_bucket_gives_what_has_flowed_in():
    bucket = Bucket(rate=10, most=20)
    assert [bucket.take(20, 0.0), bucket.take(1, 0.0), bucket.take(10, 1.0), bucket.take(1, 1.0)] == [
        True,
        False,
        True,
        False,
    ]
    assert bucket.take(21, 100.0) is False


def test_bucket_says_how_long_a_debt_takes():
    bucket = Bucket(rate=10, most=20)
    assert [bucket.owe(20, 0.0), bucket.owe(5, 0.0), bucket.owe(0, 0.5)] == [0.0, 0.5, 0.0]
