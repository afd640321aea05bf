"""Powers and roots against JAX at special numbers, and against mpmath."""

from __future__ import annotations

import ml_dtypes
import mpmath
import numpy as np
import pytest

from fnx.core.array import as_array
from fnx.primitives import powers
from fnx.primitives.powers import integer_pow, reciprocal, square
from fnx.transforms.grad import grad
from tests.support.elementwise_cases import operands
from tests.support.stored_elementwise import assert_agrees, line, stored
from tests.support.taylor_references import assert_jet, assert_values

ROOTS = {
    "sqrt": mpmath.sqrt,
    "rsqrt": lambda x: 1 / mpmath.sqrt(x),
    "cbrt": mpmath.cbrt,
}


@pytest.mark.parametrize("name", ["sqrt", "rsqrt", "cbrt", "square"])
def test_special_numbers(name):
    assert_agrees(getattr(powers, name), f"{name} float64", line(), rtol=4e-16)


@pytest.mark.parametrize("name", ROOTS)
def test_roots(name):
    function, reference = getattr(powers, name), ROOTS[name]
    assert_values(function, reference, [(0.3,), (17.0,), (1e-200,), (1e300,)], 5e-16)
    assert_jet(function, reference, [0.8, 0.25, -0.3, 0.2])
    if name != "cbrt":
        assert_values(function, reference, [(0.3 + 0.4j,), (-1.7 - 2j,)], 4e-15)
        assert_jet(function, reference, [0.8 + 1j, 0.25 - 1j, -0.3j])


@pytest.mark.parametrize("exponent", [-3, -2, -1, 0, 1, 2, 3, 5, 8])
def test_integer_powers(exponent):
    def function(x):
        return integer_pow(x, exponent)

    assert_values(function, lambda x: x**exponent, [(0.3,), (-1.7,), (2.0,)], 2e-15)
    assert_jet(function, lambda x: x**exponent, [0.8, 0.25, -0.3, 0.2])
    if exponent >= 0:  # the recurrence of a general power would divide by 0 here
        assert_jet(function, lambda x: x**exponent, [0.0, 0.25, -0.3, 0.2])


def test_integer_powers_of_integers_wrap():
    x = np.array([3, 200, -7], np.int32)
    got = integer_pow(as_array(x), 30)._data
    wanted = [((int(v) ** 30 + 2**31) % 2**32) - 2**31 for v in x]
    np.testing.assert_array_equal(got, wanted)
    with pytest.raises(TypeError, match=r"integer_pow: i32\[3\] \*\* -1 is not an integer"):
        integer_pow(as_array(x), -1)


@pytest.mark.parametrize("kind", ["int8", "int64", "uint8", "uint32"])
def test_squares_of_integers_wrap(kind):
    assert_agrees(square, f"square {kind}", operands(kind)[0])


def test_special_integer_powers():
    x = as_array(np.array([0.0, -0.0, np.inf, -np.inf, np.nan]))
    np.testing.assert_array_equal(integer_pow(x, -3)._data, [np.inf, -np.inf, 0, -0.0, np.nan])
    np.testing.assert_array_equal(integer_pow(x, 0)._data, np.ones(5))


@pytest.mark.parametrize("name", ["sqrt", "cbrt", "rsqrt"])
def test_slopes_at_the_edge(name):
    points = (0.0, -0.0, 1.0, 700.0)
    got = [float(grad(getattr(powers, name))(np.float64(p))._data) for p in points]
    wanted = stored(f"grad {name}")
    if name != "cbrt":  # of -0 the sign of the infinity is a matter of the formula
        got, wanted = np.delete(got, 1), np.delete(wanted, 1)
    np.testing.assert_allclose(got, wanted, rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_narrow_roots_are_rounded_once(dtype):
    x = np.linspace(0.1, 4, 200).astype(dtype)
    got = powers.rsqrt(as_array(x))._data
    assert got.dtype == x.dtype
    np.testing.assert_array_equal(got, (1 / np.sqrt(x.astype(np.float64))).astype(dtype))


def test_reciprocal():
    x = np.array([2.0, -0.5, np.inf])
    np.testing.assert_array_equal(reciprocal(as_array(x))._data, 1 / x)
