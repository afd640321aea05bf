"""Spread, norms, and running sums: what is composed of reductions.

Norms have the derivative 0 where they are 0, as in PyTorch.
Read next: `products`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import fnx.numpy as jnp
from fnx_nn.dtypes import dtype as Dtype
from fnx_nn.dtypes import dtype_of, name_in_messages
from fnx_nn.tensor.dispatch import TensorOperation
from fnx_nn.tensor.reductions import axes_of, cast_param, reduction
from fnx_nn.tensor.table import METHODS, method, operator
from fnx_nn.tensor.tensor import Tensor, check_dim

_INT64 = np.dtype(np.int64)


def _variance(x: Any, axes: Any, correction: float, keepdim: bool) -> Any:
    count = math.prod([x.shape[a] for a in axes])
    centered = x - jnp.mean(x, axes, keepdims=True)
    squares = (
        jnp.real(centered * jnp.conj(centered)) if x.dtype.kind == "c" else centered * centered
    )
    left = count - correction
    total = jnp.sum(squares, axes, keepdims=keepdim)
    return total / left if left > 0 else total * (math.inf if count else math.nan)


_VAR = TensorOperation(_variance, "VarBackward0")
_STD = TensorOperation(
    lambda x, **params: jnp.sqrt(_variance(x, **params)), "StdBackward0", reuse_results=True
)


def _spread_params(
    input: Tensor, dim: Any, unbiased: Any, correction: Any, keepdim: bool
) -> dict[str, Any]:
    if dtype_of(input._data.dtype).category < 2:
        raise RuntimeError("std and var only support floating point and complex dtypes")
    if isinstance(dim, bool):  # x.var(unbiased)
        dim, unbiased = None, dim
    if correction is None:
        correction = 1 if unbiased is None or unbiased else 0
    axes = axes_of(dim, input._data.ndim)
    return {"axes": axes, "correction": float(correction), "keepdim": bool(keepdim)}


@operator()
def var(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Any = None,
) -> Any:
    """The variance.

    Parameters
    ----------
    input : Tensor
        Floating or complex.
    dim : int or sequence of int, optional
        Along these dimensions only.
    unbiased : bool, optional
        Divide by n - 1 (the default) or by n.
    keepdim : bool
        Whether the dimensions stay, with extent 1.
    correction : number, optional
        Divide by n less this.
    """
    return _VAR, (input,), _spread_params(input, dim, unbiased, correction, keepdim)


@operator()
def std(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Any = None,
) -> Any:
    """The standard deviation.

    Parameters
    ----------
    input : Tensor
        Floating or complex.
    dim : int or sequence of int, optional
        Along these dimensions only.
    unbiased : bool, optional
        Divide by n - 1 (the default) or by n.
    keepdim : bool
        Whether the dimensions stay, with extent 1.
    correction : number, optional
        Divide by n less this.
    """
    return _STD, (input,), _spread_params(input, dim, unbiased, correction, keepdim)


@method()
def var_mean(input: Tensor, dim: Any = None, **options: Any) -> tuple[Tensor, Tensor]:
    """The variance and the mean.

    Parameters
    ----------
    input : Tensor
        Floating or complex.
    dim : int or sequence of int, optional
        Along these dimensions only.
    **options
        As for `var`.
    """
    return (
        METHODS["var"](input, dim, **options),
        METHODS["mean"](input, dim, options.get("keepdim", False)),
    )


@method()
def std_mean(input: Tensor, dim: Any = None, **options: Any) -> tuple[Tensor, Tensor]:
    """The standard deviation and the mean.

    Parameters
    ----------
    input : Tensor
        Floating or complex.
    dim : int or sequence of int, optional
        Along these dimensions only.
    **options
        As for `std`.
    """
    return (
        METHODS["std"](input, dim, **options),
        METHODS["mean"](input, dim, options.get("keepdim", False)),
    )


def _safe_root(total: Any, root: Any) -> Any:
    """A root whose derivative at 0 is 0."""
    zero = total == 0
    return jnp.where(zero, total, root(jnp.where(zero, jnp.ones_like(total), total)))


def _norm(x: Any, p: float, axes: Any, keepdim: bool) -> Any:
    size = jnp.abs(x) if x.dtype.kind == "c" else x * jnp.sign(x)
    if p == math.inf:
        return jnp.max(size, axes, keepdims=keepdim)
    if p == -math.inf:
        return jnp.min(size, axes, keepdims=keepdim)
    if p == 0:
        return jnp.sum((x != 0).astype(size.dtype), axes, keepdims=keepdim)
    if p == 1:
        return jnp.sum(size, axes, keepdims=keepdim)
    if p == 2:
        squares = size * size if x.dtype.kind == "c" else x * x
        return _safe_root(jnp.sum(squares, axes, keepdims=keepdim), jnp.sqrt)
    powers = _safe_root(size, lambda s: s**p)
    return _safe_root(jnp.sum(powers, axes, keepdims=keepdim), lambda s: s ** (1 / p))


_VECTOR_NORM = TensorOperation(
    reduction(lambda x, a, k, p: _norm(x, p, a, k)), "LinalgVectorNormBackward0", reuse_results=True
)


@operator()
def norm(
    input: Tensor,
    p: Any = "fro",
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: Dtype | None = None,
) -> Any:
    """The p-norm of the elements.

    Parameters
    ----------
    input : Tensor
        Floating or complex.
    p : number or "fro"
        The exponent; ``"fro"`` is 2.
    dim : int or sequence of int, optional
        Along these dimensions only.
    keepdim : bool
        Whether they stay, with extent 1.
    dtype : dtype, optional
        Convert first.
    """
    if dtype_of(input._data.dtype).category < 2 and dtype is None:
        raise RuntimeError(
            "linalg.vector_norm: Expected a floating point or complex tensor as input. Got "
            f"{name_in_messages(input._data.dtype)}"
        )
    power = 2.0 if p in ("fro", None) else float(p)
    params = {"axes": axes_of(dim, input._data.ndim), "keepdim": bool(keepdim)}
    params.update(cast_param(input, dtype, False))
    return _VECTOR_NORM, (input,), {**params, "p": power}


@method()
def dist(input: Tensor, other: Tensor, p: float = 2) -> Tensor:
    """The p-norm of the difference.

    Parameters
    ----------
    input, other : Tensor
        Broadcast against each other.
    p : number
        The exponent.
    """
    return METHODS["norm"](input - other, p)


# ------------------------------------------------------------------------------------- running sums

_CUMSUM = TensorOperation(lambda x, dim: jnp.cumsum(x, dim), "CumsumBackward0")
_CUMPROD = TensorOperation(lambda x, dim: jnp.cumprod(x, dim), "CumprodBackward0")


def _running(operation: TensorOperation, input: Tensor, dim: int, dtype: Any) -> Any:
    target = dtype.numpy if dtype is not None else None
    if target is None and input._data.dtype.kind in "biu":
        target = _INT64
    if target is not None and target != input._data.dtype:
        input = input.to(dtype_of(target))
    if not input._data.ndim:
        return TensorOperation(lambda x: x, operation.node.__name__), (input,), {}
    return operation, (input,), {"dim": check_dim(int(dim), input._data.ndim)}


@operator(inplace=True)
def cumsum(input: Tensor, dim: int, *, dtype: Dtype | None = None) -> Any:
    """The running sum along a dimension.

    Parameters
    ----------
    input : Tensor
        The operand.
    dim : int
        The dimension.
    dtype : dtype, optional
        Convert first.
    """
    return _running(_CUMSUM, input, dim, dtype)


@operator(inplace=True)
def cumprod(input: Tensor, dim: int, *, dtype: Dtype | None = None) -> Any:
    """The running product along a dimension.

    Parameters
    ----------
    input : Tensor
        The operand.
    dim : int
        The dimension.
    dtype : dtype, optional
        Convert first.
    """
    return _running(_CUMPROD, input, dim, dtype)
