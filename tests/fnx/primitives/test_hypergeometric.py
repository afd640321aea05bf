"""Derivatives of hypergeometric functions in their parameters, where the method changes."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from fnx.primitives.hypergeometric import hyp1f1_p, hyp2f1_p
from fnx.primitives.parameter_polynomials import Linear, constant, derivative


def test_polynomials_in_the_parameters():
    # (a + e1) (a + b + e1 + e2) / (b + e2), and its derivatives at a = 2, b = 3
    orders = (2, 2)
    a, both, b = Linear(np.array(2.0), (1, 0)), Linear(np.array(5.0), (1, 1)), (0, 1)
    polynomial = Linear(np.array(3.0), b).into(both.times(a.times(constant(np.array(1.0), orders))))

    def exact(a, b):
        return a * (a + b) / b

    for n in range(3):
        for m in range(3):
            wanted = float(mpmath.diff(exact, (2, 3), (n, m)))
            np.testing.assert_allclose(derivative(polynomial, (n, m)), wanted, atol=1e-14)
    np.testing.assert_allclose(Linear(np.array(2.0), (1, 0)).plus(0.5).value, 2.5)


@pytest.mark.parametrize(
    "point",
    [(0.7, 1.2, 1.9, z) for z in (0.0, 0.5, 0.51, 0.75, 0.9999, 1 - 2.0**-40, -1e6)]
    + [(1.0, 1.0, 2.0, 0.9), (-2.0, 1.5, 0.7, 0.6), (3.0, 4.0, 2.0, -0.3)],
)
def test_gauss(point):
    for orders in ((1, 0, 0), (0, 1, 1)):
        got = hyp2f1_p(*map(np.float64, point), derivatives=orders)
        with mpmath.workdps(40):
            *shapes, z = map(mpmath.mpf, point)
            wanted = mpmath.diff(lambda *s, z=z: mpmath.hyp2f1(*s, z), shapes, orders)
        np.testing.assert_allclose(got, float(wanted), rtol=1e-11, atol=1e-300)


def test_gauss_at_one_and_outside():
    def at_one(a, b, c):
        gamma = mpmath.gamma
        return gamma(c) * gamma(c - a - b) / gamma(c - a) / gamma(c - b)

    shapes = (0.3, 0.4, 2.0)
    for orders in ((1, 0, 0), (0, 0, 1), (1, 0, 1), (2, 1, 0)):
        got = hyp2f1_p(*map(np.float64, shapes), np.float64(1), derivatives=orders)
        wanted = mpmath.diff(at_one, shapes, orders)
        np.testing.assert_allclose(got, float(wanted), rtol=1e-12)
    a, b, c = np.full((3, 4), 0.5)
    z = np.array([1.0, 1.5, -np.inf, np.nan])
    assert np.all(np.isnan(hyp2f1_p(a, b, c, z, derivatives=(1, 0, 0))))


@pytest.mark.parametrize("z", [0.0, 500.0, 2000.0, -650.0, -3000.0])
def test_confluent_far_out(z):
    # exp(2000) is infinite, and exp(-3000) must not make 0 of the rest
    point = (0.7, 1.9)
    for orders in ((1, 0), (0, 1)):
        got = hyp1f1_p(*map(np.float64, point), np.float64(z), derivatives=orders)
        with mpmath.workdps(40):
            wanted = mpmath.diff(lambda a, b: mpmath.hyp1f1(a, b, z), point, orders)
        np.testing.assert_allclose(got, float(wanted), rtol=1e-11)
    assert np.isnan(hyp1f1_p(np.float64(np.nan), np.float64(1), np.float64(1), derivatives=(1, 0)))
