"""Making tensors: from data, of one number; like another tensor, and `new_*`.

Data is copied by `tensor`, shared by `from_numpy`, and shared where possible by `as_tensor`.
Read next: `ranges`, `random`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fnx_nn.ambient import ambient
from fnx_nn.devices import check_device
from fnx_nn.dtypes import dtype as Dtype
from fnx_nn.dtypes import dtype_of
from fnx_nn.tensor.promotion import NUMBERS, numbers_dtype, result_dtype
from fnx_nn.tensor.shapes import shape_arguments
from fnx_nn.tensor.table import METHODS, method, write_out
from fnx_nn.tensor.tensor import Tensor, wrap

__all__ = ["chosen_dtype", "finished"]

_INT64 = np.dtype(np.int64)


def finished(
    data: Any, requires_grad: bool, device: Any = None, out: Tensor | None = None, name: str = ""
) -> Tensor:
    """A new tensor with the options that all constructors take.

    Parameters
    ----------
    data : ndarray
        The buffer; given away.
    requires_grad : bool
        Whether operations on it are recorded.
    device : device or str, optional
        Where it is.
    out : Tensor, optional
        Write it there instead.
    name : str
        The constructor, for errors.
    """
    made = wrap(data)
    if device is not None:
        made._device = check_device(device)
    if out is not None:
        return write_out(out, made, name)
    if ambient().inference:
        made._inference = True
    if requires_grad and dtype_of(made._data.dtype).category < 2:
        raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
    return made.requires_grad_() if requires_grad else made


def chosen_dtype(dtype: Dtype | None) -> np.dtype[Any]:
    """The NumPy dtype that a constructor was asked for; the default dtype if for none."""
    return ambient().default_dtype if dtype is None else dtype.numpy


# ---------------------------------------------------------------------------------------- from data


@method(as_method=False)
def tensor(
    data: Any,
    *,
    dtype: Dtype | None = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """A tensor with a copy of data.

    Parameters
    ----------
    data : number, nested sequence, ndarray or Tensor
        The data.
    dtype : dtype, optional
        That of the data if left out; Python floats have the default dtype.
    device : device or str, optional
        Where it is.
    requires_grad : bool
        Whether operations on it are recorded.
    pin_memory : bool
        Accepted.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> torch.tensor([[1, 2], [3, 4]])
    tensor([[1, 2],
            [3, 4]])
    """
    array = _array_from(data, None if dtype is None else dtype.numpy)
    return finished(array, requires_grad, device)


def _array_from(data: Any, dtype: np.dtype[Any] | None) -> Any:
    if isinstance(data, Tensor):
        return np.array(data._data, dtype, order="C")
    if isinstance(data, np.ndarray):
        if dtype is None:
            dtype_of(data.dtype)
        return _cast(data, dtype)
    if isinstance(data, np.generic):
        return np.array(data, dtype)
    if isinstance(data, NUMBERS):
        return _number(data, numbers_dtype(data) if dtype is None else dtype)
    if isinstance(data, str) or not hasattr(data, "__len__"):
        if hasattr(data, "__array__") and not isinstance(data, str):
            return _cast(np.asarray(data), dtype)
        raise TypeError(f"new(): invalid data type '{type(data).__name__}'")
    if hasattr(data, "__array__"):
        return _cast(np.asarray(data), dtype)
    shape = _shape_of(data)
    leaves: list[Any] = []
    _collect(data, shape, 0, leaves)
    if not leaves:
        return np.zeros(shape, chosen_dtype(None) if dtype is None else dtype)
    target = _joint_dtype(leaves) if dtype is None else dtype
    flat = [v._data.item() if isinstance(v, Tensor) else v for v in leaves]
    if target.kind in "biu" and any([isinstance(v, float) for v in flat]):
        return np.array(flat, np.float64).astype(target).reshape(shape)
    try:
        return np.array(flat, target).reshape(shape)
    except OverflowError:
        if target.kind in "iu" and target.itemsize < 8:
            raise RuntimeError(
                f"value cannot be converted to type {target.name} without overflow"
            ) from None
        raise RuntimeError("Overflow when unpacking long long") from None


def _number(value: Any, dtype: np.dtype[Any]) -> Any:
    if dtype.kind in "iu" and isinstance(value, float):
        return _cast(np.array(value), dtype)  # toward zero
    try:
        return np.array(value, dtype)
    except OverflowError:
        raise RuntimeError(
            f"value cannot be converted to type {dtype.name} without overflow"
        ) from None


def _cast(data: Any, dtype: np.dtype[Any] | None) -> Any:
    with np.errstate(invalid="ignore", over="ignore"):
        return np.array(data, dtype, order="C")


def _shape_of(data: Any) -> tuple[int, ...]:
    shape: list[int] = []
    while not isinstance(data, (Tensor, *NUMBERS)):
        if isinstance(data, str) or not hasattr(data, "__len__"):
            raise TypeError(f"new(): invalid data type '{type(data).__name__}'")
        if isinstance(data, np.ndarray):
            return (*shape, *data.shape)
        shape.append(len(data))
        if not shape[-1]:
            break
        data = data[0]
    if isinstance(data, Tensor):
        shape.extend(data._data.shape)
    return tuple(shape)


def _collect(data: Any, shape: tuple[int, ...], level: int, leaves: list[Any]) -> None:
    if level == len(shape):
        if not isinstance(data, (Tensor, *NUMBERS)):
            if isinstance(data, (list, tuple)):
                raise TypeError("not a sequence of numbers")
            raise TypeError(f"new(): invalid data type '{type(data).__name__}'")
        leaves.append(data)
        return
    if isinstance(data, Tensor):
        data = data._data
    if isinstance(data, np.ndarray):
        if data.shape != shape[level:]:
            raise ValueError(
                f"expected sequence of length {shape[level]} at dim {level} (got {len(data)})"
            )
        leaves.extend(np.ravel(data)[k] for k in range(data.size))
        return
    if isinstance(data, (str, *NUMBERS)) or not hasattr(data, "__len__"):
        raise TypeError(
            f"expected a sequence at dim {level}, got {type(data).__name__}: the data is ragged"
        )
    if len(data) != shape[level]:
        raise ValueError(
            f"expected sequence of length {shape[level]} at dim {level} (got {len(data)})"
        )
    for item in data:
        _collect(item, shape, level + 1, leaves)


def _joint_dtype(leaves: list[Any]) -> np.dtype[Any]:
    kinds: dict[Any, Any] = {}
    for v in leaves:
        key = (
            v._data.dtype
            if isinstance(v, Tensor)
            else v.dtype
            if isinstance(v, np.generic)
            else type(v)
        )
        kinds.setdefault(key, v)
    given = []
    for v in kinds.values():
        if isinstance(v, np.generic):
            v = wrap(np.array(v))
        given.append(wrap(v._data.reshape(-1)[:1]) if isinstance(v, Tensor) else v)
    return result_dtype(*given)


@method(as_method=False)
def from_numpy(ndarray: Any) -> Tensor:
    """A tensor that shares memory with a NumPy array.

    Parameters
    ----------
    ndarray : ndarray
        Writes to either are seen in both.

    Examples
    --------
    >>> import numpy as np, fnx_nn as torch
    >>> a = np.zeros(2)
    >>> torch.from_numpy(a).add_(1)
    tensor([1., 1.], dtype=torch.float64)
    >>> a
    array([1., 1.])
    """
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(ndarray).__name__})")
    dtype_of(ndarray.dtype)
    if any(s < 0 for s in ndarray.strides):
        raise ValueError(
            "At least one stride in the given numpy array is negative, and tensors with negative "
            "strides are not currently supported. (You can probably work around this by making a "
            "copy of your array  with array.copy().)"
        )
    return wrap(ndarray if type(ndarray) is np.ndarray else np.asarray(ndarray))


@method("asarray", as_method=False)
def as_tensor(data: Any, dtype: Dtype | None = None, device: Any = None) -> Tensor:
    """A tensor of data, sharing memory where dtype and kind of the data allow.

    Parameters
    ----------
    data : number, nested sequence, ndarray or Tensor
        The data.
    dtype : dtype, optional
        That of the data if left out.
    device : device or str, optional
        Where it is.
    """
    if isinstance(data, Tensor):
        return data.to(dtype=dtype, device=device)
    if isinstance(data, np.ndarray) and (dtype is None or dtype.numpy == data.dtype):
        return from_numpy(data)
    return tensor(data, dtype=dtype, device=device)


@method(as_method=False)
def frombuffer(
    buffer: Any, *, dtype: Dtype, count: int = -1, offset: int = 0, requires_grad: bool = False
) -> Tensor:
    """A vector that shares memory with an object of Python's buffer protocol.

    Parameters
    ----------
    buffer : bytes-like
        The memory.
    dtype : dtype
        Of the elements.
    count : int
        How many; -1 for all.
    offset : int
        Bytes before the first.
    requires_grad : bool
        Whether operations on it are recorded.
    """
    return finished(np.frombuffer(buffer, dtype.numpy, count, offset), requires_grad)


@method(as_method=False)
def from_dlpack(ext_tensor: Any) -> Tensor:
    """A tensor that shares memory with an object of another library, by DLPack.

    Parameters
    ----------
    ext_tensor : object
        With ``__dlpack__``.
    """
    return wrap(np.from_dlpack(ext_tensor))


# ------------------------------------------------------------------------------------ of one number


def _constant(name: str, make: Callable[..., Any], summary: str) -> Callable[..., Tensor]:
    def function(
        *size: Any,
        out: Tensor | None = None,
        dtype: Dtype | None = None,
        layout: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        pin_memory: bool = False,
        memory_format: Any = None,
    ) -> Tensor:
        if out is not None and dtype is None:
            dtype = out.dtype
        return finished(
            make(shape_arguments(size), chosen_dtype(dtype)), requires_grad, device, out, name
        )

    function.__name__ = name
    function.__doc__ = (
        f"{summary}\n\nParameters\n----------\n*size : int or sequence of int\n    The extents.\n"
        "out : Tensor, optional\n    Where to write the result.\ndtype : dtype, optional\n"
        "    The default dtype if left out.\ndevice : device or str, optional\n    Where it is.\n"
        "requires_grad : bool\n    Whether operations on it are recorded.\n"
        "layout, pin_memory, memory_format : optional\n    Accepted."
    )
    method(as_method=False)(function)
    return function


_constant("zeros", np.zeros, "A tensor of zeros.")
_constant("ones", np.ones, "A tensor of ones.")
_constant("empty", np.zeros, "A tensor whose contents do not matter (they are zeros).")


@method(as_method=False)
def full(
    size: Any,
    fill_value: Any,
    *,
    out: Tensor | None = None,
    dtype: Dtype | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of one number.

    Parameters
    ----------
    size : sequence of int
        The extents.
    fill_value : number
        The number.
    out : Tensor, optional
        Where to write the result.
    dtype : dtype, optional
        That of the number if left out.
    device : device or str, optional
        Where it is.
    requires_grad : bool
        Whether operations on it are recorded.
    """
    value = fill_value.item() if isinstance(fill_value, Tensor) else fill_value
    kind = numbers_dtype(value) if dtype is None else dtype.numpy
    shape = (size,) if isinstance(size, int) else tuple(size)
    return finished(np.full(shape, value, kind), requires_grad, device, out, "full")


