"""`TransformerEncoderLayer` and `TransformerDecoderLayer`: attention and a small network, in steps.

Each step adds what a block makes of x to x; a `LayerNorm` comes after the sum, or before the block.
Read next: `transformer`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from fnx_nn.dtypes import dtype as Dtype
from fnx_nn.nn import functional as F
from fnx_nn.nn.attention import MultiheadAttention
from fnx_nn.nn.dropout import Dropout
from fnx_nn.nn.functional.multi_head_attention import additive_mask
from fnx_nn.nn.layer_normalization import LayerNorm
from fnx_nn.nn.linear import Linear
from fnx_nn.nn.module import Module
from fnx_nn.tensor.tensor import Tensor

__all__ = ["TransformerDecoderLayer", "TransformerEncoderLayer"]


class _TransformerLayer(Module):
    """What both layers have in common: attention by names, then the network, in steps."""

    _attentions: ClassVar[tuple[str, ...]]

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Tensor], Tensor] = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Dtype | None = None,
    ) -> None:
        super().__init__()
        made: dict[str, Any] = {"bias": bias, "device": device, "dtype": dtype}
        for name in self._attentions:
            attention = MultiheadAttention(
                d_model, nhead, dropout=dropout, batch_first=batch_first, **made
            )
            setattr(self, name, attention)
        self.linear1 = Linear(d_model, dim_feedforward, **made)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, **made)
        self.norm_first = norm_first
        steps = range(1, len(self._attentions) + 2)
        for step in steps:
            setattr(self, f"norm{step}", LayerNorm(d_model, eps=layer_norm_eps, **made))
        for step in steps:
            setattr(self, f"dropout{step}", Dropout(dropout))
        if isinstance(activation, str):
            named: dict[str, Any] = {"relu": F.relu, "gelu": F.gelu}
            if activation not in named:
                raise RuntimeError(f"activation should be relu/gelu, not {activation}")
            activation = named[activation]
        self.activation: Any = activation

    def _step(self, number: int, x: Tensor, block: Callable[[Tensor], Tensor]) -> Tensor:
        norm, dropout = getattr(self, f"norm{number}"), getattr(self, f"dropout{number}")
        out: Tensor = (
            x + dropout(block(norm(x))) if self.norm_first else norm(x + dropout(block(x)))
        )
        return out

    def _feed_forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.linear2(self.dropout(self.activation(self.linear1(x))))
        return out


def _attended(
    attention: Module, x: Tensor, memory: Tensor, mask: Any, padding: Any, is_causal: bool
) -> Tensor:
    out, _ = attention(
        x,
        memory,
        memory,
        attn_mask=mask,
        key_padding_mask=padding,
        need_weights=False,
        is_causal=is_causal,
    )
    made: Tensor = out
    return made


class TransformerEncoderLayer(_TransformerLayer):
    """Self-attention, then a network of one hidden layer for each element of the sequence.

    Parameters
    ----------
    d_model : int
        Features of the elements.
    nhead : int
        Heads of attention.
    dim_feedforward : int
        Features of the hidden layer.
    dropout : float
        A probability.
    activation : {"relu", "gelu"} or callable
        Of the hidden layer.
    layer_norm_eps : float
        Of the normalizations.
    batch_first : bool
        Whether operands are (batch, sequence, features) instead of (sequence, batch, features).
    norm_first : bool
        Whether normalization comes before the blocks.
    bias : bool
        Whether there are biases.
    device, dtype : optional
        Of the parameters.

    References
    ----------
    Vaswani et al., *Attention is all you need* (2017); Xiong et al., *On layer normalization in the
    transformer architecture* (2020), for `norm_first`.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> TransformerEncoderLayer(4, 2, 8)(torch.ones(5, 3, 4)).shape
    torch.Size([5, 3, 4])
    """

    _attentions = ("self_attn",)
    self_attn: MultiheadAttention

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """Encode.

        Parameters
        ----------
        src : Tensor
            (sequence, batch, d_model), or without the batch; the batch first if so made.
        src_mask : Tensor, optional
            As `attn_mask` of `MultiheadAttention`.
        src_key_padding_mask : Tensor, optional
            As `key_padding_mask` of `MultiheadAttention`.
        is_causal : bool
            A promise that `src_mask` is causal.
        """
        padding = additive_mask(
            src_key_padding_mask, "src_key_padding_mask", src, src_mask, "src_mask"
        )
        mask = additive_mask(src_mask, "src_mask", src)
        x = self._step(1, src, lambda x: _attended(self.self_attn, x, x, mask, padding, is_causal))
        return self._step(2, x, self._feed_forward)


class TransformerDecoderLayer(_TransformerLayer):
    """Self-attention, attention to an encoded sequence, then a network for each element.

    Parameters
    ----------
    d_model : int
        Features of the elements.
    nhead : int
        Heads of attention.
    dim_feedforward : int
        Features of the hidden layer.
    dropout : float
        A probability.
    activation : {"relu", "gelu"} or callable
        Of the hidden layer.
    layer_norm_eps : float
        Of the normalizations.
    batch_first : bool
        Whether operands are (batch, sequence, features) instead of (sequence, batch, features).
    norm_first : bool
        Whether normalization comes before the blocks.
    bias : bool
        Whether there are biases.
    device, dtype : optional
        Of the parameters.

    References
    ----------
    Vaswani et al., *Attention is all you need* (2017); Xiong et al., *On layer normalization in the
    transformer architecture* (2020), for `norm_first`.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> TransformerDecoderLayer(4, 2, 8)(torch.ones(5, 3, 4), torch.ones(6, 3, 4)).shape
    torch.Size([5, 3, 4])
    """

    _attentions = ("self_attn", "multihead_attn")
    self_attn: MultiheadAttention
    multihead_attn: MultiheadAttention

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Decode.

        Parameters
        ----------
        tgt : Tensor
            (sequence, batch, d_model), or without the batch; the batch first if so made.
        memory : Tensor
            What the encoder made, likewise.
        tgt_mask, memory_mask : Tensor, optional
            As `attn_mask` of `MultiheadAttention`.
        tgt_key_padding_mask, memory_key_padding_mask : Tensor, optional
            As `key_padding_mask` of `MultiheadAttention`.
        tgt_is_causal, memory_is_causal : bool
            Promises that a mask is causal.
        """
        x = self._step(
            1,
            tgt,
            lambda x: _attended(
                self.self_attn, x, x, tgt_mask, tgt_key_padding_mask, tgt_is_causal
            ),
        )
        x = self._step(
            2,
            x,
            lambda x: _attended(
                self.multihead_attn,
                x,
                memory,
                memory_mask,
                memory_key_padding_mask,
                memory_is_causal,
            ),
        )
        return self._step(3, x, self._feed_forward)
