"""`dot_product_attention`, as `jax.nn` has it.

Inside, queries are (batch, queries, key heads, group, features): a head of keys serves a group of
heads of queries. Scores are (batch, key heads, group, queries, keys), and masks broadcast to that.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fnx import dtypes
from fnx import numpy as jnp
from fnx.errors import ArgumentValueError
from fnx.nn.functions import logsumexp, softmax
from fnx.numpy.promotion import as_arrays
from fnx.primitives.cast import stop_gradient

__all__ = ["dot_product_attention"]

#: What scores get where a mask is false: finite, so that a row without any key gives a mean of all.
_MASKED = -0.7 * float(np.finfo(np.float32).max)


def dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    bias: Any = None,
    mask: Any = None,
    *,
    scale: Any = None,
    is_causal: bool = False,
    query_seq_lengths: Any = None,
    key_value_seq_lengths: Any = None,
    local_window_size: int | tuple[int, int] | None = None,
    implementation: str | None = None,
    return_residual: bool = False,
) -> Any:
    """Means of values, weighted by ``softmax(scale * query @ key + bias)``, for each head.

    Parameters
    ----------
    query : array-like
        (batch, queries, heads, features), or without the batch.
    key, value : array-like
        (batch, keys, heads, features), or without the batch, in the dtype of the query; the number
        of heads divides that of the query: each serves a group.
    bias : array-like, optional
        Added to the scores; broadcast to (batch, heads, queries, keys).
    mask : array-like, optional
        Bools, likewise: true for the keys that count.
    scale : float, optional
        One over the root of the number of features if left out.
    is_causal : bool
        Whether a query attends to the keys up to its own place only.
    query_seq_lengths, key_value_seq_lengths : array-like, optional
        (batch,) integers: what comes later does not count. Later queries give zeros.
    local_window_size : int or tuple of two int, optional
        How many keys to the left and to the right of its own place a query attends to.
    implementation : {None, "xla"}
        For programs written for JAX: there is one implementation.
    return_residual : bool
        Whether to give the logarithm of the sum of exponentials too, without derivatives.

    Returns
    -------
    Array, or tuple of two
        Of the query's shape; and of that without the features.

    Raises
    ------
    ValueError
        Shapes or dtypes do not fit, or the implementation is not there.

    Notes
    -----
    A query that may attend to no key gives the mean of all values. Scores are at least in float32.

    References
    ----------
    Vaswani et al., *Attention is all you need* (2017); Ainslie et al., *GQA* (2023), for groups.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> x = jnp.arange(6.).reshape(1, 3, 1, 2)
    >>> dot_product_attention(x, x, x, is_causal=True)[0, 0, 0]
    Array([0., 1.], dtype=float32)
    """
    if implementation not in (None, "xla"):
        raise ArgumentValueError(
            f"dot_product_attention: there is no implementation {implementation!r}. Leave it out."
        )
    operands = as_arrays("dot_product_attention", query, key, value)
    q, k, v = (x[None] if x.ndim == 3 else x for x in operands)
    _check_operands(q, k, v)
    batch, queries, heads, features = q.shape
    keys, key_heads = k.shape[1:3]
    group = heads // key_heads
    scores_shape = (batch, heads, queries, keys)

    q = jnp.reshape(q, (batch, queries, key_heads, group, features))
    wide = dtypes.promote_types(q.dtype, np.float32)
    scores = jnp.einsum("btkgh,bskh->bkgts", q, k, preferred_element_type=wide)
    scores = scores * jnp.asarray(1 / math.sqrt(features) if scale is None else scale, wide)
    if bias is not None:
        scores = (scores + _in_groups("bias", bias, scores_shape, key_heads)).astype(wide)

    allowed = []
    if mask is not None:
        allowed.append(_in_groups("mask", mask, scores_shape, key_heads))
        if allowed[0].dtype != np.bool_:
            raise ArgumentValueError(
                f"dot_product_attention: mask must be of bools, got {allowed[0].dtype}. Numbers to "
                "add are a bias."
            )
    query_place, key_place = np.arange(queries)[:, None], np.arange(keys)
    if is_causal:
        allowed.append(key_place <= query_place)
    if local_window_size is not None:
        window = local_window_size
        left, right = (window, window) if isinstance(window, int) else window
        allowed.append((key_place >= query_place - left) & (key_place <= query_place + right))
    lengths = [
        _lengths(name, given, batch)
        for name, given in (
            ("query_seq_lengths", query_seq_lengths),
            ("key_value_seq_lengths", key_value_seq_lengths),
        )
    ]
    for place, length in zip((query_place, key_place), lengths, strict=True):
        if length is not None:
            allowed.append(place < length)
    if allowed:
        together = allowed[0]
        for more in allowed[1:]:
            together = together & more
        scores = jnp.where(together, scores, jnp.asarray(_MASKED, wide))

    weights = softmax(scores, -1).astype(k.dtype)
    out = jnp.einsum("bkgts,bskh->btkgh", weights, v)
    if lengths[0] is not None:
        inside = jnp.asarray(query_place < lengths[0])  # (batch, 1, 1, queries, 1)
        out = jnp.where(jnp.moveaxis(inside, 3, 1), out, jnp.zeros_like(out))
    out = jnp.reshape(out, operands[0].shape)
    if not return_residual:
        return out
    residual = stop_gradient(logsumexp(scores, -1).astype(k.dtype))
    residual = jnp.reshape(jnp.moveaxis(residual, 3, 1), operands[0].shape[:-1])
    return out, residual


def _check_operands(q: Any, k: Any, v: Any) -> None:
    shown = ", ".join(f"{name} {x.aval!r}" for name, x in (("query", q), ("key", k), ("value", v)))
    if not (
        q.ndim == k.ndim == 4
        and k.shape == v.shape
        and (q.shape[0], q.shape[3]) == (k.shape[0], k.shape[3])
    ):
        raise ArgumentValueError(
            "dot_product_attention: query must be (batch, queries, heads, features), key and value "
            f"(batch, keys, heads, features), with or without a batch, got {shown}."
        )
    if not q.dtype == k.dtype == v.dtype:
        raise ArgumentValueError(
            f"dot_product_attention: query, key and value must have one dtype, got {shown}."
        )
    if k.shape[2] == 0 or q.shape[2] % k.shape[2]:
        raise ArgumentValueError(
            "dot_product_attention: the number of heads of the query must be a multiple of that of "
            f"key and value, got {shown}."
        )


def _in_groups(name: str, given: Any, full: tuple[int, ...], key_heads: int) -> Any:
    """What broadcasts to (batch, heads, queries, keys), with the heads in groups."""
    (x,) = as_arrays("dot_product_attention", given)
    shape = (1,) * (4 - x.ndim) + x.shape
    if len(shape) > 4 or any(n not in (1, m) for n, m in zip(shape, full, strict=True)):
        raise ArgumentValueError(
            f"dot_product_attention: {name} must broadcast to (batch, heads, queries, keys) = "
            f"{full}, got shape {x.shape}."
        )
    batch, heads, queries, keys = shape
    groups = (1, 1) if heads == 1 else (key_heads, heads // key_heads)
    return jnp.reshape(x, (batch, *groups, queries, keys))


def _lengths(name: str, given: Any, batch: int) -> Any:
    """Lengths as (batch, 1, 1, 1, 1)."""
    if given is None:
        return None
    (x,) = as_arrays("dot_product_attention", given)
    if x.shape != (batch,) or x.dtype.kind not in "iu":
        raise ArgumentValueError(
            f"dot_product_attention: {name} must be {batch} integers, one for each of the batch, "
            f"got {x.aval!r}."
        )
    return jnp.reshape(x, (batch, 1, 1, 1, 1))
