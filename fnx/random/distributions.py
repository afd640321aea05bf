"""Numbers drawn with a key.

Bits are JAX's; what is computed from them follows `jax.random`, so floats agree to rounding.
Distributions with parameters are differentiable in them where they're made by transforming uniform
numbers.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fnx import dtypes
from fnx import numpy as jnp
from fnx.errors import ShapeError
from fnx.numpy.creation import shape_of
from fnx.numpy.manipulation import normal_axis
from fnx.numpy.promotion import promote_inexact
from fnx.primitives.bits import bitwise_or, bitwise_xor, shift_left, shift_right_logical
from fnx.primitives.cast import bitcast_convert_type, convert_element_type, stop_gradient
from fnx.primitives.comparison import nextafter
from fnx.primitives.rounding import rem
from fnx.primitives.shaping import full
from fnx.primitives.sorting import sort, top_k
from fnx.primitives.special import erf, erf_inv
from fnx.random.keys import hashed_counters, raw, split

__all__ = [
    "bernoulli", "bits", "categorical", "choice", "exponential", "gumbel", "laplace", "logistic",
    "normal", "permutation", "rademacher", "randint", "truncated_normal", "uniform",
]  # fmt: skip


def _float(operation: str, dtype: Any) -> np.dtype[Any]:
    found = dtypes.default_dtype("f") if dtype is None else dtypes.check_user_dtype(dtype)
    if found is float:
        found = dtypes.default_dtype("f")
    if dtypes.kind_of(np.dtype(found)) != "f":
        raise ValueError(f"{operation}: dtype must be a float, got {np.dtype(found).name}.")
    return np.dtype(found)


def _check_options(operation: str, options: dict[str, Any], modes: tuple[str, ...] = ()) -> str:
    """The mode; anything else than its names and ``out_sharding=None`` is refused."""
    mode = options.pop("mode", None) if modes else None
    if mode is not None and mode not in modes:
        raise ValueError(f"{operation}: mode must be one of {modes}, got {mode!r}.")
    if options.pop("out_sharding", None) is not None or options:
        names = sorted(options) or ["out_sharding"]
        raise TypeError(f"{operation}: {', '.join(names)} can't be given. There is one device.")
    return mode or "low"


def _check_shape(operation: str, size: tuple[int, ...], *parameters: Any) -> None:
    for x in parameters:
        lead = len(size) - x.ndim
        if lead < 0 or any(n not in (1, m) for n, m in zip(x.shape, size[lead:], strict=True)):
            raise ShapeError(
                f"{operation}: the parameter {x.aval!r} doesn't broadcast to shape {size}. "
                "Give a shape that all parameters broadcast to."
            )


def _random_bits(key: Any, width: int, shape: tuple[int, ...]) -> Any:
    high, low = hashed_counters(key, shape)
    if width == 64:
        wide = shift_left(high.astype("uint64"), full(shape, 32, np.uint64))
        return bitwise_or(wide, low.astype("uint64"))
    word = bitwise_xor(high, low)
    return word if width == 32 else convert_element_type(word, np.dtype(f"u{width // 8}"))


def bits(key: Any, shape: Any = (), dtype: Any = None) -> Any:
    """Random bits as unsigned integers.

    Parameters
    ----------
    key : key
        Not to be used again.
    shape : sequence of int
        The extents.
    dtype : dtype, optional
        An unsigned integer; uint32 by default.

    Examples
    --------
    >>> from fnx import random
    >>> bits(random.PRNGKey(0), (2,)).dtype
    dtype('uint32')
    """
    wanted = np.dtype(np.uint32) if dtype is None else dtypes.check_user_dtype(dtype)
    if wanted.kind != "u":
        raise ValueError(f"bits: dtype must be an unsigned integer, got {wanted.name}.")
    return _random_bits(raw("bits", key), 8 * wanted.itemsize, shape_of(shape))


def uniform(
    key: Any,
    shape: Any = (),
    dtype: Any = None,
    minval: Any = 0.0,
    maxval: Any = 1.0,
    **options: Any,
) -> Any:
    """Numbers spread evenly over ``[minval, maxval)``.

    Parameters
    ----------
    key : key
        Not to be used again.
    shape : sequence of int
        The extents.
    dtype : dtype, optional
        A float; float32 by default.
    minval, maxval : array-like
        The range; broadcast to the shape.
    **options
        ``out_sharding``: accepted.

    Examples
    --------
    >>> from fnx import random
    >>> uniform(random.PRNGKey(0), (2,)).shape
    (2,)
    """
    _check_options("uniform", options)
    wanted, size = _float("uniform", dtype), shape_of(shape)
    info = dtypes.finfo(wanted)
    width = wanted.itemsize * 8
    drawn = 8 if info.nmant < 8 else width
    word = np.dtype(f"u{width // 8}")
    random = _random_bits(raw("uniform", key), drawn, size)
    mantissa = shift_right_logical(random, full(size, drawn - info.nmant, random.dtype)).astype(
        word
    )
    one = int(np.ones((), wanted).view(word))
    floats = bitcast_convert_type(bitwise_or(mantissa, full(size, one, word)), wanted)
    floats = floats - jnp.ones((), wanted)
    low, high = jnp.asarray(minval, wanted), jnp.asarray(maxval, wanted)
    _check_shape("uniform", size, low, high)
    return jnp.maximum(low, floats * (high - low) + low)


def normal(key: Any, shape: Any = (), dtype: Any = None, **options: Any) -> Any:
    """Numbers of the standard normal distribution.

    Parameters
    ----------
    key : key
        Not to be used again.
    shape : sequence of int
        The extents.
    dtype : dtype, optional
        A float; float32 by default.
    **options
        ``out_sharding``: accepted.

    Examples
    --------
    >>> from fnx import random
    >>> normal(random.PRNGKey(0), (2,)).shape
    (2,)
    """
    _check_options("normal", options)
    if dtype is not None and np.dtype(dtype).kind == "c":
        half = np.dtype(f"f{np.dtype(dtype).itemsize // 2}")
        first, second = split(key)
        parts = normal(first, shape, half), normal(second, shape, half)
        return ((parts[0] + 1j * parts[1]) / np.sqrt(2).item()).astype(dtype)
    wanted = _float("normal", dtype)
    low = np.nextafter(np.array(-1, wanted), np.array(0, wanted), dtype=wanted)
    u = uniform(key, shape, wanted, low, 1.0)
    return jnp.asarray(np.sqrt(2), wanted) * erf_inv(u)


def truncated_normal(
    key: Any, lower: Any, upper: Any, shape: Any = None, dtype: Any = None, **options: Any
) -> Any:
    """Standard normal numbers between two limits.

    Parameters
    ----------
    key : key
        Not to be used again.
    lower, upper : array-like
        The limits.
    shape : sequence of int, optional
        That of the limits by default.
    dtype : dtype, optional
        A float; float32 by default.
    **options
        ``out_sharding``: accepted.
    """
    _check_options("truncated_normal", options)
    wanted = _float("truncated_normal", dtype)
    low, high = jnp.asarray(lower, wanted), jnp.asarray(upper, wanted)
    size = jnp.broadcast_shapes(low.shape, high.shape) if shape is None else shape_of(shape)
    _check_shape("truncated_normal", size, low, high)
    root = jnp.asarray(np.sqrt(2), wanted)
    a, b = erf(low / root), erf(high / root)
    out = root * erf_inv(uniform(key, size, wanted, a, b))
    infinity = full(size, np.inf, wanted)
    # Rounding must not reach the limits; their derivatives are those of `out`.
    inner_low = nextafter(stop_gradient(jnp.broadcast_to(low, size)), infinity)
    inner_high = nextafter(stop_gradient(jnp.broadcast_to(high, size)), -infinity)
    return jnp.clip(out, inner_low, inner_high)


def randint(
    key: Any, shape: Any, minval: Any, maxval: Any, dtype: Any = None, **options: Any
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
        An integer; int32 by default.
    **options
        ``out_sharding``: accepted.

    Examples
    --------
    >>> from fnx import random
    >>> bool((randint(random.PRNGKey(0), (9,), 0, 3) < 3).all())
    True
    """
    wanted = (
        dtypes.default_dtype("i")
        if dtype is None or dtype is int
        else dtypes.check_user_dtype(dtype)
    )
    wanted = np.dtype(wanted)
    if wanted.kind not in "iu":
        raise TypeError(f"randint: dtype must be an integer, got {wanted.name}.")
    _check_options("randint", options)
    size = shape_of(shape)
    info = np.iinfo(wanted)
    low, high = jnp.asarray(minval), jnp.asarray(maxval)
    _check_shape("randint", size, low, high)
    if low.dtype.kind not in "iu" or high.dtype.kind not in "iu":
        raise TypeError(f"randint: limits must be integers, got {low.aval!r} and {high.aval!r}.")
    if wanted.itemsize < 4:  # from 32 bits, which bias the result less
        limits = (
            jnp.clip(low.astype("int32"), int(info.min), int(info.max)),
            jnp.clip(high.astype("int32"), int(info.min), int(info.max) + 1),
        )
        return randint(key, size, *limits, dtype="int32").astype(wanted)
    over = jnp.greater(
        high, jnp.asarray(info.max, high.dtype) if info.max <= np.iinfo(high.dtype).max else high
    )
    low = jnp.broadcast_to(
        jnp.clip(
            low, max(info.min, np.iinfo(low.dtype).min), min(info.max, np.iinfo(low.dtype).max)
        ).astype(wanted),
        size,
    )
    high = jnp.broadcast_to(
        jnp.clip(
            high, max(info.min, np.iinfo(high.dtype).min), min(info.max, np.iinfo(high.dtype).max)
        ).astype(wanted),
        size,
    )
    width = wanted.itemsize * 8
    word = np.dtype(f"u{width // 8}")
    first, second = split(raw("randint", key))
    upper, lower = _random_bits(first, width, size), _random_bits(second, width, size)
    span = (high - low).astype(word)
    span = jnp.where(low >= high, jnp.ones((), word), span)
    span = jnp.where(
        jnp.logical_and(jnp.broadcast_to(over, size), high > low), span + jnp.ones((), word), span
    )
    factor = rem(full(size, 2 ** (width // 2), word), span)
    factor = rem(factor * factor, span)
    offset = rem(rem(upper, span) * factor + rem(lower, span), span)
    return low + offset.astype(wanted)


def bernoulli(key: Any, p: Any = 0.5, shape: Any = None, **options: Any) -> Any:
    """True with probability p.

    Parameters
    ----------
    key : key
        Not to be used again.
    p : array-like
        Probabilities.
    shape : sequence of int, optional
        That of `p` by default.
    **options
        ``mode``: "low", or "high" to tell apart probabilities below the precision of one draw.

    Examples
    --------
    >>> from fnx import random
    >>> bernoulli(random.PRNGKey(0), 1.0)
    Array(True, dtype=bool)
    """
    mode = _check_options("bernoulli", options, ("low", "high"))
    chance = jnp.asarray(p)
    wanted = dtypes.to_inexact_dtype(chance.dtype)
    size = chance.shape if shape is None else shape_of(shape)
    _check_shape("bernoulli", size, chance)
    if mode == "high":
        coarse, fine = uniform(key, (2, *size), wanted)
        return jnp.less(fine * 2.0 ** -dtypes.finfo(wanted).nmant, chance - coarse)
    return jnp.less(uniform(key, size, wanted), chance)


def rademacher(key: Any, shape: Any = (), dtype: Any = None) -> Any:
    """-1 or 1.

    Parameters
    ----------
    key : key
        Not to be used again.
    shape : sequence of int
        The extents.
    dtype : dtype, optional
        int32 by default.
    """
    wanted = dtypes.default_dtype("i") if dtype is None else dtypes.check_user_dtype(dtype)
    coins = bernoulli(key, 0.5, shape)
    return (2 * coins.astype(wanted) - jnp.ones((), wanted)).astype(wanted)


def exponential(key: Any, shape: Any = (), dtype: Any = None) -> Any:
    """Waiting times of rate 1.

    Parameters
    ----------
    key : key
        Not to be used again.
    shape : sequence of int
        The extents.
    dtype : dtype, optional
        A float; float32 by default.
    """
    return -jnp.log1p(-uniform(key, shape, _float("exponential", dtype)))


def gumbel(key: Any, shape: Any = (), dtype: Any = None, **options: Any) -> Any:
    """Numbers of the standard Gumbel distribution.

    Parameters
    ----------
    key : key
        Not to be used again.
    shape : sequence of int
        The extents.
    dtype : dtype, optional
        A float; float32 by default.
    **options
        ``mode``: "low", or "high" for a longer tail.
    """
    mode = _check_options("gumbel", options, ("low", "high"))
    wanted, size = _float("gumbel", dtype), shape_of(shape)
    info = dtypes.finfo(wanted)
    tiny = float(info.tiny)
    if mode == "high":
        coarse, fine = uniform(key, (2, *size), wanted)
        u = jnp.where(coarse >= 0.5, coarse, coarse + 2.0**-info.nmant * fine + tiny)
        return -jnp.log(-jnp.log1p(-u))
    return -jnp.log(-jnp.log(uniform(key, size, wanted, tiny, 1.0)))


def laplace(key: Any, shape: Any = (), dtype: Any = None) -> Any:
    """Numbers of the standard Laplace distribution.

    Parameters
    ----------
    key : key
        Not to be used again.
    shape : sequence of int
        The extents.
    dtype : dtype, optional
        A float; float32 by default.
    """
    wanted = _float("laplace", dtype)
    u = uniform(key, shape, wanted, -1.0 + float(dtypes.finfo(wanted).epsneg), 1.0)
    return jnp.sign(u) * jnp.log1p(-jnp.abs(u))


def logistic(key: Any, shape: Any = (), dtype: Any = None) -> Any:
    """Numbers of the standard logistic distribution.

    Parameters
    ----------
    key : key
        Not to be used again.
    shape : sequence of int
        The extents.
    dtype : dtype, optional
        A float; float32 by default.
    """
    wanted = _float("logistic", dtype)
    u = uniform(key, shape, wanted, float(dtypes.finfo(wanted).tiny), 1.0)
    return jnp.log(u) - jnp.log1p(-u)


def categorical(
    key: Any,
    logits: Any,
    axis: int = -1,
    shape: Any = None,
    replace: bool = True,
    **options: Any,
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
    **options
        ``mode``: as for `gumbel`.
    """
    mode = _check_options("categorical", options, ("low", "high"))
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
    inner = list(size[len(lead) :])
    inner.insert(place, scores.shape[place])
    noise = gumbel(key, (*lead, *inner), scores.dtype, mode=mode)
    return jnp.argmax(noise + scores, axis=place + len(lead))


def _distinct_classes(key: Any, scores: Any, place: int, lead: tuple[int, ...], mode: str) -> Any:
    """For each line the classes of the largest noisy scores, in front."""
    count, n = math.prod(lead), scores.shape[place]
    if count > n:
        raise ValueError(f"categorical: can't draw {count} different classes from {n}.")
    noisy = jnp.moveaxis(scores + gumbel(key, scores.shape, scores.dtype, mode=mode), place, -1)
    chosen = jnp.moveaxis(top_k(noisy, count)[1], -1, 0)
    return jnp.reshape(chosen, (*lead, *chosen.shape[1:]))


def permutation(key: Any, x: Any, axis: int = 0, independent: bool = False, **options: Any) -> Any:
    """An array, or the numbers below an integer, in random order.

    Parameters
    ----------
    key : key
        Not to be used again.
    x : int or array-like
        What is reordered.
    axis : int
        Along which axis.
    independent : bool
        Every line by itself.
    **options
        ``out_sharding``: accepted.

    Examples
    --------
    >>> from fnx import random
    >>> sorted(permutation(random.PRNGKey(0), 3).tolist())
    [0, 1, 2]
    """
    _check_options("permutation", options)
    if isinstance(x, (int, np.integer)):
        return _shuffle(raw("permutation", key), jnp.arange(int(x)), 0)
    value = jnp.asarray(x)
    place = normal_axis("permutation", axis, value.ndim)
    if independent or value.ndim == 1:
        return _shuffle(raw("permutation", key), value, place)
    order = _shuffle(raw("permutation", key), jnp.arange(value.shape[place]), 0)
    return jnp.take(value, order, axis=place)


def _shuffle(key: Any, x: Any, axis: int) -> Any:
    # Sorting by random words; repeated, so that ties bias the order by less than 1 in size**2.
    rounds = math.ceil(3 * math.log(max(1, x.size)) / math.log(2**32 - 1))
    for _ in range(rounds):
        key, drawn = split(key)
        words = _random_bits(drawn, 32, x.shape)
        x = sort((words, x), dimension=axis, num_keys=1)[1]
    return x


def choice(
    key: Any,
    a: Any,
    shape: Any = (),
    replace: bool = True,
    p: Any = None,
    axis: int = 0,
    **options: Any,
) -> Any:
    """Elements drawn from an array, or from the numbers below an integer.

    Parameters
    ----------
    key : key
        Not to be used again.
    a : int or array-like
        What is drawn from.
    shape : sequence of int
        Of the draws.
    replace : bool
        Whether an element may come several times.
    p : array-like, optional
        Probabilities; equal by default.
    axis : int
        Along which axis.
    **options
        ``mode``: as for `gumbel`.
    """
    mode = _check_options("choice", options, ("low", "high"))
    size = shape_of(shape)
    count = math.prod(size)
    whole = isinstance(a, (int, np.integer))
    values = jnp.arange(int(a)) if whole else jnp.asarray(a)
    place = normal_axis("choice", axis, values.ndim)
    n = values.shape[place]
    if n == 0 and count:
        raise ValueError("choice: there is nothing to draw from.")
    if not replace and count > n:
        raise ValueError(f"choice: can't draw {count} different elements from {n}.")
    if p is None and replace:
        index = randint(key, size, 0, n)
    elif p is None:
        index = permutation(key, n)[:count].reshape(size)
    else:
        (weights,) = promote_inexact("choice", p)
        if weights.shape != (n,):
            raise ValueError(f"choice: p must have shape ({n},), got {weights.aval!r}.")
        if replace:
            total = jnp.cumsum(weights)
            r = total[-1] * (1 - uniform(key, size, weights.dtype))
            index = jnp.sum(jnp.less(total, jnp.expand_dims(r, -1)), axis=-1)
        else:
            scores = gumbel(key, (n,), weights.dtype, mode=mode) + jnp.log(weights)
            index = jnp.argsort(-scores)[:count].reshape(size)
    return index if whole else jnp.take(values, index, axis=place)
