"""``x[index]``, `take` and `nonzero`: NumPy's indexing on immutable arrays.

An index is split in two: slices, integers, ``None`` and ``...`` become `slice` and `reshape`; what
is left of integer and boolean arrays becomes one `gather`.  Read next: `index_updates`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fnx import dtypes
from fnx.config import CONTEXT
from fnx.core.array import Array, adopt
from fnx.core.tracing import Tracer
from fnx.errors import (
    ArgumentValueError,
    ConcretizationTypeError,
)
from fnx.numpy import reductions, ufuncs
from fnx.numpy.dynamic_slices import cut
from fnx.numpy.elementwise import floor_divide, mod
from fnx.numpy.index_plans import Plan, not_negative, plan_index, promised, without_truths
from fnx.numpy.manipulation import normal_axis
from fnx.numpy.promotion import as_arrays, broadcast_shapes, broadcast_to, cast, known, refuse_out
from fnx.numpy.sorting import argsort
from fnx.primitives import gathering, shaping
from fnx.primitives.dynamic_slicing import dynamic_index_in_dim
from fnx.primitives.joining import concatenate
from fnx.primitives.slicing import pad
from fnx.primitives.slicing import slice as slice_
from fnx.transforms.structural import structural

__all__ = ["bounds_mode", "index_array", "nonzero", "take", "take_along_axis"]


def _sliced(x: Any, plan: Plan) -> Any:
    starts = [s[0] for s in plan.slices]
    limits = [s[1] for s in plan.slices]
    strides = [s[2] for s in plan.slices]
    if starts != [0] * x.ndim or tuple(limits) != x.shape or strides != [1] * x.ndim:
        x = slice_(x, starts, limits, strides if strides != [1] * x.ndim else None)
    return shaping.rev(x, plan.flips) if plan.flips else x


def index_array(x: Any, index: Any, mode: Any = None, fill_value: Any = None) -> Any:
    """``x[index]``.

    Parameters
    ----------
    x : Array
        The operand.
    index : int, slice, None, Ellipsis, array of integers or bools, or a tuple of these
        As in NumPy.
    mode, fill_value
        What indices out of bounds give, as for `lax.gather`.
    """
    if fill_value is not None and mode is None:
        mode = "fill"
    if (
        type(x) is Array
        and mode is None
        and (isinstance(index, int) or _is_basic(index))
        and CONTEXT.get().trace is None
    ):
        try:
            found = x._data[index]
        except IndexError:
            plan_index(x, index)  # finds and says what is wrong
            raise
        return Array(_frozen(found) if isinstance(found, np.generic) else found, x._weak)
    x, index, _ = cut(x, index)
    x, index = without_truths(x, index)
    if not isinstance(index, tuple):
        single = _scalar_gather(x, index, mode)
        if single is not None:
            return single
    plan = plan_index(x, index, mode is None)
    y = _sliced(x, plan)
    if plan.arrays:
        y = _gather(y, plan, mode, fill_value)
    return shaping.reshape(y, plan.shape)


def _frozen(value: Any) -> np.ndarray[Any, Any]:
    data = np.asarray(value)
    data.setflags(write=False)
    return data


def _is_basic(index: Any) -> bool:
    if isinstance(index, tuple):
        return all(p is None or p is Ellipsis or type(p) in (int, slice) for p in index)
    return index is None or index is Ellipsis or type(index) in (int, slice)


def _scalar_gather(x: Any, index: Any, mode: Any) -> Any:
    """``x[i]`` with a traced or array scalar i is a dynamic slice."""
    if (
        mode is not None
        or not isinstance(index, (Array, Tracer))
        or index.shape != ()
        or x.ndim == 0
    ):
        return None
    if dtypes.kind_of(index.dtype) not in "iu":
        return None
    place = not_negative(index, x.shape[0])
    return dynamic_index_in_dim(x, place, 0, keepdims=False, allow_negative_indices=False)


def _index_vectors(plan: Plan) -> Any:
    columns = []
    dtype = dtypes.join(*[(a.dtype, False) for _, a in plan.arrays])[0]
    for _, a in plan.arrays:
        a = cast(broadcast_to(a, plan.batch), dtype)
        columns.append(shaping.expand_dims(a, (len(plan.batch),)))
    return concatenate(columns, len(plan.batch)) if len(columns) > 1 else columns[0]


def bounds_mode(mode: Any, default: Any) -> Any:
    return default if mode is None else gathering.GatherScatterMode.from_any(mode)


def _gather(y: Any, plan: Plan, mode: Any, fill_value: Any) -> Any:
    axes = tuple([k for k, _ in plan.arrays])
    sizes = tuple([1 if k in axes else n for k, n in enumerate(y.shape)])
    rank = len(plan.batch) + y.ndim - len(axes)
    offsets = tuple([k for k in range(rank) if not plan.place <= k < plan.place + len(plan.batch)])
    numbers = gathering.GatherDimensionNumbers(
        offset_dims=offsets, collapsed_slice_dims=axes, start_index_map=axes
    )
    return gathering.gather(
        y,
        _index_vectors(plan),
        numbers,
        slice_sizes=sizes,
        mode=bounds_mode(mode, gathering.GatherScatterMode.CLIP),
        fill_value=fill_value,
    )


@structural("a")
def take(
    a: Any,
    indices: Any,
    axis: int | None = None,
    out: None = None,
    mode: Any = None,
    fill_value: Any = None,
    **options: Any,
) -> Any:
    """Elements at indices along an axis.

    Parameters
    ----------
    a : array-like
        The operand.
    indices : array-like of int
        Where.
    axis : int, optional
        Along which axis; by default over all elements.
    out : None
        Arrays are immutable.
    mode : {"fill", "clip", "wrap"}, optional
        What indices out of bounds give; NaN (or the lowest integer) by default, as in JAX.
    fill_value : number, optional
        For "fill".
    **options
        ``unique_indices``, ``indices_are_sorted``: promises, which are not needed here.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> take(jnp.arange(5.), jnp.array([1, 3]))
    Array([1., 3.], dtype=float32)
    """
    refuse_out("take", out)
    promised("take", options)
    x, i = as_arrays("take", a, indices)
    if axis is None:
        x, axis = shaping.reshape(x, (x.size,)), 0
    place = normal_axis("take", axis, x.ndim)
    if mode == "wrap":
        i, mode = mod(i, x.shape[place]), "clip"
    index = (slice(None),) * place + (i,)
    return index_array(x, index, mode or "fill", fill_value)


@structural("arr")
def take_along_axis(
    arr: Any, indices: Any, axis: int | None = -1, mode: Any = None, fill_value: Any = None
) -> Any:
    """Elements at indices along an axis, the other axes side by side.

    Parameters
    ----------
    arr : array-like
        The operand.
    indices : array-like of int
        Of the same number of axes; other axes broadcast.
    axis : int, optional
        The axis; by default over all elements.
    mode, fill_value
        As for `take`.
    """
    x, i = as_arrays("take_along_axis", arr, indices)
    if axis is None:
        x, axis = shaping.reshape(x, (x.size,)), 0
    place = normal_axis("take_along_axis", axis, x.ndim)
    if i.ndim != x.ndim:
        raise ArgumentValueError(
            f"take_along_axis: {x.aval!r} and indices {i.aval!r} must have as many axes."
        )
    joint = broadcast_shapes(
        *[tuple([n for k, n in enumerate(s) if k != place]) for s in (x.shape, i.shape)]
    )
    shape_x = (*joint[:place], x.shape[place], *joint[place:])
    shape_i = (*joint[:place], i.shape[place], *joint[place:])
    x, i = broadcast_to(x, shape_x), broadcast_to(i, shape_i)
    grid = [
        np.arange(n, dtype=np.int32).reshape([-1 if j == k else 1 for j in range(x.ndim)])
        for k, n in enumerate(shape_i)
    ]
    index = tuple([i if k == place else g for k, g in enumerate(grid)])
    return index_array(x, index, mode or "fill", fill_value)


def nonzero(a: Any, *, size: int | None = None, fill_value: Any = None) -> tuple[Any, ...]:
    """The places of elements that aren't zero, an array for each axis.

    Parameters
    ----------
    a : array-like
        The operand.
    size : int, optional
        How many; needed while tracing.
    fill_value : int, optional
        What fills up to `size`; 0 by default.
    """
    (x,) = as_arrays("nonzero", a)
    if size is None and known(x) is None:
        raise ConcretizationTypeError(
            f"nonzero: {x.aval!r} is traced, and the number of places decides the shape. Pass "
            "size=."
        )
    elements = known(x)
    if elements is not None:
        places = [p.astype(dtypes.default_dtype("i")) for p in np.nonzero(elements)]
        if size is not None:
            fill = 0 if fill_value is None else fill_value
            places = [
                np.concatenate([p[:size], np.full(max(size - p.size, 0), fill, p.dtype)])
                for p in places
            ]
        return tuple([adopt(p) for p in places])
    mask = ufuncs.not_equal(shaping.reshape(x, (x.size,)), 0)
    wanted = size or 0
    order = pad(
        argsort(ufuncs.logical_not(mask)),
        shaping.full((), 0, dtypes.default_dtype("i")),
        [(0, wanted - x.size, 0)],
    )
    count = reductions.sum(mask)
    strides = [math.prod(x.shape[k + 1 :]) for k in range(x.ndim)]
    valid = ufuncs.less(np.arange(wanted, dtype=np.int32), count)
    return tuple(
        [
            ufuncs.where(
                valid,
                mod(floor_divide(order, s or 1), n or 1),
                0 if fill_value is None else fill_value,
            )
            for s, n in zip(strides, x.shape, strict=True)
        ]
    )
