"""What `jax.experimental` has: `jet`."""

from fnx.experimental import jet

__all__ = ["jet"]
