"""`Array`: one read-only ndarray and the weakness of its dtype.

Out of an array the data go without a copy (`__array__`, buffer, DLPack); into one they are copied,
unless nobody can write to them any more.  Operators and methods are not here: `operators` installs
them, so that arrays and tracers share one table.  Read next: `primitive`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from fnx.core.deleted import Deleted
from fnx.core.device import CPU, Device, SingleDeviceSharding
from fnx.core.types import ShapedArray
from fnx.errors import (
    ArgumentTypeError,
    ArgumentValueError,
)

__all__ = ["Array", "Traced", "adopt", "as_array"]


class Traced:
    """What tracers derive from, so that ``isinstance(tracer, Array)`` holds, as users expect.

    Inside fnx ``type(x) is Array`` asks for a value.
    """

    __slots__ = ()


class _ArrayType(type):
    """The class of `Array`: what stands for an array while it is traced counts as one."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return type(instance) is cls or issubclass(type(instance), (cls, Traced))


class Array(metaclass=_ArrayType):
    """An immutable n-dimensional array.

    Arrays are made by functions (`fnx.numpy.asarray`, `fnx.numpy.zeros`, ...), not by this class.

    Parameters
    ----------
    data : ndarray
        Read-only, and nobody's to write to; it isn't copied.
    weak : bool
        Whether the dtype yields in promotion.

    See Also
    --------
    fnx.numpy.array : make one from data.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> jnp.arange(3) + 1
    Array([1, 2, 3], dtype=int32)
    """

    __slots__ = ("__weakref__", "_data", "_weak")
    _data: np.ndarray[Any, Any]
    _weak: bool
    __array_priority__ = 100
    __hash__ = None  # type: ignore[assignment]  # arrays compare element by element

    if TYPE_CHECKING:  # what `operators` installs

        def __getattr__(self, name: str) -> Any: ...
        def __getitem__(self, index: Any) -> Array: ...
        def __iter__(self) -> Iterator[Array]: ...
        def __len__(self) -> int: ...
        def __add__(self, other: Any) -> Array: ...
        def __radd__(self, other: Any) -> Array: ...
        def __sub__(self, other: Any) -> Array: ...
        def __rsub__(self, other: Any) -> Array: ...
        def __mul__(self, other: Any) -> Array: ...
        def __rmul__(self, other: Any) -> Array: ...
        def __truediv__(self, other: Any) -> Array: ...
        def __rtruediv__(self, other: Any) -> Array: ...
        def __floordiv__(self, other: Any) -> Array: ...
        def __rfloordiv__(self, other: Any) -> Array: ...
        def __mod__(self, other: Any) -> Array: ...
        def __rmod__(self, other: Any) -> Array: ...
        def __pow__(self, other: Any) -> Array: ...
        def __rpow__(self, other: Any) -> Array: ...
        def __matmul__(self, other: Any) -> Array: ...
        def __rmatmul__(self, other: Any) -> Array: ...
        def __and__(self, other: Any) -> Array: ...
        def __rand__(self, other: Any) -> Array: ...
        def __or__(self, other: Any) -> Array: ...
        def __ror__(self, other: Any) -> Array: ...
        def __xor__(self, other: Any) -> Array: ...
        def __rxor__(self, other: Any) -> Array: ...
        def __lshift__(self, other: Any) -> Array: ...
        def __rlshift__(self, other: Any) -> Array: ...
        def __rshift__(self, other: Any) -> Array: ...
        def __rrshift__(self, other: Any) -> Array: ...
        def __neg__(self) -> Array: ...
        def __pos__(self) -> Array: ...
        def __abs__(self) -> Array: ...
        def __invert__(self) -> Array: ...
        def __lt__(self, other: Any) -> Array: ...
        def __le__(self, other: Any) -> Array: ...
        def __gt__(self, other: Any) -> Array: ...
        def __ge__(self, other: Any) -> Array: ...

    def __init__(self, data: np.ndarray[Any, Any], weak: bool = False) -> None:
        self._data = data
        self._weak = weak

    @property
    def aval(self) -> ShapedArray:
        """The type."""
        data = self._data
        return ShapedArray(data.shape, data.dtype, self._weak)

    @property
    def shape(self) -> tuple[int, ...]:
        """The extents."""
        shape: tuple[int, ...] = self._data.shape
        return shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The element type."""
        dtype: np.dtype[Any] = self._data.dtype
        return dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self._data.ndim

    @property
    def size(self) -> int:
        """Number of elements."""
        return self._data.size

    @property
    def nbytes(self) -> int:
        """Bytes that the elements take."""
        return self._data.nbytes

    @property
    def itemsize(self) -> int:
        """Bytes per element."""
        return self._data.itemsize

    @property
    def weak_type(self) -> bool:
        """Whether the dtype yields in promotion."""
        return self._weak

    @property
    def device(self) -> Device:
        """Where it is: on the CPU."""
        return CPU

    @property
    def sharding(self) -> SingleDeviceSharding:
        """How it is divided over devices: it is whole, on the CPU."""
        return SingleDeviceSharding(CPU)

    def devices(self) -> set[Device]:
        """The devices that hold a part of it."""
        return {CPU}

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        data = self._data
        if dtype is not None and np.dtype(dtype) != data.dtype:
            if copy is False:
                raise ArgumentValueError(
                    f"asarray: {self.aval} can't become {np.dtype(dtype).name} without a copy, "
                    "and copy=False forbids one. Leave copy=None."
                )
            return data.astype(dtype)
        return data.copy() if copy else np.asarray(data)

    def __buffer__(self, flags: int) -> memoryview:
        return self._data.data

    def __dlpack__(
        self,
        *,
        stream: None = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        # NumPy refuses to export read-only memory to consumers which can't be told of it (before
        # DLPack 1.0).
        return self._data.__dlpack__(
            stream=stream, max_version=max_version, dl_device=dl_device, copy=copy
        )

    def __dlpack_device__(self) -> tuple[Any, Any]:
        return self._data.__dlpack_device__()

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (self._data.copy(), self._weak))

    def __copy__(self) -> Array:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Array:
        return self

    def __repr__(self) -> str:
        data = self._data
        if self.is_deleted():
            return f"Array(deleted, shape={data.shape}, dtype={data.dtype.name})"
        text = np.array2string(data, separator=", ", prefix="Array(", suffix=")", threshold=1000)
        weak = ", weak_type=True" if self._weak else ""
        # NumPy writes the shape of what is empty itself, from version 2.2 on.
        shape = f", shape={data.shape}" if data.size == 0 and "shape=" not in text else ""
        return f"Array({text}{shape}, dtype={data.dtype.name}{weak})"

    def __str__(self) -> str:
        return str(self._data)

    def __format__(self, spec: str) -> str:
        return format(self._data.item() if self._data.ndim == 0 else self._data, spec)

    def __bool__(self) -> bool:
        return bool(self._data)

    def __int__(self) -> int:
        return int(self._one("int()").item())

    def __float__(self) -> float:
        return float(self._one("float()").item())

    def __complex__(self) -> complex:
        return complex(self._one("complex()").item())

    def __index__(self) -> int:
        return self._data.__index__()

    def _one(self, doing: str) -> np.ndarray[Any, Any]:
        if self._data.ndim:
            raise ArgumentTypeError(
                f"{doing}: only a 0-d array can be converted, got {self.aval!r}. "
                "Take an element first, x[0], or x.item()."
            )
        return self._data

    def tolist(self) -> Any:
        """The elements as (nested lists of) Python scalars."""
        return self._data.tolist()

    def item(self, *index: int) -> Any:
        """One element as a Python scalar."""
        return self._data.item(*index)

    def block_until_ready(self) -> Array:
        """The array itself: results are ready when a call returns (programs for JAX ask for it)."""
        return self

    def delete(self) -> None:
        """Give the memory back now; from then on only shape and dtype can be asked for.

        Examples
        --------
        >>> import fnx.numpy as jnp
        >>> x = jnp.ones(3)
        >>> x.delete()
        >>> x.is_deleted(), x.shape
        (True, (3,))
        """
        if not self.is_deleted():
            self._data = Deleted(self._data, "with delete()")  # type: ignore[assignment]

    def is_deleted(self) -> bool:
        """Whether the memory was given back by `delete`, or away by a donation."""
        data: Any = self._data
        return type(data) is Deleted


def _rebuild(data: np.ndarray[Any, Any], weak: bool) -> Array:
    return adopt(data, weak)


def adopt(data: Any, weak: bool = False) -> Array:
    """Wrap a fresh result that nobody else can write to; no copy.

    Parameters
    ----------
    data : ndarray or numpy scalar
        The caller gives it away.
    weak : bool
        Whether the dtype is weak.
    """
    if type(data) is not np.ndarray:
        data = np.asarray(data)
    data.setflags(False)  # by position: four times as quick as the attribute of `flags`
    return Array(data, weak)


def as_array(data: np.ndarray[Any, Any], weak: bool = False) -> Array:
    """Wrap a user's ndarray: a copy, unless its final owner is itself read-only.

    Parameters
    ----------
    data : ndarray
        The user keeps it and may write to it.
    weak : bool
        Whether the dtype is weak.
    """
    if type(data) is not np.ndarray:
        data = np.asarray(data)
    owner: Any = data
    while isinstance(owner, np.ndarray) and owner.base is not None:
        owner = owner.base
    frozen = isinstance(owner, (np.ndarray, bytes)) and (
        isinstance(owner, bytes) or not owner.flags.writeable
    )
    if frozen and not data.flags.writeable:
        return Array(data, weak)
    return adopt(data.copy(), weak)
