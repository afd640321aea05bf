"""Functions of `scipy` on arrays and tracers (`jax.scipy`)."""

from fnx.scipy import (
    fft,
    integrate,
    interpolate,
    linalg,
    ndimage,
    optimize,
    sparse,
    special,
    stats,
)

__all__ = [
    "fft",
    "integrate",
    "interpolate",
    "linalg",
    "ndimage",
    "optimize",
    "sparse",
    "special",
    "stats",
]
