"""Integers as bits: logic, shifts, counts, mulhi; and the threefry2x32 generator.

``and``, ``or``, ``xor`` and ``not`` also take booleans.  Nothing here has a derivative.  A shift
by the width of the type or more, or by a negative number, moves every bit out: it gives 0, and
``shift_right_arithmetic`` copies of the sign.  Read next: `reductions`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fnx.core.lowering import Element
from fnx.core.primitive import Primitive, Sample
from fnx.core.types import ShapedArray
from fnx.errors import ArgumentTypeError
from fnx.primitives.families import (
    BOOL_OR_INT,
    infer_elementwise,
    nondifferentiable,
    same_rank_vmap,
    to_front,
)
from fnx.primitives.folding import fold_uniform
from fnx.primitives.samplers import DTYPES, arrays

__all__ = [
    "and_p",
    "bitwise_and",
    "bitwise_not",
    "bitwise_or",
    "bitwise_xor",
    "clz",
    "clz_p",
    "mulhi",
    "mulhi_p",
    "not_p",
    "or_p",
    "population_count",
    "population_count_p",
    "shift_left",
    "shift_left_p",
    "shift_right_arithmetic",
    "shift_right_arithmetic_p",
    "shift_right_logical",
    "shift_right_logical_p",
    "threefry2x32",
    "threefry2x32_p",
    "xor_p",
]

INT = "iu"


def _integers(rng: np.random.Generator, shape: Sequence[int], dtype: Any) -> Any:
    """All bit patterns; booleans are coins."""
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return arrays(rng, shape, dtype)
    limits = np.iinfo(dtype)
    return rng.integers(limits.min, limits.max, tuple(shape), dtype, endpoint=True)


def _samples(accepts: str, arity: int, shifts: bool = False) -> Any:
    def sample(rng: np.random.Generator) -> Any:
        for kind in accepts:
            for dtype in map(np.dtype, DTYPES[kind]):
                for shape in ((), (1,), (5,), (0, 3), (2, 3), (37,)):
                    args = [_integers(rng, shape, dtype) for _ in range(arity)]
                    if shifts:
                        low = -1 if kind == "i" else 0
                        args[1] = rng.integers(low, 8 * dtype.itemsize + 2, shape).astype(dtype)
                    yield Sample(tuple(args), {})
        strided = tuple(arrays(rng, (3, 4), np.int32, strided=True) for _ in range(arity))
        yield Sample(strided, {})

    return sample


def _bitwise(
    name: str,
    accepts: str,
    arity: int,
    evaluate: Any,
    method: str,
    commutative: bool = False,
    shifts: bool = False,
) -> Any:
    primitive = nondifferentiable(
        name,
        infer=infer_elementwise(name, accepts, arity),
        evaluate=evaluate,
        vmap=same_rank_vmap(lambda: primitive),
        lower=Element(lambda b, i, *operands: getattr(b, method)(*[x(*i) for x in operands])),
        commutative=commutative,
        fold=fold_uniform(lambda: primitive),
        sample=_samples(accepts, arity, shifts),
        why="integers and booleans have no tangents",
    )
    return primitive


def _unsigned(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype(f"u{dtype.itemsize}")


def _signed(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype(f"i{dtype.itemsize}")


# ---------------------------------------------------------------------- and, or, xor, not

and_p = _bitwise("and", BOOL_OR_INT, 2, np.bitwise_and, "and_", commutative=True)
or_p = _bitwise("or", BOOL_OR_INT, 2, np.bitwise_or, "or_", commutative=True)
xor_p = _bitwise("xor", BOOL_OR_INT, 2, np.bitwise_xor, "xor", commutative=True)
not_p = _bitwise("not", BOOL_OR_INT, 1, np.invert, "not_")


def bitwise_and(x: Any, y: Any) -> Any:
    """The bits that both have.

    Parameters
    ----------
    x, y : Array
        Of booleans or integers; of one shape and one dtype.
    """
    return and_p(x, y)


def bitwise_or(x: Any, y: Any) -> Any:
    """The bits that either has.

    Parameters
    ----------
    x, y : Array
        Of booleans or integers; of one shape and one dtype.
    """
    return or_p(x, y)


def bitwise_xor(x: Any, y: Any) -> Any:
    """The bits that one of the two has.

    Parameters
    ----------
    x, y : Array
        Of booleans or integers; of one shape and one dtype.
    """
    return xor_p(x, y)


def bitwise_not(x: Any) -> Any:
    """Every bit turned; of a boolean, the opposite.

    Parameters
    ----------
    x : Array
        Of booleans or integers.
    """
    return not_p(x)


# ---------------------------------------------------------------------- shifts


def _count(y: Any) -> tuple[Any, Any]:
    """Shift counts that are less than the width, and where they are the given ones."""
    count = y.view(_unsigned(y.dtype))
    width = 8 * y.dtype.itemsize
    inside = count < width
    return np.where(inside, count, count.dtype.type(width - 1)), inside


def _shift_left_evaluate(x: Any, y: Any) -> Any:
    count, inside = _count(y)
    moved = np.left_shift(x.view(count.dtype), count)
    return np.where(inside, moved, count.dtype.type(0)).view(x.dtype)


def _shift_right_logical_evaluate(x: Any, y: Any) -> Any:
    count, inside = _count(y)
    moved = np.right_shift(x.view(count.dtype), count)
    return np.where(inside, moved, count.dtype.type(0)).view(x.dtype)


def _shift_right_arithmetic_evaluate(x: Any, y: Any) -> Any:
    count, _ = _count(y)  # by one less than the width, only copies of the sign are left
    signed = _signed(x.dtype)
    return np.right_shift(x.view(signed), count.view(signed)).view(x.dtype)


def _arithmetic_element(b: Any, i: Any, x: Any, y: Any) -> Any:
    if x.aval.dtype.kind == "i":
        return b.shift_right_arithmetic(x(*i), y(*i))
    signed = _signed(x.aval.dtype)
    moved = b.shift_right_arithmetic(b.bitcast(x(*i), signed), b.bitcast(y(*i), signed))
    return b.bitcast(moved, x.aval.dtype)


shift_left_p = _bitwise("shift_left", INT, 2, _shift_left_evaluate, "shift_left", shifts=True)
shift_right_logical_p = _bitwise(
    "shift_right_logical",
    INT,
    2,
    _shift_right_logical_evaluate,
    "shift_right_logical",
    shifts=True,
)
shift_right_arithmetic_p: Primitive = nondifferentiable(
    "shift_right_arithmetic",
    infer=infer_elementwise("shift_right_arithmetic", INT, 2),
    evaluate=_shift_right_arithmetic_evaluate,
    vmap=same_rank_vmap(lambda: shift_right_arithmetic_p),
    lower=Element(_arithmetic_element),
    fold=fold_uniform(lambda: shift_right_arithmetic_p),
    sample=_samples(INT, 2, shifts=True),
    why="integers and booleans have no tangents",
)


def shift_left(x: Any, y: Any) -> Any:
    """``x * 2**y``, without the bits that leave.

    Parameters
    ----------
    x, y : Array
        Of integers; of one shape and one dtype.
    """
    return shift_left_p(x, y)


def shift_right_logical(x: Any, y: Any) -> Any:
    """The bits moved down, zeros behind them.

    Parameters
    ----------
    x, y : Array
        Of integers; of one shape and one dtype.
    """
    return shift_right_logical_p(x, y)


def shift_right_arithmetic(x: Any, y: Any) -> Any:
    """The bits moved down, copies of the highest one behind them, of unsigned types too.

    Parameters
    ----------
    x, y : Array
        Of integers; of one shape and one dtype.
    """
    return shift_right_arithmetic_p(x, y)


# ---------------------------------------------------------------------- counting bits


def _population_count_evaluate(x: Any) -> Any:
    return np.bitwise_count(x.view(_unsigned(x.dtype))).astype(x.dtype)


def _clz_evaluate(x: Any) -> Any:
    width = 8 * x.dtype.itemsize
    bits = x.view(_unsigned(x.dtype))
    step = 1
    while step < width:  # copy the highest bit to all places below it
        bits = bits | (bits >> bits.dtype.type(step))
        step *= 2
    return (width - np.bitwise_count(bits)).astype(x.dtype)


population_count_p = _bitwise(
    "population_count", INT, 1, _population_count_evaluate, "population_count"
)
clz_p = _bitwise("clz", INT, 1, _clz_evaluate, "clz")


def population_count(x: Any) -> Any:
    """How many bits are 1.

    Parameters
    ----------
    x : Array
        Of integers; so is the result.
    """
    return population_count_p(x)


def clz(x: Any) -> Any:
    """How many bits are 0 above the highest 1.

    Parameters
    ----------
    x : Array
        Of integers; so is the result.
    """
    return clz_p(x)


# ---------------------------------------------------------------------- mulhi


def _mulhi_evaluate(x: Any, y: Any) -> Any:
    width = 8 * x.dtype.itemsize
    if width < 64:
        wide = np.dtype(f"{x.dtype.kind}8")
        return ((x.astype(wide) * y.astype(wide)) >> wide.type(width)).astype(x.dtype)
    # Halves of 32 bits: (a 2^32 + b)(c 2^32 + d), the carries of the middle terms kept apart.
    half, low = np.uint64(32), np.uint64(0xFFFFFFFF)
    u, v = x.view(np.uint64), y.view(np.uint64)
    a, b, c, d = u >> half, u & low, v >> half, v & low
    middle = a * d + ((b * d) >> half)
    other = b * c + (middle & low)
    high = a * c + (middle >> half) + (other >> half)
    if x.dtype.kind == "i":  # a negative number is itself plus 2^64 when read as unsigned
        nothing = np.uint64(0)
        high = high - np.where(x < 0, v, nothing) - np.where(y < 0, u, nothing)
    return high.view(x.dtype)


mulhi_p = _bitwise("mulhi", INT, 2, _mulhi_evaluate, "mulhi", commutative=True)


def mulhi(x: Any, y: Any) -> Any:
    """The high half of the product of integers.

    Parameters
    ----------
    x, y : Array
        Of integers; of one shape and one dtype.
    """
    return mulhi_p(x, y)


# ---------------------------------------------------------------------- threefry2x32


def _threefry_infer(*avals: ShapedArray) -> list[ShapedArray]:
    if len(avals) != 4 or any(a.dtype != np.uint32 or a.shape != avals[0].shape for a in avals):
        raise ArgumentTypeError(
            "threefry2x32: takes four uint32 arrays of one shape (two of key, two of counter), got "
            f"{', '.join(map(repr, avals))}."
        )
    return [ShapedArray(avals[0].shape, np.dtype(np.uint32))] * 2


_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))


def _threefry_evaluate(key0: Any, key1: Any, x0: Any, x1: Any) -> list[Any]:
    keys = (key0, key1, key0 ^ key1 ^ np.uint32(0x1BD11BDA))
    x0, x1 = np.add(x0, key0), np.add(x1, key1)
    for block in range(5):
        for distance in _ROTATIONS[block % 2]:
            x0 = x0 + x1
            x1 = ((x1 << np.uint32(distance)) | (x1 >> np.uint32(32 - distance))) ^ x0
        x0 = x0 + keys[(block + 1) % 3]
        x1 = x1 + keys[(block + 2) % 3] + np.uint32(block + 1)
    return [x0, x1]


def _threefry_vmap(size: int, args: Any, dims: Any) -> Any:
    outs = threefry2x32_p(*[to_front(a, d, size) for a, d in zip(args, dims, strict=True)])
    return outs, [0, 0]


def _threefry_samples(rng: np.random.Generator) -> Any:
    for shape in ((), (1,), (5,), (0, 3), (2, 3), (37,)):
        yield Sample(tuple(_integers(rng, shape, np.uint32) for _ in range(4)), {})


threefry2x32_p: Primitive = nondifferentiable(
    "threefry2x32",
    infer=_threefry_infer,
    evaluate=_threefry_evaluate,
    vmap=_threefry_vmap,
    lower=Element(lambda b, i, *operands: b.threefry2x32(*[x(*i) for x in operands])),
    multiple_results=True,
    sample=_threefry_samples,
    why="integers and booleans have no tangents",
)


def threefry2x32(key0: Any, key1: Any, x0: Any, x1: Any) -> tuple[Any, Any]:
    """One block of the Threefry-2x32 counter-based generator, twenty rounds.

    Source: Salmon, Moraes, Dror and Shaw, *Parallel random numbers: as easy as 1, 2, 3* (2011).

    Parameters
    ----------
    key0, key1 : Array
        The key; uint32.
    x0, x1 : Array
        The counter; uint32, of the key's shape.

    Returns
    -------
    tuple of Array
        Two words of random bits.
    """
    out0, out1 = threefry2x32_p(key0, key1, x0, x1)
    return out0, out1
