"""All families of operations, imported for their rows.

Whoever adds a family adds it here. `fnx_nn` exports the functions.
"""

from __future__ import annotations

from fnx_nn.autograd import hooks as _hooks
from fnx_nn.tensor import (
    arithmetic,
    comparison,
    conversion,
    creation,
    elementary,
    indexing,
    joining,
    parts,
    printing,
    products,
    random,
    ranges,
    reductions,
    selection,
    shapes,
    softmax,
    sorting,
    statistics,
)
from fnx_nn.tensor.table import FUNCTIONS

__all__ = ["FAMILIES", "FUNCTIONS"]

FAMILIES = (
    arithmetic,
    comparison,
    conversion,
    creation,
    elementary,
    indexing,
    joining,
    parts,
    printing,
    products,
    random,
    ranges,
    reductions,
    selection,
    shapes,
    softmax,
    sorting,
    statistics,
    _hooks,
)
