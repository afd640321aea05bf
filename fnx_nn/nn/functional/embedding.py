"""Rows of a table by their number, and numbers as one-hot vectors.

Read next: `resampling`; the layer is in `fnx_nn.nn.embedding`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import fnx.numpy as jnp
from fnx import lax
from fnx_nn.autograd.modes import no_grad
from fnx_nn.dtypes import name_in_messages
from fnx_nn.tensor.dispatch import TensorOperation, apply
from fnx_nn.tensor.elementary import require_tensor
from fnx_nn.tensor.tensor import Tensor, wrap

__all__ = ["embedding", "one_hot"]


def _rows(weight: Any, index: Any, padding: int, by_frequency: bool) -> Any:
    found = jnp.take(weight, index, axis=0)
    fixed = lax.stop_gradient(found)
    if padding >= 0:
        found = jnp.where((index == padding)[..., None], fixed, found)
    if by_frequency:
        # The value stays; the derivative is divided by how often the row comes.
        counts = jnp.zeros(weight.shape[0], weight.dtype).at[jnp.ravel(index)].add(1)
        found = fixed + (found - fixed) / jnp.take(counts, index)[..., None]
    return found


_EMBEDDING = TensorOperation(_rows, "EmbeddingBackward0")
_ONE_HOT = TensorOperation(
    lambda x, count: (x[..., None] == jnp.arange(count)).astype(np.int64), "OneHotBackward0"
)


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """Rows of a table.

    Parameters
    ----------
    input : Tensor
        Their numbers: int64 or int32.
    weight : Tensor
        The table.
    padding_idx : int, optional
        A row that gets no gradient.
    max_norm : float, optional
        Rows that are longer are shortened in place first.
    norm_type : float
        Of their norm.
    scale_grad_by_freq : bool
        Divide the gradient of a row by how often it comes.
    sparse : bool
        Sparse gradients; not there.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> torch.nn.functional.embedding(torch.tensor([1, 0]), torch.tensor([[1.0], [2.0]]))
    tensor([[2.],
            [1.]])
    """
    index = require_tensor(input, "embedding")._data
    table = require_tensor(weight, "embedding", "weight")._data
    if index.dtype not in (np.int64, np.int32):
        kind = name_in_messages(index.dtype)
        raise RuntimeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: "
            f"Long, Int; but got torch.{kind}Tensor instead (while checking arguments for "
            "embedding)"
        )
    if table.ndim != 2:
        raise RuntimeError("'weight' must be 2-D")
    if sparse:
        raise NotImplementedError(
            "embedding: sparse gradients are not supported. Use sparse=False; the gradient is the "
            "same as a dense tensor."
        )
    count = table.shape[0]
    if padding_idx is not None:
        if not -count <= padding_idx < count:
            raise AssertionError("Padding_idx must be within num_embeddings")
        padding_idx %= count
    if type(index) is np.ndarray and index.size and (index.min() < 0 or index.max() >= count):
        raise IndexError("index out of range in self")
    if max_norm is not None:
        _shorten(weight, index, max_norm, norm_type)
    params = {
        "padding": -1 if padding_idx is None else int(padding_idx),
        "by_frequency": bool(scale_grad_by_freq),
    }
    out: Tensor = apply(_EMBEDDING, (weight, input), params)
    return out


def _shorten(weight: Tensor, index: Any, max_norm: float, norm_type: float) -> None:
    """Shorten the rows that are longer than they may be, in place."""
    if type(index) is not np.ndarray:
        raise TypeError(
            "embedding: max_norm needs to know the rows, which it does not while tracing. Renorm "
            "the table before."
        )
    used = np.unique(index)
    rows = weight._data[used]
    norms = np.linalg.norm(rows, norm_type, axis=1)
    long = norms > max_norm
    if long.any():
        factors = (max_norm / (norms[long] + 1e-7)).astype(rows.dtype)
        with no_grad():
            weight.detach()[wrap(used[long])] = wrap(rows[long] * factors[:, None])


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """Vectors with a one at the place of a number.

    Parameters
    ----------
    tensor : Tensor
        Of int64.
    num_classes : int
        Their length; as much as the largest number needs if -1.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> torch.nn.functional.one_hot(torch.tensor([2, 0]))
    tensor([[0, 0, 1],
            [1, 0, 0]])
    """
    data = require_tensor(tensor, "one_hot")._data
    if data.dtype != np.int64:
        raise RuntimeError("one_hot is only applicable to index tensor of type LongTensor.")
    if type(data) is np.ndarray:
        if not data.size and num_classes <= 0:
            raise RuntimeError("Can not infer total number of classes from empty tensor.")
        if data.size and data.min() < 0:
            raise RuntimeError("Class values must be non-negative.")
        if num_classes == -1:
            num_classes = int(data.max()) + 1
        elif num_classes < 1:
            raise RuntimeError("num_classes should be positive")
        elif data.size and data.max() >= num_classes:
            raise RuntimeError("Class values must be smaller than num_classes.")
    elif num_classes < 1:
        raise TypeError("one_hot: give num_classes, which can't be known while tracing.")
    out: Tensor = apply(_ONE_HOT, (tensor,), {"count": int(num_classes)})
    return out
