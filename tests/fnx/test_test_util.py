"""`check_grads` accepts what is right, and finds what is wrong, at every order."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx.test_util import check_grads, check_jvp, check_vjp


def smooth(tree, n):
    return {"out": jnp.sin(tree["x"]) * tree["y"] ** 2, "n": n * 2}


def test_right_derivatives_of_trees(rng):
    args = ({"x": rng.uniform(size=3), "y": rng.uniform(size=3)}, np.arange(3))
    check_grads(smooth, args, order=3)


def test_complex(rng):
    z = rng.uniform(size=2) + 1j * rng.uniform(size=2)
    check_grads(lambda z: jnp.exp(z) * z, (z,), order=2)


def wrong_at(order):
    """x**5 whose derivative of one order is a hundredth too large."""

    def derived(k):
        f = fnx.custom_jvp(lambda x: np.prod([5.0 - i for i in range(k)]) * x ** (5 - k))
        error = 1.01 if k + 1 == order else 1.0
        f.defjvp(lambda primals, tangents: (f(*primals), error * slope(k)(*primals) * tangents[0]))
        return f

    def slope(k):
        return derived(k + 1)

    return derived(0)


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("modes", [("fwd",), ("rev",), ("fwd", "rev")])
def test_a_wrong_derivative_is_found_at_its_order(order, modes):
    x = np.array(0.7)
    check_grads(wrong_at(order), (x,), order=order - 1, modes=modes)
    with pytest.raises(AssertionError, match=f"order {order}"):
        check_grads(wrong_at(order), (x,), order=order, modes=modes)


def test_single_checks(rng):
    x = rng.uniform(size=3)
    check_jvp(jnp.sin, lambda xs, ts: fnx.jvp(jnp.sin, xs, ts), (x,))
    check_vjp(jnp.sin, lambda *xs: fnx.vjp(jnp.sin, *xs), (x,))
    with pytest.raises(AssertionError, match="mine"):
        check_jvp(jnp.sin, lambda xs, ts: fnx.jvp(jnp.cos, xs, ts), (x,), err_msg="mine")
    with pytest.raises(AssertionError, match="vjp"):
        check_vjp(jnp.sin, lambda *xs: (jnp.sin(*xs), lambda ct: (ct,)), (x,))


def test_functions_from_complex_to_real_numbers(rng):
    x = rng.standard_normal(3) + 1j * rng.standard_normal(3)
    check_grads(lambda v: jnp.sum(jnp.abs(v) ** 3), (x,), order=2)
    wrong = lambda v: (jnp.sum(jnp.abs(v)), lambda ct: (ct * jnp.sign(v),))  # noqa: E731
    with pytest.raises(AssertionError, match="vjp"):
        check_vjp(lambda v: jnp.sum(jnp.abs(v)), wrong, (x,))


def test_unknown_modes_are_refused():
    with pytest.raises(ValueError, match="backward"):
        check_grads(jnp.sin, (1.0,), order=1, modes=("backward",))
