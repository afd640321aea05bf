"""Numbers by their parts.

Dtypes against JAX, values against NumPy, derivatives against differences.
"""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from tests.support.numpy_cases import expressions
from tests.support.numpy_trials import (
    assert_compiled_and_mapped,
    assert_derivatives,
    assert_dtypes,
    assert_values,
    differentiable,
)

EXPRESSIONS = expressions("number_parts")
DIFFERENTIABLE = [e for e in EXPRESSIONS if differentiable(e)]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_dtypes(expression):
    assert_dtypes("number_parts", expression)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_values(expression):
    assert_values(expression)


@pytest.mark.parametrize("expression", DIFFERENTIABLE)
def test_derivatives(expression):
    assert_derivatives(expression)


@pytest.mark.parametrize("expression", DIFFERENTIABLE)
def test_compiled_and_mapped(expression):
    assert_compiled_and_mapped(expression)


TINY = np.array([5e-324, 2.2e-308, 1e-310, -1e-315, 0.0, -0.0, np.inf, np.nan, 1.7e308, 3.0])


@pytest.mark.parametrize("compiled", [False, True])
def test_frexp_and_ldexp_at_the_ends(compiled):
    wrap = fnx.jit if compiled else lambda f: f
    mantissa, exponent = wrap(jnp.frexp)(TINY)
    wanted = np.frexp(TINY)
    np.testing.assert_array_equal(mantissa, wanted[0])
    np.testing.assert_array_equal(exponent[:6], wanted[1][:6])
    np.testing.assert_array_equal(wrap(jnp.ldexp)(mantissa, exponent), TINY)
    for n in (-2100, -1080, -1074, -1022, -1, 1000, 1023, 1024, 2100):
        with np.errstate(all="ignore"):
            wanted = np.ldexp(TINY, n)
        np.testing.assert_array_equal(wrap(jnp.ldexp)(TINY, n), wanted, str(n))
    small = TINY[[4, 6, 7, 9]].astype(np.float32)
    np.testing.assert_array_equal(wrap(jnp.ldexp)(small, -140), np.ldexp(small, -140))


def test_gcd_while_tracing():
    x, y = np.array([12, -18, 0, 7, 100]), np.array([18, 12, 0, -21, 75])
    np.testing.assert_array_equal(fnx.jit(jnp.gcd)(x, y), np.gcd(x, y))
    np.testing.assert_array_equal(fnx.jit(jnp.lcm)(x, y), np.lcm(x, y))
    np.testing.assert_array_equal(fnx.vmap(jnp.gcd)(x, y), np.gcd(x, y))


def test_spacing_and_nextafter_at_the_ends():
    np.testing.assert_array_equal(jnp.spacing(TINY)[:6], np.spacing(TINY)[:6] * 1.0)
    assert jnp.spacing(jnp.float32(0)) == np.float32(1e-45)
    np.testing.assert_array_equal(jnp.nextafter(TINY, np.inf), np.nextafter(TINY, np.inf))


def test_unwrap_follows_jumps():
    x = np.cumsum(np.random.default_rng(5).uniform(-3, 3, (4, 30)), axis=1)
    np.testing.assert_allclose(
        jnp.unwrap(np.angle(np.exp(1j * x))) - x[:, :1] * 0,
        np.unwrap(np.angle(np.exp(1j * x))),
        atol=1e-12,
    )
    whole = np.array([0, 5, 1, 6, 2])
    np.testing.assert_array_equal(jnp.unwrap(whole, period=6), np.unwrap(whole, period=6))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: jnp.gcd(1.5, 2), ValueError, "gcd: operands must hold integers"),
        (lambda: jnp.bitwise_count(1.5), TypeError, "bitwise_count: x must hold integers"),
        (lambda: jnp.packbits(np.ones(2)), TypeError, "packbits: a must hold integers"),
        (lambda: jnp.unpackbits(np.ones(2, int)), TypeError, "unpackbits: a must hold uint8"),
        (lambda: jnp.packbits(np.ones(2, bool), bitorder="x"), ValueError, "bitorder is 'x'"),
        (lambda: jnp.ldexp(1.0, 2.0), TypeError, "ldexp: x2 must hold integers"),
        (lambda: jnp.frexp(1j), TypeError, "frexp: operands must be real"),
        (lambda: jnp.spacing(1j), ValueError, "spacing: x must be real"),
        (lambda: jnp.unwrap(np.ones(2, complex)), ValueError, "unwrap: p must be real"),
    ],
)
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()