def _like(name: str, make: Callable[..., Any], summary: str, fills: bool) -> None:
    def function(
        input: Tensor,
        *fill_value: Any,
        dtype: Dtype | None = None,
        layout: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        pin_memory: bool = False,
        memory_format: Any = None,
    ) -> Tensor:
        kind = input._data.dtype if dtype is None else dtype.numpy
        values = [v.item() if isinstance(v, Tensor) else v for v in fill_value]
        return finished(make(input._data.shape, *values, kind), requires_grad, device)

    function.__name__ = name
    filler = "*fill_value : number\n    The number.\n" if fills else "*fill_value\n    None.\n"
    function.__doc__ = (
        f"{summary}\n\nParameters\n----------\ninput : Tensor\n    Its shape and dtype are "
        f"taken.\n{filler}dtype : dtype, optional\n    Another dtype.\ndevice : device or str, "
        "optional\n    Where it is.\nrequires_grad : bool\n    Whether operations on it are "
        "recorded.\nlayout, pin_memory, memory_format : optional\n    Accepted."
    )
    method(as_method=False)(function)


_like("zeros_like", np.zeros, "Zeros in the shape of a tensor.", False)
_like("ones_like", np.ones, "Ones in the shape of a tensor.", False)
_like(
    "empty_like", np.zeros, "A tensor in the shape of another; the contents do not matter.", False
)
_like("full_like", np.full, "One number in the shape of a tensor.", True)


def _new(name: str, make: Callable[..., Any]) -> None:
    def function(
        self: Tensor,
        *args: Any,
        dtype: Dtype | None = None,
        device: Any = None,
        requires_grad: bool = False,
        **accepted: Any,
    ) -> Tensor:
        kind = self._data.dtype if dtype is None else dtype.numpy
        return finished(make(args, kind), requires_grad, device)

    function.__name__ = f"new_{name}"
    function.__doc__ = f"A tensor as by `{name}`, with the dtype of this one."
    METHODS[function.__name__] = function


_new("zeros", lambda args, kind: np.zeros(shape_arguments(args), kind))
_new("ones", lambda args, kind: np.ones(shape_arguments(args), kind))
_new("empty", lambda args, kind: np.zeros(shape_arguments(args), kind))
_new("full", lambda args, kind: np.full(shape_arguments(args[:1]), args[1], kind))
_new("tensor", lambda args, kind: _array_from(args[0], kind))
