"""``x[index]`` and ``x.at[index].set(...)``: NumPy's indexing on immutable arrays.

An index is split in two: slices, integers, ``None`` and ``...`` become `slice` and `reshape`; what is left of integer and boolean
arrays becomes one `gather` (or `scatter`).  Read next: `methods`.
"""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from typing import Any

import numpy as np

from fnx import dtypes
from fnx.core.array import Array, adopt
from fnx.core.tracing import Tracer
from fnx.errors import NonConcreteBooleanIndexError, user_frame
from fnx.numpy.promotion import as_arrays, broadcast_shapes, broadcast_to, cast, promote_dtypes
from fnx.primitives import arithmetic, comparison, gathering, scattering, shaping
from fnx.primitives.joining import concatenate
from fnx.primitives.slicing import slice as slice_

__all__ = ["IndexHelper", "index_array", "nonzero", "take", "take_along_axis"]


@dataclass(frozen=True)
class Plan:
    """An index, understood: first slices and flips, then arrays at some axes, then new axes."""

    slices: tuple[tuple[int, int, int], ...]  # start, limit, stride > 0, for each axis
    flips: tuple[int, ...]
    arrays: tuple[tuple[int, Any], ...]  # axis, array of indices (not negative)
    batch: tuple[int, ...]  # shape of the broadcast arrays
    place: int  # where the broadcast axes stand among the axes that stay
    shape: tuple[int, ...]  # of the result, with new axes and without integer axes


def _entries(x: Any, index: Any) -> list[Any]:
    """The parts of an index, with `...` expanded and masks as arrays of places."""
    parts = list(index) if isinstance(index, tuple) else [index]
    expanded: list[Any] = []
    for part in parts:
        if isinstance(part, (list, range)):
            part = np.asarray(part) if len(part) else np.zeros(0, np.int32)
        if isinstance(part, np.generic):
            part = np.asarray(part)
        if isinstance(part, (Array, Tracer, np.ndarray)) and part.dtype == np.bool_:
            expanded += _mask_places(part)
        elif isinstance(part, bool):
            expanded += [None, np.arange(1 if part else 0)]
        else:
            expanded.append(part)
    consumed = sum(1 for p in expanded if p is not None and p is not Ellipsis)
    if sum(1 for p in expanded if p is Ellipsis) > 1:
        raise IndexError("an index can have one ellipsis ('...') only")
    if consumed > x.ndim:
        raise IndexError(
            f"too many indices: {consumed} for an array of type {x.aval!r} (at {user_frame()})."
        )
    fill = [slice(None)] * (x.ndim - consumed)
    for k, part in enumerate(expanded):
        if part is Ellipsis:
            return expanded[:k] + fill + expanded[k + 1 :]
    return expanded + fill


def _mask_places(mask: Any) -> list[Any]:
    if isinstance(mask, Tracer):
        known = mask.concrete()
        if known is None:
            raise NonConcreteBooleanIndexError(
                f"indexing with a traced mask {mask.aval!r} (at {user_frame()}): the number of its true elements "
                "decides the shape of the result. Use jnp.where(mask, x, 0), or jnp.nonzero(mask, size=n)."
            )
        mask = known
    data = mask._data if isinstance(mask, Array) else mask
    if data.ndim == 0:
        return [None, np.arange(int(data))]
    return [np.asarray(p, np.int32) for p in np.nonzero(data)]


