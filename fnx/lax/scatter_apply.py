"""`scatter_apply`: a function applied to the elements at places that another array names.

An element that several windows meet gets the function as many times.  So the windows are gathered,
each element with the number of windows that meet it, the function is applied in step to all that
want it once more, and what results is written back.  Made of operations, it has every derivative
that the function has.  Read before: `fnx.primitives.scattering`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fnx.control.loops import fori_loop
from fnx.control.python_loops import known_value
from fnx.core.conversion import as_value
from fnx.core.types import ShapedArray
from fnx.errors import ArgumentTypeError
from fnx.primitives.cast import convert_element_type
from fnx.primitives.comparison import lt, select
from fnx.primitives.families import ALL
from fnx.primitives.gather_numbers import GatherScatterMode, ScatterDimensionNumbers
from fnx.primitives.gathering import gathered, scatter_add_p
from fnx.primitives.nonlinear_reductions import reduce_max
from fnx.primitives.scatter_rules import infer_scatter, scatter_params
from fnx.primitives.scattering import scatter_p
from fnx.primitives.shaping import broadcast_in_dim, full, reshape
from fnx.transforms.vmap import vmap

__all__ = ["scatter_apply"]

_infer = infer_scatter("scatter_apply", ALL)
_COUNTER = np.dtype(np.int32)


def scatter_apply(
    operand: Any,
    scatter_indices: Any,
    func: Callable[[Any], Any],
    dimension_numbers: ScatterDimensionNumbers,
    *,
    update_shape: Sequence[int] = (),
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: str | GatherScatterMode | None = None,
) -> Any:
    """An array with a function applied to elements at places that another array names.

    Parameters
    ----------
    operand : Array
        Any dtype.
    scatter_indices : Array
        Integers; the last axis holds the coordinates of a window's first element.
    func : callable
        From a scalar to a scalar of its dtype.
    dimension_numbers : ScatterDimensionNumbers
        Which axis is which.
    update_shape : sequence of int
        The shape that updates would have: the windows' axes, and those of the indices.
    indices_are_sorted, unique_indices : bool
        Promises about the indices, which only make it faster.
    mode : str or GatherScatterMode, optional
        What happens where a window does not lie within the operand; it is left out by default.

    Returns
    -------
    Array
        Of the operand's type.  Where several windows meet, the function is applied for each.

    Raises
    ------
    TypeError
        Shapes do not fit the numbers, or the function gives another dtype.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx import lax
    >>> lax.scatter_apply(jnp.ones(3), jnp.array([[0], [2], [2]]), lambda x: 3 * x,
    ...                   lax.ScatterDimensionNumbers((), (0,), (0,)), update_shape=(3,))
    Array([3., 1., 9.], dtype=float32)
    """
    x = as_value(operand, "scatter_apply", "operand")
    indices = as_value(scatter_indices, "scatter_apply", "scatter_indices")
    shape = tuple(map(int, update_shape))
    params = scatter_params(dimension_numbers, indices_are_sorted, unique_indices, mode)
    _infer(x.aval, indices.aval, ShapedArray(shape, x.dtype), **params)
    if math.prod(shape) == 0:
        return x
    apply = _on_all(func, x.dtype)
    start = gathered(x, indices, shape, params)
    value = apply(start)
    if not params["unique_indices"]:
        counts = scatter_add_p(
            full(x.shape, 0, _COUNTER), indices, full(shape, 1, _COUNTER), **params
        )
        times = gathered(counts, indices, shape, params)
        most = reduce_max(times, tuple(range(len(shape))))

        def again(k: Any, value: Any) -> Any:
            wanting = lt(broadcast_in_dim(k, shape, ()), times)
            # Others get what they began with: there the function and its derivatives are needed
            # anyway, while at what has been done they may not be finite.
            return select(wanting, apply(select(wanting, value, start)), value)

        known = known_value(most)
        if known is None or known > 1:
            value = fori_loop(full((), 1, _COUNTER), most, again, value)
    return scatter_p(x, indices, value, **params)


def _on_all(func: Callable[[Any], Any], dtype: np.dtype[Any]) -> Callable[[Any], Any]:
    """The function of scalars, on arrays."""

    def scalar(x: Any) -> Any:
        out = as_value(func(x), "scatter_apply", "the function's result")
        if out.shape != () or (out.dtype != dtype and not out.weak_type):
            raise ArgumentTypeError(
                f"scatter_apply: func gives {out.aval!r} for a scalar of {np.dtype(dtype).name}. "
                "It must give a scalar of the same dtype."
            )
        return convert_element_type(out, dtype)

    def apply(x: Any) -> Any:
        return reshape(vmap(scalar)(reshape(x, (x.size,))), x.shape)

    return apply
