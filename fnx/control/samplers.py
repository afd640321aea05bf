"""Cases of the primitives that hold programs, for the law tests.

A sampler makes the programs that its primitive holds from equations of `fnx/primitives`: loops of
zero, one and several steps, bodies that keep an integer beside their floating-point carry, results
that no operand reaches, results that are operands. Read next: `fnx/primitives/samplers.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from fnx.core.jaxpr import Jaxpr
from fnx.core.primitive import Sample
from fnx.core.types import ShapedArray
from fnx.primitives.arithmetic import add, mul, sub
from fnx.primitives.comparison import lt
from fnx.primitives.dynamic_slicing import dynamic_slice
from fnx.primitives.reductions import reduce_sum
from fnx.primitives.samplers import arrays
from fnx.primitives.shaping import broadcast_in_dim, full, reshape
from fnx.primitives.trigonometric import cos, sin, tanh
from fnx.transforms.batching import to_axis
from fnx.transforms.jvp import stage_closed

__all__ = [
    "call_samples",
    "cond_samples",
    "custom_jvp_samples",
    "custom_linear_samples",
    "custom_vjp_samples",
    "custom_vmap_samples",
    "linear_call_samples",
    "scan_samples",
    "tangent_samples",
    "while_samples",
]

#: Dtypes of the floating-point operands; the first one gets every case.
KINDS = (np.float64, np.float32, np.complex128)

Sampler = Callable[[np.random.Generator], Iterator[Sample]]


def _program(function: Callable[..., Sequence[Any]], *operands: Any) -> Jaxpr:
    avals = [ShapedArray(np.shape(a), np.asarray(a).dtype) for a in operands]
    return stage_closed(function, avals, "sampled")


def _next(n: Any) -> Any:
    return add(n, full(n.shape, 1, n.dtype))


# ------------------------------------------------------------------------------------------- calls


def _ordinary(x: Any, y: Any, n: Any) -> list[Any]:
    """Two results that depend on the operands in different ways, an integer, and an operand."""
    product = mul(sin(x), y)
    return [product, _next(n), x, tanh(add(product, x))]


def _bilinear(c: Any, x: Any, y: Any) -> list[Any]:
    """Linear in its last two operands together."""
    return [sub(mul(c, x), y), x, mul(c, c)]


def call_samples(**params: Any) -> Sampler:
    """Cases of a primitive that runs the program in its parameter ``jaxpr``.

    Parameters
    ----------
    **params
        Its other parameters.
    """

    def sample(rng: np.random.Generator) -> Iterator[Sample]:
        for dtype in KINDS:
            for shape in ((3,), (), (0, 2), (2, 1)) if dtype is np.float64 else ((3,),):
                x, y = (arrays(rng, shape, dtype, -1, 1) for _ in range(2))
                n = arrays(rng, shape, np.int32)
                yield Sample((x, y, n), {"jaxpr": _program(_ordinary, x, y, n), **params})
        x, y, c = (arrays(rng, (2, 3), np.float64, strided=True) for _ in range(3))

        def linear(c: Any, x: Any, y: Any) -> list[Any]:
            return _bilinear(c, x, y)[:2]

        yield Sample((c, x, y), {"jaxpr": _program(linear, c, x, y), **params}, linear=(1, 2))
        yield Sample((c, x), {"jaxpr": _program(lambda c, x: [sin(c)], c, x), **params})
        yield Sample((), {"jaxpr": _program(lambda: [full((2,), 1.5, np.float64)]), **params})

    return sample


def tangent_samples(rng: np.random.Generator) -> Iterator[Sample]:
    """Cases of the linear part of a checkpointed program: points and tangents of some of them."""
    for dtype in KINDS:
        x, y, dx, dy = (arrays(rng, (3,), dtype, -1, 1) for _ in range(4))
        n = arrays(rng, (3,), np.int32)
        jaxpr = _program(_ordinary, x, y, n)
        both = {"jaxpr": jaxpr, "nonzero": (True, True, False)}
        yield Sample((x, y, n, dx, dy), both, linear=(3, 4))
        one = {"jaxpr": jaxpr, "nonzero": (False, True, False)}
        yield Sample((x, y, n, dy), one, linear=(3,))


# --------------------------------------------------------------------------------------- branches


def cond_samples(rng: np.random.Generator) -> Iterator[Sample]:
    """Cases of `cond`: every branch, an index beyond both ends, results that one branch lacks."""

    def wave(x: Any, y: Any, n: Any) -> list[Any]:
        return [mul(sin(x), y), x, _next(n)]

    def exchanged(x: Any, y: Any, n: Any) -> list[Any]:
        return [y, mul(x, cos(y)), n]

    def constant(x: Any, y: Any, n: Any) -> list[Any]:
        return [full(x.shape, 0.5, x.dtype), x, add(n, n)]

    for dtype in KINDS:
        shapes = ((3,), (), (0,), (1, 2)) if dtype is np.float64 else ((3,),)
        for shape in shapes:
            x, y = (arrays(rng, shape, dtype, -1, 1) for _ in range(2))
            n = arrays(rng, (), np.int32)
            branches = tuple(_program(f, x, y, n) for f in (wave, exchanged, constant))
            for index in (-2, 0, 1, 2, 7) if shape == (3,) else (rng.integers(0, 3),):
                yield Sample((np.array(index, np.int32), x, y, n), {"branches": branches})
    c, x, y = (arrays(rng, (2,), np.float64) for _ in range(3))

    def scaled(c: Any, x: Any, y: Any) -> list[Any]:
        return [mul(c, x), add(x, y)]

    def swapped(c: Any, x: Any, y: Any) -> list[Any]:
        return [y, full(x.shape, 0.0, x.dtype)]

    branches = tuple(_program(f, c, x, y) for f in (scaled, swapped))
    for index in (0, 1):
        yield Sample((np.array(index, np.int32), c, x, y), {"branches": branches}, linear=(2, 3))
    yield Sample((np.array(0, np.int32), x), {"branches": (_program(lambda x: [sin(x)], x),)})


# ------------------------------------------------------------------------------------------- loops


def _scan_case(
    body: Callable[..., Sequence[Any]],
    consts: Sequence[Any],
    carry: Sequence[Any],
    xs: Sequence[Any],
    length: int,
    *,
    reverse: bool = False,
    unroll: int = 1,
    linear: tuple[int, ...] = (),
) -> Sample:
    slices = [np.empty(x.shape[1:], x.dtype) for x in xs]
    params = {
        "jaxpr": _program(body, *consts, *carry, *slices),
        "length": length,
        "reverse": reverse,
        "num_consts": len(consts),
        "num_carry": len(carry),
        "unroll": unroll,
    }
    return Sample((*consts, *carry, *xs), params, linear)


def scan_samples(rng: np.random.Generator) -> Iterator[Sample]:
    """Cases of `scan`: both directions, no step, one and several, a map, a loop of a loop."""

    def recurrent(c: Any, h: Any, k: Any, x: Any) -> list[Any]:
        after = tanh(add(mul(h, c), x))
        return [after, _next(k), mul(h, x), k]

    def exchange(a: Any, b: Any, x: Any) -> list[Any]:
        return [b, mul(a, x), add(a, b)]

    def along(c: Any, h: Any, x: Any) -> list[Any]:
        return [add(mul(h, c), x), sub(h, x)]

    for dtype in KINDS:
        for length in (4, 1, 0) if dtype is np.float64 else (2,):
            for reverse in (False, True):
                c, h = (arrays(rng, (2,), dtype, -1, 1) for _ in range(2))
                k, x = arrays(rng, (), np.int32), arrays(rng, (length, 2), dtype, -1, 1)
                yield _scan_case(recurrent, [c], [h, k], [x], length, reverse=reverse)
    a, b, x = (arrays(rng, s, np.float64) for s in ((), (), (5,)))
    yield _scan_case(exchange, [], [a, b], [x], 5, unroll=2)
    yield _scan_case(lambda c, x: [mul(sin(x), c)], [a], [], [x], 5)
    yield _scan_case(lambda c, h: [sin(mul(h, c))], [a], [b], [], 3, reverse=True)
    c, h = (arrays(rng, (3,), np.float64) for _ in range(2))
    x = arrays(rng, (4, 3), np.float64, strided=True)
    yield _scan_case(along, [c], [h], [x], 4, linear=(1, 2))


def while_samples(rng: np.random.Generator) -> Iterator[Sample]:
    """Cases of `while`: counted, stopped by the data, and never entered."""

    def predicate(limit: Any, i: Any, x: Any) -> list[Any]:
        return [lt(i, limit)]

    def body(c: Any, i: Any, x: Any) -> list[Any]:
        return [_next(i), sin(add(mul(x, c), c))]

    for dtype in KINDS:
        for steps in (3, 0, 1) if dtype is np.float64 else (2,):
            limit = np.array(steps, np.int32)
            c, x = (arrays(rng, (2,), dtype, -1, 1) for _ in range(2))
            i = np.array(0, np.int32)
            yield Sample(
                (limit, c, i, x),
                {
                    "cond_jaxpr": _program(predicate, limit, i, x),
                    "body_jaxpr": _program(body, c, i, x),
                    "cond_nconsts": 1,
                    "body_nconsts": 1,
                },
            )

    def along(c: Any, y: Any, i: Any, x: Any) -> list[Any]:
        return [_next(i), add(mul(x, c), y)]

    limit, i = np.array(3, np.int32), np.array(0, np.int32)
    c, y, x = (arrays(rng, (2,), np.float64, -1, 1) for _ in range(3))
    linear = {
        "cond_jaxpr": _program(predicate, limit, i, x),
        "body_jaxpr": _program(along, c, y, i, x),
        "cond_nconsts": 1,
        "body_nconsts": 2,
    }
    yield Sample((limit, c, y, i, x), linear, linear=(2, 4))

    def small(x: Any) -> list[Any]:
        return [lt(reduce_sum(x, (0,)), full((), 10.0, x.dtype))]

    # A sum of 1.5 to 1.8, times 2.2 until it is 10 or more: three steps, never close to a change.
    x = arrays(rng, (2,), np.float64, 0.75, 0.9)
    growing = {
        "cond_jaxpr": _program(small, x),
        "body_jaxpr": _program(lambda x: [mul(x, full(x.shape, 2.2, x.dtype))], x),
        "cond_nconsts": 0,
        "body_nconsts": 0,
    }
    yield Sample((x,), growing)


# ------------------------------------------------------------------------------------- custom rules


def _wave(x: Any, y: Any, n: Any) -> list[Any]:
    return [mul(sin(x), y), _next(n)]


def _wave_rule(x: Any, y: Any, n: Any, dx: Any, dy: Any, dn: Any) -> list[Any]:
    return [*_wave(x, y, n), add(mul(mul(cos(x), y), dx), mul(sin(x), dy)), dn]


def custom_jvp_samples(rng: np.random.Generator) -> Iterator[Sample]:
    """Cases of a function with its own jvp, which is the right one."""
    for dtype in KINDS:
        for shape in ((3,), (), (0, 2)) if dtype is np.float64 else ((3,),):
            x, y = (arrays(rng, shape, dtype, -1, 1) for _ in range(2))
            n = arrays(rng, shape, np.int32)
            yield Sample((x, y, n), {"fun": _wave, "rule": _wave_rule, "consts": 0})

    def double(x: Any) -> list[Any]:
        return [add(x, x)]

    def double_rule(x: Any, dx: Any) -> list[Any]:
        return [*double(x), *double(dx)]

    x = arrays(rng, (2, 3), np.float64, strided=True)
    yield Sample((x,), {"fun": double, "rule": double_rule, "consts": 0}, linear=(0,))


def _wave_forward(x: Any, y: Any, n: Any) -> tuple[list[Any], list[Any]]:
    return _wave(x, y, n), [x, y]


def _wave_backward(residuals: list[Any], cts: list[Any]) -> list[Any]:
    (x, y), ct = residuals, cts[0]
    return [mul(mul(cos(x), y), ct), mul(sin(x), ct), None]


def custom_vjp_samples(rng: np.random.Generator) -> Iterator[Sample]:
    """Cases of a function with its own vjp, which is the right one."""
    wave = {"fun": _wave, "fwd": _wave_forward, "bwd": _wave_backward, "consts": 0}
    for dtype in KINDS:
        for shape in ((3,), (), (0, 2)) if dtype is np.float64 else ((3,),):
            x, y = (arrays(rng, shape, dtype, -1, 1) for _ in range(2))
            yield Sample((x, y, arrays(rng, shape, np.int32)), dict(wave))
        yield Sample((x, y, arrays(rng, shape, np.int32)), {**wave, "forward": "function"})

    def spread(x: Any) -> list[Any]:
        return [broadcast_in_dim(x, (2, *x.shape), (1,))]

    x = arrays(rng, (3,), np.float64, strided=True)
    params = {
        "fun": spread,
        "fwd": lambda x: (spread(x), []),
        "bwd": lambda residuals, cts: [reduce_sum(cts[0], (0,))],
        "consts": 0,
    }
    yield Sample((x,), params, linear=(0,))


def custom_vmap_samples(rng: np.random.Generator) -> Iterator[Sample]:
    """Cases of a function with its own rule for a mapped axis, which is the right one."""

    def of_lanes(function: Callable[..., list[Any]]) -> Callable[..., Any]:
        def rule(size: int, mapped: Sequence[bool], args: Sequence[Any]) -> Any:
            pairs = zip(args, mapped, strict=True)
            outs = function(*[to_axis(a, 0 if m else None, size, 0) for a, m in pairs])
            return outs, [True] * len(outs)

        return rule

    for dtype in KINDS:
        for shape in ((3,), (), (0, 2)) if dtype is np.float64 else ((3,),):
            x, y = (arrays(rng, shape, dtype, -1, 1) for _ in range(2))
            n = arrays(rng, shape, np.int32)
            yield Sample((x, y, n), {"fun": _wave, "rule": of_lanes(_wave), "consts": 0})

    def double(x: Any) -> list[Any]:
        return [add(x, x)]

    x = arrays(rng, (2, 3), np.float64, strided=True)
    yield Sample((x,), {"fun": double, "rule": of_lanes(double), "consts": 0}, linear=(0,))


def linear_call_samples(rng: np.random.Generator) -> Iterator[Sample]:
    """Cases of a linear function that is given by its transpose."""

    def pull(c: Any, k: Any, ct: Any, total: Any) -> list[Any]:
        picked = broadcast_in_dim(reshape(dynamic_slice(c, [k], (1,)), ()), c.shape, ())
        return [
            add(mul(c, ct), broadcast_in_dim(total, c.shape, ())),
            mul(picked, ct),
        ]

    for dtype in KINDS:
        for size in (3, 1) if dtype is np.float64 else (3,):
            c, x, y = (arrays(rng, (size,), dtype, -1, 1) for _ in range(3))
            k = np.array(rng.integers(0, size), np.int32)
            vector, scalar = ShapedArray((size,), c.dtype), ShapedArray((), c.dtype)
            params = {
                "bwd": pull,
                "residuals": 2,
                "in_avals": (vector, vector),
                "out_avals": (vector, scalar),
            }
            yield Sample((c, k, x, y), params, linear=(2, 3))


def custom_linear_samples(rng: np.random.Generator) -> Iterator[Sample]:
    """Cases of a linear function that is given together with its transpose."""

    def forward(c: Any, x: Any, y: Any) -> list[Any]:
        return [add(mul(c, x), y), sub(x, y), x]

    def backward(c: Any, u: Any, v: Any, w: Any) -> list[Any]:
        return [add(add(mul(c, u), v), w), sub(u, v)]

    for dtype in KINDS:
        for shape in ((3,), (), (0, 2)) if dtype is np.float64 else ((3,),):
            c, x, y = (arrays(rng, shape, dtype, -1, 1) for _ in range(3))
            params = {
                "fun": _program(forward, c, x, y),
                "transposed": _program(backward, c, x, x, x),
                "residuals": 1,
            }
            yield Sample((c, x, y), params, linear=(1, 2))
