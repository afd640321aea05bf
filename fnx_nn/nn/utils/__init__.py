"""Gradient clipping, parameters as one vector, layers fused: with the names of `torch.nn.utils`.

Read next: `clip_grad`, `convert_parameters`, `fusion`, `rnn`.
"""

from fnx_nn.nn.utils import rnn
from fnx_nn.nn.utils.clip_grad import (
    clip_grad_norm,
    clip_grad_norm_,
    clip_grad_value_,
    clip_grads_with_norm_,
    get_total_norm,
)
from fnx_nn.nn.utils.convert_parameters import parameters_to_vector, vector_to_parameters
from fnx_nn.nn.utils.fusion import (
    fuse_conv_bn_eval,
    fuse_conv_bn_weights,
    fuse_linear_bn_eval,
    fuse_linear_bn_weights,
)
from fnx_nn.nn.utils.init import skip_init

__all__ = [
    "clip_grad_norm",
    "clip_grad_norm_",
    "clip_grad_value_",
    "clip_grads_with_norm_",
    "fuse_conv_bn_eval",
    "fuse_conv_bn_weights",
    "fuse_linear_bn_eval",
    "fuse_linear_bn_weights",
    "get_total_norm",
    "parameters_to_vector",
    "rnn",
    "skip_init",
    "vector_to_parameters",
]
