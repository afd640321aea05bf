"""The one place where pictures become tensors and tensors become ndarrays.

In: ndarrays or tensors. Out: the other. Everything else in `vision` that is no model works on PIL
images and ndarrays, or by the methods that a tensor has.

Read next: `transforms.functional`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

import fnx_nn

__all__ = ["array_of", "as_default_float", "is_tensor", "numpy_dtype", "tensor_of"]

_facade: Any = fnx_nn  # its names are looked up at the call, when the package is complete


def is_tensor(value: object) -> bool:
    """Return whether `value` is a tensor of the facade."""
    return isinstance(value, _facade.Tensor)


def tensor_of(array: NDArray[Any]) -> Any:
    """Return a tensor with its own contiguous copy of `array`."""
    return _facade.from_numpy(np.array(array, order="C", copy=True))


def array_of(tensor: Any, operation: str) -> NDArray[Any]:
    """Return a tensor's values, for an operation that works on arrays.

    Raises
    ------
    RuntimeError
        If the tensor is part of a differentiated computation, which would silently end here.
    """
    if tensor.requires_grad:
        raise RuntimeError(
            f"{operation}: this transform is not differentiable, and the picture requires a "
            "gradient; pass picture.detach()."
        )
    return np.asarray(tensor.numpy())


def as_default_float(tensor: Any) -> Any:
    """Return a tensor cast to the facade's default floating-point dtype."""
    return tensor.to(_facade.get_default_dtype())


def numpy_dtype(dtype: Any) -> np.dtype[Any]:
    """Return the NumPy dtype of the facade's `dtype`."""
    return np.dtype(_facade.empty(0, dtype=dtype).numpy().dtype)
