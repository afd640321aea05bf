"""Activations and normalizations: JAX's values and derivatives, at extreme points too."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import nn
from fnx.test_util import check_grads
from tests.support.nn_cases import ACTIVATIONS, NORMALIZATIONS, POINTS, TABLE

STORED = json.loads((Path(__file__).parents[1] / "data" / "jax_nn.json").read_text())
NAMES = {name: getattr(nn, name) for name in nn.__all__} | {"abs": jnp.abs}


def expressions(text):
    return [e.strip() for e in text.replace("\n", ";").split(";") if e.strip()]


def stored(text, number, shape=None):
    elements = np.array([float(v) for v in STORED[text][number]])
    return elements if shape is None else elements.reshape(shape)


@pytest.mark.parametrize("text", expressions(ACTIVATIONS))
def test_activations(text):
    def function(x):
        return eval(text, NAMES | {"x": x})

    np.testing.assert_allclose(function(POINTS), stored(text, 0), rtol=1e-13, atol=1e-300)
    slopes = fnx.vmap(fnx.grad(function))(POINTS)
    np.testing.assert_allclose(slopes, stored(text, 1), rtol=1e-12, atol=1e-15)
    compiled = fnx.jit(fnx.vmap(fnx.value_and_grad(function)))(POINTS)
    np.testing.assert_allclose(compiled[0], stored(text, 0), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(compiled[1], stored(text, 1), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("text", expressions(ACTIVATIONS))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_no_finite_number_has_a_derivative_that_is_nan(text, dtype):
    largest = np.finfo(dtype).max
    x = np.array([*POINTS[np.isfinite(POINTS)], largest, -largest], dtype)
    slopes = fnx.vmap(fnx.grad(lambda x: eval(text, NAMES | {"x": x})))(x)
    assert slopes.dtype == dtype and np.isfinite(np.asarray(slopes)).all()


@pytest.mark.parametrize("text", expressions(ACTIVATIONS))
def test_differences(text):
    x = np.array([-2.2, -0.7, 0.4, 1.3])
    check_grads(lambda x: eval(text, NAMES | {"x": x}), (x,), order=2, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("text", expressions(NORMALIZATIONS))
def test_normalizations(text):
    def function(t):
        return eval(text, NAMES | {"t": t})

    def weighted(t):
        y = function(t)
        y = jnp.where(jnp.isfinite(y), y, 0.0)
        return (y * np.cos(np.arange(y.size)).reshape(y.shape)).sum()

    for transform in (lambda f: f, fnx.jit):
        found = transform(function)(TABLE)
        np.testing.assert_allclose(np.ravel(found), stored(text, 0), rtol=1e-13)
        slopes = transform(fnx.grad(weighted))(TABLE)
        np.testing.assert_allclose(slopes, stored(text, 1, TABLE.shape), rtol=1e-11, atol=1e-14)


def test_sums_of_exponentials():
    huge = np.array([1000.0, 999.0, -np.inf])
    np.testing.assert_allclose(nn.logsumexp(huge), 1000 + np.log1p(np.exp(-1)), rtol=1e-15)
    assert nn.logsumexp(np.full(3, -np.inf)) == -np.inf and nn.logsumexp(np.zeros(0)) == -np.inf
    assert nn.logsumexp(np.array([np.inf, 1.0])) == np.inf
    value, sign = nn.logsumexp(np.array([1.0, 2.0]), b=np.array([1.0, -1.0]), return_sign=True)
    np.testing.assert_allclose(sign * np.exp(value), np.exp(1) - np.exp(2), rtol=1e-14)
    np.testing.assert_allclose(nn.softmax(np.array([-1e30, 0.0, 1e30])), [0, 0, 1])
    assert np.isfinite(fnx.grad(lambda x: nn.log_softmax(x)[1])(np.array([1e30, 0.0]))).all()


def test_one_hot():
    labels = np.array([[0, 2], [3, -1]])
    expected = (labels[..., None] == np.arange(3)).astype(np.float32)
    found = nn.one_hot(labels, 3)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(nn.one_hot(labels, 3, axis=0), np.moveaxis(expected, -1, 0))
    assert nn.one_hot(labels, 3, dtype=bool).dtype == bool and nn.one_hot(1, 0).shape == (0,)


@pytest.mark.parametrize("name", ["relu", "sigmoid", "gelu", "softplus", "elu", "tanh", "silu"])
def test_dtypes(name):
    function = getattr(nn, name)
    for dtype in (jnp.bfloat16, jnp.float16, jnp.float32, jnp.float64):
        assert function(jnp.ones(2, dtype)).dtype == dtype
    assert function(1.0).weak_type
    assert function(jnp.ones(2, int)).dtype == (np.int32 if name == "relu" else np.float32)


def test_errors():
    with pytest.raises(ValueError, match="can't be cut into 2 equal parts"):
        nn.glu(np.ones(3))
    with pytest.raises(ValueError, match="axis 1"):
        nn.softmax(np.ones(3), axis=1)
    with pytest.raises(TypeError, match="sigmoid: argument 0 is str"):
        nn.sigmoid("a")
