"""The surface that facades stand on: operations on bare buffers, their pullbacks, own primitives.

A facade with mutable tensors keeps ndarrays, applies `Operation`s to them, saves what a `Pullback`
reads, and runs it backward. `borrow`, `adopt`, `own` and `buffer_of` say who may write to what.
`Primitive` and its slots are here for those who add operations of their own.
Read next: `operations`, `pullbacks`.
"""

from fnx import core
from fnx.core.lowering import Element, Host, Kernel
from fnx.core.primitive import Derived, Linear, Sample, Undefined, Zero
from fnx.core.types import ShapedArray
from fnx.core.user_primitive import UserPrimitive as Primitive
from fnx.extend.buffers import adopt, borrow, buffer_of, own
from fnx.extend.operations import Operation, evaluate
from fnx.extend.programs import Program
from fnx.extend.pullbacks import Pullback, pullback, pullback_of

__all__ = [
    "Derived",
    "Element",
    "Host",
    "Kernel",
    "Linear",
    "Operation",
    "Primitive",
    "Program",
    "Pullback",
    "Sample",
    "ShapedArray",
    "Undefined",
    "Zero",
    "adopt",
    "borrow",
    "buffer_of",
    "core",
    "evaluate",
    "own",
    "pullback",
    "pullback_of",
]
