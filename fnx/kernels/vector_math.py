"""Vector math: every scalar operation of generated code, defined once for both printers.

`define` takes an operations object (`vector_math_operations.TextOperations` prints LLVM IR, on
vectors or scalars; `vector_math_numba.BuilderOperations` builds the body of a Numba function),
the name of an operation of the loop language and its operands, and gives the register of the
result. The same definitions are Numba functions under names such as ``exp_f32``,
``div_signed_i64`` or ``convert_f64_i32``: attributes of this module that are made when first
used, so importing it does not import Numba. Errors in units of the last place:
docs/vector_math.md. Read next: `vector_math_elementary`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any

import ml_dtypes
import numpy as np

from fnx.kernels import vector_math_elementary as elementary
from fnx.kernels import vector_math_integer as integer
from fnx.kernels import vector_math_special as special
from fnx.kernels import vector_math_trigonometric as trigonometric

__all__ = ["FUNCTIONS", "arity", "define", "function_name", "length", "number"]

#: Operations that every operations object has, by their names in the loop language.
_DIRECT = {
    **{
        name: name
        for name in """add sub mul fma neg abs sqrt floor ceil trunc eq ne select copysign xor
        min max""".split()
    },
    "div": "div",
    "and": "and_",
    "or": "or_",
    "not": "not_",
    "lt": "lt",
    "le": "le",
    "lt_signed": "lt",
    "le_signed": "le",
    "lt_unsigned": "ult",
    "round_half_even": "rint",
    "population_count": "ctpop",
    "clz": "ctlz",
}

#: Functions of registers of one type, by their names in the loop language.
FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{
        name: getattr(elementary, name)
        for name in """exp exp2 expm1 log log2 log10 log1p logistic tanh sinh cosh asinh acosh
        atanh rsqrt cbrt hypot pow""".split()
    },
    **{name: getattr(trigonometric, name) for name in "sin cos tan asin acos atan atan2".split()},
    **{name: getattr(special, name) for name in "erf erfc erf_inv lgamma digamma".split()},
    **{
        name: getattr(integer, name)
        for name in """div_signed rem_signed div_unsigned rem_unsigned rem mulhi_signed
        mulhi_unsigned sign sign_signed sign_unsigned min_signed max_signed min_unsigned
        max_unsigned le_unsigned is_finite is_nan round_half_away shift_left shift_right_logical
        shift_right_arithmetic""".split()
    },
    "pow_signed": integer.integer_power,
    "pow_unsigned": integer.integer_power,
}

# About how many instructions an operation becomes, where it is many.
_LENGTHS = {
    **dict.fromkeys(FUNCTIONS, 8),
    **dict.fromkeys("exp exp2 expm1 log log2 log10 log1p logistic tanh erf_inv".split(), 30),
    **dict.fromkeys("sinh cosh asinh acosh atanh sin cos tan erf erfc cbrt hypot".split(), 50),
    **dict.fromkeys("asin acos atan atan2".split(), 40),
    **dict.fromkeys("pow lgamma digamma pow_signed pow_unsigned".split(), 120),
}

_NARROW = {"f16": np.dtype(np.float16), "bf16": np.dtype(ml_dtypes.bfloat16)}


def define(
    o: Any,
    op: str,
    code: str,
    codes: tuple[str, ...],
    args: Sequence[Any],
    attr: Any = None,
) -> Any:
    """Print an operation.

    Parameters
    ----------
    o : Operations
        What prints.
    op : str
        Its name in the loop language.
    code : str
        The type of the result.
    codes : tuple of str
        The types of the operands.
    args : sequence of registers
        The operands.
    attr : optional
        What else the operation takes.
    """
    direct = _DIRECT.get(op)
    if direct is not None:
        if code == "b1" and op in _OF_BOOL:
            direct = _OF_BOOL[op]
        return getattr(o, direct)(*args)
    function = FUNCTIONS.get(op)
    if function is not None:
        return function(o, *args)
    if op == "convert":
        return integer.convert(o, args[0], codes[0], code)
    if op == "narrow":
        return integer.narrow(o, args[0], code)
    if op == "widen":
        return args[0]
    if op == "bitcast":
        return integer.bitcast(o, args[0], codes[0], code)
    if op == "nextafter":
        return integer.nextafter(o, args[0], args[1], code)
    if op == "rotate_left":
        return integer.rotate_left(o, args[0], attr)
    if op == "reduce_precision":
        return integer.reduce_precision(o, args[0], *attr)
    raise KeyError(f"vector_math: no operation {op!r} of {', '.join(codes)}")


def function_name(op: str, code: str, codes: tuple[str, ...], attr: Any = None) -> str:
    """The name of an operation as a Numba function: an attribute of this module."""
    if op in ("convert", "bitcast"):
        return f"{op}_{codes[0]}_{code}"
    if op == "narrow":
        return f"narrow_{code}"
    numbers = attr if isinstance(attr, tuple) else () if attr is None else (attr,)
    return "_".join([op, codes[0], *map(str, numbers)])


def __getattr__(name: str) -> Any:
    """The Numba function of that name, made when first asked for."""
    parts = _parsed(name)
    if parts is None:
        raise AttributeError(
            f"module {__name__!r} has no attribute {name!r}. Functions are named after the "
            "operation and the type of its operands: exp_f32, convert_f64_i32."
        )
    kind, details = parts
    numba_side = importlib.import_module("fnx.kernels.vector_math_numba")
    if kind == "lanes":
        made = numba_side.lanes
    elif kind in ("pointer", "word"):
        made = getattr(numba_side, kind)(details)
    else:
        made = numba_side.scalar_function(define, *details)
    globals()[name] = made
    return made


def _parsed(name: str) -> tuple[str, Any] | None:
    """What a function's name says: (kind, details), or None."""
    if name == "lanes":
        return "lanes", None
    words = name.split("_")
    numbers: list[int] = []
    while words and words[-1].isdigit():
        numbers.insert(0, int(words.pop()))
    codes: list[str] = []
    while words and words[-1] in _CODES:
        codes.insert(0, words.pop())
    op = "_".join(words)
    if op in ("pointer", "word") and len(codes) == 1 and not numbers:
        return op, codes[0]
    attr: Any = tuple(numbers) if len(numbers) > 1 else numbers[0] if numbers else None
    if op in ("convert", "bitcast") and len(codes) == 2:
        return "function", (op, codes[1], (codes[0],), None)
    if op == "narrow" and len(codes) == 1:
        return "function", (op, codes[0], ("f32",), None)
    if len(codes) != 1 or (op not in _ARITIES and op not in FUNCTIONS and op not in _DIRECT):
        return None
    code = codes[0]
    result = "b1" if op.split("_")[0] in ("eq", "ne", "lt", "le", "is") else code
    operands = (code,) * arity(op)
    if op == "select":
        operands = ("b1", code, code)
    return "function", (op, result, operands, attr)


