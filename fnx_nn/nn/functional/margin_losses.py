"""Losses that ask for a margin: between classes, between pairs, between distances.

Read next: `distance`; the modules are in `fnx_nn.nn.loss`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import fnx.numpy as jnp
from fnx_nn.nn.functional.activation import logsigmoid
from fnx_nn.nn.functional.distance import pairwise_distance
from fnx_nn.nn.functional.loss_reduction import loss_operation, reduction_of
from fnx_nn.nn.functional.window_sizes import listed
from fnx_nn.tensor.dispatch import apply
from fnx_nn.tensor.elementary import require_tensor
from fnx_nn.tensor.table import FUNCTIONS
from fnx_nn.tensor.tensor import Tensor

__all__ = [
    "cosine_embedding_loss",
    "hinge_embedding_loss",
    "margin_ranking_loss",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "soft_margin_loss",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]

_COSINE_EPSILON = 1e-12


def _positive(x: Any) -> Any:
    """``max(x, 0)`` with derivative 1 at 0."""
    return jnp.where(x >= 0, x, jnp.zeros_like(x))


def _hinge(x: Any, t: Any, margin: float) -> Any:
    zero = jnp.zeros_like(x)
    return jnp.where(t != 1, _positive(margin - x), zero) + jnp.where(t != -1, x, zero)


def _ranking(x: Any, y: Any, t: Any, margin: float) -> Any:
    return _positive(-t * (x - y) + margin)


def _cosine(x: Any, y: Any, t: Any, margin: float) -> Any:
    axis = t.ndim
    product = jnp.sum(x * y, axis)
    first, second = (jnp.sum(v * v, axis) + _COSINE_EPSILON for v in (x, y))
    cosine = product / jnp.sqrt(first * second)
    zero = jnp.zeros_like(cosine)
    apart = _positive(cosine - margin)
    return jnp.where(t == 1, 1 - cosine, zero) + jnp.where(t == -1, apart, zero)


def _soft(x: Any, t: Any) -> Any:
    return jnp.log1p(jnp.exp(-t * x))


def _multi(x: Any, t: Any, *weight: Any, p: int, margin: float) -> Any:
    rows = x if x.ndim > 1 else x[None]
    wanted = jnp.reshape(t, (-1, 1))
    classes = rows.shape[1]
    behind = _positive(margin - jnp.take_along_axis(rows, wanted, 1) + rows)
    costs = behind * behind if p == 2 else behind
    if weight:
        costs = costs * jnp.take(weight[0], wanted)
    others = wanted != jnp.arange(classes)
    costs = jnp.sum(jnp.where(others, costs, jnp.zeros_like(costs)), 1) / classes
    return jnp.reshape(costs, t.shape)


def _multilabel(x: Any, t: Any) -> Any:
    rows, labels = (x, t) if x.ndim > 1 else (x[None], t[None])
    classes = rows.shape[1]
    valid = jnp.cumprod((labels >= 0).astype(jnp.int64), 1) > 0  # up to the first -1
    safe = jnp.where(valid, labels, jnp.zeros_like(labels))
    hits = (safe[:, :, None] == jnp.arange(classes)) & valid[:, :, None]
    others = ~jnp.any(hits, 1)
    behind = _positive(1 - jnp.take_along_axis(rows, safe, 1)[:, :, None] + rows[:, None, :])
    counted = valid[:, :, None] & others[:, None, :]
    costs = jnp.sum(jnp.where(counted, behind, jnp.zeros_like(behind)), (1, 2)) / classes
    return costs if x.ndim > 1 else costs[0]


_HINGE = loss_operation(_hinge, "MeanBackward0")
_RANKING = loss_operation(_ranking, "MeanBackward0")
_COSINE = loss_operation(_cosine, "MeanBackward0")
_SOFT = loss_operation(_soft, "SoftMarginLossBackward0")
_MULTI = loss_operation(_multi, "MultiMarginLossBackward0")
_MULTILABEL = loss_operation(_multilabel, "MultilabelMarginLossBackward0")


def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Distances of equal pairs, and what is left to the margin of different ones.

    Parameters
    ----------
    input : Tensor
        Distances.
    target : Tensor
        1: equal, -1: different.
    margin : float
        How far different pairs should be apart.
    size_average, reduce : bool, optional
        Deprecated.
    reduction : str
        ``"mean"``, ``"sum"``, or ``"none"``.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    params = {"margin": float(margin), "reduction": reduction}
    out: Tensor = apply(_HINGE, (input, target), params)
    return out


def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``max(0, -target * (input1 - input2) + margin)``.

    Parameters
    ----------
    input1, input2 : Tensor
        What is ranked.
    target : Tensor
        1: the first should be larger; -1: the second.
    margin : float
        By how much.
    size_average, reduce : bool, optional
        Deprecated.
    reduction : str
        ``"mean"``, ``"sum"``, or ``"none"``.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    if not input1.ndim == input2.ndim == target.ndim:
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"input1: {input1.size()}, input2: {input2.size()}, target: {target.size()} "
        )
    params = {"margin": float(margin), "reduction": reduction}
    out: Tensor = apply(_RANKING, (input1, input2, target), params)
    return out


def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """One minus the cosine of equal pairs, and the cosine beyond the margin of different ones.

    Parameters
    ----------
    input1, input2 : Tensor
        Vectors, or batches of them.
    target : Tensor
        1: equal, -1: different.
    margin : float
        The cosine that different pairs may have.
    size_average, reduce : bool, optional
        Deprecated.
    reduction : str
        ``"mean"``, ``"sum"``, or ``"none"``.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    rank = target.ndim
    if rank > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if not input1.ndim == input2.ndim == rank + 1:
        raise RuntimeError(
            f"{rank}D target tensor expects {rank + 1}D input tensors, but found inputs with sizes "
            f"{listed(input1.shape)} and {listed(input2.shape)}."
        )
    params = {"margin": float(margin), "reduction": reduction}
    out: Tensor = apply(_COSINE, (input1, input2, target), params)
    return out


