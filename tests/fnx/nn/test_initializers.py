"""Initializers: JAX's numbers for the same keys, their variances, errors."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import fnx
from fnx import random
from fnx.nn import initializers
from tests.support.nn_cases import INITIALIZERS, initial

STORED = json.loads((Path(__file__).parents[1] / "data" / "jax_nn.json").read_text())
EXPRESSIONS = [e.strip() for e in INITIALIZERS.replace("\n", ";").split(";") if e.strip()]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("text", EXPRESSIONS)
def test_numbers_are_those_of_jax(text, dtype):
    found = initial(initializers, random, text, dtype)
    assert found.dtype == dtype and found.shape == (3, 4, 5)
    expected = np.array(STORED[f"{text} {dtype}"]).reshape(3, 4, 5)
    # Uniform numbers are shifted: rounding is relative to the largest.
    atol = 4 * np.finfo(dtype).eps * np.abs(expected).max()
    np.testing.assert_allclose(np.asarray(found, np.float64), expected, atol=atol)


@pytest.mark.parametrize(
    ("name", "variance"),
    [
        ("glorot_normal", 2 / 500), ("glorot_uniform", 2 / 500), ("he_normal", 2 / 200),
        ("he_uniform", 2 / 200), ("lecun_normal", 1 / 200), ("lecun_uniform", 1 / 200),
    ],
)  # fmt: skip
def test_variances(name, variance):
    weights = np.asarray(getattr(initializers, name)()(random.key(0), (200, 300)))
    assert weights.dtype == np.float32
    np.testing.assert_allclose(weights.var(), variance, rtol=0.02)
    assert abs(weights.mean()) < 3 * (variance / weights.size) ** 0.5


@pytest.mark.parametrize("shape", [(4, 4), (2, 3, 5), (6, 2)])
def test_columns_or_rows_are_orthogonal(shape):
    weights = np.asarray(initializers.orthogonal(2.0)(random.key(0), shape, np.float64))
    matrix = weights.reshape(-1, shape[-1])
    small = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    np.testing.assert_allclose(small @ small.T, 4 * np.eye(len(small)), atol=1e-14)
    assert initializers.orthogonal()(random.key(0), shape).dtype == np.float32
    assert initializers.orthogonal()(random.key(0), (0, *shape)).shape == (0, *shape)


@pytest.mark.parametrize("space", [(3,), (4, 5), (1, 2, 3)])
def test_filters_keep_lengths(space):
    shape = (*space, 3, 4)
    weights = np.asarray(initializers.delta_orthogonal()(random.key(1), shape, np.float64))
    middle = weights[tuple((n - 1) // 2 for n in space)]
    np.testing.assert_allclose(middle @ middle.T, np.eye(3), atol=1e-14)
    np.testing.assert_allclose((weights**2).sum(), (middle**2).sum())


def test_they_can_be_compiled():
    init = initializers.he_normal()
    key = random.PRNGKey(1)
    np.testing.assert_allclose(
        fnx.jit(lambda k: init(k, (4, 3)))(key), init(key, (4, 3)), rtol=1e-6
    )


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda k: initializers.he_normal()(k, (3,)), r"at least two axes, got shape \(3,\)"),
        (lambda k: initializers.he_normal(in_axis=5)(k, (3, 4)), "axis 5 is out of bounds"),
        (lambda k: initializers.variance_scaling(1, "fan", "normal")(k, (3, 4)), "mode .*'fan'"),
        (lambda k: initializers.orthogonal()(k, (3,)), r"two axes, got shape \(3,\)"),
        (lambda k: initializers.delta_orthogonal()(k, (3, 3)), r"three to five .*\(3, 3\)"),
        (lambda k: initializers.delta_orthogonal()(k, (3, 4, 3)), r"as long .*\(3, 4, 3\)"),
        (lambda k: initializers.variance_scaling(1, "fan_in", "cauchy")(k, (3, 4)), "'cauchy'"),
    ],
)
def test_errors(call, words):
    with pytest.raises(ValueError, match=words):
        call(random.key(0))
