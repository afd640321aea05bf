"""What the tables of calls of `lax` are made of; needs NumPy only.

A table maps a public name to calls.  A function takes the root module of a peer (``jax`` or
``fnx``) and the operands; whatever tree it gives is compared leaf by leaf.  The operands that are
floating or complex are differentiated, as often as `Call.order` says.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Call", "Table", "complexes", "floats", "integers", "weights"]

NDArray = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Call:
    """One call of a function, with its operands.

    Parameters
    ----------
    function : callable
        ``function(root, *operands)``.
    operands : tuple of ndarray
        What is given to it.
    order : int
        How many derivatives are compared.
    """

    function: Callable[..., Any]
    operands: tuple[NDArray, ...]
    order: int = 2


Table = dict[str, list[Call]]


def _generator(shape: tuple[int, ...], salt: int) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(repr((shape, salt)).encode()))


def floats(*shape: int, low: float = -2.0, high: float = 2.0, salt: int = 0) -> NDArray:
    """Numbers between bounds, of three decimals, the same for the same shape and salt."""
    return np.round(_generator(shape, salt).uniform(low, high, shape), 3)


def complexes(*shape: int, salt: int = 0) -> NDArray:
    """Complex numbers."""
    return floats(*shape, salt=salt) + 1j * floats(*shape, salt=salt + 100)


def integers(*shape: int, low: int = -8, high: int = 9, salt: int = 0) -> NDArray:
    """Integers from a range, int32."""
    return _generator(shape, salt).integers(low, high, shape).astype(np.int32)


def weights(shape: tuple[int, ...], salt: int = 0) -> NDArray:
    """What results are multiplied by before they are summed, for derivatives."""
    count = int(np.prod(shape))
    return np.cos(1.0 + salt + np.arange(count, dtype=np.float64)).reshape(shape)
