"""Window reductions against NumPy's sliding windows; gradients of pooling to the second order."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from fnx.core.array import as_array
from fnx.primitives.arithmetic import mul
from fnx.primitives.reductions import reduce_sum
from fnx.primitives.windows import (
    reduce_window_max,
    reduce_window_min,
    reduce_window_sum,
    select_and_gather_add,
    select_and_scatter_add,
    select_and_scatter_add_p,
)
from fnx.primitives.windows_evaluate import evaluate_scatter
from fnx.transforms.grad import grad
from fnx.transforms.jvp import jvp_flat

FUNCTIONS = [
    (reduce_window_sum, np.sum, 0),
    (reduce_window_max, np.max, -np.inf),
    (reduce_window_min, np.min, np.inf),
]


@pytest.mark.parametrize(("function", "reduce", "fill"), FUNCTIONS)
@pytest.mark.parametrize("window", [(1, 1), (2, 3), (7, 1), (1, 40)])
def test_against_sliding_windows(rng, function, reduce, fill, window):
    x = rng.standard_normal((9, 50))
    out = function(as_array(x), window, (2, 1), ((1, 0), (0, 2)))
    padded = np.pad(x, ((1, 0), (0, 2)), constant_values=fill)
    expected = reduce(sliding_window_view(padded, window)[::2], axis=(2, 3))
    np.testing.assert_allclose(np.asarray(out), expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.float16, ml_dtypes.bfloat16])
def test_dtypes_and_identities(dtype):
    x = as_array(np.array([1, 2, 3], dtype))
    small = np.iinfo(dtype).min if np.dtype(dtype).kind in "iu" else -np.inf
    out = reduce_window_max(x, (2,), (2,), ((0, 4),))
    assert out.dtype == dtype
    np.testing.assert_array_equal(np.asarray(out).astype(np.float64), [2, 3, small])


def test_integer_sums_wrap():
    out = reduce_window_sum(as_array(np.full(3, 100, np.int8)), (2,))
    np.testing.assert_array_equal(np.asarray(out), [-56, -56])


def test_nan_wins_and_takes_the_tangent():
    x = as_array(np.array([1.0, np.nan, 3.0, 4.0, np.nan, np.nan]))
    out = reduce_window_max(x, (3,), (3,))
    np.testing.assert_array_equal(np.asarray(out), [np.nan, np.nan])
    gradient = grad(lambda x: reduce_sum(reduce_window_max(x, (3,), (3,)), (0,)))(x)
    np.testing.assert_array_equal(np.asarray(gradient), [0, 1, 0, 0, 1, 0])


def test_padding_never_wins():
    x = as_array(np.full(3, -np.inf))
    gradient = grad(lambda x: reduce_sum(reduce_window_max(x, (2,), (2,), ((1, 2),)), (0,)))(x)
    np.testing.assert_array_equal(np.asarray(gradient), [1, 1, 0])
    nothing = reduce_window_max(x, (1,), (1,), ((2, 0),))
    np.testing.assert_array_equal(np.asarray(nothing), np.full(5, -np.inf))


@pytest.mark.parametrize(
    "params",
    [
        ((1, 2, 2), (1, 2, 2), "VALID"),
        ((1, 3, 3), (1, 2, 2), ((0, 0), (1, 1), (1, 0))),
        ((2, 2, 1), (1, 1, 1), "SAME", (1, 2, 1), (1, 1, 1)),
        ((1, 2, 2), (1, 1, 1), "VALID", (1, 1, 1), (1, 2, 3)),
    ],
)
@pytest.mark.parametrize("function", [reduce_window_max, reduce_window_min])
def test_gradient_of_extremes_goes_to_the_winners(rng, function, params):
    x = rng.permutation(2 * 7 * 6).reshape(2, 7, 6).astype(np.float64)
    out = function(as_array(x), *params)
    weights = rng.standard_normal(out.shape)
    gradient = grad(lambda x: reduce_sum(mul(function(x, *params), as_array(weights)), (0, 1, 2)))(
        as_array(x)
    )
    expected = np.zeros_like(x)  # all elements differ, so a value says whose it is
    places = {v: k for k, v in np.ndenumerate(x)}
    for value, weight in zip(np.asarray(out).ravel(), weights.ravel(), strict=True):
        if np.isfinite(value):
            expected[places[value]] += weight
    np.testing.assert_allclose(np.asarray(gradient), expected, rtol=1e-12, atol=1e-13)


def test_second_derivative_of_squared_max_pool(rng):
    x = rng.standard_normal((4, 6))

    def energy(x):
        y = reduce_window_max(x, (2, 3), (2, 3))
        return reduce_sum(mul(y, mul(y, y)), (0, 1))

    diagonal = grad(lambda x: reduce_sum(grad(energy)(x), (0, 1)))(as_array(x))
    pooled = np.asarray(reduce_window_max(as_array(x), (2, 3), (2, 3)))
    wins = x == np.repeat(np.repeat(pooled, 2, 0), 3, 1)
    np.testing.assert_allclose(np.asarray(diagonal), np.where(wins, 6 * x, 0.0), rtol=1e-12)


def test_forward_mode_of_max_pool(rng):
    x, t = rng.standard_normal((2, 8))
    (out,), (tangent,) = jvp_flat(
        lambda x: [reduce_window_max(x, (2,), (2,))], [as_array(x)], [as_array(t)]
    )
    pairs, tangents = x.reshape(4, 2), t.reshape(4, 2)
    winners = pairs.argmax(1)
    np.testing.assert_array_equal(np.asarray(out), pairs.max(1))
    np.testing.assert_array_equal(np.asarray(tangent), tangents[np.arange(4), winners])


def test_sum_pool_adjoint_spreads(rng):
    weights = rng.standard_normal(4)
    gradient = grad(
        lambda x: reduce_sum(mul(reduce_window_sum(x, (3,), (2,)), as_array(weights)), (0,))
    )(as_array(np.zeros(9)))
    expected = np.zeros(9)
    for k in range(4):
        expected[2 * k : 2 * k + 3] += weights[k]
    np.testing.assert_allclose(np.asarray(gradient), expected, rtol=1e-13)


def test_select_and_scatter_adds_where_windows_overlap():
    operand = as_array(np.array([0.0, 5.0, 1.0]))
    out = select_and_scatter_add(as_array(np.array([2.0, 3.0])), operand, "ge", (2,))
    np.testing.assert_array_equal(np.asarray(out), [0, 5, 0])
    out = select_and_scatter_add(as_array(np.array([2.0, 3.0])), operand, "le", (2,))
    np.testing.assert_array_equal(np.asarray(out), [2, 0, 3])
    out = select_and_gather_add(as_array(np.array([7.0, 8.0, 9.0])), operand, "le", (2,))
    np.testing.assert_array_equal(np.asarray(out), [7, 9])


@pytest.mark.parametrize(
    ("shape", "window", "strides", "padding"),
    [
        ((2, 20, 33, 40), (1, 1, 3, 2), (1, 1, 2, 1), ((0, 0), (0, 0), (1, 1), (0, 1))),
        ((64, 42, 42), (1, 2, 2), (1, 2, 2), ((0, 0),) * 3),
        ((3, 3, 3, 30, 40), (2, 2, 2, 2, 2), (1,) * 5, ((0, 0),) * 5),  # more than the kernel takes
    ],
)
def test_large_eager_scatters_agree_with_numpy(shape, window, strides, padding, rng):
    operand = rng.integers(0, 4, shape).astype(np.float32)
    extents = [(n + sum(p) - k) // s + 1 for n, k, s, p in zip(shape, window, strides, padding)]
    source = rng.integers(-5, 5, extents).astype(np.float32)
    params = {
        "window_dimensions": window,
        "window_strides": strides,
        "padding": padding,
        "base_dilation": (1,) * len(shape),
        "window_dilation": (1,) * len(shape),
        "select_prim": "ge",
    }
    types = as_array(source).aval, as_array(operand).aval
    assert select_and_scatter_add_p.work(*types, **params) >= select_and_scatter_add_p.native_from
    out = select_and_scatter_add_p(as_array(source), as_array(operand), **params)
    np.testing.assert_array_equal(np.asarray(out), evaluate_scatter(source, operand, **params))


def test_errors_name_operation_and_remedy():
    x = as_array(np.ones((2, 3), np.float32))
    with pytest.raises(ValueError, match=r"window_dimensions=\(2,\) has 1 entries, f32\[2,3\]"):
        reduce_window_sum(x, (2,), (1, 1), ((0, 0), (0, 0)))
    with pytest.raises(ValueError, match=r"window_strides=\(0, 1\) must be at least 1"):
        reduce_window_max(x, (1, 1), (0, 1), ((0, 0), (0, 0)))
    with pytest.raises(TypeError, match=r"has windows of shape \(2, 2\), but the source is"):
        select_and_scatter_add(x, x, "ge", (1, 2))
    with pytest.raises(ValueError, match="select_prim must be 'ge'"):
        select_and_gather_add(x, x, "gt", (1, 2))
    with pytest.raises(TypeError, match="reduce_window_max: operand 0 is c64"):
        reduce_window_max(as_array(np.ones(2, np.complex64)), (1,))
