"""Derivatives of order 1 to 8 of one function: by nested grad, by jet, and in closed form.

Then a Hessian-vector product without the Hessian, and gradients example by example.

    python examples/higher_order.py
"""

from __future__ import annotations

import time

import numpy as np

import fnx as jax
import fnx.numpy as jnp
from fnx.experimental.jet import jet


def f(x):
    """The function: exp(-x) sin(2x)."""
    return jnp.exp(-x) * jnp.sin(2.0 * x)


def closed_form(x, order):
    """Its derivative: Im[(-1 + 2i)^n exp((-1 + 2i) x)]."""
    return ((complex(-1, 2) ** order) * np.exp(complex(-1, 2) * x)).imag


def towers(x, highest):
    """Prints the derivatives and how far they are from the closed form."""
    start = time.perf_counter()
    _, series = jax.jit(
        lambda x: jet(f, (x,), ([jnp.ones_like(x)] + [jnp.zeros_like(x)] * (highest - 1),))
    )(x)
    jet_seconds = time.perf_counter() - start
    g = f
    print("order  nested grad          jet                  closed form          worst error  eqns")
    for order in range(1, highest + 1):
        g = jax.grad(g)
        nested, expected = float(jax.jit(g)(x)), closed_form(float(x), order)
        by_jet = float(series[order - 1])
        error = max(abs(nested - expected), abs(by_jet - expected)) / abs(expected)
        count = len(jax.make_jaxpr(g)(x).eqns)
        print(
            f"{order:5d}  {nested:<19.12g}  {by_jet:<19.12g}  {expected:<19.12g}  {error:11.1e}  "
            f"{count:4d}"
        )
    print(f"jet: all {highest} orders compiled and computed in {jet_seconds * 1e3:.0f} ms\n")


def hessian_vector_product():
    """Forward over reverse against the whole Hessian."""

    def rosenbrock(x):
        return jnp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    x = jnp.asarray(np.linspace(-1.0, 1.5, 6))
    v = jnp.asarray(np.cos(np.arange(6.0)))
    product = jax.jit(lambda x, v: jax.jvp(jax.grad(rosenbrock), (x,), (v,))[1])(x, v)
    whole = jax.jit(jax.hessian(rosenbrock))(x)
    print("Hessian-vector product:", np.array2string(np.asarray(product), precision=4))
    print(f"  against the whole Hessian: {float(jnp.max(jnp.abs(whole @ v - product))):.1e}\n")


def gradients_by_example():
    """vmap of grad: how much each example pulls on a linear model."""

    def loss(w, x, y):
        return (jnp.dot(w, x) - y) ** 2

    rng = np.random.default_rng(0)
    x, y = jnp.asarray(rng.normal(size=(5, 3))), jnp.asarray(rng.normal(size=5))
    w = jnp.asarray(rng.normal(size=3))
    each = jax.jit(jax.vmap(jax.grad(loss), in_axes=(None, 0, 0)))(w, x, y)
    total = jax.grad(lambda w: jnp.sum(jax.vmap(loss, (None, 0, 0))(w, x, y)))(w)
    print(
        "norm of each example's gradient:",
        np.array2string(np.linalg.norm(each, axis=1), precision=4),
    )
    print(
        "  their sum against the gradient of the sum: "
        f"{float(jnp.max(jnp.abs(each.sum(0) - total))):.1e}"
    )


def main():
    towers(np.float64(0.4), 8)
    hessian_vector_product()
    gradients_by_example()


if __name__ == "__main__":
    main()
