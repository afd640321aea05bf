"""Reductions over whole axes: sum, and, or, xor, and the positions of extremes.

A reduction removes the axes that `axes` names.  Integers wrap in their own dtype; float16 and
bfloat16 are summed in float32 and rounded once.  The order in which elements are combined is the
loop nest's (NumPy's when evaluated), so two ways of computing a sum agree within n x eps.  Max, min
and prod are in `nonlinear_reductions`, for their derivatives need comparisons and cumulative
products.  Read next: `nonlinear_reductions`, `cumulative`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from fnx.core.lowering import Element
from fnx.core.primitive import Primitive, Sample
from fnx.core.types import ShapedArray
from fnx.dtypes import kind_of
from fnx.errors import ArgumentTypeError, ArgumentValueError
from fnx.primitives.families import (
    BOOL_OR_INT,
    NUMBER,
    Batching,
    check_kinds,
    linear,
    nondifferentiable,
    size_of_work,
)
from fnx.primitives.samplers import DTYPES, arrays, special_rows
from fnx.primitives.shaping import broadcast_in_dim

__all__ = [
    "argmax",
    "argmax_p",
    "argmin",
    "argmin_p",
    "reduce_and",
    "reduce_and_p",
    "reduce_or",
    "reduce_or_p",
    "reduce_sum",
    "reduce_sum_p",
    "reduce_xor",
    "reduce_xor_p",
]


# ---------------------------------------------------------------------------- what reductions share


def reduced_shape(name: str, x: ShapedArray, axes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape without some axes; raises ValueError unless they are different axes of `x`."""
    if len(set(axes)) != len(axes) or any(not 0 <= a < x.ndim for a in axes):
        raise ArgumentValueError(
            f"{name}: axes {axes} must be different axes of {x!r}, each from 0 to {x.ndim - 1}"
            f". Negative axes are counted by `fnx.numpy`."
        )
    return tuple(n for k, n in enumerate(x.shape) if k not in axes)


def infer_reduction(name: str, accepts: str) -> Callable[..., ShapedArray]:
    """The infer rule of a reduction that keeps the dtype."""

    @functools.lru_cache(maxsize=1024)  # every eager call asks
    def infer(x: ShapedArray, *, axes: tuple[int, ...]) -> ShapedArray:
        check_kinds(name, accepts, [x])
        return ShapedArray(reduced_shape(name, x, axes), x.dtype, x.weak_type)

    return infer


def reduction_vmap(primitive_of: Callable[[], Primitive]) -> Callable[..., Any]:
    """vmap of what removes axes: count the axes around the mapped one."""

    def vmap(
        size: int, args: Sequence[Any], dims: Sequence[Any], *, axes: tuple[int, ...], **params: Any
    ) -> tuple[Any, int]:
        (dim,) = dims
        shifted = tuple(a + (a >= dim) for a in axes)
        out = primitive_of()(args[0], axes=shifted, **params)
        return out, dim - sum(a < dim for a in shifted)

    return vmap


