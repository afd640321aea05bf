"""`associative_scan`: all prefixes of a row under an associative function, in logarithmic depth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fnx import tree_util
from fnx.core.conversion import as_value
from fnx.errors import ArgumentTypeError, ArgumentValueError
from fnx.primitives.joining import concatenate
from fnx.primitives.shaping import reshape, rev
from fnx.primitives.slicing import normalized_axis, slice_in_dim

__all__ = ["associative_scan"]


def associative_scan(
    fn: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0
) -> Any:
    """``elems[0], fn(elems[0], elems[1]), fn(fn(elems[0], elems[1]), elems[2]), ...``.

    Parameters
    ----------
    fn : callable
        ``fn(left, right)`` of trees like `elems`, associative, on whole slices along the axis:
        element by element along it.
    elems : pytree of Array
        Equally long along the axis.
    reverse : bool
        Whether to begin at the end.
    axis : int
        Along which.

    Returns
    -------
    pytree of Array
        Like `elems`.

    References
    ----------
    G. E. Blelloch, *Prefix sums and their applications* (1990).

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx import lax
    >>> lax.associative_scan(jnp.add, jnp.arange(5))
    Array([ 0,  1,  3,  6, 10], dtype=int32)
    """
    if not callable(fn):
        raise ArgumentTypeError(f"associative_scan: fn is a {type(fn).__name__}; give a function.")
    leaves, tree = tree_util.tree_flatten(elems)
    values = [as_value(x, "associative_scan", f"leaf {k} of elems") for k, x in enumerate(leaves)]
    if not values:
        return elems
    axes = [normalized_axis("associative_scan", axis, x.ndim) for x in values]
    count = values[0].shape[axes[0]]
    for k, (value, place) in enumerate(zip(values, axes)):
        if value.shape[place] != count:
            raise ArgumentValueError(
                f"associative_scan: leaf {k} of elems is {value.aval!r}, with {value.shape[place]} "
                f"elements along axis {axis}; leaf 0 has {count}. Make them equally long."
            )
    if reverse:
        values = [rev(x, (place,)) for x, place in zip(values, axes)]

    def combine(left: list[Any], right: list[Any]) -> list[Any]:
        out = fn(tree_util.tree_unflatten(tree, left), tree_util.tree_unflatten(tree, right))
        flat, out_tree = tree_util.tree_flatten(out)
        if out_tree != tree:
            raise ArgumentTypeError(
                f"associative_scan: fn gives the structure {out_tree}, elems have {tree}. Return "
                "what has the structure of the operands."
            )
        return flat

    found = _prefixes(combine, values, axes, count)
    if reverse:
        found = [rev(x, (place,)) for x, place in zip(found, axes)]
    return tree_util.tree_unflatten(tree, found)


def _prefixes(combine: Any, values: list[Any], axes: list[int], count: int) -> list[Any]:
    if count < 2:
        return values

    def part(xs: list[Any], start: int, stop: int, stride: int = 1) -> list[Any]:
        return [slice_in_dim(x, start, stop, stride, axis=a) for x, a in zip(xs, axes)]

    # Neighbours are combined, which gives the prefixes at odd places; those at even places are
    # one element further.
    pairs = combine(part(values, 0, count - 1, 2), part(values, 1, count, 2))
    odd = _prefixes(combine, pairs, axes, count // 2)
    rest = part(values, 2, count, 2)
    before = odd if count % 2 else part(odd, 0, count // 2 - 1)
    even = part(values, 0, 1)
    if count > 2:
        further = combine(before, rest)
        even = [concatenate([e, f], a) for e, f, a in zip(even, further, axes)]
    return [_interleaved(e, o, a, count) for e, o, a in zip(even, odd, axes)]


def _interleaved(even: Any, odd: Any, axis: int, count: int) -> Any:
    """even[0], odd[0], even[1], ..."""
    half = count // 2
    shape = odd.shape

    def apart(x: Any) -> Any:
        return reshape(x, (*shape[: axis + 1], 1, *shape[axis + 1 :]))

    both = concatenate([apart(slice_in_dim(even, 0, half, axis=axis)), apart(odd)], axis + 1)
    woven = reshape(both, (*shape[:axis], 2 * half, *shape[axis + 1 :]))
    if count % 2 == 0:
        return woven
    return concatenate([woven, slice_in_dim(even, half, half + 1, axis=axis)], axis)
