"""Arrays from files, text, buffers and functions, and back.  Read next: `creation`."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np

from fnx import dtypes
from fnx.errors import ArgumentTypeError
from fnx.numpy.creation import arange, asarray
from fnx.numpy.promotion import as_arrays
from fnx.transforms.vmap import vmap

__all__ = [
    "array_repr", "array_str", "frombuffer", "fromfile", "fromfunction", "fromiter", "fromstring",
    "isscalar", "iterable", "load", "save", "savez",
]  # fmt: skip


def _dtype(dtype: Any) -> np.dtype[Any]:
    return dtypes.default_dtype("f") if dtype is float or dtype is None else np.dtype(dtype)


def _plain(name: str, value: Any) -> np.ndarray[Any, Any]:
    return np.asarray(as_arrays(name, value)[0])


def load(file: Any, *args: Any, **kwargs: Any) -> Any:
    """An array from a file in NumPy's format.

    Parameters
    ----------
    file : file, str or path
        Of ``.npy``, or of ``.npz``, which gives the arrays by name.
    *args, **kwargs
        As for `numpy.load`.
    """
    found = np.load(file, *args, **kwargs)
    if not isinstance(found, np.ndarray):
        with found:
            return {name: _restored(found[name]) for name in found}
    return _restored(found)


def _restored(data: np.ndarray[Any, Any]) -> Any:
    if data.dtype.kind == "V":  # NumPy's format has no name for bfloat16
        if data.dtype.itemsize != 2:
            raise ArgumentTypeError(f"load: elements of dtype {data.dtype} are not numbers.")
        data = data.view(ml_dtypes.bfloat16)
    return asarray(data)


def save(file: Any, arr: Any, allow_pickle: bool = False) -> None:
    """Write an array to a file in NumPy's format.

    Parameters
    ----------
    file : file, str or path
        Where; ``.npy`` is added to a name without it.
    arr : array-like
        The array.
    allow_pickle : bool
        As for `numpy.save`; there is nothing to be pickled in an array of numbers.
    """
    np.save(file, _plain("save", arr), allow_pickle=allow_pickle)


def savez(file: Any, *args: Any, **kwds: Any) -> None:
    """Write several arrays to one ``.npz`` file.

    Parameters
    ----------
    file : file, str or path
        Where.
    *args, **kwds : array-like
        The arrays; those without a name become ``arr_0``, ``arr_1``...
    """
    allow_pickle = kwds.pop("allow_pickle", False)
    arrays = {f"arr_{k}": _plain("savez", a) for k, a in enumerate(args)}
    arrays |= {name: _plain("savez", a) for name, a in kwds.items()}
    np.savez(file, allow_pickle=allow_pickle, **arrays)


def frombuffer(buffer: Any, dtype: Any = float, count: int = -1, offset: int = 0) -> Any:
    """An array of the bytes of a buffer.

    Parameters
    ----------
    buffer : buffer
        Such as bytes.
    dtype : dtype
        Of the elements; float means the default one.
    count : int
        How many; all by default.
    offset : int
        How many bytes are left out before them.
    """
    return asarray(np.frombuffer(buffer, _dtype(dtype), count, offset))


def fromfile(file: Any, dtype: Any = float, count: int = -1, sep: str = "", offset: int = 0) -> Any:
    """An array of the bytes, or of the text, of a file.

    Parameters
    ----------
    file : file, str or path
        The file.
    dtype : dtype
        Of the elements; float means the default one.
    count : int
        How many; all by default.
    sep : str
        What separates elements of text; bytes by default.
    offset : int
        How many bytes are left out before them.
    """
    return asarray(np.fromfile(file, _dtype(dtype), count, sep, offset))


def fromiter(iter: Any, dtype: Any, count: int = -1) -> Any:
    """An array of what an iterable gives.

    Parameters
    ----------
    iter : iterable
        Of numbers.
    dtype : dtype
        Of the elements; float means the default one.
    count : int
        How many; all by default.
    """
    return asarray(np.fromiter(iter, _dtype(dtype), count))


def fromstring(string: str, dtype: Any = float, count: int = -1, *, sep: str) -> Any:
    """An array of the numbers in a text.

    Parameters
    ----------
    string : str
        The text.
    dtype : dtype
        Of the elements; float means the default one.
    count : int
        How many; all by default.
    sep : str
        What separates them.
    """
    return asarray(np.fromstring(string, _dtype(dtype), count, sep=sep))


def fromfunction(
    function: Callable[..., Any], shape: Any, *, dtype: Any = float, **kwargs: Any
) -> Any:
    """An array of a function of indices.

    Parameters
    ----------
    function : callable
        Of one scalar index for each axis.
    shape : int or sequence of int
        The shape.
    dtype : dtype
        Of the indices; float means the default one.
    **kwargs
        Passed on to the function.

    Examples
    --------
    >>> fromfunction(lambda i, j: i * 10 + j, (2, 2), dtype=int)
    Array([[ 0,  1],
           [10, 11]], dtype=int32)
    """
    sizes = [operator.index(n) for n in (shape if np.ndim(shape) else (shape,))]
    wanted = dtypes.default_dtype("i") if dtype is int else _dtype(dtype)

    def mapped(*indices: Any) -> Any:
        return function(*indices, **kwargs)

    for k in reversed(range(len(sizes))):
        axes = tuple([0 if j == k else None for j in range(len(sizes))])
        mapped = vmap(mapped, in_axes=axes)
    return mapped(*[arange(n, dtype=wanted) for n in sizes])


def array_repr(
    arr: Any, max_line_width: Any = None, precision: Any = None, suppress_small: Any = None
) -> str:
    """The text of an array with its dtype.

    Parameters
    ----------
    arr : array-like
        The array.
    max_line_width, precision, suppress_small
        As for `numpy.array_repr`.
    """
    (x,) = as_arrays("array_repr", arr)
    if max_line_width is precision is suppress_small is None:
        return repr(x)
    return np.array_repr(np.asarray(x), max_line_width, precision, suppress_small).replace(
        "array(", "Array(", 1
    )


def array_str(
    a: Any, max_line_width: Any = None, precision: Any = None, suppress_small: Any = None
) -> str:
    """The text of an array's elements.

    Parameters
    ----------
    a : array-like
        The array.
    max_line_width, precision, suppress_small
        As for `numpy.array_str`.
    """
    return np.array_str(_plain("array_str", a), max_line_width, precision, suppress_small)


def isscalar(element: Any) -> bool:
    """Whether something is a number, or an array without axes.

    Parameters
    ----------
    element : object
        Anything.
    """
    return bool(np.isscalar(element)) or (hasattr(element, "aval") and element.ndim == 0)


def iterable(y: Any) -> bool:
    """Whether something can be iterated over.

    Parameters
    ----------
    y : object
        Anything.
    """
    if hasattr(y, "aval"):
        return bool(y.ndim)
    return bool(np.iterable(y))
