"""`vmap`: a function of one example as a function of a batch.  Read next: `jacobian`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable
from typing import Any

from fnx import tree_util
from fnx.errors import ArgumentTypeError, ArgumentValueError
from fnx.transforms.batching import AxisSize, to_axis, vmap_flat
from fnx.transforms.trees import (
    Flat,
    argument_path,
    check_callable,
    function_name,
)

__all__ = ["vmap"]


def vmap(
    fun: Callable[..., Any],
    in_axes: Any = 0,
    out_axes: Any = 0,
    axis_name: Hashable | None = None,
    axis_size: int | None = None,
    spmd_axis_name: Any = None,
) -> Callable[..., Any]:
    """Map a function over an axis of its arguments, all at once.

    Parameters
    ----------
    fun : callable
        Takes and gives pytrees of arrays without the mapped axis.
    in_axes : int, None, or tree prefix of them
        For each positional argument, which axis is mapped; None: the argument is passed whole.
        Keyword arguments are always mapped over axis 0.
    out_axes : int, None, or tree prefix of them
        Where the mapped axis goes in the results; None asserts that a result doesn't depend on it.
    axis_name : hashable, optional
        The name of the mapped axis, for collectives along it (`lax.psum`...).
    axis_size : int, optional
        The size of the mapped axis, when no argument tells it.
    spmd_axis_name : ignored
        Accepted for programs written for JAX.

    Returns
    -------
    callable
        `fun` with one more axis.

    Raises
    ------
    ValueError
        Sizes of the mapped axes differ, or `in_axes` doesn't fit the arguments.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> fnx.vmap(jnp.dot)(jnp.ones((2, 3)), jnp.ones((2, 3)))
    Array([3., 3.], dtype=float32)
    """
    check_callable("vmap", fun)
    name = f"vmap of {function_name(fun)}"
    if isinstance(in_axes, list):
        in_axes = tuple(in_axes)
    if not (in_axes is None or isinstance(in_axes, (int, tuple, dict)) or _is_node(in_axes)):
        raise ArgumentTypeError(
            f"{name}: in_axes must be an int, None, or a tuple with an entry for each positional "
            f"argument, got {type(in_axes).__name__}."
        )

    @functools.wraps(fun)
    def vmapped(*args: Any, **kwargs: Any) -> Any:
        if isinstance(in_axes, tuple) and len(in_axes) != len(args):
            raise ArgumentValueError(
                f"{name}: in_axes has {len(in_axes)} entries, the call has {len(args)} positional "
                "arguments. Give one entry for each positional argument."
            )
        leaves, tree = tree_util.tree_flatten((args, kwargs))
        flat = Flat(fun, tree, keywords=True)
        values = flat.values(name, leaves)
        positional = tree_util.broadcast_prefix(
            in_axes, args, is_leaf=_is_none, operation=name, name="in_axes"
        )
        dims = positional + [0] * (len(leaves) - len(positional))
        size = _mapped_size(name, values, dims, flat, axis_size)
        dims = [None if d is None else d % v.ndim for d, v in zip(dims, values, strict=True)]
        mapped = size if axis_name is None else AxisSize(size, axis_name)
        outs, out_dims = vmap_flat(flat, values, dims, mapped, name)
        result = tree_util.tree_unflatten(flat.out_tree, outs)
        wanted = tree_util.broadcast_prefix(
            out_axes, result, is_leaf=_is_none, operation=name, name="out_axes"
        )
        placed = [
            _place(name, o, d, w, size, flat.out_tree, k)
            for k, (o, d, w) in enumerate(zip(outs, out_dims, wanted, strict=True))
        ]
        return tree_util.tree_unflatten(flat.out_tree, placed)

    return vmapped


def _is_none(x: Any) -> bool:
    return x is None


def _is_node(x: Any) -> bool:
    return not tree_util.all_leaves([x])


def _mapped_size(name: str, values: Any, dims: Any, flat: Flat, axis_size: int | None) -> int:
    places: dict[int, int | None] = {} if axis_size is None else {axis_size: None}
    for k, (value, dim) in enumerate(zip(values, dims, strict=True)):
        if dim is None:
            continue
        if not isinstance(dim, int) or isinstance(dim, bool):
            raise ArgumentTypeError(
                f"{name}: in_axes must hold ints and None, got {type(dim).__name__} for "
                f"{flat.path(k)}."
            )
        if not -value.ndim <= dim < value.ndim:
            raise ArgumentValueError(
                f"{name}: {flat.path(k)} is {value.aval!r}, which has no axis {dim} to map "
                "over. Pass in_axes=None for arguments that aren't mapped."
            )
        places.setdefault(value.shape[dim], k)
    if len(places) > 1:
        found = ", ".join(
            f"{n} from axis_size"
            if k is None
            else f"{n} from {flat.path(k)} ({values[k].aval!r}, axis {dims[k]})"
            for n, k in places.items()
        )
        raise ArgumentValueError(
            f"{name}: mapped axes must have one size, got {found}. "
            "Pass in_axes=None for arguments that aren't mapped."
        )
    if not places:
        raise ArgumentValueError(
            f"{name}: no argument is mapped (in_axes is None everywhere). Map at least one, or "
            "pass axis_size."
        )
    return next(iter(places))


def _place(
    name: str, out: Any, dim: int | None, wanted: Any, size: int, tree: Any, index: int
) -> Any:
    if wanted is None:
        if dim is not None:
            raise ArgumentValueError(
                f"{name}: out_axes is None for {argument_path(tree, index, 'the result')}, but it "
                "depends on the mapped axis. Give the axis it should have."
            )
        return out
    rank = out.ndim + (dim is None)
    if not isinstance(wanted, int) or not -rank <= wanted < rank:
        raise ArgumentValueError(
            f"{name}: out_axes {wanted!r} is not an axis of "
            f"{argument_path(tree, index, 'the result')}, which has {rank} axes with the mapped "
            f"one. Axes are from {-rank} to {rank - 1}."
        )
    return to_axis(out, dim, size, wanted % rank)
