"""The cost model of the cut: what computing an element costs, and what keeping it in memory costs.

All figures are nanoseconds on one core, rough on purpose: they only have to rank "compute it
again" against "write it and read it back" and against the price of one more kernel. Sizes count
elements. `reads` says how often an operand is read by an equation that computes its results
element by element; everything else follows from it. Read next: `fuse`, the only user.
"""

from __future__ import annotations

import math

from fnx.core.jaxpr import Eqn
from fnx.core.lowering import Element
from fnx.core.types import ShapedArray

__all__ = [
    "CALL",
    "element_of",
    "is_broadcast_of_outer_axes",
    "is_free",
    "is_light",
    "kept",
    "operations",
    "reads",
    "reduced_extent",
    "work",
]

#: Starting a kernel, and some of the time that it takes to compile one.
CALL = 300.0

_PER_BYTE = 0.05  # writing and reading back, between the second-level cache and memory
_LIGHT = 0.05  # an addition in float32, sixteen side by side
_HEAVY = 0.35  # an elementary function
_SLOW = 4.0  # one that the vector units do not help with

_LIGHT_NAMES = frozenset(
    """abs add and bitcast_convert_type ceil clamp convert_element_type copy eq floor ge gt imag
    is_finite iota le lt max min mul ne neg not or real select_n shift_left
    shift_right_arithmetic shift_right_logical sign sub xor reduce_precision square round
    stop_gradient optimization_barrier complex conj integer_pow population_count clz""".split()
)
_SLOW_NAMES = frozenset("digamma lgamma pow igamma igammac polygamma threefry2x32".split())
_FREE_NAMES = frozenset(("reshape", "squeeze", "expand_dims"))


def element_of(eqn: Eqn) -> Element | None:
    """The element rule of an equation's primitive, if it is lowered by one."""
    lower = eqn.primitive.lower
    return lower if isinstance(lower, Element) else None


def work(eqn: Eqn) -> float:
    """Computing one element of the result from its operands, all terms of a reduction included."""
    width = max((v.aval.dtype.itemsize for v in eqn.outputs), default=4) / 4
    name = eqn.primitive.name
    element = element_of(eqn)
    if element is not None and element.kind in ("reduce", "running"):
        return _LIGHT * width * max(reduced_extent(eqn), 1)
    if name in _SLOW_NAMES:
        return _SLOW * width
    if element is None or (element.kind == "scalar" and name not in _LIGHT_NAMES):
        return _HEAVY * width
    return _LIGHT * width


def is_light(eqn: Eqn) -> bool:
    """Whether an equation is a few instructions on elements at the same index."""
    element = element_of(eqn)
    return element is not None and element.kind == "scalar" and eqn.primitive.name in _LIGHT_NAMES


def operations(eqn: Eqn) -> int:
    """Additions, multiplications, ... of all elements; a call of an elementary function is one."""
    params, size = eqn.params, sum(v.aval.size for v in eqn.outputs)
    if eqn.primitive.name == "conv_general_dilated":
        weights = eqn.inputs[1].aval
        return 2 * size * weights.size // max(weights.shape[params["dimension_numbers"][1][0]], 1)
    if eqn.primitive.name == "dot_general":
        return 2 * size * reduced_extent(eqn)
    element = element_of(eqn)
    if element is not None and element.kind == "index":
        return 0
    return size * (reduced_extent(eqn) if element is not None and element.kind == "reduce" else 1)


def kept(aval: ShapedArray) -> float:
    """Writing an array and reading it back."""
    return 2 * _PER_BYTE * aval.size * aval.dtype.itemsize


def reduced_extent(eqn: Eqn) -> int:
    """How many terms one element of a reduction combines."""
    params = eqn.params
    if "window_dimensions" in params:
        return math.prod(params["window_dimensions"])
    if eqn.primitive.name == "dot_general":
        (contract, _), _ = params["dimension_numbers"]
        return math.prod(eqn.inputs[0].aval.shape[axis] for axis in contract)
    size = max((a.aval.size for a in eqn.inputs), default=0)
    return -(-size // max(eqn.outputs[0].aval.size, 1))


def reads(eqn: Eqn, operand: int) -> float:
    """How often each element of an operand is read when all of the results are computed."""
    aval = eqn.inputs[operand].aval
    result = eqn.outputs[0].aval
    element = element_of(eqn)
    if element is None or element.kind == "scalar" or aval.size == 0:
        return 1.0
    if element.kind == "reduce":
        return max(result.size * reduced_extent(eqn) / aval.size, 1.0)
    if element.kind == "running" or is_broadcast_of_outer_axes(eqn):
        return 1.0
    return max(result.size / aval.size, 1.0)


def is_broadcast_of_outer_axes(eqn: Eqn) -> bool:
    """Whether an equation repeats its operand along inner axes only.

    Then the operand's element belongs to an outer loop, and is computed once.
    """
    if eqn.primitive.name != "broadcast_in_dim":
        return False
    shape, places = eqn.params["shape"], eqn.params["broadcast_dimensions"]
    operand = eqn.inputs[0].aval.shape
    present = [p for n, p in zip(operand, places, strict=True) if n != 1]
    long = [k for k, n in enumerate(shape) if n != 1]
    return long[: len(present)] == present


def is_free(eqn: Eqn) -> bool:
    """Whether an equation only names the same elements in the same order: memory as it lies."""
    if len(eqn.outputs) != 1 or element_of(eqn) is None:
        return False
    name, result = eqn.primitive.name, eqn.outputs[0].aval
    if name in _FREE_NAMES:
        return True
    if name == "broadcast_in_dim":
        return eqn.inputs[0].aval.size == result.size
    if name == "transpose":
        order = [p for p in eqn.params["permutation"] if eqn.inputs[0].aval.shape[p] != 1]
        return order == sorted(order)
    return False
