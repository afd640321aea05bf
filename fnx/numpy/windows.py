"""Windows that taper a signal: bartlett, blackman, hamming, hanning, kaiser.

Read next: `creation`.
"""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np

from fnx import dtypes
from fnx.errors import ArgumentTypeError
from fnx.numpy.creation import asarray
from fnx.numpy.promotion import promote_inexact
from fnx.numpy.ufuncs import exp, sqrt
from fnx.primitives.bessel import bessel_i0e

__all__ = ["bartlett", "blackman", "hamming", "hanning", "kaiser"]


def _window(name: str, function: Any, points: Any) -> Any:
    # The number of points is a shape, so that the window is a constant: NumPy computes it.
    try:
        count = index(points)
    except TypeError:
        raise ArgumentTypeError(
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


def kaiser(M: int, beta: Any) -> Any:
    """The Kaiser window, which comes close to concentrating most energy in the main lobe.

    Parameters
    ----------
    M : int
        How many points.
    beta : array-like
        The shape: 0 is rectangular.
    """
    (width,) = promote_inexact("kaiser", beta)
    points = _window("kaiser", lambda n: np.linspace(-1, 1, n) if n > 1 else np.zeros(n), M)
    points = points.astype(width.dtype)
    # Relative to its largest value, i0(beta) = exp(beta) i0e(beta), so that nothing overflows.
    argument = width * sqrt(1 - points * points)
    return exp(argument - width) * bessel_i0e(argument) / bessel_i0e(width)
