"""`MultiheadAttention`.

Read next: `transformer_layers`; what it computes is in
`fnx_nn.nn.functional.multi_head_attention`.
"""

from __future__ import annotations

from typing import Any

from fnx_nn.dtypes import dtype as Dtype
from fnx_nn.nn import init
from fnx_nn.nn.functional.multi_head_attention import multi_head_attention_forward
from fnx_nn.nn.linear import Linear
from fnx_nn.nn.module import Module
from fnx_nn.nn.parameter import Parameter
from fnx_nn.tensor.table import FUNCTIONS
from fnx_nn.tensor.tensor import Tensor

__all__ = ["MultiheadAttention", "NonDynamicallyQuantizableLinear"]


class NonDynamicallyQuantizableLinear(Linear):
    """A `Linear` by the name that PyTorch gives to the last projection of attention.

    Parameters
    ----------
    in_features, out_features, bias, device, dtype
        As for `Linear`.
    """


class MultiheadAttention(Module):
    """``concatenate(head_1, ..., head_h) @ out_proj.weight.T``, with attention in each head.

    A head attends between its share of the projected queries, keys and values.

    Parameters
    ----------
    embed_dim : int
        Features of the queries and of the result.
    num_heads : int
        Divides them.
    dropout : float
        With which probability a weight is set to zero in training.
    bias : bool
        Whether projections have biases.
    add_bias_kv : bool
        Whether there is one more key and value, learned.
    add_zero_attn : bool
        Whether there is one more key and value of zeros.
    kdim, vdim : int, optional
        Features of keys and values; `embed_dim` if left out.
    batch_first : bool
        Whether operands are (batch, sequence, features) instead of (sequence, batch, features).
    device, dtype : optional
        Of the parameters.

    References
    ----------
    Vaswani et al., *Attention is all you need* (2017), section 3.2.2.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> layer = MultiheadAttention(4, 2, batch_first=True)
    >>> x = torch.ones(3, 5, 4)
    >>> out, weights = layer(x, x, x)
    >>> out.shape, weights.shape
    (torch.Size([3, 5, 4]), torch.Size([3, 5, 5]))
    """

    in_proj_weight: Any
    in_proj_bias: Any
    q_proj_weight: Any
    k_proj_weight: Any
    v_proj_weight: Any
    bias_k: Any
    bias_v: Any

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Dtype | None = None,
    ) -> None:
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                "embed_dim and num_heads must be greater than 0, got "
                f"embed_dim={embed_dim} and num_heads={num_heads} instead"
            )
        super().__init__()
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self._qkv_same_embed_dim = self.kdim == self.vdim == embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.head_dim = embed_dim // num_heads
        if self.head_dim * num_heads != embed_dim:
            raise AssertionError("embed_dim must be divisible by num_heads")

        def empty(*shape: int) -> Parameter:
            return Parameter(FUNCTIONS["empty"](shape, device=device, dtype=dtype))

        if self._qkv_same_embed_dim:
            self.in_proj_weight = empty(3 * embed_dim, embed_dim)
            for short in "qkv":
                self.register_parameter(f"{short}_proj_weight", None)
        else:
            self.q_proj_weight = empty(embed_dim, embed_dim)
            self.k_proj_weight = empty(embed_dim, self.kdim)
            self.v_proj_weight = empty(embed_dim, self.vdim)
            self.register_parameter("in_proj_weight", None)
        if bias:
            self.in_proj_bias = empty(3 * embed_dim)
        else:
            self.register_parameter("in_proj_bias", None)
        self.out_proj = NonDynamicallyQuantizableLinear(
            embed_dim, embed_dim, bias=bias, device=device, dtype=dtype
        )
        if add_bias_kv:
            self.bias_k = empty(1, 1, embed_dim)
            self.bias_v = empty(1, 1, embed_dim)
        else:
            self.bias_k = self.bias_v = None
        self.add_zero_attn = add_zero_attn
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        for weight in (
            self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight,
        ):  # fmt: skip
            if weight is not None:
                init.xavier_uniform_(weight)
        if self.in_proj_bias is not None:
            init.constant_(self.in_proj_bias, 0.0)
            init.constant_(self.out_proj.bias, 0.0)
        for extra in (self.bias_k, self.bias_v):
            if extra is not None:
                init.xavier_normal_(extra)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Attend.

        Parameters
        ----------
        query : Tensor
            (queries, batch, embed_dim), or without the batch; the batch first if so made.
        key, value : Tensor
            (keys, batch, kdim) and (keys, batch, vdim), likewise.
        key_padding_mask : Tensor, optional
            (batch, keys): true for keys that are left out; or numbers that are added.
        need_weights : bool
            Whether the weights are given too.
        attn_mask : Tensor, optional
            (queries, keys) or (batch * num_heads, queries, keys): true where a query may not
            attend; or numbers that are added.
        average_attn_weights : bool
            Whether the weights of all heads are averaged.
        is_causal : bool
            A promise that `attn_mask` lets each query attend to the keys up to its own place.

        Returns
        -------
        tuple of Tensor and Tensor or None
            Like the query; and (batch, queries, keys), with the heads before the queries unless
            averaged.
        """
        turn = self.batch_first and query.ndim == 3
        if turn:  # operands that are one tensor stay one: they are projected together
            turned = {id(x): x.transpose(0, 1) for x in (query, key, value)}
            query, key, value = (turned[id(x)] for x in (query, key, value))
        out, weights = multi_head_attention_forward(
            query,
            key,
            value,
            self.embed_dim,
            self.num_heads,
            self.in_proj_weight,
            self.in_proj_bias,
            self.bias_k,
            self.bias_v,
            self.add_zero_attn,
            self.dropout,
            self.out_proj.weight,
            self.out_proj.bias,
            self.training,
            key_padding_mask,
            need_weights,
            attn_mask,
            not self._qkv_same_embed_dim,
            self.q_proj_weight,
            self.k_proj_weight,
            self.v_proj_weight,
            average_attn_weights=average_attn_weights,
            is_causal=is_causal,
        )
        return out.transpose(0, 1) if turn else out, weights
