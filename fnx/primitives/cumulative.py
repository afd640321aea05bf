"""Running reductions along one axis: cumsum, cumprod, cummax, cummin, cumlogsumexp, and linear recurrences.

`linear_recurrence`, ``y[k] = a[k] * y[k-1] + b[k]``, is what the derivatives of all the others are made of (they're
recurrences, and the derivative of a recurrence is a linear one), without any division; its own derivatives and its
transpose are linear recurrences again.  `reverse` runs from the end of the axis to its start.
Read next: `nonlinear_reductions`, `sorting`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from fnx.core.lowering import Element
from fnx.core.primitive import Primitive, Sample, Zero
from fnx.core.types import ShapedArray, tangent_type
from fnx.errors import user_frame
from fnx.primitives.arithmetic import add, mul, sub
from fnx.primitives.comparison import eq, gt, lt, select
from fnx.primitives.elementary import exp
from fnx.primitives.families import INEXACT, NUMBER, check_equal, check_kinds, linear
from fnx.primitives.reductions import extreme, wide
from fnx.primitives.samplers import DTYPES, arrays
from fnx.primitives.series import add_terms
from fnx.primitives.shaping import full, move_axis, new_axis
from fnx.primitives.slicing import pad

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
    "linear_recurrence",
    "linear_recurrence_p",
]

NDArray = np.ndarray[Any, Any]


# ---------------------------------------------------------------------------------------------- what they share


def _infer(name: str, accepts: str) -> Callable[..., ShapedArray]:
    def infer(*avals: ShapedArray, axis: int, reverse: bool) -> ShapedArray:
        check_kinds(name, accepts, avals)
        check_equal(name, avals)
        x = avals[0]
        if not 0 <= axis < x.ndim:
            raise ValueError(
                f"{name}: axis {axis} must be an axis of {x!r}, from 0 to {x.ndim - 1} (at {user_frame()}). "
                "Negative axes are counted by `fnx.numpy`."
            )
        return ShapedArray(x.shape, x.dtype, all(a.weak_type for a in avals))

    return infer


def _vmap(primitive_of: Callable[[], Primitive]) -> Callable[..., Any]:
    def vmap(
        size: int, args: Sequence[Any], dims: Sequence[Any], *, axis: int, reverse: bool
    ) -> tuple[Any, int]:
        if len(args) == 1:
            (dim,) = dims
            return primitive_of()(args[0], axis=axis + (dim <= axis), reverse=reverse), dim
        moved = [
            new_axis(a, 0, size) if d is None else move_axis(a, d, 0)
            for a, d in zip(args, dims, strict=True)
        ]
        return primitive_of()(*moved, axis=axis + 1, reverse=reverse), 0

    return vmap


def _edges(x: Any, axis: int, before: int, after: int, value: float) -> Any:
    """Grown by a number, or cut where negative, at both ends of an axis."""
    config = [(0, 0, 0)] * x.ndim
    config[axis] = (before, after, 0)
    return pad(x, full((), value, x.dtype), config)


def shifted(x: Any, axis: int, reverse: bool, value: float) -> Any:
    """For each place the element before it in running order; `value` for the first.

    Parameters
    ----------
    x : Array
        Any dtype.
    axis : int
        The axis.
    reverse : bool
        Whether "before" is the next place.
    value : number
        What is before the first.
    """
    return _edges(x, axis, -1, 1, value) if reverse else _edges(x, axis, 1, -1, value)


def _later(x: Any, axis: int, reverse: bool) -> Any:
    """All but the first in running order."""
    return _edges(x, axis, 0, -1, 0) if reverse else _edges(x, axis, -1, 0, 0)


def _earlier(x: Any, axis: int, reverse: bool) -> Any:
    """All but the last in running order."""
    return _later(x, axis, not reverse)


def _led(x: Any, axis: int, reverse: bool) -> Any:
    """With one place more, of 0, before the first in running order."""
    return _edges(x, axis, 0, 1, 0) if reverse else _edges(x, axis, 1, 0, 0)


def _running(x: NDArray, axis: int, reverse: bool, function: Callable[[NDArray], NDArray]) -> NDArray:
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
        read = _reader(i, x, axis)
        if shape[axis] == 1:
            return read(0)

        def body(j: Any) -> Any:
            return read(j) if working == dtype else b.convert(read(j), working)

        total = b.running(operation, working, i[axis], shape[axis], body, reverse)
        return total if working == dtype else b.convert(total, dtype)

    return Element(element, "running")


def _reader(i: Sequence[Any], x: Any, axis: int) -> Callable[[Any], Any]:
    shape = x.aval.shape

    def read(j: Any) -> Any:
        return x(*[0 if n == 1 else (j if k == axis else i[k]) for k, n in enumerate(shape)])

    return read


def _samples(
    accepts: str, count: int = 1, linear_in: tuple[int, ...] = ()
) -> Callable[[np.random.Generator], Iterator[Sample]]:
    def sample(rng: np.random.Generator) -> Iterator[Sample]:
        first = True
        for kind in accepts:
            for dtype in DTYPES[kind]:
                cases = (((5,), 0), ((1,), 0), ((2, 3), 0), ((2, 3), 1), ((3, 1, 4), 2), ((0, 2), 0), ((2, 0), 0))
                for shape, axis in cases if first else (((2, 3), 1),):
                    for reverse in (False, True):
                        args = tuple(arrays(rng, shape, dtype) for _ in range(count))
                        yield Sample(args, {"axis": axis, "reverse": reverse}, linear_in)
                first = False
        args = tuple(arrays(rng, (3, 4), np.float64, strided=True) for _ in range(count))
        yield Sample(args, {"axis": 0, "reverse": False}, linear_in)
        args = tuple(arrays(rng, (150, 2), np.float64, -1.0, 1.0) for _ in range(count))
        yield Sample(args, {"axis": 0, "reverse": True}, linear_in)

    return sample


# ---------------------------------------------------------------------------------------------- linear recurrence

#: Up to this many steps one by one; longer recurrences are first halved by combining neighbours.
STEPS = 64


def _recurrence_evaluate(a: NDArray, b: NDArray, *, axis: int, reverse: bool) -> NDArray:
    dtype = b.dtype
    a, b = [np.moveaxis(v.astype(wide(dtype), copy=False), axis, 0) for v in (a, b)]
    if reverse:
        a, b = a[::-1], b[::-1]
    out = _recur(a, b)
    out = np.moveaxis(out[::-1] if reverse else out, 0, axis)
    return out.astype(dtype, copy=False)


def _recur(a: NDArray, b: NDArray) -> NDArray:
    out = np.empty_like(b)
    n = len(b)
    if n == 0:
        return out
    if n <= STEPS or b[0].size >= n:
        out[0] = b[0]
        for k in range(1, n):
            np.multiply(a[k], out[k - 1], out=out[k])
            out[k] += b[k]
        return out
    # y[2m+1] = (a[2m+1] a[2m]) y[2m-1] + (a[2m+1] b[2m] + b[2m+1]): a recurrence of half the length.
    half = n // 2
    odd = a[1::2]
    out[1::2] = _recur(odd * a[: 2 * half : 2], odd * b[: 2 * half : 2] + b[1::2])
    out[0] = b[0]
    out[2::2] = a[2::2] * out[1 : n - 1 : 2] + b[2::2]
    return out


def _recurrence_element(b: Any, i: Any, factor: Any, term: Any, *, axis: int, reverse: bool) -> Any:
    dtype, n = term.aval.dtype, term.aval.shape[axis]
    working = wide(dtype)
    factor_at, term_at = _reader(i, factor, axis), _reader(i, term, axis)
    if n == 1:
        return term_at(0)
    first = n - 1 if reverse else 0

    def body(j: Any) -> Any:
        a, c = b.convert(factor_at(j), working), b.convert(term_at(j), working)
        # The first factor has nothing to multiply, and may be infinite.
        starts = b.eq(b.from_index(j, np.int64), first)
        return b.select(starts, b.constant(0, working), a), c

    def combine(b: Any, before: Any, step: Any) -> Any:
        (a, c), (p, q) = before, step  # y -> p (a y + c) + q
        return b.mul(p, a), b.add(b.mul(p, c), q)

    inits = (b.constant(1, working), b.constant(0, working))
    _, total = b.running_many(combine, inits, i[axis], n, body, reverse)
    return b.convert(total, dtype)


def _recurrence_jvp(primals: Any, tangents: Any, *, axis: int, reverse: bool) -> Any:
    # dy[k] = a[k] dy[k-1] + (da[k] y[k-1] + db[k])
    (a, b), (da, db) = primals, tangents
    out = linear_recurrence(a, b, axis, reverse)
    zero = Zero(tangent_type(out.aval))
    terms = [db] if type(da) is Zero else [mul(da, shifted(out, axis, reverse, 0)), db]
    total = add_terms(terms, add, zero)
    return out, zero if type(total) is Zero else linear_recurrence(a, total, axis, reverse)


def _recurrence_transpose(ct: Any, a: Any, b: Any, *, axis: int, reverse: bool) -> list[Any]:
    # y = b + A y with A[k, k-1] = a[k], so the cotangent c of b solves c = ct + A^T c: c[k] = a[k+1] c[k+1] + ct[k]
    return [None, linear_recurrence(shifted(a, axis, not reverse, 0), ct, axis, not reverse)]


def _recurrence_jet(primals: Any, series: Any, *, axis: int, reverse: bool) -> Any:
    # Coefficient m of the recurrence: y_m[k] = a_0[k] y_m[k-1] + (sum over j > 0 of a_j[k] y_(m-j)[k-1] + b_m[k])
    (a, b), (a_terms, b_terms) = primals, series
    ys = [linear_recurrence(a, b, axis, reverse)]
    return ys[0], _recurrence_series(a, a_terms, b_terms, ys, axis, reverse, 0)


def _recurrence_series(
    a: Any, a_terms: Any, b_terms: Any, ys: list[Any], axis: int, reverse: bool, start: float
) -> list[Any]:
    zero = Zero(tangent_type(ys[0].aval))
    for m in range(1, len(b_terms) + 1):
        terms = [b_terms[m - 1]]
        for j in range(1, m + 1):
            if type(a_terms[j - 1]) is not Zero and type(ys[m - j]) is not Zero:
                previous = shifted(ys[m - j], axis, reverse, start if j == m else 0)
                terms.append(mul(a_terms[j - 1], previous))
        total = add_terms(terms, add, zero)
        ys.append(zero if type(total) is Zero else linear_recurrence(a, total, axis, reverse))
    return ys[1:]


linear_recurrence_p = Primitive(
    "linear_recurrence",
    infer=_infer("linear_recurrence", INEXACT),
    evaluate=_recurrence_evaluate,
    jvp=_recurrence_jvp,
    transpose=_recurrence_transpose,
    vmap=_vmap(lambda: linear_recurrence_p),
    jet=_recurrence_jet,
    lower=Element(_recurrence_element, "running"),
    sample=_samples("fc", 2, (1,)),
)


def linear_recurrence(factor: Any, term: Any, axis: int, reverse: bool = False) -> Any:
    """The solution of ``y[k] = factor[k] * y[k-1] + term[k]`` along an axis, from ``y[-1] = 0``.

    Parameters
    ----------
    factor, term : Array
        Of one shape and one inexact dtype; the first factor isn't used.
    axis : int
        The axis, not negative.
    reverse : bool
        Run from the end: ``y[k] = factor[k] * y[k+1] + term[k]``.
    """
    return linear_recurrence_p(factor, term, axis=axis, reverse=reverse)


# ---------------------------------------------------------------------------------------------- cumsum

cumsum_p = linear(
    "cumsum",
    infer=_infer("cumsum", NUMBER),
    evaluate=_accumulate(np.add),
    transpose=lambda ct, x, axis, reverse: [cumsum(ct, axis, not reverse)],
    vmap=_vmap(lambda: cumsum_p),
    lower=_element("add"),
    sample=_samples("fciu", 1, (0,)),
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


# ---------------------------------------------------------------------------------------------- cumprod


def _cumprod_jvp(primals: Any, tangents: Any, *, axis: int, reverse: bool) -> Any:
    # y[k] = x[k] y[k-1], so dy[k] = x[k] dy[k-1] + y[k-1] dx[k], from y[-1] = 1
    (x,), (dx,) = primals, tangents
    out = cumprod(x, axis, reverse)
    zero = Zero(tangent_type(out.aval))
    if type(dx) is Zero or zero.aval.dtype != out.dtype:
        return out, zero
    term = mul(shifted(out, axis, reverse, 1), dx)
    return out, linear_recurrence(x, term, axis, reverse)


def _cumprod_jet(primals: Any, series: Any, *, axis: int, reverse: bool) -> Any:
    (x,), (terms,) = primals, series
    ys = [cumprod(x, axis, reverse)]
    zero = Zero(tangent_type(ys[0].aval))
    if zero.aval.dtype != ys[0].dtype:
        return ys[0], [zero] * len(terms)
    nothing = [zero] * len(terms)
    return ys[0], _recurrence_series(x, terms, nothing, ys, axis, reverse, 1)


cumprod_p = Primitive(
    "cumprod",
    infer=_infer("cumprod", NUMBER),
    evaluate=_accumulate(np.multiply),
    jvp=_cumprod_jvp,
    vmap=_vmap(lambda: cumprod_p),
    jet=_cumprod_jet,
    lower=_element("mul"),
    sample=_samples("fciu"),
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


# ---------------------------------------------------------------------------------------------- cummax, cummin


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
    # y[k] = log(exp y[k-1] + exp x[k]), so dy[k] = exp(y[k-1] - y[k]) dy[k-1] + exp(x[k] - y[k]) dx[k].  Where both are
    # the same infinity the difference is NaN and the weight 1; where they're equal numbers it's 1 anyway.
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

    Where the factors are piecewise constant (`frozen`), Taylor coefficients follow the same recurrence.
    """

    def jvp(primals: Any, tangents: Any, *, axis: int, reverse: bool) -> Any:
        (x,), (dx,) = primals, tangents
        out = primitive(x, axis=axis, reverse=reverse)
        zero = Zero(tangent_type(out.aval))
        if type(dx) is Zero or zero.aval.dtype != out.dtype:
            return out, zero
        factor, scale = weights(x, out, axis, reverse)
        return out, linear_recurrence(factor, mul(scale, dx), axis, reverse)

    def jet(primals: Any, series: Any, *, axis: int, reverse: bool) -> Any:
        (x,), (terms,) = primals, series
        out = primitive(x, axis=axis, reverse=reverse)
        zero = Zero(tangent_type(out.aval))
        if zero.aval.dtype != out.dtype or all(type(c) is Zero for c in terms):
            return out, [zero] * len(terms)
        factor, scale = weights(x, out, axis, reverse)
        return out, [
            zero if type(c) is Zero else linear_recurrence(factor, mul(scale, c), axis, reverse)
            for c in terms
        ]

    primitive = Primitive(
        name,
        infer=_infer(name, accepts),
        jvp=jvp,
        vmap=_vmap(lambda: primitive),
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
    sample=_samples("fiu"),
)

cummin_p = _weighted(
    "cummin",
    "iuf",
    _extreme_weights(False),
    frozen=True,
    evaluate=_accumulate(np.minimum),
    lower=_element("min"),
    sample=_samples("fiu"),
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


# ---------------------------------------------------------------------------------------------- cumlogsumexp


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
    read = _reader(i, x, axis)
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
    sample=_samples("fc"),
)


def cumlogsumexp(operand: Any, axis: int = 0, reverse: bool = False) -> Any:
    """The logarithms of the sums of the exponentials of all elements up to each place along an axis.

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
