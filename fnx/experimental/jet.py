"""Taylor mode (as `jax.experimental.jet`)."""

from fnx.transforms.jacobian import jet

__all__ = ["jet"]
