"""Numbers by their parts: common divisors, bits, mantissa and exponent.

Read next: `elementwise`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fnx.control.loops import while_loop
from fnx.core.array import adopt
from fnx.errors import ArgumentTypeError, ArgumentValueError
from fnx.numpy import reductions, ufuncs
from fnx.numpy.calculus import diff
from fnx.numpy.elementwise import abs, clip, isfinite, mod, remainder
from fnx.numpy.joining import concatenate
from fnx.numpy.manipulation import moveaxis, normal_axis, ravel
from fnx.numpy.padding import pad
from fnx.numpy.promotion import (
    as_arrays,
    broadcast_arrays,
    known,
    promote,
    promote_dtypes,
    promote_inexact,
)
from fnx.primitives import bits, comparison
from fnx.primitives.cast import bitcast_convert_type

__all__ = [
    "bitwise_count", "frexp", "gcd", "lcm", "ldexp", "nextafter", "packbits", "spacing",
    "unpackbits", "unwrap",
]  # fmt: skip


# ---------------------------------------------------------------------------------------- integers


def _integers(name: str, *args: Any) -> list[Any]:
    xs = promote(name, *args)
    if xs[0].dtype.kind not in "iu":
        raise ArgumentValueError(
            f"{name}: operands must hold integers, got {', '.join(repr(x.aval) for x in xs)}."
        )
    return xs


def gcd(x1: Any, x2: Any) -> Any:
    """The greatest common divisor, by Euclid's algorithm.

    Parameters
    ----------
    x1, x2 : array-like of int
        The operands.

    Examples
    --------
    >>> gcd(12, 18)
    Array(6, dtype=int32, weak_type=True)
    """
    x, y = _integers("gcd", x1, x2)
    a, b = known(x), known(y)
    if a is not None and b is not None:
        return adopt(np.asarray(np.gcd(a, b)), x.weak_type and y.weak_type)

    def unfinished(pair: Any) -> Any:
        return reductions.any(ufuncs.not_equal(pair[1], 0))

    def step(pair: Any) -> Any:
        a, b = pair
        done = ufuncs.equal(b, 0)
        rest = remainder(a, ufuncs.where(done, 1, b))
        return ufuncs.where(done, a, b), ufuncs.where(done, b, rest)

    return while_loop(unfinished, step, (abs(x), abs(y)))[0]


def lcm(x1: Any, x2: Any) -> Any:
    """The least common multiple.

    Parameters
    ----------
    x1, x2 : array-like of int
        The operands.
    """
    x, y = _integers("lcm", x1, x2)
    x, y = abs(x), abs(y)
    divisor = gcd(x, y)
    none = ufuncs.equal(divisor, 0)
    return ufuncs.where(none, 0, x // ufuncs.where(none, 1, divisor) * y)


def bitwise_count(x: Any, /) -> Any:
    """How many bits of the absolute value are set.

    Parameters
    ----------
    x : array-like of int or bool
        The operand.

    Returns
    -------
    array of uint8
    """
    (value,) = as_arrays("bitwise_count", x)
    if value.dtype.kind == "b":
        return value.astype(np.uint8)
    if value.dtype.kind not in "iu":
        raise ArgumentTypeError(f"bitwise_count: x must hold integers, got {value.aval!r}.")
    return bits.population_count(abs(value)).astype(np.uint8)


_LITTLE = np.arange(8, dtype=np.uint8)
_SHIFTS = {"big": _LITTLE[::-1].copy(), "little": _LITTLE}


def _bit_order(name: str, bitorder: str) -> np.ndarray[Any, Any]:
    if bitorder not in _SHIFTS:
        raise ArgumentValueError(f"{name}: bitorder is {bitorder!r}. Pass 'big' or 'little'.")
    return _SHIFTS[bitorder]


def packbits(a: Any, axis: int | None = None, bitorder: str = "big") -> Any:
    """Truths as the bits of bytes, zeros at the end.

    Parameters
    ----------
    a : array-like of int or bool
        The operand.
    axis : int, optional
        Along which axis; by default over all elements.
    bitorder : {"big", "little"}
        Whether the first element is the highest bit.

    Returns
    -------
    array of uint8
    """
    shifts = _bit_order("packbits", bitorder)
    (x,) = as_arrays("packbits", a)
    if x.dtype.kind not in "iub":
        raise ArgumentTypeError(f"packbits: a must hold integers or bools, got {x.aval!r}.")
    x = ufuncs.not_equal(x, 0) if x.dtype.kind != "b" else x
    x, axis = (ravel(x), 0) if axis is None else (x, normal_axis("packbits", axis, x.ndim))
    x = moveaxis(x, axis, -1)
    rest = -x.shape[-1] % 8
    x = pad(x, [(0, 0)] * (x.ndim - 1) + [(0, rest)]).astype(np.uint8)
    x = x.reshape(*x.shape[:-1], x.shape[-1] // 8, 8)
    packed = reductions.sum(ufuncs.left_shift(x, shifts), axis=-1, dtype=np.uint8)
    return moveaxis(packed, -1, axis)


def unpackbits(
    a: Any, axis: int | None = None, count: int | None = None, bitorder: str = "big"
) -> Any:
    """The bits of bytes, each as 0 or 1.

    Parameters
    ----------
    a : array-like of uint8
        The operand.
    axis : int, optional
        Along which axis; by default over all elements.
    count : int, optional
        How many bits along the axis; negative from the end; beyond the end there are zeros.
    bitorder : {"big", "little"}
        Whether the highest bit comes first.

    Returns
    -------
    array of uint8
    """
    shifts = _bit_order("unpackbits", bitorder)
    (x,) = as_arrays("unpackbits", a)
    if x.dtype != np.uint8:
        raise ArgumentTypeError(f"unpackbits: a must hold uint8, got {x.aval!r}.")
    x, axis = (ravel(x), 0) if axis is None else (x, normal_axis("unpackbits", axis, x.ndim))
    x = moveaxis(x, axis, -1)
    found = ufuncs.bitwise_and(ufuncs.right_shift(x[..., None], shifts), np.uint8(1))
    found = found.reshape(*x.shape[:-1], 8 * x.shape[-1])
    if count is not None:
        total = found.shape[-1]
        if count > total:
            found = pad(found, [(0, 0)] * (found.ndim - 1) + [(0, count - total)])
        found = found[..., :count]
    return moveaxis(found, -1, axis)


# ------------------------------------------------------------------------------------------ floats


def nextafter(x: Any, y: Any, /) -> Any:
    """The float next to one number in the direction of another.

    Parameters
    ----------
    x, y : array-like
        The operands.
    """
    return comparison.nextafter(*broadcast_arrays(*promote_inexact("nextafter", x, y)))


def spacing(x: Any, /) -> Any:
    """The distance to the next float away from zero.

    Parameters
    ----------
    x : array-like
        The operand; integers become floats.
    """
    (value,) = promote_inexact("spacing", x)
    if value.dtype.kind == "c":
        raise ArgumentValueError(f"spacing: x must be real, got {value.aval!r}.")
    away = ufuncs.where(ufuncs.less(value, 0), -np.inf, np.inf).astype(value.dtype)
    gap = comparison.nextafter(value, away) - value
    return ufuncs.where(isfinite(value), gap, np.nan).astype(value.dtype)


_BITS = {np.dtype(np.float32): np.int32, np.dtype(np.float64): np.int64}


def _power_of_two(n: Any, dtype: np.dtype[Any]) -> Any:
    """2**n exactly, for exponents of normal numbers."""
    info = np.finfo(dtype)
    shifted = ufuncs.left_shift(n.astype(_BITS[dtype]) + (info.maxexp - 1), info.nmant)
    return bitcast_convert_type(shifted, dtype)


def _wide_enough(name: str, x: Any, error: type[Exception]) -> tuple[Any, np.dtype[Any]]:
    (value,) = promote_inexact(name, x)
    if value.dtype.kind == "c":
        raise error(f"{name}: operands must be real, got {value.aval!r}.")
    return (value if value.dtype in _BITS else value.astype(np.float32)), value.dtype


def ldexp(x1: Any, x2: Any, /) -> Any:
    """``x1 * 2**x2``, rounded once.

    Parameters
    ----------
    x1 : array-like
        The mantissa.
    x2 : array-like of int
        The exponent.
    """
    (n,) = as_arrays("ldexp", x2)
    if n.dtype.kind not in "iub":
        raise ArgumentTypeError(f"ldexp: x2 must hold integers, got {n.aval!r}.")
    x, dtype = _wide_enough("ldexp", x1, ArgumentValueError)
    info = np.finfo(x.dtype)
    high, low = int(info.maxexp) - 1, int(info.minexp) + int(info.nmant) + 1
    x, n = broadcast_arrays(
        x, clip(n, -9999, 9999).astype(np.int32) if n.dtype.itemsize > 2 else n.astype(np.int32)
    )
    for _ in range(2):
        # A subnormal result keeps all bits of the mantissa until the last product.
        for far, power in ((ufuncs.greater(n, high), high), (ufuncs.less(n, info.minexp), low)):
            x = ufuncs.where(far, x * _power_of_two(np.int32(power), x.dtype), x)
            n = ufuncs.where(far, n - power, n)
    x = x * _power_of_two(clip(n, int(info.minexp), high), x.dtype)
    return x.astype(dtype)


def frexp(x: Any, /) -> tuple[Any, Any]:
    """The mantissa, from 1/2 to 1, and the exponent of 2, whose product is the number.

    Parameters
    ----------
    x : array-like
        The operand.

    Returns
    -------
    mantissa : array
    exponent : array of int32
        0 for 0, infinity and NaN.
    """
    value, dtype = _wide_enough("frexp", x, ArgumentTypeError)
    info = np.finfo(value.dtype)
    normal = ufuncs.greater_equal(abs(value), info.tiny)
    raised = ufuncs.where(normal, value, value * 2.0 ** (info.nmant + 1))
    field = ufuncs.bitwise_and(
        ufuncs.right_shift(bitcast_convert_type(raised, _BITS[value.dtype]), info.nmant),
        2 * info.maxexp - 1,
    ).astype(np.int32)
    exponent = field - (info.maxexp - 2)
    # 2**-exponent may not be a normal number: the product is taken in two steps.
    half = exponent // 2
    mantissa = (
        raised * _power_of_two(-half, value.dtype) * _power_of_two(half - exponent, value.dtype)
    )
    plain = ufuncs.logical_and(isfinite(value), ufuncs.not_equal(value, 0))
    exponent = exponent - ufuncs.where(normal, 0, info.nmant + 1).astype(np.int32)
    return (
        ufuncs.where(plain, mantissa, value).astype(dtype),
        ufuncs.where(plain, exponent, 0).astype(np.int32),
    )


def unwrap(p: Any, discont: Any = None, axis: int = -1, period: Any = 2 * math.pi) -> Any:
    """Values without jumps: multiples of a period are added so that neighbours are close.

    Parameters
    ----------
    p : array-like
        The operand.
    discont : number, optional
        The least jump that is removed; half the period by default and at least.
    axis : int
        Along which axis.
    period : number
        The period.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> unwrap(jnp.array([0., 3., -3.]), period=4.)
    Array([ 0., -1., -3.], dtype=float32)
    """
    x, turn = promote_dtypes("unwrap", p, period)
    if x.dtype.kind == "c":
        raise ArgumentValueError(f"unwrap: p must be real, got {x.aval!r}.")
    dtype, whole = x.dtype, x.dtype.kind in "iu"
    if x.dtype.kind == "u":  # steps have signs
        x, turn = x.astype(np.int64), turn.astype(np.int64)
    place = normal_axis("unwrap", axis, x.ndim)
    if not x.shape[place]:
        return x
    half = turn // 2 if whole else turn / 2
    limit = half if discont is None else discont
    steps = diff(x, axis=place)
    back = mod(steps + half, turn) - half
    # A jump by half the period stays what it is, if the period has a middle.
    edge = ufuncs.logical_and(ufuncs.equal(back, -half), ufuncs.greater(steps, 0))
    if whole:
        edge = ufuncs.logical_and(edge, ufuncs.equal(mod(turn, 2), 0))
    back = ufuncs.where(edge, half, back)
    added = ufuncs.where(ufuncs.less(abs(steps), limit), 0, back - steps)
    first = (slice(None),) * place
    rest = x[(*first, slice(1, None))] + reductions.cumsum(added, axis=place)
    return concatenate([x[(*first, slice(0, 1))], rest], axis=place).astype(dtype)
