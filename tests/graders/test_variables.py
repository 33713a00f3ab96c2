from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lessons.contracts import VarSpec
from lessons.graders.variables import draw, fill, fill_text, shuffled

SPECS = (VarSpec("a", "int", 1, 99), VarSpec("c", "choice", choices=("x", 3)), VarSpec("w", "word", 4, 8))


@given(st.integers(0, 2**62))
def test_draw_stays_in_range_and_repeats(seed: int) -> None:
    values = draw(SPECS, seed)
    assert 1 <= int(values["a"]) <= 99
    assert values["c"] in ("x", 3)
    word = str(values["w"])
    assert 4 <= len(word) <= 8
    assert word.isascii()
    assert word.islower()
    assert draw(SPECS, seed) == values


def test_draw_does_not_depend_on_the_other_variables() -> None:
    assert draw(SPECS[:1], 5)["a"] == draw(SPECS, 5)["a"]


def test_draw_differs_between_seeds() -> None:
    assert len({draw(SPECS, seed)["w"] for seed in range(50)}) > 40


def test_fill_text_replaces_drawn_names_only() -> None:
    assert fill_text("{{a}} {{ a }} {{b}} {a} {{.State}}", {"a": 4}) == "4 4 {{b}} {a} {{.State}}"


def test_fill_keeps_the_type_of_a_place_that_stands_alone() -> None:
    assert fill({"x": ["{{a}}", "{{a}}!", 1, None]}, {"a": 4}) == {"x": [4, "4!", 1, None]}


@given(st.lists(st.integers(), min_size=2, max_size=8, unique=True), st.integers())
def test_shuffled_repeats_and_never_gives_the_right_order(items: list[int], seed: int) -> None:
    mixed = shuffled(items, seed)
    assert mixed == shuffled(items, seed)
    assert sorted(mixed) == sorted(items)
    assert mixed != items
