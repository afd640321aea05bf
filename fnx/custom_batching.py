"""Functions with their own rule for a mapped axis (as `jax.custom_batching`)."""

from __future__ import annotations

from fnx.control.custom_vmap import custom_vmap, sequential_vmap

__all__ = ["custom_vmap", "sequential_vmap"]
