"""Windows that taper a signal: bartlett, blackman, hamming, hanning.  Read next: `creation`."""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np

from fnx import dtypes
from fnx.numpy.creation import asarray

__all__ = ["bartlett", "blackman", "hamming", "hanning"]


def _window(name: str, function: Any, points: Any) -> Any:
    # The number of points is a shape, so that the window is a constant: NumPy computes it.
    try:
        count = index(points)
    except TypeError:
        raise TypeError(
            f"{name}: M must be an integer that is known when the function is traced, got "
            f"{points!r}. Pass a Python int, or mark the argument as static."
        ) from None
    return asarray(function(count), dtype=dtypes.default_dtype("f"))


def bartlett(M: int) -> Any:
    """The triangular window that is zero at both ends.

    Parameters
    ----------
    M : int
        How many points.
    """
    return _window("bartlett", np.bartlett, M)


def blackman(M: int) -> Any:
    """The Blackman window, the first three terms of a sum of cosines.

    Parameters
    ----------
    M : int
        How many points.
    """
    return _window("blackman", np.blackman, M)


def hamming(M: int) -> Any:
    """The Hamming window, a raised cosine on a pedestal of 0.08.

    Parameters
    ----------
    M : int
        How many points.
    """
    return _window("hamming", np.hamming, M)


def hanning(M: int) -> Any:
    """The Hann window, a raised cosine.

    Parameters
    ----------
    M : int
        How many points.
    """
    return _window("hanning", np.hanning, M)
