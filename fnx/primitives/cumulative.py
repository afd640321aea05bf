"""Running reductions along one axis: cumsum, cumprod, cummax, cummin, cumlogsumexp.

Each is a recurrence, and the derivative of a recurrence is a linear one, so the derivatives of all
but the sum (which is linear) are made of `linear_recurrence`.  `reverse` runs from the end of the
axis to its start.  Read next: `linear_recurrence`, `nonlinear_reductions`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fnx.core.lowering import Element
from fnx.core.primitive import Primitive, Zero
from fnx.core.types import tangent_type
from fnx.primitives.arithmetic import mul, sub
from fnx.primitives.comparison import eq, gt, lt, select
from fnx.primitives.exponential import exp
from fnx.primitives.families import INEXACT, NUMBER, linear
from fnx.primitives.linear_recurrence import (
    edged,
    infer_running,
    linear_recurrence,
    reader,
    recurrence_series,
    running_samples,
    running_vmap,
    shifted,
)
from fnx.primitives.reductions import extreme, wide
from fnx.primitives.shaping import full

__all__ = [
    "cumlogsumexp",
    "cumlogsumexp_p",
    "cummax",
    "cummax_p",
    "cummin",
    "cummin_p",
    "cumprod",
    "cumprod_p",
    "cumsum",
    "cumsum_p",
]

NDArray = np.ndarray[Any, Any]


# ---------------------------------------------------------------------------------- what they share


def _later(x: Any, axis: int, reverse: bool) -> Any:
    """All but the first in running order."""
    return edged(x, axis, 0, -1, 0) if reverse else edged(x, axis, -1, 0, 0)


def _earlier(x: Any, axis: int, reverse: bool) -> Any:
    """All but the last in running order."""
    return _later(x, axis, not reverse)


def _led(x: Any, axis: int, reverse: bool) -> Any:
    """With one place more, of 0, before the first in running order."""
    return edged(x, axis, 0, 1, 0) if reverse else edged(x, axis, 1, 0, 0)


def _running(
    x: NDArray, axis: int, reverse: bool, function: Callable[[NDArray], NDArray]
) -> NDArray:
    """Apply a running function of the first axis."""
    moved = np.moveaxis(x, axis, 0)
    out = function(moved[::-1])[::-1] if reverse else function(moved)
    return np.moveaxis(out, 0, axis)


def _accumulate(ufunc: np.ufunc) -> Callable[..., NDArray]:
    def evaluate(x: NDArray, *, axis: int, reverse: bool) -> NDArray:
        out = _running(x, axis, reverse, lambda v: ufunc.accumulate(v, axis=0, dtype=wide(x.dtype)))
        return out.astype(x.dtype, copy=False)

    return evaluate


def _element(operation: str) -> Element:
    def element(b: Any, i: Any, x: Any, *, axis: int, reverse: bool) -> Any:
        dtype, shape = x.aval.dtype, x.aval.shape
        working = wide(dtype) if operation in ("add", "mul") else dtype
        read = reader(i, x, axis)
        if shape[axis] == 1:
            return read(0)

        def body(j: Any) -> Any:
            return read(j) if working == dtype else b.convert(read(j), working)

        total = b.running(operation, working, i[axis], shape[axis], body, reverse)
        return total if working == dtype else b.convert(total, dtype)

    return Element(element, "running")


# ------------------------------------------------------------------------------------------- cumsum

cumsum_p: Primitive = linear(
    "cumsum",
    infer=infer_running("cumsum", NUMBER),
    evaluate=_accumulate(np.add),
    transpose=lambda ct, x, axis, reverse: [cumsum(ct, axis, not reverse)],
    vmap=running_vmap(lambda: cumsum_p),
    lower=_element("add"),
    sample=running_samples("fciu", 1, (0,)),
)


def cumsum(operand: Any, axis: int = 0, reverse: bool = False) -> Any:
    """The sums of all elements up to each place along an axis; integers wrap.

    Parameters
    ----------
    operand : Array
        Of numbers.
    axis : int
        The axis, not negative.
    reverse : bool
        Sum from each place to the end.
    """
    return cumsum_p(operand, axis=axis, reverse=reverse)


# ------------------------------------------------------------------------------------------ cumprod


def _cumprod_jvp(primals: Any, tangents: Any, *, axis: int, reverse: bool) -> Any:
    # y[k] = x[k] y[k-1], so dy[k] = x[k] dy[k-1] + y[k-1] dx[k], from y[-1] = 1
    (x,), (dx,) = primals, tangents
    out = cumprod(x, axis, reverse)
    zero = Zero(tangent_type(out.aval))
    if type(dx) is Zero or zero.aval.dtype != out.dtype:
        return out, zero
    term = mul(shifted(out, axis, reverse, 1), dx)
    return out, linear_recurrence(x, term, axis, reverse)


def cumprod_series(primals: Any, series: Any, *, axis: int, reverse: bool) -> Any:
    (x,), (terms,) = primals, series
    ys = [cumprod(x, axis, reverse)]
    zero = Zero(tangent_type(ys[0].aval))
    if zero.aval.dtype != ys[0].dtype:
        return ys[0], [zero] * len(terms)
    nothing = [zero] * len(terms)
    return ys[0], recurrence_series(x, terms, nothing, ys, axis, reverse, 1)


cumprod_p: Primitive = Primitive(
    "cumprod",
    infer=infer_running("cumprod", NUMBER),
    evaluate=_accumulate(np.multiply),
    jvp=_cumprod_jvp,
    vmap=running_vmap(lambda: cumprod_p),
    jet=cumprod_series,
    lower=_element("mul"),
    sample=running_samples("fciu"),
)


def cumprod(operand: Any, axis: int = 0, reverse: bool = False) -> Any:
    """The products of all elements up to each place along an axis; integers wrap.

    Parameters
    ----------
    operand : Array
        Of numbers.
    axis : int
        The axis, not negative.
    reverse : bool
        Multiply from each place to the end.
    """
    return cumprod_p(operand, axis=axis, reverse=reverse)


# ----------------------------------------------------------------------------------- cummax, cummin


def _extreme_weights(larger: bool) -> Callable[..., Any]:
    def weights(x: Any, out: Any, axis: int, reverse: bool) -> tuple[Any, Any]:
        # y[k] = max(x[k], y[k-1]): the tangent is that of the greater one, of equal ones the mean.
        later, previous = _later(x, axis, reverse), _earlier(out, axis, reverse)
        zeros = full(later.shape, 0, x.dtype)
        ones, halves = full(later.shape, 1, x.dtype), full(later.shape, 0.5, x.dtype)
        wins = gt(later, previous) if larger else lt(later, previous)
        kept = select(wins, zeros, select(eq(later, previous), halves, ones))
        kept = _led(kept, axis, reverse)
        return kept, sub(full(x.shape, 1, x.dtype), kept)

    return weights


def _logsumexp_weights(x: Any, out: Any, axis: int, reverse: bool) -> tuple[Any, Any]:
    # y[k] = log(exp y[k-1] + exp x[k]), so dy[k] = exp(y[k-1] - y[k]) dy[k-1] + exp(x[k] - y[k])
    # dx[k].  Where both are the same infinity the difference is NaN and the weight 1; where they're
    # equal numbers it's 1 anyway.
    later, previous = _later(out, axis, reverse), _earlier(out, axis, reverse)
    return _led(_ratio(previous, later), axis, reverse), _ratio(x, out)


def _ratio(x: Any, y: Any) -> Any:
    same = eq(x, y)
    zeros, ones = full(x.shape, 0, x.dtype), full(x.shape, 1, x.dtype)
    difference = sub(select(same, zeros, x), select(same, zeros, y))
    return select(same, ones, exp(difference))


def _weighted(
    name: str,
    accepts: str,
    weights: Callable[..., tuple[Any, Any]],
    frozen: bool,
    **slots: Any,
) -> Primitive:
    """A running reduction whose derivative is a recurrence with given factors.

    Where the factors are piecewise constant (`frozen`), Taylor coefficients follow the same
    recurrence.
    """

    def jvp(primals: Any, tangents: Any, *, axis: int, reverse: bool) -> Any:
        (x,), (dx,) = primals, tangents
        out = primitive(x, axis=axis, reverse=reverse)
        zero = Zero(tangent_type(out.aval))
        if type(dx) is Zero or zero.aval.dtype != out.dtype or x.size == 0:
            return out, zero
        factor, scale = weights(x, out, axis, reverse)
        return out, linear_recurrence(factor, mul(scale, dx), axis, reverse)

    def jet(primals: Any, series: Any, *, axis: int, reverse: bool) -> Any:
        (x,), (terms,) = primals, series
        out = primitive(x, axis=axis, reverse=reverse)
        zero = Zero(tangent_type(out.aval))
        if zero.aval.dtype != out.dtype or x.size == 0 or all(type(c) is Zero for c in terms):
            return out, [zero] * len(terms)
        factor, scale = weights(x, out, axis, reverse)
        return out, [
            zero if type(c) is Zero else linear_recurrence(factor, mul(scale, c), axis, reverse)
            for c in terms
        ]

    primitive: Primitive = Primitive(
        name,
        infer=infer_running(name, accepts),
        jvp=jvp,
        vmap=running_vmap(lambda: primitive),
        jet=jet if frozen else None,
        **slots,
    )
    return primitive


cummax_p = _weighted(
    "cummax",
    "iuf",
    _extreme_weights(True),
    frozen=True,
    evaluate=_accumulate(np.maximum),
    lower=_element("max"),
    sample=running_samples("fiu"),
)

cummin_p = _weighted(
    "cummin",
    "iuf",
    _extreme_weights(False),
    frozen=True,
    evaluate=_accumulate(np.minimum),
    lower=_element("min"),
    sample=running_samples("fiu"),
)


def cummax(operand: Any, axis: int = 0, reverse: bool = False) -> Any:
    """The greatest of all elements up to each place along an axis; NaN from the first NaN on.

    Parameters
    ----------
    operand : Array
        Of real numbers.
    axis : int
        The axis, not negative.
    reverse : bool
        The greatest from each place to the end.
    """
    return cummax_p(operand, axis=axis, reverse=reverse)


def cummin(operand: Any, axis: int = 0, reverse: bool = False) -> Any:
    """The least of all elements up to each place along an axis; NaN from the first NaN on.

    Parameters
    ----------
    operand : Array
        Of real numbers.
    axis : int
        The axis, not negative.
    reverse : bool
        The least from each place to the end.
    """
    return cummin_p(operand, axis=axis, reverse=reverse)


# ------------------------------------------------------------------------------------- cumlogsumexp


def _log_add(x: NDArray, y: NDArray) -> NDArray:
    """log(exp x + exp y) of complex numbers: the one of greater real part is taken out."""
    swap = x.real < y.real
    high, low = np.where(swap, y, x), np.where(swap, x, y)
    total = high + np.log1p(np.exp(low - high))
    return np.where(low == -np.inf, high, total)


def _logsumexp_evaluate(x: NDArray, *, axis: int, reverse: bool) -> NDArray:
    def run(v: NDArray) -> NDArray:
        if v.dtype.kind != "c":
            return np.logaddexp.accumulate(v, axis=0)
        out = v.copy()
        for k in range(1, len(v)):
            out[k] = _log_add(out[k - 1], v[k])
        return out

    out = _running(x.astype(wide(x.dtype), copy=False), axis, reverse, run)
    return out.astype(x.dtype, copy=False)


def _logsumexp_element(b: Any, i: Any, x: Any, *, axis: int, reverse: bool) -> Any:
    dtype, n = x.aval.dtype, x.aval.shape[axis]
    working = wide(dtype)
    read = reader(i, x, axis)
    if n == 1:
        return read(0)
    lowest = b.constant(extreme(np.dtype(np.float64), True), working)

    def combine(b: Any, before: Any, step: Any) -> Any:
        (p,), (q,) = before, step
        if working.kind == "c":
            swap = b.lt(b.real(p), b.real(q))
            high, low = b.select(swap, q, p), b.select(swap, p, q)
            total = b.add(high, b.log1p(b.exp(b.sub(low, high))))
            return (b.select(b.eq(low, lowest), high, total),)
        total = b.add(b.max(p, q), b.log1p(b.exp(b.neg(b.abs(b.sub(p, q))))))
        return (b.select(b.eq(p, q), b.add(p, b.constant(np.log(2.0), working)), total),)

    (total,) = b.running_many(
        combine, (lowest,), i[axis], n, lambda j: (b.convert(read(j), working),), reverse
    )
    return b.convert(total, dtype)


cumlogsumexp_p = _weighted(
    "cumlogsumexp",
    INEXACT,
    _logsumexp_weights,
    frozen=False,
    evaluate=_logsumexp_evaluate,
    lower=Element(_logsumexp_element, "running"),
    sample=running_samples("fc"),
)


def cumlogsumexp(operand: Any, axis: int = 0, reverse: bool = False) -> Any:
    """The logarithms of sums of exponentials of all elements up to each place along an axis.

    Parameters
    ----------
    operand : Array
        Of inexact numbers.
    axis : int
        The axis, not negative.
    reverse : bool
        Sum from each place to the end.
    """
    return cumlogsumexp_p(operand, axis=axis, reverse=reverse)
