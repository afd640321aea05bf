"""Sum, and, or, xor, argmax, argmin: values, dtypes, edge cases, and errors that teach."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from fnx.core.array import as_array
from fnx.primitives.reductions import (
    argmax,
    argmin,
    reduce_and,
    reduce_or,
    reduce_sum,
    reduce_xor,
)

INTEGERS = [np.int8, np.uint8, np.int16, np.int32, np.uint32, np.int64]


@pytest.mark.parametrize("axes", [(), (0,), (1,), (0, 2), (2, 0, 1)])
def test_sum_of_floats(rng, axes):
    x = rng.standard_normal((3, 4, 5))
    out = reduce_sum(as_array(x), axes)
    np.testing.assert_allclose(np.asarray(out), x.sum(axis=axes), rtol=1e-14)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integer_sums_wrap_in_their_own_dtype(dtype):
    x = np.full(7, np.iinfo(dtype).max, dtype)
    out = reduce_sum(as_array(x), (0,))
    assert out.dtype == dtype
    expected = (7 * int(np.iinfo(dtype).max)) % 2 ** (8 * np.dtype(dtype).itemsize)
    assert int(np.asarray(out)) % 2 ** (8 * np.dtype(dtype).itemsize) == expected


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_half_floats_are_rounded_once(dtype):
    # Rounded after each addition, 4096 ones give 2048 in float16 and 256 in bfloat16.
    out = reduce_sum(as_array(np.ones(4096, dtype)), (0,))
    assert out.dtype == dtype
    assert float(np.asarray(out)) == 4096.0


def test_empty_sums_are_zero():
    out = reduce_sum(as_array(np.ones((0, 3))), (0,))
    np.testing.assert_array_equal(np.asarray(out), np.zeros(3))


def test_special_values_go_through_a_sum():
    x = np.array([[1.0, np.inf], [np.nan, 1.0], [np.inf, -np.inf], [-0.0, -0.0]])
    out = np.asarray(reduce_sum(as_array(x), (1,)))
    np.testing.assert_array_equal(out, [np.inf, np.nan, np.nan, 0.0])


@pytest.mark.parametrize(
    ("function", "ufunc"),
    [(reduce_and, np.bitwise_and), (reduce_or, np.bitwise_or), (reduce_xor, np.bitwise_xor)],
)
def test_bitwise_reductions(rng, function, ufunc):
    for x in (rng.random((4, 5)) < 0.5, rng.integers(-50, 50, (4, 5)).astype(np.int8)):
        out = function(as_array(x), (1,))
        assert out.dtype == x.dtype
        np.testing.assert_array_equal(np.asarray(out), ufunc.reduce(x, axis=1))


@pytest.mark.parametrize(
    ("function", "empty"), [(reduce_and, True), (reduce_or, False), (reduce_xor, False)]
)
def test_bitwise_reductions_of_nothing(function, empty):
    assert bool(np.asarray(function(as_array(np.zeros(0, bool)), (0,)))) is empty


def test_arg_reductions_take_the_first_of_equals_and_the_first_nan():
    x = as_array(np.array([[1.0, 3.0, 3.0], [np.nan, 5.0, np.nan], [-np.inf, -np.inf, -np.inf]]))
    np.testing.assert_array_equal(np.asarray(argmax(x, 1)), [1, 0, 0])
    np.testing.assert_array_equal(np.asarray(argmin(x, 1)), [0, 0, 0])
    assert argmax(x, 1, np.int64).dtype == np.int64


def test_arg_reduction_of_bfloat16_finds_nan():
    x = as_array(np.array([1.0, np.nan, 2.0], ml_dtypes.bfloat16))
    assert int(np.asarray(argmax(x, 0))) == 1


def test_errors_name_operation_operand_and_remedy():
    x = as_array(np.ones((2, 3), np.float32))
    with pytest.raises(ValueError, match=r"reduce_sum: axes \(2,\) must be different axes of f32"):
        reduce_sum(x, (2,))
    with pytest.raises(ValueError, match=r"Negative axes are counted by `fnx.numpy`"):
        reduce_sum(x, (-1,))
    with pytest.raises(TypeError, match=r"reduce_and: operand 0 is f32\[2,3\].*astype"):
        reduce_and(x, (0,))
    with pytest.raises(ValueError, match=r"argmax: axis 0 of f32\[0,3\] is empty"):
        argmax(as_array(np.ones((0, 3), np.float32)), 0)
    with pytest.raises(TypeError, match="index_dtype must be an integer dtype, got float32"):
        argmin(x, 0, np.float32)
    with pytest.raises(TypeError, match="reduce_sum: operand 0 is bool"):
        reduce_sum(as_array(np.ones(3, bool)), (0,))
