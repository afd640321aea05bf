"""Gradient clipping: by the norm of all gradients together, or element by element.

Everything happens outside of the tape, in place.
Read next: `fnx_nn.optim`.
"""

from __future__ import annotations

import math
import types
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np

from fnx_nn.ambient import changed
from fnx_nn.tensor.tensor import Tensor, wrap

__all__ = [
    "clip_grad_norm",
    "clip_grad_norm_",
    "clip_grad_value_",
    "clip_grads_with_norm_",
    "get_total_norm",
]


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale the gradients so that the norm of all of them together is at most `max_norm`.

    Parameters
    ----------
    parameters : Tensor or iterable of Tensor
        Whose gradients.
    max_norm : float
        The bound.
    norm_type : float
        Which norm.
    error_if_nonfinite : bool
        Whether a norm that is NaN or infinite raises.
    foreach : bool, optional
        Accepted.

    Returns
    -------
    Tensor
        The norm before.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> w = torch.nn.Parameter(torch.zeros(2))
    >>> w.grad = torch.tensor([3.0, 4.0])
    >>> clip_grad_norm_([w], 1.0), w.grad
    (tensor(5.), tensor([0.6000, 0.8000]))
    """
    generated = isinstance(parameters, types.GeneratorType)
    tensors = _listed(parameters)
    if generated and not tensors:
        warnings.warn(
            "`parameters` is an empty generator, no gradient clipping will occur.", stacklevel=2
        )
    total = get_total_norm(_gradients(tensors), norm_type, error_if_nonfinite, foreach)
    clip_grads_with_norm_(tensors, max_norm, total, foreach)
    return total


def clip_grad_norm(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The old name of `clip_grad_norm_`.

    Parameters
    ----------
    parameters : Tensor or iterable of Tensor
        Whose gradients.
    max_norm : float
        The bound.
    norm_type : float
        Which norm.
    error_if_nonfinite : bool
        Whether a norm that is NaN or infinite raises.
    foreach : bool, optional
        Accepted.
    """
    warnings.warn(
        "`torch.nn.utils.clip_grad_norm` is now deprecated in favor of "
        "`torch.nn.utils.clip_grad_norm_`.",
        FutureWarning,
        stacklevel=2,
    )
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


def get_total_norm(
    tensors: Tensor | Iterable[Tensor],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The norm of the elements of all tensors together.

    Parameters
    ----------
    tensors : Tensor or iterable of Tensor
        The tensors.
    norm_type : float
        Which norm.
    error_if_nonfinite : bool
        Whether a norm that is NaN or infinite raises.
    foreach : bool, optional
        Accepted.
    """
    found = _listed(tensors)
    order = float(norm_type)
    if not found:
        return wrap(np.zeros((), np.float32))
    with changed(grad=False):
        # The norm of the norms is the norm of all.
        norms = [_norm(tensor, order) for tensor in found]
        kind = max(norms, key=lambda n: n.element_size()).dtype
        first = norms[0].reshape(1).to(kind)
        stacked = first.new_empty(len(norms))
        for k, norm in enumerate(norms):
            stacked[k] = norm.to(kind)
        total = _norm(stacked, order)
    if error_if_nonfinite and not bool(total.isfinite()):
        raise RuntimeError(
            f"The total norm of order {order} for gradients from `parameters` is non-finite, so it "
            "cannot be clipped. To disable this error and scale the gradients by the non-finite "
            "norm anyway, set `error_if_nonfinite=False`"
        )
    return total


def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    total_norm: Tensor,
    foreach: bool | None = None,
) -> None:
    """Scale the gradients, given the norm of all of them together.

    Parameters
    ----------
    parameters : Tensor or iterable of Tensor
        Whose gradients.
    max_norm : float
        The bound.
    total_norm : Tensor
        From `get_total_norm`.
    foreach : bool, optional
        Accepted.
    """
    gradients = _gradients(_listed(parameters))
    if not gradients:
        return
    with changed(grad=False):
        factor = ((total_norm + 1e-6).reciprocal() * float(max_norm)).clamp(max=1.0)
        for gradient in gradients:
            gradient.mul_(factor)


def clip_grad_value_(
    parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None
) -> None:
    """Bring all elements of the gradients between two bounds.

    Parameters
    ----------
    parameters : Tensor or iterable of Tensor
        Whose gradients.
    clip_value : float
        The upper bound; the lower is its negative.
    foreach : bool, optional
        Accepted.
    """
    bound = float(clip_value)
    with changed(grad=False):
        for gradient in _gradients(_listed(parameters)):
            gradient.clamp_(-bound, bound)


def _listed(tensors: Any) -> list[Tensor]:
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def _gradients(parameters: list[Tensor]) -> list[Tensor]:
    return [p.grad for p in parameters if p.grad is not None]


def _norm(x: Tensor, order: float) -> Tensor:
    size = x.abs()
    if math.isinf(order):
        return size.max() if order > 0 else size.min()
    if order == 0:
        return (size != 0).sum().to(size.dtype)
    if order == 1:
        return size.sum()
    if order == 2:
        return (size * size).sum().sqrt()
    return (size**order).sum() ** (1.0 / order)
