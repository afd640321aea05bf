"""Functions of `scipy` on arrays and tracers (`jax.scipy`)."""

from fnx.scipy import fft, special

__all__ = ["fft", "special"]
