"""Activations, element by element, with their in-place forms.

A table gives each its function of arrays, its node on the tape and its parameters. Halves of a
function that would overflow are fed with zeros where the other half is taken, so that derivatives
of any order stay finite; derivatives at kinks are PyTorch's.
Read next: `gates`; the layers are in `fnx_nn.nn.activation`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import fnx.nn
import fnx.numpy as jnp
from fnx import lax
from fnx_nn.dtypes import name_in_messages
from fnx_nn.tensor.dispatch import TensorOperation, apply, write
from fnx_nn.tensor.elementary import elementwise, require_tensor
from fnx_nn.tensor.table import FUNCTIONS
from fnx_nn.tensor.tensor import Tensor

__all__ = [
    "celu",
    "celu_",
    "elu",
    "elu_",
    "gelu",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "hardtanh_",
    "leaky_relu",
    "leaky_relu_",
    "logsigmoid",
    "mish",
    "relu",
    "relu6",
    "relu_",
    "selu",
    "selu_",
    "sigmoid",
    "silu",
    "softplus",
    "softshrink",
    "softsign",
    "tanh",
    "tanhshrink",
    "threshold",
    "threshold_",
]

_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_SCALE = 1.0507009873554804934193349852946


def _where(condition: Any, x: Any, y: Any) -> Any:
    x = x if hasattr(x, "dtype") else jnp.full_like(y, x)
    y = y if hasattr(y, "dtype") else jnp.full_like(x, y)
    return jnp.where(condition, x, y)


def _elu(x: Any, alpha: float, scale: float = 1.0, input_scale: float = 1.0) -> Any:
    below = _where(x > 0, 0.0, x)
    return _where(x > 0, x * scale, jnp.expm1(below * input_scale) * (alpha * scale))


def _softplus(x: Any, beta: float, threshold: float) -> Any:
    large = x * beta > threshold
    return _where(large, x, jnp.log1p(jnp.exp(_where(large, 0.0, x) * beta)) / beta)


def _gelu(x: Any, approximate: str) -> Any:
    if approximate == "tanh":
        inner = (x + x * x * x * 0.044715) * math.sqrt(2 / math.pi)
        return x * (jnp.tanh(inner) + 1.0) * 0.5
    return x * (lax.erf(x * math.sqrt(0.5)) + 1.0) * 0.5


def _hardtanh(x: Any, low: float, high: float) -> Any:
    return _where(x <= low, low, _where(x >= high, high, x))


def _hardsigmoid(x: Any) -> Any:
    return _where(x <= -3, 0.0, _where(x >= 3, 1.0, x / 6 + 0.5))


def _hardswish(x: Any) -> Any:
    return _where(x <= -3, 0.0, _where(x >= 3, x, x * (x / 6 + 0.5)))


def _shrink(x: Any, lambd: float) -> Any:
    return _where(x > lambd, x - lambd, _where(x < -lambd, x + lambd, x * 0.0))


_RELU6 = elementwise(lambda x: _hardtanh(x, 0, 6), "HardtanhBackward0")
_LEAKY_RELU = elementwise(
    lambda x, slope: _where(x > 0, x, x * slope), "LeakyReluBackward0"
)  # fmt: skip
_ELU = elementwise(_elu, "EluBackward0")
_CELU = elementwise(_elu, "CeluBackward0")
_SILU = elementwise(lambda x: x * fnx.nn.sigmoid(x), "SiluBackward0")
_MISH = elementwise(lambda x: x * jnp.tanh(fnx.nn.softplus(x)), "MishBackward0")
_GELU = elementwise(_gelu, "GeluBackward0")
_SOFTPLUS = elementwise(_softplus, "SoftplusBackward0")
_HARDTANH = elementwise(_hardtanh, "HardtanhBackward0")
_HARDSIGMOID = elementwise(_hardsigmoid, "HardsigmoidBackward0")
_HARDSWISH = elementwise(_hardswish, "HardswishBackward0")
_HARDSHRINK = elementwise(
    lambda x, lambd: _where((x > lambd) | (x < -lambd), x, 0.0), "HardshrinkBackward0"
)
_SOFTSHRINK = elementwise(_shrink, "SoftshrinkBackward0")
_THRESHOLD = elementwise(
    lambda x, threshold, value: _where(x > threshold, x, value), "ThresholdBackward0"
)
_LOGSIGMOID = elementwise(
    lambda x: _where(x < 0, x, 0.0) - jnp.log1p(jnp.exp(_where(x < 0, x, -x))),
    "LogSigmoidBackward0",
)


def _run(
    operation: TensorOperation, input: Tensor, params: dict[str, Any], inplace: bool, name: str
) -> Tensor:
    data = require_tensor(input, name)._data
    if data.dtype.kind in "biu" and name not in ("relu6", "hardtanh", "threshold"):
        raise NotImplementedError(
            f"\"{name}\" not implemented for '{name_in_messages(data.dtype)}'"
        )
    if inplace:
        return write(input, operation, (input,), params)
    out: Tensor = apply(operation, (input,), params)
    return out


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """``max(x, 0)``.

    Parameters
    ----------
    input : Tensor
        The operand.
    inplace : bool
        Whether to write the result into it.
    """
    result: Tensor = FUNCTIONS["relu_" if inplace else "relu"](input)
    return result


def relu_(input: Tensor) -> Tensor:
    """In-place version of `relu`.

    Parameters
    ----------
    input : Tensor
        The operand.
    """
    return relu(input, True)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """``min(max(x, 0), 6)``.

    Parameters
    ----------
    input : Tensor
        The operand.
    inplace : bool
        Whether to write the result into it.
    """
    return _run(_RELU6, input, {}, inplace, "relu6")


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x where positive, ``negative_slope * x`` elsewhere.

    Parameters
    ----------
    input : Tensor
        The operand.
    negative_slope : float
        Of the left half.
    inplace : bool
        Whether to write the result into it.
    """
    params = {"slope": float(negative_slope)}
    return _run(_LEAKY_RELU, input, params, inplace, "leaky_relu_cpu")


