"""Arrays whose elements aren't numbers, such as keys: each element is some words along a last axis.

They can be placed (`fnx.transforms.structural`), but not computed with.  Read next: `conversion`.
"""

from __future__ import annotations

import math
from typing import Any

from fnx.errors import ArgumentTypeError

__all__ = ["ExtendedArray"]


class ExtendedArray:
    """An array of elements that are words; its axes are those of `data` but for the last.

    A subclass says in `remedy` how to come by numbers, and is made from `data` alone.

    Parameters
    ----------
    data : Array
        The words, along the last axis.
    """

    __slots__ = ("data",)
    #: For errors.
    remedy = ""
    #: NumPy leaves operators to this class, which refuses them.
    __array_ufunc__ = None

    def __init__(self, data: Any) -> None:
        self.data = data

    @property
    def shape(self) -> tuple[int, ...]:
        """The extents."""
        return tuple(self.data.shape[:-1])

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def itemsize(self) -> int:
        """Number of bytes of an element."""
        return int(self.data.shape[-1] * self.data.dtype.itemsize)

    @property
    def nbytes(self) -> int:
        """Number of bytes of all elements."""
        return self.size * self.itemsize

    def refuse(self, operation: str) -> Any:
        """Raise: the elements aren't numbers.

        Parameters
        ----------
        operation : str
            What wants numbers.

        Raises
        ------
        TypeError
            Always.
        """
        raise ArgumentTypeError(
            f"{operation}: the elements of {self!r} aren't numbers. {self.remedy}"
        )


def _refused(name: str, operation: str) -> Any:
    def method(self: ExtendedArray, *args: Any, **options: Any) -> Any:
        self.refuse(operation)

    method.__name__ = name
    method.__doc__ = "Refused: the elements aren't numbers."
    return method


_BINARY = "add sub mul truediv floordiv mod divmod pow matmul and or xor lshift rshift".split()
_OTHERS = "lt le gt ge neg pos abs invert bool".split()
_METHODS = {
    "__array__": "np.asarray",
    "item": "item",
    "tolist": "tolist",
    **{f"__{name}__": name for name in (*_BINARY, *_OTHERS)},
    **{f"__r{name}__": name for name in _BINARY},
}
for _name, _operation in _METHODS.items():
    setattr(ExtendedArray, _name, _refused(_name, _operation))
