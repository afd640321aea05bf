"""From what a user passes to what primitives take: arrays and tracers.

Python scalars become weakly typed 0-d arrays; NumPy arrays are copied, because their owner may
write to them; objects with ``__jax_array__`` are asked.  Everything else is refused, with the
argument's path in the message.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fnx.core.array import Array, adopt, as_array
from fnx.core.extended import ExtendedArray
from fnx.core.tracing import Tracer
from fnx.dtypes import canonicalize_dtype, scalar_dtype
from fnx.errors import ArgumentTypeError

__all__ = ["as_value", "is_arraylike"]

_SCALARS: tuple[Any, ...] = (bool, int, float, complex)


def is_arraylike(x: Any) -> bool:
    """Whether `as_value` accepts `x`."""
    return isinstance(x, (Array, Tracer, np.ndarray, np.generic, *_SCALARS)) or hasattr(
        x, "__jax_array__"
    )


def as_value(x: Any, operation: str = "", argument: str = "") -> Any:
    """An array or a tracer from what a user passes.

    Parameters
    ----------
    x : Array, Tracer, ndarray, NumPy scalar, bool, int, float or complex
        The value.
    operation, argument : str
        For the error.

    Raises
    ------
    TypeError
        `x` is none of these.
    """
    kind = type(x)
    if kind is Array or isinstance(x, Tracer):
        return x
    if kind in _SCALARS:
        return adopt(np.asarray(x, scalar_dtype(x)), kind is not bool)
    if isinstance(x, (np.ndarray, np.generic)):
        data = np.asarray(x)
        if data.dtype.kind not in "biufcV":
            raise ArgumentTypeError(
                f"{operation or 'conversion'}: {argument or 'the value'} has dtype {data.dtype}, "
                "which is not a numeric dtype. Convert it to numbers first."
            )
        dtype = canonicalize_dtype(data.dtype)
        if dtype != data.dtype:
            return adopt(data.astype(dtype))
        return as_array(data)
    convert = getattr(x, "__jax_array__", None)
    if convert is not None:
        return as_value(convert(), operation, argument)
    for base in _SCALARS:
        if isinstance(x, base):  # an IntEnum, say
            return as_value(base(x))
    if isinstance(x, ExtendedArray):
        x.refuse(operation or "conversion")
    raise ArgumentTypeError(
        f"{operation or 'conversion'}: {argument or 'the value'} is {type(x).__name__}, "
        "not an array or a number. Pass arrays, numbers, or pytrees of them."
    )
