"""Random permutations and sampling from weights, with PyTorch's CPU algorithms.

In: a `Generator` and a size or weights. Out: int64 indices, the ones that PyTorch's `randperm`
and `multinomial` give from the same state.

Read next: `random_fill`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fnx_nn.generator import Generator
from fnx_nn.random_fill import exponential_, unit_doubles

__all__ = ["multinomial", "permutation"]

_MANY = (2**32 - 1) // 20  # from here on a permutation takes 64 random bits a step


def permutation(generator: Generator, n: int) -> NDArray[np.int64]:
    """Return a random permutation of 0, ..., n - 1 (Fisher and Yates, from the front).

    Examples
    --------
    >>> permutation(Generator().manual_seed(2), 5).tolist()
    [3, 4, 1, 0, 2]
    """
    if n < 0:
        raise RuntimeError(f"randperm: n must be non-negative, got {n}.")
    with generator.lock:
        draw = generator.words32 if n < _MANY else generator.words64
        words = draw(max(n - 1, 0)).astype(np.uint64)
    remaining = np.arange(n, 1, -1, dtype=np.uint64)
    partners = (words % remaining + np.arange(len(words), dtype=np.uint64)).tolist()
    result = list(range(n))
    for index, partner in enumerate(partners):
        result[index], result[partner] = result[partner], result[index]
    return np.array(result, dtype=np.int64)


def multinomial(
    generator: Generator, weights: NDArray[Any], count: int, replacement: bool = False
) -> NDArray[np.int64]:
    """Return `count` indices per row of `weights`, each drawn with the weight's probability.

    Parameters
    ----------
    generator : Generator
        Where the random numbers come from.
    weights : ndarray
        Non-negative floating-point weights of shape (n,) or (rows, n); rows need not sum to one.
    count : int
        How many indices to draw from each row.
    replacement : bool
        Whether an index may come more than once.

    Returns
    -------
    ndarray
        int64, of shape (count,) or (rows, count).

    Notes
    -----
    Without replacement the indices of the largest `weight / exponential` are taken, largest
    first; with replacement the cumulative distribution is searched.
    """
    weights = np.asarray(weights)
    _check_weights(weights, count, replacement)
    with generator.lock:
        if replacement and count > 1:
            return _with_replacement(generator, weights, count)
        race = np.empty(weights.shape, dtype=weights.dtype)
        exponential_(race, generator)
    with np.errstate(divide="ignore", invalid="ignore"):
        np.divide(weights, race, out=race)
    if count == 1:
        return np.argmax(race, axis=-1, keepdims=True).astype(np.int64)
    order = np.argsort(-race, axis=-1, kind="stable")
    return order[..., :count].astype(np.int64)


def _with_replacement(generator: Generator, weights: NDArray[Any], count: int) -> NDArray[np.int64]:
    rows = np.atleast_2d(weights)
    cumulative = np.cumsum(rows, axis=-1, dtype=rows.dtype)
    cumulative = cumulative / cumulative[:, -1:]
    cumulative[:, -1] = 1
    result = np.empty((rows.shape[0], count), dtype=np.int64)
    for row, distribution in enumerate(cumulative):
        result[row] = np.searchsorted(
            distribution.astype(np.float64), unit_doubles(generator, count), side="left"
        )
    return result.reshape((*weights.shape[:-1], count))


def _check_weights(weights: NDArray[Any], count: int, replacement: bool) -> None:
    if weights.ndim not in (1, 2):
        raise RuntimeError(
            f"multinomial: the weights must have 1 or 2 dimensions, they have {weights.ndim}."
        )
    if weights.dtype.kind != "f" and weights.dtype.name != "bfloat16":
        raise RuntimeError(
            f"multinomial: expects floating-point weights, but got {weights.dtype}; cast them."
        )
    if count <= 0:
        raise RuntimeError(f"multinomial: cannot draw {count} samples; draw 1 or more.")
    categories = weights.shape[-1]
    if not replacement and count > categories:
        raise RuntimeError(
            f"multinomial: cannot draw {count} of {categories} categories without replacement; "
            "draw fewer, or pass replacement=True."
        )
    if not bool(np.all(np.isfinite(weights) & (weights >= 0))):
        raise RuntimeError("multinomial: the weights contain inf, nan or an element < 0.")
    if not bool(np.all(weights.sum(axis=-1) > 0)):
        raise RuntimeError(
            "multinomial: the weights of a row sum to zero, so nothing can be drawn."
        )
