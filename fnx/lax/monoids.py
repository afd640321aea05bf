"""`reduce` and `reduce_window` with any associative function.

The functions that have primitives of their own (sums, products, extremes, bits) are recognised by
identity, the rest is composed: a reduction halves the axis until one element is left, a window is a
fold over its shifted copies. Compositions have every derivative that the function has.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fnx import tree_util
from fnx.core.array import Array
from fnx.core.conversion import as_value
from fnx.errors import ArgumentTypeError, ArgumentValueError
from fnx.lax.elementwise import add, bitwise_and, bitwise_or, bitwise_xor, mul
from fnx.lax.elementwise import max as max_
from fnx.lax.elementwise import min as min_
from fnx.primitives.joining import concatenate
from fnx.primitives.nonlinear_reductions import reduce_max, reduce_min, reduce_prod
from fnx.primitives.reductions import extreme, reduce_and, reduce_or, reduce_sum, reduce_xor
from fnx.primitives.shaping import broadcast_in_dim, reshape, transpose
from fnx.primitives.slicing import pad, slice_in_dim
from fnx.primitives.slicing import slice as slice_
from fnx.primitives.windows import (
    reduce_window_max,
    reduce_window_min,
    reduce_window_sum,
    window_params,
)
from fnx.transforms.vmap import vmap

__all__ = ["reduce", "reduce_window"]

#: What reduces axes as a function of two elements does.
_REDUCTIONS: tuple[tuple[Any, Any], ...] = (
    (add, reduce_sum),
    (mul, reduce_prod),
    (max_, reduce_max),
    (min_, reduce_min),
    (bitwise_and, reduce_and),
    (bitwise_or, reduce_or),
    (bitwise_xor, reduce_xor),
)


def reduce(
    operands: Any,
    init_values: Any,
    computation: Callable[..., Any],
    dimensions: Sequence[int],
) -> Any:
    """Combine the elements along axes by an associative function.

    Parameters
    ----------
    operands : pytree of Array
        Of one shape.
    init_values : pytree of Array
        Of the same structure: a scalar each, combined once with the result.
    computation : callable
        ``computation(left, right)`` of scalars (or of trees of them), associative and commutative.
    dimensions : sequence of int
        The axes that go.

    Returns
    -------
    pytree of Array

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx import lax
    >>> lax.reduce(jnp.arange(1., 5.), 0., lambda x, y: x + y, (0,))
    Array(10., dtype=float32)
    """
    values, starts, tree = _operands("reduce", operands, init_values)
    rank = values[0].ndim
    axes = sorted({_axis("reduce", d, rank) for d in dimensions})
    for function, reduction in _REDUCTIONS:
        if computation is function and len(values) == 1:
            combined = function(_spread(starts[0], _kept(values[0].shape, axes)),
                                reduction(values[0], axes))  # fmt: skip
            return tree_util.tree_unflatten(tree, [combined])
    kept = [k for k in range(rank) if k not in axes]
    count = math.prod(values[0].shape[k] for k in axes)
    shape = tuple(values[0].shape[k] for k in kept)
    flat = [reshape(transpose(v, (*axes, *kept)), (count, *shape)) for v in values]
    combine = _elementwise(computation, tree)
    while count > 1:
        half = count // 2
        pairs = combine(
            [slice_in_dim(v, 0, half) for v in flat],
            [slice_in_dim(v, half, 2 * half) for v in flat],
        )
        if count % 2:
            pairs = [
                concatenate([p, slice_in_dim(v, count - 1, count)], 0) for p, v in zip(pairs, flat)
            ]
        flat, count = pairs, half + count % 2
    outs = [_spread(s, shape) for s in starts]
    if count:
        outs = combine(outs, [reshape(v, shape) for v in flat])
    return tree_util.tree_unflatten(tree, outs)


def reduce_window(
    operand: Any,
    init_value: Any,
    computation: Callable[..., Any],
    window_dimensions: Sequence[int],
    window_strides: Sequence[int] | None = None,
    padding: Any = "VALID",
    base_dilation: Sequence[int] | None = None,
    window_dilation: Sequence[int] | None = None,
) -> Any:
    """Combine the elements of each window by an associative function.

    Parameters
    ----------
    operand : pytree of Array
        Of one shape.
    init_value : pytree of Array
        Of the same structure: a scalar each, with which every window starts; padding has it, too.
    computation : callable
        ``computation(left, right)`` of scalars (or of trees of them), associative and commutative.
    window_dimensions : sequence of int
        The window's extent along each axis.
    window_strides : sequence of int, optional
        Steps between windows; 1 by default.
    padding : str or sequence of pairs of int
        "SAME", "SAME_LOWER", "VALID", or numbers for each axis.
    base_dilation, window_dilation : sequence of int, optional
        Distances between neighbours of the operand and of the window.

    Returns
    -------
    pytree of Array

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx import lax
    >>> lax.reduce_window(jnp.arange(4.), -jnp.inf, lax.max, (2,), (2,), "VALID")
    Array([1., 3.], dtype=float32)
    """
    values, starts, tree = _operands("reduce_window", operand, init_value)
    strides = (1,) * values[0].ndim if window_strides is None else window_strides
    sizes = (window_dimensions, strides, padding, base_dilation, window_dilation)
    if len(values) == 1:
        x, start = values[0], starts[0]
        if computation is max_ and _is(start, extreme(x.dtype, True)):
            return tree_util.tree_unflatten(tree, [reduce_window_max(x, *sizes)])
        if computation is min_ and _is(start, extreme(x.dtype, False)):
            return tree_util.tree_unflatten(tree, [reduce_window_min(x, *sizes)])
        if computation is add and _is(start, 0) and x.dtype.kind != "b":
            return tree_util.tree_unflatten(tree, [reduce_window_sum(x, *sizes)])
    params = window_params(values[0], *sizes)
    combine = _elementwise(computation, tree)
    windows = [list(_windows(v, s, params)) for v, s in zip(values, starts)]
    outs = [_spread(s, w[0].shape) for s, w in zip(starts, windows)]
    for shifted in zip(*windows, strict=True):
        outs = combine(outs, list(shifted))
    return tree_util.tree_unflatten(tree, outs)


def _operands(name: str, operands: Any, init_values: Any) -> tuple[list[Any], list[Any], Any]:
    leaves, tree = tree_util.tree_flatten(operands)
    starts, start_tree = tree_util.tree_flatten(init_values)
    if tree != start_tree:
        raise ArgumentValueError(
            f"{name}: operands have the structure {tree}, init_values {start_tree}. Give one "
            "initial value for each operand."
        )
    if not leaves:
        raise ArgumentValueError(f"{name}: there are no operands. Give at least one array.")
    values = [as_value(x, name, f"operand {k}") for k, x in enumerate(leaves)]
    scalars = []
    for k, (value, start) in enumerate(zip(values, starts)):
        given = as_value(start, name, f"init_value {k}")
        if given.shape != ():
            raise ArgumentValueError(
                f"{name}: init_value {k} has the shape {given.shape}; it must be a scalar."
            )
        if given.dtype != value.dtype:
            if not given.weak_type:
                raise ArgumentTypeError(
                    f"{name}: operand {k} is {value.aval!r}, its init_value {given.aval!r}. "
                    "Convert one to the dtype of the other."
                )
            given = as_value(np.asarray(start, value.dtype), name, f"init_value {k}")
        scalars.append(given)
        if value.shape != values[0].shape:
            raise ArgumentValueError(
                f"{name}: operand 0 is {values[0].aval!r}, operand {k} is {value.aval!r}; they "
                "must have one shape."
            )
    return values, scalars, tree


def _elementwise(computation: Callable[..., Any], tree: Any) -> Callable[..., list[Any]]:
    """A function of scalars (or trees of them) as one of lists of arrays."""

    def scalar(left: list[Any], right: list[Any]) -> list[Any]:
        out = computation(
            tree_util.tree_unflatten(tree, left), tree_util.tree_unflatten(tree, right)
        )
        leaves, out_tree = tree_util.tree_flatten(out)
        if out_tree != tree:
            raise ArgumentTypeError(
                f"reduction: the function gives the structure {out_tree}, operands have {tree}. "
                "Return what has the structure of the operands."
            )
        return leaves

    def combine(left: list[Any], right: list[Any]) -> list[Any]:
        shape = left[0].shape
        if not math.prod(shape):
            return left
        flat = [[reshape(x, (math.prod(shape),)) for x in side] for side in (left, right)]
        return [reshape(out, shape) for out in vmap(scalar)(*flat)]

    return combine


def _windows(x: Any, start: Any, params: dict[str, Any]) -> Any:
    """For each position in the window, the operand shifted by it: one element for each window."""
    config = [
        (low, high, base - 1)
        for (low, high), base in zip(params["padding"], params["base_dilation"])
    ]
    padded = pad(x, start, config)
    window, spacing = params["window_dimensions"], params["window_dilation"]
    strides = params["window_strides"]
    counts = [
        max(0, (n - (k - 1) * d - 1) // s + 1) if n else 0
        for n, k, d, s in zip(padded.shape, window, spacing, strides)
    ]
    for offset in itertools.product(*map(range, window)):
        first = [o * d for o, d in zip(offset, spacing)]
        if 0 in counts:
            yield broadcast_in_dim(start, tuple(counts), ())
            continue
        last = [f + (c - 1) * s + 1 for f, c, s in zip(first, counts, strides)]
        yield slice_(padded, first, last, strides)


def _spread(scalar: Any, shape: Sequence[int]) -> Any:
    return broadcast_in_dim(scalar, tuple(shape), ())


def _kept(shape: Sequence[int], axes: Sequence[int]) -> tuple[int, ...]:
    return tuple(n for k, n in enumerate(shape) if k not in axes)


def _is(start: Any, value: Any) -> bool:
    """Whether an initial value is known, and a certain number."""
    return type(start) is Array and bool(start._data == value)


def _axis(name: str, axis: int, rank: int) -> int:
    if not -rank <= axis < rank:
        raise ArgumentValueError(f"{name}: there is no axis {axis} in an array of {rank} axes.")
    return axis % rank