def wide(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype in which numbers are accumulated: float32 for the half floats, else itself."""
    if dtype.itemsize >= 4 or kind_of(dtype) != "f":
        return dtype
    return np.dtype(np.float32)


def accumulated(
    ufunc: np.ufunc, x: np.ndarray[Any, Any], axes: tuple[int, ...]
) -> np.ndarray[Any, Any]:
    """A ufunc's reduction in the operand's dtype; half floats are rounded once, at the end."""
    if not axes:  # nothing is added, not even to -0
        return x.copy()
    dtype = x.dtype
    out = np.asarray(ufunc.reduce(x, axis=axes, dtype=wide(dtype)))
    return out if out.dtype is dtype else out.astype(dtype, copy=False)


def spread(
    i: Sequence[Any], j: Sequence[Any], shape: Sequence[int], axes: Sequence[int]
) -> list[Any]:
    """The operand's index, from the result's (`i`) and the index in axes that aren't 1 (`j`)."""
    outer, inner = iter(i), iter(j)
    result = []
    for axis, n in enumerate(shape):
        position = (0 if n == 1 else next(inner)) if axis in axes else next(outer)
        result.append(0 if n == 1 else position)
    return result


def inner_extents(shape: Sequence[int], axes: Sequence[int]) -> tuple[int, ...]:
    """The extents of the reduced axes that aren't 1, in order."""
    return tuple(n for k, n in enumerate(shape) if k in axes and n != 1)


def reduction_element(operation: str) -> Element:
    """The element rule of a reduction by one of the builder's operations."""

    def element(b: Any, i: Any, x: Any, *, axes: tuple[int, ...]) -> Any:
        shape, dtype = x.aval.shape, x.aval.dtype
        working = wide(dtype) if operation in ("add", "mul") else dtype

        def body(*j: Any) -> Any:
            value = x(*spread(i, j, shape, axes))
            return value if working == dtype else b.convert(value, working)

        total = b.reduce(operation, working, inner_extents(shape, axes), body)
        return total if working == dtype else b.convert(total, dtype)

    return Element(element, "reduce")


def reduction_fold(staging: Any, atoms: Any, params: Any) -> Any:
    """A reduction over no axes is its operand."""
    return atoms[0] if not params["axes"] else None


def reduction_samples(
    accepts: str, linear_in: tuple[int, ...] = (), low: float = -2.0, empty: bool = True
) -> Callable[[np.random.Generator], Iterator[Sample]]:
    """A sampler of a reduction: shapes with every kind of choice of axes, then dtypes."""

    def sample(rng: np.random.Generator) -> Iterator[Sample]:
        cases: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
            ((), ()), ((5,), (0,)), ((5,), ()), ((1,), (0,)), ((37,), (0,)), ((2, 3), (0,)),
            ((2, 3), (1,)), ((2, 3), (0, 1)), ((2, 1, 4), (0, 2)), ((2, 1, 4), (1,)),
            ((3, 4, 2), (1,)),
        ]  # fmt: skip
        if empty:
            cases += [((0, 3), (0,)), ((0, 3), (1,))]
        first = True
        for kind in sorted(accepts, key="fcuib".index):
            for dtype in DTYPES[kind]:
                for shape, axes in cases if first else (((3, 4), (1,)), ((2, 3), (0, 1))):
                    yield Sample((arrays(rng, shape, dtype, low),), {"axes": axes}, linear_in)
                first = False
        dtype = DTYPES[sorted(accepts, key="fcuib".index)[0]][0]
        strided = arrays(rng, (3, 4, 2), dtype, low, strided=True)
        yield Sample((strided,), {"axes": (0, 2)}, linear_in)
        for dtype in DTYPES["f"] if "f" in accepts else ():
            special = special_rows(dtype)
            for operand, axes in ((special, (1,)), (special, ()), (special[:, :1], (1,))):
                yield Sample((operand,), {"axes": axes}, linear_in, smooth=False)

    return sample


# ---------------------------------------------------------------------------------------------- sum


def _sum_transpose(ct: Any, x: Any, *, axes: tuple[int, ...]) -> list[Any]:
    kept = [k for k in range(x.ndim) if k not in axes]
    return [broadcast_in_dim(ct, x.shape, kept)]


reduce_sum_p: Primitive = linear(
    "reduce_sum",
    infer=infer_reduction("reduce_sum", NUMBER),
    evaluate=lambda x, axes: accumulated(np.add, x, axes),
    transpose=_sum_transpose,
    vmap=reduction_vmap(lambda: reduce_sum_p),
    lower=reduction_element("add"),
    fold=reduction_fold,
    work=size_of_work,
    sample=reduction_samples(NUMBER, (0,)),
)


def reduce_sum(operand: Any, axes: Sequence[int]) -> Any:
    """The sum over some axes, in the operand's dtype; integers wrap.

    Parameters
    ----------
    operand : Array
        Of numbers.
    axes : sequence of int
        Axes to remove, not negative.

    Returns
    -------
    Array
        0 where the axes are empty.
    """
    axes = tuple(axes)
    return reduce_sum_p(operand, axes=axes) if axes else operand


