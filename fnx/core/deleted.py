"""`Deleted`: what an array holds after its memory was given back, or away by a donation.

Read next: `array`, `donation`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fnx.core.types import ShapedArray
from fnx.errors import DeletedArrayError, user_frame

__all__ = ["Deleted"]


class Deleted:
    """Stands in an array for memory that is gone: has its type, and raises when it is read.

    So nothing has to ask whether an array is there before it uses it.

    Parameters
    ----------
    data : ndarray
        What was there; it is let go.
    how : str
        How it went, for the error.
    """

    __slots__ = ("dtype", "how", "ndim", "shape", "size")

    def __init__(self, data: np.ndarray[Any, Any], how: str) -> None:
        self.shape, self.dtype = data.shape, data.dtype
        self.ndim, self.size = data.ndim, data.size
        self.how = f"{how} at {user_frame()}"

    def _gone(self, *_: Any, **__: Any) -> Any:
        raise DeletedArrayError(
            f"array {ShapedArray(self.shape, self.dtype)!r} was deleted, {self.how}. Use the "
            "result of that call instead; or keep the array: don't donate it, or donate a copy, "
            "jnp.array(x)."
        )

    __array__ = __array_function__ = __array_ufunc__ = __bool__ = __getattr__ = _gone
    __getitem__ = __index__ = __int__ = __iter__ = __len__ = __str__ = _gone
