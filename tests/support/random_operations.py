"""What random programs are made of: a table of operations, each writing its statements.

An entry takes the builder (`random_programs.Builder`), chooses operands that exist, or makes some,
and calls `emit`.  It raises `Rejected` where its operands aren't clear of a
kink.  Every primitive that a user's function can reach has an entry here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["OPERATIONS", "Rejected", "forms", "operation"]


class Rejected(Exception):
    """A statement that may not stand here."""


#: By name; a program is a random row of these.
OPERATIONS: dict[str, Callable[[Any], Any]] = {}

#: Smooth functions of one number, each with an interval inside its domain.
DOMAINS = {
    "acos": (-0.9, 0.9), "acosh": (1.2, 8), "asin": (-0.9, 0.9), "asinh": (-8, 8),
    "atan": (-8, 8), "atanh": (-0.9, 0.9), "cbrt": (0.2, 8), "cos": (-8, 8), "cosh": (-2, 2),
    "digamma": (0.5, 8), "erf": (-3, 3), "erf_inv": (-0.9, 0.9), "erfc": (-3, 3), "exp": (-3, 2),
    "exp2": (-3, 3), "expm1": (-3, 2), "lgamma": (0.5, 8), "log": (0.2, 8), "log1p": (-0.7, 8),
    "logistic": (-8, 8), "neg": (-8, 8), "rsqrt": (0.2, 8), "sin": (-8, 8), "sinh": (-2, 2),
    "sqrt": (0.2, 8), "square": (-3, 3), "tan": (-1.2, 1.2), "tanh": (-8, 8),
    "reciprocal": (0.4, 8),
}  # fmt: skip


def operation(write: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Add an entry under its function's name."""
    OPERATIONS[write.__name__] = write
    return write


def forms(*names: str) -> Callable[[Callable[[Any, str], Any]], Callable[[Any, str], Any]]:
    """Add one entry for each name; the function also gets the name."""

    def register(write: Callable[[Any, str], Any]) -> Callable[[Any, str], Any]:
        for name in names:
            OPERATIONS[name] = lambda g, name=name: write(g, name)
        return write

    return register


# -------------------------------------------------------------------------------------- elementwise


@forms(*DOMAINS)
def unary(g: Any, name: str) -> None:
    g.emit(f"lax.{name}({g.within(*DOMAINS[name])})")


@forms("add", "sub", "mul")
def arithmetic(g: Any, name: str) -> None:
    x = g.real()
    g.emit(f"lax.{name}({x}, {g.like(x)})")


@forms("jnp.add", "jnp.multiply", "jnp.subtract", "jnp.arctan2", "jnp.logaddexp", "jnp.hypot")
def broadcasting(g: Any, name: str) -> None:
    x, y = g.real(), g.within(0.3, 3)
    if any(m != n and 1 not in (m, n) for m, n in zip(g.shape(x)[::-1], g.shape(y)[::-1])):
        y = f"jnp.mean({y})"
    g.emit(
        f"fnx.jit({name})({x}, {y})" if name != "jnp.hypot" else f"fnx.jit({name})({x} + 2.5, {y})"
    )


@operation
def div(g: Any) -> None:
    y = g.within(0.4, 8)
    g.emit(f"lax.div({g.like(y)}, {y})")


@operation
def power(g: Any) -> None:
    x = g.within(0.4, 2.5)
    g.emit(f"lax.pow({x}, {g.interval(x, -1.5, 2)})")


@operation
def integer_pow(g: Any) -> None:
    g.emit(f"lax.integer_pow({g.within(0.5, 2)}, {g.one_of(('-2', '-1', '3', '4'))})")


@operation
def atan2(g: Any) -> None:
    x = g.within(0.3, 3)
    g.emit(f"lax.atan2({g.like(x)}, {x})")


@operation
def polygamma(g: Any) -> None:
    x = g.within(0.8, 4)
    g.emit(f"fnx.jit(lax.polygamma)(jnp.full_like({x}, {1 + int(g.rng.integers(3))}), {x})")


