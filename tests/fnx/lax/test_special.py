"""Incomplete gamma, beta and Bessel functions of `fnx.lax`: special numbers, numbers, errors."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import lax
from fnx.scipy import special

INF, NAN = np.inf, np.nan


def test_incomplete_gamma_at_special_numbers() -> None:
    # P, 1 - P and dP/da at the ends of their domains, and outside
    rows = [
        (0.0, 1.0, 1, 0, -float(mpmath.e1(1))),
        (0.0, 0.0, NAN, NAN, NAN),
        (1.0, 0.0, 0, 1, 0),
        (1.0, INF, 1, 0, 0),
        (-1.0, 1.0, NAN, NAN, NAN),
        (1.0, -1.0, NAN, NAN, NAN),
        (NAN, 1.0, NAN, NAN, NAN),
        (1.0, NAN, NAN, NAN, NAN),
    ]
    a, x, *wanted = np.array(rows).T
    for function, values in zip((lax.igamma, lax.igammac, lax.igamma_grad_a), wanted, strict=True):
        np.testing.assert_allclose(function(a, x), values, rtol=1e-14)


def test_the_density_at_zero() -> None:
    slope = fnx.grad(lambda a, x: jnp.sum(lax.igamma(a, x)), 1)
    np.testing.assert_array_equal(slope(np.array([0.5, 1.0, 1.5]), np.zeros(3)), [INF, 1, 0])
    slope = fnx.grad(lambda a, b, x: jnp.sum(lax.betainc(a, b, x)), 2)
    shapes = np.array([0.5, 1.0, 1.5])
    np.testing.assert_array_equal(slope(shapes, np.full(3, 3.0), np.zeros(3)), [INF, 3, 0])
    np.testing.assert_array_equal(slope(np.full(3, 3.0), shapes, np.ones(3)), [INF, 3, 0])


def test_samples_of_gamma_far_out() -> None:
    # where the density and the derivative of P have both underflown
    got = lax.random_gamma_grad(np.array([1.0, 2.0]), np.array([800.0, 1e-300]))
    # exp(x) dQ/da of a = 1, and ``x (digamma(a + 1) - log(x)) / a`` of small x
    first = float(mpmath.log(800) + mpmath.euler + mpmath.exp(800) * mpmath.e1(800))
    second = float(mpmath.digamma(3) - mpmath.log(mpmath.mpf("1e-300"))) / 2 * 1e-300
    np.testing.assert_allclose(got, [first, second], rtol=1e-13)


def test_incomplete_beta_at_special_numbers() -> None:
    rows = [
        (0.0, 1.0, 0.5, 1), (1.0, 0.0, 0.5, 0), (1.0, 1.0, 0.0, 0), (1.0, 1.0, 1.0, 1),
        (1.0, 1.0, -0.1, NAN), (1.0, 1.0, 1.1, NAN), (INF, 1.0, 0.5, 0), (1.0, INF, 0.5, 1),
        (-1.0, 1.0, 0.5, NAN), (NAN, 1.0, 0.5, NAN), (0.0, 0.0, 0.5, NAN),
    ]  # fmt: skip
    a, b, x, wanted = np.array(rows).T
    np.testing.assert_array_equal(lax.betainc(a, b, x), wanted)
    for k in (0, 1):
        slope = fnx.grad(lambda *xs: jnp.sum(lax.betainc(*xs)), k)
        np.testing.assert_array_equal(
            slope(np.ones(3), np.ones(3), np.array([0, 1, -0.1])), [0, 0, NAN]
        )


def test_bessel_functions_of_every_order() -> None:
    # the orders that derivatives lead to, also at 0 and where the unscaled ones overflow
    x = np.array([-2.5, 0.0, 1.5, 800.0, 1e9, INF])
    for function, order in ((lax.bessel_i0e, 0), (lax.bessel_i1e, 1)):
        for depth in range(5):
            with mpmath.workdps(60):

                def scaled(t, order=order):
                    return mpmath.besseli(order, t) * mpmath.exp(-abs(t))

                exact = [float(mpmath.diff(scaled, v, depth)) for v in x[[0, 2, 3]]]
            np.testing.assert_allclose(np.asarray(function(x))[[0, 2, 3]], exact, rtol=1e-12)
            function = fnx.grad(lambda v, f=function: jnp.sum(f(v)))
    np.testing.assert_array_equal(lax.bessel_i0e(x)[1], 1)
    slopes = fnx.grad(lambda v: jnp.sum(lax.bessel_i1e(v)))(x)
    np.testing.assert_allclose(slopes[1], 0.5)
    np.testing.assert_allclose(
        slopes[4:], [-0.5 / math.sqrt(2 * math.pi) * 1e9**-1.5, 0], rtol=1e-8
    )


def test_numbers_and_scalars() -> None:
    ones = np.ones(3, np.float32)
    assert lax.igamma(1.0, ones).dtype == np.float32
    np.testing.assert_allclose(lax.igamma(1.0, ones), 1 - math.exp(-1), rtol=1e-6)
    np.testing.assert_allclose(lax.igammac(ones, 1.0), math.exp(-1), rtol=1e-6)
    np.testing.assert_allclose(lax.betainc(1.0, 2.0, 0.5), 0.75)
    np.testing.assert_allclose(
        lax.random_gamma_grad(a=1.0, x=ones), lax.random_gamma_grad(ones, ones)
    )
    assert lax.bessel_i0e(1.0).weak_type


@pytest.mark.parametrize("name", ["igamma", "igammac", "igamma_grad_a", "random_gamma_grad"])
def test_what_is_refused(name: str) -> None:
    function = getattr(lax, name)
    with pytest.raises(TypeError, match="accepted are float"):
        function(1, 2)
    with pytest.raises(TypeError, match="dtypes must be equal"):
        function(np.float32(1), np.float64(2))
    with pytest.raises(TypeError, match="shapes must be equal"):
        function(np.ones(2), np.ones(3))


def test_bessel_refuses_what_is_not_real() -> None:
    for function in (lax.bessel_i0e, lax.bessel_i1e):
        for value in (1, 1j):
            with pytest.raises(TypeError, match="accepted are float"):
                function(value)


def test_compiled_programs_take_them_as_steps_on_the_host() -> None:
    def loss(a, x):
        return jnp.sum(lax.igamma(a, x) * 2 + lax.betainc(a, a, x / 9))

    a, x = np.array([0.5, 2.0, 30.0]), np.array([0.4, 1.0, 8.5])
    for k in (0, 1):
        slope = fnx.grad(loss, k)
        np.testing.assert_allclose(fnx.jit(slope)(a, x), slope(a, x), rtol=1e-13)
    compiled = fnx.jit(loss)
    compiled(a, x)
    (program,) = compiled.explain()["programs"]
    reasons = [step.kernel for step in program["executable"].host_steps]
    assert reasons == ["SciPy evaluates it, called from Python"] * 2
    assert special.gammainc(a, x).dtype == np.float64
