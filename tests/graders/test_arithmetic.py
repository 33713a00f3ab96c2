from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lessons.graders.arithmetic import MAX_VALUE, ArithmeticFault, check, evaluate

VALUES = {"a": 7, "b": 2, "t": "3.5"}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("a + b", 9), ("a - b * 3", 1), ("a / b", 3.5), ("a // b", 3), ("a % b", 1), ("-(a + b)", -9), ("a ** b", 49),
        ("max(a, b, 10)", 10), ("abs(b - a)", 5), ("round(a / 3, 2)", 2.33), ("min(a, 2.5)", 2.5), ("t * 2", 7.0),
    ],
)  # fmt: skip
def test_evaluate_computes(expression: str, value: float) -> None:
    check(expression, VALUES)
    assert evaluate(expression, VALUES) == value


@pytest.mark.parametrize(
    "expression",
    [
        "", "a +", "c + 1", "a.b", "a[0]", "open('x')", "__import__('os')", "lambda: 1", "[a]", "'x' * 9", "a < b",
        "True", "max()", "max(*a)", "f(a)", "(" * 250 + "a", "+".join("a" * 120), "a" * 400, "a if b else a",
        "max(a, key=b)", "1j",
    ],
)  # fmt: skip
def test_check_refuses_what_is_no_arithmetic(expression: str) -> None:
    with pytest.raises(ArithmeticFault):
        check(expression, VALUES)


@pytest.mark.parametrize(
    "expression",
    ["9 ** 9 ** 9", "10 ** 100", "2 ** -9999", "1 / 0", "5 % 0", "0 ** -1", "(-8) ** 0.5", "1e400", "round(5, -10**9)"],
)
def test_evaluate_is_bounded(expression: str) -> None:
    with pytest.raises(ArithmeticFault):
        evaluate(expression, VALUES)


@given(st.text(alphabet="ab0123456789+-*/%(). ,maxroundbs", max_size=60))
def test_evaluate_gives_a_bounded_number_or_its_own_fault(expression: str) -> None:
    try:
        value = evaluate(expression, VALUES)
    except ArithmeticFault:
        return
    assert abs(value) <= MAX_VALUE
