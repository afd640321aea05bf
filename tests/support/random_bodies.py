"""Random smooth expressions that keep shape, dtype and boundedness: what loops and branches hold.

`Bodies.expression(names)` is the text of an expression over values of one shape, with control flow,
custom rules, checkpoints and nested jit inside it.  `PRELUDE` is the text of the functions with
custom rules that programs may call; their rules are the true derivatives, so that differences can
check them.  Read next: `random_operations`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["PRELUDE", "Bodies"]

PRELUDE = """\
from functools import partial

import numpy as np

import fnx
import fnx.numpy as jnp
from fnx import lax, nn, random
from fnx.ad_checkpoint import checkpoint_name
from fnx.custom_batching import custom_vmap
from fnx.custom_derivatives import linear_call
from fnx.experimental import io_callback
from fnx.primitives import windows
from tests.support.random_samples import sampled


@fnx.custom_jvp
def swish(x):
    return x * lax.logistic(x)


@swish.defjvp
def swish_jvp(primals, tangents):
    (x,), (dx,) = primals, tangents
    s = lax.logistic(x)
    return x * s, dx * (s + x * s * (1.0 - s))


@fnx.custom_vjp
def bent(x):
    return lax.sin(x) * 0.75 + x * 0.25


bent.defvjp(lambda x: (bent(x), lax.cos(x)), lambda c, ct: (ct * (0.75 * c + 0.25),))


def between(middle, half, x):
    return middle + half * lax.sin(x)


def shaped(x, shape):
    count = np.prod(shape, dtype=int)
    if x.size >= count:
        return jnp.reshape(jnp.ravel(x)[:count], shape)
    ramp = jnp.reshape(jnp.arange(count, dtype=x.dtype), shape)
    return lax.sin(ramp * 0.7 + 0.25 * jnp.sum(x))


@custom_vmap
def mapped(x):
    return lax.tanh(x) * 0.5


@mapped.def_vmap
def mapped_rule(size, in_batched, x):
    return lax.tanh(x) * 0.5, in_batched[0]


def quotient(x, d):
    return lax.custom_linear_solve(lambda u: u * d, x, lambda f, b: b / d, symmetric=True)


def scaled(x, c):
    return linear_call(lambda c, u: u * c, lambda c, ct: ct * c, c, x)


def looked_at(x):
    fnx.debug.callback(lambda y: None, x)
    return x


def called(n):
    number = fnx.ShapeDtypeStruct((), jnp.float32)
    return fnx.pure_callback(lambda n: np.float32(n) / 4, number, jnp.int32(n))


def told(n):
    number = fnx.ShapeDtypeStruct((), jnp.float32)
    return io_callback(lambda n: np.float32(n) / 4, number, jnp.int32(n))


@fnx.jit
def spread(x):
    n = x.shape[-1]
    return lax.sin(x) * 0.3 + jnp.diag(jnp.arange(1, 2 * n, 2).astype(x.dtype))


@fnx.jit
def reordered(a):
    packed, pivots, _ = lax.linalg.lu(a)
    order = lax.linalg.lu_pivots_to_permutation(pivots, a.shape[-1])
    return jnp.take_along_axis(packed, order[..., None], axis=-2)


@fnx.jit
def of_symmetric(a):
    w, v = jnp.linalg.eigh(a)
    return w, jnp.einsum("...ik,...k,...jk->...ij", v, lax.sin(w), v)


@fnx.jit
def of_general(a):
    w, v = jnp.linalg.eig(a)
    return jnp.real(w * v[..., 0, :] * jnp.conj(v[..., 0, :]))


@fnx.jit
def of_singular(a):
    u, s, vh = jnp.linalg.svd(a)
    return s, jnp.einsum("...ik,...k,...kj->...ij", u, lax.tanh(s), vh)
"""

UNARY = ("sin", "cos", "tanh", "logistic", "atan", "erf", "asinh")


class Bodies:
    """A source of expressions.

    Parameters
    ----------
    rng : numpy.random.Generator
        What decides.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.count = 0

    def one_of(self, choices: Sequence[str]) -> str:
        """One of several texts."""
        return choices[int(self.rng.integers(len(choices)))]

    def number(self, low: float, high: float) -> float:
        """A short number between two others."""
        return round(float(self.rng.uniform(low, high)), 3)

    def fresh(self) -> str:
        """The name of a parameter of a nested function."""
        self.count += 1
        return f"u{self.count}"

    def expression(self, names: Sequence[str], depth: int = 2, control: bool = True) -> str:
        """An expression of the shape of the values called `names`, bounded if they are."""
        name = self.one_of(names)
        if depth == 0:
            return f"{name} * {self.number(0.5, 1.2)}"
        roll = self.rng.random()
        if control and roll < 0.35:
            return self.nested(name, names, depth - 1)
        first = self.expression(names, depth - 1, control)
        if roll < 0.65:
            return f"lax.{self.one_of(UNARY)}({first})"
        second = self.expression(names, depth - 1, False)
        form = self.one_of(
            (
                "lax.sin({}) * ({})",
                "({}) * 0.6 - ({}) * 0.5",
                "lax.tanh({}) + 0.5 * lax.cos({})",
                "({0}) - 0.5 * jnp.mean({1})",
                "jnp.sum({1}) * 0.1 + lax.sin({0})",
                "lax.logistic({}) * ({})",
            )
        )
        return form.format(first, second)

    def function(self, names: Sequence[str], depth: int = 1) -> str:
        """A lambda of one value to one of its type."""
        u = self.fresh()
        return f"lambda {u}: {self.expression([u, *names], depth)}"

    def nested(self, name: str, names: Sequence[str], depth: int) -> str:
        """Control flow, or a function with a rule of its own, applied to a value."""
        u = self.fresh()
        inner = self.expression([u, *names], depth, depth > 0)
        limit = self.number(-0.5, 0.5)
        form = self.one_of(
            (
                f"lax.cond(jnp.sum({name}) > {limit}, lambda {u}: {inner}, "
                f"{self.function(names, depth)}, {name})",
                f"lax.fori_loop(0, {1 + int(self.rng.integers(3))}, "
                f"lambda i, {u}: {inner}, {name})",
                f"fnx.jit(lambda {u}: {inner})({name})",
                f"fnx.checkpoint(lambda {u}: {inner})({name})",
                f"swish((lambda {u}: {inner})({name}))",
                f"bent((lambda {u}: {inner})({name}))",
                f"lax.scan(lambda {u}, y: (lax.sin({inner}) * y, None), {name}, "
                f"jnp.asarray([0.5, 0.75, 1.0], {name}.dtype))[0]",
                f"lax.while_loop(lambda s: s[0] < {1 + int(self.rng.integers(3))}, "
                f"lambda s: (s[0] + 1, (lambda {u}: {inner})(s[1])), (0, {name}))[1]",
            )
        )
        return f"lax.tanh({form})" if "while" in form or "fori" in form else form
