"""Slices and padding: every box and every padding against their definitions, folds, errors."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from fnx.core.array import as_array
from fnx.core.simplify import simplify
from fnx.core.staging import stage
from fnx.core.types import ShapedArray
from fnx.primitives.arithmetic import mul
from fnx.primitives.joining import concatenate
from fnx.primitives.reductions import reduce_sum
from fnx.primitives.shaping import full
from fnx.primitives.slicing import index_in_dim, pad, slice_in_dim
from fnx.primitives.slicing import slice as slice_
from fnx.transforms.grad import grad
from fnx.transforms.vmap import vmap


def simplified(function, *shapes):
    avals = [ShapedArray(s, np.dtype(np.float64)) for s in shapes]
    jaxpr, captured = stage(lambda *xs: [function(*xs)], avals)
    assert not captured
    return simplify(jaxpr)


def padded(x, value, config):
    """The definition, element by element."""
    shape = [lo + hi + n + max(n - 1, 0) * gap for n, (lo, hi, gap) in zip(x.shape, config)]
    out = np.full(shape, value, x.dtype)
    for index in np.ndindex(x.shape):
        place = tuple(lo + k * (gap + 1) for k, (lo, _, gap) in zip(index, config))
        if all(0 <= p < n for p, n in zip(place, shape)):
            out[place] = x[index]
    return out


@pytest.mark.parametrize("n", range(5))
def test_slice_is_numpys(n):
    x = np.arange(n)
    for start, limit, stride in itertools.product(range(n + 1), range(n + 1), (1, 2, 3, 7)):
        if start <= limit:
            out = slice_(as_array(x), (start,), (limit,), (stride,))
            np.testing.assert_array_equal(np.asarray(out), x[start:limit:stride])


def test_slice_of_a_scalar_and_a_result_cannot_be_written_to():
    assert np.asarray(slice_(as_array(np.array(3.0)), (), ())) == 3.0
    with pytest.raises(ValueError, match="read-only"):
        np.asarray(slice_(as_array(np.arange(3)), (0,), (2,)))[0] = 1


def test_slice_in_dim_counts_from_the_end(rng):
    x = rng.standard_normal((3, 7))
    out = slice_in_dim(as_array(x), -5, -1, 2, -1)
    np.testing.assert_array_equal(np.asarray(out), x[:, -5:-1:2])
    np.testing.assert_array_equal(np.asarray(slice_in_dim(as_array(x), None, None)), x)


def test_index_in_dim(rng):
    x = rng.standard_normal((3, 7))
    np.testing.assert_array_equal(np.asarray(index_in_dim(as_array(x), -2, 1)), x[:, 5:6])
    np.testing.assert_array_equal(np.asarray(index_in_dim(as_array(x), 1, 0, False)), x[1])
    with pytest.raises(IndexError, match=r"index 3 is out of bounds for axis 0 of f64\[3,7\]"):
        index_in_dim(as_array(x), 3)


@pytest.mark.parametrize(
    ("start", "limit", "strides", "message"),
    [
        ((0,), (4, 4), None, "Give one number for each axis"),
        ((2, 0), (1, 4), None, "axis 0 of .* has no elements 2 to 1"),
        ((0, 0), (3, 5), None, "axis 1 of .* has no elements 0 to 5"),
        ((0, 0), (3, 4), (1, 0), "stride 0 of axis 1"),
    ],
)
def test_slice_says_what_is_wrong(start, limit, strides, message):
    with pytest.raises(TypeError, match=message):
        slice_(as_array(np.zeros((3, 4))), start, limit, strides)


@pytest.mark.parametrize("n", range(4))
def test_pad_is_its_definition(n):
    x = np.arange(1, n + 1)
    value = as_array(np.array(-1))
    tried = 0
    for config in itertools.product(range(-3, 4), range(-3, 4), range(3)):
        low, high, gap = config
        if low + high + n + max(n - 1, 0) * gap >= 0:
            out = np.asarray(pad(as_array(x), value, [config]))
            np.testing.assert_array_equal(out, padded(x, -1, [config]))
            tried += 1
    assert tried > 80


def test_pad_of_two_axes(rng):
    x = rng.standard_normal((3, 4))
    config = [(2, -1, 1), (-2, 3, 0)]
    out = pad(as_array(x), as_array(np.array(0.5)), config)
    np.testing.assert_array_equal(np.asarray(out), padded(x, 0.5, config))


@pytest.mark.parametrize(
    ("value", "config", "message"),
    [
        (np.zeros(1), [(0, 0, 0)], "must be a scalar of the operand's dtype"),
        (np.array(0), [(0, 0, 0)], "must be a scalar of the operand's dtype"),
        (np.array(0.0), [], "has 1 axes, padding_config has 0 entries"),
        (np.array(0.0), [(-3, -1, 0)], "gives -1 elements"),
        (np.array(0.0), [(0, 0, -1)], "must not be negative"),
    ],
)
def test_pad_says_what_is_wrong(value, config, message):
    with pytest.raises(TypeError, match=message):
        pad(as_array(np.zeros(3)), as_array(value), config)


def test_the_padding_values_gradient_counts_the_padding_only():
    # A weight of infinity at an element of the operand must not reach the padding value.
    weights = as_array(np.array([1.0, np.inf, 2.0, -np.inf, 4.0]))

    def function(x, value):
        return reduce_sum(mul(pad(x, value, [(1, 1, 1)]), weights), (0,))

    dx, dvalue = grad(function, (0, 1))(as_array(np.ones(2)), as_array(np.array(0.0)))
    np.testing.assert_array_equal(np.asarray(dx), [np.inf, -np.inf])
    assert float(np.asarray(dvalue)) == 7.0


def test_pad_maps_over_the_padding_value(rng):
    x, values = rng.standard_normal((2, 3)), rng.standard_normal(4)
    config = [(1, -1, 0), (0, 1, 1)]
    out = vmap(lambda v: pad(as_array(x), v, config))(as_array(values))
    for got, value in zip(np.asarray(out), values, strict=True):
        np.testing.assert_array_equal(got, padded(x, value, config))


def test_slices_of_slices_fold():
    def function(x):
        return slice_(slice_(x, (1, 0), (9, 4), (2, 1)), (1, 1), (4, 3), (2, 1))

    jaxpr = simplified(function, (10, 4))
    (eqn,) = jaxpr.eqns
    assert eqn.params["start_indices"] == (3, 1)
    assert eqn.params["strides"] == (4, 1)
    x = np.arange(40.0).reshape(10, 4)
    want = x[1:9:2][1:4:2, 1:3]
    np.testing.assert_array_equal(np.asarray(function(as_array(x))), want)
    start, limit, step = (eqn.params[k] for k in ("start_indices", "limit_indices", "strides"))
    cut = tuple(map(slice, start, limit, step))
    np.testing.assert_array_equal(x[cut], want)


def test_a_slice_of_one_part_of_a_concatenation_folds():
    jaxpr = simplified(lambda x, y: slice_(concatenate([x, y], 0), (3,), (5,)), (3,), (4,))
    (eqn,) = jaxpr.eqns
    assert eqn.primitive.name == "slice"
    assert eqn.inputs == (jaxpr.in_vars[1],)
    assert (eqn.params["start_indices"], eqn.params["limit_indices"]) == ((0,), (2,))
    both = simplified(lambda x, y: slice_(concatenate([x, y], 0), (2,), (5,)), (3,), (4,))
    assert [e.primitive.name for e in both.eqns] == ["concatenate", "slice"]


def test_what_changes_nothing_folds():
    def function(x):
        zero = full((), 0, x.dtype)
        return slice_(pad(x, zero, [(0, 0, 0)]), (0,), x.shape)

    jaxpr = simplified(function, (3,))
    assert not jaxpr.eqns
    spread = simplified(lambda x: slice_(full((9,), 2.0, x.dtype), (1,), (4,)), (3,))
    assert [e.primitive.name for e in spread.eqns] == ["broadcast_in_dim"]
