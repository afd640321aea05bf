"""The dtypes that arrays may have, in classes; their limits.

NumPy does not know the kinds of the types that ml_dtypes adds (bfloat16, floats of 8 bits and less,
integers of 4 bits and less): `kind_of` does. `issubdtype`, `isdtype`, `finfo`, `iinfo` are NumPy's
functions with that knowledge. Read next: `defaults`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeAlias

import ml_dtypes
import numpy as np

from fnx.errors import ArgumentValueError

__all__ = [
    "ExtendedDType",
    "bfloat16",
    "can_cast",
    "extended",
    "finfo",
    "float0",
    "iinfo",
    "isdtype",
    "issubdtype",
    "itemsize_bits",
    "kind_of",
    "prng_key",
]

DType: TypeAlias = np.dtype[Any]

#: The dtype of tangents of booleans and integers: there is nothing to know about them.
float0: DType = np.dtype([("float0", np.void, 0)])

bfloat16: type[Any] = ml_dtypes.bfloat16

#: Types that promote with nothing but themselves and Python scalars.
SMALL_SIGNED: tuple[DType, ...] = (np.dtype(ml_dtypes.int2), np.dtype(ml_dtypes.int4))
SMALL_UNSIGNED: tuple[DType, ...] = (np.dtype(ml_dtypes.uint2), np.dtype(ml_dtypes.uint4))
SMALL_FLOATS: tuple[DType, ...] = (
    np.dtype(ml_dtypes.float4_e2m1fn),
    np.dtype(ml_dtypes.float8_e3m4),
    np.dtype(ml_dtypes.float8_e4m3),
    np.dtype(ml_dtypes.float8_e4m3b11fnuz),
    np.dtype(ml_dtypes.float8_e4m3fn),
    np.dtype(ml_dtypes.float8_e4m3fnuz),
    np.dtype(ml_dtypes.float8_e5m2),
    np.dtype(ml_dtypes.float8_e5m2fnuz),
    np.dtype(ml_dtypes.float8_e8m0fnu),
)
BOOL: DType = np.dtype(bool)
SIGNED: tuple[DType, ...] = tuple(map(np.dtype, ("int8", "int16", "int32", "int64")))
UNSIGNED: tuple[DType, ...] = tuple(map(np.dtype, ("uint8", "uint16", "uint32", "uint64")))
FLOATS: tuple[DType, ...] = (
    np.dtype(bfloat16),
    np.dtype("float16"),
    np.dtype("float32"),
    np.dtype("float64"),
)
COMPLEX: tuple[DType, ...] = tuple(map(np.dtype, ("complex64", "complex128")))

_LETTERS: Mapping[DType, str] = {
    BOOL: "b",
    **dict.fromkeys(SIGNED + SMALL_SIGNED, "i"),
    **dict.fromkeys(UNSIGNED + SMALL_UNSIGNED, "u"),
    **dict.fromkeys(FLOATS + SMALL_FLOATS, "f"),
    **dict.fromkeys(COMPLEX, "c"),
}
#: Whatever arrays may have.
VALID = frozenset((*_LETTERS, float0))

_ADDED = frozenset((np.dtype(bfloat16), *SMALL_SIGNED, *SMALL_UNSIGNED, *SMALL_FLOATS))
_ADDED_CLASSES: Mapping[str, tuple[type, ...]] = {
    "i": (np.signedinteger, np.integer, np.number, np.generic),
    "u": (np.unsignedinteger, np.integer, np.number, np.generic),
    "f": (np.floating, np.inexact, np.number, np.generic),
}
_KINDS: Mapping[str, str] = {
    "bool": "b",
    "signed integer": "i",
    "unsigned integer": "u",
    "integral": "iu",
    "real floating": "f",
    "complex floating": "c",
    "numeric": "iufc",
}


class extended(np.generic):
    """Abstract scalar type of dtypes that NumPy does not have; for `issubdtype` only."""


class prng_key(extended):
    """Abstract scalar type of the dtypes of random keys; for `issubdtype` only.

    Examples
    --------
    >>> issubdtype(np.dtype("uint32"), prng_key)
    False
    """


class ExtendedDType:
    """Base of dtypes that NumPy does not have, such as that of random keys.

    A subclass sets `type` to an abstract scalar type below `extended`, and `name`; it is hashable,
    and promotes with nothing but itself.
    """

    __slots__ = ()
    type: type[Any]
    name: str
    kind = "V"

    def __repr__(self) -> str:
        return self.name


def kind_of(dtype: Any) -> str:
    """NumPy's letter for the kind of a dtype, right also for the types of ml_dtypes.

    Parameters
    ----------
    dtype : numpy.dtype
        The dtype.

    Returns
    -------
    str
        One of 'b', 'i', 'u', 'f', 'c'; for what holds no numbers, NumPy's own letter.

    Examples
    --------
    >>> kind_of(np.dtype(bfloat16)), np.dtype(bfloat16).kind
    ('f', 'V')
    """
    return _LETTERS.get(dtype) or str(dtype.kind)


def issubdtype(a: Any, b: Any) -> bool:
    """Whether a dtype belongs to a class of dtypes; `numpy.issubdtype` that knows all of ours.

    Parameters
    ----------
    a, b : dtype, name or scalar type
        The dtype, and the dtype or abstract scalar type.

    Examples
    --------
    >>> issubdtype(bfloat16, np.floating), issubdtype("int8", np.floating)
    (True, False)
    """
    return _issubdtype(
        a if isinstance(a, (type, ExtendedDType)) else np.dtype(a),
        b if isinstance(b, (type, ExtendedDType)) else np.dtype(b),
    )


def isdtype(dtype: Any, kind: Any) -> bool:
    """Whether a dtype is of a kind; the array API's `isdtype`.

    Parameters
    ----------
    dtype : dtype
        The dtype.
    kind : str, dtype, or tuple of these
        'bool', 'signed integer', 'unsigned integer', 'integral', 'real floating',
        'complex floating', 'numeric', or a dtype.

    Examples
    --------
    >>> isdtype(bfloat16, "real floating")
    True
    """
    plain = np.dtype(dtype)
    for one in kind if isinstance(kind, tuple) else (kind,):
        if isinstance(one, str) and one in _KINDS:
            if kind_of(plain) in _KINDS[one]:
                return True
            continue
        try:
            other = np.dtype(one)
        except TypeError as error:
            message = f"isdtype: expected a dtype or one of {list(_KINDS)}, got {one!r}."
            raise (ValueError if isinstance(one, str) else TypeError)(message) from error
        if plain == other:
            return True
    return False


def can_cast(from_: Any, to: Any, casting: Any = "safe") -> bool:
    """Whether a cast is allowed by a casting rule.

    Parameters
    ----------
    from_, to : dtype or array
        From and to.
    casting : {'no', 'equiv', 'safe', 'same_kind', 'unsafe'}
        NumPy's casting rule.
    """
    # A Python scalar goes on as it is: NumPy refuses it, and so does JAX.
    source = (
        from_ if isinstance(from_, (bool, int, float, complex)) else getattr(from_, "dtype", from_)
    )
    return bool(np.can_cast(source, to, casting=casting))


class FloatInfo:
    """The limits of a floating dtype, under NumPy's names, as Python numbers.

    They don't widen what they are combined with, and the array API standard asks for floats.

    Parameters
    ----------
    info : numpy.finfo or ml_dtypes.finfo
        The limits as scalars of the dtype.
    """

    __slots__ = ("_info",)

    def __init__(self, info: Any) -> None:
        self._info = info

    def __getattr__(self, name: str) -> Any:
        if name == "_info":  # not yet there, while a copy is being made
            raise AttributeError(name)
        found = getattr(self._info, name)
        return float(found) if isinstance(found, np.generic) else found

    def __repr__(self) -> str:
        return repr(self._info)


def finfo(dtype: Any) -> Any:
    """Machine limits of a floating dtype, `bfloat16` and the smaller ones included.

    Parameters
    ----------
    dtype : dtype or array
        The dtype.

    Examples
    --------
    >>> float(finfo(bfloat16).eps)
    0.0078125
    """
    plain = _limits_dtype(dtype)
    return FloatInfo(ml_dtypes.finfo(plain) if plain in _ADDED else np.finfo(plain))


def iinfo(dtype: Any) -> Any:
    """Limits of an integer dtype, 2- and 4-bit integers included.

    Parameters
    ----------
    dtype : dtype or array
        The dtype.

    Examples
    --------
    >>> iinfo("uint8").max
    255
    """
    plain = _limits_dtype(dtype)
    return ml_dtypes.iinfo(plain) if plain in _ADDED else np.iinfo(plain)


def itemsize_bits(dtype: Any) -> int:
    """How many bits an element takes.

    Parameters
    ----------
    dtype : dtype
        The dtype; 4-bit integers take 4, booleans 8.
    """
    if dtype is None:
        raise ArgumentValueError("itemsize_bits: expected a dtype, got None.")
    plain = np.dtype(dtype)
    kind = kind_of(plain)
    if kind == "b":
        return 8
    if kind in "iu":
        return int(iinfo(plain).bits)
    if kind in "fc":
        return int(finfo(plain).bits) * (2 if kind == "c" else 1)
    raise ArgumentValueError(f"itemsize_bits: {plain} is not a dtype of numbers.")


def _limits_dtype(dtype: Any) -> DType:
    # A scalar type has an attribute `dtype` too, a descriptor.
    plain: DType = np.dtype(dtype if isinstance(dtype, type) else getattr(dtype, "dtype", dtype))
    return plain


@lru_cache(maxsize=512)
def _issubdtype(a: Any, b: Any) -> bool:
    if isinstance(b, ExtendedDType):
        return bool(a == b)
    above = b if isinstance(b, type) and issubclass(b, np.generic) else np.dtype(b).type
    if isinstance(a, ExtendedDType):
        return issubclass(a.type, above)
    below = a if isinstance(a, type) and issubclass(a, np.generic) else np.dtype(a).type
    if issubclass(below, above):
        return True
    # ml_dtypes derives its types from `generic` alone.
    for added in _ADDED:
        if added.type is below:
            return above in _ADDED_CLASSES[_LETTERS[added]]
    return False
