"""``x[key]`` and ``x[key] = value``.

A key is taken apart: integers, slices, None and the ellipsis give a view; index tensors and masks
(as the indices of their true elements) give one gather, or one scatter, on that view. Writing
through a basic key is a write to the view.
Read next: `sorting`.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from fnx_nn.ambient import ambient
from fnx_nn.tensor.dispatch import TensorOperation, apply, view, write
from fnx_nn.tensor.promotion import NUMBERS, number
from fnx_nn.tensor.selection import MASKED_FILL
from fnx_nn.tensor.table import METHODS, method
from fnx_nn.tensor.tensor import Tensor, wrap
from fnx_nn.tensor.views import Index

_INT64 = np.dtype(np.int64)


def _getitem(self: Tensor, key: Any) -> Tensor:
    if type(key) is int:  # the commonest, without taking anything apart
        shape = self._data.shape
        if shape and -shape[0] <= key < shape[0]:
            return view(self, Index((key % shape[0],)), "SelectBackward0")
    basic, arrays = _taken_apart(self, key)
    base = self if basic is None else view(self, *basic)
    return base if not arrays else _gathered(base, arrays)


def _setitem(self: Tensor, key: Any, value: Any) -> None:
    if isinstance(key, Tensor) and key._data.dtype == np.bool_ and _is_single(value):
        _check_mask(key, self, 0)
        mask = key._data.reshape(key._data.shape + (1,) * (self._data.ndim - key._data.ndim))
        filler = value if isinstance(value, Tensor) else number(value, self._data.dtype)
        write(self, MASKED_FILL, (self, wrap(mask), filler.reshape(())), {})
        return
    basic, arrays = _taken_apart(self, key)
    base = self if basic is None else view(self, *basic)
    if not isinstance(value, Tensor):
        if not isinstance(value, NUMBERS):
            raise TypeError(
                f"can't assign a {type(value).__name__} to a torch.{self.dtype.name} tensor"
            )
        value = number(value, self._data.dtype)
    if arrays:
        _scattered(base, arrays, value)
        return
    lead = value._data.ndim - base._data.ndim
    if lead > 0 and all(n == 1 for n in value._data.shape[:lead]):
        value = value.reshape(value._data.shape[lead:])
    base.copy_(value)


METHODS["__getitem__"] = _getitem
METHODS["__setitem__"] = _setitem


def _is_single(value: Any) -> bool:
    return isinstance(value, NUMBERS) or (isinstance(value, Tensor) and value._data.size == 1)


# ------------------------------------------------------------------------------- taking a key apart


def _taken_apart(x: Tensor, key: Any) -> tuple[Any, list[tuple[int, Any]]]:
    """The view step of the basic part with its node's name, and index arrays with their axes."""
    parts = list(key) if isinstance(key, tuple) else [key]
    parts = _without_ellipsis(x, [_normal(p) for p in parts])
    entries: list[Any] = []
    arrays: list[tuple[int, Any]] = []
    name = ""
    axis = place = 0  # in the tensor, in the view
    shape = x._data.shape
    for part in parts:
        if part is None:
            entries.append(None)
            name = name or "UnsqueezeBackward0"
            place += 1
            continue
        if type(part) is bool:
            entries.append(None)
            arrays.append((place, np.arange(int(part))))
            place += 1
            continue
        if axis >= len(shape):
            raise IndexError(_too_many(x))
        extent = shape[axis]
        if isinstance(part, slice):
            start, stop, step = _slice(part, extent)
            entries.append((start, stop, step))
            if (start, stop, step) != (0, extent, 1):
                name = "SliceBackward0"
            axis, place = axis + 1, place + 1
        elif type(part) is int:
            if not -extent <= part < extent:
                raise IndexError(
                    f"index {part} is out of bounds for dimension {axis} with size {extent}"
                )
            entries.append(part % extent)
            name = "SelectBackward0"
            axis += 1
        else:
            found = _index_arrays(part, x, axis)
            for k, array in enumerate(found):
                _check_bounds(array, shape[axis + k], axis + k)
                arrays.append((place + k, array))
                entries.append((0, shape[axis + k], 1))
            axis, place = axis + len(found), place + len(found)
    if not name:
        if arrays and None not in entries:
            return None, arrays
        name = "AliasBackward0"
    return (Index(tuple(entries)), name), arrays


