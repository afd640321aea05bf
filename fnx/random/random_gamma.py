"""`random_gamma`: gamma numbers as a primitive, with the derivative that has no path.

    random_gamma: keys u32[..., 2], shapes f[..., *more] -> f[..., *more]

Each number comes from a key of its own, by the rejection method of Marsaglia and Tsang, *A simple
method for generating gamma variables* (2000): one lane of a mapped loop, compiled once.  A number
that was accepted is not a differentiable function of the shape parameter, but the number at which
the distribution function F(a, x) has the same value is, with slope ``-(dF/da) / (dF/dx)``
(Figurnov, Mohamed and Mnih, *Implicit reparameterization gradients*, 2018).  That is the derivative
here, of every order.  Read next: `gamma_family`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from fnx import dtypes
from fnx import numpy as jnp
from fnx.control.jit import jit
from fnx.control.loops import while_loop
from fnx.core.primitive import HigherOrderPrimitive, Sample, Zero
from fnx.core.types import ShapedArray
from fnx.errors import ArgumentTypeError, ShapeError
from fnx.primitives.bits import threefry2x32
from fnx.primitives.cast import convert_element_type
from fnx.primitives.incomplete_gamma import random_gamma_grad
from fnx.primitives.iota import iota
from fnx.primitives.shaping import broadcast_in_dim, full, reshape
from fnx.primitives.special import digamma
from fnx.random.words import Pair, child, exponentials, normals, unit_floats
from fnx.transforms.batching import to_axis
from fnx.transforms.jvp import stage_closed
from fnx.transforms.vmap import vmap

__all__ = ["random_gamma_p"]


def _accepted(pair: Pair, d: Any) -> Any:
    """``(1 + z / sqrt(9 d))**3``, z normal: d times it is gamma of shape d + 1/3, once accepted."""
    dtype = d.dtype
    zero, one, two = (jnp.asarray(n, dtype) for n in (0, 1, 2))
    c = jnp.asarray(1 / 3, dtype) / jnp.sqrt(d)

    def refused(state: Any) -> Any:
        _, square, cube, u = state
        quick = u >= one - jnp.asarray(0.0331, dtype) * (square * square)
        exact = jnp.log(u) >= square * 0.5 + d * ((one - cube) + jnp.log(cube))
        return jnp.logical_and(quick, exact)

    def again(state: Any) -> Any:
        pair = state[0]

        def positive(inner: Any) -> Any:
            x = normals(child(inner[0], 1), (), dtype)
            return child(inner[0], 0), x, one + x * c

        _, x, v = while_loop(lambda inner: inner[2] <= zero, positive, (child(pair, 1), zero, -one))
        return child(pair, 0), x * x, v * v * v, unit_floats(child(pair, 2), (), dtype)

    return while_loop(refused, again, (pair, zero, one, two))[2]


def _one(first: Any, second: Any, a: Any, log_space: bool) -> Any:
    """One number from one key; a shape below 1 is that of ``gamma(a + 1) * u**(1 / a)``."""
    pair, dtype = (first, second), a.dtype
    one = jnp.ones((), dtype)
    large = a >= one
    d = jnp.where(large, a, a + one) - jnp.asarray(1 / 3, dtype)
    cube = _accepted(child(pair, 0), d)
    if log_space:
        log_u = -exponentials(child(pair, 1), (), dtype)
        boost = jnp.where(
            jnp.logical_or(large, log_u == 0), jnp.zeros((), dtype), log_u * (one / a)
        )
        return (jnp.log(d) + jnp.log(cube)) + boost
    u = one - unit_floats(child(pair, 1), (), dtype)
    return d * cube * jnp.where(large, one, jnp.power(u, one / a))


def _draw(words: Any, a: Any, log_space: bool) -> Any:
    batch = words.shape[:-1]
    each = math.prod(a.shape[len(batch) :])
    size = (math.prod(batch), each)
    flat = reshape(words, (size[0], 2))
    first, second = (
        broadcast_in_dim(reshape(flat[:, k : k + 1], size[:1]), size, (0,)) for k in range(2)
    )
    numbers = broadcast_in_dim(iota(np.uint32, each), size, (1,))
    lanes = threefry2x32(first, second, full(size, 0, np.uint32), numbers)
    count = (size[0] * each,)
    draws = vmap(lambda k0, k1, s: _one(k0, k1, s, log_space))(
        *[reshape(w, count) for w in lanes], reshape(a, count)
    )
    return reshape(draws, a.shape)


_compiled_draw = jit(_draw, static_argnums=2)


def _infer(
    words: ShapedArray, a: ShapedArray, *, log_space: bool, program: Any = None
) -> ShapedArray:
    if words.dtype != np.uint32 or words.shape[-1:] != (2,):
        raise ArgumentTypeError(
            f"random_gamma: expected keys (uint32 with a last axis of 2), got {words!r}."
        )
    if dtypes.kind_of(a.dtype) != "f":
        raise ArgumentTypeError(f"random_gamma: a must be of a float dtype, got {a!r}.")
    batch = words.shape[:-1]
    if a.shape[: len(batch)] != batch:
        raise ShapeError(
            f"random_gamma: the shape of a, {a!r}, must begin with that of the keys, {batch}."
        )
    return a.strengthen()


def _evaluate(words: Any, a: Any, *, log_space: bool, program: Any = None) -> Any:
    _infer(words.aval, a.aval, log_space=log_space)
    return _compiled_draw(words, a, log_space)


def _stage(avals: Sequence[ShapedArray], params: dict[str, Any]) -> dict[str, Any]:
    log_space = params["log_space"]
    _infer(*avals, log_space=log_space)
    program = stage_closed(lambda w, a: [_draw(w, a, log_space)], avals, "random_gamma")
    return {"log_space": log_space, "program": program}


def _slope(a: Any, sample: Any, log_space: bool) -> Any:
    """The derivative of a sample, or of its logarithm, in a."""
    if a.dtype.itemsize < 4:
        wide, at = (convert_element_type(x, "float32") for x in (a, sample))
        return convert_element_type(_slope(wide, at, log_space), a.dtype)
    if not log_space:
        return random_gamma_grad(a, sample)
    # Below the smallest number F is x**a / gamma(a + 1), to all digits.
    least = jnp.asarray(np.log(dtypes.finfo(a.dtype).tiny), a.dtype)
    x = jnp.exp(jnp.maximum(sample, least))
    tail = (digamma(a + jnp.ones((), a.dtype)) - sample) / a
    return jnp.where(sample > least, random_gamma_grad(a, x) / x, tail)


def _jvp(
    primals: Sequence[Any], tangents: Sequence[Any], *, log_space: bool, program: Any = None
) -> Any:
    words, a = primals
    out = random_gamma_p(words, a, log_space=log_space)
    if type(tangents[1]) is Zero:
        return out, Zero(out.aval)
    return out, tangents[1] * _slope(a, out, log_space)


def _vmap(
    size: int, args: Sequence[Any], dims: Sequence[Any], *, log_space: bool, program: Any = None
) -> Any:
    words, a = (to_axis(x, d, size, 0) for x, d in zip(args, dims, strict=True))
    return random_gamma_p(words, a, log_space=log_space), 0


def _samples(rng: np.random.Generator) -> Iterator[Sample]:
    # What is drawn jumps with a: the derivative is that of the distribution, tested by itself.
    shapes = (((), ()), ((), (3,)), ((2,), (2,)), ((2,), (2, 3)), ((), (0,)))
    for dtype in (np.float64, np.float32):
        for batch, shape in shapes:
            words = rng.integers(0, 2**32, (*batch, 2), np.uint32)
            a = rng.uniform(0.3, 3.0, shape).astype(dtype)
            for log_space in (False, True):
                yield Sample((words, a), {"log_space": log_space}, smooth=False)


random_gamma_p = HigherOrderPrimitive(
    "random_gamma",
    infer=_infer,
    evaluate=_evaluate,
    jvp=_jvp,
    vmap=_vmap,
    lower="call",
    stage=_stage,
    inline=lambda params: params["program"],
    inline_at="compile",
    sample=_samples,
)