# ------------------------------------------------------------------------------------- and, or, xor


def _bitwise(name: str, ufunc: np.ufunc, operation: str) -> Primitive:
    primitive: Primitive = nondifferentiable(
        name,
        infer=infer_reduction(name, BOOL_OR_INT),
        evaluate=lambda x, axes: np.asarray(ufunc.reduce(x, axis=axes)).astype(x.dtype, copy=False),
        vmap=reduction_vmap(lambda: primitive),
        lower=reduction_element(operation),
        fold=reduction_fold,
        sample=reduction_samples(BOOL_OR_INT),
    )
    return primitive


reduce_and_p = _bitwise("reduce_and", np.bitwise_and, "and")
reduce_or_p = _bitwise("reduce_or", np.bitwise_or, "or")
reduce_xor_p = _bitwise("reduce_xor", np.bitwise_xor, "xor")


def reduce_and(operand: Any, axes: Sequence[int]) -> Any:
    """Whether all are true over some axes; of integers, bit by bit.

    Parameters
    ----------
    operand : Array
        Of booleans or integers.
    axes : sequence of int
        Axes to remove, not negative.
    """
    return reduce_and_p(operand, axes=tuple(axes))


def reduce_or(operand: Any, axes: Sequence[int]) -> Any:
    """Whether any is true over some axes; of integers, bit by bit.

    Parameters
    ----------
    operand : Array
        Of booleans or integers.
    axes : sequence of int
        Axes to remove, not negative.
    """
    return reduce_or_p(operand, axes=tuple(axes))


def reduce_xor(operand: Any, axes: Sequence[int]) -> Any:
    """Whether an odd number is true over some axes; of integers, bit by bit.

    Parameters
    ----------
    operand : Array
        Of booleans or integers.
    axes : sequence of int
        Axes to remove, not negative.
    """
    return reduce_xor_p(operand, axes=tuple(axes))


# ----------------------------------------------------------------------------------- argmax, argmin


def before(b: Any, larger: bool, left: tuple[Any, Any], right: tuple[Any, Any]) -> Any:
    """Whether (value, position) `left` wins against `right`.

    NaN wins, then the value, then the lower position.  It is a total order, so that folding by it
    is commutative and associative, as `reduce_many` wants.
    """
    (v, p), (w, q) = left, right
    beats = b.gt(v, w) if larger else b.lt(v, w)
    equal = b.eq(v, w)
    if kind_of(v.dtype) == "f":
        v_nan, w_nan = b.is_nan(v), b.is_nan(w)
        beats = b.or_(beats, b.and_(v_nan, b.not_(w_nan)))
        equal = b.or_(equal, b.and_(v_nan, w_nan))
    return b.or_(beats, b.and_(equal, b.lt(p, q)))


def extreme(dtype: np.dtype[Any], lowest: bool) -> Any:
    """The least or greatest value of a dtype; infinite for floats and the real part of complex."""
    if dtype.kind == "b":
        return not lowest
    if dtype.kind == "c":
        return complex(-np.inf if lowest else np.inf, 0)
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return limits.min if lowest else limits.max
    return -np.inf if lowest else np.inf


def _arg_infer(name: str) -> Callable[..., ShapedArray]:
    def infer(x: ShapedArray, *, axes: tuple[int, ...], index_dtype: np.dtype[Any]) -> ShapedArray:
        check_kinds(name, "biuf", [x])
        if index_dtype.kind not in "iu":
            raise ArgumentTypeError(
                f"{name}: index_dtype must be an integer dtype, got {index_dtype.name}. Use int32."
            )
        if len(axes) != 1:
            raise ArgumentValueError(
                f"{name}: takes one axis, got axes={axes}. Reshape the operand so that the axes "
                "become one, or use `fnx.numpy`, whose axis=None does so."
            )
        shape = reduced_shape(name, x, axes)
        if x.shape[axes[0]] == 0:
            raise ArgumentValueError(
                f"{name}: axis {axes[0]} of {x!r} is empty, so that no element is the extreme one."
            )
        return ShapedArray(shape, index_dtype)

    return infer


