"""Comparison and choice: eq ne lt le gt ge, max min, abs sign, clamp, select_n, nextafter.

Comparisons give booleans and have no derivative.  ``max`` and ``min`` give NaN when either operand
is NaN, and share a tangent in halves between equal operands.  Where a function has a kink, the
derivative is the one that JAX gives: of ``abs`` at 0 it is 1, of ``clamp`` at a bound it is 0.
Read next: `elementary`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fnx.core.lowering import Element
from fnx.core.primitive import Linear, Primitive, Sample, Zero
from fnx.core.types import ShapedArray
from fnx.dtypes import kind_of
from fnx.errors import ArgumentTypeError
from fnx.primitives.arithmetic import div, mul
from fnx.primitives.bits import bitwise_and
from fnx.primitives.complex_numbers import complex, conj, imag, real
from fnx.primitives.constants import like
from fnx.primitives.families import (
    ALL,
    FLOAT,
    Batching,
    check_equal,
    elementwise,
    infer_elementwise,
    linear,
    nondifferentiable,
    same_rank_vmap,
    to_front,
)
from fnx.primitives.folding import fold_uniform, uniform
from fnx.primitives.samplers import DTYPES, arrays, elementwise_samples
from fnx.primitives.shaping import broadcast_in_dim, zeros

__all__ = [
    "abs",
    "abs_p",
    "clamp",
    "clamp_p",
    "eq",
    "eq_p",
    "ge",
    "ge_p",
    "gt",
    "gt_p",
    "is_finite",
    "is_finite_p",
    "le",
    "le_p",
    "lt",
    "lt_p",
    "max",
    "max_p",
    "min",
    "min_p",
    "ne",
    "ne_p",
    "nextafter",
    "nextafter_p",
    "select",
    "select_n",
    "select_n_p",
    "sign",
    "sign_p",
]

BOOL = np.dtype(np.bool_)
ORDERED = "biuf"


# ---------------------------------------------------------------------- comparisons


def _truth_type(name: str, accepts: str, arity: int) -> Any:
    """Booleans, never weak."""
    infer = infer_elementwise(name, accepts, arity, lambda *dtypes: BOOL)
    return lambda *avals: infer(*avals).strengthen()


def _comparison(name: str, accepts: str, evaluate: Any, commutative: bool = False) -> Any:
    primitive = nondifferentiable(
        name,
        infer=_truth_type(name, accepts, 2),
        evaluate=evaluate,
        vmap=same_rank_vmap(lambda: primitive),
        lower=Element(lambda b, i, x, y: getattr(b, name)(x(*i), y(*i))),
        commutative=commutative,
        fold=fold_uniform(lambda: primitive),
        sample=elementwise_samples(accepts, (-2.0, 2.0), (-2.0, 2.0), edges=True),
    )
    return primitive


eq_p = _comparison("eq", ALL, np.equal, commutative=True)
ne_p = _comparison("ne", ALL, np.not_equal, commutative=True)
lt_p = _comparison("lt", ORDERED, np.less)
le_p = _comparison("le", ORDERED, np.less_equal)
gt_p = _comparison("gt", ORDERED, np.greater)
ge_p = _comparison("ge", ORDERED, np.greater_equal)


def eq(x: Any, y: Any) -> Any:
    """Whether ``x == y``; NaN equals nothing.

    Parameters
    ----------
    x, y : Array
        Of one shape and one dtype.
    """
    return eq_p(x, y)


def ne(x: Any, y: Any) -> Any:
    """Whether ``x != y``; NaN differs from everything.

    Parameters
    ----------
    x, y : Array
        Of one shape and one dtype.
    """
    return ne_p(x, y)


def lt(x: Any, y: Any) -> Any:
    """Whether ``x < y``.

    Parameters
    ----------
    x, y : Array
        Not complex; of one shape and one dtype.
    """
    return lt_p(x, y)


def le(x: Any, y: Any) -> Any:
    """Whether ``x <= y``.

    Parameters
    ----------
    x, y : Array
        Not complex; of one shape and one dtype.
    """
    return le_p(x, y)


def gt(x: Any, y: Any) -> Any:
    """Whether ``x > y``.

    Parameters
    ----------
    x, y : Array
        Not complex; of one shape and one dtype.
    """
    return gt_p(x, y)


def ge(x: Any, y: Any) -> Any:
    """Whether ``x >= y``.

    Parameters
    ----------
    x, y : Array
        Not complex; of one shape and one dtype.
    """
    return ge_p(x, y)


is_finite_p: Primitive = nondifferentiable(
    "is_finite",
    infer=_truth_type("is_finite", FLOAT, 1),
    evaluate=np.isfinite,
    vmap=same_rank_vmap(lambda: is_finite_p),
    lower=Element(lambda b, i, x: b.is_finite(x(*i))),
    fold=fold_uniform(lambda: is_finite_p),
    sample=elementwise_samples(FLOAT, (-2.0, 2.0), edges=True),
)


def is_finite(x: Any) -> Any:
    """Whether a number is neither NaN nor infinite.

    Parameters
    ----------
    x : Array
        Floating.
    """
    return is_finite_p(x)


# ---------------------------------------------------------------------- max, min


def _share(t: Any, out: Any, x: Any, y: Any) -> Any:
    # x wins: all of the tangent; a tie: half of it; y wins (or NaN): nothing.
    won = select_n(eq(x, y), like(t, 1), like(t, 0.5))
    return mul(t, select_n(eq(x, out), like(t, 0), won))


def _extremum(name: str, evaluate: Any) -> Any:
    primitive = elementwise(
        name,
        accepts=ALL,
        arity=2,
        evaluate=evaluate,
        tangents=(
            lambda t, out, x, y: _share(t, out, x, y),
            lambda t, out, x, y: _share(t, out, y, x),
        ),
        lower=Element(lambda b, i, x, y: getattr(b, name)(x(*i), y(*i))),
        commutative=True,
        fold=fold_uniform(lambda: primitive, lambda staging, atoms, params: _one_of(atoms)),
        sample=elementwise_samples(ALL, (-2.0, 2.0), (-2.0, 2.0), edges=True),
    )
    return primitive


def _one_of(atoms: Any) -> Any:
    """The atom, if all are the same one."""
    return atoms[0] if all(a is atoms[0] for a in atoms) else None


max_p = _extremum("max", np.maximum)
min_p = _extremum("min", np.minimum)


def max(x: Any, y: Any) -> Any:
    """The larger number; NaN if either is; complex numbers in lexicographic order.

    Parameters
    ----------
    x, y : Array
        Of one shape and one dtype.
    """
    return max_p(x, y)


def min(x: Any, y: Any) -> Any:
    """The smaller number; NaN if either is; complex numbers in lexicographic order.

    Parameters
    ----------
    x, y : Array
        Of one shape and one dtype.
    """
    return min_p(x, y)


# ---------------------------------------------------------------------- abs, sign


def _abs_tangent(t: Any, out: Any, x: Any) -> Any:
    if x.dtype.kind != "c":
        return mul(t, select_n(ge(x, like(x, 0)), like(x, -1), like(x, 1)))
    # d|z| = Re(conj(z / |z|) dz)
    return real(mul(conj(sign(x)), t))


def _sign_tangent(t: Any, out: Any, x: Any) -> Any:
    if x.dtype.kind != "c":
        return Zero(t.aval)
    # s = z / |z|:  ds = (dz - s Re(conj(s) dz)) / |z| = i s Im(conj(s) dz) / |z|
    turn = div(imag(mul(conj(out), t)), abs(x))
    return mul(out, complex(zeros(turn.aval), turn))


def _abs_fold(staging: Any, atoms: Any, params: Any) -> Any:
    return atoms[0] if atoms[0].aval.dtype.kind == "u" else None


def _sign_evaluate(x: Any) -> Any:
    if x.dtype.kind in "iu":
        return np.sign(x)
    if x.dtype.kind == "c":
        return np.where(np.isnan(x), x.dtype.type(np.nan * (1 + 1j)), np.sign(x))
    return np.copysign(np.sign(x), x)


abs_p: Primitive = elementwise(
    "abs",
    accepts="iufc",
    evaluate=np.abs,
    result=lambda dtype: np.dtype(f"f{dtype.itemsize // 2}") if dtype.kind == "c" else dtype,
    tangents=(_abs_tangent,),
    lower=Element(lambda b, i, x: b.abs(x(*i))),
    fold=fold_uniform(lambda: abs_p, _abs_fold),
    sample=elementwise_samples("iufc", (0.3, 2.0), edges=True),
)

sign_p: Primitive = elementwise(
    "sign",
    accepts="iufc",
    evaluate=_sign_evaluate,
    tangents=(_sign_tangent,),
    lower=Element(lambda b, i, x: b.sign(x(*i))),
    fold=fold_uniform(lambda: sign_p),
    sample=elementwise_samples("iufc", (0.3, 2.0), edges=True),
)


def abs(x: Any) -> Any:
    """The modulus; real, also of complex numbers; the lowest integer is its own.

    Parameters
    ----------
    x : Array
        Of numbers.
    """
    return abs_p(x)


def sign(x: Any) -> Any:
    """-1, 0 or 1 with the sign of a real number (zeros and NaN stay); ``z / |z|`` of a complex one.

    Parameters
    ----------
    x : Array
        Of numbers.
    """
    return sign_p(x)


# ---------------------------------------------------------------------- clamp


def _clamp_tangent(position: int) -> Any:
    def tangent(t: Any, out: Any, low: Any, x: Any, high: Any) -> Any:
        if position == 0:
            inside = gt(low, x)
        elif position == 1:
            inside = bitwise_and(gt(x, low), lt(x, high))
        else:
            inside = lt(high, x)
        return select_n(inside, zeros(t.aval), t)

    return tangent


def _clamp_samples(rng: np.random.Generator) -> Any:
    ranges = ((-2.0, -1.2), (-0.9, 0.9), (1.1, 2.0))
    yield from elementwise_samples(ORDERED, *ranges, edges=True)(rng)
    for dtype in (np.float64, np.int32):  # all three regions, away from the bounds
        x = np.array([-3, -2, 0, 2, 3]).astype(dtype)
        yield Sample((np.full_like(x, -1), x, np.full_like(x, 1)), {})


clamp_p: Primitive = elementwise(
    "clamp",
    accepts=ORDERED,
    arity=3,
    evaluate=lambda low, x, high: np.minimum(np.maximum(x, low), high),
    tangents=tuple(_clamp_tangent(k) for k in range(3)),
    lower=Element(lambda b, i, low, x, high: b.clamp(low(*i), x(*i), high(*i))),
    fold=fold_uniform(lambda: clamp_p),
    sample=_clamp_samples,
)


def clamp(min: Any, x: Any, max: Any) -> Any:
    """The number nearest to x between two bounds; if they are the wrong way round, the upper one.

    Parameters
    ----------
    min, max : Array
        Scalars, or of the shape of `x`; of its dtype.
    x : Array
        Not complex.
    """
    bounds = [
        broadcast_in_dim(bound, x.shape) if bound.ndim == 0 and x.ndim else bound
        for bound in (min, max)
    ]
    return clamp_p(bounds[0], x, bounds[1])


# ---------------------------------------------------------------------- select_n


def _select_infer(which: ShapedArray, *cases: ShapedArray) -> ShapedArray:
    if not cases:
        raise ArgumentTypeError("select_n: needs at least one case after the index")
    check_equal("select_n", cases)
    kind = kind_of(which.dtype)
    if kind not in "biu" or (kind != "b" and which.dtype.itemsize != 4):
        raise ArgumentTypeError(f"select_n: the index must be bool or int32, got {which!r}.")
    if kind == "b" and len(cases) > 2:
        raise ArgumentTypeError(
            f"select_n: a bool chooses between two cases, got {len(cases)}. Use an int32 index."
        )
    if which.shape not in ((), cases[0].shape):
        raise ArgumentTypeError(
            "select_n: the index must be a scalar or have the shape of the cases, got "
            f"{which!r} for cases {cases[0]!r}. Broadcast it (`lax.broadcast_in_dim`)."
        )
    weak = all(c.weak_type for c in cases)
    return ShapedArray(cases[0].shape, cases[0].dtype, weak)


def _select_evaluate(which: Any, *cases: Any) -> Any:
    if len(cases) == 1:
        return cases[0]
    if which.dtype.kind == "b":
        return np.where(which, cases[1], cases[0])
    result = cases[0]
    for k in range(1, len(cases)):
        result = np.where(which >= k, cases[k], result)
    return result


def _select_transpose(ct: Any, which: Any, *cases: Any) -> Any:
    result: list[Any] = [None]
    nothing = zeros(ct.aval) if len(cases) > 1 else ct
    for k, case in enumerate(cases):
        chosen = [ct if j == k else nothing for j in range(len(cases))]
        result.append(select_n(which, *chosen) if type(case) is Linear else None)
    return result


def _select_vmap(size: int, args: Any, dims: Any) -> Any:
    (which, *cases), (dim, *case_dims) = args, dims
    if dim is None and which.ndim == 0:
        mapped = [d for d in case_dims if d is not None]
        axis = mapped[0]
        moved = [
            Batching.broadcast(c, axis, size) if d is None else Batching.move(c, d, axis)
            for c, d in zip(cases, case_dims, strict=True)
        ]
        return select_n_p(which, *moved), axis
    cases = [to_front(c, d, size) for c, d in zip(cases, case_dims, strict=True)]
    which = to_front(which, dim, size)
    if which.ndim != cases[0].ndim:  # one choice for each element of the mapped axis
        which = broadcast_in_dim(which, cases[0].shape, (0,))
    return select_n_p(which, *cases), 0


def _select_element(b: Any, i: Any, which: Any, *cases: Any) -> Any:
    index = which(*(() if which.aval.ndim == 0 else i))
    result = cases[0](*i)
    if len(cases) == 2 and which.aval.dtype.kind == "b":
        return b.select(index, cases[1](*i), result)
    for k in range(1, len(cases)):
        result = b.select(b.ge(index, k), cases[k](*i), result)
    return result


def _select_fold(staging: Any, atoms: Any, params: Any) -> Any:
    same = _one_of(atoms[1:])
    if same is not None:
        return same
    number = uniform(staging, atoms[0])
    if number is None:
        return None
    last = len(atoms) - 2
    return atoms[1 + np.clip(int(number[0].val), 0, last)]


def _select_samples(rng: np.random.Generator) -> Any:
    for shape in ((), (1,), (5,), (0, 3), (2, 3), (37,)):
        for dtype in (np.float64, *DTYPES["f"][1:], np.complex128, np.int32, np.uint8, np.bool_):
            for count in (1, 2, 3):
                cases = tuple(arrays(rng, shape, dtype) for _ in range(count))
                kind = np.bool_ if count < 3 else np.int32
                for index_shape in {(), shape}:
                    which = arrays(rng, index_shape, kind, 0, count - 1)
                    yield Sample((which, *cases), {}, tuple(range(1, count + 1)))
    outside = np.array([-7, 0, 1, 2, 9], np.int32)
    cases = tuple(arrays(rng, (5,), np.float64) for _ in range(3))
    yield Sample((outside, *cases), {}, (1, 2, 3))
    strided = tuple(arrays(rng, (3, 4), np.float64, strided=True) for _ in range(2))
    yield Sample((arrays(rng, (3, 4), np.bool_, strided=True), *strided), {}, (1, 2))


select_n_p: Primitive = linear(
    "select_n",
    linear_in=lambda count: range(1, count),
    infer=_select_infer,
    evaluate=_select_evaluate,
    transpose=_select_transpose,
    vmap=_select_vmap,
    lower=Element(_select_element),
    fold=_select_fold,
    sample=_select_samples,
)


def select_n(which: Any, *cases: Any) -> Any:
    """Choose, element by element, among arrays.

    Parameters
    ----------
    which : Array
        bool (False: the first of two cases, True: the second) or int32 (numbers below 0 choose the
        first case, too large ones the last); a scalar, or of the shape of the cases.
    *cases : Array
        Of one shape and one dtype.

    Returns
    -------
    Array
        Of the type of the cases.
    """
    return select_n_p(which, *cases)


def select(pred: Any, on_true: Any, on_false: Any) -> Any:
    """Choose, element by element, between two arrays.

    Parameters
    ----------
    pred : Array
        bool; a scalar, or of the shape of the others.
    on_true, on_false : Array
        Of one shape and one dtype.
    """
    return select_n_p(pred, on_false, on_true)


# ---------------------------------------------------------------------- nextafter


def _nextafter(x: Any, y: Any) -> Any:
    # NumPy gives x and not y for zeros of both signs in half precision.
    return np.where(x == y, y, np.nextafter(x, y)) if x.dtype == np.float16 else np.nextafter(x, y)


nextafter_p: Primitive = elementwise(
    "nextafter",
    accepts=FLOAT,
    arity=2,
    evaluate=_nextafter,
    # x plus or minus a step that is constant between powers of two
    tangents=(lambda t, out, x, y: t, None),
    lower=Element(lambda b, i, x, y: b.nextafter(x(*i), y(*i))),
    fold=fold_uniform(lambda: nextafter_p),
    sample=elementwise_samples(FLOAT, (-2.0, 2.0), (-2.0, 2.0), edges=True),
)


def nextafter(x1: Any, x2: Any) -> Any:
    """The neighbour of a floating number in the direction of another one.

    Parameters
    ----------
    x1, x2 : Array
        Floating; of one shape and one dtype.
    """
    return nextafter_p(x1, x2)
