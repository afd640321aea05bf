"""`scaled_dot_product_attention`, one operation on the tape.

Read next: `fnx_nn.nn`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import fnx.numpy as jnp
from fnx import lax
from fnx_nn import random_fill
from fnx_nn.dtypes import name_in_messages
from fnx_nn.tensor.dispatch import TensorOperation, apply
from fnx_nn.tensor.elementary import require_tensor
from fnx_nn.tensor.random import default_generator
from fnx_nn.tensor.tensor import Tensor, wrap

__all__ = ["scaled_dot_product_attention"]


def _attended(
    query: Any, key: Any, value: Any, *rest: Any, scale: float, masked: bool, causal: bool
) -> Any:
    scores = jnp.matmul(query, jnp.swapaxes(key, -1, -2)) * scale
    allowed: Any = None
    if masked:
        if rest[0].dtype == np.bool_:
            allowed = jnp.broadcast_to(rest[0], scores.shape)
        else:
            scores = scores + rest[0]
    if causal:
        before = jnp.tril(jnp.ones(scores.shape[-2:], np.bool_))
        allowed = before if allowed is None else allowed & before
    if allowed is not None:
        scores = jnp.where(allowed, scores, jnp.full_like(scores, -math.inf))
    largest = lax.stop_gradient(jnp.max(scores, -1, keepdims=True))
    largest = jnp.where(largest == -math.inf, jnp.zeros_like(largest), largest)
    terms = jnp.exp(scores - largest)
    total = jnp.sum(terms, -1, keepdims=True)
    # A row that may attend to nothing gives zeros.
    weights = terms / jnp.where(total == 0, jnp.ones_like(total), total)
    if len(rest) > masked:
        weights = weights * rest[-1]
    return jnp.matmul(weights, value)


_ATTENTION = TensorOperation(_attended, "ScaledDotProductFlashAttentionForCpuBackward0")


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """Means of values, weighted by the softmax of how well their keys fit a query.

    Parameters
    ----------
    query : Tensor
        (..., queries, features).
    key : Tensor
        (..., keys, features).
    value : Tensor
        (..., keys, features of the result).
    attn_mask : Tensor, optional
        Bool: who may attend to whom; or numbers that are added to the products.
    dropout_p : float
        With which probability weights are set to zero.
    is_causal : bool
        Whether each query attends to the keys up to its own place only.
    scale : float, optional
        Multiplies the products; one over the root of the number of features if left out.
    enable_gqa : bool
        Whether a head of keys and values serves several heads of queries.

    References
    ----------
    Vaswani et al., *Attention is all you need* (2017).
    """
    name = "scaled_dot_product_attention"
    q, k, v = (require_tensor(t, name)._data for t in (query, key, value))
    if not q.dtype == k.dtype == v.dtype:
        shown = ", ".join(
            f"{what}.dtype: {name_in_messages(d.dtype).lower()}"
            for what, d in (("query", q), ("key", k), ("value", v))
        )
        raise RuntimeError(
            "Expected query, key, and value to have the same dtype, but got "
            f"{shown.replace(', value', ', and value')} instead."
        )
    if min(q.ndim, k.ndim, v.ndim) < 2:
        raise RuntimeError(
            "Expected query, key, and value to all be  at least 2 dimensional, but got query.dim: "
            f"{q.ndim}, key.dim: {k.ndim} and value.dim: {v.ndim} instead."
        )
    if attn_mask is not None:
        kind = attn_mask._data.dtype
        if kind == np.float32 != q.dtype:
            attn_mask = attn_mask.to(query.dtype)
        elif kind != np.bool_ and kind != q.dtype:
            raise RuntimeError(
                "Expected attn_mask dtype to be bool or float or to match query dtype, but got "
                f"attn_mask.dtype: {name_in_messages(kind).lower()} and  query.dtype: "
                f"{name_in_messages(q.dtype).lower()} instead."
            )
    if enable_gqa:
        repeats = q.shape[-3] // k.shape[-3]
        if repeats * k.shape[-3] != q.shape[-3] or k.shape[-3] != v.shape[-3]:
            raise RuntimeError(
                "Number of heads in key and value must divide the number of heads in query: "
                f"{k.shape[-3]}, {v.shape[-3]} and {q.shape[-3]}"
            )
        key = key.repeat_interleave(repeats, -3)
        value = value.repeat_interleave(repeats, -3)
    operands = [query, key, value]
    if attn_mask is not None:
        operands.append(attn_mask)
    if dropout_p > 0:
        front = np.broadcast_shapes(q.shape[:-2], key._data.shape[:-2])
        noise = np.empty((*front, q.shape[-2], k.shape[-2]), q.dtype)
        random_fill.bernoulli_(noise, default_generator, 1 - dropout_p)
        operands.append(wrap(noise / q.dtype.type(1 - dropout_p)))
    params = {
        "scale": 1 / math.sqrt(q.shape[-1]) if scale is None else float(scale),
        "masked": attn_mask is not None,
        "causal": bool(is_causal),
    }
    out: Tensor = apply(_ATTENTION, operands, params)
    return out
