"""Checkpointing beyond `fnx.checkpoint` (as `jax.ad_checkpoint`): names, policies, what is kept."""

from __future__ import annotations

from fnx.control import policies as checkpoint_policies
from fnx.control.checkpoint import print_saved_residuals
from fnx.primitives.naming import checkpoint_name

__all__ = ["checkpoint_name", "checkpoint_policies", "print_saved_residuals"]
