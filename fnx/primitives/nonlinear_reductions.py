"""Reductions whose derivative depends on the values: max, min and prod.

Max and min send the tangent through the greatest elements, in equal shares.  The derivative of a
product is made of the products of all elements before and after each place, so zeros need no care,
at any order. Read next: `cumulative`, `windows`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from fnx.core.lowering import Element
from fnx.core.primitive import Primitive, Sample, Zero
from fnx.core.types import tangent_type
from fnx.primitives.arithmetic import div, mul
from fnx.primitives.cast import convert_element_type
from fnx.primitives.comparison import eq
from fnx.primitives.cumulative import cumprod, cumprod_series
from fnx.primitives.families import ALL, NUMBER, size_of_work
from fnx.primitives.linear_recurrence import shifted
from fnx.primitives.reductions import (
    accumulated,
    extreme,
    infer_reduction,
    inner_extents,
    reduce_sum,
    reduction_element,
    reduction_fold,
    reduction_samples,
    reduction_vmap,
    spread,
)
from fnx.primitives.shaping import broadcast_in_dim, full, reshape, transpose
from fnx.primitives.slicing import pad

__all__ = [
    "reduce_max",
    "reduce_max_p",
    "reduce_min",
    "reduce_min_p",
    "reduce_prod",
    "reduce_prod_p",
]

# ----------------------------------------------------------------------------------------- max, min


def _extreme_evaluate(ufunc: np.ufunc, lowest: bool) -> Callable[..., np.ndarray[Any, Any]]:
    def evaluate(x: np.ndarray[Any, Any], *, axes: tuple[int, ...]) -> np.ndarray[Any, Any]:
        if any(x.shape[a] == 0 for a in axes):
            shape = [n for k, n in enumerate(x.shape) if k not in axes]
            return np.full(shape, extreme(x.dtype, lowest), x.dtype)
        return np.asarray(ufunc.reduce(x, axis=axes)).astype(x.dtype, copy=False)

    return evaluate


def _extreme_element(larger: bool) -> Element:
    plain = reduction_element("max" if larger else "min")

    def element(b: Any, i: Any, x: Any, *, axes: tuple[int, ...]) -> Any:
        dtype, shape = x.aval.dtype, x.aval.shape
        if dtype.kind != "c":
            return plain.rule(b, i, x, axes=axes)
        part = np.dtype(np.float32 if dtype == np.complex64 else np.float64)
        worst = b.constant(extreme(part, larger), part)

        def body(*j: Any) -> Any:
            value = x(*spread(i, j, shape, axes))
            return b.real(value), b.imag(value)

        def combine(b: Any, left: Any, right: Any) -> Any:
            # NaN first, then the real part, then the imaginary one.
            beats = b.gt if larger else b.lt
            (p, q), (r, s) = left, right
            wins = b.or_(beats(p, r), b.and_(b.eq(p, r), beats(q, s)))
            wins = b.and_(wins, b.not_(b.or_(b.is_nan(r), b.is_nan(s))))
            wins = b.or_(wins, b.or_(b.is_nan(p), b.is_nan(q)))
            return b.select(wins, p, r), b.select(wins, q, s)

        empty = any(shape[a] == 0 for a in axes)
        second = b.constant(0, part) if empty else worst
        return b.complex(*b.reduce_many(combine, (worst, second), inner_extents(shape, axes), body))

    return Element(element, "reduce")


def _extreme_primitive(name: str, ufunc: np.ufunc, larger: bool) -> Primitive:
    def winners(x: Any, out: Any, axes: tuple[int, ...]) -> tuple[Any, Any]:
        kept = [k for k in range(x.ndim) if k not in axes]
        chosen = eq(x, broadcast_in_dim(out, x.shape, kept))
        chosen = convert_element_type(chosen, out.dtype)
        return chosen, reduce_sum(chosen, axes)

    def share(term: Any, chosen: Any, count: Any, axes: tuple[int, ...]) -> Any:
        return div(reduce_sum(mul(term, chosen), axes), count)

    def jvp(primals: Sequence[Any], tangents: Sequence[Any], *, axes: tuple[int, ...]) -> Any:
        # The mean of the tangents of the greatest elements; NaN if the result is, for then none is
        # equal to it.
        out, (tangent,) = jet(primals, [[tangents[0]]], axes=axes)
        return out, tangent

    def jet(primals: Sequence[Any], series: Sequence[Any], *, axes: tuple[int, ...]) -> Any:
        (x,), (terms,) = primals, series
        out = primitive(x, axes=axes)
        zero = Zero(tangent_type(out.aval))
        if zero.aval.dtype != out.dtype or all(type(c) is Zero for c in terms):
            return out, [zero] * len(terms)
        chosen, count = winners(x, out, axes)
        return out, [zero if type(c) is Zero else share(c, chosen, count, axes) for c in terms]

    primitive: Primitive = Primitive(
        name,
        infer=infer_reduction(name, ALL),
        evaluate=_extreme_evaluate(ufunc, larger),
        jvp=jvp,
        vmap=reduction_vmap(lambda: primitive),
        jet=jet,
        lower=_extreme_element(larger),
        fold=reduction_fold,
        work=size_of_work,
        sample=_extreme_samples,
    )
    return primitive


def _extreme_samples(rng: np.random.Generator) -> Iterator[Sample]:
    for sample in reduction_samples("fciub")(rng):
        empty = any(sample.args[0].shape[a] == 0 for a in sample.params["axes"])
        yield Sample(sample.args, sample.params, smooth=sample.smooth and not empty)


reduce_max_p = _extreme_primitive("reduce_max", np.maximum, True)
reduce_min_p = _extreme_primitive("reduce_min", np.minimum, False)


def reduce_max(operand: Any, axes: Sequence[int]) -> Any:
    """The greatest element over some axes; NaN if there is one.

    Parameters
    ----------
    operand : Array
        Any dtype; complex numbers are ordered by real, then imaginary part.
    axes : sequence of int
        Axes to remove, not negative.

    Returns
    -------
    Array
        The least value of the dtype (-inf) where the axes are empty.
    """
    return reduce_max_p(operand, axes=tuple(axes))


def reduce_min(operand: Any, axes: Sequence[int]) -> Any:
    """The least element over some axes; NaN if there is one.

    Parameters
    ----------
    operand : Array
        Any dtype; complex numbers are ordered by real, then imaginary part.
    axes : sequence of int
        Axes to remove, not negative.

    Returns
    -------
    Array
        The greatest value of the dtype (inf) where the axes are empty.
    """
    return reduce_min_p(operand, axes=tuple(axes))


# --------------------------------------------------------------------------------------------- prod


def _joined(x: Any, axes: tuple[int, ...]) -> Any:
    """The reduced axes as one, at the end."""
    kept = [k for k in range(x.ndim) if k not in axes]
    x = transpose(x, (*kept, *axes))
    count = len(kept)
    return reshape(x, (*x.shape[:count], math.prod(x.shape[count:])))


def _prod_jvp(primals: Any, tangents: Any, *, axes: tuple[int, ...]) -> Any:
    # d(prod x) = sum over k of (product of all before k) (product of all after k) dx[k]
    (x,), (dx,) = primals, tangents
    out = reduce_prod(x, axes)
    zero = Zero(tangent_type(out.aval))
    if type(dx) is Zero or zero.aval.dtype != out.dtype or x.size == 0:
        return out, zero
    x, dx = _joined(x, axes), _joined(dx, axes)
    last = x.ndim - 1
    if x.shape[last] == 1:
        return out, reshape(dx, out.shape)
    before = shifted(cumprod(x, last), last, False, 1)
    after = shifted(cumprod(x, last, reverse=True), last, True, 1)
    return out, reduce_sum(mul(mul(before, after), dx), (last,))


def _prod_jet(primals: Any, series: Any, *, axes: tuple[int, ...]) -> Any:
    # The last of the running products, whose series is a recurrence.
    (x,), (terms,) = primals, series
    out = reduce_prod(x, axes)
    zero = Zero(tangent_type(out.aval))
    if zero.aval.dtype != out.dtype or x.size == 0 or all(type(c) is Zero for c in terms):
        return out, [zero] * len(terms)
    x = _joined(x, axes)
    terms = [c if type(c) is Zero else _joined(c, axes) for c in terms]
    last = x.ndim - 1
    _, running = cumprod_series([x], [terms], axis=last, reverse=False)
    config = [(0, 0, 0)] * last + [(1 - x.shape[last], 0, 0)]
    nothing = full((), 0, x.dtype)
    return out, [
        zero if type(c) is Zero else reshape(pad(c, nothing, config), out.shape) for c in running
    ]


reduce_prod_p: Primitive = Primitive(
    "reduce_prod",
    infer=infer_reduction("reduce_prod", NUMBER),
    evaluate=lambda x, axes: accumulated(np.multiply, x, axes),
    jvp=_prod_jvp,
    vmap=reduction_vmap(lambda: reduce_prod_p),
    jet=_prod_jet,
    lower=reduction_element("mul"),
    fold=reduction_fold,
    work=size_of_work,
    sample=reduction_samples(NUMBER),
)


def reduce_prod(operand: Any, axes: Sequence[int]) -> Any:
    """The product over some axes, in the operand's dtype; integers wrap.

    Parameters
    ----------
    operand : Array
        Of numbers.
    axes : sequence of int
        Axes to remove, not negative.

    Returns
    -------
    Array
        1 where the axes are empty.
    """
    return reduce_prod_p(operand, axes=tuple(axes))
