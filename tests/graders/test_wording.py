from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lessons.graders import normalise, wording

ANY = st.text(max_size=300)


@given(ANY)
def test_plain_leaves_nothing_that_controls_or_reorders(text: str) -> None:
    shown = wording.plain(text)
    assert all(char in "\n\t" or char.isprintable() or ord(char) > 0x9F for char in shown)
    assert not set(shown) & set("\x00\x1b\u202e\u2066\u200f")
    assert wording.plain(shown) == shown


@given(ANY)
def test_storable_keeps_colours_and_drops_nul(text: str) -> None:
    stored = wording.storable(text + "\x1b[1m\x00")
    assert "\x1b[1m" in stored
    assert "\x00" not in stored
    stored.encode()


@given(ANY, ANY)
def test_pair_never_shows_a_difference_as_none(expected: str, found: str) -> None:
    shown = wording.pair(expected, found, exact=True)
    assert all(shown)
    if wording.plain(expected) != wording.plain(found):
        assert shown[0] != shown[1] or wording.EMPTY in shown


@given(ANY, ANY)
def test_difference_is_bounded_and_never_raises(expected: str, found: str) -> None:
    assert len(wording.difference(expected * 9, found * 9).splitlines()) < 100


def test_difference_past_the_cut_of_a_long_line_is_told() -> None:
    assert "1번째 줄의 뒷부분" in wording.difference("a" * 500 + "b\nx", "a" * 500 + "c\nx")


@given(
    st.lists(st.sampled_from("ab\n"), max_size=30).map("".join),
    st.lists(st.sampled_from("ab\n"), max_size=30).map("".join),
)
def test_difference_is_there_for_texts_of_several_lines(expected: str, found: str) -> None:
    left, right = expected.splitlines(), found.splitlines()
    assert bool(wording.difference(expected, found)) == (left != right and max(len(left), len(right)) > 1)


def test_single_line_is_short_and_one() -> None:
    line = wording.single_line("가\n" * 500)
    assert "\n" not in line
    assert len(line) == wording.LINE_MOST


@given(ANY, st.lists(st.sampled_from(normalise.NAMES)))
def test_normalise_twice_is_normalise_once_without_case(text: str, steps: list[str]) -> None:
    chosen = tuple(step for step in steps if step != "case")
    once = normalise.normalise(text, chosen)
    assert normalise.normalise(once, chosen) == once


@given(ANY)
def test_answer_key_has_single_spaces_and_no_ends(text: str) -> None:
    key = normalise.answer_key(text)
    assert key == " ".join(key.split())
