"""Running reductions and linear recurrences: values, both directions, and stable derivatives."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from fnx.core.array import as_array
from fnx.core.primitive import Linear, Zero
from fnx.primitives.cumulative import (
    cumlogsumexp,
    cummax,
    cummin,
    cumprod,
    cumprod_p,
    cumsum,
)
from fnx.primitives.linear_recurrence import linear_recurrence, linear_recurrence_p
from fnx.primitives.reductions import reduce_sum
from fnx.primitives.shaping import broadcast_in_dim
from fnx.transforms.grad import grad
from fnx.transforms.jacobian import jacfwd, jacrev

FUNCTIONS = {
    cumsum: np.add,
    cumprod: np.multiply,
    cummax: np.maximum,
    cummin: np.minimum,
    cumlogsumexp: np.logaddexp,
}


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("axis", [0, 1])
def test_values(rng, function, axis, reverse):
    x = rng.standard_normal((4, 5))
    flipped = np.flip(x, axis) if reverse else x
    expected = FUNCTIONS[function].accumulate(flipped, axis=axis)
    expected = np.flip(expected, axis) if reverse else expected
    out = function(as_array(x), axis, reverse)
    np.testing.assert_allclose(np.asarray(out), expected, rtol=1e-13)


def test_integers_wrap_and_half_floats_accumulate_in_float32():
    out = cumsum(as_array(np.array([100, 100, 100], np.int8)))
    np.testing.assert_array_equal(np.asarray(out), [100, -56, 44])
    out = cumsum(as_array(np.ones(1000, ml_dtypes.bfloat16)))
    assert float(np.asarray(out)[-1]) == 1000.0


def test_extremes_keep_nan_from_the_first_on():
    x = as_array(np.array([1.0, np.nan, 3.0]))
    np.testing.assert_array_equal(np.asarray(cummax(x)), [1.0, np.nan, np.nan])
    np.testing.assert_array_equal(np.asarray(cummin(x, 0, True)), [np.nan, np.nan, 3.0])


def test_cumlogsumexp_of_infinities_and_its_derivative_are_numbers():
    x = as_array(np.array([-np.inf, -np.inf, 1.0, 2.0]))
    out = np.asarray(cumlogsumexp(x))
    np.testing.assert_allclose(out, [-np.inf, -np.inf, 1.0, np.logaddexp(1.0, 2.0)])
    jacobian = np.asarray(jacfwd(cumlogsumexp)(x))
    weight = 1 / (1 + np.exp(1.0))
    np.testing.assert_allclose(jacobian[3], [0.0, 0.0, weight, 1 - weight], atol=1e-15)


def test_cumlogsumexp_neither_overflows_nor_loses_small_terms():
    x = as_array(np.array([1000.0, 1000.0, -1000.0]))
    out = cumlogsumexp(x)
    np.testing.assert_allclose(np.asarray(out), 1000 + np.log([1.0, 2.0, 2.0]), rtol=1e-15)
    jacobian = np.asarray(jacrev(cumlogsumexp)(x))
    np.testing.assert_allclose(jacobian, [[1, 0, 0], [0.5, 0.5, 0], [0.5, 0.5, 0]], atol=1e-12)


def test_cumlogsumexp_of_complex_numbers(rng):
    x = rng.standard_normal(6) + 1j * rng.uniform(-1, 1, 6)
    out = cumlogsumexp(as_array(x))
    np.testing.assert_allclose(np.exp(np.asarray(out)), np.cumsum(np.exp(x)), rtol=1e-12)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("n", [0, 1, 2, 63, 200, 1001])
def test_linear_recurrence_runs_step_by_step(rng, n, reverse):
    factor, term = rng.uniform(-1, 1, (2, n, 3))
    expected = np.zeros((n, 3))
    state = np.zeros(3)
    for k in range(n)[:: -1 if reverse else 1]:
        state = factor[k] * state + term[k]
        expected[k] = state
    out = linear_recurrence(as_array(factor), as_array(term), 0, reverse)
    np.testing.assert_allclose(np.asarray(out), expected, rtol=1e-9, atol=1e-12)


def test_first_factor_is_not_used():
    factor = as_array(np.array([np.inf, 2.0]))
    out = linear_recurrence(factor, as_array(np.array([1.0, 1.0])), 0)
    np.testing.assert_array_equal(np.asarray(out), [1.0, 3.0])


def test_recurrence_transpose_is_the_adjoint(rng):
    factor, term, weight = (as_array(v) for v in rng.standard_normal((3, 9)))
    _, pulled = linear_recurrence_p.transpose(
        weight, factor, Linear(term.aval), axis=0, reverse=False
    )
    forward = np.asarray(linear_recurrence(factor, term, 0)) @ np.asarray(weight)
    np.testing.assert_allclose(np.asarray(pulled) @ np.asarray(term), forward, rtol=1e-12)


def test_derivative_of_cumprod_with_zeros():
    jacobian = np.asarray(jacfwd(cumprod)(as_array(np.array([2.0, 0.0, 0.0, 3.0]))))
    expected = [[1, 0, 0, 0], [0, 2, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    np.testing.assert_array_equal(jacobian, expected)


def test_third_derivative_of_cumprod():
    # The last of the products of (x, x, x) is x**3.
    def cube(x):
        out = cumprod(broadcast_in_dim(x, (3,)))
        return reduce_sum(out, (0,))  # x + x**2 + x**3

    x = as_array(np.array(0.0))
    assert float(np.asarray(grad(grad(grad(cube)))(x))) == 6.0


def test_series_of_cumprod(rng):
    polynomials = rng.uniform(-1, 1, (3, 4))
    out, series = cumprod_p.jet(
        [as_array(polynomials[:, 0])],
        [[as_array(c) for c in polynomials.T[1:]]],
        axis=0,
        reverse=False,
    )
    got = np.stack([np.asarray(c) for c in [out, *series]], axis=1)
    expected = np.array([1.0])
    for k, p in enumerate(polynomials):
        expected = np.convolve(expected, p)[:4]
        np.testing.assert_allclose(got[k], expected, rtol=1e-12, atol=1e-15)


def test_series_of_zeros_stay_zeros():
    x = as_array(np.ones(3))
    _, series = cumprod_p.jet([x], [[Zero(x.aval)] * 2], axis=0, reverse=False)
    assert all(isinstance(c, Zero) for c in series)


def test_errors_name_operation_and_axis():
    x = as_array(np.ones((2, 3), np.float32))
    with pytest.raises(ValueError, match=r"cumsum: axis 2 must be an axis of f32\[2,3\]"):
        cumsum(x, 2)
    with pytest.raises(TypeError, match="cumprod: operand 0 is bool"):
        cumprod(as_array(np.ones(3, bool)))
    with pytest.raises(TypeError, match="linear_recurrence: shapes must be equal"):
        linear_recurrence(x, as_array(np.ones((3, 2), np.float32)), 0)
