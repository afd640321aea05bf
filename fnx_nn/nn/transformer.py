"""`TransformerEncoder` and `TransformerDecoder`, stacks of layers; `Transformer`, one of each.

Nobody looks whether a mask is causal: that would change the speed only, and the mask is at hand.
"""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Callable
from typing import Any

from fnx_nn.autograd.modes import is_grad_enabled
from fnx_nn.dtypes import dtype as Dtype
from fnx_nn.nn import functional as F
from fnx_nn.nn import init
from fnx_nn.nn.activation import GELU, ReLU
from fnx_nn.nn.containers import ModuleList
from fnx_nn.nn.functional.multi_head_attention import additive_mask
from fnx_nn.nn.layer_normalization import LayerNorm
from fnx_nn.nn.module import Module
from fnx_nn.nn.transformer_layers import TransformerDecoderLayer, TransformerEncoderLayer
from fnx_nn.tensor.table import FUNCTIONS
from fnx_nn.tensor.tensor import Tensor

__all__ = ["Transformer", "TransformerDecoder", "TransformerEncoder"]


class _Stack(Module):
    """Copies of a layer, one after the other, and a normalization, if given."""

    norm: Any

    def __init__(self, layer: Module, num_layers: int, norm: Module | None) -> None:
        super().__init__()
        self.layers = ModuleList([copy.deepcopy(layer) for _ in range(num_layers)])
        self.num_layers = num_layers
        self.norm = norm

    def _normalized(self, x: Tensor) -> Tensor:
        return x if self.norm is None else self.norm(x)


class TransformerEncoder(_Stack):
    """A stack of encoder layers, which begin as equal copies.

    Parameters
    ----------
    encoder_layer : TransformerEncoderLayer
        Copied.
    num_layers : int
        How often.
    norm : Module, optional
        Comes last.
    enable_nested_tensor : bool
        Whether padding is taken out in evaluation, where all of it is at the end of the sequences:
        the last layer gives zeros there, as in PyTorch. It warns if the layer is not one for which
        PyTorch does that. (There are no nested tensors here; what is computed for padding is not
        used.)
    mask_check : bool
        Whether to look if the padding is at the end; without, it is taken to be.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> from fnx_nn import nn
    >>> layer = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
    >>> TransformerEncoder(layer, 3)(torch.ones(2, 5, 4)).shape
    torch.Size([2, 5, 4])
    """

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__(encoder_layer, num_layers, norm)
        why_not = _why_padding_stays(encoder_layer)
        self.enable_nested_tensor = enable_nested_tensor
        self.use_nested_tensor = enable_nested_tensor and not why_not
        self.mask_check = mask_check
        if enable_nested_tensor and why_not:
            warnings.warn(
                "enable_nested_tensor is True, but self.use_nested_tensor is False because "
                f"{why_not}",
                stacklevel=2,
            )

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        """Encode.

        Parameters
        ----------
        src : Tensor
            (sequence, batch, d_model), or without the batch; the batch first if so made.
        mask : Tensor, optional
            As `attn_mask` of `MultiheadAttention`.
        src_key_padding_mask : Tensor, optional
            As `key_padding_mask` of `MultiheadAttention`.
        is_causal : bool, optional
            A promise that `mask` is causal.
        """
        padding = additive_mask(src_key_padding_mask, "src_key_padding_mask", src, mask, "mask")
        mask = additive_mask(mask, "mask", src)
        removed: Any = None
        if padding is not None and mask is None and self._takes_padding_out(src):
            removed = padding.ne(0)
            if self.mask_check:
                at_end = (removed[:, :-1] <= removed[:, 1:]).all()
                removed = removed & at_end
            padding = padding.masked_fill(removed, -math.inf)
        x = src
        for layer in self.layers:
            x = layer(x, src_mask=mask, is_causal=bool(is_causal), src_key_padding_mask=padding)
        if removed is not None:
            x = x.masked_fill(removed.unsqueeze(-1), 0.0)
        return self._normalized(x)

    def _takes_padding_out(self, src: Tensor) -> bool:
        if not self.use_nested_tensor or self.layers[0].training or src.ndim != 3:
            return False
        operands = (src, *self.layers[0].parameters())
        return not (is_grad_enabled() and any(x.requires_grad for x in operands))


def _why_padding_stays(layer: Module) -> str:
    """Why PyTorch would not take padding out before this layer; nothing if it would."""
    if not isinstance(layer, TransformerEncoderLayer):
        return "encoder_layer was not TransformerEncoderLayer"
    activation, attention = layer.activation, layer.self_attn
    known = activation in (F.relu, F.gelu) or isinstance(activation, (ReLU, GELU))
    reasons = {
        "norm_first was True": layer.norm_first,
        "self_attn.batch_first was not True(use batch_first for better inference performance)": (
            not attention.batch_first
        ),
        "self_attn._qkv_same_embed_dim was not True": not attention._qkv_same_embed_dim,
        "self_attn was passed bias=False": attention.in_proj_bias is None,
        "activation_relu_or_gelu was not True": not known,
        "norm1.eps was not equal to encoder_layer.norm2.eps": layer.norm1.eps != layer.norm2.eps,
        "self_attn.num_heads is odd": attention.num_heads % 2 == 1,
    }
    return next((f"encoder_layer.{reason}" for reason, holds in reasons.items() if holds), "")