def arity(op: str) -> int:
    """How many operands an operation takes."""
    if op in _ARITIES:
        return _ARITIES[op]
    return FUNCTIONS[op].__code__.co_argcount - 1 if op in FUNCTIONS else 2


_CODES = frozenset(
    ["b1", "f16", "bf16", "f32", "f64", *(f"{k}{n}" for k in "iu" for n in (8, 16, 32, 64))]
)
_ARITIES = {
    **dict.fromkeys(
        """neg abs sqrt floor ceil trunc not round_half_even population_count clz rotate_left
        reduce_precision""".split(),
        1,
    ),
    "nextafter": 2,
    "fma": 3,
    "select": 3,
}


# Addition of truth values is "or", multiplication "and".
_OF_BOOL = {"add": "or_", "mul": "and_"}


def length(op: str) -> int:
    """About how many instructions an operation becomes."""
    return _LENGTHS.get(op, 1)


def number(bits: str, code: str) -> Any:
    """The Python number that the bits of a constant of some type are."""
    raw = bytes.fromhex(bits)[::-1]
    if code in _NARROW:
        return float(np.frombuffer(raw, _NARROW[code])[0])
    if code == "b1":
        return raw != b"\0"
    if code in ("f32", "f64"):
        return float(np.frombuffer(raw, f"<f{int(code[1:]) // 8}")[0])
    return int.from_bytes(raw, "little", signed=code[0] == "i")
