"""Differentiation on the tape: `backward`, `grad`, `Function`, `gradcheck` (as `torch.autograd`).

The tape is made by operations on tensors (`fnx_nn.tensor.dispatch`); no derivative is written here:
pullbacks come from `fnx.extend`.
Read next: `fnx_nn.tensor.tape`, `engine`.
"""

from fnx_nn.autograd import functional
from fnx_nn.autograd.api import backward, grad
from fnx_nn.autograd.function import Function, once_differentiable
from fnx_nn.autograd.gradcheck import gradcheck, gradgradcheck
from fnx_nn.autograd.modes import (
    detect_anomaly,
    enable_grad,
    inference_mode,
    no_grad,
    set_detect_anomaly,
    set_grad_enabled,
)
from fnx_nn.tensor.tensor import Tensor as Variable

__all__ = [
    "Function",
    "Variable",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "functional",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "inference_mode",
    "no_grad",
    "once_differentiable",
    "set_detect_anomaly",
    "set_grad_enabled",
]
