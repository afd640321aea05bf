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
        (lambda k: initializers.variance_scaling(1, "fan_in", "cauchy")(k, (3, 4)), "'cauchy'"),
    ],
)
def test_errors(call, words):
    with pytest.raises(ValueError, match=words):
        call(random.key(0))
