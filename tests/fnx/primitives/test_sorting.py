"""Sorting: the order of special values, several keys, stability, derivatives, top_k."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from fnx.core.array import as_array
from fnx.primitives.arithmetic import mul
from fnx.primitives.reductions import reduce_sum
from fnx.primitives.sorting import NATIVE_FROM, argsort, sort, top_k
from fnx.transforms.grad import grad
from fnx.transforms.jacobian import jacfwd


def test_order_of_special_values():
    x = np.array([3.0, np.nan, -np.inf, 0.0, -0.0, np.inf, np.nan])
    out = np.asarray(sort(as_array(x)))
    np.testing.assert_array_equal(out, [-np.inf, 0.0, -0.0, 3.0, np.inf, np.nan, np.nan])
    assert list(np.signbit(out[1:3])) == [False, True]  # equal, so in their own order


@pytest.mark.parametrize("dtype", [np.int8, np.uint32, np.bool_, np.float16, ml_dtypes.bfloat16])
def test_dtypes(rng, dtype):
    x = rng.integers(0, 50, (3, 20)).astype(dtype)
    out = sort(as_array(x), 1)
    assert out.dtype == dtype
    np.testing.assert_array_equal(np.asarray(out), np.sort(x.astype(np.float64), 1).astype(dtype))


def test_nan_of_bfloat16_goes_last():
    out = sort(as_array(np.array([np.nan, 1.0, -1.0], ml_dtypes.bfloat16)))
    np.testing.assert_array_equal(np.asarray(out).astype(np.float32), [-1.0, 1.0, np.nan])


def test_complex_numbers_sort_by_parts():
    nan = np.nan
    x = np.array([1 + 1j, 1 - 1j, complex(nan, 0), complex(0, nan)])
    out = np.asarray(sort(as_array(x)))
    np.testing.assert_array_equal(out.real, [0, 1, 1, nan])
    np.testing.assert_array_equal(out.imag, [nan, -1, 1, 0])


def test_operands_move_along_and_equals_keep_their_order(rng):
    keys = rng.integers(0, 3, 50)
    places = np.arange(50)
    out = sort((as_array(keys), as_array(places)))
    order = np.argsort(keys, kind="stable")
    np.testing.assert_array_equal(np.asarray(out[1]), places[order])
    first, second, moved = sort(tuple(as_array(v) for v in (keys, -places, places)), num_keys=2)
    order = np.lexsort((-places, keys))
    np.testing.assert_array_equal(np.asarray(first), keys[order])
    np.testing.assert_array_equal(np.asarray(second), -places[order])
    np.testing.assert_array_equal(np.asarray(moved), places[order])


def test_derivative_is_the_permutation(rng):
    x = rng.permutation(6).astype(np.float64)
    jacobian = np.asarray(jacfwd(sort)(as_array(x)))
    np.testing.assert_array_equal(jacobian, np.eye(6)[np.argsort(x)])


def test_second_derivative_through_a_sort(rng):
    x = rng.permutation(12).reshape(3, 4).astype(np.float64)
    weights = as_array(rng.standard_normal((3, 4)))
    cubes = lambda v: mul(v, mul(v, v))  # noqa: E731
    f = lambda v: reduce_sum(mul(weights, cubes(sort(v, 0))), (0, 1))  # noqa: E731
    second = grad(lambda v: reduce_sum(grad(f)(v), (0, 1)))(as_array(x))
    ranks = np.argsort(np.argsort(x, 0), 0)
    expected = 6 * x * np.take_along_axis(np.asarray(weights), ranks, 0)
    np.testing.assert_allclose(np.asarray(second), expected, rtol=1e-12)


def test_argsort(rng):
    x = rng.standard_normal((4, 9))
    out = argsort(as_array(x), 0)
    assert out.dtype == np.int32
    np.testing.assert_array_equal(np.asarray(out), np.argsort(x, 0))


def test_top_k_takes_the_first_of_equals():
    x = as_array(np.array([[3.0, 1.0, 3.0, np.inf, -np.inf], [1.0, np.nan, 2.0, 2.0, 0.0]]))
    values, places = top_k(x, 3)
    np.testing.assert_array_equal(np.asarray(values), [[np.inf, 3, 3], [np.nan, 2, 2]])
    np.testing.assert_array_equal(np.asarray(places), [[3, 0, 2], [1, 2, 3]])
    assert places.dtype == np.int32


def test_top_k_along_the_first_axis_and_its_gradient(rng):
    x = rng.standard_normal((5, 3))
    values, _ = top_k(as_array(x), 2, axis=0)
    np.testing.assert_array_equal(np.asarray(values), -np.sort(-x, 0)[:2])
    out = grad(lambda v: reduce_sum(top_k(v, 2, axis=0)[0], (0, 1)))(as_array(x))
    np.testing.assert_array_equal(np.asarray(out), np.argsort(np.argsort(-x, 0), 0) < 2)


def test_large_eager_sorts_use_the_kernel(rng):
    keys = rng.integers(-50, 50, (3, 40_000)).astype(np.float32)
    keys[0, :3] = [np.nan, -0.0, 0.0]
    places = np.arange(keys.size).reshape(keys.shape)
    assert keys.size >= NATIVE_FROM
    ordered, moved = sort((as_array(keys), as_array(places)), 1)
    order = np.argsort(keys, 1, kind="stable")
    np.testing.assert_array_equal(np.asarray(ordered), np.take_along_axis(keys, order, 1))
    np.testing.assert_array_equal(np.asarray(moved), np.take_along_axis(places, order, 1))


def test_errors():
    x = as_array(np.ones(3, np.float32))
    with pytest.raises(TypeError, match=r"sort: operands must have equal shapes, got f32\[3\]"):
        sort((x, as_array(np.ones(4, np.float32))))
    with pytest.raises(ValueError, match="num_keys=2 must be from 1 to the number of operands, 1"):
        sort(x, num_keys=2)
    with pytest.raises(ValueError, match=r"sort: axis 2 is not an axis of f32\[3\]"):
        sort(x, 2)
    with pytest.raises(ValueError, match=r"top_k: k=5 must be from 0 to 3, the size of axis 0"):
        top_k(x, 5)
    with pytest.raises(TypeError, match="top_k: operand 0 is c64"):
        top_k(as_array(np.ones(3, np.complex64)), 1)
