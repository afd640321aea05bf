"""Max, min and prod: values, ties, NaN, and derivatives of products with zeros at every order."""

from __future__ import annotations

import math

import ml_dtypes
import numpy as np
import pytest

from fnx.core.array import as_array
from fnx.core.primitive import Zero
from fnx.primitives.nonlinear_reductions import reduce_max, reduce_min, reduce_prod, reduce_prod_p
from fnx.primitives.reductions import reduce_sum
from fnx.primitives.slicing import slice_in_dim
from fnx.transforms.grad import grad


@pytest.mark.parametrize("dtype", [np.float64, np.int8, np.uint16, np.bool_, ml_dtypes.bfloat16])
def test_extremes_of_each_dtype(rng, dtype):
    x = rng.integers(0, 100, (4, 5)).astype(dtype)
    for function, ufunc in ((reduce_max, np.maximum), (reduce_min, np.minimum)):
        out = function(as_array(x), (1,))
        assert out.dtype == dtype
        np.testing.assert_array_equal(np.asarray(out), ufunc.reduce(x, axis=1))


@pytest.mark.parametrize(
    ("dtype", "least", "greatest"),
    [
        (np.float32, -np.inf, np.inf),
        (np.int16, -(2**15), 2**15 - 1),
        (np.uint8, 0, 255),
        (np.bool_, False, True),
    ],
)
def test_extremes_of_nothing_are_the_identities(dtype, least, greatest):
    nothing = as_array(np.ones((0, 2), dtype))
    np.testing.assert_array_equal(np.asarray(reduce_max(nothing, (0,))), [least, least])
    np.testing.assert_array_equal(np.asarray(reduce_min(nothing, (0,))), [greatest, greatest])


def test_extremes_propagate_nan_and_order_complex_numbers():
    x = as_array(np.array([[1.0, np.nan], [np.inf, -np.inf]]))
    np.testing.assert_array_equal(np.asarray(reduce_max(x, (1,))), [np.nan, np.inf])
    z = as_array(np.array([1 + 2j, 1 + 3j, 0 + 9j]))
    assert np.asarray(reduce_max(z, (0,))) == 1 + 3j
    assert np.asarray(reduce_min(z, (0,))) == 9j


def test_equal_elements_share_the_gradient():
    x = as_array(np.array([[2.0, 1.0, 2.0], [0.0, 0.0, 0.0]]))
    out = grad(lambda x: reduce_sum(reduce_max(x, (1,)), (0,)))(x)
    np.testing.assert_allclose(np.asarray(out), [[0.5, 0.0, 0.5], [1 / 3, 1 / 3, 1 / 3]])


def test_gradient_of_product_with_zeros():
    for x in ([2.0, 3.0, 4.0], [2.0, 0.0, 4.0], [0.0, 0.0, 4.0], [0.0, 0.0, 0.0]):
        out = grad(lambda x: reduce_prod(x, (0,)))(as_array(np.array(x)))
        expected = [math.prod(x[:k] + x[k + 1 :]) for k in range(3)]
        np.testing.assert_array_equal(np.asarray(out), expected)


def test_third_derivative_of_product_with_zeros():
    # d3/dx dy dz of x y z w is w, whatever the others are.
    def along(function, k):
        return lambda x: reduce_sum(slice_in_dim(grad(function)(x), k, k + 1), (0,))

    def product(x):
        return reduce_prod(x, (0,))

    x = as_array(np.array([0.0, 0.0, 0.0, 5.0]))
    assert float(np.asarray(along(along(along(product, 0), 1), 2)(x))) == 5.0
    assert float(np.asarray(along(along(along(product, 0), 0), 1)(x))) == 0.0


def test_series_of_product(rng):
    # Coefficients of the product of polynomials.
    polynomials = rng.uniform(-1, 1, (3, 4))
    polynomials[1, 0] = 0.0
    expected = np.array([1.0])
    for p in polynomials:
        expected = np.convolve(expected, p)
    out, series = reduce_prod_p.jet(
        [as_array(polynomials[:, 0])], [[as_array(c) for c in polynomials.T[1:]]], axes=(0,)
    )
    got = [float(np.asarray(c)) for c in [out, *series]]
    np.testing.assert_allclose(got, expected[:4], rtol=1e-12, atol=1e-15)


def test_products_wrap_and_empty_ones_are_one():
    out = reduce_prod(as_array(np.array([100, 3], np.int8)), (0,))
    assert int(np.asarray(out)) == 300 - 256
    assert float(np.asarray(reduce_prod(as_array(np.ones(0)), (0,)))) == 1.0


def test_integer_operands_have_no_tangents():
    x = as_array(np.arange(3))
    _, tangent = reduce_prod_p.jvp([x], [Zero(x.aval)], axes=(0,))
    assert isinstance(tangent, Zero)
