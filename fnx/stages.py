"""The stages between a function and its compiled form (as `jax.stages`): see `fnx.jit`."""

from __future__ import annotations

from fnx.control.jit import JitFunction as Wrapped
from fnx.control.retracing import Cause
from fnx.control.stages import ArgInfo, Compiled, Lowered, MemoryStats, Traced

__all__ = ["ArgInfo", "Cause", "Compiled", "Lowered", "MemoryStats", "Traced", "Wrapped"]