def _too_many(x: Tensor) -> str:
    if not x._data.ndim:
        return (
            "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` "
            "in C++ to convert a 0-dim tensor to a number"
        )
    return f"too many indices for tensor of dimension {x._data.ndim}"


def _normal(part: Any) -> Any:
    """A part of a key as int, bool, slice, None, Ellipsis, or ndarray of integers or bools."""
    if part is None or part is Ellipsis or type(part) in (int, bool) or isinstance(part, slice):
        return part
    if isinstance(part, Tensor):
        data = part._data
        if data.dtype.kind not in "biu":
            raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
        if data.ndim == 0:
            return bool(data) if data.dtype.kind == "b" else int(data)
        return data.astype(np.bool_) if data.dtype == np.uint8 else data
    if isinstance(part, (list, range, tuple)):
        data = np.asarray([_plain(v) for v in part])
        return data.astype(_INT64) if not data.size else _normal(wrap(data))
    if isinstance(part, np.ndarray):
        return _normal(wrap(part))
    try:
        return operator.index(part)
    except TypeError:
        raise IndexError(
            "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are "
            f"valid indices (got {type(part).__name__})"
        ) from None


def _plain(value: Any) -> Any:
    return value._data if isinstance(value, Tensor) else value


def _without_ellipsis(x: Tensor, parts: list[Any]) -> list[Any]:
    used = 0
    for part in parts:
        if isinstance(part, np.ndarray):
            used += part.ndim if part.dtype.kind == "b" else 1
        elif part is not None and part is not Ellipsis and type(part) is not bool:
            used += 1
    where = [k for k, p in enumerate(parts) if p is Ellipsis]
    if len(where) > 1:
        raise IndexError("an index can only have a single ellipsis ('...')")
    if used > x._data.ndim:
        raise IndexError(_too_many(x))
    if not where:
        return parts
    rest = [slice(None)] * (x._data.ndim - used)
    return [*parts[: where[0]], *rest, *parts[where[0] + 1 :]]


def _slice(part: slice, extent: int) -> tuple[int, int, int]:
    step = 1 if part.step is None else operator.index(part.step)
    if step <= 0:
        raise ValueError("step must be greater than zero")
    bounds = slice(_whole(part.start), _whole(part.stop), step).indices(extent)
    return bounds[0], max(bounds[1], bounds[0]), step


def _whole(value: Any) -> Any:
    return None if value is None else operator.index(value)


def _index_arrays(part: Any, x: Tensor, axis: int) -> list[Any]:
    if part.dtype.kind != "b":
        return [part]
    _check_mask(wrap(part), x, axis)
    return list(np.nonzero(part))


def _check_mask(mask: Tensor, x: Tensor, axis: int) -> None:
    shape, against = mask._data.shape, x._data.shape[axis:]
    if len(shape) > len(against):
        raise IndexError(f"too many indices for tensor of dimension {x._data.ndim}")
    for k, (n, m) in enumerate(zip(shape, against)):
        if n != m:
            raise IndexError(
                f"The shape of the mask {list(shape)} at index {k} does not match the shape of "
                f"the indexed tensor {list(x._data.shape)} at index {axis + k}"
            )


def _check_bounds(index: Any, extent: int, axis: int) -> None:
    if not index.size:
        return
    low, high = int(index.min()), int(index.max())
    if high >= extent or low < -extent:
        raise IndexError(
            f"index {high if high >= extent else low} is out of bounds for dimension {axis} with "
            f"size {extent}"
        )


# ---------------------------------------------------------------------------------- gather, scatter


