"""Linear recurrences ``y[k] = a[k] * y[k-1] + b[k]``, and what all running reductions share.

The derivatives and the transpose of a linear recurrence are linear recurrences again, and the
derivatives of the other running reductions are linear recurrences, too: so there are derivatives of
every order, without a division. Read next: `cumulative`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from fnx.core.lowering import Element
from fnx.core.primitive import Primitive, Sample, Zero
from fnx.core.types import ShapedArray, tangent_type
from fnx.errors import ArgumentValueError
from fnx.primitives.arithmetic import add, mul
from fnx.primitives.families import INEXACT, check_equal, check_kinds
from fnx.primitives.reductions import wide
from fnx.primitives.samplers import DTYPES, arrays, special_rows
from fnx.primitives.series import add_terms
from fnx.primitives.shaping import full, move_axis, new_axis
from fnx.primitives.slicing import pad

__all__ = ["linear_recurrence", "linear_recurrence_p"]

NDArray = np.ndarray[Any, Any]


# ---------------------------------------------------------------------------------- what they share


def infer_running(name: str, accepts: str) -> Callable[..., ShapedArray]:
    """The infer rule of what runs along an axis of equal operands."""

    def infer(*avals: ShapedArray, axis: int, reverse: bool) -> ShapedArray:
        check_kinds(name, accepts, avals)
        check_equal(name, avals)
        x = avals[0]
        if not 0 <= axis < x.ndim:
            raise ArgumentValueError(
                f"{name}: axis {axis} must be an axis of {x!r}, from 0 to {x.ndim - 1}. "
                "Negative axes are counted by `fnx.numpy`."
            )
        return ShapedArray(x.shape, x.dtype, all(a.weak_type for a in avals))

    return infer


def running_vmap(primitive_of: Callable[[], Primitive]) -> Callable[..., Any]:
    """vmap of what runs along an axis: it runs along the same one."""

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


def edged(x: Any, axis: int, before: int, after: int, value: float) -> Any:
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
    return edged(x, axis, -1, 1, value) if reverse else edged(x, axis, 1, -1, value)


def reader(i: Sequence[Any], x: Any, axis: int) -> Callable[[Any], Any]:
    """The operand's element at a place of the axis, at the result's index elsewhere."""
    shape = x.aval.shape

    def read(j: Any) -> Any:
        return x(*[0 if n == 1 else (j if k == axis else i[k]) for k, n in enumerate(shape)])

    return read


def running_samples(
    accepts: str, count: int = 1, linear_in: tuple[int, ...] = ()
) -> Callable[[np.random.Generator], Iterator[Sample]]:
    """A sampler of what runs along an axis: shapes and axes, then dtypes, then long axes."""

    def sample(rng: np.random.Generator) -> Iterator[Sample]:
        first = True
        for kind in accepts:
            for dtype in DTYPES[kind]:
                cases = (
                    ((5,), 0),
                    ((1,), 0),
                    ((2, 3), 0),
                    ((2, 3), 1),
                    ((3, 1, 4), 2),
                    ((0, 2), 0),
                    ((2, 0), 0),
                )
                for shape, axis in cases if first else (((2, 3), 1),):
                    for reverse in (False, True):
                        args = tuple(arrays(rng, shape, dtype) for _ in range(count))
                        yield Sample(args, {"axis": axis, "reverse": reverse}, linear_in)
                first = False
        args = tuple(arrays(rng, (3, 4), np.float64, strided=True) for _ in range(count))
        yield Sample(args, {"axis": 0, "reverse": False}, linear_in)
        args = tuple(arrays(rng, (150, 2), np.float64, -1.0, 1.0) for _ in range(count))
        yield Sample(args, {"axis": 0, "reverse": True}, linear_in)
        for dtype in DTYPES["f"]:
            for reverse in (False, True):
                args = (special_rows(dtype),) * count
                yield Sample(args, {"axis": 1, "reverse": reverse}, linear_in, smooth=False)

    return sample


# -------------------------------------------------------------------------------- linear recurrence

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
    if n <= STEPS or b[:1].size >= n:
        out[0] = b[0]
        for k in range(1, n):
            here = slice(k, k + 1)
            np.multiply(a[here], out[k - 1 : k], out=out[here])
            out[here] += b[here]
        return out
    # y[2m+1] = (a[2m+1] a[2m]) y[2m-1] + (a[2m+1] b[2m] + b[2m+1]): a recurrence of half the
    # length.
    half = n // 2
    odd = a[1::2]
    out[1::2] = _recur(odd * a[: 2 * half : 2], odd * b[: 2 * half : 2] + b[1::2])
    out[0] = b[0]
    out[2::2] = a[2::2] * out[1 : n - 1 : 2] + b[2::2]
    return out


def _recurrence_element(b: Any, i: Any, factor: Any, term: Any, *, axis: int, reverse: bool) -> Any:
    dtype, n = term.aval.dtype, term.aval.shape[axis]
    working = wide(dtype)
    factor_at, term_at = reader(i, factor, axis), reader(i, term, axis)
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

    # Of -0, so that a first term of -0 stays what it is.
    inits = (b.constant(1, working), b.constant(-0.0 if working.kind == "f" else 0, working))
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
    # y = b + A y with A[k, k-1] = a[k], so the cotangent c of b solves c = ct + A^T c: c[k] =
    # a[k+1] c[k+1] + ct[k]
    return [None, linear_recurrence(shifted(a, axis, not reverse, 0), ct, axis, not reverse)]


def _recurrence_jet(primals: Any, series: Any, *, axis: int, reverse: bool) -> Any:
    # Coefficient m of the recurrence: y_m[k] = a_0[k] y_m[k-1] + (sum over j > 0 of a_j[k]
    # y_(m-j)[k-1] + b_m[k])
    (a, b), (a_terms, b_terms) = primals, series
    ys = [linear_recurrence(a, b, axis, reverse)]
    return ys[0], recurrence_series(a, a_terms, b_terms, ys, axis, reverse, 0)


def recurrence_series(
    a: Any, a_terms: Any, b_terms: Any, ys: list[Any], axis: int, reverse: bool, start: float
) -> list[Any]:
    """The coefficients of a recurrence whose factor and term are series; `start` is its y[-1]."""
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


linear_recurrence_p: Primitive = Primitive(
    "linear_recurrence",
    infer=infer_running("linear_recurrence", INEXACT),
    evaluate=_recurrence_evaluate,
    jvp=_recurrence_jvp,
    transpose=_recurrence_transpose,
    vmap=running_vmap(lambda: linear_recurrence_p),
    jet=_recurrence_jet,
    lower=Element(_recurrence_element, "running"),
    sample=running_samples("fc", 2, (1,)),
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
