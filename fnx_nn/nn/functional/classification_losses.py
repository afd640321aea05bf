"""Losses of scores or probabilities against classes.

Each is one operation on the tape, reduction included. Targets outside of the classes are found
here, where their values are known.
Read next: `margin_losses`; the modules are in `fnx_nn.nn.loss`.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

import fnx.nn
import fnx.numpy as jnp
from fnx_nn.dtypes import name_in_messages
from fnx_nn.nn.functional.loss_reduction import loss_operation, reduced, reduction_of
from fnx_nn.nn.functional.window_sizes import listed
from fnx_nn.tensor.dispatch import TensorOperation, apply
from fnx_nn.tensor.elementary import require_tensor
from fnx_nn.tensor.tensor import Tensor

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "kl_div",
    "nll_loss",
]

_LEAST_LOGARITHM = -100.0


# --------------------------------------------------------------------------------- classes by index


def _of_classes(
    logs: Any, target: Any, weight: Any, ignore: int, reduction: str, smoothing: float
) -> Any:
    """Losses of logarithms of probabilities, classes along axis 1 (or 0, of one example)."""
    axis = 1 if logs.ndim > 1 else 0
    count = logs.shape[axis]
    target = target.astype(np.int64)
    keep = target != ignore
    safe = jnp.expand_dims(jnp.where(keep, target, jnp.zeros_like(target)), axis)
    picked = jnp.squeeze(jnp.take_along_axis(logs, safe, axis), axis)
    shape = [1] * logs.ndim
    shape[axis] = count
    if weight is None:
        factors = keep.astype(logs.dtype)
    else:
        factors = jnp.where(keep, jnp.take(weight, jnp.squeeze(safe, axis)), 0.0)
    losses = jnp.where(keep, -picked * factors, jnp.zeros_like(picked))
    if smoothing:
        spread = -logs if weight is None else -logs * jnp.reshape(weight, shape)
        spread = jnp.sum(spread, axis)
        spread = jnp.where(keep, spread, jnp.zeros_like(spread))
        losses = losses * (1 - smoothing) + spread * (smoothing / count)
    if reduction == "mean":
        return jnp.sum(losses) / jnp.sum(factors)
    return reduced(losses, reduction)


def _nll(x: Any, target: Any, *weight: Any, ignore: int, reduction: str) -> Any:
    return _of_classes(x, target, weight[0] if weight else None, ignore, reduction, 0.0)


def _cross_entropy(
    x: Any, target: Any, *weight: Any, ignore: int, reduction: str, smoothing: float
) -> Any:
    logs = fnx.nn.log_softmax(x, axis=1 if x.ndim > 1 else 0)
    return _of_classes(logs, target, weight[0] if weight else None, ignore, reduction, smoothing)


def _against_probabilities(
    x: Any, target: Any, *weight: Any, reduction: str, smoothing: float
) -> Any:
    axis = 1 if x.ndim > 1 else 0
    count = x.shape[axis]
    terms = fnx.nn.log_softmax(x, axis=axis)
    if smoothing:
        target = target * (1 - smoothing) + smoothing / count
    if weight:
        shape = [1] * x.ndim
        shape[axis] = count
        terms = terms * jnp.reshape(weight[0], shape)
    losses = -jnp.sum(terms * target, axis)
    if reduction == "mean":
        return jnp.sum(losses) / max(losses.size, 1)
    return reduced(losses, reduction)


_NLL = TensorOperation(_nll, "NllLossBackward0")
_NLL_2D = TensorOperation(_nll, "NllLoss2DBackward0")
_CROSS_ENTROPY = TensorOperation(_cross_entropy, "NllLossBackward0")
_CROSS_ENTROPY_2D = TensorOperation(_cross_entropy, "NllLoss2DBackward0")
_PROBABILITIES = TensorOperation(_against_probabilities, "DivBackward1")


def _check_classes(input: Tensor, target: Tensor, weight: Tensor | None, ignore: int) -> None:
    x, t = input._data, target._data
    if t.dtype not in (np.int64, np.uint8):
        raise RuntimeError(
            f"expected target dtype to be Long or Byte, but got {name_in_messages(t.dtype)}"
        )
    if not x.ndim:
        raise RuntimeError("input tensor should be 1D or 2D")
    classes = x.shape[1] if x.ndim > 1 else x.shape[0]
    if x.ndim > 1 and (not t.ndim or x.shape[0] != t.shape[0]):
        if not t.ndim:
            raise ValueError(f"Expected target of size [{x.shape[0]}], got []")
        raise ValueError(
            f"Expected input batch_size ({x.shape[0]}) to match target batch_size ({t.shape[0]})."
        )
    wanted = (x.shape[0], *x.shape[2:]) if x.ndim > 1 else ()
    if t.shape != wanted:
        if x.ndim == 1:
            raise RuntimeError(
                f"size mismatch (got input: {listed(x.shape)}, target: {listed(t.shape)})"
            )
        if x.ndim == 2:
            raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
        raise RuntimeError(f"Expected target size {listed(wanted)}, got {listed(t.shape)}")
    if weight is not None and weight._data.shape != (classes,):
        raise RuntimeError(
            f"weight tensor should be defined either for all {classes} classes or no classes but "
            f"got weight tensor of shape: {listed(weight._data.shape)}"
        )
    if weight is not None and weight._data.dtype != x.dtype:
        raise RuntimeError(
            f"expected scalar type {name_in_messages(x.dtype)} but found "
            f"{name_in_messages(weight._data.dtype)}"
        )
    if type(t) is np.ndarray and t.size:
        wrong = (t != ignore) & ((t < 0) | (t >= classes))
        if wrong.any():
            raise IndexError(f"Target {t[wrong].flat[0]} is out of bounds.")


def _operands(*tensors: Tensor | None) -> tuple[Tensor, ...]:
    return tuple([t for t in tensors if t is not None])


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The negative log likelihood of classes, given logarithms of probabilities.

    Parameters
    ----------
    input : Tensor
        (batch, classes, ...), or (classes).
    target : Tensor
        Indices of classes: (batch, ...), or 0-d.
    weight : Tensor, optional
        Of each class; the mean is one by weights.
    size_average, reduce : bool, optional
        Deprecated.
    ignore_index : int
        A target that does not count.
    reduction : str
        ``"mean"``, ``"sum"``, or ``"none"``.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> torch.nn.functional.nll_loss(torch.tensor([[-0.5, -2.0]]), torch.tensor([1]))
    tensor(2.)
    """
    reduction = reduction_of(size_average, reduce, reduction)
    require_tensor(input, "nll_loss")
    _check_classes(input, require_tensor(target, "nll_loss", "target"), weight, ignore_index)
    operation = _NLL if input._data.ndim < 3 else _NLL_2D
    params = {"ignore": int(ignore_index), "reduction": reduction}
    out: Tensor = apply(operation, _operands(input, target, weight), params)
    return out


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """The cross entropy of classes or of probabilities, given scores.

    Parameters
    ----------
    input : Tensor
        Scores: (batch, classes, ...), or (classes).
    target : Tensor
        Indices of classes, (batch, ...) or 0-d; or probabilities, as many as scores.
    weight : Tensor, optional
        Of each class.
    size_average, reduce : bool, optional
        Deprecated.
    ignore_index : int
        An index that does not count.
    reduction : str
        ``"mean"``, ``"sum"``, or ``"none"``.
    label_smoothing : float
        What part of the target is spread over all classes.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> torch.nn.functional.cross_entropy(torch.zeros(1, 2), torch.tensor([1]))
    tensor(0.6931)
    """
    reduction = reduction_of(size_average, reduce, reduction)
    x = require_tensor(input, "cross_entropy")._data
    t = require_tensor(target, "cross_entropy_loss", "target")._data
    if not 0.0 <= label_smoothing <= 1.0:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing:g}")
    params: dict[str, Any] = {"reduction": reduction, "smoothing": float(label_smoothing)}
    if x.shape == t.shape:
        if t.dtype.kind in "biu":
            raise RuntimeError(
                "Expected floating point type for target with class probabilities, got "
                f"{name_in_messages(t.dtype)}"
            )
        if ignore_index >= 0:
            raise RuntimeError("ignore_index is not supported for floating point target")
        classes = x.shape[1] if x.ndim > 1 else x.shape[0]
        if weight is not None and weight._data.shape != (classes,):
            raise RuntimeError(
                f"cross_entropy: weight tensor should be defined either for all {classes} classes "
                f"or no classes but got weight tensor of shape: {listed(weight._data.shape)}"
            )
        out: Tensor = apply(_PROBABILITIES, _operands(input, target, weight), params)
        return out
    _check_classes(input, target, weight, ignore_index)
    operation = _CROSS_ENTROPY if x.ndim < 3 else _CROSS_ENTROPY_2D
    params["ignore"] = int(ignore_index)
    out = apply(operation, _operands(input, target, weight), params)
    return out


