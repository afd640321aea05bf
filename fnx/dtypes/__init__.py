"""Dtypes: which there are, which results from which, and what has no dtype of its own.

In come dtypes, dtype names, scalar types, Python scalars and arrays; out come NumPy dtypes, and
whether they are weak. The rooms: `kinds` (classes of dtypes and their limits), `defaults` (the
dtype of a value, and what settings change), `promotion` (the dtype that results from several).
Read next: `kinds`.
"""

from fnx.dtypes.defaults import (
    canonicalize_dtype,
    check_user_dtype,
    default_complex_dtype,
    default_dtype,
    default_float_dtype,
    default_int_dtype,
    default_uint_dtype,
    dtype,
    is_weakly_typed,
    jax_dtype,
    scalar_dtype,
    scalar_type_of,
)
from fnx.dtypes.kinds import (
    ExtendedDType,
    bfloat16,
    can_cast,
    extended,
    finfo,
    float0,
    iinfo,
    isdtype,
    issubdtype,
    itemsize_bits,
    kind_of,
    prng_key,
)
from fnx.dtypes.promotion import (
    join,
    lattice_result_type,
    promote_types,
    result_type,
    to_complex_dtype,
    to_floating_dtype,
    to_inexact_dtype,
    to_numeric_dtype,
)
from fnx.errors import TypePromotionError

__all__ = [
    "ExtendedDType",
    "TypePromotionError",
    "bfloat16",
    "can_cast",
    "canonicalize_dtype",
    "check_user_dtype",
    "default_complex_dtype",
    "default_dtype",
    "default_float_dtype",
    "default_int_dtype",
    "default_uint_dtype",
    "dtype",
    "extended",
    "finfo",
    "float0",
    "iinfo",
    "is_weakly_typed",
    "isdtype",
    "issubdtype",
    "itemsize_bits",
    "jax_dtype",
    "join",
    "kind_of",
    "lattice_result_type",
    "prng_key",
    "promote_types",
    "result_type",
    "scalar_dtype",
    "scalar_type_of",
    "to_complex_dtype",
    "to_floating_dtype",
    "to_inexact_dtype",
    "to_numeric_dtype",
]
