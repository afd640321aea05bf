"""Distances and norms of vectors.

Read next: `margin_losses`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import fnx.numpy as jnp
from fnx_nn.dtypes import name_in_messages
from fnx_nn.tensor.dispatch import TensorOperation, apply
from fnx_nn.tensor.elementary import require_tensor
from fnx_nn.tensor.table import write_out
from fnx_nn.tensor.tensor import Tensor, check_dim

__all__ = ["cosine_similarity", "normalize", "pairwise_distance", "pdist"]


def _norm(x: Any, p: float, axis: int, keepdim: bool = False) -> Any:
    """The p-norm, with derivative 0 where it is 0."""
    size = x * jnp.sign(x)
    if p == 0:
        return jnp.sum((x != 0).astype(x.dtype), axis, keepdims=keepdim)
    if p == math.inf:
        return jnp.max(size, axis, keepdims=keepdim)
    if p == 1:
        return jnp.sum(size, axis, keepdims=keepdim)
    if p != 2:
        zero = size == 0
        powers = jnp.where(zero, 0.0, jnp.where(zero, 1.0, size) ** p)
    total = jnp.sum(x * x if p == 2 else powers, axis, keepdims=keepdim)
    safe = jnp.where(total > 0, total, jnp.ones_like(total))
    root = jnp.sqrt(safe) if p == 2 else safe ** (1.0 / p)
    return jnp.where(total > 0, root, total)


_PAIRWISE = TensorOperation(
    lambda x, y, p, eps, keepdim: _norm(x - y + eps, p, -1, keepdim), "NormBackward1"
)


def _cosine(x: Any, y: Any, axis: int, eps: float) -> Any:
    x, y = jnp.broadcast_arrays(x, y)
    product = jnp.sum(x * y, axis)
    first, second = (jnp.sum(v * v, axis) for v in (x, y))
    lengths = [
        jnp.where(n > eps * eps, jnp.sqrt(jnp.where(n > eps * eps, n, jnp.ones_like(n))), eps)
        for n in (first, second)
    ]
    return product / (lengths[0] * lengths[1])


_COSINE = TensorOperation(_cosine, "SumBackward1")


def _normalized(x: Any, p: float, axis: int, eps: float) -> Any:
    norm = _norm(x, p, axis, True)
    return x / jnp.where(norm >= eps, norm, jnp.full_like(norm, eps))


_NORMALIZE = TensorOperation(_normalized, "DivBackward0")


def pairwise_distance(
    x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """The p-norm of differences along the last dimension.

    Parameters
    ----------
    x1, x2 : Tensor
        Vectors, or batches of them.
    p : float
        Of the norm.
    eps : float
        Added to the differences.
    keepdim : bool
        Whether the last dimension stays, with extent 1.
    """
    require_tensor(x1, "pairwise_distance")
    require_tensor(x2, "pairwise_distance", "x2")
    params = {"p": float(p), "eps": float(eps), "keepdim": bool(keepdim)}
    out: Tensor = apply(_PAIRWISE, (x1, x2), params)
    return out


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """The cosine of the angle between vectors.

    Parameters
    ----------
    x1, x2 : Tensor
        Broadcast against each other.
    dim : int
        The dimension of the vectors.
    eps : float
        The least length.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> torch.nn.functional.cosine_similarity(torch.tensor([3.0, 4.0]), torch.ones(2), dim=0)
    tensor(0.9899)
    """
    rank = max(require_tensor(x1, "cosine_similarity")._data.ndim, x2._data.ndim)
    common = np.result_type(x1._data.dtype, x2._data.dtype)
    if common.kind in "biu":
        raise RuntimeError(
            "expected common dtype to be floating point, yet common dtype is "
            f"{name_in_messages(common)}"
        )
    axis = check_dim(int(dim), rank)
    out: Tensor = apply(_COSINE, (x1, x2), {"axis": axis, "eps": float(eps)})
    return out


def normalize(
    input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Tensor | None = None
) -> Tensor:
    """Vectors divided by their p-norm.

    Parameters
    ----------
    input : Tensor
        The operand.
    p : float
        Of the norm.
    dim : int
        The dimension of the vectors.
    eps : float
        The least norm.
    out : Tensor, optional
        Where to write the result.
    """
    axis = check_dim(int(dim), require_tensor(input, "normalize")._data.ndim)
    if input._data.dtype.kind in "biu":
        raise RuntimeError(
            "linalg.vector_norm: Expected a floating point or complex tensor as input. Got "
            f"{name_in_messages(input._data.dtype)}"
        )
    params = {"p": float(p), "axis": axis, "eps": float(eps)}
    result: Tensor = apply(_NORMALIZE, (input,), params)
    return result if out is None else write_out(out, result, "normalize")


def _rows_apart(x: Any, p: float) -> Any:
    count = x.shape[0]
    first = [i for i in range(count) for _ in range(i + 1, count)]
    second = [j for i in range(count) for j in range(i + 1, count)]
    return _norm(x[jnp.asarray(first, jnp.int64)] - x[jnp.asarray(second, jnp.int64)], p, -1)


_PDIST = TensorOperation(_rows_apart, "PdistBackward0")


def pdist(input: Tensor, p: float = 2) -> Tensor:
    """The distances between all pairs of rows.

    Parameters
    ----------
    input : Tensor
        A matrix.
    p : float
        Of the norm.
    """
    if require_tensor(input, "pdist")._data.ndim != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {input.ndim}D")
    if p < 0:
        raise RuntimeError("pdist only supports non-negative p values")
    out: Tensor = apply(_PDIST, (input,), {"p": float(p)})
    return out
