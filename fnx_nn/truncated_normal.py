"""Normal numbers cut to an interval, by rejection, as PyTorch's `nn.init.trunc_normal_`.

In: an array to be overwritten, a `Generator`, the normal's mean and deviation, the interval.
Out: nothing; the array holds what PyTorch 2.13 would have put there from the same state. Where
the interval holds a good part of the mass, whole arrays of normals are drawn until every element
was inside once; elsewhere uniform numbers are accepted with the density's ratio to its peak.

Read next: `random_fill`.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fnx_nn.generator import Generator
from fnx_nn.random_fill import normal_, uniform_

__all__ = ["truncated_normal_"]

_ENOUGH_MASS = 0.3  # below this, rejection from the normal itself would take too many rounds


def truncated_normal_(
    out: NDArray[Any],
    generator: Generator,
    mean: float = 0.0,
    std: float = 1.0,
    low: float = -2.0,
    high: float = 2.0,
) -> None:
    """Fill with numbers of the normal distribution conditioned on [low, high]."""
    if mean < low - 2 * std or mean > high + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. "
            "The distribution of values may be incorrect.",
            stacklevel=2,
        )
    mass = _normal_mass((high - mean) / std) - _normal_mass((low - mean) / std)
    with generator.lock:
        if mass > _ENOUGH_MASS:
            _reject_from_normal(out, generator, mean, std, low, high)
        else:
            _reject_from_uniform(out, generator, mean, std, low, high)


def _normal_mass(x: float) -> float:
    """Return the standard normal's distribution function at `x`."""
    return (1.0 + math.erf(x / math.sqrt(2.0))) / 2.0


def _reject_from_normal(
    out: NDArray[Any], generator: Generator, mean: float, std: float, low: float, high: float
) -> None:
    lowest, highest = out.dtype.type(low), out.dtype.type(high)
    normal_(out, generator, mean, std)
    outside = (out < lowest) | (out > highest)
    candidates = np.empty_like(out)
    while outside.any():
        normal_(candidates, generator, mean, std)
        np.copyto(out, candidates, where=outside)
        outside = (out < lowest) | (out > highest)


def _reject_from_uniform(
    out: NDArray[Any], generator: Generator, mean: float, std: float, low: float, high: float
) -> None:
    peak = -0.5 * ((max(low, min(mean, high)) - mean) / std) ** 2
    candidates, height = np.empty_like(out), np.empty_like(out)
    pending = np.ones(out.shape, dtype=np.bool_)
    while pending.any():
        uniform_(candidates, generator, low, high)
        np.copyto(out, candidates, where=pending)
        # log of the density over its value at the peak, which is at most 0
        log_ratio = ((candidates - mean) / std) ** 2 * -0.5 - peak
        uniform_(height, generator)
        with np.errstate(divide="ignore"):
            pending &= np.log(height) > log_ratio
