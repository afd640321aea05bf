"""Fold rules give the same bits as the equations that they replace, for every special number."""

from __future__ import annotations

import itertools

import ml_dtypes
import numpy as np
import pytest

from fnx.core.array import as_array
from fnx.core.jaxpr import eval_jaxpr
from fnx.core.simplify import simplify
from fnx.core.staging import stage
from fnx.core.types import ShapedArray
from fnx.primitives.arithmetic import add, div, mul, neg, square, sub
from fnx.primitives.comparison import lt, select_n
from fnx.primitives.constants import divided_by, like, minus, plus, times
from fnx.primitives.exponential import exp

TINY = 5e-324
EDGES = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 2.5, 1.7e308, -1.7e308, TINY, 3 * TINY]
PAIRS = np.array(list(itertools.product(EDGES, EDGES))).T

#: What is folded, and to how many equations.
FOLDED = {
    "x - 0": (lambda x, y: minus(x, 0.0), 0),
    "x + -0": (lambda x, y: plus(x, -0.0), 0),
    "x * 1": (lambda x, y: times(x, 1.0), 0),
    "x / 1": (lambda x, y: divided_by(x, 1.0), 0),
    "-(-x)": (lambda x, y: neg(neg(x)), 0),
    "x * -1": (lambda x, y: times(x, -1.0), 1),
    "x + -y": (lambda x, y: add(x, neg(y)), 1),
    "x - -y": (lambda x, y: sub(x, neg(y)), 1),
    "-x * -y": (lambda x, y: mul(neg(x), neg(y)), 1),
    "-x * y + x * y": (lambda x, y: add(mul(neg(x), y), mul(x, y)), 2),
    "x * x": (lambda x, y: mul(x, x), 1),
    "2 (4 x)": (lambda x, y: times(times(x, 4.0), 2.0), 2),
    "(x + x) + (x + x)": (lambda x, y: add(add(x, x), add(x, x)), 2),
    "2 * 3 - 1 = 5": (lambda x, y: add(x, minus(times(like(x, 2), 3.0), 1.0)), 2),
    "a known choice": (lambda x, y: select_n(lt(like(x, 1), like(x, 2)), x, y), 0),
}

#: What looks as if it could be folded and must stay as it is.
KEPT = {
    "x + 0": (lambda x, y: plus(x, 0.0), 2),
    "x * 0": (lambda x, y: times(x, 0.0), 2),
    "x - x": (lambda x, y: sub(x, x), 1),
    "2 (x / 2)": (lambda x, y: times(times(x, 0.5), 2.0), 4),
    "-x - y": (lambda x, y: add(neg(x), neg(y)), 2),
    "-(x - y)": (lambda x, y: neg(sub(x, y)), 2),
    "x / x": (lambda x, y: div(x, x), 1),
}


@pytest.mark.parametrize("name", [*FOLDED, *KEPT])
def test_simplified_programs_have_the_same_bits(name):
    function, count = (FOLDED | KEPT)[name]
    kind = ShapedArray(PAIRS[0].shape, np.dtype(np.float64))
    jaxpr, _ = stage(lambda x, y: [function(x, y)], [kind, kind])
    simple = simplify(jaxpr)
    assert len(simple.eqns) == count
    x, y = map(as_array, PAIRS)
    (wanted,), (got,) = eval_jaxpr(jaxpr, x, y), eval_jaxpr(simple, x, y)
    number = ~np.isnan(wanted._data)
    np.testing.assert_array_equal(np.isnan(got._data), ~number)
    np.testing.assert_array_equal(
        got._data[number].view(np.uint64), wanted._data[number].view(np.uint64)
    )


@pytest.mark.parametrize(
    "dtype", [np.float32, np.float16, ml_dtypes.bfloat16, np.int32, np.complex64]
)
def test_results_keep_their_type(dtype):
    kind = ShapedArray((3,), np.dtype(dtype))

    def f(x):
        return [add(x, x), mul(x, x), times(times(x, 2), 4), plus(like(x, 3), 2)]

    jaxpr, _ = stage(f, [kind])
    assert [o.aval for o in simplify(jaxpr).outs] == [kind] * 4
    x = as_array(np.array([1, -2, 3]).astype(dtype))
    for got, wanted in zip(eval_jaxpr(simplify(jaxpr), x), eval_jaxpr(jaxpr, x), strict=True):
        np.testing.assert_array_equal(got._data, wanted._data)


def test_functions_of_numbers_are_numbers():
    jaxpr, _ = stage(lambda: [square(exp(like(as_array(np.array(0.0)), 2.0)))], [])
    simple = simplify(jaxpr)
    assert simple.eqns == ()
    assert float(simple.outs[0].val) == pytest.approx(np.exp(2.0) ** 2)
