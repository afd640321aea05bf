"""Derivatives of draws in their parameters: along the path, or implicit through gamma numbers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import fnx
import fnx.numpy as jnp
from fnx import random
from fnx.test_util import check_grads

KEY = random.key(2024)


@pytest.fixture(autouse=True)
def wide():
    with fnx.enable_x64(True):
        yield


COV = np.array([[2.0, 0.3, 0.1], [0.3, 1.0, -0.2], [0.1, -0.2, 0.7]])


@pytest.mark.parametrize(
    ("draw", "parameters"),
    [
        (lambda a, b: random.uniform(KEY, (6,), minval=a, maxval=b), (-1.0, 2.0)),
        (lambda s: random.lognormal(KEY, s, (6,)), (0.7,)),
        (lambda b: random.pareto(KEY, b, (6,)), (2.5,)),
        (lambda s: random.rayleigh(KEY, s, (6,)), (2.0,)),
        (lambda a, c, b: random.triangular(KEY, a, c, b, (6,)), (-1.0, 0.5, 2.0)),
        (lambda a, s: random.double_sided_maxwell(KEY, a, s, (6,)), (-1.0, 0.5)),
        (lambda s, c: random.weibull_min(KEY, s, c, (6,)), (2.0, 1.5)),
        (lambda m: random.wald(KEY, m, (6,)), (1.5,)),
        (
            lambda m, c: random.multivariate_normal(KEY, m, (c + c.T) / 2, (4,)),
            (np.ones(3), COV),
        ),
    ],
)
def test_along_the_path(draw, parameters):
    check_grads(draw, tuple(map(np.asarray, parameters)), order=2, rtol=1e-4, atol=1e-6)


def test_along_the_path_between_limits():
    draw = lambda a, b: random.truncated_normal(KEY, a, b, (6,))  # noqa: E731
    check_grads(draw, (np.float64(-1), np.float64(2)), order=1, rtol=1e-4)
    scale = fnx.grad(lambda s: (s * random.normal(KEY, (6,))).sum())(1.0)
    np.testing.assert_allclose(scale, np.sum(random.normal(KEY, (6,))), rtol=1e-12)


def quantile_path(distribution, parameter, x, scale=1.0):
    """Derivatives of the number whose distribution function keeps its value, by differences."""
    level = distribution(parameter).cdf(x)
    upper = distribution(parameter).sf(x)

    def at(shift):
        moved = distribution(parameter + shift)
        return np.where(level < 0.5, moved.ppf(level), moved.isf(upper))

    h = 2e-3 * parameter
    first = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
    second = (-at(2 * h) + 16 * at(h) - 30 * at(0) + 16 * at(-h) - at(-2 * h)) / (12 * h * h)
    return first, second


@pytest.mark.parametrize("a", [0.3, 0.9, 1.0, 2.5, 40.0])
def test_gamma_keeps_the_value_of_its_distribution_function(a):
    draw = lambda a: random.gamma(KEY, a, (20,))  # noqa: E731
    x = np.asarray(draw(a))
    first, second = quantile_path(stats.gamma, a, x)
    np.testing.assert_allclose(fnx.jvp(draw, (a,), (1.0,))[1], first, rtol=1e-7)
    np.testing.assert_allclose(fnx.jacobian(draw)(a), first, rtol=1e-7)
    np.testing.assert_allclose(fnx.jacfwd(fnx.jacrev(draw))(a), second, rtol=2e-3, atol=1e-6)
    np.testing.assert_allclose(fnx.jit(fnx.jacrev(draw))(a), first, rtol=1e-7)
    logs = fnx.jacobian(lambda a: random.loggamma(KEY, a, (20,)))(a)
    np.testing.assert_allclose(logs, first / x, rtol=1e-7)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_logarithms_of_numbers_that_underflow(dtype):
    a = jnp.asarray(1e-4, dtype)
    draw = lambda a: random.loggamma(KEY, a, (20,), dtype)  # noqa: E731
    logs = np.asarray(draw(a), np.float64)
    assert (logs < -1000).any()
    # log x = (log F + lgamma(a + 1)) / a there, for every F that stays
    slope = (-0.5772156649015329 + 1e-4 * np.pi**2 / 6 - logs) / 1e-4
    tiny = logs < -1000
    np.testing.assert_allclose(np.asarray(fnx.jacobian(draw)(a))[tiny], slope[tiny], rtol=1e-5)


@pytest.mark.parametrize(
    ("draw", "distribution", "parameter"),
    [
        (lambda v: random.chisquare(KEY, v, (20,)), stats.chi2, 3.0),
        (lambda p: abs(random.generalized_normal(KEY, p, (20,))), stats.halfgennorm, 1.5),
    ],
)
def test_what_is_one_gamma_number(draw, distribution, parameter):
    first, _ = quantile_path(distribution, parameter, np.asarray(draw(parameter)))
    np.testing.assert_allclose(fnx.jacobian(draw)(parameter), first, rtol=1e-6)


def test_what_is_made_of_several_has_the_derivative_of_its_mean():
    # E[x] of beta is a / (a + b); of t squared v / (v - 2); of F d / (d - 2); of Dirichlet a / sum
    n = (40_000,)
    a, b = 2.0, 3.0
    by_a, by_b = fnx.grad(lambda a, b: random.beta(KEY, a, b, n).mean(), (0, 1))(a, b)
    np.testing.assert_allclose([by_a, by_b], [b / (a + b) ** 2, -a / (a + b) ** 2], rtol=0.02)
    by_df = fnx.grad(lambda v: (random.t(KEY, v, n) ** 2).mean())(12.0)
    np.testing.assert_allclose(by_df, -2 / 10.0**2, rtol=0.05)
    by_den = fnx.grad(lambda d: random.f(KEY, 5.0, d, n).mean())(14.0)
    np.testing.assert_allclose(by_den, -2 / 12.0**2, rtol=0.1)
    alpha = np.array([0.5, 1.0, 2.0])
    slopes = fnx.jacobian(lambda a: random.dirichlet(KEY, a, n).mean(0))(alpha)
    total = alpha.sum()
    np.testing.assert_allclose(slopes, np.eye(3) / total - alpha[:, None] / total**2, atol=2e-3)


def test_derivatives_of_draws_that_are_mapped():
    keys, a = random.split(KEY, 3), np.array([0.5, 1.5, 4.0])
    slope = lambda k, a: fnx.grad(random.gamma, 1)(k, a)  # noqa: E731
    expected = [slope(k, v) for k, v in zip(keys, a, strict=True)]
    np.testing.assert_allclose(fnx.jit(fnx.vmap(slope))(keys, a), expected, rtol=1e-12)
    one = fnx.vmap(slope, in_axes=(None, 0))(KEY, a)
    np.testing.assert_allclose(one, [slope(KEY, v) for v in a], rtol=1e-12)
