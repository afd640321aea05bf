"""Linear systems given by a map (`jax.scipy.sparse`)."""

from fnx.scipy.sparse import linalg

__all__ = ["linalg"]
