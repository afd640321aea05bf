"""Finding the operation whose gradient went wrong.

In anomaly mode nodes remember the lines that made them; when one fails or gives NaN, these are
shown. Read next: `modes`.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from fnx_nn.ambient import ambient
from fnx_nn.tensor.tape import Node

__all__ = ["explain_failure", "refuse_nan"]


def explain_failure(node: Node) -> None:
    """Warn with the traceback of the forward call that made a node.

    Parameters
    ----------
    node : Node
        The one that failed.
    """
    lines = node.metadata.get("traceback_")
    where = (
        "Traceback of forward call that caused the error:\n" + "".join(lines)
        if lines
        else "No forward pass information available. Enable detect anomaly during forward pass for "
        "more "
        "information."
    )
    warnings.warn(f"Error detected in {node.name()}. {where}", UserWarning, stacklevel=4)


def refuse_nan(node: Node, gradients: Sequence[Any]) -> None:
    """Raise if a gradient holds NaN.

    Parameters
    ----------
    node : Node
        What gave the gradients.
    gradients : sequence
        Arrays, tensors or None.

    Raises
    ------
    RuntimeError
        Names the node and the number of the gradient.
    """
    if not ambient().check_nan:
        return
    for k, gradient in enumerate(gradients):
        data = getattr(gradient, "_data", gradient)
        if data is not None and data.dtype.kind in "fcV" and bool(np.isnan(data).any()):
            explain_failure(node)
            raise RuntimeError(f"Function '{node.name()}' returned nan values in its {k}th output.")