# -------------------------------------------------------------------------------------- two classes


def _logarithm(x: Any) -> Any:
    """The logarithm, at least -100."""
    large = x > math.exp(_LEAST_LOGARITHM)
    safe = jnp.where(large, x, jnp.ones_like(x))
    return jnp.where(large, jnp.log(safe), jnp.full_like(x, _LEAST_LOGARITHM))


def _binary(x: Any, t: Any, *weight: Any) -> Any:
    loss = -(t * _logarithm(x) + (1 - t) * _logarithm(1 - x))
    return loss * weight[0] if weight else loss


def _log_sigmoid(x: Any) -> Any:
    below = x < 0
    return jnp.where(below, x, jnp.zeros_like(x)) - jnp.log1p(jnp.exp(jnp.where(below, x, -x)))


def _of_logits(x: Any, t: Any, *rest: Any, weighted: bool, positive: bool) -> Any:
    logs = _log_sigmoid(x)
    if positive:
        logs = logs * ((rest[-1] - 1) * t + 1)
    loss = (1 - t) * x - logs
    return loss * rest[0] if weighted else loss


_BINARY = loss_operation(_binary, "BinaryCrossEntropyBackward0")
_OF_LOGITS = loss_operation(_of_logits, "BinaryCrossEntropyWithLogitsBackward0")


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The cross entropy of two classes, given the probability of one.

    Logarithms are at least -100. At probabilities of exactly 0 and 1 a gradient is that of the
    function; PyTorch's has a least denominator there.

    Parameters
    ----------
    input : Tensor
        Probabilities.
    target : Tensor
        Probabilities, of the same shape.
    weight : Tensor, optional
        Of each element, broadcast.
    size_average, reduce : bool, optional
        Deprecated.
    reduction : str
        ``"mean"``, ``"sum"``, or ``"none"``.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    x = require_tensor(input, "binary_cross_entropy")._data
    t = require_tensor(target, "binary_cross_entropy", "target")._data
    if x.shape != t.shape:
        raise ValueError(
            f"Using a target size ({target.size()}) that is different to the input size "
            f"({input.size()}) is deprecated. Please ensure they have the same size."
        )
    if x.dtype != t.dtype:
        raise RuntimeError(
            f"Found dtype {name_in_messages(t.dtype)} but expected {name_in_messages(x.dtype)}"
        )
    if type(x) is np.ndarray and not bool(((x >= 0) & (x <= 1)).all()):
        raise RuntimeError("all elements of input should be between 0 and 1")
    out: Tensor = apply(_BINARY, _operands(input, target, weight), {"reduction": reduction})
    return out


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """The cross entropy of two classes, given the score of one, without overflow.

    Parameters
    ----------
    input : Tensor
        Scores: the sigmoid of them are probabilities.
    target : Tensor
        Probabilities, of the same shape.
    weight : Tensor, optional
        Of each element, broadcast.
    size_average, reduce : bool, optional
        Deprecated.
    reduction : str
        ``"mean"``, ``"sum"``, or ``"none"``.
    pos_weight : Tensor, optional
        Multiplies what the class itself costs; broadcast.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    require_tensor(input, "binary_cross_entropy_with_logits")
    require_tensor(target, "binary_cross_entropy_with_logits", "target")
    if input._data.shape != target._data.shape:
        raise ValueError(
            f"Target size ({target.size()}) must be the same as input size ({input.size()})"
        )
    params = {
        "reduction": reduction,
        "weighted": weight is not None,
        "positive": pos_weight is not None,
    }
    out: Tensor = apply(_OF_LOGITS, _operands(input, target, weight, pos_weight), params)
    return out


# --------------------------------------------------------------------------------------- divergence


def _divergence(x: Any, t: Any, log_target: bool) -> Any:
    if log_target:
        return jnp.exp(t) * (t - x)
    present = t > 0
    safe = jnp.where(present, t, jnp.ones_like(t))
    return jnp.where(present, t * jnp.log(safe), jnp.zeros_like(t)) - t * x


_DIVERGENCE = loss_operation(_divergence, "KlDivBackward0")


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """The Kullback-Leibler divergence, element by element.

    Parameters
    ----------
    input : Tensor
        Logarithms of probabilities.
    target : Tensor
        Probabilities, or their logarithms.
    size_average, reduce : bool, optional
        Deprecated.
    reduction : str
        ``"mean"``, ``"sum"``, ``"none"``, or ``"batchmean"``: the sum divided by the batch.
    log_target : bool
        Whether `target` holds logarithms.
    """
    legacy = size_average is not None or reduce is not None
    if not legacy and reduction == "mean":
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size."
            "'batchmean' divides only by the batch size, and aligns with the KL div math "
            "definition.'mean' will be changed to behave the same as 'batchmean' in the next major "
            "release.",
            stacklevel=2,
        )
    by_batch = reduction == "batchmean"
    found = reduction_of(size_average, reduce, "sum" if by_batch else reduction)
    params = {"reduction": found, "log_target": bool(log_target)}
    out: Tensor = apply(_DIVERGENCE, (input, target), params)
    return out / input.shape[0] if by_batch and not legacy and input.ndim else out
