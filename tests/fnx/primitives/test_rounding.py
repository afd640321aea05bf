"""Rounding and remainders against what JAX gives at special numbers."""

from __future__ import annotations

import numpy as np
import pytest

from fnx.core.array import as_array
from fnx.primitives import rounding
from fnx.transforms.grad import grad
from tests.support.elementwise_cases import operands
from tests.support.stored_elementwise import assert_agrees, line

HALVES = np.array([0.5, 1.5, 2.5, -0.5, -2.5, np.inf, np.nan, 0.49999999999999994, -0.0])
EXTREME = np.array([*line(), 1e20, -1e20, 255.7, 300.0, 2.5e9, 127.9, 128.0, -129.0, 65520.0, 3.3])


@pytest.mark.parametrize("name", ["floor", "ceil"])
def test_integers_around(name):
    assert_agrees(getattr(rounding, name), f"{name} float64", line())


@pytest.mark.parametrize("method", list(rounding.RoundingMethod))
def test_nearest_integer(method):
    assert_agrees(lambda x: rounding.round(x, method), f"round {int(method)}", HALVES)


@pytest.mark.parametrize("kind", ["float64", "int8", "int32", "int64", "uint8", "uint64"])
def test_remainder(kind):
    assert_agrees(rounding.rem, f"rem {kind}", *operands(kind))


@pytest.mark.parametrize("kind", ["float64", "float32"])
@pytest.mark.parametrize("bits", [(5, 10), (8, 7), (3, 2)])
def test_reduce_precision(kind, bits):
    key = f"reduce_precision {kind} {bits[0]} {bits[1]}"
    assert_agrees(lambda x: rounding.reduce_precision(x, *bits), key, EXTREME.astype(kind))


def test_reduce_precision_to_the_format_of_float16():
    x = np.random.default_rng(0).normal(0, 100, 1000).astype(np.float32)
    got = rounding.reduce_precision(as_array(x), 5, 10)._data
    np.testing.assert_array_equal(got, x.astype(np.float16).astype(np.float32))
    with pytest.raises(ValueError, match="needs at least 1 exponent bit"):
        rounding.reduce_precision(as_array(x), 0, 10)


@pytest.mark.parametrize(
    ("x", "y", "slope"), [(5.5, 2.0, -2.0), (-5.5, 2.0, 2.0), (5.5, -2.0, 2.0)]
)
def test_derivative_of_the_remainder(x, y, slope):
    dx, dy = grad(rounding.rem, argnums=(0, 1))(np.float64(x), np.float64(y))
    assert (float(dx._data), float(dy._data)) == (1.0, slope)


def test_steps_have_derivative_zero():
    for name in ("floor", "ceil", "round"):
        assert float(grad(getattr(rounding, name))(np.float64(1.3))._data) == 0.0