@operation
def rem(g: Any) -> None:
    x = g.real()
    y = g.interval(x, *((0.7, 1.6), (2.0, 4.0))[int(g.rng.integers(2))])
    for a, b in zip(g.values(x), g.values(y), strict=True):
        if np.any(np.abs(a / b - np.rint(a / b)) < 0.02):
            raise Rejected
    g.emit(f"lax.rem({x}, {y})")


@operation
def complex_numbers(g: Any) -> None:
    x = g.real()
    part = g.one_of(("real", "imag"))
    form = g.one_of(
        (
            f"lax.{part}(z * lax.conj(lax.exp(z * 0.25)))",
            f"lax.{part}(lax.conj(z) * lax.sin(z * 0.5))",
            "lax.imag(z * 0.5) + lax.real(z * z)",
        )
    )
    g.emit(f"fnx.jit(lambda z: {form})(lax.complex({x}, {g.like(x)}))")


@operation
def conjugate(g: Any) -> None:
    x = g.real()
    g.emit(f"lax.real(lax.conj(lax.complex({x}, {g.like(x)})) * (1 + 2j))")


@forms("abs", "sign")
def kinked(g: Any, name: str) -> None:
    x = g.real(where=lambda n: all(np.all(np.abs(v) > 0.02) for v in g.values(n)))
    g.emit(f"lax.{name}({x})")


@forms("floor", "ceil", "round")
def stepped(g: Any, name: str) -> None:
    x = g.real()
    g.clear(x, 0.5)
    g.emit(f"{x} - lax.{name}({x})")


@forms("max", "min")
def greater(g: Any, name: str) -> None:
    x = g.real()
    y = g.like(x)
    g.apart(x, y)
    g.emit(f"lax.{name}({x}, {y})")


@operation
def clip(g: Any) -> None:
    x = g.real()
    low, high = g.number(-0.8, -0.2), g.number(0.2, 0.8)
    for v in g.values(x):
        if np.any(np.minimum(np.abs(v - low), np.abs(v - high)) < 0.01):
            raise Rejected
    g.emit(f"jnp.clip({x}, {low}, {high})")


@operation
def clamp_between(g: Any) -> None:
    x = g.real()
    low, high = g.interval(x, -1.0, -0.4), g.interval(x, 0.3, 1.0)
    g.apart(x, low)
    g.apart(x, high)
    g.emit(f"lax.clamp({low}, {x}, {high})")


@operation
def nextafter(g: Any) -> None:
    x = g.real()
    y = g.like(x)
    g.apart(x, y)
    g.emit(f"lax.nextafter({x}, {y}) * {g.like(x)}")


@operation
def reduce_precision(g: Any) -> None:
    g.faithful = False
    g.emit(f"lax.reduce_precision({g.real()}, 8, 20)")


@operation
def stop_gradient(g: Any) -> None:
    g.faithful = False
    x = g.real()
    g.emit(f"lax.stop_gradient({x}) * {g.like(x)}")


@operation
def optimization_barrier(g: Any) -> None:
    x = g.real()
    g.emit(f"lax.optimization_barrier(({x}, {g.real()}))", 2)


# --------------------------------------------------------------------- comparison, select, integers


@forms("eq", "ne", "ge", "gt", "le", "lt")
def compare(g: Any, name: str) -> None:
    x = g.whole() if g.rng.random() < 0.3 else g.real()
    y = g.like(x)
    if g.kind(x) == "f":
        g.apart(x, y)
    flag = g.emit(f"lax.{name}({x}, {y})")
    z = g.pick(g.names("f", None, lambda n: g.shape(n) == g.shape(flag)) or [g.real()])
    if g.shape(z) == g.shape(flag):
        g.emit(f"lax.select({flag}, {z}, {g.like(z)})")


@operation
def is_finite(g: Any) -> None:
    x = g.real()
    g.emit(f"jnp.where(lax.is_finite({x}), {x} * 0.5, lax.sin({x}))")


@operation
def select_n(g: Any) -> None:
    x = g.real()
    which = g.rng.integers(0, 3, g.shape(x)).tolist()
    g.emit(f"lax.select_n(jnp.asarray({which}, 'int32'), {x}, {g.like(x)}, lax.cos({x}))")


