"""softmax and log_softmax, each one node on the tape.

Read next: `products`.
"""

from __future__ import annotations

from typing import Any

import fnx.nn
from fnx_nn.dtypes import dtype as Dtype
from fnx_nn.dtypes import name_in_messages
from fnx_nn.tensor.dispatch import TensorOperation
from fnx_nn.tensor.elementary import require_tensor
from fnx_nn.tensor.reductions import cast_param
from fnx_nn.tensor.table import operator
from fnx_nn.tensor.tensor import Tensor, check_dim

__all__ = ["LOG_SOFTMAX", "SOFTMAX"]


def _along(function: Any) -> Any:
    def operation(x: Any, axis: int, dtype: Any = None) -> Any:
        x = x if dtype is None else x.astype(dtype)
        return function(x, axis=axis) if x.ndim else function(x[None], axis=0)[0]

    return operation


SOFTMAX = TensorOperation(_along(fnx.nn.softmax), "SoftmaxBackward0", reuse_results=True)
LOG_SOFTMAX = TensorOperation(_along(fnx.nn.log_softmax), "LogSoftmaxBackward0", reuse_results=True)


def _call(operation: TensorOperation, input: Tensor, dim: int, dtype: Any, name: str) -> Any:
    axis = check_dim(int(dim), require_tensor(input, name)._data.ndim)
    if input._data.dtype.kind in "biu" and dtype is None:
        kind = name_in_messages(input._data.dtype)
        raise NotImplementedError(f"\"{name}_kernel_impl\" not implemented for '{kind}'")
    return operation, (input,), {"axis": axis, **cast_param(input, dtype, False)}


@operator()
def softmax(input: Tensor, dim: int, dtype: Dtype | None = None) -> Any:
    """``exp(x)`` divided by its sum along a dimension.

    Parameters
    ----------
    input : Tensor
        Floating.
    dim : int
        The dimension.
    dtype : dtype, optional
        Convert first.
    """
    return _call(SOFTMAX, input, dim, dtype, "softmax_lastdim")


@operator()
def log_softmax(input: Tensor, dim: int, dtype: Dtype | None = None) -> Any:
    """The logarithm of `softmax`, accurate for small values.

    Parameters
    ----------
    input : Tensor
        Floating.
    dim : int
        The dimension.
    dtype : dtype, optional
        Convert first.
    """
    return _call(LOG_SOFTMAX, input, dim, dtype, "log_softmax_lastdim")
