"""Coordinates and index arrays: meshgrid, indices, tril_indices.  Read next: `indexing`."""

from __future__ import annotations

from collections.abc import Callable
from operator import index
from typing import Any

import numpy as np

from fnx import dtypes
from fnx.errors import ArgumentTypeError, ArgumentValueError, ConcretizationTypeError
from fnx.numpy.creation import arange, asarray, linspace, ones, zeros
from fnx.numpy.elementwise import clip, floor_divide, mod, power
from fnx.numpy.indexing import nonzero
from fnx.numpy.joining import concatenate, stack
from fnx.numpy.manipulation import moveaxis, reshape
from fnx.numpy.promotion import (
    as_arrays,
    broadcast_to,
    cast,
    known,
    promote_dtypes,
    promote_inexact,
)
from fnx.numpy.ufuncs import exp, log, where
from fnx.primitives.iota import iota
from fnx.transforms.structural import structural

__all__ = [
    "c_", "diag_indices", "diag_indices_from", "geomspace", "index_exp", "indices", "ix_",
    "logspace", "mask_indices", "meshgrid", "mgrid", "ogrid", "r_", "ravel_multi_index", "s_",
    "tril_indices",
    "tril_indices_from", "triu_indices", "triu_indices_from", "unravel_index",
]  # fmt: skip

s_ = np.s_
index_exp = np.index_exp


@structural("xi")
def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> list[Any]:
    """Coordinates at each point of a grid, one array for each axis.

    Parameters
    ----------
    *xi : array-like
        The coordinates along the axes, each of one axis (or a scalar).
    copy : bool
        Accepted.
    sparse : bool
        Leave the other axes at size 1.
    indexing : {"xy", "ij"}
        Whether the first coordinate runs along the second axis or along the first.
    """
    if indexing not in ("xy", "ij"):
        raise ArgumentValueError(f'meshgrid: indexing must be "xy" or "ij", got {indexing!r}.')
    arrays = as_arrays("meshgrid", *xi)
    for x in arrays:
        if x.ndim > 1:
            raise ArgumentValueError(
                f"meshgrid: coordinates must have one axis, got shape {x.shape}. Flatten them."
            )
    count = len(arrays)
    places = list(range(count))
    if indexing == "xy" and count > 1:
        places[0], places[1] = 1, 0
    sizes = [0] * count
    for x, place in zip(arrays, places, strict=True):
        sizes[place] = x.size
    results = []
    for x, place in zip(arrays, places, strict=True):
        y = reshape(x, [x.size if k == place else 1 for k in range(count)])
        results.append(y if sparse else broadcast_to(y, sizes))
    return results


def ix_(*args: Any) -> tuple[Any, ...]:
    """Index arrays of an open mesh, which select rows times columns.

    Parameters
    ----------
    *args : array-like
        Of one axis each; booleans select their true places.
    """
    arrays = as_arrays("ix_", *args)
    results = []
    for k, x in enumerate(arrays):
        if x.ndim != 1:
            raise ArgumentValueError(f"ix_: argument {k} must have one axis, got shape {x.shape}.")
        if x.dtype.kind == "b":
            x = nonzero(x)[0]
        elif x.size == 0:
            x = x.astype(dtypes.default_dtype("i"))
        results.append(reshape(x, [x.size if j == k else 1 for j in range(len(arrays))]))
    return tuple(results)


def indices(dimensions: Any, dtype: Any = None, sparse: bool = False) -> Any:
    """The index of each place of a shape, along each axis.

    Parameters
    ----------
    dimensions : sequence of int
        The shape.
    dtype : dtype-like, optional
        Of the result; the default integer.
    sparse : bool
        Give a tuple of arrays that leave the other axes at size 1.
    """
    shape = tuple(index(n) for n in dimensions)
    wanted = dtypes.default_dtype("i") if dtype is None else np.dtype(dtype)
    axes = [
        reshape(iota(wanted, n), [n if j == k else 1 for j in range(len(shape))])
        for k, n in enumerate(shape)
    ]
    if sparse:
        return tuple(axes)
    if not axes:
        return zeros((0,), dtype=wanted)
    return stack([broadcast_to(x, shape) for x in axes])


