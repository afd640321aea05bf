"""Coordinates and index arrays: meshgrid, indices, tril_indices.  Read next: `indexing`."""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np

from fnx import dtypes
from fnx.numpy.creation import asarray, zeros
from fnx.numpy.indexing import nonzero
from fnx.numpy.joining import stack
from fnx.numpy.manipulation import reshape
from fnx.numpy.promotion import as_arrays, broadcast_to
from fnx.primitives.iota import iota

__all__ = [
    "diag_indices", "diag_indices_from", "index_exp", "indices", "ix_", "meshgrid", "s_",
    "tril_indices", "tril_indices_from", "triu_indices", "triu_indices_from",
]  # fmt: skip

s_ = np.s_
index_exp = np.index_exp


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
        raise ValueError(f'meshgrid: indexing must be "xy" or "ij", got {indexing!r}.')
    arrays = as_arrays("meshgrid", *xi)
    for x in arrays:
        if x.ndim > 1:
            raise ValueError(
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
            raise ValueError(f"ix_: argument {k} must have one axis, got shape {x.shape}.")
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
        raise ValueError(f"{name}: the operand must have two axes, got shape {x.shape}.")
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
        raise ValueError(f"diag_indices: n and ndim must not be negative, got {n} and {ndim}.")
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
        raise ValueError(
            "diag_indices_from: the operand must have two or more axes of one size, got shape "
            f"{x.shape}."
        )
    return diag_indices(x.shape[0], x.ndim)
