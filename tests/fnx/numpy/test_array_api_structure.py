"""Manipulation, indexing, searching, sorting and sets of the array API standard."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from tests.support.array_api_trials import (
    BOOL,
    COMPLEX,
    FLOAT,
    INTEGER,
    NUMERIC,
    REAL,
    SHAPES,
    assert_same,
    data,
    pairs,
)

ALL = BOOL + NUMERIC
BLOCK = data("float64", (2, 3, 4), "block")


def test_broadcast_arrays():
    for a, b in ((((), (3,))), ((3, 1), (1, 4)), ((2, 1, 3), (4, 1)), ((0, 1), (3,)), ((2,), (2,))):
        x, y = data("int8", a), data("float32", b)
        assert_same(lambda xp, x, y: list(xp.broadcast_arrays(x, y)), x, y, jit=False)
    with pytest.raises(ValueError, match="broadcast"):
        jnp.broadcast_arrays(jnp.ones(2), jnp.ones(3))


def test_broadcast_to():
    for shape, to in (
        ((), (2, 3)),
        ((3,), (2, 3)),
        ((2, 1), (4, 2, 5)),
        ((1,), (0,)),
        ((3,), (3,)),
    ):
        for dtype in ALL:
            assert_same(lambda xp, x, t=to: xp.broadcast_to(x, t), data(dtype, shape), jit=False)
            assert_same(
                lambda xp, x, t=to: xp.broadcast_to(x, shape=t), data(dtype, shape), jit=False
            )
    for shape, to in (((2,), (3,)), ((2, 3), (3,)), ((0,), (2,))):
        with pytest.raises(ValueError, match="broadcast"):
            jnp.broadcast_to(jnp.ones(shape), to)


@pytest.mark.parametrize("axis", [0, 1, -1, -2, None])
def test_concat(axis):
    x, y, z = (data("float64", s, s) for s in ((2, 3), (2, 3), (2, 3)))
    assert_same(lambda xp, *a: xp.concat(a, axis=axis), x, y, z)
    assert_same(lambda xp, *a: xp.concat(list(a[:1]), axis=axis), x)
    for a, b in pairs(BOOL, INTEGER, FLOAT + COMPLEX):
        assert_same(
            lambda xp, x, y: xp.concat((x, y), axis=axis), data(a, (2, 2)), data(b, (2, 2)),
            jit=False,
        )  # fmt: skip
    assert_same(lambda xp, x, y: xp.concat((x, y)), data("int8", (0, 2)), data("int8", (3, 2)))


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
def test_stack_and_unstack(axis):
    x, y = data("float32", (2, 3), 1), data("float32", (2, 3), 2)
    assert_same(lambda xp, *a: xp.stack(a, axis=axis), x, y)
    assert_same(lambda xp, x: xp.unstack(x, axis=axis), BLOCK)
    assert isinstance(jnp.unstack(jnp.asarray(BLOCK), axis=axis), tuple)
    for a, b in pairs(INTEGER, FLOAT + COMPLEX):
        assert_same(lambda xp, *a: xp.stack(a), data(a), data(b), jit=False)
    assert_same(lambda xp, x: xp.unstack(x), data("int8", (0, 2)), jit=False)
    with pytest.raises(ValueError, match="axis"):
        jnp.unstack(jnp.ones(2), axis=axis + 3 if axis >= 0 else axis - 3)


def test_expand_dims():
    for axis in (-4, -3, -1, 0, 1, 3):
        assert_same(lambda xp, x, a=axis: xp.expand_dims(x, axis=a), BLOCK, jit=False)
    for axis in (-5, 4, 9):
        with pytest.raises(IndexError, match="axis"):
            jnp.expand_dims(jnp.asarray(BLOCK), axis=axis)
    assert_same(lambda xp, x: xp.expand_dims(x, axis=0), data("bool", ()), jit=False)


def test_squeeze():
    x = data("int16", (1, 3, 1, 2, 1))
    for axis in (0, 2, -1, (0, 2), (-1, 0), ()):
        assert_same(lambda xp, x, a=axis: xp.squeeze(x, a), x, jit=False)
        assert_same(lambda xp, x, a=axis: xp.squeeze(x, axis=a), x, jit=False)
    for axis in (1, (0, 1)):
        with pytest.raises(ValueError, match="squeeze"):
            jnp.squeeze(jnp.asarray(x), axis)


@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 2), (-1, -3), ()])
def test_flip(axis):
    assert_same(lambda xp, x: xp.flip(x, axis=axis), BLOCK)
    assert_same(lambda xp, x: xp.flip(x), data("complex64", ()), jit=False)


def test_moveaxis_and_permute_dims():
    for source, destination in ((0, 2), (-1, 0), ((0, 1), (2, 0)), ((0, -1), (1, 0)), ((), ())):
        assert_same(lambda xp, x, s=source, d=destination: xp.moveaxis(x, s, d), BLOCK, jit=False)
    for axes in ((0, 1, 2), (2, 1, 0), (1, 2, 0), (-1, 0, 1)):
        assert_same(lambda xp, x, a=axes: xp.permute_dims(x, a), BLOCK, jit=False)
        assert_same(lambda xp, x, a=axes: xp.permute_dims(x, axes=a), BLOCK)
    assert_same(lambda xp, x: xp.permute_dims(x, ()), data("bool", ()), jit=False)


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_repeat(axis):
    x = data("float32", (2, 3))
    for repeats in (0, 1, 3):
        assert_same(lambda xp, x, r=repeats: xp.repeat(x, r, axis=axis), x)
    count = 6 if axis is None else x.shape[axis]
    for dtype in INTEGER:
        widths = np.arange(count).astype(dtype) % 3
        assert_same(lambda xp, x, r: xp.repeat(x, r, axis=axis), x, widths, jit=False)
        assert_same(
            lambda xp, x, r: xp.repeat(x, r, axis=axis), x, np.asarray([2], dtype), jit=False
        )


def test_reshape():
    for shape in ((24,), (4, 6), (-1,), (2, -1, 2), (1, 24, 1), (2, 3, 4)):
        for copy in (None, True):
            assert_same(lambda xp, x, s=shape, c=copy: xp.reshape(x, s, copy=c), BLOCK, jit=False)
        assert_same(lambda xp, x, s=shape: xp.reshape(x, shape=s), BLOCK)
    assert_same(lambda xp, x: xp.reshape(x, ()), data("bool", (1, 1)), jit=False)
    assert_same(lambda xp, x: xp.reshape(x, (3, 0)), data("bool", (0, 2)), jit=False)
    x = jnp.asarray(BLOCK)
    assert np.shares_memory(np.asarray(jnp.reshape(x, (24,), copy=False)), np.asarray(x))
    assert not np.shares_memory(np.asarray(jnp.reshape(x, (24,), copy=True)), np.asarray(x))
    with pytest.raises(ValueError, match="reshape"):
        jnp.reshape(x, (5, 5))


def test_roll():
    for shift, axis in (
        (1, None), (-30, None), (1, 0), (-2, -1), ((1, -1), (0, 2)), (2, (0, 1)), (0, 1),
        ((3, 4), (1, 1)),
    ):  # fmt: skip
        assert_same(lambda xp, x, s=shift, a=axis: xp.roll(x, s, axis=a), BLOCK)
    assert_same(lambda xp, x: xp.roll(x, shift=2), data("int8", (0, 3)), jit=False)
    assert_same(lambda xp, x: xp.roll(x, 2), data("int8", ()), jit=False)


def test_tile():
    for repetitions in ((2,), (2, 1), (1, 2, 3), (2, 1, 1, 2), (), (0, 2)):
        assert_same(lambda xp, x, r=repetitions: xp.tile(x, r), data("int64", (2, 3)))
        assert_same(lambda xp, x, r=repetitions: xp.tile(x, r), data("bool", ()), jit=False)


def test_take():
    for axis in (0, 1, 2, -1, -3):
        for dtype in INTEGER:
            at = np.asarray([1, 0, 1, 1], dtype)
            assert_same(lambda xp, x, i, a=axis: xp.take(x, i, axis=a), BLOCK, at, jit=False)
    assert_same(lambda xp, x, i: xp.take(x, i), data("int8"), np.asarray([3, -1, 0]), jit=False)
    assert_same(lambda xp, x, i: xp.take(x, i), data("int8"), np.asarray([], "int64"), jit=False)


def test_take_along_axis():
    for axis in (0, 1, 2, -1, -2):
        at = np.argsort(BLOCK, axis=axis)
        assert_same(lambda xp, x, i, a=axis: xp.take_along_axis(x, i, axis=a), BLOCK, at)
    at = np.asarray([[[0, -1]]])
    spread = np.broadcast_to(at, (2, 3, 2))
    assert_same(lambda xp, x, i: xp.take_along_axis(x, i), BLOCK, spread)


@pytest.mark.parametrize("name", ["argmax", "argmin"])
def test_positions_of_extremes(name):
    for dtype in REAL:
        x = data(dtype, (3, 4), "extremes")
        for axis in (None, 0, 1, -1):
            for keepdims in (False, True):
                assert_same(
                    lambda xp, x, a=axis, k=keepdims: getattr(xp, name)(x, axis=a, keepdims=k),
                    x, jit=keepdims,
                )  # fmt: skip
    assert_same(lambda xp, x: getattr(xp, name)(x), data("int8", ()), jit=False)


def test_count_nonzero():
    for dtype in ALL:
        x = data(dtype, (2, 3, 4)) * data("bool", (2, 3, 4), "zeros")
        for axis in (None, 0, -1, (0, 2), (1, -1, 0)):
            for keepdims in (False, True):
                assert_same(
                    lambda xp, x, a=axis, k=keepdims: xp.count_nonzero(x, axis=a, keepdims=k),
                    x.astype(dtype), jit=False,
                )  # fmt: skip
    for shape in SHAPES:
        assert_same(lambda xp, x: xp.count_nonzero(x), data("int8", shape), jit=False)


def test_nonzero():
    for dtype in ALL:
        for shape in SHAPES[1:]:
            assert_same(lambda xp, x: xp.nonzero(x), data(dtype, shape), jit=False)


@pytest.mark.parametrize("side", ["left", "right"])
def test_searchsorted(side):
    for a, b in pairs(INTEGER, FLOAT):
        x, v = data(a, (7,)), data(b, (2, 3))
        order = np.argsort(x, stable=True)
        assert_same(lambda xp, x, v: xp.searchsorted(x, v, side=side), np.sort(x), v, jit=False)
        assert_same(
            lambda xp, x, v, s: xp.searchsorted(x, v, side=side, sorter=s), x, v, order, jit=a == b
        )


def test_where():
    for a, b in pairs(BOOL, INTEGER, FLOAT + COMPLEX):
        mask = data("bool", (3, 1))
        x, y = data(a, (4,)), data(b, (3, 4))
        assert_same(lambda xp, c, x, y: xp.where(c, x, y), mask, x, y, jit=a == b)
    for number in (1, 2.5):
        x = data("float32")
        assert_same(lambda xp, c, x, n=number: xp.where(c, x, n), data("bool"), x, jit=False)
        assert_same(lambda xp, c, x, n=number: xp.where(c, n, x), data("bool"), x, jit=False)
    assert_same(lambda xp, c, x: xp.where(c, x, x), data("bool", ()), data("int8", (0,)))


@pytest.mark.parametrize("name", ["sort", "argsort"])
@pytest.mark.parametrize("descending", [False, True])
def test_sorting(name, descending):
    def call(xp, x, axis=-1):
        return getattr(xp, name)(x, axis=axis, descending=descending, stable=True)

    for dtype in REAL:
        x = data(dtype, (3, 9), "ties")
        for axis in (0, 1, -1, -2):
            assert_same(lambda xp, x, a=axis: call(xp, x, a), x, jit=axis == 1)
    zeros = np.asarray([0.0, -0.0, 1.0, -0.0, 0.0, -1.0])
    assert_same(lambda xp, x: xp.argsort(x, descending=descending), zeros)
    for shape in ((0,), (2, 0, 3), (1,)):
        assert_same(call, data("int16", shape), jit=False)
    ours = getattr(jnp, name)(jnp.asarray(BLOCK), descending=descending, stable=False)
    assert ours.shape == BLOCK.shape


@pytest.mark.parametrize("dtype", ALL)
def test_sets(dtype):
    for shape in SHAPES:
        x = data(dtype, shape, "sets")
        for name in ("unique_all", "unique_inverse"):
            with fnx.enable_x64(True):
                found = getattr(jnp, name)(jnp.asarray(x))
            assert found.inverse_indices.shape == shape
            np.testing.assert_array_equal(np.asarray(found.values)[found.inverse_indices], x)
            assert found.values.dtype == dtype and found.inverse_indices.dtype == "int64"
        assert_same(lambda xp, x: xp.unique_all(x), x, jit=False)
        assert_same(lambda xp, x: xp.unique_counts(x), x, jit=False)
        assert_same(lambda xp, x: xp.unique_inverse(x), x, jit=False)
        assert_same(lambda xp, x: xp.sort(xp.unique_values(x)) if dtype in REAL else
                    xp.unique_values(x), x, jit=False)  # fmt: skip


def test_nans_are_distinct_and_zeros_equal_in_sets():
    x = jnp.asarray([np.nan, 1.0, np.nan, 0.0, -0.0])
    found = jnp.unique_all(x)
    assert found.values.shape == (4,) and sorted(found.counts.tolist()) == [1, 1, 1, 2]
    assert jnp.unique_counts(x).values.shape == (4,)
    assert jnp.unique_inverse(x).values.shape == (4,)
    assert jnp.unique_values(x).shape == (4,)
    z = jnp.asarray([complex(np.nan, 1), complex(1, np.nan), complex(0.0, -0.0), 0j])
    assert jnp.unique_values(z).shape == (3,)