def _constant(places: Any) -> tuple[Any, ...]:
    # Shapes are known when a function is traced, so that these are constants: NumPy finds them.
    return tuple(asarray(x, dtype=dtypes.default_dtype("i")) for x in places)


def tril_indices(n: int, k: int = 0, m: int | None = None) -> tuple[Any, Any]:
    """Rows and columns of the lower triangle.

    Parameters
    ----------
    n : int
        How many rows.
    k : int
        The last diagonal that belongs to it.
    m : int, optional
        How many columns; as many as rows by default.
    """
    rows, columns = _constant(np.tril_indices(n, k, m))
    return rows, columns


def triu_indices(n: int, k: int = 0, m: int | None = None) -> tuple[Any, Any]:
    """Rows and columns of the upper triangle.

    Parameters
    ----------
    n : int
        How many rows.
    k : int
        The first diagonal that belongs to it.
    m : int, optional
        How many columns; as many as rows by default.
    """
    rows, columns = _constant(np.triu_indices(n, k, m))
    return rows, columns


def _matrix_shape(name: str, arr: Any) -> tuple[int, int]:
    (x,) = as_arrays(name, arr)
    if x.ndim != 2:
        raise ArgumentValueError(f"{name}: the operand must have two axes, got shape {x.shape}.")
    return x.shape


def tril_indices_from(arr: Any, k: int = 0) -> tuple[Any, Any]:
    """Rows and columns of the lower triangle of a matrix.

    Parameters
    ----------
    arr : array-like
        Of two axes; only its shape matters.
    k : int
        The last diagonal that belongs to it.
    """
    rows, columns = _matrix_shape("tril_indices_from", arr)
    return tril_indices(rows, k, columns)


def triu_indices_from(arr: Any, k: int = 0) -> tuple[Any, Any]:
    """Rows and columns of the upper triangle of a matrix.

    Parameters
    ----------
    arr : array-like
        Of two axes; only its shape matters.
    k : int
        The first diagonal that belongs to it.
    """
    rows, columns = _matrix_shape("triu_indices_from", arr)
    return triu_indices(rows, k, columns)


def diag_indices(n: int, ndim: int = 2) -> tuple[Any, ...]:
    """Indices of the main diagonal of an array of equal sizes.

    Parameters
    ----------
    n : int
        The size of each axis.
    ndim : int
        How many axes.
    """
    if n < 0 or ndim < 0:
        raise ArgumentValueError(
            f"diag_indices: n and ndim must not be negative, got {n} and {ndim}."
        )
    return (iota(dtypes.default_dtype("i"), n),) * ndim


def diag_indices_from(arr: Any) -> tuple[Any, ...]:
    """Indices of the main diagonal of an array of equal sizes.

    Parameters
    ----------
    arr : array-like
        Of two axes or more, all of one size; only its shape matters.
    """
    (x,) = as_arrays("diag_indices_from", arr)
    if x.ndim < 2 or len(set(x.shape)) != 1:
        raise ArgumentValueError(
            "diag_indices_from: the operand must have two or more axes of one size, got shape "
            f"{x.shape}."
        )
    return diag_indices(x.shape[0], x.ndim)


def mask_indices(
    n: int, mask_func: Callable[[Any, int], Any], k: int = 0, *, size: int | None = None
) -> tuple[Any, Any]:
    """Rows and columns of the elements of an n by n matrix that a function keeps.

    Parameters
    ----------
    n : int
        The size.
    mask_func : callable
        Such as `triu`: of a matrix and an offset, zero where elements are left out.
    k : int
        The offset.
    size : int, optional
        How many; needed while the mask is being traced.
    """
    rows, columns = nonzero(mask_func(ones((n, n)), k), size=size)
    return rows, columns


