"""Transforms of solvers, loops and custom rules against closed forms.

Each test is one composition that other libraries refuse: second derivatives and Taylor series of an
adaptive solver, the gradient of lanes of a loop of unknown length, forward mode of a function that
brings its reverse mode.
"""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import lax
from fnx.experimental.jet import jet
from fnx.experimental.ode import odeint


@pytest.fixture(autouse=True)
def _wide():
    with fnx.enable_x64(True):
        yield


def test_hessian_of_odeint():
    # A damped oscillator: y'' = -w**2 y - 2 d y', y(0) = a, y'(0) = 0.
    def solved(p):
        a, w, d = p

        def field(y, t):
            return jnp.stack([y[1], -(w**2) * y[0] - 2 * d * y[1]])

        times = jnp.array([0.0, 1.5])
        return odeint(field, jnp.stack([a, 0 * a]), times, rtol=1e-10, atol=1e-10)[1, 0]

    def closed(p):
        a, w, d = p
        v = jnp.sqrt(w**2 - d**2)
        return a * jnp.exp(-d * 1.5) * (jnp.cos(v * 1.5) + d / v * jnp.sin(v * 1.5))

    p = jnp.array([1.2, 2.0, 0.3])
    np.testing.assert_allclose(fnx.jit(fnx.hessian(solved))(p), fnx.hessian(closed)(p), atol=1e-7)


def test_jet_of_odeint():
    # y' = y**2, y(0) = a: y(t) = a / (1 - a t), by a and by t.
    def solved(a, end):
        times = end * jnp.array([0.0, 1.0])
        return odeint(lambda y, t: y * y, a, times, rtol=1e-10, atol=1e-10)[1]

    a, end = 0.8, 0.5
    q = 1 - a * end
    _, by_a = jet(lambda a: solved(a, end), (a,), ([1.0, 0.0, 0.0, 0.0],))
    wanted = [k_factorial * end ** (k - 1) / q ** (k + 1) for k, k_factorial in FACTORIALS]
    np.testing.assert_allclose(by_a, wanted, rtol=1e-7)
    _, by_end = jet(lambda end: solved(a, end), (end,), ([1.0, 0.0, 0.0],))
    wanted = [k_factorial * a ** (k + 1) / q ** (k + 1) for k, k_factorial in FACTORIALS[:3]]
    np.testing.assert_allclose(by_end, wanted, rtol=1e-7)


FACTORIALS = ((1, 1), (2, 2), (3, 6), (4, 24))


def test_vmap_of_grad_of_while_loop():
    # Doubling until 100 is passed: n doublings, and a slope of 2**n, in each lane its own n.
    def doubled(x):
        return lax.while_loop(lambda x: x < 100, lambda x: 2 * x, x)

    x = np.array([0.3, 1.0, 7.0, 60.0, 150.0])
    n = np.maximum(np.ceil(np.log2(100 / x)), 0)
    np.testing.assert_array_equal(fnx.vmap(fnx.grad(doubled))(x), 2**n)
    np.testing.assert_array_equal(fnx.jit(fnx.vmap(fnx.grad(doubled)))(x), 2**n)

    # Newton's iteration for a square root, to a tolerance: also the second derivative.
    def root(a):
        def better(x):
            return 0.5 * (x + a / x)

        return better(lax.while_loop(lambda x: abs(x * x - a) > 1e-12 * a, better, 1 + 0 * a))

    a = np.array([0.01, 0.5, 2.0, 900.0])
    np.testing.assert_allclose(fnx.vmap(fnx.grad(root))(a), 0.5 / np.sqrt(a), rtol=1e-9)
    second = fnx.vmap(fnx.grad(fnx.grad(root)))(a)
    np.testing.assert_allclose(second, -0.25 * a**-1.5, rtol=1e-6)


def test_jacfwd_of_custom_vjp():
    @fnx.custom_vjp
    def f(x, y):
        return jnp.sin(x) * y

    def forward(x, y):
        return f(x, y), (jnp.cos(x), jnp.sin(x), y)

    def backward(saved, ct):
        cos_x, sin_x, y = saved
        return cos_x * ct * y, sin_x * ct

    f.defvjp(forward, backward)
    x, y = jnp.array([0.3, -1.1, 2.0]), jnp.array([1.5, 0.2, -0.7])
    by_x, by_y = fnx.jacfwd(f, (0, 1))(x, y)
    np.testing.assert_allclose(by_x, np.diag(np.cos(x) * np.asarray(y)), atol=1e-15)
    np.testing.assert_allclose(by_y, np.diag(np.sin(x)), atol=1e-15)
    second = fnx.jacfwd(fnx.jacrev(lambda x: jnp.sum(f(x, y))))(x)
    np.testing.assert_allclose(second, np.diag(-np.sin(x) * np.asarray(y)), atol=1e-15)
    both = fnx.jacfwd(fnx.jacfwd(lambda x: jnp.sum(f(x, y))))(x)
    np.testing.assert_allclose(both, second, atol=1e-15)
