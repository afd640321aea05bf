"""Batch normalization folded into the convolution or linear layer before it, for inference.

A normalization with fixed statistics is an affine function of each channel; so are the outputs of
the layer before it, and the two are one layer with other weights.
Read next: `fnx_nn.nn.normalization`.
"""

from __future__ import annotations

import copy
from typing import Any

from fnx_nn.nn.parameter import Parameter
from fnx_nn.tensor.table import FUNCTIONS
from fnx_nn.tensor.tensor import Tensor

__all__ = [
    "fuse_conv_bn_eval",
    "fuse_conv_bn_weights",
    "fuse_linear_bn_eval",
    "fuse_linear_bn_weights",
]

_zeros_like, _ones_like = FUNCTIONS["zeros_like"], FUNCTIONS["ones_like"]


def fuse_conv_bn_eval(conv: Any, bn: Any, transpose: bool = False) -> Any:
    """A convolution that does what another one and a batch normalization do.

    Parameters
    ----------
    conv : Module
        The convolution, in eval mode.
    bn : Module
        The batch normalization, in eval mode, with running statistics.
    transpose : bool
        Whether the convolution is a transposed one.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> from fnx_nn import nn
    >>> conv, bn = nn.Conv2d(1, 2, 3).eval(), nn.BatchNorm2d(2).eval()
    >>> fused, x = fuse_conv_bn_eval(conv, bn), torch.randn(1, 1, 4, 4)
    >>> torch.allclose(fused(x), bn(conv(x)), atol=1e-6)
    True
    """
    _check_modes(conv, bn)
    _check_statistics(bn)
    fused = copy.deepcopy(conv)
    fused.weight, fused.bias = fuse_conv_bn_weights(
        fused.weight, fused.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias,
        transpose,
    )  # fmt: skip
    return fused


def fuse_conv_bn_weights(
    conv_w: Tensor,
    conv_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
    transpose: bool = False,
) -> tuple[Parameter, Parameter]:
    """Weight and bias of a convolution with a batch normalization folded in.

    Parameters
    ----------
    conv_w, conv_b : Tensor
        Weight, and bias or None, of the convolution.
    bn_rm, bn_rv : Tensor
        Running mean and variance.
    bn_eps : float
        Added to the variance.
    bn_w, bn_b : Tensor or None
        Scale and shift of the normalization.
    transpose : bool
        Whether the convolution is a transposed one.
    """
    bias = _zeros_like(bn_rm) if conv_b is None else conv_b
    scale = _ones_like(bn_rm) if bn_w is None else bn_w
    shift = _zeros_like(bn_rm) if bn_b is None else bn_b
    inverse = (bn_rv + bn_eps).rsqrt()
    shape = [-1] + [1] * (conv_w.ndim - 1)
    if transpose:
        shape[:2] = [1, -1]
    weight = (conv_w * (scale * inverse).reshape(shape)).to(dtype=conv_w.dtype)
    bias_dtype = conv_w.dtype if conv_b is None else conv_b.dtype
    folded = ((bias - bn_rm) * inverse * scale + shift).to(dtype=bias_dtype)
    return Parameter(weight, conv_w.requires_grad), Parameter(folded, bias.requires_grad)


def fuse_linear_bn_eval(linear: Any, bn: Any) -> Any:
    """A linear layer that does what another one and a batch normalization do.

    Parameters
    ----------
    linear : Module
        The linear layer, in eval mode.
    bn : Module
        The batch normalization, in eval mode, with running statistics.
    """
    _check_modes(linear, bn)
    if bn.num_features not in (1, linear.out_features):
        raise AssertionError(
            "To fuse, linear.out_features == bn.num_features or bn.num_features == 1, got "
            f"linear.out_features={linear.out_features} and bn.num_features={bn.num_features}"
        )
    _check_statistics(bn)
    fused = copy.deepcopy(linear)
    fused.weight, fused.bias = fuse_linear_bn_weights(
        fused.weight, fused.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias
    )
    return fused


def fuse_linear_bn_weights(
    linear_w: Tensor,
    linear_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor,
    bn_b: Tensor,
) -> tuple[Parameter, Parameter]:
    """Weight and bias of a linear layer with a batch normalization folded in.

    Parameters
    ----------
    linear_w, linear_b : Tensor
        Weight, and bias or None, of the layer.
    bn_rm, bn_rv : Tensor
        Running mean and variance.
    bn_eps : float
        Added to the variance.
    bn_w, bn_b : Tensor
        Scale and shift of the normalization.
    """
    bias = _zeros_like(bn_rm) if linear_b is None else linear_b
    scale = bn_w * (bn_rv + bn_eps).rsqrt()
    weight = linear_w * scale.unsqueeze(-1).to(dtype=linear_w.dtype)
    bias_dtype = linear_w.dtype if linear_b is None else linear_b.dtype
    folded = ((bias - bn_rm) * scale + bn_b).to(dtype=bias_dtype)
    return Parameter(weight, linear_w.requires_grad), Parameter(folded, bias.requires_grad)


def _check_modes(layer: Any, bn: Any) -> None:
    if layer.training or bn.training:
        raise AssertionError("Fusion only for eval!")


def _check_statistics(bn: Any) -> None:
    if bn.running_mean is None or bn.running_var is None:
        raise AssertionError("bn.running_mean and bn.running_var must not be None")
