"""`float32`, `int8`, ...: dtypes that can be called, as NumPy's scalar types, but give arrays.

``jnp.float32(x)`` works on tracers, too. Each stands wherever a dtype is wanted, and is equal to
NumPy's scalar type of the same name.
"""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

from fnx import dtypes
from fnx.numpy.creation import asarray

__all__ = [
    "bfloat16",
    "bool_",
    "complex64",
    "complex128",
    "complex_",
    "float16",
    "float32",
    "float64",
    "float_",
    "int8",
    "int16",
    "int32",
    "int64",
    "int_",
    "uint",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
]


class ScalarType(type):
    """The type of `float32` and its like."""

    dtype: np.dtype[Any]

    def __call__(cls, x: Any = 0) -> Any:
        """An array of this dtype, from a number, an array or a tracer."""
        return asarray(x, dtype=cls.dtype)

    def __hash__(cls) -> int:
        return hash(cls.dtype.type)

    def __eq__(cls, other: Any) -> bool:
        return cls is other or cls.dtype.type is other or cls.dtype == other

    def __ne__(cls, other: Any) -> bool:
        return not cls == other

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, cls.dtype.type)

    def __repr__(cls) -> str:
        return f"<class 'fnx.numpy.{cls.__name__}'>"


def _scalar_type(scalar: type) -> Any:
    dtype = np.dtype(scalar)
    name = "bool_" if dtype == np.bool_ else dtype.name
    text = f"The dtype {dtype.name}; called, it makes an array of it."
    return ScalarType(name, (), {"dtype": dtype, "__doc__": text, "__module__": "fnx.numpy"})


bool_ = _scalar_type(np.bool_)
int8 = _scalar_type(np.int8)
int16 = _scalar_type(np.int16)
int32 = _scalar_type(np.int32)
int64 = _scalar_type(np.int64)
uint8 = _scalar_type(np.uint8)
uint16 = _scalar_type(np.uint16)
uint32 = _scalar_type(np.uint32)
uint64 = _scalar_type(np.uint64)
bfloat16 = _scalar_type(ml_dtypes.bfloat16)
float16 = _scalar_type(np.float16)
float32 = _scalar_type(np.float32)
float64 = _scalar_type(np.float64)
complex64 = _scalar_type(np.complex64)
complex128 = _scalar_type(np.complex128)

#: What has no dtype of its own has these, by the settings in force when fnx is imported.
int_ = int64 if dtypes.default_dtype("i") == np.int64 else int32
uint = uint64 if dtypes.default_dtype("u") == np.uint64 else uint32
float_ = float64 if dtypes.default_dtype("f") == np.float64 else float32
complex_ = complex128 if dtypes.default_dtype("c") == np.complex128 else complex64
