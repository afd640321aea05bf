"""What `jax.experimental` has (`checkify`, `jet`, `ode`, `io_callback`), and `sparse_jacobian`."""

from fnx.control.callbacks import io_callback
from fnx.experimental import checkify, jet, ode, sparse_jacobian

__all__ = ["checkify", "io_callback", "jet", "ode", "sparse_jacobian"]
