"""Discrete distributions without loops: coins, signs, integers, classes, waiting times.

Read next: `counts`, those that need loops.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fnx import dtypes
from fnx import numpy as jnp
from fnx.errors import ArgumentTypeError, ArgumentValueError, ShapeError
from fnx.numpy.creation import shape_of
from fnx.numpy.manipulation import normal_axis
from fnx.numpy.promotion import promote_inexact
from fnx.primitives.rounding import rem
from fnx.primitives.shaping import full
from fnx.primitives.sorting import top_k
from fnx.random.arguments import check_shape, chosen_mode, integer_dtype, one_device
from fnx.random.keys import used
from fnx.random.words import Pair, child, gumbels, random_bits, signs, unit_floats

__all__ = ["bernoulli", "categorical", "geometric", "integers", "rademacher", "randint"]


def bernoulli(
    key: Any, p: Any = 0.5, shape: Any = None, mode: Any = "low", *, out_sharding: Any = None
) -> Any:
    """True with probability p.

    Parameters
    ----------
    key : key
        Not to be used again.
    p : array-like
        Probabilities.
    shape : sequence of int, optional
        The extents; that of `p` by default.
    mode : {"low", "high"}
        "high" to tell apart probabilities below the precision of one draw.
    out_sharding : None
        For programs written for JAX; there is one device.

    Examples
    --------
    >>> from fnx import random
    >>> random.bernoulli(random.key(0), 1.0)
    Array(True, dtype=bool)
    """
    one_device("bernoulli", out_sharding)
    mode = chosen_mode("bernoulli", mode)
    chance = jnp.asarray(p)
    wanted = dtypes.to_inexact_dtype(chance.dtype)
    size = chance.shape if shape is None else shape_of(shape)
    check_shape("bernoulli", size, p=chance)
    pair = used("bernoulli", key)
    if mode == "high":
        coarse, fine = unit_floats(pair, (2, *size), wanted)
        return jnp.less(fine * 2.0 ** -dtypes.finfo(wanted).nmant, chance - coarse)
    return jnp.less(unit_floats(pair, size, wanted), chance)


def rademacher(key: Any, shape: Any = (), dtype: Any = None, *, out_sharding: Any = None) -> Any:
    """-1 or 1, equally likely.

    Parameters
    ----------
    key : key
        Not to be used again.
    shape : sequence of int
        The extents.
    dtype : dtype, optional
        Any; int32 by default (int64 under ``enable_x64``).
    out_sharding : None
        For programs written for JAX; there is one device.

    Examples
    --------
    >>> from fnx import random
    >>> set(random.rademacher(random.key(0), (99,)).tolist()) == {-1, 1}
    True
    """
    one_device("rademacher", out_sharding)
    wanted = (
        dtypes.default_dtype("i") if dtype is None else dtypes.check_user_dtype(dtype, "rademacher")
    )
    return signs(used("rademacher", key), shape_of(shape), wanted)


def randint(
    key: Any,
    shape: Any,
    minval: Any,
    maxval: Any,
    dtype: Any = None,
    *,
    out_sharding: Any = None,
) -> Any:
    """Integers spread evenly over ``[minval, maxval)``.

    Parameters
    ----------
    key : key
        Not to be used again.
    shape : sequence of int
        The extents.
    minval, maxval : array-like of int
        The range; broadcast to the shape.
    dtype : dtype, optional
        An integer; int32 by default (int64 under ``enable_x64``).
    out_sharding : None
        For programs written for JAX; there is one device.

    Examples
    --------
    >>> from fnx import random
    >>> bool((random.randint(random.key(0), (9,), 0, 3) < 3).all())
    True
    """
    one_device("randint", out_sharding)
    asked = (
        dtypes.default_dtype("i") if dtype is None else dtypes.check_user_dtype(dtype, "randint")
    )
    wanted = np.dtype(asked)
    if wanted.kind not in "iu":
        raise ArgumentTypeError(f"randint: dtype must be an integer, got {wanted.name}.")
    size = shape_of(shape)
    low, high = jnp.asarray(minval), jnp.asarray(maxval)
    check_shape("randint", size, minval=low, maxval=high)
    if low.dtype.kind not in "iu" or high.dtype.kind not in "iu":
        raise ArgumentTypeError(
            f"randint: minval and maxval must be integers, got {low.aval!r} and {high.aval!r}."
        )
    return integers(used("randint", key), size, low, high, wanted)


def integers(pair: Pair, size: tuple[int, ...], low: Any, high: Any, wanted: np.dtype[Any]) -> Any:
    """Integers spread over a range: remainders of twice as many bits, with little bias."""
    info = np.iinfo(wanted)
    if wanted.itemsize < 4:  # from 32 bits, which bias the result less
        low = jnp.clip(low.astype("int32"), int(info.min), int(info.max))
        high = jnp.clip(high.astype("int32"), int(info.min), int(info.max) + 1)
        return integers(pair, size, low, high, np.dtype(np.int32)).astype(wanted)
    fits = info.max <= np.iinfo(high.dtype).max
    over = jnp.greater(high, jnp.asarray(info.max, high.dtype) if fits else high)
    low, high = (jnp.broadcast_to(_clipped(x, wanted), size) for x in (low, high))
    width = wanted.itemsize * 8
    word = np.dtype(f"u{width // 8}")
    upper, lower = (random_bits(child(pair, k), width, size) for k in range(2))
    span = (high - low).astype(word)
    span = jnp.where(low >= high, jnp.ones((), word), span)
    span = jnp.where(
        jnp.logical_and(jnp.broadcast_to(over, size), high > low), span + jnp.ones((), word), span
    )
    factor = rem(full(size, 2 ** (width // 2), word), span)
    factor = rem(factor * factor, span)
    offset = rem(rem(upper, span) * factor + rem(lower, span), span)
    return low + offset.astype(wanted)


def _clipped(x: Any, wanted: np.dtype[Any]) -> Any:
    info, own = np.iinfo(wanted), np.iinfo(x.dtype)
    return jnp.clip(x, max(info.min, own.min), min(info.max, own.max)).astype(wanted)


def geometric(
    key: Any, p: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None
) -> Any:
    """Number of trials up to the first success, from 1 on.

    Parameters
    ----------
    key : key
        Not to be used again.
    p : array-like
        Probabilities of success.
    shape : sequence of int, optional
        The extents; that of `p` by default.
    dtype : dtype, optional
        An integer; int32 by default (int64 under ``enable_x64``).
    out_sharding : None
        For programs written for JAX; there is one device.

    Examples
    --------
    >>> from fnx import random
    >>> bool((random.geometric(random.key(0), 0.3, (9,)) >= 1).all())
    True
    """
    one_device("geometric", out_sharding)
    wanted = integer_dtype("geometric", dtype)
    (chance,) = promote_inexact("geometric", p)
    size = chance.shape if shape is None else shape_of(shape)
    check_shape("geometric", size, p=chance)
    u = unit_floats(used("geometric", key), size, chance.dtype)
    u = jnp.where(u == 0, jnp.ones((), u.dtype), u)
    return (jnp.floor(jnp.log(u) / jnp.log1p(-chance)) + 1).astype(wanted)


def categorical(
    key: Any,
    logits: Any,
    axis: int = -1,
    shape: Any = None,
    replace: bool = True,
    mode: Any = None,
    *,
    out_sharding: Any = None,
) -> Any:
    """Classes with probabilities ``softmax(logits)``.

    Parameters
    ----------
    key : key
        Not to be used again.
    logits : array-like
        Logarithms of weights.
    axis : int
        Of the classes.
    shape : sequence of int, optional
        Of the result; that of `logits` without the axis by default.
    replace : bool
        Whether a class may come several times for the same logits.
    mode : {"low", "high"}, optional
        As for `gumbel`.
    out_sharding : None
        For programs written for JAX; there is one device.

    Examples
    --------
    >>> from fnx import numpy as jnp, random
    >>> random.categorical(random.key(0), jnp.array([0., -jnp.inf]))
    Array(0, dtype=int32)
    """
    one_device("categorical", out_sharding)
    mode = chosen_mode("categorical", mode)
    (scores,) = promote_inexact("categorical", logits)
    place = normal_axis("categorical", axis, scores.ndim)
    batch = scores.shape[:place] + scores.shape[place + 1 :]
    size = batch if shape is None else shape_of(shape)
    lead = size[: len(size) - len(batch)]
    end = size[len(lead) :]
    if len(end) != len(batch) or any(n not in (1, m) for n, m in zip(batch, end, strict=True)):
        raise ShapeError(
            f"categorical: shape {size} must end with that of the logits without the axis, {batch}."
        )
    if not replace:
        return _distinct_classes(key, scores, place, lead, mode)
    inner = list(end)
    inner.insert(place, scores.shape[place])
    noise = gumbels(used("categorical", key), (*lead, *inner), scores.dtype, mode)
    return jnp.argmax(noise + scores, axis=place + len(lead))


def _distinct_classes(key: Any, scores: Any, place: int, lead: tuple[int, ...], mode: str) -> Any:
    """For each line the classes of the largest noisy scores, in front."""
    count, n = math.prod(lead), scores.shape[place]
    if count > n:
        raise ArgumentValueError(f"categorical: can't draw {count} different classes from {n}.")
    noise = gumbels(used("categorical", key), scores.shape, scores.dtype, mode)
    chosen = jnp.moveaxis(top_k(jnp.moveaxis(scores + noise, place, -1), count)[1], -1, 0)
    return jnp.reshape(chosen, (*lead, *chosen.shape[1:]))
