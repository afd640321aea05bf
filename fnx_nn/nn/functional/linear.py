"""`linear` and `bilinear`: products with weights, and a bias.

Read next: `convolution`.
"""

from __future__ import annotations

import math
from typing import Any

import fnx.numpy as jnp
from fnx_nn.dtypes import name_in_messages
from fnx_nn.tensor.dispatch import TensorOperation, apply
from fnx_nn.tensor.tensor import Tensor

__all__ = ["bilinear", "linear"]


def _product(x: Any, weight: Any) -> Any:
    if weight.ndim == 1:
        return x @ weight
    if x.ndim < 3:
        return x @ weight.T
    # One large product, in place of one for each matrix of the batch.
    rows = x.reshape((math.prod(x.shape[:-1]), x.shape[-1])) @ weight.T
    return rows.reshape((*x.shape[:-1], weight.shape[0]))


def _with_bias(x: Any, weight: Any, bias: Any) -> Any:
    return _product(x, weight) + bias


# By rank of the input: the names that PyTorch's nodes have.
_WITH_BIAS = {2: TensorOperation(_with_bias, "AddmmBackward0")}
_WITHOUT = {
    1: TensorOperation(_product, "SqueezeBackward4"),
    2: TensorOperation(_product, "MmBackward0"),
}
_WITH_BIAS_OTHERS = TensorOperation(_with_bias, "ViewBackward0")
_WITHOUT_OTHERS = TensorOperation(_product, "UnsafeViewBackward0")


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``input @ weight.T + bias``.

    Parameters
    ----------
    input : Tensor
        Of shape (..., in_features).
    weight : Tensor
        Of shape (out_features, in_features), or (in_features,).
    bias : Tensor, optional
        Of shape (out_features,).

    Examples
    --------
    >>> import fnx_nn as torch
    >>> linear(torch.ones(2, 3), torch.ones(1, 3), torch.tensor([0.5]))
    tensor([[3.5000],
            [3.5000]])
    """
    if not (isinstance(input, Tensor) and isinstance(weight, Tensor)):
        _require_tensor("linear", 1, "input", input)
        _require_tensor("linear", 2, "weight", weight)
    x, w = input._data, weight._data
    rank = x.ndim
    if bias is None:
        _check_sizes(x, w, None)
        return apply(_WITHOUT.get(rank, _WITHOUT_OTHERS), (input, weight))
    _require_tensor("linear", 3, "bias", bias)
    _check_sizes(x, w, bias)
    return apply(_WITH_BIAS.get(rank, _WITH_BIAS_OTHERS), (input, weight, bias))


def _check_sizes(x: Any, w: Any, bias: Tensor | None) -> None:
    if (
        w.ndim == 2
        and x.ndim
        and x.shape[-1] == w.shape[1]
        and x.dtype == w.dtype
        and (bias is None or (bias._data.shape, bias._data.dtype) == (w.shape[:1], w.dtype))
    ):
        return  # the commonest, at once
    if not len(x.shape) or not len(w.shape):
        raise RuntimeError(
            f"both arguments to linear need to be at least 1D, but they are {len(x.shape)}D and "
            f"{len(w.shape)}D"
        )
    if len(w.shape) > 2:
        raise RuntimeError(
            f"t() expects a tensor with <= 2 dimensions, but self is {len(w.shape)}D"
        )
    if x.shape[-1] != w.shape[-1]:
        rows = math.prod(x.shape[:-1])
        columns = w.shape[0] if len(w.shape) == 2 else 1
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({rows}x{x.shape[-1]} and "
            f"{w.shape[-1]}x{columns})"
        )
    if x.dtype != w.dtype:
        if bias is None:
            raise RuntimeError(
                "expected m1 and m2 to have the same dtype, but got: "
                f"{_c_name(x.dtype)} != {_c_name(w.dtype)}"
            )
        raise RuntimeError(_other_dtype(x, w))
    if bias is None:
        return
    b = bias._data
    if b.dtype != x.dtype:
        raise RuntimeError(_other_dtype(b, x))
    _check_bias(b.shape, (*x.shape[:-1], *w.shape[:-1]))


def _check_bias(bias: tuple[int, ...], result: tuple[int, ...]) -> None:
    if len(bias) <= 2:  # it is added to the rows of one matrix
        columns = result[-1] if result else 1
        result = (math.prod(result[:-1]), columns)
    for axis in range(len(bias)):
        place = len(result) - len(bias) + axis
        if place < 0 or bias[axis] not in (1, result[place]):
            wanted = result[place] if place >= 0 else 1
            raise RuntimeError(
                f"The expanded size of the tensor ({wanted}) must match the existing size "
                f"({bias[axis]}) at non-singleton dimension {place}.  Target sizes: "
                f"{list(result)}.  Tensor sizes: {list(bias)}"
            )


def _other_dtype(x: Any, y: Any) -> str:
    return (
        f"self and mat2 must have the same dtype, but got {name_in_messages(x.dtype)} and "
        f"{name_in_messages(y.dtype)}"
    )


def _c_name(dtype: Any) -> str:
    name = name_in_messages(dtype)
    return {"Float": "float", "Double": "double", "Int": "int", "Long": "long long"}.get(name, name)


def _require_tensor(operation: str, position: int, name: str, value: Any) -> None:
    if not isinstance(value, Tensor):
        raise TypeError(
            f"{operation}(): argument '{name}' (position {position}) must be Tensor, not "
            f"{type(value).__name__}"
        )


def _bilinear(x: Any, y: Any, weight: Any, *bias: Any) -> Any:
    # out[n, o] = sum_ij x[n, i] W[o, i, j] y[n, j]: the larger product first, as one matrix.
    rows = math.prod(x.shape[:-1])
    first = x.reshape((rows, x.shape[-1]))
    second = y.reshape((rows, y.shape[-1]))
    outputs, inner, columns = weight.shape
    flat = jnp.transpose(weight, (1, 0, 2)).reshape((inner, outputs * columns))
    partial = (first @ flat).reshape((rows, outputs, columns))
    out = jnp.sum(partial * second[:, None, :], -1).reshape((*x.shape[:-1], outputs))
    return out + bias[0] if bias else out


_BILINEAR = TensorOperation(_bilinear, "ViewBackward0")
_BILINEAR_BIAS = TensorOperation(_bilinear, "AddBackward0")


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``input1 @ weight[k] @ input2`` for each output k, and a bias.

    Parameters
    ----------
    input1 : Tensor
        Of shape (..., in1_features).
    input2 : Tensor
        Of shape (..., in2_features).
    weight : Tensor
        Of shape (out_features, in1_features, in2_features).
    bias : Tensor, optional
        Of shape (out_features,).

    Examples
    --------
    >>> import fnx_nn as torch
    >>> bilinear(torch.ones(1, 2), torch.ones(1, 3), torch.ones(1, 2, 3))
    tensor([[6.]])
    """
    given = {"input1": input1, "input2": input2, "weight": weight, "bias": bias}
    for position, (name, value) in enumerate(given.items(), 1):
        if not (name == "bias" and value is None):
            _require_tensor("bilinear", position, name, value)
    a, b, w = input1._data, input2._data, weight._data
    if not a.dtype == b.dtype == w.dtype:
        raise RuntimeError(
            f"All tensors must have the same dtype, got input1: {_c_name(a.dtype)}, input2: "
            f"{_c_name(b.dtype)}, weight: {_c_name(w.dtype)}"
        )
    if len(a.shape) != len(b.shape):
        raise RuntimeError(
            f"bilinear(): input dimensions do not match: got {len(a.shape)} and {len(b.shape)}"
        )
    if len(w.shape) != 3:
        raise RuntimeError(
            f"bilinear(): weight must have 3 dimensions (out, in1, in2), got shape {list(w.shape)}"
        )
    for axis, (n, m) in enumerate(zip(a.shape[:-1], b.shape[:-1], strict=True)):
        if n != m:
            raise RuntimeError(
                f"bilinear(): input batch dimensions do not match at dim {axis}: got {n} and {m}"
            )
    for number, (got, wanted) in enumerate(
        ((a.shape[-1], w.shape[1]), (b.shape[-1], w.shape[2])), 1
    ):
        if got != wanted:
            raise RuntimeError(
                f"bilinear(): input{number} size does not match weight size: got {got} but "
                f"expected {wanted}"
            )
    if bias is None:
        return apply(_BILINEAR, (input1, input2, weight))
    if bias._data.shape != w.shape[:1]:
        raise RuntimeError(
            f"bilinear(): bias size does not match weight size: got {bias._data.size} but "
            f"expected {w.shape[0]}"
        )
    return apply(_BILINEAR_BIAS, (input1, input2, weight, bias))
