"""`rng_bit_generator`: bits from a key and a counter, by two counter-based generators.

Both work as XLA's: the state holds a key of 64 bits and a counter of 64 bits, each block of the
counter gives two (threefry) or four (philox) words, and the counter moves on by the blocks used.
Source: Salmon, Moraes, Dror and Shaw, *Parallel random numbers: as easy as 1, 2, 3* (2011).
"""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fnx import dtypes
from fnx.core.conversion import as_value
from fnx.errors import ArgumentTypeError, ArgumentValueError
from fnx.primitives.arithmetic import add, mul
from fnx.primitives.bits import (
    bitwise_or,
    bitwise_xor,
    mulhi,
    shift_left,
    shift_right_logical,
    threefry2x32,
)
from fnx.primitives.cast import convert_element_type
from fnx.primitives.comparison import lt
from fnx.primitives.iota import iota
from fnx.primitives.joining import concatenate
from fnx.primitives.shaping import broadcast_in_dim, full, reshape
from fnx.primitives.slicing import slice as slice_

__all__ = ["RandomAlgorithm", "rng_bit_generator"]

WORD = np.dtype(np.uint32)


class RandomAlgorithm(enum.IntEnum):
    """Which generator; the default one is philox, as on XLA's CPU."""

    RNG_DEFAULT = 0
    RNG_THREE_FRY = 1
    RNG_PHILOX = 2


def rng_bit_generator(
    key: Any,
    shape: Sequence[int],
    dtype: Any = np.uint32,
    algorithm: RandomAlgorithm = RandomAlgorithm.RNG_DEFAULT,
    *,
    out_sharding: Any = None,
) -> tuple[Any, Any]:
    """Random bits, and the state to go on with; `fnx.random` is the friendlier way.

    Parameters
    ----------
    key : Array
        The state: uint32 of shape (4,), or uint64 of shape (2,); first the key, then the counter.
    shape : sequence of int
        The extents of the bits.
    dtype : dtype
        An unsigned integer.
    algorithm : RandomAlgorithm
        The generator.
    out_sharding : None
        For programs written for JAX; there is one device.

    Returns
    -------
    key, bits : Array
        The next state, of the type of `key`, and the bits. They are those of JAX on the CPU.

    Examples
    --------
    >>> from fnx import numpy as jnp
    >>> state, bits = rng_bit_generator(jnp.arange(4, dtype="uint32"), (2,))
    >>> state
    Array([0, 1, 3, 3], dtype=uint32)
    """
    name = "rng_bit_generator"
    state = as_value(key, name, "key")
    if (state.dtype, state.shape) not in ((WORD, (4,)), (np.dtype(np.uint64), (2,))):
        raise ArgumentTypeError(
            f"{name}: key must be uint32 of shape (4,) or uint64 of shape (2,), got {state.aval!r}."
        )
    wanted = dtypes.check_user_dtype(dtype, name)
    if dtypes.kind_of(wanted) != "u" or wanted.itemsize not in (1, 2, 4, 8):
        raise ArgumentTypeError(f"{name}: dtype must be an unsigned integer, got {wanted.name}.")
    if out_sharding is not None:
        raise ArgumentValueError(f"{name}: out_sharding must be None. There is one device.")
    chosen = RandomAlgorithm(algorithm)
    size = tuple(int(n) for n in shape)
    words = _words(state)
    generate = _threefry if chosen == RandomAlgorithm.RNG_THREE_FRY else _philox
    bits, blocks = generate(words, size, wanted.itemsize == 8)
    counter = _advanced(words[2:], full((), blocks, WORD))[:2]
    if bits.dtype != wanted:
        bits = convert_element_type(bits, wanted)
    return _state([*words[:2], *counter], state.dtype), bits


def _words(state: Any) -> list[Any]:
    """Four scalars: low and high word of the key, and of the counter."""
    scalars = [reshape(slice_(state, (k,), (k + 1,)), ()) for k in range(state.shape[0])]
    if state.dtype == WORD:
        return scalars
    return [
        convert_element_type(part, WORD)
        for s in scalars
        for part in (s, shift_right_logical(s, full((), 32, s.dtype)))
    ]


