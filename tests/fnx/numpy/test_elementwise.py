"""Elementwise functions made of several operations.

Dtypes against JAX, values against NumPy, derivatives against differences.
"""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from tests.support.numpy_cases import expressions
from tests.support.numpy_trials import (
    assert_compiled_and_mapped,
    assert_derivatives,
    assert_dtypes,
    assert_values,
    differentiable,
)

EXPRESSIONS = expressions("elementwise")
DIFFERENTIABLE = [e for e in EXPRESSIONS if differentiable(e)]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_dtypes(expression):
    assert_dtypes("elementwise", expression)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_values(expression):
    assert_values(expression)


@pytest.mark.parametrize("expression", DIFFERENTIABLE)
def test_derivatives(expression):
    assert_derivatives(expression)


@pytest.mark.parametrize("expression", DIFFERENTIABLE)
def test_compiled_and_mapped(expression):
    assert_compiled_and_mapped(expression)


SPECIAL = np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 0.5, -2.5, 3.0])
ONE = (
    "abs angle deg2rad degrees isfinite isinf isnan log10 log2 rad2deg radians reciprocal round "
    "sign signbit"
).split()


@pytest.mark.parametrize("name", ONE)
def test_special_numbers(name):
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(SPECIAL)
    np.testing.assert_allclose(getattr(jnp, name)(SPECIAL), expected, rtol=1e-15)


@pytest.mark.parametrize("name", ["hypot", "logaddexp", "fmod", "float_power", "power"])
def test_pairs_of_special_numbers(name):
    x, y = SPECIAL[:, None], SPECIAL
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(x, y)
    np.testing.assert_allclose(getattr(jnp, name)(x, y), expected, rtol=1e-14)


def test_quotients_and_remainders_of_special_numbers():
    # NumPy differs where the divisor is 0 or infinite (it gives NaN, and -1 for -2.5 // inf).
    x, y = SPECIAL[[0, 1, 2, 3, 6, 7, 8, 9]][:, None], SPECIAL[[2, 3, 6, 7, 8, 9]]
    quotient, rest = jnp.divmod(x, y)
    with np.errstate(all="ignore"):
        expected = np.divmod(x, y)
    np.testing.assert_array_equal(quotient, expected[0])
    np.testing.assert_array_equal(rest, expected[1])
    np.testing.assert_array_equal(
        jnp.floor_divide(np.array([3.0, -3.0, 1.0, np.inf]), np.array([np.inf, np.inf, 0.0, 3.0])),
        [0, -1, np.inf, np.nan],
    )  # as in JAX


@pytest.mark.parametrize("kind", ["int8", "uint8", "int32", "uint64"])
def test_powers_of_integers_wrap_around(kind):
    base = np.array([0, 1, 2, 3, 7, 250], np.int64).astype(kind)[:, None]
    exponent = np.array([0, 1, 2, 5, 9, 60], kind)
    np.testing.assert_array_equal(jnp.power(base, exponent), np.power(base, exponent))
    np.testing.assert_array_equal(fnx.jit(jnp.power)(base, exponent), np.power(base, exponent))


@pytest.mark.parametrize("decimals", [-3, -2, -1])
def test_integers_are_rounded_without_floating_point(decimals):
    x = np.array([0, 5, 15, 25, -5, -15, -25, 149, 150, 151, -150, 250, 99_999, 2**53 + 1])
    np.testing.assert_array_equal(jnp.round(x, decimals)[:-1], np.round(x[:-1], decimals))
    step = 10**-decimals
    low = x[-1] // step * step
    assert int(jnp.round(x, decimals)[-1]) in (low, low + step)
    assert jnp.round(np.int8(100), -5) == 0


def test_hypot_neither_overflows_nor_underflows():
    huge, tiny = np.array([3e300, 3e-300]), np.array([4e300, 4e-300])
    np.testing.assert_allclose(jnp.hypot(huge, tiny), [5e300, 5e-300], rtol=1e-15)


def test_derivative_of_logaddexp_where_both_are_equal_or_infinite():
    slope = fnx.grad(jnp.logaddexp, (0, 1))
    np.testing.assert_allclose(slope(np.float64(2), np.float64(2)), [0.5, 0.5], rtol=1e-15)
    assert [float(s) for s in slope(np.float64(800), np.float64(-800))] == [1, 0]
    assert [float(s) for s in slope(np.float64(-np.inf), np.float64(1))] == [0, 1]
    curved = fnx.grad(fnx.grad(jnp.logaddexp))(np.float64(2), np.float64(2))
    np.testing.assert_allclose(curved, 0.25, rtol=1e-15)


def test_logaddexp_of_complex_numbers():
    x, y = np.array([1 + 3j, -2.0, 0.5j]), np.array([2 - 3j, 1j, -0.5])
    expected = np.log(np.exp(x) + np.exp(y))
    np.testing.assert_allclose(jnp.logaddexp(x, y), expected, rtol=1e-14)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: jnp.power(2, -1), ValueError, "negative power .*Convert the base to a float"),
        (lambda: jnp.clip(1j, 0, 1), ValueError, "clip: complex"),
        (lambda: jnp.hypot(1j, 0), ValueError, "hypot: complex"),
        (lambda: jnp.signbit(np.ones(2, complex)), ValueError, r"signbit: .*c128\[2\]"),
        (lambda: jnp.mod(np.ones(2), np.ones(3)), ValueError, r"remainder: .*f64\[3\]"),
        (lambda: jnp.abs(None), TypeError, "abs: argument 0 is NoneType"),
    ],
)
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()
