"""What dtype operands give together: PyTorch's rules, and operands made to fit.

Categories come first (bool < integer < floating < complex); within the highest category tensors
with axes decide, then 0-d tensors, then Python numbers. A number becomes a 0-d tensor of the
result's dtype; casts of tensors happen inside the operation (its parameter `dtype`), so that
gradients come back in the dtype of the operand.
Read next: `elementary`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fnx_nn.ambient import ambient
from fnx_nn.dtypes import dtype, dtype_of, promoted
from fnx_nn.tensor.tensor import Tensor, wrap

__all__ = [
    "as_operands",
    "number",
    "numbers_dtype",
    "promoting",
    "result_dtype",
    "result_type",
    "scalar_tensor_like",
]

DType = np.dtype[Any]
NUMBERS = (bool, int, float, complex, np.generic)
_NONE: dict[str, Any] = {}


def promoting(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of arrays that casts them to the dtype in its parameter `dtype`, if given.

    Parameters
    ----------
    function : callable
        Of arrays of one dtype.
    """

    def operation(*arrays: Any, dtype: DType | None = None, **params: Any) -> Any:
        if dtype is not None:
            arrays = tuple([a.astype(dtype) for a in arrays])
        return function(*arrays, **params)

    operation.__name__ = getattr(function, "__name__", "operation")
    return operation


def as_operands(*values: Any, name: str) -> tuple[tuple[Tensor, ...], dict[str, Any]]:
    """Tensors and numbers as tensors, with the parameters that make their dtypes equal.

    Parameters
    ----------
    *values : Tensor or number
        At least one tensor.
    name : str
        The operation, for errors.

    Returns
    -------
    operands : tuple of Tensor
    params : dict
        Empty where the dtypes are equal.
    """
    if len(values) == 2:  # the common case, without a loop
        x, y = values
        if isinstance(x, Tensor) and isinstance(y, Tensor):
            if x._data.dtype == y._data.dtype:
                return values, _NONE
            return values, {"dtype": _of_two(x._data, y._data)}
    target = result_dtype(*values, name=name)
    differ = False
    operands = []
    for value in values:
        if isinstance(value, Tensor):
            differ = differ or value._data.dtype != target
            operands.append(value)
        else:
            operands.append(number(value, target))
    return tuple(operands), {"dtype": target} if differ else _NONE


def number(value: Any, target: DType) -> Tensor:
    """A Python number as a 0-d tensor.

    Parameters
    ----------
    value : number
        Also a NumPy scalar.
    target : numpy.dtype
        Its dtype; integers wrap.
    """
    try:
        return wrap(np.array(value, target))
    except OverflowError:
        if target.kind == "b" or not -(2**63) <= int(value) < 2**64:
            raise RuntimeError(
                f"value cannot be converted to type {dtype_of(target).name} without overflow"
            ) from None
        return wrap(np.array(int(value) % 2**64, np.uint64).astype(target))
    except TypeError:
        raise RuntimeError(
            f"value cannot be converted to type {dtype_of(target).name} without overflow"
        ) from None


def scalar_tensor_like(value: Any, x: Tensor, name: str) -> tuple[Tensor, dict[str, Any]]:
    """A number beside a tensor, and the parameters that make the dtypes equal.

    Parameters
    ----------
    value : number
        The number.
    x : Tensor
        The tensor.
    name : str
        The operation, for errors.
    """
    (_, scalar), params = as_operands(x, value, name=name)
    return scalar, params


def result_dtype(*values: Any, name: str = "result_type") -> DType:
    """The NumPy dtype that tensors and numbers give together.

    Parameters
    ----------
    *values : Tensor or number
        At least one.
    name : str
        The operation, for errors.
    """
    levels: list[DType | None] = [None, None, None]  # with axes, 0-d, numbers
    for k, value in enumerate(values):
        if isinstance(value, Tensor):
            level, found = (0 if value._data.ndim else 1), value._data.dtype
        else:
            level, found = 2, numbers_dtype(value, name, k)
        before = levels[level]
        levels[level] = found if before is None else promoted(before, found)
    result = None
    for found_ in levels:
        result = _combine(result, found_)
    assert result is not None
    return result


def numbers_dtype(value: Any, name: str = "", position: int = 0) -> DType:
    """The dtype of a Python number by itself: bool, int64, the default dtype, its complex type.

    Parameters
    ----------
    value : number
        Also a NumPy scalar.
    name, position : str, int
        For errors.
    """
    kind = type(value)
    if kind is float:
        return ambient().default_dtype
    if kind is int:
        return _INT64
    if kind is bool:
        return _BOOL
    if kind is complex:
        return dtype_of(ambient().default_dtype).to_complex().numpy
    if isinstance(value, np.generic):
        return numbers_dtype(value.item(), name, position)
    if isinstance(value, (bool, int, float, complex)):
        return numbers_dtype(_plain(value), name, position)
    raise TypeError(
        f"{name}(): argument (position {position + 1}) must be Tensor or Number, not "
        f"{kind.__name__}"
    )


def result_type(tensor1: Any, tensor2: Any) -> dtype:
    """The dtype of an arithmetic operation on two operands.

    Parameters
    ----------
    tensor1, tensor2 : Tensor or number
        The operands.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> torch.result_type(torch.tensor([1, 2]), 1.0)
    torch.float32
    """
    return dtype_of(result_dtype(tensor1, tensor2))


_INT64 = np.dtype(np.int64)
_BOOL = np.dtype(np.bool_)
_cache: dict[Any, DType] = {}


def _of_two(x: Any, y: Any) -> DType:
    key = (x.dtype, x.ndim == 0, y.dtype, y.ndim == 0)
    found = _cache.get(key)
    if found is None:
        if key[1] == key[3]:
            found = promoted(x.dtype, y.dtype)
        else:
            found = _combine(x.dtype, y.dtype) if key[3] else _combine(y.dtype, x.dtype)
            assert found is not None
        _cache[key] = found
    return found


def _combine(higher: DType | None, lower: DType | None) -> DType | None:
    """A level that decides, and one that does only by a higher category."""
    if higher is None or lower is None:
        return lower if higher is None else higher
    a, b = dtype_of(higher), dtype_of(lower)
    if a.category >= b.category:
        return higher
    if a.category == 2:  # floating beside complex: the width is the floating one's
        return a.to_complex().numpy
    return promoted(higher, lower)


def _plain(value: Any) -> Any:
    if isinstance(value, int):
        return int(value)
    return float(value) if isinstance(value, float) else complex(value)
