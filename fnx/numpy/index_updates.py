"""``x.at[index].set(...)`` and its like: updates as scatters.  Read next: `methods`."""

from __future__ import annotations

from typing import Any

import numpy as np

from fnx import dtypes
from fnx.core.array import Array, adopt
from fnx.errors import ArgumentTypeError, ShapeError
from fnx.lax.scatter_apply import scatter_apply
from fnx.numpy.dynamic_slices import cut, put_back
from fnx.numpy.elementwise import power
from fnx.numpy.index_plans import Plan, plan_index, promised, without_truths
from fnx.numpy.indexing import bounds_mode, index_array
from fnx.numpy.promotion import as_arrays, broadcast_to, cast, promote_dtypes
from fnx.primitives import arithmetic, gathering, scattering, shaping
from fnx.primitives.gather_numbers import ScatterDimensionNumbers
from fnx.primitives.joining import concatenate

__all__ = ["IndexHelper", "IndexUpdate"]


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
            ``indices_are_sorted``, ``unique_indices``: promises, which are not needed here.
        """
        promised("x.at[...].get", options)
        known = None if mode is None else bounds_mode(mode, None)
        return index_array(as_arrays("at", self.array)[0], self.index, known, fill_value)

    def set(self, values: Any, *, mode: Any = None, **options: Any) -> Any:
        """Elements replaced.

        Parameters
        ----------
        values : array-like
            Broadcast to the indexed shape.
        mode
            What happens to indices out of bounds.
        **options
            ``indices_are_sorted``, ``unique_indices``: promises, which are not needed here.
        """
        promised("x.at[...].set", options)
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
            ``indices_are_sorted``, ``unique_indices``: promises, which are not needed here.
        """
        promised("x.at[...].add", options)
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
            ``indices_are_sorted``, ``unique_indices``: promises, which are not needed here.
        """
        promised("x.at[...].subtract", options)
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
            ``indices_are_sorted``, ``unique_indices``: promises, which are not needed here.
        """
        promised("x.at[...].multiply", options)
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
            ``indices_are_sorted``, ``unique_indices``: promises, which are not needed here.
        """
        promised("x.at[...].min", options)
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
            ``indices_are_sorted``, ``unique_indices``: promises, which are not needed here.
        """
        promised("x.at[...].max", options)
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
            ``indices_are_sorted``, ``unique_indices``: promises, which are not needed here.
        """
        promised("x.at[...].divide", options)
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
            ``indices_are_sorted``, ``unique_indices``: promises, which are not needed here.
        """
        promised("x.at[...].power", options)
        return self.set(power(self.get(mode=mode), values), mode=mode)

    def apply(self, function: Any, *, mode: Any = None, **options: Any) -> Any:
        """Elements replaced by a function of them; an index that occurs twice applies it twice.

        Parameters
        ----------
        function : callable
            From a scalar to a scalar.
        mode
            What happens to indices out of bounds.
        **options
            ``indices_are_sorted``, ``unique_indices``: promises, which are not needed here.
        """
        promised("x.at[...].apply", options)

        def operation(x: Any, indices: Any, updates: Any, numbers: Any, mode: Any) -> Any:
            return scatter_apply(
                x, indices, function, numbers, update_shape=updates.shape, mode=mode
            )

        return self._scatter(operation, False, mode)

    def _fitted(self, y: Any, shape: tuple[int, ...]) -> Any:
        """The values in the shape of the place that they go to."""
        if y.shape == shape:
            return y
        lead = len(shape) - y.ndim
        if lead < 0 or any(n not in (1, m) for n, m in zip(y.shape, shape[lead:])):
            raise ShapeError(
                f"x.at[...]: values {y.aval!r} don't fit their place of shape {shape} in "
                f"{self.array.aval!r}. Sizes of one axis must be equal or 1, counted from the last "
                "axis."
            )
        return broadcast_to(y, shape)

    def _scatter(self, operation: Any, values: Any, mode: Any) -> Any:
        piece, rest, starts = cut(self.array, self.index)
        if starts is not None:
            updated = IndexUpdate(piece, rest)._scatter(operation, values, mode)
            return put_back(self.array, self.index, updated, starts)
        x, y = as_arrays("at", self.array, values)
        y = _adapted(y, x.dtype) if y.weak_type else y
        joint = promote_dtypes("at", x, y)[0].dtype
        if (
            joint != x.dtype
            and dtypes.kind_of(joint) != dtypes.kind_of(x.dtype)
            and not (dtypes.kind_of(y.dtype) in "biu" and dtypes.kind_of(x.dtype) in "fc")
        ):
            raise ArgumentTypeError(
                f"x.at[...]: can't store {y.aval!r} in {x.aval!r} without losing information. "
                "Convert the values or the array with astype."
            )
        y = cast(y, x.dtype)
        shape = x.shape
        x, index = without_truths(x, self.index)
        plan = plan_index(x, index, mode is None)
        y = self._fitted(y, plan.shape)
        # The indexed places, axis by axis: slices become index arrays only if there is more than
        # one run of them.
        indices, window = _scatter_indices(x, plan)
        updates = _arrange(y, plan, x)
        numbers = ScatterDimensionNumbers(
            update_window_dims=window[0],
            inserted_window_dims=window[1],
            scatter_dims_to_operand_dims=window[2],
        )
        result = operation(
            x,
            indices,
            updates,
            numbers,
            mode=bounds_mode(mode, gathering.GatherScatterMode.FILL_OR_DROP),
        )
        return shaping.reshape(result, shape)


def _adapted(y: Any, dtype: np.dtype[Any]) -> Any:
    """A weak operand in the dtype, if its kind or its value allows that: 2.0 is an integer."""
    kinds = "biufc"
    if kinds.index(dtypes.kind_of(y.dtype)) <= kinds.index(dtypes.kind_of(dtype)):
        return cast(y, dtype)
    if type(y) is Array and y.dtype.kind != "c" and (y._data == y._data.astype(dtype)).all():
        return cast(y, dtype)
    return cast(y, y.dtype)


def _scatter_indices(x: Any, plan: Plan) -> tuple[Any, tuple[Any, Any, Any]]:
    """Indices of a scatter that writes the planned places; axes that aren't whole are indexed.

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
    # Drop the new axes, keep integer axes as size 1: the axes of x in order, batch axes at their
    # place.
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
