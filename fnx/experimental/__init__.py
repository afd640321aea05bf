"""What `jax.experimental` has: `jet`, `ode`, and `io_callback`."""

from fnx.control.callbacks import io_callback
from fnx.experimental import jet, ode

__all__ = ["io_callback", "jet", "ode"]
