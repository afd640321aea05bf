"""Draws: JAX's bits and floats, distributions by SciPy's tests, derivatives, errors."""

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
from fnx.test_util import check_grads
from tests.support.random_cases import DRAWS, drawn

STORED = json.loads((Path(__file__).parents[1] / "data" / "jax_random.json").read_text())
EXPRESSIONS = [e.strip() for e in DRAWS.replace("\n", ";").split(";") if e.strip()]
KEY = random.key(2024)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_draws_are_those_of_jax(expression):
    entry = STORED[expression]
    wide = any(word in expression for word in ("64", "2**3", "2**4"))
    with fnx.enable_x64(True if wide else None):
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
    np.testing.assert_allclose(got, expected, rtol=4 * eps, atol=4 * eps)


@pytest.mark.parametrize(
    ("draw", "cdf"),
    [
        (lambda k, n: random.uniform(k, n, minval=-1.0, maxval=3.0), stats.uniform(-1, 4).cdf),
        (random.normal, stats.norm.cdf),
        (random.exponential, stats.expon.cdf),
        (random.gumbel, stats.gumbel_r.cdf),
        (lambda k, n: random.gumbel(k, n, mode="high"), stats.gumbel_r.cdf),
        (random.laplace, stats.laplace.cdf),
        (random.logistic, stats.logistic.cdf),
        (lambda k, n: random.truncated_normal(k, -0.5, 2.0, n), stats.truncnorm(-0.5, 2).cdf),
        (lambda k, n: random.normal(k, n, np.complex64).real * 2**0.5, stats.norm.cdf),
    ],
)
def test_continuous_distributions(draw, cdf):
    assert stats.kstest(np.asarray(draw(KEY, (20_000,)), np.float64), cdf).pvalue > 0.01


@pytest.mark.parametrize(
    ("draw", "chances"),
    [
        (lambda k, n: random.randint(k, n, 0, 5), np.full(5, 0.2)),
        (lambda k, n: random.bernoulli(k, 0.3, n), [0.7, 0.3]),
        (lambda k, n: random.bernoulli(k, 0.3, n, mode="high"), [0.7, 0.3]),
        (lambda k, n: random.rademacher(k, n) > 0, [0.5, 0.5]),
        (lambda k, n: random.categorical(k, np.log([0.2, 0.5, 0.3]), shape=n), [0.2, 0.5, 0.3]),
        (lambda k, n: random.choice(k, 3, n, p=np.array([0.2, 0.5, 0.3])), [0.2, 0.5, 0.3]),
        (lambda k, n: random.choice(k, 4, n), np.full(4, 0.25)),
    ],
)
def test_discrete_distributions(draw, chances):
    counts = np.bincount(np.asarray(draw(KEY, (10_000,))).astype(int), minlength=len(chances))
    assert stats.chisquare(counts, 10_000 * np.asarray(chances)).pvalue > 0.01


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


def test_derivatives_in_the_parameters():
    with fnx.enable_x64(True):
        check_grads(
            lambda a, b: random.uniform(KEY, (6,), "float64", a, b),
            (np.float64(-1), np.float64(2)), order=1,
        )  # fmt: skip
        check_grads(
            lambda a, b: random.truncated_normal(KEY, a, b, (6,), "float64"),
            (np.float64(-1), np.float64(2)), order=1, rtol=1e-4,
        )  # fmt: skip
    scale = fnx.grad(lambda s: (s * random.normal(KEY, (6,))).sum())(1.0)
    np.testing.assert_allclose(scale, np.sum(random.normal(KEY, (6,))), rtol=1e-6)


@pytest.mark.parametrize(
    "draw",
    [
        random.normal, random.uniform, random.bits, random.exponential, random.gumbel,
        lambda k, n: random.randint(k, n, -3, 9), lambda k, n: random.bernoulli(k, 0.4, n),
        lambda k, n: random.truncated_normal(k, -1.0, 1.0, n),
        lambda k, n: random.permutation(k, jnp.arange(n[0])),
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
        (lambda: random.randint(KEY, (2,), 0, 1.5), TypeError, "randint: limits must be integers"),
        (lambda: random.randint(KEY, (2,), 0, 5, "float32"), TypeError, "must be an integer"),
        (lambda: random.bits(KEY, (2,), "int32"), ValueError, "unsigned"),
        (lambda: random.bernoulli(KEY, np.ones(3), (2,)), ValueError, "bernoulli: the parameter"),
        (lambda: random.bernoulli(KEY, 0.5, mode="best"), ValueError, "mode must be one of"),
        (lambda: random.normal(KEY, (2,), scale=3), TypeError, "normal: scale can't be given"),
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
