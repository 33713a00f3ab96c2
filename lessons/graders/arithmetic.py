"""Arithmetic on drawn variables: ``a + b``, ``max(a, b) * 2``. Bounded, never Python's eval."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Collection, Mapping
from typing import Any

MAX_LENGTH = 300
MAX_NODES = 100
MAX_VALUE = 10**30
MAX_POWER = 100

Number = int | float


class ArithmeticFault(Exception):
    """An expression that cannot be read or computed; the text is Korean, for its author."""


_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}


def _round(value: Any, digits: Any = 0) -> Any:
    """As ``round``, whose time grows with the number of digits: bounded."""
    if not isinstance(digits, int) or abs(digits) > 30:
        raise ArithmeticFault("round의 자릿수가 너무 커요.")
    return round(value, digits)


_FUNCTIONS: dict[str, Callable[..., Any]] = {"min": min, "max": max, "abs": abs, "round": _round}


def check(expression: str, names: Collection[str]) -> None:
    """Raise ArithmeticFault unless the expression can be read and uses these names only."""
    for node in ast.walk(_parse(expression)):
        if isinstance(node, ast.Name) and node.id not in names and node.id not in _FUNCTIONS:
            raise ArithmeticFault(f"{node.id}라는 변수가 없어요.")
        _check_node(node)


def evaluate(expression: str, values: Mapping[str, int | str]) -> Number:
    """The value of the expression. Raises ArithmeticFault only."""
    try:
        return _value(_parse(expression).body, values)
    except (ArithmeticError, TypeError, ValueError) as error:
        raise ArithmeticFault("이 값들로는 계산할 수 없어요.") from error


def _parse(expression: str) -> ast.Expression:
    if len(expression) > MAX_LENGTH:
        raise ArithmeticFault(f"식이 {MAX_LENGTH}자보다 길어요.")
    try:
        tree = ast.parse(expression.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ArithmeticFault("식을 읽을 수 없어요.") from error
    if sum(1 for _ in ast.walk(tree)) > MAX_NODES:
        raise ArithmeticFault("식이 너무 복잡해요.")
    return tree


_PARTS = (ast.Expression, ast.Name, ast.Load, ast.operator, ast.unaryop)


def _check_node(node: ast.AST) -> None:
    if isinstance(node, ast.Constant):
        known = isinstance(node.value, int | float) and not isinstance(node.value, bool)
    elif isinstance(node, ast.BinOp):
        known = isinstance(node.op, ast.Pow) or type(node.op) in _BINARY
    elif isinstance(node, ast.UnaryOp):
        known = isinstance(node.op, ast.USub | ast.UAdd)
    elif isinstance(node, ast.Call):
        known = isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS and bool(node.args) and not node.keywords
    else:
        known = isinstance(node, _PARTS)
    if not known:
        raise ArithmeticFault("숫자, 변수, + - * / // % **, 괄호, min max abs round만 쓸 수 있어요.")


def _value(node: ast.expr, values: Mapping[str, int | str]) -> Number:
    _check_node(node)
    if isinstance(node, ast.Constant):
        return _bounded(node.value)
    if isinstance(node, ast.Name):
        return _named(node.id, values)
    if isinstance(node, ast.UnaryOp):
        inner = _value(node.operand, values)
        return -inner if isinstance(node.op, ast.USub) else inner
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return _bounded(_FUNCTIONS[node.func.id](*(_value(item, values) for item in node.args)))
    if isinstance(node, ast.BinOp):
        left, right = _value(node.left, values), _value(node.right, values)
        if isinstance(node.op, ast.Pow):
            return _power(left, right)
        return _bounded(_BINARY[type(node.op)](left, right))
    raise ArithmeticFault("식을 읽을 수 없어요.")


def _named(name: str, values: Mapping[str, int | str]) -> Number:
    value = values.get(name)
    if isinstance(value, str):  # a choice may be written as a text
        return _bounded(float(value) if "." in value else int(value))
    if value is None:
        raise ArithmeticFault(f"{name}라는 변수가 없어요.")
    return _bounded(value)


def _power(base: Number, exponent: Number) -> Number:
    """Bounded before it is computed: the size of the result is known from its logarithm."""
    if abs(exponent) > MAX_POWER or (base and abs(exponent * math.log10(abs(base))) > math.log10(MAX_VALUE)):
        raise ArithmeticFault("거듭제곱이 너무 커요.")
    return _bounded(base**exponent)


def _bounded(value: Any) -> Number:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ArithmeticFault("계산 결과가 수가 아니에요.")
    if not -MAX_VALUE <= value <= MAX_VALUE:  # also refuses NaN
        raise ArithmeticFault("수가 너무 커요.")
    return value
