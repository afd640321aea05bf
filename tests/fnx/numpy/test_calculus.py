"""Differences and sums along an axis: against NumPy, under jit and vmap, derivatives."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx.test_util import check_grads
from tests.support.numpy_tables import assert_mapped, assert_same_as_numpy

X = np.array([0.5, 1.5, 4.0, 4.25, 7.0])
Y = np.array([[1.0, 4.0, 2.0, 8.0, 5.0], [0.0, -3.0, 6.0, 6.5, 2.0], [7.0, 1.0, 1.0, 2.0, 9.0]])


@pytest.mark.parametrize(
    ("args", "options"),
    [
        ([Y], {}),
        ([Y], {"axis": 0, "n": 2}),
        ([Y], {"n": 0}),
        ([Y], {"n": 9}),
        ([Y], {"axis": -2, "prepend": 0.0}),
        ([Y], {"append": Y[:, :2], "prepend": 1.5}),
        ([np.array([True, False, False, True])], {}),
        ([np.array([3, 1, 4], np.int8)], {}),
        ([np.array([1 + 2j, 3])], {}),
        ([np.zeros(0)], {}),
    ],
)
def test_diff(args, options):
    assert_same_as_numpy("diff", args, options)


def test_ediff1d():
    assert_same_as_numpy("ediff1d", [Y])
    assert_same_as_numpy("ediff1d", [X], {"to_begin": X[:2], "to_end": 9.0})
    assert_same_as_numpy("ediff1d", [np.zeros(0)])


@pytest.mark.parametrize(
    ("args", "options"),
    [
        ([Y], {}),
        ([Y], {"axis": 0, "dx": 0.5}),
        ([Y, X], {}),
        ([Y, Y * 2], {"axis": 0}),
        ([Y.T, X], {"axis": 0}),
        ([np.array([1, 2, 4])], {}),
        ([np.zeros(0)], {}),
    ],
)
def test_trapezoid(args, options):
    assert_same_as_numpy("trapezoid", args, options)


@pytest.mark.parametrize("name", ["cumulative_sum", "cumulative_prod"])
def test_cumulative(name):
    assert_same_as_numpy(name, [X])
    assert_same_as_numpy(name, [np.arange(1, 5, dtype=np.int32)], {"dtype": np.int64})
    assert_same_as_numpy(name, [np.arange(1, 5, dtype=np.int8)], {"include_initial": True})
    assert_same_as_numpy(name, [np.arange(1, 5, dtype=np.uint8)])
    assert_same_as_numpy(name, [Y], {"axis": -2, "include_initial": True})
    with pytest.raises(ValueError, match=f"{name}: axis must be given"):
        getattr(jnp, name)(jnp.asarray(Y))
    with pytest.raises(ValueError, match=f"{name}: the operand has no axis"):
        getattr(jnp, name)(1.0)


@pytest.mark.parametrize(
    ("args", "options"),
    [
        ([X], {}),
        ([X[:2]], {}),
        ([Y], {}),
        ([Y], {"axis": -1}),
        ([Y, 2.0, 0.5], {}),
        ([Y, 3.0], {"axis": (1, 0)}),
        ([Y, X], {"axis": 1}),
        ([Y, np.array([0.0, 1.0, 5.0]), X], {}),
    ],
)
def test_gradient(args, options):
    assert_same_as_numpy("gradient", args, options)


def test_errors_name_the_argument():
    with pytest.raises(ValueError, match="diff: n must not be negative"):
        jnp.diff(jnp.asarray(X), n=-1)
    with pytest.raises(ValueError, match="diff: the operand has no axis"):
        jnp.diff(1.0)
    with pytest.raises(ValueError, match="has 1 elements"):
        jnp.gradient(jnp.ones(1))
    with pytest.raises(ValueError, match="don't fit axis 0"):
        jnp.gradient(jnp.asarray(X), jnp.ones(3))
    with pytest.raises(TypeError, match="3 spacings were given for 2 axes"):
        jnp.gradient(jnp.asarray(Y), 1.0, 2.0, 3.0)
    with pytest.raises(NotImplementedError, match="edge_order must be 1"):
        jnp.gradient(jnp.asarray(X), edge_order=2)


@pytest.mark.parametrize("name", ["diff", "gradient", "trapezoid", "ediff1d"])
def test_derivatives(name):
    with fnx.enable_x64(True):
        function = getattr(jnp, name)
        check_grads(function, (jnp.asarray(Y),), order=2)
        if name in ("gradient", "trapezoid"):
            check_grads(function, (jnp.asarray(X) ** 2, jnp.asarray(X)), order=2)


@pytest.mark.parametrize("name", ["diff", "gradient", "trapezoid", "ediff1d"])
def test_mapped(name):
    assert_mapped(name, [Y])


def test_mapped_over_points():
    assert_mapped("trapezoid", [Y[0], X])
    assert_mapped("gradient", [Y[0], X])
