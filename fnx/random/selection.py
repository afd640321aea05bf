"""Orders and choices: `permutation` and `choice`.

Read next: `matrices`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fnx import numpy as jnp
from fnx.errors import ArgumentValueError
from fnx.numpy.creation import shape_of
from fnx.numpy.manipulation import normal_axis
from fnx.numpy.promotion import promote_inexact
from fnx.primitives.sorting import sort
from fnx.random.arguments import chosen_mode, one_device
from fnx.random.discrete import integers
from fnx.random.keys import used
from fnx.random.words import Pair, child, gumbels, random_bits, unit_floats

__all__ = ["choice", "permutation"]


def permutation(
    key: Any, x: Any, axis: int = 0, independent: bool = False, *, out_sharding: Any = None
) -> Any:
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
    out_sharding : None
        For programs written for JAX; there is one device.

    Examples
    --------
    >>> from fnx import random
    >>> sorted(random.permutation(random.key(0), 3).tolist())
    [0, 1, 2]
    """
    one_device("permutation", out_sharding)
    if isinstance(x, (int, np.integer)):
        return _shuffle(used("permutation", key), jnp.arange(int(x)), 0)
    value = jnp.asarray(x)
    place = normal_axis("permutation", axis, value.ndim)
    pair = used("permutation", key)
    if independent or value.ndim == 1:
        return _shuffle(pair, value, place)
    return jnp.take(value, _shuffle(pair, jnp.arange(value.shape[place]), 0), axis=place)


def _shuffle(pair: Pair, x: Any, axis: int) -> Any:
    # Sorting by random words; repeated, so that ties bias the order by less than 1 in size**2.
    rounds = math.ceil(3 * math.log(max(1, x.size)) / math.log(2**32 - 1))
    for _ in range(rounds):
        words = random_bits(child(pair, 1), 32, x.shape)
        x = sort((words, x), dimension=axis, num_keys=1)[1]
        pair = child(pair, 0)
    return x


def choice(
    key: Any,
    a: Any,
    shape: Any = (),
    replace: bool = True,
    p: Any = None,
    axis: int = 0,
    mode: Any = None,
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
    mode : {"low", "high"}, optional
        As for `gumbel`.

    Examples
    --------
    >>> from fnx import random
    >>> sorted(random.choice(random.key(0), 3, (3,), replace=False).tolist())
    [0, 1, 2]
    """
    mode = chosen_mode("choice", mode)
    size = shape_of(shape)
    count = math.prod(size)
    whole = isinstance(a, (int, np.integer))
    values = jnp.arange(int(a)) if whole else jnp.asarray(a)
    place = normal_axis("choice", axis, values.ndim)
    n = values.shape[place]
    if n == 0 and count:
        raise ArgumentValueError("choice: there is nothing to draw from.")
    if not replace and count > n:
        raise ArgumentValueError(f"choice: can't draw {count} different elements from {n}.")
    if p is None:
        pair = used("choice", key)
        if replace:
            index = integers(pair, size, jnp.asarray(0), jnp.asarray(n), jnp.arange(0).dtype)
        else:
            index = _shuffle(pair, jnp.arange(n), 0)[:count].reshape(size)
        return index if whole else jnp.take(values, index, axis=place)
    (weights,) = promote_inexact("choice", p)
    if weights.shape != (n,):
        raise ArgumentValueError(f"choice: p must have shape ({n},), got {weights.aval!r}.")
    pair = used("choice", key)
    if replace:
        total = jnp.cumsum(weights)
        r = total[-1] * (1 - unit_floats(pair, size, weights.dtype))
        index = jnp.sum(jnp.less(total, jnp.expand_dims(r, -1)), axis=-1)
    else:
        scores = gumbels(pair, (n,), weights.dtype, mode) + jnp.log(weights)
        index = jnp.argsort(-scores)[:count].reshape(size)
    return index if whole else jnp.take(values, index, axis=place)
