"""Results and derivatives of one call, as lists of ndarrays; the same code for JAX and for fnx."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.support.lax_calls import Call, NDArray, weights
from tests.support.lax_cases import ELEMENTS, SHAPES
from tests.support.lax_heavy_cases import (
    CONTROL,
    CONVOLUTIONS,
    GATHERING,
    PRODUCTS,
    REDUCTIONS,
)

__all__ = ["CALLS", "derivatives", "values"]

CALLS = {
    **ELEMENTS, **SHAPES, **PRODUCTS, **CONVOLUTIONS, **REDUCTIONS, **GATHERING, **CONTROL,
}  # fmt: skip


def values(root: Any, call: Call) -> list[NDArray]:
    """The leaves of the result, of NumPy operands."""
    return [np.asarray(v) for v in root.tree.leaves(call.function(root, *call.operands))]


def _weighted(root: Any, tree: Any, salt: int) -> Any:
    """The sum of all inexact elements with weights; the real part of complex ones."""
    total = np.float64(0.0)
    for leaf in root.tree.leaves(tree):
        if getattr(leaf, "dtype", np.dtype(int)).kind in "fc":
            total = total + root.numpy.sum(root.numpy.real(leaf * weights(leaf.shape, salt)))
    return total


def derivatives(
    root: Any, call: Call, order: int, wrap: Callable[[Any], Any] = lambda function: function
) -> list[NDArray]:
    """Gradients of the weighted result, and of those gradients, weighted again.

    Parameters
    ----------
    root : module
        ``jax`` or ``fnx``.
    call : Call
        With at least one inexact operand.
    order : int
        1 or 2.
    wrap : callable, optional
        What makes the function quicker to call (``jax.jit``).
    """
    places = [k for k, x in enumerate(call.operands) if np.asarray(x).dtype.kind in "fc"]

    def scalar(*inexact: Any) -> Any:
        operands = list(call.operands)
        for k, x in zip(places, inexact):
            operands[k] = x
        return _weighted(root, call.function(root, *operands), 0)

    argnums = tuple(range(len(places)))
    function = root.grad(scalar, argnums)
    if order == 2:
        first = function
        function = root.grad(lambda *xs: _weighted(root, first(*xs), 1), argnums)
    inexact = [root.numpy.asarray(call.operands[k]) for k in places]
    return [np.asarray(g) for g in wrap(function)(*inexact)]
