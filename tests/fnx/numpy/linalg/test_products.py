"""Products, powers and traces in linalg's forms, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp


def test_cross(rng):
    x, y = rng.standard_normal((2, 3)), rng.standard_normal((4, 1, 3))
    np.testing.assert_allclose(np.asarray(jnp.linalg.cross(x, y)), np.cross(x, y))
    x, y = rng.standard_normal((3, 2)), rng.standard_normal((3, 2))
    out = jnp.linalg.cross(x, y, axis=0)
    np.testing.assert_allclose(np.asarray(out), np.linalg.cross(x, y, axis=0))
    with pytest.raises(ValueError, match="cross: both arrays must hold vectors of three elements"):
        jnp.linalg.cross(x, y)


def test_diagonals_and_traces(rng):
    x = rng.standard_normal((2, 3, 4))
    for offset in (-1, 0, 2):
        out = jnp.linalg.diagonal(x, offset=offset)
        np.testing.assert_array_equal(np.asarray(out), np.linalg.diagonal(x, offset=offset))
        out = jnp.linalg.trace(x, offset=offset)
        np.testing.assert_allclose(np.asarray(out), np.linalg.trace(x, offset=offset))
    assert jnp.linalg.trace(x, dtype="float32").dtype == np.float32


def test_products(rng):
    x, y = rng.standard_normal(3), rng.standard_normal(4)
    np.testing.assert_allclose(np.asarray(jnp.linalg.outer(x, y)), np.outer(x, y))
    with pytest.raises(ValueError, match="outer: takes vectors"):
        jnp.linalg.outer(x[None], y)
    a, b = rng.standard_normal((2, 3, 4)), rng.standard_normal((4, 3, 5))
    out = jnp.linalg.tensordot(a, b, axes=((1, 2), (1, 0)))
    np.testing.assert_allclose(np.asarray(out), np.tensordot(a, b, ((1, 2), (1, 0))))
    np.testing.assert_allclose(np.asarray(jnp.linalg.matmul(a, b[:, 0])), a @ b[:, 0])
    np.testing.assert_allclose(np.asarray(jnp.linalg.vecdot(a, y)), np.linalg.vecdot(a, y))
    np.testing.assert_array_equal(np.asarray(jnp.linalg.matrix_transpose(a)), a.swapaxes(1, 2))


def test_several_factors(rng):
    shapes = [(5, 40), (40, 3), (3, 30), (30, 2)]
    xs = [rng.standard_normal(s) for s in shapes]
    for chosen in (
        xs,
        xs[:2],
        [xs[0][0], *xs[1:]],
        [*xs[:3], xs[3][:, 0]],
        [xs[0][0], xs[1][:, 0]],
    ):
        out = jnp.linalg.multi_dot(chosen)
        np.testing.assert_allclose(np.asarray(out), np.linalg.multi_dot(chosen), rtol=1e-10)
    many = [np.eye(2) + 0.01 * rng.standard_normal((2, 2)) for _ in range(60)]
    np.testing.assert_allclose(np.asarray(jnp.linalg.multi_dot(many)), np.linalg.multi_dot(many))


def test_errors_of_several_factors():
    with pytest.raises(ValueError, match="multi_dot: takes at least two arrays, got 1"):
        jnp.linalg.multi_dot([jnp.eye(2)])
    with pytest.raises(ValueError, match="multi_dot: takes matrices, and vectors as the first"):
        jnp.linalg.multi_dot([jnp.eye(2), jnp.ones(2), jnp.eye(2)])
    with pytest.raises(
        ValueError, match=r"multi_dot: the last size of each.*f32\[2,2\], f32\[3,3\]"
    ):
        jnp.linalg.multi_dot([jnp.eye(2), jnp.eye(3)])


@pytest.mark.parametrize("n", [-3, -1, 0, 1, 2, 3, 7, 12])
def test_powers(rng, n):
    a = rng.standard_normal((2, 3, 3)) + 2 * np.eye(3)
    out = jnp.linalg.matrix_power(a, n)
    np.testing.assert_allclose(np.asarray(out), np.linalg.matrix_power(a, n), rtol=1e-9, atol=1e-12)


def test_powers_of_integers_and_derivatives(rng):
    a = jnp.array([[1, 1], [1, 0]])
    np.testing.assert_array_equal(np.asarray(jnp.linalg.matrix_power(a, 10)), [[89, 55], [55, 34]])
    assert jnp.linalg.matrix_power(a, 0).dtype == np.int32
    assert jnp.linalg.matrix_power(a, -1).dtype == np.float32
    x = rng.standard_normal((3, 3))
    gradient = fnx.grad(lambda v: jnp.trace(jnp.linalg.matrix_power(v, 4)))(x)
    np.testing.assert_allclose(np.asarray(gradient), 4 * np.linalg.matrix_power(x, 3).T, rtol=1e-10)
    with pytest.raises(ValueError, match="matrix_power: takes square matrices"):
        jnp.linalg.matrix_power(jnp.ones((2, 3)), 2)
    with pytest.raises(TypeError, match="matrix_power: the exponent must be an integer, got 1.5"):
        jnp.linalg.matrix_power(x, 1.5)
