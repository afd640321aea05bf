"""Relative derivatives of exponentials, the quadrature on the half line, Stirling's remainder."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest

from fnx.primitives.parameter_integrals import (
    NUMPY,
    RULES,
    half_line,
    relative_derivative,
    stirling_remainder,
)


@pytest.mark.parametrize("orders", [(1,), (4,), (1, 1), (2, 3), (0, 2)])
@pytest.mark.parametrize("words", [NUMPY, RULES])
def test_relative_derivatives(words, orders):
    # g(a, b) = sin(a) exp(2 b), at two places
    places = np.array([0.3, 1.1])

    def of_g(index):
        n, m = (*index, 0)[:2]
        return np.sin(places + n * math.pi / 2) * 2.0**m * np.exp(0.4 * 2)

    count = len(orders)
    units = [tuple(int(j == k) for j in range(count)) for k in range(count)]
    got = relative_derivative(words, orders, [of_g(u) for u in units], of_g)

    def exponential(a, b):
        return mpmath.exp(mpmath.sin(a) * mpmath.exp(2 * b))

    for value, a in zip(np.asarray(got), places, strict=True):
        point = (a, mpmath.mpf("0.4"))
        wanted = mpmath.diff(exponential, point, (*orders, 0)[:2]) / exponential(*point)
        np.testing.assert_allclose(value, float(wanted), rtol=1e-12)


def test_no_derivative_is_the_number_one():
    assert relative_derivative(NUMPY, (0,), [np.ones(2)], lambda index: 0) is None


@pytest.mark.parametrize("size", [1, 3, 40_000])
def test_half_line(size):
    power = np.linspace(0, 4, size)
    calls = []

    def integrand(u):
        calls.append(len(u))
        return np.exp(-u)[:, None] * u[:, None] ** power

    got = half_line(integrand, size)
    assert len(calls) == (1 if size < 100 else 129)  # large arrays take a node at a time
    np.testing.assert_allclose(got, [math.gamma(p + 1) for p in power], rtol=4e-15)


def test_the_order_of_summation_is_one():
    column = half_line(lambda u: np.exp(-np.multiply.outer(u, np.linspace(0.5, 1, 7))), 7)
    for k, rate in enumerate(np.linspace(0.5, 1, 7)):
        alone = half_line(lambda u, rate=rate: np.exp(-u * rate), 1)
        many = half_line(lambda u, rate=rate: np.exp(-u * rate), 10**9)
        assert alone == many == column[k]


def test_stirling_remainder():
    a = np.array([1e-3, 0.5, 3.0, 9.99, 10.0, 1e3, 1e9])

    def remainder(z):
        half = mpmath.log(2 * mpmath.pi) / 2
        return mpmath.loggamma(z) - (z - mpmath.mpf("0.5")) * mpmath.log(z) + z - half

    with mpmath.workdps(40):
        wanted = [float(remainder(mpmath.mpf(v))) for v in a]
    np.testing.assert_allclose(stirling_remainder(a), wanted, rtol=1e-14, atol=1e-14)