def _plan(x: Any, index: Any) -> Plan:
    slices: list[tuple[int, int, int]] = []
    flips: list[int] = []
    arrays: list[tuple[int, Any]] = []
    layout: list[Any] = []  # sizes of kept axes, "array" marks, in order of the index
    axis = 0
    for part in _entries(x, index):
        if part is None:
            layout.append(1)
            continue
        n = x.shape[axis]
        if isinstance(part, slice):
            start, stop, step = (_whole(v) for v in (part.start, part.stop, part.step))
            where = range(*slice(start, stop, step).indices(n))
            if where.step > 0:
                slices.append(
                    (
                        where.start,
                        where.start + len(where) * where.step - (where.step - 1) * bool(len(where)),
                        where.step,
                    )
                )
            else:
                first = where[-1] if len(where) else 0
                slices.append(
                    (
                        first,
                        first + (len(where) - 1) * -where.step + 1 if len(where) else first,
                        -where.step,
                    )
                )
                flips.append(axis)
            layout.append(len(where))
        elif isinstance(part, (int, np.integer)) and not isinstance(part, bool):
            arrays.append((axis, int(part)))
            slices.append((0, n, 1))
            layout.append("array")
        elif isinstance(part, (Array, Tracer, np.ndarray)):
            (value,) = as_arrays("index", part)
            if dtypes.kind_of(value.dtype) not in "iu":
                raise TypeError(
                    f"indexing with {value.aval!r} (at {user_frame()}): indices must be integers or bools. "
                    "Convert with astype(int)."
                )
            arrays.append((axis, value))
            slices.append((0, n, 1))
            layout.append("array")
        else:
            raise TypeError(
                f"indexing with {type(part).__name__}: indices are integers, slices, None, Ellipsis, and arrays "
                "of integers or bools."
            )
        axis += 1
    # Integers alone are slices of length 1; beside arrays they take part in broadcasting.
    only_integers = all(isinstance(a, int) for _, a in arrays)
    if only_integers:
        for k, i in arrays:
            n = x.shape[k]
            if not -n <= i < n:
                raise IndexError(
                    f"index {i} is out of bounds for axis {k} of {x.aval!r} (at {user_frame()})."
                )
            slices[k] = (i % n, i % n + 1, 1)
        kept = tuple([n for n in layout if n != "array"])
        return Plan(tuple(slices), tuple(flips), (), (), 0, kept)
    values = [(k, adopt(np.asarray(a, np.int32)) if isinstance(a, int) else a) for k, a in arrays]
    batch = broadcast_shapes(*[a.shape for _, a in values])
    marks = [k for k, n in enumerate(layout) if n == "array"]
    together = marks[-1] - marks[0] + 1 == len(marks)
    before = layout[: marks[0]] if together else []
    place = len(before)
    kept = [n for n in layout if n != "array"]
    shape = (*kept[:place], *batch, *kept[place:])
    return Plan(
        tuple(slices),
        tuple(flips),
        tuple([(k, _not_negative(a, x.shape[k])) for k, a in values]),
        batch,
        # among the operand's own axes that stay, new axes aside
        len([n for n in _without_new(x, index)[: marks[0]] if n != "array"]) if together else 0,
        shape,
    )


def _without_new(x: Any, index: Any) -> list[Any]:
    """As the layout in `_plan`, but new axes count as absent."""
    result: list[Any] = []
    for part in _entries(x, index):
        if part is None:
            result.append("array")
        else:
            result.append(0 if isinstance(part, slice) else "array")
    return result


def _whole(value: Any) -> int | None:
    if value is None:
        return None
    try:
        return operator.index(value)
    except TypeError:
        raise IndexError(
            f"slice bounds must be integers, got {type(value).__name__}. For traced bounds use lax.dynamic_slice."
        ) from None


def _not_negative(index: Any, size: int) -> Any:
    if dtypes.kind_of(index.dtype) == "u":
        return cast(index, np.dtype(np.int32) if index.dtype.itemsize < 4 else np.dtype(np.int64))
    if type(index) is Array and (index._data.size == 0 or index._data.min() >= 0):
        return index if index.dtype.itemsize >= 4 else cast(index, np.dtype(np.int32))
    index = index if index.dtype.itemsize >= 4 else cast(index, np.dtype(np.int32))
    index = cast(index, index.dtype)
    zero = shaping.full(index.shape, 0, index.dtype)
    n = shaping.full(index.shape, size, index.dtype)
    return comparison.select_n(comparison.lt(index, zero), index, arithmetic.add(index, n))


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
    if type(x) is Array and mode is None and (isinstance(index, int) or _is_basic(index)):
        from fnx.config import CONTEXT

        if CONTEXT.get().trace is None:
            try:
                return Array(
                    x._data[index]
                    if not isinstance(x._data[index], np.generic)
                    else _frozen(x._data[index]),
                    x._weak,
                )
            except IndexError as error:
                raise IndexError(f"{error} (array of type {x.aval!r}, at {user_frame()})") from None
    if not isinstance(index, tuple):
        single = _scalar_gather(x, index, mode)
        if single is not None:
            return single
    plan = _plan(x, index)
    y = _sliced(x, plan)
    if plan.arrays:
        y = _gather(y, plan, mode, fill_value)
    return shaping.reshape(y, plan.shape)


