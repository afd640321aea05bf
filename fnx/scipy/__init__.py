"""Functions of `scipy` on arrays and tracers (`jax.scipy`)."""

from fnx.scipy import fft, linalg, special

__all__ = ["fft", "linalg", "special"]
