"""`multi_head_attention_forward`: projections, attention in several heads, one more projection.

Inside, operands have four axes, (batch, heads, sequence, features of a head), and masks are numbers
to add to (batch, heads, queries, keys): whatever is missing broadcasts.
Read next: `fnx_nn.nn.attention`.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from fnx_nn.nn.functional.attention import scaled_dot_product_attention
from fnx_nn.nn.functional.dropout import dropout
from fnx_nn.nn.functional.gates import softmax
from fnx_nn.nn.functional.linear import linear
from fnx_nn.nn.functional.padding import pad
from fnx_nn.tensor.table import FUNCTIONS
from fnx_nn.tensor.tensor import Tensor

__all__ = ["additive_mask", "multi_head_attention_forward"]


def additive_mask(
    mask: Tensor | None, name: str, like: Tensor, other: Tensor | None = None, other_name: str = ""
) -> Tensor | None:
    """A mask as numbers to add: minus infinity where a mask of bools is true.

    Parameters
    ----------
    mask : Tensor, optional
        Of bools or of floating numbers.
    name : str
        What messages call it.
    like : Tensor
        Whose dtype a mask of bools takes.
    other : Tensor, optional
        A mask that comes with it; warns if the dtypes differ.
    other_name : str
        What messages call that.
    """
    if mask is None:
        return None
    floating = mask.is_floating_point()
    if not floating and mask._data.dtype != np.bool_:
        raise AssertionError(f"only bool and floating types of {name} are supported")
    if other is not None and other.dtype != mask.dtype:
        warnings.warn(
            f"Support for mismatched {name} and {other_name} is deprecated. Use same type for both "
            "instead.",
            stacklevel=3,
        )
    if floating:
        return mask
    zeros = FUNCTIONS["zeros"](mask.shape, dtype=like.dtype)
    return zeros.masked_fill(mask, -math.inf)


def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """Attention between projections, in several heads, projected once more.

    Parameters
    ----------
    query : Tensor
        (queries, batch, embed_dim), or without the batch.
    key, value : Tensor
        (keys, batch, features), or without the batch.
    embed_dim_to_check : int
        What `embed_dim` must be.
    num_heads : int
        Of which each has ``embed_dim / num_heads`` features.
    in_proj_weight : Tensor, optional
        (3 embed_dim, embed_dim): for queries, keys and values, one below the other.
    in_proj_bias : Tensor, optional
        (3 embed_dim,).
    bias_k, bias_v : Tensor, optional
        (1, 1, embed_dim): one more key and value.
    add_zero_attn : bool
        Whether there is one more key and value of zeros.
    dropout_p : float
        With which probability weights are set to zero in training.
    out_proj_weight, out_proj_bias : Tensor
        (embed_dim, embed_dim) and (embed_dim,); the bias may be None.
    training : bool
        Whether weights are dropped.
    key_padding_mask : Tensor, optional
        (batch, keys): true for keys that are left out; or numbers that are added.
    need_weights : bool
        Whether the weights are given too.
    attn_mask : Tensor, optional
        (queries, keys) or (batch * num_heads, queries, keys): true where a query may not attend; or
        numbers that are added.
    use_separate_proj_weight : bool
        Whether the next three are taken in place of `in_proj_weight`.
    q_proj_weight, k_proj_weight, v_proj_weight : Tensor, optional
        (embed_dim, features of the operand).
    static_k, static_v : Tensor, optional
        (batch * num_heads, keys, embed_dim / num_heads), in place of projections.
    average_attn_weights : bool
        Whether the weights of all heads are averaged.
    is_causal : bool
        A promise that `attn_mask` lets each query attend to the keys up to its own place: it need
        not be read where nothing else asks for it.

    Returns
    -------
    tuple of Tensor and Tensor or None
        Like the query; and (batch, queries, keys), with the heads before the queries unless
        averaged.

    Raises
    ------
    AssertionError
        If shapes don't fit.
    RuntimeError
        If `is_causal` comes without `attn_mask`, or the mask's shape doesn't fit.

    References
    ----------
    Vaswani et al., *Attention is all you need* (2017), section 3.2.2.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> x, w = torch.ones(5, 2, 4), torch.eye(4)
    >>> out, weights = multi_head_attention_forward(
    ...     x, x, x, 4, 2, torch.cat([w, w, w]), None, None, None, False, 0.0, w, None
    ... )
    >>> out.shape, weights.shape
    (torch.Size([5, 2, 4]), torch.Size([2, 5, 5]))
    """
    _check_ranks(query, key, value, key_padding_mask, attn_mask, num_heads)
    batched = query.ndim == 3
    if not batched:
        query, key, value = (x.unsqueeze(1) for x in (query, key, value))
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    queries, batch, width = query.shape
    features = width // num_heads

    padding = additive_mask(key_padding_mask, "key_padding_mask", query, attn_mask, "attn_mask")
    if is_causal and attn_mask is None:
        raise RuntimeError(
            "Need attn_mask if specifying the is_causal hint. You may use the Transformer module "
            "method `generate_square_subsequent_mask` to create this mask."
        )
    is_causal = is_causal and padding is None and not need_weights
    mask = None if is_causal else additive_mask(attn_mask, "attn_mask", query)

    if width != embed_dim_to_check:
        raise AssertionError(
            f"was expecting embedding dimension of {embed_dim_to_check}, but got {width}"
        )
    if features * num_heads != width:
        raise AssertionError(f"embed_dim {width} not divisible by num_heads {num_heads}")
    if use_separate_proj_weight:
        if key.shape[:2] != value.shape[:2]:
            raise AssertionError(
                f"key's sequence and batch dims {key.shape[:2]} do not match value's "
                f"{value.shape[:2]}"
            )
        weights = {"q": q_proj_weight, "k": k_proj_weight, "v": v_proj_weight}
        q, k, v = _projected_apart((query, key, value), weights, in_proj_bias)
    else:
        if key.shape != value.shape:
            raise AssertionError(f"key shape {key.shape} does not match value shape {value.shape}")
        if in_proj_weight is None:
            raise AssertionError("use_separate_proj_weight is False but in_proj_weight is None")
        q, k, v = _projected((query, key, value), in_proj_weight, in_proj_bias)
    mask = _mask_of_heads(mask, batch, num_heads, queries, key.shape[0])

    more_keys = 0
    if bias_k is not None and bias_v is not None:
        for static, what in ((static_k, "key"), (static_v, "value")):
            if static is not None:
                raise AssertionError(f"bias cannot be added to static {what}.")
        k = FUNCTIONS["cat"]([k, bias_k.expand(1, batch, width)])
        v = FUNCTIONS["cat"]([v, bias_v.expand(1, batch, width)])
        more_keys += 1
    elif bias_k is not None:
        raise AssertionError("bias_k is set but bias_v is None")
    elif bias_v is not None:
        raise AssertionError("bias_v is set but bias_k is None")
    q = _heads(q, num_heads)
    k = _heads(k, num_heads) if static_k is None else _static(static_k, "k", batch, q)
    v = _heads(v, num_heads) if static_v is None else _static(static_v, "v", batch, q)
    if add_zero_attn:
        k, v = (pad(x, (0, 0, 0, 1)) for x in (k, v))
        more_keys += 1
    if more_keys:  # everybody may attend to those
        mask = None if mask is None else pad(mask, (0, more_keys))
        padding = None if padding is None else pad(padding, (0, more_keys))
    if padding is not None:
        for axis, wanted in enumerate((batch, k.shape[2])):
            if padding.shape[axis] != wanted:
                raise AssertionError(
                    f"Expected key_padded_mask.shape[{axis}] to be {wanted}, but got "
                    f"{padding.shape[axis]}"
                )
        padding = padding.unsqueeze(1).unsqueeze(1)
        mask = padding if mask is None else mask + padding

    dropped = dropout_p if training else 0.0
    chosen = None
    if need_weights:
        scores = (q * math.sqrt(1 / features)).matmul(k.transpose(-2, -1))
        chosen = softmax(scores if mask is None else mask + scores, -1)
        if dropped > 0:
            chosen = dropout(chosen, dropped)
        out = chosen.matmul(v)
        if average_attn_weights:
            chosen = chosen.mean(1)
    else:
        out = scaled_dot_product_attention(q, k, v, mask, dropped, is_causal)
    out = out.permute(2, 0, 1, 3).reshape(queries, batch, width)
    out = linear(out, out_proj_weight, out_proj_bias)
    if not batched:
        out = out.squeeze(1)
        chosen = None if chosen is None else chosen.squeeze(0)
    return out, chosen


def _heads(x: Tensor, heads: int) -> Tensor:
    """(sequence, batch, width) as (batch, heads, sequence, features)."""
    length, batch, width = x.shape
    return x.reshape(length, batch, heads, width // heads).permute(1, 2, 0, 3)


def _static(given: Tensor, name: str, batch: int, q: Tensor) -> Tensor:
    _, heads, _, features = q.shape
    for axis, wanted in ((0, batch * heads), (2, features)):
        if given.shape[axis] != wanted:
            raise AssertionError(
                f"expecting static_{name}.size({axis}) of {wanted}, but got {given.shape[axis]}"
            )
    return given.reshape(batch, heads, -1, features)


def _projected(operands: tuple[Tensor, ...], weight: Tensor, bias: Tensor | None) -> list[Tensor]:
    """Projections by packed weights, with one product for operands that are the same tensor."""
    query, key, value = operands
    if key is not value:
        parts: tuple[int, ...] = (1, 1, 1)
    else:
        parts = (3,) if query is key else (1, 2)
    sizes = [n * query.shape[-1] for n in parts]
    weights = weight.split(sizes)
    biases = [None] * len(parts) if bias is None else bias.split(sizes)
    return [
        part
        for x, w, b, n in zip(operands, weights, biases, parts, strict=False)
        for part in linear(x, w, b).chunk(n, -1)
    ]


def _projected_apart(
    operands: tuple[Tensor, ...], weights: dict[str, Tensor | None], bias: Tensor | None
) -> list[Tensor]:
    for short, weight in weights.items():
        if weight is None:
            raise AssertionError(
                f"use_separate_proj_weight is True but {short}_proj_weight is None"
            )
    width = operands[0].shape[-1]
    biases: Any = (None, None, None) if bias is None else bias.chunk(3)
    names = ("query", "key", "value")
    given: list[Any] = list(weights.values())
    for name, x, w in zip(names, operands, given, strict=True):
        if w.shape != (width, x.shape[-1]):
            raise AssertionError(
                f"expecting {name} weights shape of {(width, x.shape[-1])}, but got {w.shape}"
            )
    for name, b in zip(names, biases, strict=True):
        if b is not None and b.shape != (width,):
            raise AssertionError(f"expecting {name} bias shape of {(width,)}, but got {b.shape}")
    return [linear(x, w, b) for x, w, b in zip(operands, given, biases, strict=True)]


def _mask_of_heads(
    mask: Tensor | None, batch: int, heads: int, queries: int, keys: int
) -> Tensor | None:
    """A mask of rank 2 or 3, such that it broadcasts to (batch, heads, queries, keys)."""
    if mask is None:
        return None
    wanted = (queries, keys) if mask.ndim == 2 else (batch * heads, queries, keys)
    if mask.shape != wanted:
        raise RuntimeError(
            f"The shape of the {mask.ndim}D attn_mask is {mask.shape}, but should be {wanted}."
        )
    return (
        mask.reshape(1, 1, queries, keys)
        if mask.ndim == 2
        else mask.reshape(batch, heads, queries, keys)
    )


def _check_ranks(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    padding: Tensor | None,
    mask: Tensor | None,
    heads: int,
) -> None:
    rank = query.ndim
    if rank not in (2, 3):
        raise AssertionError(
            f"query should be unbatched 2D or batched 3D tensor but received {rank}-D query tensor"
        )
    start = f"For {'batched' if rank == 3 else 'unbatched'} ({rank}-D) `query`, expected"
    if key.ndim != rank or value.ndim != rank:
        raise AssertionError(
            f"{start} `key` and `value` to be {rank}-D but found {key.ndim}-D and {value.ndim}-D "
            "tensors respectively"
        )
    if padding is not None and padding.ndim != rank - 1:
        raise AssertionError(
            f"{start} `key_padding_mask` to be `None` or {rank - 1}-D but found {padding.ndim}-D "
            "tensor instead"
        )
    if mask is None:
        return
    if mask.ndim not in (2, 3):
        raise AssertionError(
            f"{start} `attn_mask` to be `None`, 2-D or 3-D but found {mask.ndim}-D tensor instead"
        )
    expected = (heads, query.shape[0], key.shape[0])
    if rank == 2 and mask.ndim == 3 and mask.shape != expected:
        raise AssertionError(f"Expected `attn_mask` shape to be {expected} but got {mask.shape}")