def _state(words: Sequence[Any], dtype: np.dtype[Any]) -> Any:
    if dtype != WORD:
        words = [_wide(*words[:2]), _wide(*words[2:])]
    return concatenate([reshape(w, (1,)) for w in words], 0)


def _wide(low: Any, high: Any) -> Any:
    low, high = (convert_element_type(w, "uint64") for w in (low, high))
    return bitwise_or(low, shift_left(high, full(high.shape, 32, high.dtype)))


def _advanced(counter: Sequence[Any], steps: Any) -> tuple[Any, Any, Any]:
    """The counter after some steps, and whether it ran over."""
    low = add(counter[0], steps)
    carry = convert_element_type(lt(low, steps), WORD)
    high = add(counter[1], carry)
    return low, high, convert_element_type(lt(high, carry), WORD)


def _blocks(words: Sequence[Any], count: int) -> tuple[list[Any], tuple[Any, Any, Any]]:
    """The words of the key, and the counters (with what runs over), for each block."""
    wide = [broadcast_in_dim(w, (count,)) for w in words]
    return wide[:2], _advanced(wide[2:], iota(WORD, count))


def _threefry(words: Sequence[Any], size: tuple[int, ...], wide: bool) -> tuple[Any, int]:
    if wide:
        count = math.prod(size)
        keys, (low, high, _) = _blocks(words, count)
        return reshape(_wide(*threefry2x32(keys[0], keys[1], low, high)), size), count
    # The two words of a block are neighbours along the first even axis, or the longest one.
    axes = size or (1,)
    even = [k for k, n in enumerate(axes) if n % 2 == 0]
    along = even[0] if even else int(np.argmax(axes))
    half = (*axes[:along], -(-axes[along] // 2), *axes[along + 1 :])
    keys, (low, high, _) = _blocks(words, math.prod(half))
    pair = threefry2x32(keys[0], keys[1], low, high)
    apart = (*half[: along + 1], 1, *half[along + 1 :])
    joined = concatenate([reshape(w, apart) for w in pair], along + 1)
    whole = reshape(joined, (*half[:along], 2 * half[along], *half[along + 1 :]))
    return reshape(slice_(whole, (0,) * len(axes), axes), size), math.prod(half)


_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_INCREMENTS = (0x9E3779B9, 0xBB67AE85)


def _philox(words: Sequence[Any], size: tuple[int, ...], wide: bool) -> tuple[Any, int]:
    total = math.prod(size)
    count = -(-total // (2 if wide else 4))
    key, (low, high, carry) = _blocks(words, count)
    third = add(key[0], carry)
    fourth = add(key[1], convert_element_type(lt(third, carry), WORD))
    c = _philox4x32((low, high, third, fourth), (key[0], key[1]))
    outs = [_wide(c[0], c[1]), _wide(c[2], c[3])] if wide else list(c)
    joined = concatenate([reshape(w, (count, 1)) for w in outs], 1)
    flat = reshape(joined, (count * len(outs),))
    return reshape(slice_(flat, (0,), (total,)), size), count


def _philox4x32(counter: tuple[Any, ...], key: tuple[Any, ...]) -> tuple[Any, ...]:
    """Ten rounds of Philox 4x32."""
    shape = counter[0].shape
    first, second = (full(shape, m, WORD) for m in _MULTIPLIERS)
    for _ in range(10):
        a, b, c, d = counter
        counter = (
            bitwise_xor(bitwise_xor(mulhi(second, c), b), key[0]),
            mul(second, c),
            bitwise_xor(bitwise_xor(mulhi(first, a), d), key[1]),
            mul(first, a),
        )
        key = tuple(add(k, full(shape, n, WORD)) for k, n in zip(key, _INCREMENTS, strict=True))
    return counter