def _frozen(value: Any) -> np.ndarray[Any, Any]:
    data = np.asarray(value)
    data.flags.writeable = False
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
    from fnx.primitives.dynamic_slicing import dynamic_index_in_dim

    return dynamic_index_in_dim(x, _not_negative(index, x.shape[0]), 0, keepdims=False)


def _index_vectors(plan: Plan) -> Any:
    columns = []
    dtype = dtypes.join(*[(a.dtype, False) for _, a in plan.arrays])[0]
    for _, a in plan.arrays:
        a = cast(broadcast_to(a, plan.batch), dtype)
        columns.append(shaping.expand_dims(a, (len(plan.batch),)))
    return concatenate(columns, len(plan.batch)) if len(columns) > 1 else columns[0]


def _mode(mode: Any, default: Any) -> Any:
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
        mode=_mode(mode, gathering.GatherScatterMode.CLIP),
        fill_value=fill_value,
    )


# ---------------------------------------------------------------------------------------------- updates


class IndexHelper:
    """``x.at``: ``x.at[index]`` gives what updates elements.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> jnp.zeros(3).at[1].set(5.)
    Array([0., 5., 0.], dtype=float32)
    """

    __slots__ = ("array",)

    def __init__(self, array: Any) -> None:
        self.array = array

    def __getitem__(self, index: Any) -> IndexUpdate:
        return IndexUpdate(self.array, index)


