"""Functions of `lax` that place elements, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import fnx.numpy as jnp
from fnx import lax

X = np.arange(24.0).reshape(2, 3, 4)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (lambda: lax.broadcast(X, (5, 1)), np.broadcast_to(X, (5, 1, 2, 3, 4))),
        (lambda: lax.broadcast_like(X[:, :1], X), np.broadcast_to(X[:, :1], X.shape)),
        (lambda: lax.broadcast_like(np.float64(2), X), np.full_like(X, 2)),
        (lambda: lax.broadcast_to_rank(X, 5), X[None, None]),
        (lambda: lax.collapse(X, 0, 2), X.reshape(6, 4)),
        (lambda: lax.collapse(X, 1), X.reshape(2, 12)),
        (lambda: lax.collapse(X, -2, -1), X),
        (lambda: lax.collapse(X, 1, 1), X.reshape(2, 1, 3, 4)),
        (lambda: lax.empty((2, 0), np.float64), np.empty((2, 0))),
        (lambda: lax.full_like(X, 3), np.full_like(X, 3)),
        (lambda: lax.full_like(X, 3, np.int8, (2,)), np.full(2, 3, np.int8)),
        (lambda: lax.stack([X, -X], 1), np.stack([X, -X], 1)),
        (lambda: lax.stack([X, -X], -1), np.stack([X, -X], -1)),
        (lambda: lax.tile(X, (2, 1, 3)), np.tile(X, (2, 1, 3))),
        (lambda: lax.tile(X, (0, 1, 3)), np.tile(X, (0, 1, 3))),
        (lambda: lax.unstack(X, 1)[2], X[:, 2]),
    ],
)
def test_values(found, expected):
    out = found()
    assert out.dtype == expected.dtype
    np.testing.assert_array_equal(out, expected)


def test_shapes_without_arrays():
    assert lax.broadcast_shapes((2, 1), (3,), ()) == (2, 3)
    shape = lax.reduce_window_shape_tuple((9, 8), (3, 2), (2, 1), "SAME", (1, 2), (2, 1))
    windows = lax.reduce_window(
        jnp.zeros((9, 8)), 0.0, lax.add, (3, 2), (2, 1), "SAME", (1, 2), (2, 1)
    )
    assert shape == windows.shape


def test_sorting_values_by_keys(rng):
    keys, values = rng.integers(0, 4, (3, 7)), rng.uniform(size=(3, 7))
    order = np.argsort(keys, axis=1, kind="stable")
    found = lax.sort_key_val(keys, values)
    np.testing.assert_array_equal(found[0], np.take_along_axis(keys, order, 1))
    np.testing.assert_array_equal(found[1], np.take_along_axis(values, order, 1))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: lax.broadcast_shapes((2,), (3,)), "don't fit"),
        (lambda: lax.broadcast_to_rank(X, 2), "rank=2"),
        (lambda: lax.broadcast_like(X, X[0]), "can't be broadcast"),
        (lambda: lax.stack([X, X[0]]), "operand 1"),
        (lambda: lax.stack([]), "no operands"),
        (lambda: lax.tile(X, (2,)), "one entry per axis"),
        (lambda: lax.collapse(X, 2, 1), "not a range"),
    ],
)
def test_errors(call, words):
    with pytest.raises(ValueError, match=words):
        call()