class TransformerDecoder(_Stack):
    """A stack of decoder layers, which begin as equal copies.

    Parameters
    ----------
    decoder_layer : TransformerDecoderLayer
        Copied.
    num_layers : int
        How often.
    norm : Module, optional
        Comes last.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> from fnx_nn import nn
    >>> decoder = TransformerDecoder(nn.TransformerDecoderLayer(4, 2, 8), 3)
    >>> decoder(torch.ones(5, 2, 4), torch.ones(6, 2, 4)).shape
    torch.Size([5, 2, 4])
    """

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__(decoder_layer, num_layers, norm)

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool | None = None,
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
        tgt_is_causal, memory_is_causal : bool, optional
            Promises that a mask is causal.
        """
        x = tgt
        for layer in self.layers:
            x = layer(
                x,
                memory,
                tgt_mask=tgt_mask,
                memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask,
                tgt_is_causal=bool(tgt_is_causal),
                memory_is_causal=memory_is_causal,
            )
        return self._normalized(x)


class Transformer(Module):
    """An encoder for one sequence, and a decoder for another that attends to what it makes.

    Parameters
    ----------
    d_model : int
        Features of the elements of both sequences.
    nhead : int
        Heads of attention.
    num_encoder_layers, num_decoder_layers : int
        How many layers.
    dim_feedforward : int
        Features of the hidden layers.
    dropout : float
        A probability.
    activation : {"relu", "gelu"} or callable
        Of the hidden layers.
    custom_encoder, custom_decoder : Module, optional
        In place of those that the other arguments describe.
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
    Vaswani et al., *Attention is all you need* (2017).

    Examples
    --------
    >>> import fnx_nn as torch
    >>> model = Transformer(4, 2, 1, 1, 8, batch_first=True)
    >>> model(torch.ones(2, 5, 4), torch.ones(2, 3, 4)).shape
    torch.Size([2, 3, 4])
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Tensor], Tensor] = F.relu,
        custom_encoder: Any | None = None,
        custom_decoder: Any | None = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Dtype | None = None,
    ) -> None:
        super().__init__()
        made: dict[str, Any] = {"bias": bias, "device": device, "dtype": dtype}
        layer: dict[str, Any] = {
            "d_model": d_model,
            "nhead": nhead,
            "dim_feedforward": dim_feedforward,
            "dropout": dropout,
            "activation": activation,
            "layer_norm_eps": layer_norm_eps,
            "batch_first": batch_first,
            "norm_first": norm_first,
            **made,
        }
        if custom_encoder is None:
            encoder_layer = TransformerEncoderLayer(**layer)
            norm = LayerNorm(d_model, eps=layer_norm_eps, **made)
            custom_encoder = TransformerEncoder(encoder_layer, num_encoder_layers, norm)
        self.encoder = custom_encoder
        if custom_decoder is None:
            decoder_layer = TransformerDecoderLayer(**layer)
            norm = LayerNorm(d_model, eps=layer_norm_eps, **made)
            custom_decoder = TransformerDecoder(decoder_layer, num_decoder_layers, norm)
        self.decoder = custom_decoder
        self._reset_parameters()
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first

    def _reset_parameters(self) -> None:
        for parameter in self.parameters():
            if parameter.ndim > 1:
                init.xavier_uniform_(parameter)

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Encode one sequence, and decode the other.

        Parameters
        ----------
        src : Tensor
            For the encoder: (sequence, batch, d_model), or without the batch; the batch first if
            so made.
        tgt : Tensor
            For the decoder, likewise.
        src_mask, tgt_mask, memory_mask : Tensor, optional
            As `attn_mask` of `MultiheadAttention`.
        src_key_padding_mask, tgt_key_padding_mask, memory_key_padding_mask : Tensor, optional
            As `key_padding_mask` of `MultiheadAttention`.
        src_is_causal, tgt_is_causal, memory_is_causal : bool, optional
            Promises that a mask is causal.
        """
        batch = 0 if self.batch_first else 1
        if src.ndim == 3 and src.shape[batch] != tgt.shape[batch]:
            raise RuntimeError("the batch number of src and tgt must be equal")
        if src.shape[-1] != self.d_model or tgt.shape[-1] != self.d_model:
            raise RuntimeError("the feature number of src and tgt must be equal to d_model")
        memory = self.encoder(
            src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal
        )
        out: Tensor = self.decoder(
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )
        return out

    @staticmethod
    def generate_square_subsequent_mask(
        sz: int, device: Any = None, dtype: Dtype | None = None
    ) -> Tensor:
        """The causal mask: minus infinity above the diagonal, zero elsewhere.

        Parameters
        ----------
        sz : int
            Length of the sequence.
        device, dtype : optional
            Of the mask.

        Examples
        --------
        >>> Transformer.generate_square_subsequent_mask(2)
        tensor([[0., -inf],
                [0., 0.]])
        """
        full = FUNCTIONS["full"]((sz, sz), -math.inf, device=device, dtype=dtype)
        out: Tensor = FUNCTIONS["triu"](full, 1)
        return out
