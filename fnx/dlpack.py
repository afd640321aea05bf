"""Arrays from other libraries without a copy through NumPy (as `jax.dlpack`)."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

from fnx.core.array import Array, adopt, as_array
from fnx.core.device import checked_device
from fnx.errors import ArgumentTypeError, ArgumentValueError

__all__ = ["from_dlpack", "is_supported_dtype"]


def is_supported_dtype(dtype: Any) -> bool:
    """Whether arrays of a dtype can be handed over by DLPack.

    NumPy does it for us: booleans, integers, floats and complex numbers of its own, not those of
    ml_dtypes (``bfloat16``), which NumPy does not know.

    Parameters
    ----------
    dtype : dtype
        Any.

    Examples
    --------
    >>> is_supported_dtype("float32"), is_supported_dtype("bfloat16")
    (True, False)
    """
    known = {"bfloat16": ml_dtypes.bfloat16}.get(dtype, dtype) if isinstance(dtype, str) else dtype
    return np.dtype(known).kind in "biufc"


def from_dlpack(external_array: Any, device: Any = None, copy: bool | None = None) -> Array:
    """An array from one of another library.

    Parameters
    ----------
    external_array : object
        Has ``__dlpack__`` and ``__dlpack_device__`` (a NumPy array, a torch tensor, ...).
    device : Device, str or None
        The CPU.
    copy : bool, optional
        By default the memory is shared if nobody can write to it, else copied: arrays are
        immutable. False raises where a copy is needed.

    Returns
    -------
    Array

    Raises
    ------
    TypeError
        It has no ``__dlpack__``.
    ValueError
        A copy is needed and forbidden.

    Examples
    --------
    >>> import numpy as np
    >>> from_dlpack(np.arange(3, dtype=np.int32))
    Array([0, 1, 2], dtype=int32)
    """
    checked_device("from_dlpack", device)
    if not hasattr(external_array, "__dlpack__"):
        raise ArgumentTypeError(
            f"from_dlpack: {type(external_array).__name__} has no __dlpack__; a bare capsule "
            "doesn't tell its device. Pass the array itself."
        )
    data = np.from_dlpack(external_array)
    if copy:
        return adopt(data.copy())
    if type(external_array) is Array:
        return Array(external_array._data)
    if isinstance(external_array, np.ndarray):
        data = external_array  # which knows whether somebody may write to it
    array = as_array(data)
    if copy is False and not np.shares_memory(array._data, data) and data.size:
        raise ArgumentValueError(
            "from_dlpack: the owner may write to this memory, so it must be copied, and copy=False "
            "forbids it. Leave copy=None."
        )
    return array
