"""Arrays from nothing and from data: `array`, `asarray`, `zeros`, `arange`, `linspace`, `eye`, ...

What has no dtype of its own is float32, or int32 (64 bits wide with ``enable_x64``).  Read next:
`manipulation`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from fnx import dtypes
from fnx.config import CONTEXT
from fnx.core.array import Array, adopt
from fnx.core.conversion import as_value
from fnx.core.device import checked_device, placed
from fnx.core.tracing import Tracer
from fnx.errors import (
    ArgumentTypeError,
    ArgumentValueError,
    ConcretizationTypeError,
    ShapeError,
    TracerIntegerConversionError,
    UnsupportedError,
)
from fnx.numpy import manipulation, ufuncs
from fnx.numpy.elementwise import real
from fnx.numpy.nested_sequences import converted, from_sequence
from fnx.numpy.promotion import as_arrays, broadcast_to, cast, promote_inexact
from fnx.primitives import comparison
from fnx.primitives.arithmetic import add, div
from fnx.primitives.iota import iota
from fnx.primitives.shaping import broadcast_in_dim
from fnx.primitives.shaping import full as full_
from fnx.transforms.structural import structural

__all__ = [
    "arange", "array", "asarray", "astype", "copy", "empty", "empty_like", "eye", "full",
    "full_like", "identity", "linspace", "ones", "ones_like", "shape_of", "tri", "zeros",
    "zeros_like",
]  # fmt: skip


def shape_of(shape: Any) -> tuple[int, ...]:
    """A shape from an int or a sequence of ints.

    Raises
    ------
    ValueError
        One of them is negative.
    TypeError
        One of them is no integer, or isn't known while tracing.
    """
    one = isinstance(shape, (int, np.integer)) or getattr(shape, "ndim", 1) == 0
    given = (shape,) if one else shape
    try:
        sizes = tuple([operator.index(n) for n in given])
    except (ConcretizationTypeError, TracerIntegerConversionError):
        raise
    except TypeError:
        raise ArgumentTypeError(
            f"shape: sizes must be integers, got {shape!r}. Give an int or a sequence of ints."
        ) from None
    if any([n < 0 for n in sizes]):
        raise ShapeError(f"shape: sizes must not be negative, got {sizes}.")
    return sizes


def _dtype(dtype: Any, default: str) -> np.dtype[Any]:
    return dtypes.default_dtype(default) if dtype is None else dtypes.check_user_dtype(dtype)


@structural("a")
def asarray(
    a: Any,
    dtype: Any = None,
    order: Any = None,
    *,
    copy: bool | None = None,
    device: Any = None,
    out_sharding: Any = None,
) -> Any:
    """An array from numbers, nested sequences, NumPy arrays or arrays.

    Parameters
    ----------
    a : array-like
        The data. NumPy arrays keep their dtype; Python numbers become float32, int32, bool or
        complex64.
    dtype : dtype, optional
        Convert to this one.
    order : {"C", "K", "A"}, optional
        Arrays are in C order; "F" is refused.
    copy : bool, optional
        True: the result has memory of its own. False: raise if it must have that.
    device, out_sharding : optional
        The CPU, where arrays are.

    Examples
    --------
    >>> asarray([1, 2])
    Array([1, 2], dtype=int32)
    """
    _check_order("asarray", order)
    if device is not None or out_sharding is not None:
        placed("asarray", device=device, out_sharding=out_sharding)
    if copy is not None:
        return _asarray_copied(a, dtype, copy)
    wanted = None if dtype is None else dtypes.check_user_dtype(dtype)
    if isinstance(a, (list, tuple)):
        value = from_sequence(a, wanted)
    elif type(a) in (bool, int, float, complex) and wanted is not None:
        return adopt(converted(a, wanted))
    elif isinstance(
        a, (Array, Tracer, np.ndarray, np.generic, bool, int, float, complex)
    ) or hasattr(a, "__jax_array__"):
        value = as_value(a, "asarray")
    elif hasattr(a, "__array__"):
        value = as_value(np.asarray(a), "asarray")
    elif hasattr(a, "__buffer__") or isinstance(a, (range, memoryview, bytearray)):
        value = from_sequence(list(a), wanted) if isinstance(a, range) else as_value(np.asarray(a))
    else:
        value = as_value(a, "asarray")
    return value if wanted is None else cast(value, wanted)


def _asarray_copied(a: Any, dtype: Any, copy: bool) -> Any:
    value = asarray(a, dtype)
    if copy:
        return _own(value, a)
    same = value is a or (
        type(value) is Array and isinstance(a, np.ndarray) and np.may_share_memory(value._data, a)
    )
    if not same:
        raise ArgumentValueError(
            f"asarray: copy=False, but {type(a).__name__} can become an array of "
            f"{value.dtype.name} only in memory of its own. Leave copy=None."
        )
    return value


@structural("object")
def array(
    object: Any, dtype: Any = None, copy: bool = True, order: Any = "K", ndmin: int = 0
) -> Any:
    """An array from numbers, nested sequences, NumPy arrays or arrays.

    Parameters
    ----------
    object : array-like
        The data.
    dtype : dtype, optional
        Convert to this one.
    copy : bool
        Whether the result has memory of its own, so that an array can be donated and its copy
        kept.
    order : {"C", "K", "A"}, optional
        Arrays are in C order; "F" is refused.
    ndmin : int
        At least so many axes, new ones in front.

    Examples
    --------
    >>> array([[1., 2.]])
    Array([[1., 2.]], dtype=float32)
    """
    _check_order("array", order)
    value = asarray(object, dtype)
    if value.ndim < ndmin:
        value = value.reshape((1,) * (ndmin - value.ndim) + value.shape)
    return _own(value, object) if copy else value


def _own(value: Any, source: Any) -> Any:
    """The value in memory of its own, if it is evaluated and has that of its source."""
    if type(value) is not Array or not isinstance(source, (Array, np.ndarray)):
        return value
    shared = CONTEXT.get().trace is None and np.may_share_memory(value._data, np.asarray(source))
    return adopt(value._data.copy(), value._weak) if shared else value


def _check_order(operation: str, order: Any) -> None:
    if order not in (None, "C", "K", "A"):
        raise UnsupportedError(
            f"{operation}: order={order!r}: arrays are in C order. Transpose the array instead."
        )


def zeros(shape: Any, dtype: Any = None, *, device: Any = None, out_sharding: Any = None) -> Any:
    """Zeros.

    Parameters
    ----------
    shape : int or sequence of int
        The extents.
    dtype : dtype, optional
        float32 by default.
    device, out_sharding : optional
        The CPU, where arrays are.

    Examples
    --------
    >>> zeros(2)
    Array([0., 0.], dtype=float32)
    """
    placed("zeros", device=device, out_sharding=out_sharding)
    return full_(shape_of(shape), 0, _dtype(dtype, "f"))


def ones(shape: Any, dtype: Any = None, *, device: Any = None, out_sharding: Any = None) -> Any:
    """Ones.

    Parameters
    ----------
    shape : int or sequence of int
        The extents.
    dtype : dtype, optional
        float32 by default.
    device, out_sharding : optional
        The CPU, where arrays are.

    Examples
    --------
    >>> ones(2)
    Array([1., 1.], dtype=float32)
    """
    placed("ones", device=device, out_sharding=out_sharding)
    return full_(shape_of(shape), 1, _dtype(dtype, "f"))


empty = zeros


@structural("fill_value")
def full(
    shape: Any, fill_value: Any, dtype: Any = None, *, device: Any = None, out_sharding: Any = None
) -> Any:
    """An array of one value.

    Parameters
    ----------
    shape : int or sequence of int
        The extents.
    fill_value : array-like
        Broadcast to the shape.
    dtype : dtype, optional
        The value's by default.
    device, out_sharding : optional
        The CPU, where arrays are.

    Examples
    --------
    >>> full(2, 7)
    Array([7, 7], dtype=int32, weak_type=True)
    """
    placed("full", device=device, out_sharding=out_sharding)
    value = asarray(fill_value, dtype)
    return broadcast_to(value, shape_of(shape))


@structural("a")
def zeros_like(
    a: Any, dtype: Any = None, shape: Any = None, *, device: Any = None, out_sharding: Any = None
) -> Any:
    """Zeros in the shape and dtype of an array.

    Parameters
    ----------
    a : array-like
        The model.
    dtype, shape : optional
        In place of the model's.
    device, out_sharding : optional
        The CPU, where arrays are.
    """
    placed("zeros_like", device=device, out_sharding=out_sharding)
    return _filled_like(a, 0, dtype, shape)


@structural("a")
def ones_like(
    a: Any, dtype: Any = None, shape: Any = None, *, device: Any = None, out_sharding: Any = None
) -> Any:
    """Ones in the shape and dtype of an array.

    Parameters
    ----------
    a : array-like
        The model.
    dtype, shape : optional
        In place of the model's.
    device, out_sharding : optional
        The CPU, where arrays are.
    """
    placed("ones_like", device=device, out_sharding=out_sharding)
    return _filled_like(a, 1, dtype, shape)


empty_like = zeros_like


@structural("a", "fill_value")
def full_like(
    a: Any,
    fill_value: Any,
    dtype: Any = None,
    shape: Any = None,
    *,
    device: Any = None,
    out_sharding: Any = None,
) -> Any:
    """An array of one value in the shape and dtype of an array.

    Parameters
    ----------
    a : array-like
        The model.
    fill_value : array-like
        Broadcast to the shape.
    dtype, shape : optional
        In place of the model's.
    device, out_sharding : optional
        The CPU, where arrays are.
    """
    placed("full_like", device=device, out_sharding=out_sharding)
    (model,) = as_arrays("full_like", a)
    wanted = model.dtype if dtype is None else dtypes.check_user_dtype(dtype)
    value = asarray(fill_value, wanted)  # at once: a number would lose digits by way of float32
    weak = model.weak_type and dtype is None
    size = model.shape if shape is None else shape_of(shape)
    return broadcast_to(cast(value, wanted, weak), size)


def _filled_like(a: Any, value: Any, dtype: Any, shape: Any) -> Any:
    model = a if hasattr(a, "shape") and hasattr(a, "dtype") else as_arrays("zeros_like", a)[0]
    wanted = np.dtype(model.dtype) if dtype is None else dtypes.check_user_dtype(dtype)
    result = full_(tuple(model.shape) if shape is None else shape_of(shape), value, wanted)
    weak = dtype is None and getattr(model, "weak_type", False)
    return cast(result, wanted, weak)


def arange(
    start: Any,
    stop: Any = None,
    step: Any = None,
    dtype: Any = None,
    *,
    device: Any = None,
    out_sharding: Any = None,
) -> Any:
    """Numbers from start to stop (exclusive) in equal steps.

    Parameters
    ----------
    start, stop, step : number
        The range; with one argument, from 0 to it.
    dtype : dtype, optional
        int32 for integers, float32 for floats by default.
    device, out_sharding : optional
        The CPU, where arrays are.

    Examples
    --------
    >>> arange(3)
    Array([0, 1, 2], dtype=int32)
    """
    placed("arange", device=device, out_sharding=out_sharding)
    if stop is None:
        start, stop = 0, start
    step = 1 if step is None else step
    bounds = []
    for x in (start, stop, step):
        if isinstance(x, Tracer) and x.concrete() is None:
            raise ConcretizationTypeError(
                f"arange: the bounds decide the shape, but one of them is a traced {x.aval!r}. "
                "Mark the argument with static_argnums, or use lax.iota with a fixed size."
            )
        bounds.append(x if isinstance(x, (int, float, complex)) else np.asarray(x)[()])
    if dtype is None:
        types = [
            (dtypes.scalar_dtype(b), True)
            if isinstance(b, (int, float, complex)) and not isinstance(b, np.generic)
            else (b.dtype, False)
            for b in bounds
        ]
        wanted = dtypes.canonicalize_dtype(dtypes.join(*types)[0])
    else:
        wanted = dtypes.check_user_dtype(dtype)
    start, stop, step = bounds
    if start == 0 and step == 1 and wanted.kind in "iuf":
        return iota(wanted, max(int(np.ceil(stop)), 0))
    return adopt(np.arange(start, stop, step).astype(wanted))


def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
    *,
    device: Any = None,
) -> Any:
    """Numbers at equal distances between two ends.

    Parameters
    ----------
    start, stop : array-like
        The ends.
    num : int
        How many.
    endpoint : bool
        Whether `stop` is the last one.
    retstep : bool
        Also give the distance.
    dtype : dtype, optional
        float32 by default.
    axis : int
        Where the new axis stands.
    device : optional
        The CPU, where arrays are.

    Examples
    --------
    >>> linspace(0, 1, 3)
    Array([0. , 0.5, 1. ], dtype=float32)
    """
    placed("linspace", device=device)
    if num < 0:
        raise ArgumentValueError(f"linspace: num must not be negative, got {num}.")
    if dtype is not None:
        start, stop = (_end(x, dtypes.check_user_dtype(dtype)) for x in (start, stop))
    a, b = promote_inexact("linspace", start, stop)
    wanted = dtypes.to_inexact_dtype(a.dtype) if dtype is None else dtypes.check_user_dtype(dtype)
    count = num - 1 if endpoint else num
    gap = ufuncs.subtract(b, a)
    t = iota(a.dtype, num)
    t = div(t, full_((num,), max(count, 1), a.dtype))
    shape = (num,) + (1,) * max(a.ndim, b.ndim)
    t = t.reshape(shape)
    # a (1 - t) + b t is exact at both ends
    result = ufuncs.add(ufuncs.multiply(a, ufuncs.subtract(1, t)), ufuncs.multiply(b, t))
    result = cast(manipulation.moveaxis(result, 0, axis), wanted)
    if retstep:
        step = ufuncs.divide(gap, count) if count > 0 else full((), np.nan, gap.dtype)
        return result, cast(step, step.dtype)
    return result


def _end(x: Any, dtype: np.dtype[Any]) -> Any:
    """A Python number in the dtype that is wanted: it would lose digits by way of float32."""
    exact = type(x) in (int, float) and dtype.kind in "fc"
    return asarray(x, dtype) if exact else x


def eye(
    N: int,
    M: int | None = None,
    k: int = 0,
    dtype: Any = None,
    *,
    device: Any = None,
    out_sharding: Any = None,
) -> Any:
    """Ones on a diagonal, zeros elsewhere.

    Parameters
    ----------
    N, M : int
        Rows and columns; square by default.
    k : int
        Which diagonal; positive ones are above the main one.
    dtype : dtype, optional
        float32 by default.
    device, out_sharding : optional
        The CPU, where arrays are.

    Examples
    --------
    >>> eye(2)
    Array([[1., 0.],
           [0., 1.]], dtype=float32)
    """
    placed("eye", device=device, out_sharding=out_sharding)
    columns = N if M is None else M
    return cast(_diagonal_test(N, columns, k, comparison.eq), _dtype(dtype, "f"))


def identity(n: int, dtype: Any = None) -> Any:
    """The square matrix with ones on its diagonal.

    Parameters
    ----------
    n : int
        Rows and columns.
    dtype : dtype, optional
        float32 by default.
    """
    return eye(n, dtype=dtype)


def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    """Ones at and below a diagonal, zeros above.

    Parameters
    ----------
    N, M : int
        Rows and columns; square by default.
    k : int
        Which diagonal.
    dtype : dtype, optional
        float32 by default.
    """
    return cast(_diagonal_test(N, N if M is None else M, k, comparison.ge), _dtype(dtype, "f"))


def _diagonal_test(rows: int, columns: int, k: int, test: Callable[[Any, Any], Any]) -> Any:
    i = broadcast_in_dim(iota(np.int32, rows), (rows, columns), (0,))
    j = broadcast_in_dim(iota(np.int32, columns), (rows, columns), (1,))
    shifted = add(i, full_((rows, columns), k, np.int32))
    return test(shifted, j)


def astype(x: Any, dtype: Any, /, *, copy: bool = False, device: Any = None) -> Any:
    """The array in another dtype.

    Parameters
    ----------
    x : array-like
        The operand.
    dtype : dtype
        The new one; None is float32.
    copy : bool
        Whether the result has memory of its own in any case.
    device : Device, optional
        The CPU.
    """
    checked_device("astype", device)
    (value,) = as_arrays("astype", x)
    wanted = _dtype(dtype, "f")
    if value.dtype.kind == "c" and wanted.kind != "c":
        value = real(value) if wanted.kind != "b" else value
    result = cast(value, wanted)
    return _own(result, x) if copy else result


@structural("a")
def copy(a: Any, order: Any = None) -> Any:
    """The array in memory of its own, so that it stays when the other one is donated.

    Parameters
    ----------
    a : array-like
        The operand.
    order : {"C", "K", "A"}, optional
        Arrays are in C order; "F" is refused.
    """
    _check_order("copy", order)
    return array(a)