def _key(x: Any, indices: tuple[Any, ...], axes: tuple[int, ...]) -> tuple[Any, ...]:
    key: list[Any] = [slice(None)] * (max(axes) + 1)
    for axis, index in zip(axes, indices, strict=True):
        key[axis] = index
    return tuple(key)


_INDEX = TensorOperation(lambda x, *indices, axes: x[_key(x, indices, axes)], "IndexBackward0")


def _put(x: Any, value: Any, *indices: Any, axes: tuple[int, ...], accumulate: bool) -> Any:
    place = x.at[_key(x, indices, axes)]
    return (place.add if accumulate else place.set)(value.astype(x.dtype))


_INDEX_PUT = TensorOperation(_put, "IndexPutBackward0")


def _checked_shapes(arrays: list[tuple[int, Any]]) -> None:
    try:
        np.broadcast_shapes(*[a.shape for _, a in arrays])
    except ValueError:
        raise IndexError(
            "shape mismatch: indexing tensors could not be broadcast together with shapes "
            f"{', '.join(str(list(a.shape)) for _, a in arrays)}"
        ) from None


def _gathered(x: Tensor, arrays: list[tuple[int, Any]]) -> Tensor:
    if len(arrays) > 1:
        _checked_shapes(arrays)
    axes = tuple([axis for axis, _ in arrays])
    indices = tuple([a for _, a in arrays])
    around = ambient()
    if not around.traced and not (around.grad and x.requires_grad):
        return wrap(np.array(x._data[_key(x, indices, axes)]))
    return apply(_INDEX, (x, *[wrap(a) for a in indices]), {"axes": axes})


def _scattered(
    x: Tensor, arrays: list[tuple[int, Any]], value: Tensor, accumulate: bool = False
) -> Tensor:
    if len(arrays) > 1:
        _checked_shapes(arrays)
    axes = tuple([axis for axis, _ in arrays])
    indices = tuple([a for _, a in arrays])
    key = _key(x, indices, axes)
    source = value._data
    room = np.empty(x._data.shape, np.int8)[key].shape if source.ndim else ()
    lead = source.ndim - len(room)
    if lead > 0 and all(n == 1 for n in source.shape[:lead]):
        value = value.reshape(source.shape[lead:])
        source = value._data
    try:
        np.broadcast_to(np.empty(source.shape, np.int8), room)
    except ValueError:
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(source.shape)} cannot be broadcast to "
            f"indexing result of shape {list(room)}"
        ) from None

    def fill(buffer: Any) -> None:
        if accumulate:
            np.add.at(buffer, key, source.astype(buffer.dtype))
        else:
            buffer[key] = source

    operands = (x, value, *[wrap(a) for a in indices])
    return write(x, _INDEX_PUT, operands, {"axes": axes, "accumulate": accumulate}, fill)


@method(function=False)
def index_put_(self: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """Write elements to the places that index tensors name.

    Parameters
    ----------
    self : Tensor
        Written to.
    indices : tuple of Tensor
        One for each of the first dimensions.
    values : Tensor
        What to write; broadcast.
    accumulate : bool
        Whether to add instead.
    """
    basic, arrays = _taken_apart(self, tuple(indices))
    assert basic is None
    _scattered(self, arrays, values, accumulate)
    return self


@method()
def index_put(input: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """The tensor with elements written to the places that index tensors name.

    Parameters
    ----------
    input : Tensor
        The operand.
    indices : tuple of Tensor
        One for each of the first dimensions.
    values : Tensor
        What to write; broadcast.
    accumulate : bool
        Whether to add instead.
    """
    _, arrays = _taken_apart(input, tuple(indices))
    axes = tuple([axis for axis, _ in arrays])
    operands = (input, values, *[wrap(a) for _, a in arrays])
    return apply(_INDEX_PUT, operands, {"axes": axes, "accumulate": accumulate})


def _contains(self: Tensor, element: Any) -> bool:
    if isinstance(element, (Tensor, *NUMBERS)):
        return bool(METHODS["__eq__"](self, element)._data.any())
    raise RuntimeError(
        f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}."
    )


METHODS["__contains__"] = _contains
