"""Draws: JAX's bits and floats, distributions by SciPy's tests, errors."""

from __future__ import annotations

import json
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from scipy import stats

import fnx
import fnx.numpy as jnp
from fnx import random
from tests.support.random_cases import DRAWS, SHAPED, drawn, expressions, wide

STORED = json.loads((Path(__file__).parents[1] / "data" / "jax_random.json").read_text())
KEY = random.key(2024)


@pytest.mark.parametrize("expression", expressions(DRAWS + SHAPED))
def test_draws_are_those_of_jax(expression):
    entry = STORED[expression]
    with fnx.enable_x64(True if wide(expression) else None):
        found = np.asarray(drawn(random, expression))
    assert found.dtype.name == entry["dtype"] and list(found.shape) == entry["shape"]
    if found.dtype.kind not in "fcV":
        np.testing.assert_array_equal(found.ravel(), np.array(entry["words"], found.dtype))
        return
    width = found.dtype.itemsize // (2 if found.dtype.kind == "c" else 1)
    part = {2: found.dtype, 4: np.dtype(np.float32), 8: np.dtype(np.float64)}[width]
    expected = np.array(entry["words"], f"u{width}").view(part).astype(np.float64)
    got = np.ascontiguousarray(found).reshape(-1).view(part).astype(np.float64)
    eps = float(ml_dtypes.finfo(part).eps)
    # Differences in the last digit of a normal number grow where it is cubed, or divided by.
    digits = 4 if expression in expressions(DRAWS) else 64
    np.testing.assert_allclose(got, expected, rtol=digits * eps, atol=4 * eps)


CONTINUOUS = [
    (lambda k, n: random.uniform(k, n, minval=-1.0, maxval=3.0), stats.uniform(-1, 4)),
    (random.normal, stats.norm),
    (random.exponential, stats.expon),
    (random.gumbel, stats.gumbel_r),
    (lambda k, n: random.gumbel(k, n, mode="high"), stats.gumbel_r),
    (random.laplace, stats.laplace),
    (random.logistic, stats.logistic),
    (lambda k, n: random.truncated_normal(k, -0.5, 2.0, n), stats.truncnorm(-0.5, 2)),
    (lambda k, n: random.normal(k, n, np.complex128).real * 2**0.5, stats.norm),
    (random.cauchy, stats.cauchy),
    (lambda k, n: random.lognormal(k, 0.7, n), stats.lognorm(0.7)),
    (lambda k, n: random.pareto(k, 2.5, n), stats.pareto(2.5)),
    (lambda k, n: random.rayleigh(k, 3.0, n), stats.rayleigh(scale=3.0)),
    (lambda k, n: random.wald(k, 1.7, n), stats.invgauss(1.7)),
    (lambda k, n: random.triangular(k, -1.0, 0.5, 2.0, n), stats.triang(0.5, -1.0, 3.0)),
    (random.maxwell, stats.maxwell),
    (lambda k, n: abs(random.double_sided_maxwell(k, 1.0, 2.0, n) - 1) / 2, stats.maxwell),
    (lambda k, n: random.weibull_min(k, 2.0, 1.5, n), stats.weibull_min(1.5, scale=2.0)),
    (lambda k, n: random.gamma(k, 3.3, n), stats.gamma(3.3)),
    (lambda k, n: random.gamma(k, 0.4, n), stats.gamma(0.4)),
    (lambda k, n: random.loggamma(k, 0.4, n), stats.loggamma(0.4)),
    (lambda k, n: random.beta(k, 0.7, 2.0, n), stats.beta(0.7, 2.0)),
    (lambda k, n: random.t(k, 3.0, n), stats.t(3.0)),
    (lambda k, n: random.chisquare(k, 5.0, n), stats.chi2(5.0)),
    (lambda k, n: random.f(k, 4.0, 7.0, n), stats.f(4.0, 7.0)),
    (lambda k, n: random.generalized_normal(k, 1.3, n), stats.gennorm(1.3)),
    (lambda k, n: random.dirichlet(k, np.array([0.5, 1.0, 2.0]), n)[:, 0], stats.beta(0.5, 3.0)),
    # a part of an even point of the 3-ball, and its distance from the centre
    (lambda k, n: random.ball(k, 3, shape=n)[:, 1] / 2 + 0.5, stats.beta(2, 2)),
    (lambda k, n: jnp.linalg.norm(random.ball(k, 3, shape=n), axis=-1) ** 3, stats.uniform),
    # a part of an even point of the 2-sphere
    (lambda k, n: random.orthogonal(k, 3, n)[:, 2, 1], stats.uniform(-1, 2)),
]


