"""Random fills of ndarrays, with the algorithms of PyTorch's CPU back end.

In: an array to be overwritten and a `Generator`. Out: nothing; the array holds what the PyTorch
method of the same name would have put there from the same state, and the generator has advanced
by the same number of words. An array with gaps or permuted axes is filled in the order of its
memory, as there.

Where PyTorch runs on an Intel processor with MKL, its `bernoulli_` with one probability for all
elements draws from another stream (MCG31); elsewhere, and here on every machine, it draws from
the generator itself.

Read next: `random_choice` (permutations, sampling from weights), `truncated_normal`,
`box_muller`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fnx_nn.box_muller import map_with_libm, normal_blocks_32, normal_blocks_64, normal_pair
from fnx_nn.fused_multiply_add import fused_multiply_add_32, fused_multiply_add_64
from fnx_nn.generator import Generator

__all__ = [
    "bernoulli_",
    "cauchy_",
    "exponential_",
    "geometric_",
    "log_normal_",
    "normal_",
    "random_",
    "uniform_",
    "unit_doubles",
]

_CHUNK = 1 << 15  # elements per step: the temporaries stay in the second-level cache
_BLOCK = 16  # the vector form of Box-Muller works on so many numbers
_WIDE_RANGE = 1 << 28  # from here on an integer takes 64 random bits, to keep the modulo fair
_SIGNIFICANT_BITS = {"float16": 11, "bfloat16": 8, "float32": 24, "float64": 53}


def uniform_(out: NDArray[Any], generator: Generator, low: float = 0.0, high: float = 1.0) -> None:
    """Fill with uniform numbers in [low, high): 24 random bits each, 53 in float64.

    Raises
    ------
    RuntimeError
        If `low` exceeds `high`, or the range overflows the dtype.
    """
    out = _real_view(_require_floating("uniform_", out))
    if not low <= high:
        raise RuntimeError(
            f"uniform_ expects to return a [from, to) range, but found from={low} > to={high}"
        )
    limits = np.finfo(np.float64 if out.dtype == np.float64 else np.float32)
    if not high - low <= float(limits.max):
        raise RuntimeError(
            f"uniform_: the range from={low} to={high} is wider than {out.dtype} can hold."
        )
    if out.dtype == np.float64:
        _fill(out, lambda count: _scaled_doubles(generator, count, low, high), generator)
        return

    edge_high, edge_low = out.dtype.type(high), out.dtype.type(low)

    def draw(count: int) -> NDArray[Any]:
        values = _scaled_singles(generator, count, low, high).astype(out.dtype, copy=False)
        # The cast or the last rounding may reach the open end of the interval.
        values[values == edge_high] = edge_low
        return values

    _fill(out, draw, generator)


def normal_(out: NDArray[Any], generator: Generator, mean: float = 0.0, std: float = 1.0) -> None:
    """Fill with normal numbers, by Box-Muller.

    Contiguous arrays of 16 elements or more go by blocks of 16; where the size is no multiple
    of 16, the last 16 elements are drawn again. All others go pair by pair in float64, and the
    second of a pair waits in the generator for the next call.
    """
    out = _require_floating("normal_", out)
    if not std >= 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std}")
    if out.dtype.kind == "c":
        out, std = _real_view(out), std / math.sqrt(2.0)
    with generator.lock:
        if out.size >= _BLOCK and out.flags.c_contiguous:
            _normal_by_blocks(out.reshape(-1), generator, mean, std)
        else:
            values = _normal_pair_by_pair(generator, out.size, mean, std)
            _store(out, values)


def random_(
    out: NDArray[Any], generator: Generator, low: int | None = None, high: int | None = None
) -> None:
    """Fill with integers: of [low, high), or of all that the dtype holds exactly and >= 0.

    With `low` only, [0, low). For the whole range of int64 give ``low=-2**63, high=2**63``.
    """
    if low is None:
        _random_over_dtype(out, generator)
        return
    base, end = (0, low) if high is None else (low, high)
    base, end = int(base), int(end)
    if base >= end:
        raise RuntimeError(f"random_: expects 'from' < 'to', got from={base} >= to={end}.")
    _check_bounds(out.dtype, base, end)
    span = end - base
    start = np.uint64(base % (1 << 64))

    def draw(count: int) -> NDArray[Any]:
        if span == 1 << 64:  # all bits, as they come
            return generator.words64(count).view(np.int64)
        if span < _WIDE_RANGE:
            drawn = (generator.words32(count) % np.uint32(span)).astype(np.uint64)
        else:
            drawn = generator.words64(count) % np.uint64(span)
        drawn += start  # modulo 2**64, as the sum of two's complement numbers
        return drawn.view(np.int64).astype(out.dtype)

    _fill(out, draw, generator)


def bernoulli_(out: NDArray[Any], generator: Generator, p: ArrayLike = 0.5) -> None:
    """Fill with ones and zeros; each element is one with probability `p`.

    A Python number takes 53 random bits for each element. An array of probabilities, which
    broadcasts against `out`, takes 53 if it is float64 and 24 otherwise.
    """
    if isinstance(p, int | float):
        chance = float(p)
        if not 0.0 <= chance <= 1.0:
            raise RuntimeError(f"bernoulli_: expects p in [0, 1], but got p={chance}.")
        _fill(out, lambda count: unit_doubles(generator, count) < chance, generator)
        return
    chances = np.asarray(p)
    if not bool(np.all((chances >= 0) & (chances <= 1))):
        raise RuntimeError("bernoulli_: expects every p in [0, 1]; some are outside or NaN.")
    spread = np.broadcast_to(chances, out.shape)
    ordered, order = _memory_order(out)
    spread = spread.transpose(order).reshape(-1)
    with generator.lock:
        if chances.dtype == np.float64:
            drawn = unit_doubles(generator, out.size) < spread
        else:
            drawn = _unit_singles(generator, out.size) < spread.astype(np.float32)
    ordered[...] = drawn.reshape(ordered.shape)


def exponential_(out: NDArray[Any], generator: Generator, rate: float = 1.0) -> None:
    """Fill with exponential numbers: `-log1p(-u) / rate`."""
    _require_floating("exponential_", out)
    if not rate > 0:
        raise RuntimeError(f"exponential_: expects lambda > 0.0, but found lambda={rate}.")
    _fill_by_libm(out, generator, lambda u: -1.0 / rate * math.log1p(-u))


def cauchy_(
    out: NDArray[Any], generator: Generator, median: float = 0.0, sigma: float = 1.0
) -> None:
    """Fill with Cauchy numbers: `median + sigma * tan(pi * (u - 1/2))`."""
    _require_floating("cauchy_", out)
    if not sigma > 0:
        raise RuntimeError(f"cauchy_: expects sigma > 0.0, but found sigma={sigma}.")

    def draw(count: int) -> NDArray[np.float64]:
        angles = math.pi * (unit_doubles(generator, count) - 0.5)
        return fused_multiply_add_64(sigma, map_with_libm(math.tan, angles), median)

    _fill(out, draw, generator)


def log_normal_(
    out: NDArray[Any], generator: Generator, mean: float = 1.0, std: float = 2.0
) -> None:
    """Fill with numbers whose logarithm is normal."""
    _require_floating("log_normal_", out)
    if not std > 0:
        raise RuntimeError(f"log_normal_ expects std > 0.0, but found std={std}")
    with generator.lock:
        values = _normal_pair_by_pair(generator, out.size, mean, std)
        _store(out, map_with_libm(math.exp, values))


def geometric_(out: NDArray[Any], generator: Generator, p: float) -> None:
    """Fill with the number of trials until the first success: `ceil(log(u) / log1p(-p))`."""
    if not 0.0 < p < 1.0:
        raise RuntimeError(f"geometric_: expects p in (0, 1), but got p={p}.")
    scale = math.log1p(-p)

    def transform(u: float) -> float:
        return math.ceil(math.log(u) / scale) if u > 0.0 else math.inf

    _fill_by_libm(out, generator, transform)


def unit_doubles(generator: Generator, count: int) -> NDArray[np.float64]:
    """Return `count` float64 numbers in [0, 1), of 53 bits: two words of the stream each."""
    words = generator.words64(count)
    words &= np.uint64((1 << 53) - 1)
    return words.astype(np.float64) * 2.0**-53


def _unit_singles(generator: Generator, count: int) -> NDArray[np.float32]:
    words = generator.words32(count)
    words &= np.uint32((1 << 24) - 1)
    values = words.astype(np.float32)
    values *= np.float32(2.0**-24)
    return values


def _scaled_singles(
    generator: Generator, count: int, low: float, high: float
) -> NDArray[np.float32]:
    values = _unit_singles(generator, count)
    start, end = np.float32(low), np.float32(high)
    if start == 0:
        values *= end
        return values
    return fused_multiply_add_32(values, end - start, start)


def _scaled_doubles(
    generator: Generator, count: int, low: float, high: float
) -> NDArray[np.float64]:
    values = unit_doubles(generator, count)
    if low == 0:
        values *= high
        return values
    return fused_multiply_add_64(values, high - low, low)


def _normal_by_blocks(flat: NDArray[Any], generator: Generator, mean: float, std: float) -> None:
    """Fill a contiguous vector of at least 16 elements, 16 at a time."""
    if flat.dtype == np.float64:
        draw: Callable[[Generator, int], NDArray[Any]] = unit_doubles
        transform: Callable[[NDArray[Any], float, float], NDArray[Any]] = normal_blocks_64
    else:
        draw, transform = _unit_singles, normal_blocks_32
    size = flat.size
    whole = size - size % _BLOCK
    for start in range(0, whole, _CHUNK):
        stop = min(start + _CHUNK, whole)
        drawn = draw(generator, stop - start).reshape(-1, _BLOCK)
        flat[start:stop] = transform(drawn, mean, std).reshape(-1)
    if whole == size:
        return
    if flat.dtype.itemsize >= 4:
        # The reference draws for the incomplete block too, before it starts the last 16 anew;
        # for half precision, which goes through a buffer, it does not.
        draw(generator, size - whole)
    last = draw(generator, _BLOCK).reshape(1, _BLOCK)
    flat[size - _BLOCK :] = transform(last, mean, std).reshape(-1)


def _normal_pair_by_pair(
    generator: Generator, count: int, mean: float, std: float
) -> NDArray[np.float64]:
    values: list[float] = []
    if count and generator.next_normal is not None:
        values.append(generator.next_normal)
        generator.next_normal = None
    pairs = (count - len(values) + 1) // 2
    uniforms = unit_doubles(generator, 2 * pairs).tolist()
    for first, second in zip(uniforms[::2], uniforms[1::2]):
        values.extend(normal_pair(first, second))
    if len(values) > count:
        generator.next_normal = values.pop()
    return fused_multiply_add_64(np.array(values, dtype=np.float64), std, mean)


def _random_over_dtype(out: NDArray[Any], generator: Generator) -> None:
    """Fill with integers from 0 to the largest, or to 2**digits for floating point."""
    dtype = out.dtype
    if dtype == np.bool_:
        _fill(out, lambda count: (generator.words32(count) & np.uint32(1)) != 0, generator)
        return
    if dtype.name in _SIGNIFICANT_BITS:
        span = (1 << _SIGNIFICANT_BITS[dtype.name]) + 1
    elif dtype.kind in "iu":
        span = int(np.iinfo(dtype).max) + 1
    else:
        raise NotImplementedError(f"random_: not implemented for {dtype}.")

    def draw(count: int) -> NDArray[Any]:
        if dtype.name in ("float64", "int64", "uint64"):
            words = generator.words64(count)
            return words if span == 1 << 64 else (words % np.uint64(span)).astype(dtype)
        narrow = generator.words32(count)
        return narrow if span == 1 << 32 else (narrow % np.uint32(span)).astype(dtype)

    _fill(out, draw, generator)


def _check_bounds(dtype: np.dtype[Any], base: int, end: int) -> None:
    """Refuse integers that an integer dtype cannot hold; floats round, as in the reference."""
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        lowest, highest = int(limits.min), int(limits.max)
    elif dtype == np.bool_:
        lowest, highest = 0, 1
    else:
        return
    for name, value in (("from", base), ("to - 1", end - 1)):
        if not lowest <= value <= highest:
            raise RuntimeError(f"random_: '{name}' = {value} is out of bounds for {dtype}.")


def _fill_by_libm(
    out: NDArray[Any], generator: Generator, transform: Callable[[float], float]
) -> None:
    """Fill through a float64 uniform and a scalar function of the C library."""
    _fill(out, lambda count: map_with_libm(transform, unit_doubles(generator, count)), generator)


def _fill(out: NDArray[Any], draw: Callable[[int], NDArray[Any]], generator: Generator) -> None:
    """Fill with what `draw(count)` returns, chunk by chunk, in the order of the memory."""
    with generator.lock:
        if out.flags.c_contiguous:
            flat = out.reshape(-1)
            for start in range(0, flat.size, _CHUNK):
                stop = min(start + _CHUNK, flat.size)
                flat[start:stop] = draw(stop - start)
        else:
            _store(out, draw(out.size))


def _store(out: NDArray[Any], values: NDArray[Any]) -> None:
    """Put a vector of values into `out`, in the order of its memory."""
    ordered, _ = _memory_order(out)
    ordered[...] = values.reshape(ordered.shape)


def _memory_order(out: NDArray[Any]) -> tuple[NDArray[Any], list[int]]:
    """Return `out` with its axes sorted from the largest stride to the smallest, and the order."""
    order = sorted(range(out.ndim), key=lambda axis: -abs(out.strides[axis]))
    return out.transpose(order), order


def _require_floating(operation: str, out: NDArray[Any]) -> NDArray[Any]:
    if out.dtype.kind not in "fc" and out.dtype.name not in _SIGNIFICANT_BITS:
        raise NotImplementedError(
            f"{operation}: needs a floating-point tensor, not {out.dtype}; "
            "fill a float tensor and cast it."
        )
    return out


def _real_view(out: NDArray[Any]) -> NDArray[Any]:
    """Return a complex array as one of its real and imaginary parts, on one more axis."""
    if out.dtype.kind != "c":
        return out
    return out[..., np.newaxis].view(out.real.dtype)
