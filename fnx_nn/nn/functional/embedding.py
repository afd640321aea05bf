"""Rows of a table by their number, sums of such rows, and numbers as one-hot vectors.

Read next: `resampling`; the layer is in `fnx_nn.nn.embedding`.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

import fnx.numpy as jnp
from fnx import lax
from fnx_nn.autograd.modes import no_grad
from fnx_nn.dtypes import name_in_messages
from fnx_nn.tensor.dispatch import TensorOperation, apply
from fnx_nn.tensor.elementary import require_tensor
from fnx_nn.tensor.tensor import Tensor, wrap

__all__ = ["embedding", "embedding_bag", "one_hot"]


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


def _bags(
    weight: Any,
    index: Any,
    offsets: Any,
    *factors: Any,
    mode: str,
    bags: int,
    padding: int,
    by_frequency: bool,
) -> Any:
    """One vector for each bag: bag k begins at offset k and ends where the next one begins."""
    if not bags:
        return weight[:0]
    rows = _rows(weight, index, padding, by_frequency)
    places = jnp.arange(index.shape[0])
    begun = jnp.cumsum(jnp.zeros_like(places).at[offsets].add(1))  # none begins behind the end
    bag = jnp.minimum(begun, bags) - 1
    present = index != padding
    shape = (bags, weight.shape[1])
    if mode == "max":
        return _largest(rows, bag, places, present, shape)
    factor = present.astype(weight.dtype) * (factors[0] if factors else 1)
    sums = jnp.zeros(shape, weight.dtype).at[bag].add(rows * factor[:, None])
    if mode == "sum":
        return sums
    counts = jnp.zeros(bags, weight.dtype).at[bag].add(present.astype(weight.dtype))
    return sums / jnp.maximum(counts, 1)[:, None]


def _largest(rows: Any, bag: Any, places: Any, present: Any, shape: tuple[int, int]) -> Any:
    # The derivative goes to the first of several that are equal: so its place is looked for.
    fixed = jnp.where(present[:, None], lax.stop_gradient(rows), -np.inf)
    largest = jnp.full(shape, -np.inf, rows.dtype).at[bag].max(fixed)
    found = present[:, None] & ((fixed == largest[bag]) | jnp.isnan(fixed))
    nowhere = rows.shape[0]
    candidates = jnp.where(found, places[:, None], nowhere)
    place = jnp.full(shape, nowhere, places.dtype).at[bag].min(candidates)
    if not nowhere:
        return jnp.zeros(shape, rows.dtype)
    taken = jnp.take_along_axis(rows, jnp.minimum(place, nowhere - 1), axis=0)
    return jnp.where(place < nowhere, taken, 0)


_EMBEDDING = TensorOperation(_rows, "EmbeddingBackward0")
_BAGS = TensorOperation(_bags, "EmbeddingBagBackward0")
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
    _check_integers(index, "embedding")
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


def _check_integers(index: Any, name: str) -> None:
    if index.dtype not in (np.int64, np.int32):
        kind = name_in_messages(index.dtype)
        raise RuntimeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: "
            f"Long, Int; but got torch.{kind}Tensor instead (while checking arguments for {name})"
        )


def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """Sums, means or maxima of some rows of a table: one for each bag of numbers.

    Parameters
    ----------
    input : Tensor
        (bags, numbers in each), or (numbers,) of all bags one after the other: int64 or int32.
    weight : Tensor
        The table.
    offsets : Tensor, optional
        Where the bags begin in an input of one axis, the first at 0.
    max_norm, norm_type, scale_grad_by_freq
        As for `embedding`.
    mode : {'mean', 'sum', 'max'}
        What to make of the rows of a bag; of none, zeros.
    sparse : bool
        Sparse gradients; not there.
    per_sample_weights : Tensor, optional
        Factors of the rows, in the shape of `input`; for sums.
    include_last_offset : bool
        Whether the last offset is the end of the last bag.
    padding_idx : int, optional
        A number that does not count.

    Raises
    ------
    ValueError
        Shapes don't fit.
    RuntimeError
        Numbers or offsets are out of range, or dtypes don't fit.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> table = torch.tensor([[1.0], [2.0], [4.0]])
    >>> bags = torch.tensor([0, 2, 1]), torch.tensor([0, 2])
    >>> torch.nn.functional.embedding_bag(bags[0], table, bags[1])
    tensor([[2.5000],
            [2.0000]])
    """
    index = require_tensor(input, "embedding_bag")._data
    table = require_tensor(weight, "embedding_bag", "weight")._data
    if table.dtype == np.int64 and index.dtype.kind == "f":
        warnings.warn(
            "Argument order of nn.functional.embedding_bag was changed. "
            "Usage `embedding_bag(weight, input, ...)` is deprecated, "
            "and should now be `embedding_bag(input, weight, ...)`.",
            stacklevel=2,
        )
        input, weight, index, table = weight, input, table, index
    if per_sample_weights is not None and input.shape != per_sample_weights.shape:
        raise ValueError(
            f"embedding_bag: If per_sample_weights ({per_sample_weights.shape}) is not None, then "
            f"it must have the same shape as the input ({input.shape})"
        )
    if table.ndim != 2:
        raise ValueError(f"weight has to be a 2D Tensor, but got Tensor of dimension {table.ndim}")
    begins, bags = _begins(index, offsets, include_last_offset)
    _check_mode(mode, scale_grad_by_freq, sparse, per_sample_weights)
    _check_integers(index, "embedding_bag")
    _check_bags(index.reshape(-1), begins._data, table.shape[0])
    operands = [weight, input.reshape(-1), begins]
    if per_sample_weights is not None:
        if per_sample_weights._data.dtype != table.dtype:
            kinds = [name_in_messages(t._data.dtype) for t in (weight, per_sample_weights)]
            raise RuntimeError(
                "Expected tensor for argument #1 'weight' to have the same type as tensor for "
                f"argument #1 'per_sample_weights'; but type torch.{kinds[0]}Tensor does not equal "
                f"torch.{kinds[1]}Tensor (while checking arguments for embedding_bag)"
            )
        operands.append(per_sample_weights.reshape(-1))
    if max_norm is not None:
        _shorten(weight, index, max_norm, norm_type)
    params = {
        "mode": mode,
        "bags": bags,
        "padding": -1 if padding_idx is None else int(padding_idx) % max(table.shape[0], 1),
        "by_frequency": bool(scale_grad_by_freq),
    }
    out: Tensor = apply(_BAGS, operands, params)
    return out


def _begins(index: Any, offsets: Tensor | None, include_last: bool) -> tuple[Tensor, int]:
    """Where bags begin, and how many there are."""
    if index.ndim == 2:
        if offsets is not None:
            raise ValueError(
                "if input is 2D, then offsets has to be None, as input is treated is a mini-batch "
                f"of fixed length sequences. However, found offsets of type {type(offsets)}"
            )
        return wrap(np.arange(index.shape[0]) * index.shape[1]), index.shape[0]
    if index.ndim != 1:
        raise ValueError(
            f"input has to be 1D or 2D Tensor, but got Tensor of dimension {index.ndim}"
        )
    if offsets is None:
        raise ValueError("offsets has to be a 1D Tensor but got None")
    if offsets.ndim != 1:
        raise ValueError("offsets has to be a 1D Tensor")
    _check_integers(offsets._data, "embedding_bag")
    bags = offsets.size(0) - bool(include_last)
    if bags < 0 or (include_last and not bags and index.size):
        raise ValueError(
            "embedding_bag: with include_last_offset, offsets has one element more than there are "
            f"bags, but got {offsets.size(0)} for {index.size} numbers."
        )
    return offsets, bags


def _check_mode(mode: str, by_frequency: bool, sparse: bool, factors: Tensor | None) -> None:
    if mode not in ("sum", "mean", "max"):
        raise ValueError("mode has to be one of sum, mean or max")
    if mode == "max" and by_frequency:
        raise ValueError("max mode does not support scaling the gradient by the frequency")
    if mode == "max" and sparse:
        raise ValueError("max mode does not support sparse weights")
    if sparse:
        raise NotImplementedError(
            "embedding_bag: sparse gradients are not supported. Use sparse=False; the gradient is "
            "the same as a dense tensor."
        )
    if factors is not None and mode != "sum":
        raise NotImplementedError(
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported "
            f"for mode='sum' (got mode='{mode}'). Please open a feature request on GitHub."
        )


def _check_bags(index: Any, begins: Any, count: int) -> None:
    """Raise if numbers or offsets that are known are out of range."""
    if type(begins) is np.ndarray and begins.size:
        if begins[0] != 0:
            raise RuntimeError(
                "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start "
                f"from position 0. However, got {begins[0]}"
            )
        if begins[-1] > index.size:
            raise RuntimeError(
                f"offsets[-1] can not be greater than input's length {index.size} but got "
                f"offsets[-1] of {begins[-1]}"
            )
        if np.any(begins[1:] < begins[:-1]):
            raise RuntimeError("embedding_bag: offsets must not decrease.")
    if type(index) is np.ndarray:
        wrong = np.flatnonzero((index < 0) | (index >= count))
        if wrong.size:
            raise RuntimeError(
                f"Index {wrong[0]} of input takes value {index[wrong[0]]} which is not in the "
                f"valid range [0, {count})"
            )


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