def ravel_multi_index(
    multi_index: Any, dims: Any, mode: Any = "raise", order: str = "C", *, dtype: Any = None
) -> Any:
    """The places of elements counted over all axes, from their indices.

    Parameters
    ----------
    multi_index : sequence of array-like of int
        One for each axis.
    dims : sequence of int
        The shape.
    mode : {"raise", "wrap", "clip"} or a sequence of these
        What indices out of bounds mean; "raise" needs known values.
    order : {"C", "F"}
        Whether the last or the first axis is counted first.
    dtype : dtype, optional
        Of the result.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> ravel_multi_index((jnp.array([0, 1]), jnp.array([2, 0])), (2, 3))
    Array([2, 3], dtype=int32)
    """
    sizes = [index(n) for n in dims]
    indices_ = as_arrays("ravel_multi_index", *multi_index)
    modes = (mode,) * len(sizes) if isinstance(mode, str) else tuple(mode)
    if not len(indices_) == len(sizes) == len(modes):
        raise ArgumentValueError(
            f"ravel_multi_index: {len(indices_)} indices and {len(modes)} modes for "
            f"{len(sizes)} axes. Pass one for each."
        )
    if order not in ("C", "F"):
        raise ArgumentValueError(f"ravel_multi_index: order is {order!r}. Pass 'C' or 'F'.")
    total: Any = 0
    stride = 1
    steps = list(zip(indices_, sizes, modes, strict=True))
    for i, n, how in steps[::-1] if order == "C" else steps:
        if i.dtype.kind not in "iu":
            raise ArgumentTypeError(
                f"ravel_multi_index: indices must hold integers, got {i.aval!r}."
            )
        total = total + _bounded(i, n, how) * stride
        stride *= n
    result = asarray(total)
    return cast(result, result.dtype) if dtype is None else result.astype(dtype)


def _bounded(i: Any, n: int, mode: str) -> Any:
    if mode == "wrap":
        return mod(i, n)
    if mode == "clip":
        return clip(i, 0, n - 1)
    if mode != "raise":
        raise ArgumentValueError(
            f"ravel_multi_index: mode is {mode!r}. Pass 'raise', 'wrap' or 'clip'."
        )
    elements = known(i)
    if elements is None:
        raise ConcretizationTypeError(
            "ravel_multi_index with mode='raise' can't look at traced indices. "
            "Pass mode='clip' or 'wrap'."
        )
    if ((elements < 0) | (elements >= n)).any():
        raise ArgumentValueError(
            f"ravel_multi_index: an index is out of bounds for an axis of size {n}."
        )
    return i


def unravel_index(indices: Any, shape: Any) -> tuple[Any, ...]:
    """The index along each axis of places that are counted over all axes.

    Parameters
    ----------
    indices : array-like of int
        The places; negative ones count from the end, others out of bounds are clipped.
    shape : int or sequence of int
        The shape.
    """
    (places,) = as_arrays("unravel_index", indices)
    if places.dtype.kind not in "iu":
        raise ArgumentTypeError(f"unravel_index: indices must hold integers, got {places.aval!r}.")
    sizes = [index(n) for n in (shape if isinstance(shape, (tuple, list)) else (shape,))]
    total = int(np.prod(sizes, dtype=np.int64))
    rest = clip(where(places < 0, places + total, places), 0, max(total - 1, 0))
    found = []
    for n in sizes[::-1]:
        found.append(mod(rest, max(n, 1)))
        rest = floor_divide(rest, max(n, 1))
    return tuple(found[::-1])


def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: Any = 10.0,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """Powers of a base whose exponents have equal distances.

    Parameters
    ----------
    start, stop : array-like
        The first and the last exponent.
    num : int
        How many.
    endpoint : bool
        Whether `stop` is the last one.
    base : array-like
        The base.
    dtype : dtype, optional
        Of the result.
    axis : int
        Where the new axis stands.

    Examples
    --------
    >>> logspace(0, 2, 3)
    Array([  1.,  10., 100.], dtype=float32)
    """
    exponents = linspace(start, stop, num, endpoint=endpoint, axis=axis)
    result = power(base, exponents)
    return result if dtype is None else result.astype(dtype)


def geomspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Any:
    """Numbers with equal ratios between two ends.

    Parameters
    ----------
    start, stop : array-like
        The ends; neither is zero. Real ends have one sign.
    num : int
        How many.
    endpoint : bool
        Whether `stop` is the last one.
    dtype : dtype, optional
        Of the result.
    axis : int
        Where the new axis stands.

    Examples
    --------
    >>> geomspace(1, 100, 3)
    Array([  1.,  10., 100.], dtype=float32)
    """
    first, last = promote_inexact("geomspace", start, stop)
    # Relative to the first one: the exponents are then of positive numbers, for negative ends too.
    exponents = linspace(zeros((), first.dtype), log(last / first), num, endpoint=endpoint)
    shape = (num,) + (1,) * max(first.ndim, last.ndim)
    result = first * exp(exponents.reshape(shape) if exponents.ndim == 1 else exponents)
    if num > 0:
        result = result.at[0].set(broadcast_to(first, result.shape[1:]))
        if endpoint and num > 1:
            result = result.at[-1].set(broadcast_to(last, result.shape[1:]))
    result = moveaxis(result, 0, axis)
    return result if dtype is None else result.astype(dtype)


class _Grid:
    """``mgrid[0:3, 0:1:5j]``: coordinates by slices; a complex step says how many."""

    def __init__(self, name: str, sparse: bool) -> None:
        self._name = name
        self._sparse = sparse

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return _line(self._name, key)
        lines = promote_dtypes(self._name, *[_line(self._name, part) for part in key])
        found = meshgrid(*lines, indexing="ij", sparse=self._sparse)
        if self._sparse:
            return found
        return stack(found) if found else zeros(0)

    def __repr__(self) -> str:
        return f"fnx.numpy.{self._name}"


def _line(name: str, part: slice) -> Any:
    start = 0 if part.start is None else part.start
    step = 1 if part.step is None else part.step
    if part.stop is None:
        raise ArgumentValueError(f"{name}: a slice needs an end, got {part}.")
    if isinstance(step, complex):
        return linspace(start, part.stop, int(abs(step)))
    return arange(start, part.stop, step)


class _Joined:
    """``r_[1:4, 0]``: arrays, numbers and ranges one after the other."""

    def __init__(self, name: str, axis: int, rank: int, first: int) -> None:
        self._name = name
        self._default = (axis, rank, first)

    def _directive(self, words: str) -> tuple[int, int, int]:
        try:
            given = tuple([int(word) for word in words.split(",")])
        except ValueError:
            given = ()
        if not 1 <= len(given) <= 3:
            raise ArgumentValueError(
                f"{self._name}: {words!r} is no directive. Pass 'axis', 'axis,rank' or "
                "'axis,rank,first': along which axis, of how many axes, where the own ones begin."
            )
        return (*given, *(1, -1)[len(given) - 1 :])  # type: ignore[return-value]

    def __getitem__(self, key: Any) -> Any:
        parts = list(key) if isinstance(key, tuple) else [key]
        axis, rank, first = self._default
        if parts and isinstance(parts[0], str):
            axis, rank, first = self._directive(parts.pop(0))
        if not parts:
            raise ArgumentValueError(f"{self._name}: there is nothing to join.")
        pieces = [
            _line(self._name, p) if isinstance(p, slice) else p if np.isscalar(p) else asarray(p)
            for p in parts
        ]
        joined = []
        for x in promote_dtypes(self._name, *pieces):
            missing = max(rank - x.ndim, 0)
            place = min(first if first >= 0 else missing + 1 + first, missing)
            joined.append(reshape(x, (1,) * place + x.shape + (1,) * (missing - place)))
        return concatenate(joined, axis=axis)

    def __repr__(self) -> str:
        return f"fnx.numpy.{self._name}"


mgrid = _Grid("mgrid", False)
ogrid = _Grid("ogrid", True)
r_ = _Joined("r_", 0, 1, -1)
c_ = _Joined("c_", -1, 2, 0)
