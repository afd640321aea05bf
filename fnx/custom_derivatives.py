"""Functions with their own derivatives, and what belongs to them (as `jax.custom_derivatives`)."""

from __future__ import annotations

from fnx.control.custom_api import custom_gradient, custom_jvp, custom_vjp
from fnx.control.custom_linear_call import linear_call
from fnx.control.custom_rules import custom_jvp_p, custom_vjp_p
from fnx.control.symbolic_zeros import (
    CustomVJPPrimal,
    SymbolicZero,
    custom_vjp_primal_tree_values,
    zero_from_primal,
)
from fnx.control.tracing_api import closure_convert

custom_jvp_call_p = custom_jvp_p
custom_vjp_call_p = custom_vjp_p

__all__ = [
    "CustomVJPPrimal",
    "SymbolicZero",
    "closure_convert",
    "custom_gradient",
    "custom_jvp",
    "custom_jvp_call_p",
    "custom_vjp",
    "custom_vjp_call_p",
    "custom_vjp_primal_tree_values",
    "linear_call",
    "zero_from_primal",
]
