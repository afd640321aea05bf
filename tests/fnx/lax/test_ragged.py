"""Products of groups against loops over the groups; scaled products."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import lax
from fnx.test_util import check_grads

SIZES = np.array([2, 0, 3])


def looped(x, y, sizes):
    out = np.zeros((x.shape[0], y.shape[2]))
    start = 0
    for k, size in enumerate(sizes):
        out[start : start + size] = x[start : start + size] @ y[k]
        start += size
    return out


def test_rows_beyond_the_last_group_are_zero(rng):
    x, y = rng.standard_normal((6, 2)), rng.standard_normal((3, 2, 4))
    np.testing.assert_allclose(lax.ragged_dot(x, y, SIZES), looped(x, y, SIZES), rtol=1e-13)
    compiled = fnx.jit(lax.ragged_dot)(x, y, SIZES)
    np.testing.assert_allclose(compiled, looped(x, y, SIZES), rtol=1e-13)
    wide = lax.ragged_dot(x.astype("f4"), y.astype("f4"), SIZES, preferred_element_type="f8")
    assert wide.dtype == np.float64


def test_derivatives_of_every_mode(rng):
    def numbers(*args):
        return lax.RaggedDotDimensionNumbers(*args)

    cases = [
        ((5, 2), (3, 2, 4), numbers((((1,), (1,)), ((), ())), (0,), (0,))),
        ((5, 2), (5, 4), numbers((((0,), (0,)), ((), ())), (0,), ())),
        ((5, 2, 3), (5, 3, 2), numbers((((2,), (1,)), ((0,), (0,))), (0,), ())),
    ]
    for left, right, chosen in cases:
        operands = rng.standard_normal(left), rng.standard_normal(right)
        check_grads(
            lambda x, y, n=chosen: lax.ragged_dot_general(x, y, SIZES, n), operands, order=2
        )


def test_sizes_may_be_mapped(rng):
    x, y = rng.standard_normal((6, 2)), rng.standard_normal((3, 2, 4))
    sizes = np.array([[2, 0, 3], [6, 0, 0], [1, 1, 1]])
    out = fnx.vmap(lax.ragged_dot, (None, None, 0))(x, y, sizes)
    for k in range(3):
        np.testing.assert_allclose(out[k], looped(x, y, sizes[k]), rtol=1e-13)


@pytest.mark.parametrize(
    ("sizes", "numbers", "words"),
    [
        (np.ones(3), ((((1,), (1,)), ((), ())), (0,), (0,)), "group_sizes must be integers"),
        (SIZES, ((((1,), (1,)), ((), ())), (0, 1), (0,)), r"lhs_ragged_dimensions=\(0, 1\)"),
        (SIZES, ((((1,), (1,)), ((), ())), (0,), ()), r"rhs_group_dimensions=\(\) must be one"),
        (SIZES, ((((1,), (1,)), ((), ())), (0,), (1,)), "axis 1 of rhs .* must be free"),
        (SIZES[:2], ((((1,), (1,)), ((), ())), (0,), (0,)), "each of the 2 groups"),
        (SIZES, ((((0,), (0,)), ((), ())), (0,), (0,)), "has no axis of groups"),
        (SIZES[None], ((((1,), (1,)), ((), ())), (0,), (0,)), "must have the shape"),
    ],
)
def test_errors(sizes, numbers, words):
    with pytest.raises(TypeError, match=words):
        lax.ragged_dot_general(
            np.ones((5, 2)), np.ones((3, 2, 4)), sizes, lax.RaggedDotDimensionNumbers(*numbers)
        )


def test_an_offset_is_refused():
    with pytest.raises(NotImplementedError, match="group_offset must be None"):
        lax.ragged_dot(np.ones((5, 2)), np.ones((3, 2, 4)), SIZES, group_offset=np.array([1]))


def test_scaled_products(rng):
    x = jnp.asarray(rng.integers(-4, 5, (2, 3, 8))).astype("float8_e4m3fn")
    y = jnp.asarray(rng.integers(-4, 5, (2, 8, 5))).astype("float8_e4m3fn")
    a, b = 2.0 ** rng.integers(-2, 3, (2, 3, 4)), 2.0 ** rng.integers(-2, 3, (2, 2, 5))
    out = lax.scaled_dot(x, y, lhs_scale=a, rhs_scale=b, preferred_element_type="float32")
    left = np.asarray(x).astype("f8") * np.repeat(a, 2, 2)
    right = np.asarray(y).astype("f8") * np.repeat(b, 4, 1)
    np.testing.assert_array_equal(np.asarray(out), left @ right)
    assert lax.scaled_dot(x, y).dtype.name == "bfloat16"
    check_grads(
        lambda a: lax.scaled_dot(left, right, lhs_scale=a, preferred_element_type="f8"), (a,), 2
    )


@pytest.mark.parametrize("scale", [(3, 4), (3, 3), (2, 2), (3,)])
def test_scales_that_do_not_fit(scale):
    with pytest.raises(TypeError, match="scaled_dot: lhs_scale .* must have the sizes of lhs"):
        lax.scaled_dot(np.ones((3, 4)), np.ones((4, 2)), lhs_scale=np.ones(scale))
