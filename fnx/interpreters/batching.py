"""Batching of a user's primitives: how `vmap` goes through them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fnx.core.user_primitive import UserPrimitive
from fnx.interpreters.tables import SlotTable
from fnx.primitives.shaping import move_axis
from fnx.transforms.batching import to_axis

__all__ = [
    "bdim_at_front",
    "broadcast",
    "defbroadcasting",
    "defvectorized",
    "fancy_primitive_batchers",
    "moveaxis",
    "not_mapped",
    "primitive_batchers",
]

#: The mapped axis of what has none.
not_mapped = None


def _size_of(args: Sequence[Any], dims: Sequence[int | None]) -> int:
    return next(int(a.shape[d]) for a, d in zip(args, dims, strict=True) if d is not None)


#: ``primitive_batchers[p] = rule`` with ``rule(args, axes, **params) -> (out, axis)``.
primitive_batchers = SlotTable(
    "vmap",
    lambda rule: rule and (lambda size, args, dims, **params: rule(args, dims, **params)),
    lambda rule: lambda args, dims, **params: rule(_size_of(args, dims), args, dims, **params),
)

#: As `primitive_batchers`, with ``rule(size, args, axes, **params)``.
fancy_primitive_batchers = SlotTable("vmap")


def moveaxis(x: Any, source: int, destination: int) -> Any:
    """An array with one axis moved to another place.

    Parameters
    ----------
    x : Array or tracer
        The array.
    source, destination : int
        Where the axis is, and where it goes.
    """
    return move_axis(x, source, destination)


def broadcast(x: Any, size: int, axis: int) -> Any:
    """An array with a new axis along which it repeats.

    Parameters
    ----------
    x : Array or tracer
        The array.
    size, axis : int
        The new axis's length and place.
    """
    return to_axis(x, None, size, axis)


def bdim_at_front(x: Any, axis: int | None, size: int) -> Any:
    """An array with its mapped axis in front; one of the given size if it has none.

    Parameters
    ----------
    x : Array or tracer
        The array.
    axis : int or None
        Its mapped axis.
    size : int
        The number of lanes.
    """
    return to_axis(x, axis, size, 0)


def defvectorized(primitive: UserPrimitive) -> None:
    """Declare that a primitive of one operand treats every element alike, whatever the shape.

    Parameters
    ----------
    primitive : Primitive
        The primitive.
    """

    def rule(size: int, args: Sequence[Any], dims: Sequence[Any], **params: Any) -> Any:
        out = primitive(*args, **params)
        return out, [dims[0]] * len(out) if primitive.multiple_results else dims[0]

    fancy_primitive_batchers[primitive] = rule


def defbroadcasting(primitive: UserPrimitive) -> None:
    """Declare that a primitive is elementwise in several operands of one shape.

    Parameters
    ----------
    primitive : Primitive
        The primitive.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> from fnx.core import Primitive
    >>> plus_p = Primitive("plus", infer=lambda x, y: x, evaluate=lambda x, y: x + y)
    >>> defbroadcasting(plus_p)
    >>> fnx.vmap(plus_p, in_axes=(0, None))(jnp.arange(3.), 1.)
    Array([1., 2., 3.], dtype=float32)
    """

    def rule(size: int, args: Sequence[Any], dims: Sequence[Any], **params: Any) -> Any:
        lanes = [to_axis(a, d, size, 0) for a, d in zip(args, dims, strict=True)]
        out = primitive(*lanes, **params)
        return out, [0] * len(out) if primitive.multiple_results else 0

    fancy_primitive_batchers[primitive] = rule