def soft_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``log(1 + exp(-target * input))``.

    Parameters
    ----------
    input : Tensor
        Scores.
    target : Tensor
        1 or -1.
    size_average, reduce : bool, optional
        Deprecated.
    reduction : str
        ``"mean"``, ``"sum"``, or ``"none"``.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    if input._data.shape != target._data.shape:
        FUNCTIONS["sub"](input, target)  # says which sizes do not fit
    out: Tensor = apply(_SOFT, (input, target), {"reduction": reduction})
    return out


def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """How far the scores of other classes come closer than a margin to that of the target.

    Parameters
    ----------
    input : Tensor
        Scores: (batch, classes), or (classes).
    target : Tensor
        Indices of classes: (batch), or 0-d.
    p : int
        1, or 2 for squares.
    margin : float
        The margin.
    weight : Tensor, optional
        Of each class.
    size_average, reduce : bool, optional
        Deprecated.
    reduction : str
        ``"mean"``, ``"sum"``, or ``"none"``.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight.ndim != 1:
        raise ValueError("weight must be one-dimensional")
    x, t = require_tensor(input, "multi_margin_loss")._data, target._data
    if x.ndim not in (1, 2) or t.size != (x.shape[0] if x.ndim == 2 else 1):
        raise RuntimeError(
            f"inconsistent target size, expected {x.shape[0] if x.ndim == 2 else 1} but got "
            f"{listed(t.shape)}"
        )
    if type(t) is np.ndarray and t.size and not bool(((t >= 0) & (t < x.shape[-1])).all()):
        raise RuntimeError("target out of range")
    operands = (input, target) if weight is None else (input, target, weight)
    params = {"p": int(p), "margin": float(margin), "reduction": reduction}
    out: Tensor = apply(_MULTI, operands, params)
    return out


def multilabel_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """How far the scores of other classes come closer than 1 to those of the targets.

    Parameters
    ----------
    input : Tensor
        Scores: (batch, classes), or (classes).
    target : Tensor
        Indices of classes, in as many columns; those before the first -1 count.
    size_average, reduce : bool, optional
        Deprecated.
    reduction : str
        ``"mean"``, ``"sum"``, or ``"none"``.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    x, t = require_tensor(input, "multilabel_margin_loss")._data, target._data
    if x.shape != t.shape or x.ndim not in (1, 2):
        raise RuntimeError(f"inconsistent target size: {listed(t.shape)} for input of size: "
                           f"{listed(x.shape)}")  # fmt: skip
    if type(t) is np.ndarray and t.size and (t.min() < -1 or t.max() >= x.shape[-1]):
        raise RuntimeError("target out of range")
    out: Tensor = apply(_MULTILABEL, (input, target), {"reduction": reduction})
    return out


def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The mean over classes of binary cross entropies, given scores.

    Parameters
    ----------
    input : Tensor
        Scores, classes along the last dimension.
    target : Tensor
        0 or 1.
    weight : Tensor, optional
        Of each class.
    size_average, reduce : bool, optional
        Deprecated.
    reduction : str
        ``"mean"``, ``"sum"``, or ``"none"``.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    loss = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    if weight is not None:
        loss = loss * weight
    loss = loss.sum(dim=-1) / input.shape[-1]
    if reduction == "none":
        return loss
    result: Tensor = loss.mean() if reduction == "mean" else loss.sum()
    return result


# ----------------------------------------------------------------------------------------- triplets


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """How much closer than the margin a different example is than an equal one.

    Parameters
    ----------
    anchor, positive, negative : Tensor
        Vectors along the last dimension: examples, equal ones, different ones.
    margin : float
        The margin.
    p : float
        Of the norm.
    eps : float
        Added to differences.
    swap : bool
        Whether the distance from equal to different counts where it is smaller.
    size_average, reduce : bool, optional
        Deprecated.
    reduction : str
        ``"mean"``, ``"sum"``, or ``"none"``.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    return triplet_margin_with_distance_loss(
        anchor,
        positive,
        negative,
        distance_function=lambda x, y: pairwise_distance(x, y, p, eps),
        margin=margin,
        swap=swap,
        reduction=reduction,
    )


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """`triplet_margin_loss` with any distance.

    Parameters
    ----------
    anchor, positive, negative : Tensor
        Examples, equal ones, different ones.
    distance_function : callable, optional
        Of two tensors; `pairwise_distance` if left out.
    margin : float
        The margin.
    swap : bool
        Whether the distance from equal to different counts where it is smaller.
    reduction : str
        ``"mean"``, ``"sum"``, or ``"none"``.
    """
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    ranks = anchor.ndim, positive.ndim, negative.ndim
    if len(set(ranks)) > 1:
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of "
            f"dimensions, but got: anchor {ranks[0]}D, positive {ranks[1]}D, and negative "
            f"{ranks[2]}D inputs"
        )
    distance = pairwise_distance if distance_function is None else distance_function
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = FUNCTIONS["minimum"](far, distance(positive, negative))
    loss = (margin + near - far).clamp(min=0)
    if reduction == "none":
        return loss
    result: Tensor = loss.mean() if reduction == "mean" else loss.sum()
    return result
