"""An index, understood: what `x[index]` slices, flips and gathers.  Read next: `indexing`."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any

import numpy as np

from fnx import dtypes
from fnx.core.array import Array, adopt
from fnx.core.device import checked_device
from fnx.core.tracing import Tracer
from fnx.errors import (
    ArgumentTypeError,
    JAXIndexError,
    NonConcreteBooleanIndexError,
    UnsupportedError,
)
from fnx.numpy.promotion import as_arrays, broadcast_shapes, cast
from fnx.primitives import arithmetic, comparison, shaping

__all__ = ["Plan", "axes_of", "not_negative", "plan_index", "promised", "without_truths"]


@dataclass(frozen=True)
class Plan:
    """An index, understood: first slices and flips, then arrays at some axes, then new axes."""

    slices: tuple[tuple[int, int, int], ...]  # start, limit, stride > 0, for each axis
    flips: tuple[int, ...]
    arrays: tuple[tuple[int, Any], ...]  # axis, array of indices (not negative)
    batch: tuple[int, ...]  # shape of the broadcast arrays
    place: int  # where the broadcast axes stand among the axes that stay
    shape: tuple[int, ...]  # of the result, with new axes and without integer axes


def without_truths(x: Any, index: Any) -> tuple[Any, Any]:
    """An operand and an index without True and False.

    Each stands for a new axis of which it takes the one element, or none.
    """
    parts = list(index) if isinstance(index, tuple) else [index]
    if not any(_is_truth(p) for p in parts):
        return x, index
    consumed = sum(axes_of(p) for p in parts)
    axis = 0
    new: list[int] = []
    for k, part in enumerate(parts):
        if part is Ellipsis:
            axis += x.ndim - consumed
        elif _is_truth(part):
            new.append(axis + len(new))
            (place,) = _mask_places(np.asarray(part).reshape(1), x)
            parts[k] = place
        else:
            axis += axes_of(part)
    return shaping.expand_dims(x, tuple(new)), tuple(parts)


def _is_truth(part: Any) -> bool:
    if isinstance(part, (bool, np.bool_)):
        return True
    return isinstance(part, (Array, Tracer, np.ndarray)) and part.dtype == bool and not part.ndim


def promised(operation: str, options: dict[str, Any]) -> None:
    """Check keywords by which users promise something of their indices; no promise is needed.

    Parameters
    ----------
    operation : str
        For errors.
    options : dict
        ``indices_are_sorted``, ``unique_indices``, ``wrap_negative_indices``, ``out_sharding``.

    Raises
    ------
    TypeError
        There are other keywords.
    UnsupportedError
        Negative indices are not to count from the end.
    """
    for name, value in options.items():
        if name == "out_sharding":
            checked_device(operation, value)
        elif name == "wrap_negative_indices":
            if not value:
                raise UnsupportedError(
                    f"{operation}: wrap_negative_indices=False: negative indices count from the "
                    "end. Use lax.gather or lax.scatter, where they don't."
                )
        elif name not in ("indices_are_sorted", "unique_indices"):
            raise ArgumentTypeError(f"{operation}: unexpected keyword argument {name!r}.")


def axes_of(part: Any) -> int:
    """How many axes of the operand a part of an index stands for."""
    if part is None or part is Ellipsis or _is_truth(part):
        return 0
    if isinstance(part, (list, tuple)):
        part = np.asarray(part)
    mask = isinstance(part, (Array, Tracer, np.ndarray)) and part.dtype == bool
    return int(part.ndim) if mask else 1


def _entries(x: Any, index: Any) -> list[Any]:
    """The parts of an index, with `...` expanded and masks as arrays of places."""
    parts = list(index) if isinstance(index, tuple) else [index]
    expanded: list[Any] = []
    masks: list[tuple[int, tuple[int, ...]]] = []  # place among the parts, shape
    for part in parts:
        if isinstance(part, (list, tuple, range)):
            part = np.asarray(part) if len(part) else np.zeros(0, np.int32)
        if isinstance(part, np.generic):
            part = np.asarray(part)
        if isinstance(part, (Array, Tracer, np.ndarray)) and part.dtype == np.bool_:
            masks.append((len(expanded), part.shape))
            expanded += _mask_places(part, x)
        else:
            expanded.append(part)
    consumed = sum(1 for p in expanded if p is not None and p is not Ellipsis)
    if sum(1 for p in expanded if p is Ellipsis) > 1:
        raise JAXIndexError(
            f"indexing {x.aval!r}: an index can have one ellipsis only. Write : for further axes."
        )
    if consumed > x.ndim:
        raise JAXIndexError(
            f"indexing {x.aval!r}: too many indices, {consumed} for {x.ndim} axes. Give at most "
            f"{x.ndim}."
        )
    for place, shape in masks:
        _check_mask(x, expanded, place, shape)
    fill = [slice(None)] * (x.ndim - consumed)
    for k, part in enumerate(expanded):
        if part is Ellipsis:
            return expanded[:k] + fill + expanded[k + 1 :]
    return expanded + fill


def _check_mask(x: Any, parts: list[Any], place: int, shape: tuple[int, ...]) -> None:
    """The axes that a mask stands for have its shape."""
    before = parts[:place]
    axis = sum(1 for p in before if p is not None and p is not Ellipsis)
    if any(p is Ellipsis for p in before):
        axis += x.ndim - sum(1 for p in parts if p is not None and p is not Ellipsis)
    covered = x.shape[axis : axis + len(shape)]
    if covered != shape:
        raise JAXIndexError(
            f"indexing {x.aval!r}: a mask of shape {shape} stands for axes of shape {covered}. A "
            "mask must have the shape of the axes that it selects from."
        )


def _mask_places(mask: Any, x: Any) -> list[Any]:
    if isinstance(mask, Tracer):
        known = mask.concrete()
        if known is None:
            raise NonConcreteBooleanIndexError(
                f"indexing {x.aval!r}: the mask {mask.aval!r} is traced, and the number of its "
                "true elements decides the shape of the result. Use jnp.where(mask, x, 0), or "
                "jnp.nonzero(mask, size=n)."
            )
        mask = known
    data = mask._data if type(mask) is Array else mask
    return [np.asarray(p, np.int32) for p in np.nonzero(data)]


def plan_index(x: Any, index: Any, strict: bool = True) -> Plan:
    """The plan of an index.

    Parameters
    ----------
    x : Array or Tracer
        What is indexed.
    index
        As in ``x[index]``.
    strict : bool
        Whether Python integers out of bounds are errors. If not, they're treated as array indices.
    """
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
                raise ArgumentTypeError(
                    f"indexing {x.aval!r}: indices must be integers or bools, got {value.aval!r}. "
                    "Convert with astype(int)."
                )
            arrays.append((axis, value))
            slices.append((0, n, 1))
            layout.append("array")
        else:
            raise ArgumentTypeError(
                f"indexing {x.aval!r}: an index is {type(part).__name__}. Indices are integers, "
                "slices, None, Ellipsis, and arrays of integers or bools."
            )
        axis += 1
    # Integers alone are slices of length 1; beside arrays they take part in broadcasting.
    only_integers = all(isinstance(a, int) for _, a in arrays)
    inside = True
    for k, i in arrays:
        if isinstance(i, int) and not -x.shape[k] <= i < x.shape[k]:
            inside = False
            if strict:
                raise JAXIndexError(
                    f"indexing {x.aval!r}: index {i} is out of bounds for axis {k}, whose indices "
                    f"are {_range(x.shape[k])}. Choose mode='clip', 'fill' or 'drop' of x.at[...] "
                    "to allow it."
                )
    if only_integers and inside:
        for k, i in arrays:
            n = x.shape[k]
            slices[k] = (i % n, i % n + 1, 1)
        shape = tuple([n for n in layout if n != "array"])
        return Plan(tuple(slices), tuple(flips), (), (), 0, shape)
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
        tuple([(k, not_negative(a, x.shape[k])) for k, a in values]),
        batch,
        # among the operand's own axes that stay, new axes aside
        len([n for n in _without_new(x, index)[: marks[0]] if n != "array"]) if together else 0,
        shape,
    )


def _without_new(x: Any, index: Any) -> list[Any]:
    """As the layout in `plan_index`, but new axes count as absent."""
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
        raise JAXIndexError(
            f"slice bounds must be integers, got {type(value).__name__}. For traced bounds use "
            "lax.dynamic_slice."
        ) from None


def not_negative(index: Any, size: int) -> Any:
    if dtypes.kind_of(index.dtype) == "u":
        return cast(index, np.dtype(np.int32) if index.dtype.itemsize < 4 else np.dtype(np.int64))
    if type(index) is Array and (index._data.size == 0 or index._data.min() >= 0):
        return index if index.dtype.itemsize >= 4 else cast(index, np.dtype(np.int32))
    index = index if index.dtype.itemsize >= 4 else cast(index, np.dtype(np.int32))
    index = cast(index, index.dtype)
    zero = shaping.full(index.shape, 0, index.dtype)
    n = shaping.full(index.shape, size, index.dtype)
    return comparison.select_n(comparison.lt(index, zero), index, arithmetic.add(index, n))


def _range(size: int) -> str:
    """The indices that an axis has, in words."""
    return f"from {-size} to {size - 1}" if size else "none"