def _arg_element(larger: bool) -> Element:
    def element(
        b: Any, i: Any, x: Any, *, axes: tuple[int, ...], index_dtype: np.dtype[Any]
    ) -> Any:
        shape, dtype = x.aval.shape, x.aval.dtype
        if shape[axes[0]] == 1:
            return b.constant(0, index_dtype)
        working = np.dtype(np.int32) if dtype.kind == "b" else dtype

        def body(j: Any) -> Any:
            value = x(*spread(i, [j], shape, axes))
            value = value if working == dtype else b.convert(value, working)
            return value, b.from_index(j, np.int64)

        def combine(b: Any, left: Any, right: Any) -> Any:
            wins = before(b, larger, left, right)
            return tuple(b.select(wins, x, y) for x, y in zip(left, right, strict=True))

        last = np.iinfo(np.int64).max
        inits = (b.constant(extreme(working, larger), working), b.constant(last, np.int64))
        _, position = b.reduce_many(combine, inits, (shape[axes[0]],), body)
        return b.convert(position, index_dtype)

    return Element(element, "reduce")


def _arg_samples(rng: np.random.Generator) -> Iterator[Sample]:
    for sample in reduction_samples("biuf", empty=False)(rng):
        if len(sample.params["axes"]) == 1:
            for index_dtype in (np.int32, np.int64):
                params = {**sample.params, "index_dtype": np.dtype(index_dtype)}
                yield Sample(sample.args, params, smooth=sample.smooth)
    special = np.array([[1.0, np.nan, 3.0, np.nan], [-np.inf, -np.inf, -np.inf, -np.inf]])
    ties = np.array([[0.0, -0.0, 0.0, -1.0], [np.inf, 1.0, np.inf, np.inf]])
    for data in (special, ties):
        yield Sample((data,), {"axes": (1,), "index_dtype": np.dtype(np.int32)}, smooth=False)


def _arg_primitive(name: str, function: Any, larger: bool) -> Primitive:
    primitive: Primitive = nondifferentiable(
        name,
        why="positions of extremes are piecewise constant",
        infer=_arg_infer(name),
        evaluate=lambda x, axes, index_dtype: np.asarray(
            function(x if x.dtype.kind in "biuf" else x.astype(np.float32), axis=axes[0])
        ).astype(index_dtype),
        vmap=reduction_vmap(lambda: primitive),
        lower=_arg_element(larger),
        sample=_arg_samples,
    )
    return primitive


argmax_p = _arg_primitive("argmax", np.argmax, True)
argmin_p = _arg_primitive("argmin", np.argmin, False)


def argmax(operand: Any, axis: int, index_dtype: Any = np.int32) -> Any:
    """The position of the greatest element along an axis; of the first NaN, if there is one.

    Parameters
    ----------
    operand : Array
        Of booleans or real numbers.
    axis : int
        The axis, not negative.
    index_dtype : dtype
        Of the result.

    Returns
    -------
    Array
        The first position, if several elements are greatest.
    """
    return argmax_p(operand, axes=(axis,), index_dtype=np.dtype(index_dtype))


def argmin(operand: Any, axis: int, index_dtype: Any = np.int32) -> Any:
    """The position of the least element along an axis; of the first NaN, if there is one.

    Parameters
    ----------
    operand : Array
        Of booleans or real numbers.
    axis : int
        The axis, not negative.
    index_dtype : dtype
        Of the result.

    Returns
    -------
    Array
        The first position, if several elements are least.
    """
    return argmin_p(operand, axes=(axis,), index_dtype=np.dtype(index_dtype))


Batching.sum = staticmethod(lambda x, axes: reduce_sum(x, axes))
