"""solve, inv, det, pinv, lstsq, ...: NumPy's values, derivatives, singular matrices."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx.experimental.jet import jet
from fnx.test_util import check_grads

WIDE = [np.float64, np.complex128]
DTYPES = [np.float32, np.complex64, *WIDE]


def _random(rng, shape, dtype):
    x = rng.standard_normal(shape)
    return (x + 1j * rng.standard_normal(shape) if np.dtype(dtype).kind == "c" else x).astype(dtype)


def _well(rng, shape, dtype):
    return _random(rng, shape, dtype) + 3 * np.eye(shape[-1], dtype=dtype)


# --------------------------------------------------------------------------------------- values


@pytest.mark.parametrize("dtype", DTYPES)
def test_solve_broadcasts_as_numpy(rng, dtype):
    tolerance = {"rtol": 200 * np.finfo(dtype).eps, "atol": 100 * np.finfo(dtype).eps}
    for left, right in (
        ((3, 3), (3,)),
        ((3, 3), (3, 2)),
        ((2, 3, 3), (3,)),
        ((2, 3, 3), (3, 2)),
        ((2, 1, 3, 3), (4, 3, 2)),
        ((0, 0), (0, 2)),
    ):
        a, b = _well(rng, left, dtype), _random(rng, right, dtype)
        out = jnp.linalg.solve(a, b)
        wanted = np.linalg.solve(a, b)
        assert out.dtype == dtype and out.shape == wanted.shape
        np.testing.assert_allclose(np.asarray(out), wanted, **tolerance)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 6])
def test_inverses_and_determinants(rng, dtype, n):
    a = _well(rng, (2, n, n), dtype)
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(np.asarray(jnp.linalg.inv(a)), np.linalg.inv(a), atol=300 * eps)
    np.testing.assert_allclose(np.asarray(jnp.linalg.det(a)), np.linalg.det(a), rtol=500 * eps)
    sign, size = jnp.linalg.slogdet(a)
    wanted = np.linalg.slogdet(a)
    np.testing.assert_allclose(np.asarray(sign), wanted[0], atol=300 * eps)
    np.testing.assert_allclose(np.asarray(size), wanted[1], atol=300 * eps)
    assert (sign.dtype, size.dtype) == (wanted[0].dtype, wanted[1].dtype)


def test_integers_become_floats():
    a = jnp.array([[2, 1], [1, 1]])
    assert jnp.linalg.inv(a).dtype == np.float32
    assert jnp.linalg.solve(a, jnp.array([1, 2])).dtype == np.float32
    assert jnp.linalg.det(a.astype("int64")).dtype == np.float64
    assert jnp.linalg.pinv(a).dtype == np.float32


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 2, 4), (0, 3)])
def test_pseudo_inverses(rng, dtype, shape):
    a = _random(rng, shape, dtype)
    out = jnp.linalg.pinv(a)
    tolerance = 2000 * np.finfo(dtype).eps
    np.testing.assert_allclose(np.asarray(out), np.linalg.pinv(a), rtol=tolerance, atol=tolerance)
    if shape == (3, 3):
        hermitian = a + a.conj().T
        out = jnp.linalg.pinv(hermitian, hermitian=True)
        np.testing.assert_allclose(np.asarray(out), np.linalg.pinv(hermitian), atol=10 * tolerance)


def test_pseudo_inverse_cuts_at_rtol():
    a = np.diag([1.0, 0.1, 0.0])
    np.testing.assert_allclose(np.asarray(jnp.linalg.pinv(a, rtol=0.5)), np.diag([1.0, 0, 0]))
    np.testing.assert_allclose(np.asarray(jnp.linalg.pinv(a, rcond=0.05)), np.diag([1, 10.0, 0]))
    stack = jnp.linalg.pinv(np.stack([a, a]), rtol=np.array([0.5, 0.05]))
    np.testing.assert_allclose(np.asarray(stack)[:, 1, 1], [0, 10], atol=1e-12)
    with pytest.raises(ValueError, match="pinv: only one of rtol and rcond"):
        jnp.linalg.pinv(a, 0.1, rcond=0.1)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("columns", [None, 2])
@pytest.mark.parametrize("shape", [(5, 3), (3, 3), (2, 4)])
def test_least_squares(rng, dtype, columns, shape):
    a = _random(rng, shape, dtype)
    b = _random(rng, shape[:1] if columns is None else (shape[0], columns), dtype)
    x, residuals, rank, s = jnp.linalg.lstsq(a, b, numpy_resid=True)
    wanted = np.linalg.lstsq(a, b, rcond=None)
    tolerance = {"rtol": 3000 * np.finfo(dtype).eps, "atol": 2000 * np.finfo(dtype).eps}
    for one, other in zip((x, residuals, rank, s), wanted, strict=True):
        np.testing.assert_allclose(np.asarray(one), other, **tolerance)
        assert np.asarray(one).shape == np.asarray(other).shape
    assert x.dtype == dtype and rank.dtype == np.int32


def test_least_squares_of_deficient_and_empty_matrices():
    a = np.ones((4, 2))
    x, residuals, rank, _ = jnp.linalg.lstsq(a, np.arange(4.0))
    np.testing.assert_allclose(np.asarray(x), [0.75, 0.75])
    np.testing.assert_allclose(np.asarray(residuals), [5.0])
    assert int(rank) == 1
    x, _, rank, s = jnp.linalg.lstsq(np.ones((0, 2)), np.ones(0))
    np.testing.assert_array_equal(np.asarray(x), [0, 0])
    assert int(rank) == 0 and s.shape == (0,)


def test_tensor_systems(rng):
    a = rng.standard_normal((2, 3, 6)).reshape(6, 2, 3)
    inverse = jnp.linalg.tensorinv(a, ind=1)
    np.testing.assert_allclose(np.asarray(inverse), np.linalg.tensorinv(a, ind=1), rtol=1e-9)
    b = rng.standard_normal(6)
    out = jnp.linalg.tensorsolve(a, b)
    np.testing.assert_allclose(np.asarray(out), np.linalg.tensorsolve(a, b), rtol=1e-9)
    for axes, shape in (((0, 2), (2, 12, 6)), ((1,), (2, 6, 3)), ((-1, 0), (2, 12, 6))):
        x = rng.standard_normal(shape)
        y = rng.standard_normal(
            [n for k, n in enumerate(shape) if k - 3 not in axes and k not in axes]
        )
        out = jnp.linalg.tensorsolve(x, y, axes)
        positive = tuple(k % 3 for k in axes)
        np.testing.assert_allclose(
            np.asarray(out), np.linalg.tensorsolve(x, y, positive), rtol=1e-8
        )


# ---------------------------------------------------------------------------------- derivatives

FUNCTIONS = {
    "solve": jnp.linalg.solve,
    "inv": lambda a, b: jnp.linalg.inv(a) @ b,
    "det": lambda a, b: jnp.linalg.det(a) * b[0, 0],
    "slogdet": lambda a, b: jnp.linalg.slogdet(a)[1] * b[0, 0],
    "phase": lambda a, b: jnp.linalg.slogdet(a)[0] * b[0, 0],
    "pinv": lambda a, b: jnp.linalg.pinv(a[:, :3]) @ b,
    "wide pinv": lambda a, b: jnp.linalg.pinv(a[:3]) @ b[:3],
    "lstsq": lambda a, b: jnp.linalg.lstsq(a[:, :3], b)[:2],
    "tensorsolve": lambda a, b: jnp.linalg.tensorsolve(a.reshape(2, 2, 4), b[:, 0].reshape(2, 2)),
}


@pytest.mark.parametrize("dtype", WIDE)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_derivatives_to_the_second_order(rng, name, dtype):
    a, b = _well(rng, (4, 4), dtype), _random(rng, (4, 2), dtype)
    check_grads(FUNCTIONS[name], (jnp.asarray(a), jnp.asarray(b)), order=2, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_mapped_and_compiled(rng, name):
    a, b = jnp.asarray(_well(rng, (3, 4, 4), np.float64)), jnp.asarray(rng.standard_normal((4, 2)))

    def loss(x):
        outs = FUNCTIONS[name](x, b)
        outs = outs if isinstance(outs, tuple) else (outs,)
        return sum(jnp.sum(jnp.sin(o)) for o in outs)

    eager = np.stack([np.asarray(fnx.grad(loss)(x)) for x in a])
    compiled = fnx.jit(fnx.vmap(fnx.grad(loss)))(a)
    np.testing.assert_allclose(np.asarray(compiled), eager, rtol=1e-9, atol=1e-11)


def test_series_of_an_inverse(rng):
    # (A - t B)^-1 = sum (A^-1 B)^k A^-1 t^k
    a, b = _well(rng, (3, 3), np.float64), 0.3 * rng.standard_normal((3, 3))
    zero = jnp.zeros((3, 3), "float64")
    terms = [jnp.asarray(-b), zero, zero, zero]
    value, series = jet(jnp.linalg.inv, (jnp.asarray(a),), [terms])
    inverse = np.linalg.inv(a)
    np.testing.assert_allclose(np.asarray(value), inverse, rtol=1e-11)
    wanted, factorial = inverse, 1.0
    for k, term in enumerate(series, 1):
        wanted, factorial = inverse @ b @ wanted, factorial * k
        np.testing.assert_allclose(np.asarray(term), factorial * wanted, rtol=1e-9, atol=1e-11)


def _exact_derivatives(a, directions):
    """Mixed derivatives of det at integer matrices: coefficients of a polynomial, exactly."""
    count = len(directions)
    total = 0.0
    for chosen in range(2**count):  # the multilinear part, by inclusion and exclusion at +-1
        signs = [1 if chosen >> k & 1 else -1 for k in range(count)]
        moved = a + sum(s * d for s, d in zip(signs, directions, strict=True))
        total += np.prod(signs) * np.linalg.det(moved)
    return total / 2**count


def _pushed(function, direction):
    return lambda x: fnx.jvp(function, (x,), (direction,))[1]


@pytest.mark.parametrize("rank", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("dtype", WIDE)
def test_determinants_of_singular_matrices_have_all_derivatives(rng, rank, dtype):
    # Directions of one element each: det is linear along each, so products of differences are
    # exact derivatives.
    a = np.diag([1.0] * rank + [0.0] * (4 - rank)).astype(dtype)
    places = [(3, 3), (2, 2), (1, 1), (0, 0)]

    def unit(i, j):
        e = np.zeros((4, 4), dtype)
        e[i, j] = 1
        return e

    for order in (1, 2, 3, 4):
        directions = [unit(*p) for p in places[:order]]
        push = jnp.linalg.det
        for direction in directions:
            push = _pushed(push, jnp.asarray(direction))
        wanted = _exact_derivatives(a, directions)
        np.testing.assert_allclose(np.asarray(push(jnp.asarray(a))), wanted, atol=1e-10)
    assert np.asarray(jnp.linalg.det(a)) == (1 if rank == 4 else 0)


def test_gradient_of_a_determinant_is_the_adjugate_under_every_transform(rng):
    u, s, vh = np.linalg.svd(rng.standard_normal((5, 5)))
    s[-1] = 0  # singular up to rounding
    a = (u * s) @ vh
    wanted = np.linalg.det(u) * np.linalg.det(vh) * np.prod(s[:-1]) * np.outer(u[:, -1], vh[-1])
    gradient = fnx.grad(jnp.linalg.det)
    np.testing.assert_allclose(np.asarray(gradient(a)), wanted, atol=1e-12)
    np.testing.assert_allclose(np.asarray(fnx.jit(gradient)(a)), wanted, atol=1e-12)
    b = rng.standard_normal((5, 5))
    both = np.asarray(fnx.jit(fnx.vmap(gradient))(jnp.stack([a, b])))
    np.testing.assert_allclose(both[0], wanted, atol=1e-12)
    np.testing.assert_allclose(both[1], np.linalg.det(b) * np.linalg.inv(b).T, rtol=1e-9)


def test_pseudo_inverse_is_differentiated_along_its_rank(rng):
    left, right = rng.standard_normal((4, 2)), rng.standard_normal((2, 3))
    dl, dr = rng.standard_normal((4, 2)), rng.standard_normal((2, 3))

    def along(t):
        return jnp.linalg.pinv((left + t * dl) @ (right + t * dr), rtol=1e-9)

    _, tangent = fnx.jvp(along, (jnp.asarray(0.0, "float64"),), (jnp.asarray(1.0, "float64"),))
    step = 1e-5
    difference = (np.asarray(along(step)) - np.asarray(along(-step))) / (2 * step)
    np.testing.assert_allclose(np.asarray(tangent), difference, rtol=1e-6, atol=1e-7)


# --------------------------------------------------------------------------------------- errors


def test_errors():
    with pytest.raises(ValueError, match=r"solve: takes square matrices.*got f32\[2,3\]"):
        jnp.linalg.solve(jnp.ones((2, 3)), jnp.ones(2))
    with pytest.raises(ValueError, match=r"solve: b must be a vector, or matrices with as many"):
        jnp.linalg.solve(jnp.eye(3), jnp.ones(2))
    with pytest.raises(ValueError, match="solve: b must be a vector"):
        jnp.linalg.solve(jnp.eye(3), 1.0)
    with pytest.raises(ValueError, match=r"inv: takes square matrices"):
        jnp.linalg.inv(jnp.ones((2, 3)))
    with pytest.raises(ValueError, match=r"det: takes matrices in the last two axes, got f32\[3\]"):
        jnp.linalg.det(jnp.ones(3))
    with pytest.raises(ValueError, match="slogdet: unknown method 'qr'"):
        jnp.linalg.slogdet(jnp.eye(2), method="qr")
    with pytest.raises(ValueError, match="lstsq: takes a matrix and a vector"):
        jnp.linalg.lstsq(jnp.eye(3), jnp.ones(2))
    with pytest.raises(ValueError, match="tensorinv: ind must be a positive integer, got 0"):
        jnp.linalg.tensorinv(jnp.eye(2), 0)
    with pytest.raises(ValueError, match="tensorinv: the product of the first ind=1"):
        jnp.linalg.tensorinv(jnp.ones((2, 3)), 1)
    with pytest.raises(ValueError, match="tensorsolve: the first extents of a must be those of b"):
        jnp.linalg.tensorsolve(jnp.ones((2, 3)), jnp.ones(3))
    with pytest.raises(TypeError, match=r"inv: takes float32.*got f16\[2,2\]"):
        jnp.linalg.inv(jnp.eye(2, dtype="float16"))
