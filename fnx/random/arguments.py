"""What users pass to a distribution, checked: dtypes, shapes, parameters, modes.

Out come a dtype, a shape and arrays that fit together; what doesn't is refused with the name of the
function and of the argument.  Read next: `continuous`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fnx import dtypes
from fnx import numpy as jnp
from fnx.core.conversion import as_value
from fnx.errors import ArgumentTypeError, ArgumentValueError, ShapeError, TypePromotionError
from fnx.numpy.creation import shape_of
from fnx.numpy.promotion import broadcast_shapes

__all__ = [
    "check_shape",
    "chosen_mode",
    "float_dtype",
    "integer_dtype",
    "one_device",
    "parameters",
    "values",
]

_BUILTIN = {"f": float, "i": int}


def _dtype(operation: str, dtype: Any, letter: str, kinds: str, wanted: str) -> np.dtype[Any]:
    if dtype is None or dtype is _BUILTIN[letter]:
        return np.dtype(dtypes.default_dtype(letter))
    found = dtypes.check_user_dtype(dtype, operation)
    if dtypes.kind_of(found) not in kinds:
        raise ArgumentValueError(f"{operation}: dtype must be {wanted}, got {found.name}.")
    return np.dtype(found)


def float_dtype(operation: str, dtype: Any, complex_too: bool = False) -> np.dtype[Any]:
    """The floating dtype that a user asks for; the default one for None.

    Raises
    ------
    ValueError
        It is of another kind.
    """
    if complex_too:
        return _dtype(operation, dtype, "f", "fc", "a float or complex dtype")
    return _dtype(operation, dtype, "f", "f", "a float")


def integer_dtype(operation: str, dtype: Any) -> np.dtype[Any]:
    """The integer dtype that a user asks for; the default one for None.

    Raises
    ------
    ValueError
        It is of another kind.
    """
    return _dtype(operation, dtype, "i", "iu", "an integer")


def one_device(operation: str, out_sharding: Any) -> None:
    """Refuse a sharding."""
    if out_sharding is not None:
        raise ArgumentTypeError(
            f"{operation}: out_sharding must be None, got {type(out_sharding).__name__}. There is "
            "one device."
        )


def chosen_mode(operation: str, mode: Any) -> str:
    """The mode of Gumbel numbers: ``"low"`` unless said otherwise."""
    if mode not in (None, "low", "high"):
        raise ArgumentValueError(f"{operation}: mode must be one of ('low', 'high'), got {mode!r}.")
    return mode or "low"


def check_shape(operation: str, size: tuple[int, ...], **given: Any) -> None:
    """Refuse parameters that don't broadcast to a shape.

    Raises
    ------
    ShapeError
        Names the first such parameter.
    """
    for name, x in given.items():
        lead = len(size) - x.ndim
        if lead < 0 or any(n not in (1, m) for n, m in zip(x.shape, size[lead:], strict=True)):
            raise ShapeError(
                f"{operation}: the parameter {name}, {x.aval!r}, doesn't broadcast to shape "
                f"{size}. Give a shape that all parameters broadcast to."
            )


def values(operation: str, dtype: Any, wanted: np.dtype[Any], **given: Any) -> list[Any]:
    """Parameters in the dtype of the result.

    Raises
    ------
    TypePromotionError
        The dtype that the user asks for is narrower than a parameter's.
    """
    found = []
    for name, x in given.items():
        value = jnp.asarray(x) if isinstance(x, list | tuple) else as_value(x, operation, name)
        joint, _ = dtypes.join((value.dtype, value.weak_type), (wanted, False))
        complex_value = dtypes.kind_of(value.dtype) == "c" and dtypes.kind_of(wanted) != "c"
        if complex_value or (dtype is not None and joint != wanted):
            raise TypePromotionError(
                f"{operation}: the parameter {name}, {value.aval!r}, can't become {wanted.name} "
                f"without loss. Convert it yourself, or ask for dtype={joint.name!r}."
            )
        found.append(jnp.asarray(value, wanted))
    return found


def parameters(
    operation: str, shape: Any, dtype: Any, **given: Any
) -> tuple[np.dtype[Any], tuple[int, ...], list[Any]]:
    """The dtype and shape of the result, and the parameters in that dtype.

    Parameters
    ----------
    operation : str
        For errors.
    shape : sequence of int or None
        None: the joint shape of the parameters.
    dtype : dtype or None
        A float.
    **given : array-like
        The parameters by name.
    """
    wanted = float_dtype(operation, dtype)
    arrays = values(operation, dtype, wanted, **given)
    if shape is None:
        return wanted, broadcast_shapes(*[a.shape for a in arrays]), arrays
    size = shape_of(shape)
    check_shape(operation, size, **dict(zip(given, arrays, strict=True)))
    return wanted, size, arrays
