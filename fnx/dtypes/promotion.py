"""Promotion: the dtype that results from operands of several dtypes.

It is the least upper bound in JAX's lattice, which `_SUCCESSORS` writes down::

    bool -> int* -+-> u8 -+-> u16 -+-> u32 -+-> u64 -+-> float* -+-> bf16 -+-> f32 -+-> f64 --+
                  |       |        |        |        |           +-> f16  -+        |         |
                  +-> i8 -+-> i16 -+-> i32 -+-> i64 -+           +-> complex* -> c64 -+-> c128

An unsigned type also leads to the signed one of twice its width. The starred nodes are weak: the
types of Python scalars, which give way to any dtype of their kind or a higher one. Integers and
floats of less than 16 (8) bits hang below int* (float*) and lead nowhere.
https://docs.jax.dev/en/latest/type_promotion.html gives the reasons. Read next: `core.types`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Literal, TypeAlias, overload

import numpy as np

from fnx.config import settings
from fnx.dtypes.defaults import PYTHON_KINDS, WEAK, default_dtype, default_float_dtype, dtype
from fnx.dtypes.kinds import (
    BOOL,
    COMPLEX,
    FLOATS,
    SIGNED,
    SMALL_FLOATS,
    SMALL_SIGNED,
    SMALL_UNSIGNED,
    UNSIGNED,
    DType,
    ExtendedDType,
    kind_of,
)
from fnx.errors import ArgumentValueError, TypePromotionError

__all__ = [
    "join",
    "lattice_result_type",
    "promote_types",
    "result_type",
    "to_complex_dtype",
    "to_floating_dtype",
    "to_inexact_dtype",
    "to_numeric_dtype",
]

#: A node of the lattice: a dtype, or a Python type for the weak ones.
Node: TypeAlias = Any


def promote_types(a: Any, b: Any) -> DType:
    """The dtype to which a binary operation casts operands of two dtypes.

    Parameters
    ----------
    a, b : dtype, name or scalar type
        `int`, `float` and `complex` are weak.

    Returns
    -------
    numpy.dtype
        Their least upper bound.

    Raises
    ------
    TypePromotionError
        If there is none.

    Examples
    --------
    >>> promote_types("int64", "float32"), promote_types("float16", "bfloat16")
    (dtype('float32'), dtype('float32'))
    >>> promote_types("uint8", int)
    dtype('uint8')
    """
    now = settings()
    found = _least_upper_bound(
        now.numpy_dtype_promotion, now.enable_x64 is not False, (_as_node(a), _as_node(b))
    )
    return default_dtype(PYTHON_KINDS[found]) if isinstance(found, type) else found


@overload
def result_type(*args: Any, return_weak_type_flag: Literal[False] = False) -> Any: ...
@overload
def result_type(*args: Any, return_weak_type_flag: Literal[True]) -> tuple[Any, bool]: ...
def result_type(*args: Any, return_weak_type_flag: bool = False) -> Any:
    """The dtype that results from an operation on several values.

    Parameters
    ----------
    *args : array, scalar, dtype, name, scalar type or None
        None stands for the default float dtype.
    return_weak_type_flag : bool
        Also tell whether the result is weak.

    Returns
    -------
    numpy.dtype, or (numpy.dtype, bool)
        The dtype; with `return_weak_type_flag`, and whether it is weak.

    Examples
    --------
    >>> result_type(np.float32(1), 2), result_type(1, 2.0)
    (dtype('float32'), dtype('float32'))
    >>> result_type(1, return_weak_type_flag=True)
    (dtype('int32'), True)
    """
    if not args:
        raise ArgumentValueError("result_type: at least one array or dtype is required")
    found, weak = lattice_result_type(
        *[default_float_dtype() if arg is None else arg for arg in args]
    )
    if weak:
        found = default_dtype(kind_of(found))
    return (found, weak) if return_weak_type_flag else found


def lattice_result_type(*args: Any) -> tuple[Any, bool]:
    """The dtype, and its weakness, that result from an operation on several values.

    Parameters
    ----------
    *args : array, scalar, dtype, name or scalar type
        The operands.

    Returns
    -------
    (numpy.dtype, bool)
        The dtype and whether it is weak.
    """
    return join(*[(dtype(arg), _is_weak_argument(arg)) for arg in args])


def join(*types: tuple[Any, bool]) -> tuple[Any, bool]:
    """The dtype, and its weakness, that result from an operation on operands of known types.

    Parameters
    ----------
    *types : (numpy.dtype, bool)
        Dtype and weakness of each operand.

    Returns
    -------
    (numpy.dtype, bool)
        Dtype and weakness of the result. Cached: this is on the path of every operation.

    Examples
    --------
    >>> f32, i32 = np.dtype("float32"), np.dtype("int32")
    >>> join((f32, True), (i32, False))
    (dtype('float32'), True)
    """
    now = settings()
    return _join(now.numpy_dtype_promotion, now.enable_x64, types)


def to_inexact_dtype(dtype: Any) -> DType:
    """The dtype in which functions with real results (sine, mean, division) compute.

    Parameters
    ----------
    dtype : dtype
        64-bit integers become float64, other integers and booleans float32.
    """
    plain = np.dtype(dtype)
    return _INEXACT.get(plain, plain)


def to_floating_dtype(dtype: Any) -> DType:
    """The dtype of real results: as `to_inexact_dtype`, and complex dtypes become real.

    Parameters
    ----------
    dtype : dtype
        The dtype of the operand.
    """
    inexact = to_inexact_dtype(dtype)
    return _REAL_OF.get(inexact, inexact)


def to_complex_dtype(dtype: Any) -> DType:
    """The dtype of complex results.

    Parameters
    ----------
    dtype : dtype
        complex128 for float64 and complex128, else complex64.
    """
    wide = to_floating_dtype(dtype) == np.dtype("float64")
    return np.dtype("complex128") if wide else np.dtype("complex64")


def to_numeric_dtype(dtype: Any) -> DType:
    """The dtype in which sums and products of booleans are formed: int32 for booleans.

    Parameters
    ----------
    dtype : dtype
        Other dtypes are themselves.
    """
    plain = np.dtype(dtype)
    return np.dtype("int32") if plain == np.dtype(bool) else plain


# --- the lattice ---------------------------------------------------------------------------------

_I8, _I16, _I32, _I64 = SIGNED
_U8, _U16, _U32, _U64 = UNSIGNED
_BF16, _F16, _F32, _F64 = FLOATS
_C64, _C128 = COMPLEX
_SMALL = SMALL_SIGNED + SMALL_UNSIGNED + SMALL_FLOATS

_SUCCESSORS: Mapping[Node, tuple[Node, ...]] = {
    BOOL: (int,),
    int: (_U8, _I8, *SMALL_SIGNED, *SMALL_UNSIGNED),
    _U8: (_I16, _U16),
    _U16: (_I32, _U32),
    _U32: (_I64, _U64),
    _U64: (float,),
    _I8: (_I16,),
    _I16: (_I32,),
    _I32: (_I64,),
    _I64: (float,),
    float: (_BF16, _F16, complex, *SMALL_FLOATS),
    _BF16: (_F32,),
    _F16: (_F32,),
    _F32: (_F64, _C64),
    _F64: (_C128,),
    complex: (_C64,),
    _C64: (_C128,),
    _C128: (),
    **dict.fromkeys(_SMALL, ()),
}
# Under `enable_x64(False)`, uint32 with int32 stays at 32 bits: the one place where 64 bits would
# arise from 32.
_SUCCESSORS_32 = {**_SUCCESSORS, _U32: (_I32, _U64)}
# 'strict': only Python scalars adapt.
_SUCCESSORS_STRICT = {
    **dict.fromkeys(_SUCCESSORS, ()),
    int: (float, *SIGNED, *UNSIGNED, *SMALL_SIGNED, *SMALL_UNSIGNED),
    float: (complex, *FLOATS, *SMALL_FLOATS),
    complex: COMPLEX,
}


def _closure(successors: Mapping[Node, tuple[Node, ...]]) -> dict[Node, frozenset[Node]]:
    """For each node, itself and whatever is above it."""
    above: dict[Node, frozenset[Node]] = {}

    def reach(node: Node) -> frozenset[Node]:
        if node not in above:
            above[node] = frozenset((node,)).union(*map(reach, successors[node]))
        return above[node]

    for node in successors:
        reach(node)
    return above


_ABOVE = _closure(_SUCCESSORS)
_ABOVE_32 = _closure(_SUCCESSORS_32)
_ABOVE_STRICT = _closure(_SUCCESSORS_STRICT)

_INEXACT: Mapping[DType, DType] = {
    **dict.fromkeys((BOOL, *SIGNED[:3], *UNSIGNED[:3], *SMALL_SIGNED, *SMALL_UNSIGNED), _F32),
    **dict.fromkeys((_I64, _U64), _F64),
}
_WEAK_NODES: Mapping[str, Node] = {"i": int, "u": int, "f": float, "c": complex}
_REAL_OF: Mapping[DType, DType] = {_C64: _F32, _C128: _F64}


@lru_cache(maxsize=4096)
def _join(
    promotion: str, x64: bool | None, types: tuple[tuple[Any, bool], ...]
) -> tuple[Any, bool]:
    first = types[0][0]
    all_weak = all(weak for _, weak in types)
    alike = all(one == first for one, _ in types)
    if len(types) == 1 or (alike and not all_weak):
        return first, all_weak and first != BOOL
    if all_weak and promotion != "strict":
        # Their dtypes decide: an int32 that came of Python scalars, with an int64 that did.
        nodes = [one for one, _ in types]
    else:
        nodes = [_WEAK_NODES.get(kind_of(one), one) if weak else one for one, weak in types]
    found = _least_upper_bound(promotion, x64 is not False, tuple(nodes))
    if isinstance(found, type):
        # The default depends on `enable_x64` alone, which the cache's key holds.
        return default_dtype(PYTHON_KINDS[found]), True
    return found, all_weak and found != BOOL


@lru_cache(maxsize=4096)
def _least_upper_bound(promotion: str, x64: bool, nodes: tuple[Node, ...]) -> Node:
    standard = _ABOVE if x64 else _ABOVE_32
    above = _ABOVE_STRICT if promotion == "strict" else standard
    for node in nodes:
        if node not in above:
            if all(other == node for other in nodes):
                return node
            raise TypePromotionError(
                f"Input dtypes {_names(nodes)} have no common dtype: "
                f"{_name(node)} promotes with nothing but itself."
            )
    common = frozenset.intersection(*[above[node] for node in nodes])
    least = [node for node in common if common <= above[node]]
    if len(least) == 1:
        return least[0]
    raise TypePromotionError(_refusal(promotion, nodes))


def _refusal(promotion: str, nodes: tuple[Node, ...]) -> str:
    start = f"Input dtypes {_names(nodes)} have no available implicit dtype promotion path"
    if promotion == "strict":
        return (
            f"{start} when jax_numpy_dtype_promotion=strict. Cast them with x.astype(...), "
            'or set numpy_dtype_promotion("standard").'
        )
    small = [node for node in nodes if node in _SMALL]
    remedy = "Cast explicitly, e.g. x.astype('float32')."
    if small:
        return f"{start}: {_name(small[0])} is too small to be promoted implicitly. {remedy}"
    return f"{start}. {remedy}"


def _name(node: Node) -> str:
    return node.__name__ if isinstance(node, type) else str(node)


def _names(nodes: Iterable[Node]) -> str:
    return f"({', '.join(map(_name, nodes))})"


def _as_node(argument: Any) -> Node:
    if isinstance(argument, ExtendedDType) or any(argument is weak for weak in WEAK):
        return argument
    return np.dtype(argument)


def _is_weak_argument(argument: Any) -> bool:
    if type(argument) in WEAK or any(argument is weak for weak in WEAK):
        return True
    return bool(getattr(argument, "weak_type", False))
