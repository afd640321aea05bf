"""Primitives of `lax` that only place elements, made to take arrays of keys, too."""

from __future__ import annotations

from fnx.primitives import dynamic_slicing, joining, shaping, slicing
from fnx.transforms.structural import structural

__all__ = [
    "broadcast_in_dim", "concatenate", "dynamic_index_in_dim", "dynamic_slice",
    "dynamic_slice_in_dim", "dynamic_update_index_in_dim", "dynamic_update_slice",
    "dynamic_update_slice_in_dim", "index_in_dim", "rev", "slice", "slice_in_dim", "split",
    "squeeze", "transpose",
]  # fmt: skip

_operand = structural("operand")
_both = structural("operand", "update")

broadcast_in_dim = _operand(shaping.broadcast_in_dim)
rev = _operand(shaping.rev)
transpose = _operand(shaping.transpose)
concatenate = structural("operands")(joining.concatenate)
split = _operand(joining.split)
squeeze = structural("array")(joining.squeeze)
slice = _operand(slicing.slice)
slice_in_dim = _operand(slicing.slice_in_dim)
index_in_dim = _operand(slicing.index_in_dim)
dynamic_slice = _operand(dynamic_slicing.dynamic_slice)
dynamic_slice_in_dim = _operand(dynamic_slicing.dynamic_slice_in_dim)
dynamic_index_in_dim = _operand(dynamic_slicing.dynamic_index_in_dim)
dynamic_update_slice = _both(dynamic_slicing.dynamic_update_slice)
dynamic_update_slice_in_dim = _both(dynamic_slicing.dynamic_update_slice_in_dim)
dynamic_update_index_in_dim = _both(dynamic_slicing.dynamic_update_index_in_dim)
