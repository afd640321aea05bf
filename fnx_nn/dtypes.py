"""Element types as PyTorch names them, and which type results from mixing them.

A `dtype` is a value object around a NumPy dtype; buffers know only the latter (`dtype_of` leads
back). Promotion has categories: bool < integer < floating < complex. A 0-d tensor gives way to a
tensor with axes, and a Python number to both, unless it is of a higher category.
Read next: `fnx_nn.tensor.promotion`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import fnx.dtypes
from fnx_nn.ambient import ambient, set_ambient

__all__ = [
    "bfloat16",
    "bool_",
    "can_cast",
    "complex64",
    "complex128",
    "dtype",
    "dtype_of",
    "finfo",
    "float16",
    "float32",
    "float64",
    "get_default_dtype",
    "iinfo",
    "int8",
    "int16",
    "int32",
    "int64",
    "promote_types",
    "promoted",
    "set_default_dtype",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
]

_BY_NUMPY: dict[np.dtype[Any], dtype] = {}


class dtype:
    """An element type of tensors.

    Made once for each type when this module is imported: compare them with ``==`` or ``is``.

    Parameters
    ----------
    name : str
        As PyTorch has it.
    numpy : dtype
        Of the buffers.
    category : int
        0 bool, 1 integer, 2 floating, 3 complex.

    Examples
    --------
    >>> float32, float32.itemsize, float32.is_floating_point
    (torch.float32, 4, True)
    """

    __slots__ = ("category", "is_complex", "is_floating_point", "is_signed", "name", "numpy")

    def __init__(self, name: str, numpy: Any, category: int) -> None:
        self.name = name
        #: The NumPy dtype of the buffers.
        self.numpy: np.dtype[Any] = np.dtype(numpy)
        #: 0 bool, 1 integer, 2 floating, 3 complex.
        self.category = category
        self.is_floating_point = category == 2
        self.is_complex = category == 3
        self.is_signed = category >= 2 or name.startswith("int")
        _BY_NUMPY[self.numpy] = self

    @property
    def itemsize(self) -> int:
        """Bytes per element."""
        return self.numpy.itemsize

    def to_real(self) -> dtype:
        """The type of the parts of a complex type; other types themselves."""
        return _BY_NUMPY[np.dtype(f"f{self.itemsize // 2}")] if self.is_complex else self

    def to_complex(self) -> dtype:
        """The complex type whose parts have this type."""
        if self.is_complex:
            return self
        return complex128 if self is float64 else complex64

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> str:
        return "bool_" if self.name == "bool" else self.name

    def __copy__(self) -> dtype:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> dtype:
        return self


bool_ = dtype("bool", np.bool_, 0)
uint8 = dtype("uint8", np.uint8, 1)
int8 = dtype("int8", np.int8, 1)
int16 = dtype("int16", np.int16, 1)
int32 = dtype("int32", np.int32, 1)
int64 = dtype("int64", np.int64, 1)
uint16 = dtype("uint16", np.uint16, 1)
uint32 = dtype("uint32", np.uint32, 1)
uint64 = dtype("uint64", np.uint64, 1)
float16 = dtype("float16", np.float16, 2)
bfloat16 = dtype("bfloat16", fnx.dtypes.bfloat16, 2)
float32 = dtype("float32", np.float32, 2)
float64 = dtype("float64", np.float64, 2)
complex64 = dtype("complex64", np.complex64, 3)
complex128 = dtype("complex128", np.complex128, 3)


def dtype_of(numpy: np.dtype[Any]) -> dtype:
    """The element type of a buffer.

    Parameters
    ----------
    numpy : numpy.dtype
        Of the buffer.

    Raises
    ------
    TypeError
        No tensor has such elements.
    """
    found = _BY_NUMPY.get(numpy)
    if found is None:
        found = _BY_NUMPY.get(numpy.newbyteorder("=")) if numpy.kind in "biufc" else None
        if found is None or not numpy.isnative:
            supported = ", ".join(d.name for d in _BY_NUMPY.values())
            raise TypeError(
                f"can't convert np.ndarray of type {numpy}. The only supported types are: "
                f"{supported}."
            )
    return found


def promoted(a: np.dtype[Any], b: np.dtype[Any]) -> np.dtype[Any]:
    """The NumPy dtype that two of tensors with axes give together.

    Parameters
    ----------
    a, b : numpy.dtype
        Of the operands.
    """
    if a == b:
        return a
    first, second = dtype_of(a), dtype_of(b)
    if first.category != second.category:
        low, high = sorted((first, second), key=lambda d: d.category)
        if low.category == 1 and high.category == 3 and low.name in _NARROW_UNSIGNED:
            raise _no_promotion(first, second)
        if high.category == 3 and low is float64:
            return complex128.numpy
        return high.numpy
    if {first.name, second.name} & _NARROW_UNSIGNED:
        raise _no_promotion(first, second)
    if {first, second} == {float16, bfloat16}:
        return float32.numpy
    if {first, second} == {uint8, int8}:
        return int16.numpy
    return a if first.itemsize > second.itemsize or second is uint8 else b


# Of these PyTorch has the storage, and promotion with floats only.
_NARROW_UNSIGNED = {"uint16", "uint32", "uint64"}


def _no_promotion(a: dtype, b: dtype) -> RuntimeError:
    return RuntimeError(
        f"Promotion for uint16, uint32, uint64 types is not supported, attempted to promote "
        f"{_NAMES.get(a.name, a.name)} and {_NAMES.get(b.name, b.name)}"
    )


def promote_types(type1: dtype, type2: dtype) -> dtype:
    """The smallest type that both types can be cast to safely.

    Parameters
    ----------
    type1, type2 : dtype
        The types.

    Examples
    --------
    >>> promote_types(int64, float32), promote_types(uint8, int8)
    (torch.float32, torch.int16)
    """
    return _BY_NUMPY[promoted(type1.numpy, type2.numpy)]


def can_cast(from_: dtype, to: dtype) -> bool:
    """Whether results of one type may be written to a tensor of another type.

    Parameters
    ----------
    from_ : dtype
        Of the result.
    to : dtype
        Of the tensor: not of a lower category (signed numbers don't become bool).

    Examples
    --------
    >>> can_cast(float64, float32), can_cast(float32, int64)
    (True, False)
    """
    return from_.category <= to.category


def get_default_dtype() -> dtype:
    """The floating type of numbers that bring none.

    Examples
    --------
    >>> get_default_dtype()
    torch.float32
    """
    return _BY_NUMPY[ambient().default_dtype]


def set_default_dtype(d: dtype, /) -> None:
    """Choose the floating type of numbers that bring none.

    Parameters
    ----------
    d : dtype
        A floating type.

    Examples
    --------
    >>> set_default_dtype(float32)
    """
    if not (isinstance(d, dtype) and d.is_floating_point):
        raise TypeError("only floating-point types are supported as the default type")
    set_ambient(default_dtype=d.numpy)


def finfo(type: dtype | None = None) -> Any:
    """Limits of a floating type: eps, min, max, tiny, smallest_normal, resolution, bits.

    Parameters
    ----------
    type : dtype, optional
        The default dtype if left out.

    Examples
    --------
    >>> finfo(float32).bits
    32
    """
    chosen = get_default_dtype() if type is None else type
    if not (chosen.is_floating_point or chosen.is_complex):
        raise TypeError(f"torch.finfo() requires a floating point input type. Use torch.iinfo to "
                        f"handle '{chosen!r}'")  # fmt: skip
    return fnx.dtypes.finfo(chosen.to_real().numpy)


def iinfo(type: dtype) -> Any:
    """Limits of an integer type: min, max, bits.

    Parameters
    ----------
    type : dtype
        An integer type.

    Examples
    --------
    >>> iinfo(int8).max
    127
    """
    if type.category != 1:
        raise TypeError(f"torch.iinfo() requires an integer input type. Use torch.finfo to handle "
                        f"'{type!r}'")  # fmt: skip
    return fnx.dtypes.iinfo(type.numpy)


#: How PyTorch's messages name the types.
_NAMES = {
    "bool": "Bool",
    "uint8": "Byte",
    "int8": "Char",
    "int16": "Short",
    "int32": "Int",
    "int64": "Long",
    "uint16": "UInt16",
    "uint32": "UInt32",
    "uint64": "UInt64",
    "float16": "Half",
    "bfloat16": "BFloat16",
    "float32": "Float",
    "float64": "Double",
    "complex64": "ComplexFloat",
    "complex128": "ComplexDouble",
}


def name_in_messages(numpy: np.dtype[Any]) -> str:
    """How error messages name an element type: ``Float``, ``Long``...

    Parameters
    ----------
    numpy : numpy.dtype
        Of a buffer.
    """
    return _NAMES[dtype_of(numpy).name]
