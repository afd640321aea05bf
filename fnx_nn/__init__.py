"""fnx_nn: tensors that can be written to, with gradients on a tape, and neural networks of them.

The names are those of `torch`: a program written for it runs after ``import fnx_nn as torch``. It
stands on the public names of `fnx`; there are no derivative rules in it.
Read next: `fnx_nn.tensor`, `fnx_nn.autograd`.
"""

from __future__ import annotations

import math as _math
from typing import Any

from fnx_nn import autograd, cuda, func, hub, nn, optim, utils
from fnx_nn.autograd.modes import (
    enable_grad,
    inference_mode,
    is_anomaly_enabled,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from fnx_nn.devices import device, get_default_device
from fnx_nn.dtypes import (
    bfloat16,
    can_cast,
    complex64,
    complex128,
    dtype,
    finfo,
    float16,
    float32,
    float64,
    get_default_dtype,
    iinfo,
    int8,
    int16,
    int32,
    int64,
    promote_types,
    set_default_dtype,
    uint8,
    uint16,
    uint32,
    uint64,
)
from fnx_nn.dtypes import bool_ as bool
from fnx_nn.tensor.catalogue import FUNCTIONS as _FUNCTIONS
from fnx_nn.tensor.creation import tensor
from fnx_nn.tensor.printing import set_printoptions
from fnx_nn.tensor.promotion import result_type
from fnx_nn.tensor.random import Generator, default_generator, fork_rng
from fnx_nn.tensor.saving import load, save
from fnx_nn.tensor.tensor import Size, Tensor

half, float, double = float16, float32, float64
short, int, long = int16, int32, int64
cfloat, cdouble = complex64, complex128

inf, nan, pi, e = _math.inf, _math.nan, _math.pi, _math.e
newaxis = None

__all__ = [
    "Generator",
    "Size",
    "Tensor",
    "autograd",
    "bfloat16",
    "bool",
    "can_cast",
    "cdouble",
    "cfloat",
    "complex128",
    "complex64",
    "cuda",
    "default_generator",
    "device",
    "double",
    "dtype",
    "e",
    "enable_grad",
    "finfo",
    "float",
    "float16",
    "float32",
    "float64",
    "fork_rng",
    "func",
    "get_default_device",
    "get_default_dtype",
    "half",
    "hub",
    "iinfo",
    "inf",
    "inference_mode",
    "int",
    "int16",
    "int32",
    "int64",
    "int8",
    "is_anomaly_enabled",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "load",
    "long",
    "nan",
    "newaxis",
    "nn",
    "no_grad",
    "optim",
    "pi",
    "promote_types",
    "result_type",
    "save",
    "set_default_dtype",
    "set_grad_enabled",
    "set_printoptions",
    "short",
    "tensor",
    "uint16",
    "uint32",
    "uint64",
    "uint8",
    "utils",
]

# The rows of the tables are functions of this module, too.
globals().update(_FUNCTIONS)
__all__ += [name for name in _FUNCTIONS if name not in __all__]
__all__.sort()


def __getattr__(name: str) -> Any:
    raise AttributeError(f"module 'fnx_nn' has no attribute {name!r}")