@pytest.mark.parametrize(("draw", "distribution"), CONTINUOUS)
def test_continuous_distributions(draw, distribution):
    with fnx.enable_x64(True):
        drawn = np.asarray(draw(KEY, (8_000,)))
    assert drawn.dtype == np.float64
    assert stats.kstest(drawn, distribution.cdf).pvalue > 0.01


DISCRETE = [
    (lambda k, n: random.randint(k, n, 0, 5), stats.randint(0, 5)),
    (lambda k, n: random.bernoulli(k, 0.3, n), stats.bernoulli(0.3)),
    (lambda k, n: random.bernoulli(k, 0.3, n, mode="high"), stats.bernoulli(0.3)),
    (lambda k, n: random.rademacher(k, n) > 0, stats.bernoulli(0.5)),
    (lambda k, n: random.choice(k, 4, n), stats.randint(0, 4)),
    (lambda k, n: random.categorical(k, np.log([0.2, 0.5, 0.3]), shape=n), [0.2, 0.5, 0.3]),
    (lambda k, n: random.choice(k, 3, n, p=np.array([0.2, 0.5, 0.3])), [0.2, 0.5, 0.3]),
    (lambda k, n: random.geometric(k, 0.3, n), stats.geom(0.3)),
    (lambda k, n: random.poisson(k, 2.5, n), stats.poisson(2.5)),
    (lambda k, n: random.poisson(k, 30.0, n), stats.poisson(30.0)),
    (lambda k, n: random.binomial(k, 12, 0.3, n), stats.binom(12, 0.3)),
    (lambda k, n: random.binomial(k, 90, 0.7, n), stats.binom(90, 0.7)),
    (lambda k, n: random.binomial(k, 200, 0.4, n), stats.binom(200, 0.4)),
    (
        lambda k, n: random.multinomial(k, 20, np.array([0.2, 0.5, 0.3]), shape=(*n, 3))[:, 1],
        stats.binom(20, 0.5),
    ),
]


@pytest.mark.parametrize(("draw", "distribution"), DISCRETE)
def test_discrete_distributions(draw, distribution):
    count = 8_000
    with fnx.enable_x64(True):
        drawn = np.asarray(draw(KEY, (count,))).astype(int)
    if isinstance(distribution, list):
        distribution = stats.rv_discrete(values=(range(len(distribution)), distribution))
    # The values that are expected at least five times each; the others together.
    values = np.arange(drawn.max() + 2)
    expected = count * distribution.pmf(values)
    common = expected >= 5
    found = np.bincount(drawn, minlength=len(values))[common]
    found = np.append(found, count - found.sum())
    expected = np.append(expected[common], count - expected[common].sum())
    kept = expected > 1e-6 * count
    assert found[~kept].sum() == 0
    assert stats.chisquare(found[kept], expected[kept]).pvalue > 0.01


def test_means_and_covariances_of_vectors():
    mean, root = np.array([1.0, -2.0, 0.5]), np.array([[2.0, 0, 0], [0.5, 1, 0], [-0.3, 0.4, 0.7]])
    cov = root @ root.T
    with fnx.enable_x64(True):
        for method in ("cholesky", "eigh", "svd"):
            draws = random.multivariate_normal(KEY, mean, cov, (20_000,), method=method)
            whitened = np.linalg.solve(root, (np.asarray(draws) - mean).T)
            np.testing.assert_allclose(whitened @ whitened.T / 20_000, np.eye(3), atol=0.03)
            assert stats.kstest(whitened[2], stats.norm.cdf).pvalue > 0.01
        flat = random.multivariate_normal(KEY, mean[:2], np.ones((2, 2)), (5,), method="eigh")
        np.testing.assert_allclose(flat[:, 0] - flat[:, 1], np.full(5, 3.0), atol=1e-7)