@forms("and", "or", "xor")
def bitwise(g: Any, name: str) -> None:
    x = g.whole("biu")
    g.emit(f"lax.bitwise_{name}({x}, {g.like(x)})")


@operation
def bitwise_not(g: Any) -> None:
    g.emit(f"lax.bitwise_not({g.whole('biu')})")


@forms("shift_left", "shift_right_arithmetic", "shift_right_logical")
def shift(g: Any, name: str) -> None:
    x = g.whole()
    g.emit(f"lax.{name}({x}, jnp.full_like({x}, {1 + int(g.rng.integers(3))}))")


@forms("clz", "population_count")
def bit_count(g: Any, name: str) -> None:
    g.emit(f"lax.{name}({g.whole()})")


@operation
def mulhi(g: Any) -> None:
    x = g.pick(g.names("iu", "int32") or g.names("u", "uint32") or [g.whole("i")])
    g.emit(f"lax.mulhi({x} * 16777259, {g.like(x)} * 65539)")


@operation
def integer_arithmetic(g: Any) -> None:
    x = g.whole("i")
    y = g.like(x)
    g.emit(
        g.one_of(
            (
                f"{x} * {y} - {x}",
                f"lax.div({x}, lax.abs({y}) % 5 + 1)",
                f"lax.rem({x}, lax.abs({y}) % 5 + 1)",
                f"lax.max(lax.sign({x}) * 3, lax.min({x}, {y}))",
            )
        )
    )


@operation
def bitcast_convert_type(g: Any) -> None:
    x = g.whole("i")
    if g.dtype(x) != "int32":
        raise Rejected
    g.emit(f"lax.bitcast_convert_type({x}, 'uint32') % 11")


@forms("reduce_and", "reduce_or", "reduce_xor")
def reduce_bits(g: Any, name: str) -> None:
    x = g.whole(g.one_of(("b", "iu")), rank=1)
    g.emit(f"lax.{name}({x}, ({g.axis(x)},))")


@forms("argmax", "argmin")
def arg(g: Any, name: str) -> None:
    x = g.distinct()
    found = g.emit(f"lax.{name}({x}, {g.axis(x)})")
    y = g.real(1)
    if g.shape(y)[0] >= 3:
        g.emit(f"jnp.take({y}, {found} % 3, axis=0)")


# --------------------------------------------------------------------------------- casts and random


@operation
def to_single(g: Any) -> None:
    if g.seed % 5 < 3:  # three programs in five stay in double precision
        raise Rejected
    g.emit(f"lax.convert_element_type({g.real()}, 'float32')")


@operation
def to_double(g: Any) -> None:
    x = g.pick(g.names("f", "float32") or g.names("iub"))
    if g.kind(x) != "f" and any(np.any(np.abs(v.astype(float)) > 99) for v in g.values(x)):
        raise Rejected
    g.emit(f"lax.convert_element_type({x}, 'float64') * 0.5")


@operation
def to_integer(g: Any) -> None:
    x = g.real()
    g.clear(x, 0.25)
    g.emit(f"lax.convert_element_type({x} * 4, '{g.one_of(('int32', 'int64', 'int8'))}')")


@operation
def to_bool(g: Any) -> None:
    g.emit(f"lax.convert_element_type({g.whole()}, 'bool')")


@operation
def threefry(g: Any) -> None:
    x = g.real()
    keys = g.names("u", "uint32", lambda n: g.shape(n) == (2,))
    key = g.pick(keys) if keys else f"random.PRNGKey({int(g.rng.integers(99))})"
    draw = "fnx.jit(random.uniform, static_argnums=(1, 2))"
    g.emit(f"{x} * {draw}({key}, {g.shape(x)}, {g.dtype(x)!r})")


@operation
def random_bits(g: Any) -> None:
    draw = "fnx.jit(random.bits, static_argnums=1)"
    g.emit(f"{draw}(random.PRNGKey({int(g.rng.integers(99))}), (3,))")


@operation
def iota(g: Any) -> None:
    x = g.real(1)
    axis = g.axis(x)
    ramp = f"lax.broadcasted_iota({x}.dtype, {g.shape(x)}, {axis})"
    g.emit(f"{x} * ({ramp} * 0.25 + 1)")
