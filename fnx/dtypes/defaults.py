"""The dtype of a value, and what the settings say about dtypes.

What has no dtype of its own (a Python scalar, `zeros(3)`) is 32 bits wide, and 64 under
`enable_x64(True)`. Whatever has a dtype keeps it, unless `enable_x64` is False: then data of 64
bits become 32 bits wide, with a warning where the user wrote the dtype. Read next: `promotion`.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from fnx.config import settings
from fnx.dtypes.kinds import VALID, DType, ExtendedDType, kind_of
from fnx.errors import ArgumentTypeError, ArgumentValueError, NumberOverflowError, user_operation

__all__ = [
    "canonicalize_dtype",
    "check_user_dtype",
    "default_complex_dtype",
    "default_dtype",
    "default_float_dtype",
    "default_int_dtype",
    "default_uint_dtype",
    "dtype",
    "is_weakly_typed",
    "jax_dtype",
    "scalar_dtype",
    "scalar_type_of",
]

#: Python's scalar types and the letters of their kinds.
PYTHON_KINDS: Mapping[type, str] = {bool: "b", int: "i", float: "f", complex: "c"}
#: Those whose dtype yields; `bool` is the bottom of the lattice and need not.
WEAK = (int, float, complex)

_NARROW: Mapping[str, DType] = {
    "b": np.dtype(bool),
    "i": np.dtype("int32"),
    "u": np.dtype("uint32"),
    "f": np.dtype("float32"),
    "c": np.dtype("complex64"),
}
_WIDE: Mapping[str, DType] = {
    "b": np.dtype(bool),
    "i": np.dtype("int64"),
    "u": np.dtype("uint64"),
    "f": np.dtype("float64"),
    "c": np.dtype("complex128"),
}
_NARROWED: Mapping[DType, DType] = {_WIDE[kind]: _NARROW[kind] for kind in "iufc"}
_SCALAR_TYPES: Mapping[str, type] = {"b": bool, "i": int, "u": int, "f": float, "c": complex}


def default_dtype(kind: str) -> DType:
    """The dtype of what has a kind and no dtype.

    Parameters
    ----------
    kind : {'b', 'i', 'u', 'f', 'c'}
        NumPy's letter.

    Returns
    -------
    numpy.dtype
        64 bits wide (128 for complex) if `enable_x64` is True, half of that otherwise.
    """
    return (_WIDE if settings().enable_x64 else _NARROW)[kind]


def default_int_dtype() -> DType:
    """The dtype of a Python integer, and of indices."""
    return default_dtype("i")


def default_uint_dtype() -> DType:
    """The dtype of what is an unsigned integer and no more is known."""
    return default_dtype("u")


def default_float_dtype() -> DType:
    """The dtype of a Python float, and of functions that create arrays."""
    return default_dtype("f")


def default_complex_dtype() -> DType:
    """The dtype of a Python complex number."""
    return default_dtype("c")


def canonicalize_dtype(dtype: Any, allow_extended_dtype: bool = False) -> Any:
    """The dtype that data of a given dtype take on entry.

    Parameters
    ----------
    dtype : dtype, name or scalar type
        The dtype of the data.
    allow_extended_dtype : bool
        Let dtypes that NumPy does not have pass unchanged.

    Returns
    -------
    numpy.dtype
        The same, but for Python's scalar types, which become their default dtypes, and for
        64-bit dtypes under ``enable_x64(False)``, which become 32 bits wide.

    Examples
    --------
    >>> from fnx.config import enable_x64
    >>> canonicalize_dtype("float64")
    dtype('float64')
    >>> with enable_x64(False):
    ...     canonicalize_dtype("float64")
    dtype('float32')
    """
    if isinstance(dtype, ExtendedDType):
        if allow_extended_dtype:
            return dtype
        raise ArgumentValueError(f"canonicalize_dtype: {dtype} has no NumPy dtype.")
    plain = np.dtype(dtype)
    x64 = settings().enable_x64
    if x64 is None:
        # Python's types have no width of their own; everything else has.
        return _NARROW[plain.kind] if _is_python_type(dtype) else plain
    return plain if x64 else _NARROWED.get(plain, plain)


def check_user_dtype(dtype: Any, operation: str = "") -> Any:
    """The dtype that a user asked for by name, canonicalised; warns where that narrows it.

    Parameters
    ----------
    dtype : dtype, name or scalar type
        What the user wrote.
    operation : str
        The function it was written for, for messages.

    Returns
    -------
    numpy.dtype
        The canonical dtype.

    Raises
    ------
    TypeError
        If arrays can't have such a dtype.
    """
    where = f"{operation}: " if operation else ""
    if dtype is None:
        raise ArgumentValueError(f"{where}expected a dtype, got None.")
    if isinstance(dtype, ExtendedDType):
        return dtype
    if _is_python_type(dtype):
        return default_dtype(PYTHON_KINDS[dtype])
    if not isinstance(dtype, (str, np.dtype, type)) and hasattr(dtype, "shape"):
        raise ArgumentValueError(f"{where}expected a dtype, got an array. Write dtype=x.dtype.")
    try:
        plain = np.dtype(dtype)
    except TypeError:
        raise ArgumentTypeError(
            f"{operation or user_operation() or 'dtype'}: {dtype!r} is not a dtype. Write one as "
            "'float32' or as jnp.float32."
        ) from None
    if plain not in VALID:
        raise ArgumentTypeError(
            f"{where}{plain} is not a dtype of arrays: numbers and booleans are."
        )
    return _canonicalize_explicit(plain, operation)


def jax_dtype(dtype: Any) -> Any:
    """The dtype that an object stands for: None and Python's scalar types have default dtypes.

    Parameters
    ----------
    dtype : dtype, name, scalar type or None
        What to look up.

    Returns
    -------
    numpy.dtype
        Not canonicalised any further.
    """
    if dtype is None:
        return default_float_dtype()
    if isinstance(dtype, ExtendedDType):
        return dtype
    return default_dtype(PYTHON_KINDS[dtype]) if _is_python_type(dtype) else np.dtype(dtype)


def dtype(x: Any) -> Any:
    """The dtype of a value, or the dtype that a dtype-like object means, canonicalised.

    Parameters
    ----------
    x : array, scalar, dtype, name or scalar type
        Arrays and tracers of fnx keep their dtype whatever the settings say.

    Returns
    -------
    numpy.dtype
        Its dtype.

    Examples
    --------
    >>> dtype(1.0), dtype(np.arange(3)), dtype("bfloat16")
    (dtype('float32'), dtype('int64'), dtype(bfloat16))
    """
    kind = PYTHON_KINDS.get(type(x))
    if kind is not None:
        return default_dtype(kind)
    if hasattr(x, "weak_type"):  # an array, a tracer or a type of fnx
        return x.dtype
    if x is None:
        raise ArgumentValueError("dtype: None has no dtype.")
    if isinstance(x, (str, np.dtype)) or (isinstance(x, type) and issubclass(x, np.generic)):
        plain = np.dtype(x)
        _require_valid(plain, x)
        return _canonicalize_explicit(plain, "dtype")
    if isinstance(x, ExtendedDType):
        return x
    if isinstance(x, type) and x in PYTHON_KINDS:
        return default_dtype(PYTHON_KINDS[x])
    found = getattr(x, "dtype", None)
    if isinstance(found, ExtendedDType):
        return found
    if not isinstance(found, np.dtype):
        try:
            found = np.result_type(x)
        except TypeError as error:
            raise ArgumentTypeError(f"dtype: {x!r} ({type(x).__name__}) has no dtype.") from error
    _require_valid(found, x)
    return canonicalize_dtype(found)


def is_weakly_typed(x: Any) -> bool:
    """Whether a value's dtype yields in promotion: Python scalars, and what came of them alone.

    Parameters
    ----------
    x : array or scalar
        The value.
    """
    return type(x) in WEAK or bool(getattr(x, "weak_type", False))


def scalar_type_of(x: Any) -> type:
    """The Python type of a value's elements.

    Parameters
    ----------
    x : array, scalar or dtype
        The value.

    Returns
    -------
    type
        bool, int, float or complex.
    """
    kind = kind_of(dtype(x))
    if kind not in _SCALAR_TYPES:
        raise ArgumentTypeError(f"scalar_type_of: {dtype(x)} has no Python scalar type.")
    return _SCALAR_TYPES[kind]


def scalar_dtype(value: complex) -> DType:
    """The default dtype of a Python scalar, if the scalar fits in it.

    Parameters
    ----------
    value : bool, int, float or complex
        The scalar.

    Returns
    -------
    numpy.dtype
        The default dtype of its kind.

    Raises
    ------
    OverflowError
        If an integer does not fit.
    """
    kind = PYTHON_KINDS[type(value)]
    found = default_dtype(kind)
    if kind == "i":
        bounds = np.iinfo(found)
        if not bounds.min <= value <= bounds.max:  # type: ignore[operator]
            raise NumberOverflowError(
                f"Python int {value} too large to convert to {found}. Name a wider dtype, "
                'or choose 64 bits by default with config.update("jax_enable_x64", True).'
            )
    return found


def _is_python_type(dtype: Any) -> bool:
    return isinstance(dtype, type) and dtype in PYTHON_KINDS


def _require_valid(dtype: DType, value: Any) -> None:
    if dtype not in VALID:
        raise ArgumentTypeError(
            f"dtype: {value!r} is of dtype {dtype}, which arrays can't have: "
            "numbers and booleans are what they hold."
        )


def _canonicalize_explicit(dtype: DType, operation: str) -> DType:
    """Narrow a dtype that the user wrote, if the settings ask for that, and say so."""
    now = settings()
    narrow = _NARROWED.get(dtype)
    if narrow is None or now.enable_x64 is not False or now.explicit_x64_dtypes == "allow":
        return dtype
    where = f" requested in {operation}" if operation else ""
    remedy = 'To have it, write config.update("jax_enable_x64", True).'
    if now.explicit_x64_dtypes == "error":
        raise ArgumentValueError(
            f"Explicitly requested dtype {dtype}{where} is not available. {remedy}"
        )
    warnings.warn(
        f"Explicitly requested dtype {dtype}{where} is not available, "
        f"and will be truncated to dtype {narrow}. {remedy}",
        stacklevel=4,
    )
    return narrow
