"""What losses have in common: the reduction of their elements, and the deprecated ways to say it.

Read next: `regression_losses`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import fnx.numpy as jnp
from fnx_nn.tensor.dispatch import TensorOperation
from fnx_nn.tensor.elementary import require_tensor
from fnx_nn.tensor.tensor import Tensor

__all__ = ["loss_operation", "reduced", "reduction_of", "warn_of_sizes"]


def reduction_of(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """The reduction that a user asked for.

    Parameters
    ----------
    size_average, reduce : bool, optional
        Deprecated; where one is given, they decide.
    reduction : str
        ``"none"``, ``"mean"`` or ``"sum"``.

    Raises
    ------
    ValueError
        It is none of them.
    """
    if size_average is not None or reduce is not None:
        average = True if size_average is None else size_average
        reduces = True if reduce is None else reduce
        reduction = ("mean" if average else "sum") if reduces else "none"
        warnings.warn(
            "size_average and reduce args will be deprecated, please use "
            f"reduction='{reduction}' instead.",
            stacklevel=3,
        )
    if reduction == "elementwise_mean":
        warnings.warn(
            "reduction='elementwise_mean' is deprecated. Please use reduction='mean' instead.",
            stacklevel=3,
        )
        return "mean"
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return reduction


def reduced(values: Any, reduction: str) -> Any:
    """Losses as they are, their mean, or their sum.

    Parameters
    ----------
    values : Array
        One loss for each element.
    reduction : str
        ``"none"``, ``"mean"`` or ``"sum"``.
    """
    if reduction == "none":
        return values
    return jnp.mean(values) if reduction == "mean" else jnp.sum(values)


def loss_operation(function: Callable[..., Any], node: str) -> TensorOperation:
    """An operation that reduces, by its parameter `reduction`, what a function of arrays gives.

    Parameters
    ----------
    function : callable
        Gives one loss for each element.
    node : str
        Name of the node on the tape.
    """

    def operation(*arrays: Any, reduction: str, **params: Any) -> Any:
        return reduced(function(*arrays, **params), reduction)

    return TensorOperation(operation, node)


def warn_of_sizes(input: Tensor, target: Tensor) -> None:
    """Warn where a target is broadcast.

    Parameters
    ----------
    input, target : Tensor
        What is compared.
    """
    require_tensor(input, "loss")
    if require_tensor(target, "loss", "target")._data.shape != input._data.shape:
        warnings.warn(
            f"Using a target size ({target.size()}) that is different to the input size "
            f"({input.size()}). This will likely lead to incorrect results due to broadcasting. "
            "Please ensure they have the same size.",
            stacklevel=3,
        )
