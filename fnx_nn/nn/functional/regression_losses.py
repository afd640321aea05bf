"""Losses of numbers against numbers: squared and absolute errors, likelihoods.

Each but the Gaussian one is one operation on the tape, reduction included.
Read next: `classification_losses`; the modules are in `fnx_nn.nn.loss`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import fnx.numpy as jnp
from fnx_nn.autograd.modes import no_grad
from fnx_nn.dtypes import name_in_messages
from fnx_nn.nn.functional.loss_reduction import (
    loss_operation,
    reduced,
    reduction_of,
    warn_of_sizes,
)
from fnx_nn.tensor.dispatch import TensorOperation, apply
from fnx_nn.tensor.elementary import require_tensor
from fnx_nn.tensor.table import FUNCTIONS
from fnx_nn.tensor.tensor import Tensor

__all__ = [
    "gaussian_nll_loss",
    "huber_loss",
    "l1_loss",
    "mse_loss",
    "poisson_nll_loss",
    "smooth_l1_loss",
]


def _size(x: Any) -> Any:
    return x * jnp.sign(x)  # the derivative at 0 is 0


def _smooth(x: Any, y: Any, beta: float) -> Any:
    error = _size(x - y)
    return jnp.where(error < beta, error * error * (0.5 / beta), error - 0.5 * beta)


def _huber(x: Any, y: Any, delta: float) -> Any:
    error = _size(x - y)
    return jnp.where(error < delta, error * error * 0.5, (error - 0.5 * delta) * delta)


def _poisson(x: Any, y: Any, log_input: bool, full: bool, eps: float) -> Any:
    loss = jnp.exp(x) - y * x if log_input else x - y * jnp.log(x + eps)
    if full:
        large = y > 1
        safe = jnp.where(large, y, jnp.ones_like(y))
        stirling = safe * jnp.log(safe) - safe + jnp.log(safe * (2 * math.pi)) * 0.5
        loss = loss + jnp.where(large, stirling, jnp.zeros_like(stirling))
    return loss


def _weighted(function: Any, by_weights: bool) -> Any:
    """A loss times weights; its mean is by these, or plain."""

    def operation(x: Any, y: Any, weight: Any, reduction: str, **params: Any) -> Any:
        values = function(x, y, **params) * weight
        if reduction == "mean" and by_weights:
            return jnp.sum(values) / jnp.sum(weight)
        return reduced(values, reduction)

    return operation


_SQUARED, _ABSOLUTE = lambda x, y: jnp.square(x - y), lambda x, y: _size(x - y)
_OPERATIONS = {
    name: (
        loss_operation(function, node),
        TensorOperation(_weighted(function, name != "huber"), "DivBackward0"),
    )
    for name, function, node in (
        ("mse", _SQUARED, "MseLossBackward0"),
        ("l1", _ABSOLUTE, "MeanBackward0"),
        ("huber", _huber, "HuberLossBackward0"),
        ("smooth_l1", _smooth, "SmoothL1LossBackward0"),
        ("poisson", _poisson, "PoissonNllLossBackward0"),
    )
}


def _compare(
    name: str, input: Tensor, target: Tensor, reduction: str, weight: Tensor | None, **params: Any
) -> Tensor:
    x, y = require_tensor(input, name)._data, require_tensor(target, name, "target")._data
    try:
        np.broadcast_shapes(x.shape, y.shape)
    except ValueError:
        FUNCTIONS["sub"](input, target)  # says which sizes do not fit
    if x.dtype.kind in "biu" and y.dtype.kind in "biu":
        kind = name_in_messages(x.dtype)
        if name == "l1" and reduction == "mean":
            raise RuntimeError(
                "mean(): could not infer output dtype. Input dtype must be either a floating point "
                f"or complex dtype. Got: {kind}"
            )
        if name != "l1":
            raise NotImplementedError(f"\"{name}_cpu\" not implemented for '{kind}'")
    plain, weighted = _OPERATIONS[name]
    params["reduction"] = reduction
    if weight is None:
        out: Tensor = apply(plain, (input, target), params)
        return out
    if weight._data.shape != x.shape:
        raise ValueError("Weights and input must have the same size.")
    out = apply(weighted, (input, target, weight), params)
    return out


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """The squared error.

    Parameters
    ----------
    input, target : Tensor
        What is compared.
    size_average, reduce : bool, optional
        Deprecated.
    reduction : str
        ``"mean"``, ``"sum"``, or ``"none"``.
    weight : Tensor, optional
        Of each element; the mean is one by weights.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> torch.nn.functional.mse_loss(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]))
    tensor(2.)
    """
    warn_of_sizes(input, target)
    reduction = reduction_of(size_average, reduce, reduction)
    return _compare("mse", input, target, reduction, weight)


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """The absolute error.

    Parameters
    ----------
    input, target : Tensor
        What is compared.
    size_average, reduce : bool, optional
        Deprecated.
    reduction : str
        ``"mean"``, ``"sum"``, or ``"none"``.
    weight : Tensor, optional
        Of each element; the mean is one by weights.
    """
    warn_of_sizes(input, target)
    reduction = reduction_of(size_average, reduce, reduction)
    return _compare("l1", input, target, reduction, weight)


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """The squared error, scaled, up to ``beta``, and from there the absolute error.

    Parameters
    ----------
    input, target : Tensor
        What is compared.
    size_average, reduce : bool, optional
        Deprecated.
    reduction : str
        ``"mean"``, ``"sum"``, or ``"none"``.
    beta : float
        Where it changes.
    """
    warn_of_sizes(input, target)
    reduction = reduction_of(size_average, reduce, reduction)
    if beta < 0:
        raise RuntimeError("smooth_l1_loss does not support negative values for beta.")
    if beta == 0:
        return _compare("l1", input, target, reduction, None)
    return _compare("smooth_l1", input, target, reduction, None, beta=float(beta))


def huber_loss(
    input: Tensor,
    target: Tensor,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Tensor | None = None,
) -> Tensor:
    """Half the squared error up to ``delta``, and from there a straight line.

    Parameters
    ----------
    input, target : Tensor
        What is compared.
    reduction : str
        ``"mean"``, ``"sum"``, or ``"none"``.
    delta : float
        Where it changes.
    weight : Tensor, optional
        Of each element.
    """
    warn_of_sizes(input, target)
    reduction = reduction_of(None, None, reduction)
    if delta <= 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    return _compare("huber", input, target, reduction, weight, delta=float(delta))


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The negative log likelihood of counts, up to a constant.

    Parameters
    ----------
    input : Tensor
        Rates, or their logarithms.
    target : Tensor
        The counts.
    log_input : bool
        Whether `input` holds logarithms.
    full : bool
        Whether to add Stirling's approximation of the constant.
    size_average, reduce : bool, optional
        Deprecated.
    eps : float
        Added to rates before their logarithm is taken.
    reduction : str
        ``"mean"``, ``"sum"``, or ``"none"``.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    params = {"log_input": bool(log_input), "full": bool(full), "eps": float(eps)}
    return _compare("poisson", input, target, reduction, None, **params)


def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """The negative log likelihood of normal numbers, up to a constant.

    Parameters
    ----------
    input : Tensor
        Means.
    target : Tensor
        The numbers.
    var : Tensor or float
        Variances: of each element, or one for all along the last dimension.
    full : bool
        Whether to add the constant.
    eps : float
        The least variance.
    reduction : str
        ``"mean"``, ``"sum"``, or ``"none"``.
    """
    if isinstance(var, float):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        spread: Tensor = var * FUNCTIONS["ones_like"](input)
    else:
        spread = require_tensor(var, "gaussian_nll_loss", "var")
    if type(spread._data) is np.ndarray and (spread._data < 0).any():
        raise ValueError("var has negative entry/entries")
    if spread.shape != input.shape:
        different = [n for m, n in zip(input.shape, spread.shape) if m != n]
        if input.shape[:-1] == spread.shape:
            spread = spread.unsqueeze(-1)
        elif input.ndim != spread.ndim or sum(different) != 1:
            raise ValueError("var is of incorrect size")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not valid")
    spread = spread.clone()
    with no_grad():
        spread.clamp_(min=eps)
    loss: Tensor = 0.5 * (spread.log() + (input - target) ** 2 / spread)
    if full:
        loss = loss + 0.5 * math.log(2 * math.pi)
    if reduction == "none":
        return loss
    return loss.mean() if reduction == "mean" else loss.sum()
