"""The elementwise functions of the array API standard: dtypes, shapes, broadcasting, scalars."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from tests.support.array_api_trials import (
    BOOL,
    COMPLEX,
    FLOAT,
    INTEGER,
    NUMERIC,
    REAL,
    SHAPES,
    assert_same,
    data,
    pairs,
)

INEXACT = FLOAT + COMPLEX
ONE = {
    "abs": NUMERIC, "acos": INEXACT, "acosh": INEXACT, "asin": INEXACT, "asinh": INEXACT,
    "atan": INEXACT, "atanh": INEXACT, "bitwise_invert": BOOL + INTEGER, "ceil": REAL,
    "conj": NUMERIC, "cos": INEXACT, "cosh": INEXACT, "exp": INEXACT, "expm1": INEXACT,
    "floor": REAL, "imag": COMPLEX, "isfinite": NUMERIC, "isinf": NUMERIC, "isnan": NUMERIC,
    "log": INEXACT, "log1p": INEXACT, "log2": INEXACT, "log10": INEXACT, "logical_not": BOOL,
    "negative": NUMERIC, "positive": NUMERIC, "real": NUMERIC, "reciprocal": INEXACT,
    "round": NUMERIC, "sign": NUMERIC, "signbit": FLOAT, "sin": INEXACT, "sinh": INEXACT,
    "square": NUMERIC, "sqrt": INEXACT, "tan": INEXACT, "tanh": INEXACT, "trunc": REAL,
}  # fmt: skip
#: Compiled code for these differs from that for others in a width.
RARE = ("int16", "uint16", "uint32")
NUMBERS, REALS = (INTEGER, FLOAT, COMPLEX), (INTEGER, FLOAT)
# Floats and complex numbers mix, integers and floats do not.
MIXED = [(a, b) for a in FLOAT for b in COMPLEX] + [(b, a) for a in FLOAT for b in COMPLEX]
TWO = {
    "add": NUMBERS, "atan2": (FLOAT,), "bitwise_and": (BOOL, INTEGER),
    "bitwise_left_shift": (INTEGER,), "bitwise_or": (BOOL, INTEGER),
    "bitwise_right_shift": (INTEGER,), "bitwise_xor": (BOOL, INTEGER), "copysign": (FLOAT,),
    "divide": (FLOAT, COMPLEX), "equal": (BOOL, *NUMBERS), "floor_divide": REALS,
    "greater": REALS, "greater_equal": REALS, "hypot": (FLOAT,), "less": REALS,
    "less_equal": REALS, "logaddexp": (FLOAT,), "logical_and": (BOOL,), "logical_or": (BOOL,),
    "logical_xor": (BOOL,), "maximum": REALS, "minimum": REALS, "multiply": NUMBERS,
    "nextafter": (FLOAT,), "not_equal": (BOOL, *NUMBERS), "pow": NUMBERS, "remainder": REALS,
    "subtract": NUMBERS,
}  # fmt: skip
SPREAD = [((), (3,)), ((3, 1), (1, 4)), ((2, 1, 3), (4, 1)), ((0, 1), (3,)), ((), ())]
OPERATORS = {
    "add": "+", "bitwise_and": "&", "bitwise_left_shift": "<<", "bitwise_or": "|",
    "bitwise_right_shift": ">>", "bitwise_xor": "^", "divide": "/", "equal": "==",
    "floor_divide": "//", "greater": ">", "greater_equal": ">=", "less": "<", "less_equal": "<=",
    "multiply": "*", "not_equal": "!=", "pow": "**", "remainder": "%", "subtract": "-",
}  # fmt: skip


def _operands(name, a, b, left=(5,), right=(5,)):
    x, y = data(a, left, 1), data(b, right, 2)
    if name in ("floor_divide", "remainder"):
        y = np.where(y == 0, np.ones_like(y), y)
    if name in ("pow", "bitwise_left_shift", "bitwise_right_shift"):
        y = abs(y) % 4 if y.dtype.kind in "iu" else y
        x = abs(x) if x.dtype.kind == "f" else x
    return np.asarray(x, a), np.asarray(y, b)


@pytest.mark.parametrize("name", ONE)
def test_one_operand(name):
    for dtype in ONE[name]:
        assert_same(lambda xp, x: getattr(xp, name)(x), data(dtype), jit=dtype not in RARE)
    for shape in SHAPES:
        assert_same(lambda xp, x: getattr(xp, name)(x), data(ONE[name][-1], shape), jit=False)


@pytest.mark.parametrize("name", TWO)
def test_two_operands(name):
    def call(xp, x, y):
        return getattr(xp, name)(x, y)

    found = pairs(*TWO[name])
    found += MIXED if COMPLEX in TWO[name] and name not in ("equal", "not_equal") else []
    for a, b in found:
        assert_same(call, *_operands(name, a, b), jit=a == b and a not in RARE)
    for left, right in SPREAD:
        dtype = TWO[name][-1][-1]
        assert_same(call, *_operands(name, dtype, dtype, left, right), jit=False)
        assert_same(call, *_operands(name, dtype, dtype, right, left), jit=False)


@pytest.mark.parametrize("name", TWO)
def test_python_scalars_take_the_dtype_of_the_array(name):
    scalars = {"b": (True,), "i": (2,), "u": (2,), "f": (2, 2.5), "c": (2, 2.5, 1 + 2j)}
    for group in TWO[name]:
        for dtype in group:
            x = _operands(name, dtype, dtype)[1]
            for number in scalars[np.dtype(dtype).kind]:
                assert_same(lambda xp, x, n=number: getattr(xp, name)(x, n), x, jit=False)
                assert_same(lambda xp, x, n=number: getattr(xp, name)(n, x), x + x, jit=False)


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_are_the_functions(name):
    space = {}
    exec(f"def operator(x, y): return x {OPERATORS[name]} y", space)
    operator = space["operator"]
    for group in TWO[name]:
        for dtype in group:
            x, y = _operands(name, dtype, dtype)
            assert_same(lambda xp, x, y: operator(x, y), x, y, jit=False)
            number = True if dtype == "bool" else 2
            assert_same(lambda xp, x, n=number: operator(x, n), y, jit=False)
            assert_same(lambda xp, x, n=number: operator(n, x), y, jit=False)


@pytest.mark.parametrize("name", ["pos", "neg", "abs", "invert"])
def test_operators_of_one_operand(name):
    for dtype in BOOL + INTEGER if name == "invert" else NUMERIC:
        assert_same(lambda xp, x: getattr(x, f"__{name}__")(), data(dtype), jit=False)


@pytest.mark.parametrize("dtype", REAL)
def test_clip(dtype):
    x = data(dtype)
    low, high = np.asarray(1, dtype), np.asarray(3, dtype)
    for bounds in ((low, high), (None, high), (low, None), (None, None), (1, 3), (None, 2)):
        assert_same(lambda xp, x, low, high: xp.clip(x, low, high), x, *bounds, jit=False)
        assert_same(lambda xp, x, low, high: xp.clip(x, min=low, max=high), x, *bounds, jit=False)
    wide = np.stack([x, x])
    assert_same(lambda xp, x, low: xp.clip(x, low, None), x, np.minimum(wide, high), jit=False)


@pytest.mark.parametrize("name", sorted(set(OPERATORS) - {"equal", "not_equal"} - {
    "greater", "greater_equal", "less", "less_equal",
}))  # fmt: skip
def test_operators_in_place_give_new_arrays(name):
    space = {}
    exec(f"def update(x, y):\n    x {OPERATORS[name]}= y\n    return x", space)
    for group in TWO[name]:
        for dtype in group:
            x, y = map(jnp.asarray, _operands(name, dtype, dtype))
            before = np.array(x)
            found = space["update"](x, y)
            assert found.dtype == x.dtype and found.shape == x.shape
            np.testing.assert_array_equal(found, getattr(jnp, name)(x, y))
            np.testing.assert_array_equal(x, before)


def test_conjugates_of_operands_give_conjugates():
    z = data("complex128", (40,), "conjugates")
    for name in (n for n, group in ONE.items() if group == INEXACT):
        for function in (getattr(jnp, name), fnx.jit(getattr(jnp, name))):
            found, expected = np.asarray(function(z.conj())), np.conj(function(z))
            np.testing.assert_allclose(found, expected, rtol=1e-14, err_msg=name)
            np.testing.assert_array_equal(np.signbit(found.imag), np.signbit(expected.imag), name)