def leaky_relu_(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """In-place version of `leaky_relu`.

    Parameters
    ----------
    input : Tensor
        The operand.
    negative_slope : float
        Of the left half.
    """
    return leaky_relu(input, negative_slope, True)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where positive, ``alpha * (exp(x) - 1)`` elsewhere.

    Parameters
    ----------
    input : Tensor
        The operand.
    alpha : float
        Of the left half.
    inplace : bool
        Whether to write the result into it.
    """
    return _run(_ELU, input, {"alpha": float(alpha)}, inplace, "elu_cpu")


def elu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """In-place version of `elu`.

    Parameters
    ----------
    input : Tensor
        The operand.
    alpha : float
        Of the left half.
    """
    return elu(input, alpha, True)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """`elu` scaled so that activations keep mean 0 and variance 1.

    Parameters
    ----------
    input : Tensor
        The operand.
    inplace : bool
        Whether to write the result into it.
    """
    params = {"alpha": _SELU_ALPHA, "scale": _SELU_SCALE}
    return _run(_ELU, input, params, inplace, "elu_cpu")


def selu_(input: Tensor) -> Tensor:
    """In-place version of `selu`.

    Parameters
    ----------
    input : Tensor
        The operand.
    """
    return selu(input, True)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where positive, ``alpha * (exp(x / alpha) - 1)`` elsewhere.

    Parameters
    ----------
    input : Tensor
        The operand.
    alpha : float
        Of the left half, not 0.
    inplace : bool
        Whether to write the result into it.
    """
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    params = {"alpha": float(alpha), "input_scale": 1.0 / alpha}
    return _run(_CELU, input, params, inplace, "elu_cpu")


def celu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """In-place version of `celu`.

    Parameters
    ----------
    input : Tensor
        The operand.
    alpha : float
        Of the left half, not 0.
    """
    return celu(input, alpha, True)


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """x times the normal distribution's cdf of x.

    Parameters
    ----------
    input : Tensor
        The operand.
    approximate : str
        ``"none"``, or ``"tanh"`` for an approximation.
    """
    if approximate not in ("none", "tanh"):
        raise RuntimeError("approximate argument must be either none or tanh.")
    return _run(_GELU, input, {"approximate": approximate}, False, "GeluKernelImpl")


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """``x * sigmoid(x)``.

    Parameters
    ----------
    input : Tensor
        The operand.
    inplace : bool
        Whether to write the result into it.
    """
    return _run(_SILU, input, {}, inplace, "silu_cpu")


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """``x * tanh(softplus(x))``.

    Parameters
    ----------
    input : Tensor
        The operand.
    inplace : bool
        Whether to write the result into it.
    """
    return _run(_MISH, input, {}, inplace, "mish_cpu")


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """``log(1 + exp(beta * x)) / beta``.

    Parameters
    ----------
    input : Tensor
        The operand.
    beta : float
        How sharp it bends.
    threshold : float
        Above this ``beta * x`` it is x.
    """
    params = {"beta": float(beta), "threshold": float(threshold)}
    return _run(_SOFTPLUS, input, params, False, "softplus_cpu")


def logsigmoid(input: Tensor) -> Tensor:
    """``log(sigmoid(x))``.

    Parameters
    ----------
    input : Tensor
        The operand.
    """
    return _run(_LOGSIGMOID, input, {}, False, "log_sigmoid_cpu")


def softsign(input: Tensor) -> Tensor:
    """``x / (1 + |x|)``.

    Parameters
    ----------
    input : Tensor
        The operand.
    """
    result: Tensor = input / (input.abs() + 1)
    return result


def tanh(input: Tensor) -> Tensor:
    """The hyperbolic tangent.

    Parameters
    ----------
    input : Tensor
        The operand.
    """
    result: Tensor = FUNCTIONS["tanh"](input)
    return result


def tanhshrink(input: Tensor) -> Tensor:
    """``x - tanh(x)``.

    Parameters
    ----------
    input : Tensor
        The operand.
    """
    return input - tanh(input)


def sigmoid(input: Tensor) -> Tensor:
    """``1 / (1 + exp(-x))``.

    Parameters
    ----------
    input : Tensor
        The operand.
    """
    result: Tensor = FUNCTIONS["sigmoid"](input)
    return result


def hardtanh(
    input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Tensor:
    """x limited to a range.

    Parameters
    ----------
    input : Tensor
        The operand.
    min_val, max_val : float
        The range.
    inplace : bool
        Whether to write the result into it.
    """
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    params = {"low": float(min_val), "high": float(max_val)}
    return _run(_HARDTANH, input, params, inplace, "hardtanh")


def hardtanh_(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """In-place version of `hardtanh`.

    Parameters
    ----------
    input : Tensor
        The operand.
    min_val, max_val : float
        The range.
    """
    return hardtanh(input, min_val, max_val, True)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """``relu6(x + 3) / 6``.

    Parameters
    ----------
    input : Tensor
        The operand.
    inplace : bool
        Whether to write the result into it.
    """
    return _run(_HARDSIGMOID, input, {}, inplace, "hardsigmoid_cpu")


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """``x * hardsigmoid(x)``.

    Parameters
    ----------
    input : Tensor
        The operand.
    inplace : bool
        Whether to write the result into it.
    """
    return _run(_HARDSWISH, input, {}, inplace, "hardswish_cpu")


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x outside of ``[-lambd, lambd]``, 0 inside.

    Parameters
    ----------
    input : Tensor
        The operand.
    lambd : float
        The bound.
    """
    return _run(_HARDSHRINK, input, {"lambd": float(lambd)}, False, "hardshrink_cpu")


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x moved towards 0 by ``lambd``, 0 inside of ``[-lambd, lambd]``.

    Parameters
    ----------
    input : Tensor
        The operand.
    lambd : float
        The bound, not negative.
    """
    if lambd < 0:
        dtype = input._data.dtype
        raise RuntimeError(
            f"lambda must be in range [0, {float(np.finfo(dtype).max):g}] for input dtype "
            f"{name_in_messages(dtype)}, but found {lambd:g}"
        )
    return _run(_SOFTSHRINK, input, {"lambd": float(lambd)}, False, "softshrink_cpu")


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """x where it is above a threshold, a value elsewhere.

    Parameters
    ----------
    input : Tensor
        The operand.
    threshold : float
        The threshold.
    value : float
        What stands elsewhere.
    inplace : bool
        Whether to write the result into it.
    """
    params = {"threshold": float(threshold), "value": float(value)}
    return _run(_THRESHOLD, input, params, inplace, "threshold")


def threshold_(input: Tensor, threshold: float, value: float) -> Tensor:
    """In-place version of `threshold`.

    Parameters
    ----------
    input : Tensor
        The operand.
    threshold : float
        The threshold.
    value : float
        What stands elsewhere.
    """
    params = {"threshold": float(threshold), "value": float(value)}
    return _run(_THRESHOLD, input, params, True, "threshold")
