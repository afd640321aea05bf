"""dot_general: values of every dtype, precision names, second derivatives, errors that teach."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from fnx.core.array import as_array
from fnx.primitives.contraction import (
    NATIVE_FROM,
    Precision,
    batch_matmul,
    canonical_precision,
    dot,
    dot_general,
    dot_general_p,
)
from fnx.primitives.reductions import reduce_sum
from fnx.primitives.shaping import rev
from fnx.transforms.grad import grad
from fnx.transforms.jacobian import hessian
from fnx.transforms.vmap import vmap

MATRICES = (((1,), (0,)), ((), ()))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
def test_products_of_inexact_matrices(rng, dtype):
    x = (rng.standard_normal((7, 5)) + 1j * rng.standard_normal((7, 5))).real.astype(dtype)
    y = rng.standard_normal((5, 6)).astype(dtype)
    out = dot_general(as_array(x), as_array(y), MATRICES)
    assert out.dtype == dtype
    np.testing.assert_allclose(np.asarray(out), x.astype(np.complex128) @ y, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.int64])
def test_products_of_integers_wrap(rng, dtype):
    x = rng.integers(-100, 100, (4, 30)).astype(dtype)
    y = rng.integers(-100, 100, (30, 3)).astype(dtype)
    out = dot_general(as_array(x), as_array(y), MATRICES)
    assert out.dtype == dtype
    exact = x.astype(object) @ y.astype(object)
    modulus = 2 ** (8 * np.dtype(dtype).itemsize)
    np.testing.assert_array_equal(
        np.asarray(out).astype(object) % modulus, np.asarray(exact) % modulus
    )


def test_preferred_element_type_holds_the_sums(rng):
    x = np.full((1, 100), 100, np.int8)
    out = dot_general(as_array(x), as_array(x.T.copy()), MATRICES, preferred_element_type=np.int32)
    assert out.dtype == np.int32
    assert int(np.asarray(out)[0, 0]) == 1_000_000


def test_half_floats_are_rounded_once():
    ones = np.ones((1, 4096), ml_dtypes.bfloat16)
    out = dot_general(as_array(ones), as_array(ones.T.copy()), MATRICES)
    assert float(np.asarray(out)[0, 0]) == 4096.0


def test_products_of_booleans_are_conjunctions():
    x = np.array([[True, False], [False, False]])
    out = dot_general(as_array(x), as_array(x), MATRICES)
    assert out.dtype == np.bool_
    np.testing.assert_array_equal(np.asarray(out), [[True, False], [False, False]])


def test_different_dtypes_promote():
    x, y = np.ones((2, 3), np.float32), np.ones((3, 2), np.int32)
    assert dot_general(as_array(x), as_array(y), MATRICES).dtype == np.float32


def test_empty_contraction_gives_zeros():
    out = dot_general(as_array(np.ones((2, 0))), as_array(np.ones((0, 3))), MATRICES)
    np.testing.assert_array_equal(np.asarray(out), np.zeros((2, 3)))


def test_infinite_and_undefined_elements():
    x = np.array([[np.inf, 0.0], [np.nan, 1.0]])
    out = np.asarray(dot(as_array(x), as_array(np.array([0.0, 1.0]))))
    np.testing.assert_array_equal(out, [np.nan, np.nan])


def test_dot_and_batch_matmul(rng):
    x, y = rng.standard_normal((2, 3, 4)), rng.standard_normal((2, 4, 5))
    np.testing.assert_allclose(np.asarray(batch_matmul(as_array(x), as_array(y))), x @ y)
    np.testing.assert_allclose(
        np.asarray(dot(as_array(x[0]), as_array(y[0, :, 0]))), x[0] @ y[0, :, 0]
    )
    with pytest.raises(TypeError, match=r"dot: takes vectors and matrices whose inner sizes agree"):
        dot(as_array(x), as_array(y))
    with pytest.raises(ValueError, match="batch_matmul: takes arrays of equal rank"):
        batch_matmul(as_array(x), as_array(y[0]))


def test_hessian_of_a_quadratic_form(rng):
    a = rng.standard_normal((4, 4))
    matrix = as_array(a)
    out = hessian(lambda x: dot(x, dot(matrix, x)))(as_array(rng.standard_normal(4)))
    np.testing.assert_allclose(np.asarray(out), a + a.T, rtol=1e-13)


def test_gradient_of_low_precision_operands_has_their_dtype():
    x = as_array(np.ones((2, 3), ml_dtypes.bfloat16))
    y = as_array(np.ones((3, 4), ml_dtypes.bfloat16))

    def loss(x, y):
        return reduce_sum(dot_general(x, y, MATRICES, preferred_element_type=np.float32), (0, 1))

    gradients = grad(loss, (0, 1))(x, y)
    assert [g.dtype for g in gradients] == [x.dtype, y.dtype]
    np.testing.assert_array_equal(np.asarray(gradients[0]).astype(np.float32), np.full((2, 3), 4.0))


def test_per_example_products_become_one_batched_product(rng):
    x, y = rng.standard_normal((5, 2, 3)), rng.standard_normal((3, 5, 4))
    out = vmap(lambda a, b: dot_general(a, b, MATRICES), (0, 1))(as_array(x), as_array(y))
    np.testing.assert_allclose(np.asarray(out), np.einsum("bij,jbk->bik", x, y), rtol=1e-13)


def test_precision_is_canonical():
    assert canonical_precision(None) is None
    assert canonical_precision("float32") == (Precision.HIGHEST, Precision.HIGHEST)
    assert canonical_precision((None, Precision.HIGH)) == ("default", "high")
    assert canonical_precision((None, None)) is None
    with pytest.raises(ValueError, match="precision must be None, one of .*; got 'best'"):
        canonical_precision("best")


def test_errors_name_operands_and_remedy():
    x = as_array(np.ones((3, 4), np.float32))
    with pytest.raises(
        TypeError,
        match=r"dot_general: contracting sizes differ, axis 1 of f32\[3,4\] has 4, axis 0 of "
        r"f32\[3,4\] has 3.*Transpose one operand",
    ):
        dot_general(x, x, MATRICES)
    with pytest.raises(TypeError, match="2 contracting axes of .* against 1"):
        dot_general(x, x, (((0, 1), (0,)), ((), ())))
    with pytest.raises(TypeError, match="named twice"):
        dot_general(x, x, (((0,), (0,)), ((0,), (0,))))
    with pytest.raises(TypeError, match="must be axes of"):
        dot_general(x, x, (((2,), (0,)), ((), ())))
    z = as_array(np.ones((2, 2), np.complex64))
    with pytest.raises(TypeError, match="would drop the imaginary parts"):
        dot_general(z, z, MATRICES, preferred_element_type=np.float32)


@pytest.mark.parametrize("dtype", [np.float64, np.int32, np.complex128])
def test_large_eager_products_agree_with_numpy(rng, dtype):
    # Above the threshold a kernel does it (or BLAS, of complex numbers), on any strides.
    x = rng.integers(-9, 9, (420, 230)).astype(dtype)
    y = rng.integers(-9, 9, (250, 420)).astype(dtype)
    aval = as_array(x).aval, as_array(y).aval
    dimensions = (((0,), (1,)), ((), ()))
    assert dot_general_p.work(*aval, dimension_numbers=dimensions) >= NATIVE_FROM
    out = dot_general(as_array(x), as_array(y), dimensions)
    np.testing.assert_array_equal(np.asarray(out), x.T @ y.T)
    out = dot_general(rev(as_array(x), (1,)), as_array(y), dimensions)
    np.testing.assert_array_equal(np.asarray(out), x[:, ::-1].T @ y.T)


def test_work_counts_multiply_adds():
    x, y = as_array(np.ones((2, 3, 4))), as_array(np.ones((2, 4, 5)))
    params = {"dimension_numbers": (((2,), (1,)), ((0,), (0,)))}
    assert dot_general_p.work(x.aval, y.aval, **params) == 2 * 3 * 4 * 5