class IndexUpdate:
    """Updates of the elements at an index; each gives a new array."""

    __slots__ = ("array", "index")

    def __init__(self, array: Any, index: Any) -> None:
        self.array = array
        self.index = index

    def get(self, *, mode: Any = None, fill_value: Any = None, **options: Any) -> Any:
        """The elements.

        Parameters
        ----------
        mode, fill_value
            What indices out of bounds give.
        **options
            ``indices_are_sorted``, ``unique_indices``: accepted.
        """
        return index_array(self.array, self.index, mode, fill_value)

    def set(self, values: Any, *, mode: Any = None, **options: Any) -> Any:
        """Elements replaced.

        Parameters
        ----------
        values : array-like
            Broadcast to the indexed shape.
        mode
            What happens to indices out of bounds.
        **options
            ``indices_are_sorted``, ``unique_indices``: accepted.
        """
        return self._scatter(scattering.scatter, values, mode)

    def add(self, values: Any, *, mode: Any = None, **options: Any) -> Any:
        """Values added; an index that occurs several times gets all of them.

        Parameters
        ----------
        values : array-like
            Broadcast to the indexed shape.
        mode
            What happens to indices out of bounds.
        **options
            ``indices_are_sorted``, ``unique_indices``: accepted.
        """
        return self._scatter(gathering.scatter_add, values, mode)

    def subtract(self, values: Any, *, mode: Any = None, **options: Any) -> Any:
        """Values subtracted.

        Parameters
        ----------
        values : array-like
            Broadcast to the indexed shape.
        mode
            What happens to indices out of bounds.
        **options
            ``indices_are_sorted``, ``unique_indices``: accepted.
        """
        return self._scatter(
            gathering.scatter_add, arithmetic.neg(as_arrays("at", values)[0]), mode
        )

    def multiply(self, values: Any, *, mode: Any = None, **options: Any) -> Any:
        """Elements multiplied.

        Parameters
        ----------
        values : array-like
            Broadcast to the indexed shape.
        mode
            What happens to indices out of bounds.
        **options
            ``indices_are_sorted``, ``unique_indices``: accepted.
        """
        return self._scatter(scattering.scatter_mul, values, mode)

    mul = multiply

    def min(self, values: Any, *, mode: Any = None, **options: Any) -> Any:
        """The smaller of element and value.

        Parameters
        ----------
        values : array-like
            Broadcast to the indexed shape.
        mode
            What happens to indices out of bounds.
        **options
            ``indices_are_sorted``, ``unique_indices``: accepted.
        """
        return self._scatter(scattering.scatter_min, values, mode)

    def max(self, values: Any, *, mode: Any = None, **options: Any) -> Any:
        """The larger of element and value.

        Parameters
        ----------
        values : array-like
            Broadcast to the indexed shape.
        mode
            What happens to indices out of bounds.
        **options
            ``indices_are_sorted``, ``unique_indices``: accepted.
        """
        return self._scatter(scattering.scatter_max, values, mode)

    def divide(self, values: Any, *, mode: Any = None, **options: Any) -> Any:
        """Elements divided.

        Parameters
        ----------
        values : array-like
            Broadcast to the indexed shape.
        mode
            What happens to indices out of bounds.
        **options
            ``indices_are_sorted``, ``unique_indices``: accepted.
        """
        (x,) = as_arrays("at", self.array)
        ones = IndexUpdate(shaping.full(x.shape, 1, x.dtype), self.index).multiply(
            values, mode=mode
        )
        return arithmetic.div(x, ones)

    def power(self, values: Any, *, mode: Any = None, **options: Any) -> Any:
        """Elements raised to powers.

        Parameters
        ----------
        values : array-like
            Broadcast to the indexed shape.
        mode
            What happens to indices out of bounds.
        **options
            ``indices_are_sorted``, ``unique_indices``: accepted.
        """
        from fnx.numpy.ufuncs import power

        return self.set(power(self.get(mode=mode), values), mode=mode)

    def apply(self, function: Any, *, mode: Any = None, **options: Any) -> Any:
        """Elements replaced by a function of them.

        Parameters
        ----------
        function : callable
            Of the elements.
        mode
            What happens to indices out of bounds.
        **options
            ``indices_are_sorted``, ``unique_indices``: accepted.
        """
        return self.set(function(self.get(mode=mode)), mode=mode)

    def _scatter(self, operation: Any, values: Any, mode: Any) -> Any:
        x, y = as_arrays("at", self.array, values)
        y = cast(y, x.dtype) if y.weak_type else y
        joint = promote_dtypes("at", x, y)[0].dtype
        if (
            joint != x.dtype
            and dtypes.kind_of(joint) != dtypes.kind_of(x.dtype)
            and not (dtypes.kind_of(y.dtype) in "biu" and dtypes.kind_of(x.dtype) in "fc")
        ):
            raise TypeError(
                f"x.at[...]: can't store {y.aval!r} in {x.aval!r} without losing information (at {user_frame()}). "
                "Convert the values or the array with astype."
            )
        y = cast(y, x.dtype)
        plan = _plan(x, self.index)
        y = broadcast_to(y, plan.shape)
        # The indexed places, axis by axis: slices become index arrays only if there is more than one run of them.
        indices, window = _scatter_indices(x, plan)
        updates = _arrange(y, plan, x)
        numbers = scattering.ScatterDimensionNumbers(
            update_window_dims=window[0],
            inserted_window_dims=window[1],
            scatter_dims_to_operand_dims=window[2],
        )
        return operation(
            x,
            indices,
            updates,
            numbers,
            mode=_mode(mode, gathering.GatherScatterMode.FILL_OR_DROP),
        )


def _scatter_indices(x: Any, plan: Plan) -> tuple[Any, tuple[Any, Any, Any]]:
    """Indices of a scatter that writes the planned places, all axes that aren't whole being indexed.

    Updates are arranged as: array axes (`plan.batch`), sliced axes in order, whole axes in order.
    """
    arrays = dict(plan.arrays)
    whole = [
        k
        for k in range(x.ndim)
        if k not in arrays and plan.slices[k] == (0, x.shape[k], 1) and k not in plan.flips
    ]
    sliced = [k for k in range(x.ndim) if k not in arrays and k not in whole]
    runs = []
    for k in sliced:
        start, limit, stride = plan.slices[k]
        places = np.arange(start, limit, stride, dtype=np.int32)
        runs.append(places[::-1] if k in plan.flips else places)
    shape = (*plan.batch, *[r.size for r in runs])
    columns: dict[int, Any] = {}
    dtype: Any = np.dtype(np.int32)
    if plan.arrays:
        dtype = dtypes.join((dtype, False), *[(a.dtype, False) for _, a in plan.arrays])[0]
    for k, a in plan.arrays:
        a = broadcast_to(a, plan.batch)
        columns[k] = shaping.broadcast_in_dim(cast(a, dtype), shape, tuple(range(len(plan.batch))))
    for j, (k, run) in enumerate(zip(sliced, runs, strict=True)):
        column = adopt(np.ascontiguousarray(run).astype(dtype))
        columns[k] = shaping.broadcast_in_dim(column, shape, (len(plan.batch) + j,))
    order = sorted(columns)
    if order:
        parts = [shaping.expand_dims(columns[k], (len(shape),)) for k in order]
        indices = concatenate(parts, len(shape)) if len(parts) > 1 else parts[0]
    else:
        indices = shaping.full((*shape, 0), 0, np.dtype(np.int32))
    window = tuple(range(len(shape), len(shape) + len(whole)))
    return indices, (window, tuple(order), tuple(order))


