"""Polynomials: against NumPy, under jit and vmap, derivatives."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx.test_util import check_grads
from tests.support.numpy_cases import expressions
from tests.support.numpy_tables import assert_mapped, assert_same_as_numpy
from tests.support.numpy_trials import (
    assert_compiled_and_mapped,
    assert_derivatives,
    assert_dtypes,
    assert_values,
    differentiable,
)

P = np.array([2.0, -1.0, 0.5, 3.0])
Q = np.array([1.0, 4.0])
X4 = np.array([0.0, 1.0, 2.0, 4.0])


@pytest.mark.parametrize("name", ["polyadd", "polysub"])
def test_sums(name):
    assert_same_as_numpy(name, [P, Q])
    assert_same_as_numpy(name, [Q, P])
    assert_same_as_numpy(name, [np.array([1, 2]), np.array([3])])
    assert_same_as_numpy(name, [np.array(2.0), P])


def test_values():
    assert_same_as_numpy("polyval", [P, np.array([[0.5, -1.0], [2.0, 0.0]])])
    assert_same_as_numpy("polyval", [P, np.array(1.5)])
    assert_same_as_numpy("polyval", [np.array([1, 2, 3]), np.array([2, 5])])
    assert_same_as_numpy("polyval", [P, np.array([1j, 2 - 1j])])
    with pytest.raises(ValueError, match="polyval: coefficients must have an axis"):
        jnp.polyval(1.0, 2.0)


@pytest.mark.parametrize("m", [0, 1, 2, 4, 6])
def test_derivative(m):
    assert_same_as_numpy("polyder", [P], {"m": m})


@pytest.mark.parametrize("m", [0, 1, 2])
def test_integral(m):
    assert_same_as_numpy("polyint", [P], {"m": m})
    if m:
        assert_same_as_numpy("polyint", [P], {"m": m, "k": np.arange(1.0, m + 1)})
        assert_same_as_numpy("polyint", [P], {"m": m, "k": 2.5})


def test_errors_name_the_argument():
    with pytest.raises(ValueError, match="polyder: m must not be negative"):
        jnp.polyder(jnp.asarray(P), -1)
    with pytest.raises(ValueError, match="polyint: m must not be negative"):
        jnp.polyint(jnp.asarray(P), -1)
    with pytest.raises(ValueError, match="polyint: k must be one constant or 3"):
        jnp.polyint(jnp.asarray(P), 3, jnp.ones(2))
    with pytest.raises(ValueError, match="polyadd: coefficients must have one axis"):
        jnp.polyadd(jnp.ones((2, 2)), jnp.ones(2))


def test_mapped_and_derivatives():
    for name in ("polyadd", "polysub", "polyval"):
        assert_mapped(name, [P, Q])
        with fnx.enable_x64(True):
            check_grads(getattr(jnp, name), (jnp.asarray(P), jnp.asarray(Q)), order=2)
    for name in ("polyder", "polyint"):
        assert_mapped(name, [P])
        with fnx.enable_x64(True):
            check_grads(getattr(jnp, name), (jnp.asarray(P),), order=2)


EXPRESSIONS = expressions("polynomials")
DIFFERENTIABLE = [e for e in EXPRESSIONS if differentiable(e)]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_dtypes(expression):
    assert_dtypes("polynomials", expression)


# NumPy's rest of a division has no zeros at the front: see test_trimming.
@pytest.mark.parametrize("expression", [e for e in EXPRESSIONS if not e.startswith("polydiv")])
def test_expressions(expression):
    assert_values(expression)


@pytest.mark.parametrize("expression", DIFFERENTIABLE)
def test_derivatives(expression):
    assert_derivatives(expression)


@pytest.mark.parametrize("expression", DIFFERENTIABLE)
def test_compiled_and_mapped(expression):
    assert_compiled_and_mapped(expression)


@pytest.mark.parametrize("p", [[1, -3, 2], [0, 0, 2, 1, 0], [1, 0, 1], [5], [0, 0], [1, 2j, 3]])
def test_roots(p):
    p = np.array(p, np.complex128 if any(isinstance(c, complex) for c in p) else np.float64)
    found, wanted = np.asarray(jnp.roots(p)), np.roots(p)
    assert found.shape == wanted.shape
    np.testing.assert_allclose(np.sort_complex(found), np.sort_complex(wanted), atol=1e-14)


def test_roots_while_tracing():
    p = jnp.array([1.0, -3.0, 2.0], dtype="float64")
    with pytest.raises(TypeError, match="strip_zeros=False"):
        fnx.jit(jnp.roots)(p)
    # d root / d coefficient_k = -root**(2 - k) / p'(root)
    grad = fnx.grad(lambda p: jnp.max(jnp.roots(p, strip_zeros=False).real))(p)
    np.testing.assert_allclose(grad, [-4.0, -2.0, -1.0], rtol=1e-12)


@pytest.mark.parametrize("options", [{}, {"w": np.arange(1.0, 9.0)}, {"cov": True},
                                     {"cov": "unscaled"}])  # fmt: skip
def test_fits(options):
    x = np.linspace(-1, 2, 8)
    y = np.stack([np.sin(x), np.exp(x)], axis=1)
    for values in (y, y[:, 0]):
        ours, theirs = jnp.polyfit(x, values, 3, **options), np.polyfit(x, values, 3, **options)
        pairs = zip(ours, theirs, strict=True) if "cov" in options else [(ours, theirs)]
        for a, b in pairs:
            np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)
    full = jnp.polyfit(x, y, 2, full=True)
    for a, b in zip(full, np.polyfit(x, y, 2, full=True), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10)


def test_trimming():
    product = jnp.polymul(np.array([0.0, 2, 3]), np.array([0.0, 1]), trim_leading_zeros=True)
    np.testing.assert_array_equal(product, [2.0, 3.0])
    u, v = np.array([1.0, 3, 5, 7]), np.array([1.0, 2])
    for a, b in zip(jnp.polydiv(u, v, trim_leading_zeros=True), np.polydiv(u, v), strict=True):
        np.testing.assert_allclose(a, b)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: jnp.poly(jnp.ones((2, 3))), ValueError, "poly: seq_of_zeros"),
        (lambda: jnp.roots(jnp.ones((2, 3))), ValueError, "roots: p must have one axis"),
        (lambda: jnp.vander(jnp.ones((2, 3))), ValueError, "vander: x must have one axis"),
        (lambda: jnp.vander(jnp.ones(2), -1), ValueError, "vander: N must not be negative"),
        (lambda: jnp.polyfit(X4, X4, -1), ValueError, "deg must not be negative"),
        (lambda: jnp.polyfit(X4[None], X4, 1), TypeError, "polyfit: x must have one axis"),
        (lambda: jnp.polyfit(X4, X4[:2], 1), TypeError, "doesn't fit x"),
        (lambda: jnp.polyfit(X4, X4, 1, w=X4[:2]), TypeError, "polyfit: w"),
        (lambda: jnp.polyfit(X4, X4, 3, cov=True), ValueError, "cov='unscaled'"),
    ],
)
def test_more_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()
