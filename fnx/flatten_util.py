"""Trees of arrays as one vector, and back (as `jax.flatten_util`)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from fnx import numpy as jnp
from fnx import tree_util
from fnx.core.conversion import as_value
from fnx.dtypes import result_type
from fnx.errors import ArgumentTypeError, ShapeError, type_string

__all__ = ["ravel_pytree"]


def ravel_pytree(pytree: Any) -> tuple[Any, Callable[[Any], Any]]:
    """All leaves of a tree one after the other, and the function that puts them back.

    Parameters
    ----------
    pytree : pytree of Array
        Leaves of several dtypes are promoted to a common one.

    Returns
    -------
    vector : Array
        One-dimensional.
    unravel : callable
        From a vector of that length and dtype to a tree of the same structure, shapes and dtypes.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> vector, unravel = ravel_pytree({"w": jnp.ones((2, 2)), "b": jnp.zeros(1)})
    >>> vector
    Array([0., 1., 1., 1., 1.], dtype=float32)
    >>> unravel(2 * vector)["b"]
    Array([0.], dtype=float32)
    """
    leaves, tree = tree_util.tree_flatten(pytree)
    values = [as_value(x, "ravel_pytree", f"leaf {k}") for k, x in enumerate(leaves)]
    shapes = [x.shape for x in values]
    dtypes = [x.dtype for x in values]
    if not values:
        empty = jnp.zeros(0)
        dtype = empty.dtype
        vector = empty
    else:
        dtype = result_type(*dtypes)
        vector = jnp.concatenate([x.astype(dtype).reshape(-1) for x in values])
    length = sum(math.prod(s) for s in shapes)

    def unravel(vector: Any) -> Any:
        value = as_value(vector, "unravel", "vector")
        if value.shape != (length,):
            raise ShapeError(
                f"unravel: the vector is {value.aval!r}, the tree needs "
                f"{type_string(dtype, (length,))}. Pass a vector of that length."
            )
        if value.dtype != dtype:
            raise ArgumentTypeError(
                f"unravel: the vector is {value.aval!r}, expected dtype {dtype.name}. Convert it "
                "with astype."
            )
        start, out = 0, []
        for shape, kind in zip(shapes, dtypes):
            stop = start + math.prod(shape)
            out.append(value[start:stop].reshape(shape).astype(kind))
            start = stop
        return tree_util.tree_unflatten(tree, out)

    return vector, unravel