def _arrange(y: Any, plan: Plan, x: Any) -> Any:
    """Values from the shape of ``x[index]`` to that of the scatter's updates."""
    arrays = dict(plan.arrays)
    whole = [
        k
        for k in range(x.ndim)
        if k not in arrays and plan.slices[k] == (0, x.shape[k], 1) and k not in plan.flips
    ]
    sizes = {
        k: len(range(*plan.slices[k])) if plan.slices[k][1] > plan.slices[k][0] else 0
        for k in range(x.ndim)
        if k not in arrays
    }
    # Drop the new axes, keep integer axes as size 1: the axes of x in order, batch axes at their place.
    remaining = [sizes[k] for k in sizes]
    place = plan.place
    full_shape = (*remaining[:place], *plan.batch, *remaining[place:])
    y = shaping.reshape(y, full_shape)
    axes = list(sizes)
    where = {k: (j if j < place else j + len(plan.batch)) for j, k in enumerate(axes)}
    batch_axes = list(range(place, place + len(plan.batch)))
    sliced = [k for k in axes if k not in whole]
    order = batch_axes + [where[k] for k in sliced] + [where[k] for k in axes if k in whole]
    return shaping.transpose(y, tuple(order))


# ---------------------------------------------------------------------------------------------- take


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
        ``unique_indices``, ``indices_are_sorted``: accepted.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> take(jnp.arange(5.), jnp.array([1, 3]))
    Array([1., 3.], dtype=float32)
    """
    x, i = as_arrays("take", a, indices)
    if axis is None:
        x, axis = shaping.reshape(x, (x.size,)), 0
    place = operator.index(axis) % x.ndim
    if mode == "wrap":
        from fnx.numpy.ufuncs import mod

        i, mode = mod(i, x.shape[place]), "clip"
    index = (slice(None),) * place + (i,)
    return index_array(x, index, mode or "fill", fill_value)


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
    place = operator.index(axis) % x.ndim
    if i.ndim != x.ndim:
        raise ValueError(
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
    if isinstance(x, Tracer) and x.concrete() is None and size is None:
        raise NonConcreteBooleanIndexError(
            f"nonzero of a traced {x.aval!r}: the number of places decides the shape. Pass size=."
        )
    known = x.concrete() if isinstance(x, Tracer) else x
    if known is not None:
        places = [p.astype(dtypes.default_dtype("i")) for p in np.nonzero(known._data)]
        if size is not None:
            fill = 0 if fill_value is None else fill_value
            places = [
                np.concatenate([p[:size], np.full(max(size - p.size, 0), fill, p.dtype)])
                for p in places
            ]
        return tuple([adopt(p) for p in places])
    from fnx.numpy import reductions, ufuncs

    mask = ufuncs.not_equal(shaping.reshape(x, (x.size,)), 0)
    order = reductions.argsort(ufuncs.logical_not(mask))[: size or 0]
    count = reductions.sum(mask)
    strides = [math.prod(x.shape[k + 1 :]) for k in range(x.ndim)]
    valid = ufuncs.less(np.arange(size or 0, dtype=np.int32), count)
    return tuple(
        [
            ufuncs.where(
                valid,
                ufuncs.mod(ufuncs.floor_divide(order, s), n),
                0 if fill_value is None else fill_value,
            )
            for s, n in zip(strides, x.shape, strict=True)
        ]
    )