def test_orthogonal_matrices():
    for shape, m in (((2, 4, 4), None), ((2, 4, 2), 2), ((2, 2, 3), 3)):
        q = np.asarray(random.orthogonal(KEY, shape[1], shape[:1], "complex64", m))
        assert q.shape == shape
        inner = min(shape[1:])
        product = (
            q.conj().swapaxes(1, 2) @ q if shape[1] > shape[2] else q @ q.conj().swapaxes(1, 2)
        )
        np.testing.assert_allclose(product, np.tile(np.eye(inner), (2, 1, 1)), atol=1e-6)


def test_counts_add_up_and_edges_are_exact():
    counts = random.multinomial(KEY, np.float32([[10], [1000]]), np.float32([0.2, 0.0, 0.8]),
                                shape=(2, 5, 3))  # fmt: skip
    np.testing.assert_array_equal(counts.sum(-1), [[10] * 5, [1000] * 5])
    assert not counts[..., 1].any()
    assert random.binomial(KEY, 7, np.float32([0.0, 1.0])).tolist() == [0.0, 7.0]
    assert random.poisson(KEY, np.float32([0.0, np.inf, np.nan])).tolist() == [0, -1, -1]
    assert random.geometric(KEY, 1.0).item() == 1
    assert not random.gamma(KEY, np.float32([0.0])).any()
    tiny = random.loggamma(KEY, 1e-5, (50,))
    assert bool((tiny < -1000).any()) and bool(jnp.isfinite(tiny).all())
    assert bool(jnp.isfinite(random.beta(KEY, 1e-4, 1e-4, (50,))).all())


def test_without_replacement_nothing_comes_twice():
    for expression in ("choice(k, 9, (9,), False)", "permutation(k, 9)"):
        assert sorted(drawn(random, expression).tolist()) == list(range(9))
    classes = random.categorical(KEY, jnp.zeros((5, 7)), shape=(7, 5), replace=False)
    np.testing.assert_array_equal(
        np.sort(classes, axis=0), np.arange(7)[:, None] + np.zeros(5, int)
    )


def test_every_row_is_shuffled_by_itself():
    x = np.tile(np.arange(20), (50, 1))
    rows = np.asarray(random.permutation(KEY, x, axis=1, independent=True))
    assert (np.sort(rows, axis=1) == x).all() and len(np.unique(rows, axis=0)) == 50
    together = np.asarray(random.permutation(KEY, x, axis=1))
    assert len(np.unique(together, axis=0)) == 1


def test_limits_are_kept():
    near = random.truncated_normal(KEY, -1e-6, 1e-6, (5000,))
    assert float(jnp.abs(near).max()) < 1e-6
    assert set(random.uniform(KEY, (50,), minval=1.0, maxval=1.0).tolist()) == {1.0}
    assert bool(jnp.isfinite(random.gumbel(KEY, (50_000,))).all())


@pytest.mark.parametrize(
    "draw",
    [
        random.normal, random.uniform, random.bits, random.exponential, random.gumbel,
        lambda k, n: random.randint(k, n, -3, 9), lambda k, n: random.bernoulli(k, 0.4, n),
        lambda k, n: random.truncated_normal(k, -1.0, 1.0, n),
        lambda k, n: random.permutation(k, jnp.arange(n[0])),
        lambda k, n: random.gamma(k, 0.7, n), lambda k, n: random.beta(k, 2.0, 3.0, n),
        lambda k, n: random.poisson(k, 20.0, n), lambda k, n: random.binomial(k, 30.0, 0.4, n),
        lambda k, n: random.multinomial(k, 30.0, jnp.ones(3) / 3, shape=(n[0], 3)),
        lambda k, n: random.multivariate_normal(k, jnp.zeros(2), jnp.eye(2), n),
    ],
)  # fmt: skip
def test_compiled_and_mapped(draw):
    keys = random.split(random.PRNGKey(5), 3)
    found = fnx.jit(fnx.vmap(lambda k: draw(k, (5,))))(keys)
    expected = [draw(k, (5,)) for k in keys]
    np.testing.assert_allclose(np.asarray(found), np.stack(expected), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: random.uniform(KEY, (2,), "int32"), ValueError, "uniform: dtype must be a float"),
        (lambda: random.uniform(KEY, (2,), minval=np.ones(3)), ValueError, "broadcast to shape"),
        (lambda: random.randint(KEY, (2,), 0, 1.5), TypeError, "minval and maxval must be int"),
        (lambda: random.randint(KEY, (2,), 0, 5, "float32"), TypeError, "must be an integer"),
        (lambda: random.bits(KEY, (2,), "int32"), ValueError, "unsigned"),
        (lambda: random.bernoulli(KEY, np.ones(3), (2,)), ValueError, "bernoulli: the parameter"),
        (lambda: random.bernoulli(KEY, 0.5, mode="best"), ValueError, "mode must be one of"),
        (lambda: random.normal(KEY, (2,), out_sharding="x"), TypeError, "There is one device"),
        (lambda: random.pareto(KEY, np.ones(3), (2,)), ValueError, "pareto: the parameter b, "),
        (lambda: random.beta(KEY, 1.0, np.ones(3), (2,)), ValueError, "beta: the parameter b, "),
        (lambda: random.gamma(KEY, np.float64(2), dtype="float32"), TypeError, "dtype='float64'"),
        (lambda: random.gamma(KEY, 2j), TypeError, "gamma: the parameter a, .*without loss"),
        (lambda: random.gamma(KEY, "2"), TypeError, "gamma: .*a"),
        (lambda: random.t(KEY, 2.0, dtype="int32"), ValueError, "t: dtype must be a float, got"),
        (lambda: random.lognormal(KEY, dtype="int8"), ValueError, "a float or complex dtype"),
        (lambda: random.geometric(KEY, 0.5, dtype="float32"), ValueError, "must be an integer"),
        (lambda: random.poisson(KEY, np.ones(3), (2,)), ValueError, "poisson: the parameter lam"),
        (lambda: random.binomial(KEY, np.ones(3), 1.0, (2,)), ValueError, "the parameter n, "),
        (lambda: random.multinomial(KEY, np.ones(3), np.ones(2)), ValueError, "the parameter n, "),
        (lambda: random.dirichlet(KEY, 1.0), ValueError, "dirichlet: alpha must be a vector"),
        (lambda: random.ball(KEY, 2, np.ones(2)), ValueError, "ball: p must be a scalar"),
        (lambda: random.ball(KEY, -1), ValueError, "ball: d must not be negative"),
        (lambda: random.orthogonal(KEY, -1), ValueError, "orthogonal: n and m must not be neg"),
        (
            lambda: random.multivariate_normal(KEY, np.ones(2), np.ones((3, 3))),
            ValueError, r"cov must have shape \(..., 2, 2\)",
        ),
        (lambda: random.multivariate_normal(KEY, 1.0, np.eye(1)), ValueError, "mean must be a vec"),
        (
            lambda: random.multivariate_normal(KEY, np.ones(1), np.eye(1), method="lu"),
            ValueError, "method must be one of",
        ),
        (
            lambda: random.multivariate_normal(KEY, np.ones((3, 1)), np.eye(1), (2,)),
            ValueError, r"parameter mean, .*doesn't broadcast to shape \(2, 1\)",
        ),
        (
            lambda: random.random_gamma_p(np.zeros((2, 2), np.uint32), np.ones(3), log_space=True),
            ValueError, r"must begin with that of the keys, \(2,\)",
        ),
        (
            lambda: random.random_gamma_p(np.zeros(3, np.uint32), np.ones(3), log_space=True),
            TypeError, "random_gamma: expected keys",
        ),
        (
            lambda: random.random_gamma_p(np.zeros(2, np.uint32), np.ones(3, int), log_space=True),
            TypeError, "random_gamma: a must be of a float",
        ),
        (lambda: random.normal(KEY, (-2,)), ValueError, "must not be negative"),
        (lambda: random.choice(KEY, 3, (4,), replace=False), ValueError, "4 different .* from 3"),
        (lambda: random.choice(KEY, 0), ValueError, "nothing to draw"),
        (lambda: random.choice(KEY, 3, p=np.ones(2)), ValueError, r"p must have shape \(3,\)"),
        (lambda: random.categorical(KEY, np.ones((2, 3)), axis=2), ValueError, "axis 2"),
        (lambda: random.categorical(KEY, np.ones((2, 3)), shape=(3,)), ValueError, "categorical"),
        (
            lambda: random.categorical(KEY, np.ones(2), shape=(3,), replace=False),
            ValueError, "3 different classes from 2",
        ),
        (lambda: random.permutation(KEY, np.arange(3), axis=1), ValueError, "axis 1"),
    ],
)  # fmt: skip
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()
