"""Arithmetic of two and three operands, and Python's operators for it.

A number beside a tensor is an operand of the tensor's dtype, so that a new number is no new
program; whole exponents are parameters, because they decide what is computed.
Read next: `comparison`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import fnx.numpy as jnp
from fnx import lax
from fnx_nn.ambient import ambient
from fnx_nn.tensor.dispatch import TensorOperation, apply, write
from fnx_nn.tensor.elementary import OPERATIONS, bool_or, elementwise
from fnx_nn.tensor.promotion import (
    NUMBERS,
    as_operands,
    number,
    result_dtype,
    scalar_tensor_like,
)
from fnx_nn.tensor.table import FUNCTIONS, METHODS, operator
from fnx_nn.tensor.tensor import Tensor

__all__ = ["ADD"]

_NONE: dict[str, Any] = {}

ADD = elementwise(bool_or(jnp.add, jnp.logical_or), "AddBackward0")
_SUB = elementwise(jnp.subtract, "SubBackward0")
_RSUB = elementwise(lambda x, y: jnp.subtract(y, x), "RsubBackward1")
_MUL = elementwise(bool_or(jnp.multiply, jnp.logical_and), "MulBackward0")
_DIV = elementwise(jnp.true_divide, "DivBackward0")
_ADD_SCALED = elementwise(lambda x, y, alpha: x + y * alpha, "AddBackward0")
_SUB_SCALED = elementwise(lambda x, y, alpha: x - y * alpha, "SubBackward0")


@operator(inplace=True)
def add(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """``input + alpha * other``.

    Parameters
    ----------
    input, other : Tensor or number
        Broadcast against each other and promoted.
    alpha : number
        Multiplies `other`.
    """
    operands, params = as_operands(input, other, name="add")
    if alpha == 1:
        return ADD, operands, params
    return _ADD_SCALED, (*operands, _alpha(alpha, operands, params, "add")), params


@operator("subtract", inplace=True)
def sub(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """``input - alpha * other``.

    Parameters
    ----------
    input, other : Tensor or number
        Broadcast against each other and promoted.
    alpha : number
        Multiplies `other`.
    """
    operands, params = as_operands(input, other, name="sub")
    if operands[0]._data.dtype == np.bool_ == operands[1]._data.dtype:
        raise RuntimeError(
            "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or "
            "`logical_xor()` operator instead."
        )
    if alpha == 1:
        return _SUB, operands, params
    return _SUB_SCALED, (*operands, _alpha(alpha, operands, params, "sub")), params


def _alpha(alpha: Any, operands: Any, params: Any, name: str) -> Tensor:
    target = params.get("dtype", operands[0]._data.dtype)
    if target.kind in "biu" and isinstance(alpha, float):
        raise RuntimeError(
            "For integral input tensors, argument alpha must not be a floating point number."
        )
    return number(alpha, target)


@operator(as_method=False)
def rsub(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """``other - alpha * input``.

    Parameters
    ----------
    input, other : Tensor or number
        Broadcast against each other and promoted.
    alpha : number
        Multiplies `input`.
    """
    if alpha != 1:
        return sub.__wrapped__(other, input, alpha=alpha)  # type: ignore[attr-defined]
    operands, params = as_operands(input, other, name="rsub")
    return _RSUB, operands, params


@operator("multiply", inplace=True)
def mul(input: Any, other: Any) -> Any:
    """``input * other``.

    Parameters
    ----------
    input, other : Tensor or number
        Broadcast against each other and promoted.
    """
    return _MUL, *as_operands(input, other, name="mul")


def _floats(*values: Any, name: str) -> Any:
    """Operands of a function whose result is never whole."""
    operands, params = as_operands(*values, name=name)
    target: np.dtype[Any] = params["dtype"] if params else operands[0]._data.dtype
    return operands, {"dtype": ambient().default_dtype} if target.kind in "biu" else params


_DIV_FLOOR = elementwise(jnp.floor_divide, "DivBackward1")
_DIV_TRUNC = elementwise(
    lambda x, y: (
        jnp.trunc(x / y) if x.dtype.kind not in "biu" else lax.div(*jnp.broadcast_arrays(x, y))
    ),
    "DivBackward1",
)


@operator("divide", inplace=True)
def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Any:
    """``input / other``.

    Parameters
    ----------
    input, other : Tensor or number
        Broadcast against each other and promoted; integers become floats unless rounded.
    rounding_mode : {None, "trunc", "floor"}
        Round to a whole number, toward 0 or down.
    """
    if rounding_mode is None:
        return _DIV, *_floats(input, other, name="div")
    if rounding_mode not in ("trunc", "floor"):
        raise RuntimeError(
            "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found "
            f"'{rounding_mode}'"
        )
    operands, params = as_operands(input, other, name="div")
    _refuse_zero(operands)
    return _DIV_FLOOR if rounding_mode == "floor" else _DIV_TRUNC, operands, params


def _refuse_zero(operands: Any) -> None:
    if all(t._data.dtype.kind in "biu" for t in operands) and not np.all(operands[1]._data):
        raise RuntimeError("ZeroDivisionError")


@operator(inplace=True)
def true_divide(input: Any, other: Any) -> Any:
    """``input / other``.

    Parameters
    ----------
    input, other : Tensor or number
        Broadcast against each other and promoted; integers become floats.
    """
    return _DIV, *_floats(input, other, name="true_divide")


@operator(inplace=True)
def floor_divide(input: Any, other: Any) -> Any:
    """The largest whole number not above the quotient.

    Parameters
    ----------
    input, other : Tensor or number
        Broadcast against each other and promoted.
    """
    operands, params = as_operands(input, other, name="floor_divide")
    _refuse_zero(operands)
    return _DIV_FLOOR, operands, params


def _remaining(x: Any, y: Any) -> Any:
    # The derivative with respect to y is -floor(x / y), which the definition gives.
    return jnp.remainder(x, y) if x.dtype.kind in "biu" else x - y * jnp.floor(x / y)


_REMAINDER = elementwise(_remaining, "RemainderBackward0")
_FMOD = elementwise(jnp.fmod, "FmodBackward0")


@operator(inplace=True)
def remainder(input: Any, other: Any) -> Any:
    """What is left of a division, with the sign of the divisor, as ``%`` of Python.

    Parameters
    ----------
    input, other : Tensor or number
        Broadcast against each other and promoted.
    """
    operands, params = as_operands(input, other, name="remainder")
    _refuse_zero(operands)
    return _REMAINDER, operands, params


@operator(inplace=True)
def fmod(input: Any, other: Any) -> Any:
    """What is left of a division, with the sign of the dividend.

    Parameters
    ----------
    input, other : Tensor or number
        Broadcast against each other and promoted.
    """
    operands, params = as_operands(input, other, name="fmod")
    _refuse_zero(operands)
    return _FMOD, operands, params


_POW_WHOLE = elementwise(lambda x, exponent: jnp.power(x, exponent), "PowBackward0")
_POW_NUMBER = elementwise(jnp.power, "PowBackward0")
_POW = elementwise(jnp.power, "PowBackward1")
_POW_OF_NUMBER = elementwise(jnp.power, "PowBackward2", True)


@operator(inplace=True)
def pow(input: Any, exponent: Any) -> Any:
    """``input ** exponent``.

    Parameters
    ----------
    input, exponent : Tensor or number
        Broadcast against each other and promoted.
    """
    if isinstance(input, Tensor) and not isinstance(exponent, Tensor):
        return _power_of_tensor(input, exponent)
    operands, params = as_operands(input, exponent, name="pow")
    return (_POW if isinstance(input, Tensor) else _POW_OF_NUMBER), operands, params


def _power_of_tensor(x: Tensor, exponent: Any) -> Any:
    if isinstance(exponent, NUMBERS) and not isinstance(exponent, complex):
        value = exponent.item() if isinstance(exponent, np.generic) else exponent
        whole = value == int(value) if math.isfinite(value) else False
        if x._data.dtype.kind in "biu":
            if not isinstance(value, float) and value < 0:
                raise RuntimeError("Integers to negative integer powers are not allowed.")
            if isinstance(value, float):
                whole = False
        if whole and abs_(int(value)) <= 64:
            return _POW_WHOLE, (x,), {"exponent": int(value)}
        if value == 0.5 and x._data.dtype.kind not in "biu":
            return OPERATIONS["sqrt"], (x,), _NONE
    scalar, params = scalar_tensor_like(exponent, x, "pow")
    return _POW_NUMBER, (x, scalar), params


def abs_(value: int) -> int:
    """The absolute value of a Python number (`abs` is a row here)."""
    return value if value >= 0 else -value


@operator()
def float_power(input: Any, exponent: Any) -> Any:
    """``input ** exponent`` in double precision.

    Parameters
    ----------
    input, exponent : Tensor or number
        Broadcast against each other.
    """
    target: np.dtype[Any] = np.dtype(np.float64)
    if result_dtype(input, exponent, name="float_power").kind == "c":
        target = np.dtype(np.complex128)
    operands = tuple(v if isinstance(v, Tensor) else number(v, target) for v in (input, exponent))
    return _POW, operands, {"dtype": target}


_ADDCMUL = elementwise(lambda x, a, b, value: x + value * (a * b), "AddcmulBackward0")
_ADDCDIV = elementwise(lambda x, a, b, value: x + value * (a / b), "AddcdivBackward0")
_LERP = elementwise(lambda x, end, weight: x + weight * (end - x), "LerpBackward0")


def _three(input: Any, tensor1: Any, tensor2: Any, value: Any, name: str) -> Any:
    target = result_dtype(input, tensor1, tensor2, name=name)
    same = all(t._data.dtype == target for t in (input, tensor1, tensor2))
    params = _NONE if same else {"dtype": target}
    return (input, tensor1, tensor2, number(value, target)), params


@operator(inplace=True)
def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1) -> Any:
    """``input + value * tensor1 * tensor2``.

    Parameters
    ----------
    input, tensor1, tensor2 : Tensor
        Broadcast against each other and promoted.
    value : number
        Multiplies the product.
    """
    return _ADDCMUL, *_three(input, tensor1, tensor2, value, "addcmul")


@operator(inplace=True)
def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1) -> Any:
    """``input + value * tensor1 / tensor2``.

    Parameters
    ----------
    input, tensor1, tensor2 : Tensor
        Floating; broadcast against each other and promoted.
    value : number
        Multiplies the quotient.
    """
    if all(t._data.dtype.kind in "biu" for t in (tensor1, tensor2)):
        raise RuntimeError(
            "Integer division with addcdiv is no longer supported: convert the tensors to floats "
            "first."
        )
    return _ADDCDIV, *_three(input, tensor1, tensor2, value, "addcdiv")


@operator(inplace=True)
def lerp(input: Tensor, end: Tensor, weight: Any) -> Any:
    """``input + weight * (end - input)``.

    Parameters
    ----------
    input, end : Tensor
        Floating, of one dtype.
    weight : Tensor or number
        Where between the two.
    """
    if input._data.dtype != end._data.dtype:
        raise RuntimeError(
            f"expected dtype {input.dtype.name} for `end` but got dtype {end.dtype.name}"
        )
    if not isinstance(weight, Tensor):
        weight = number(weight, input._data.dtype)
    return _LERP, (input, end, weight), _NONE


# ------------------------------------------------------------------------------ operators of Python


def _binary(prepare: Any, operation: TensorOperation | None = None) -> Any:
    def operator_(self: Tensor, other: Any) -> Any:
        if isinstance(other, Tensor):
            if operation is not None and self._data.dtype == other._data.dtype:
                return apply(operation, (self, other), _NONE)
        elif not isinstance(other, NUMBERS):
            return NotImplemented
        return apply(*prepare(self, other))

    return operator_


def _reflected(prepare: Any) -> Any:
    def operator_(self: Tensor, other: Any) -> Any:
        if not isinstance(other, (Tensor, *NUMBERS)):
            return NotImplemented
        return apply(*prepare(other, self))

    return operator_


def _assigned(prepare: Any) -> Any:
    def operator_(self: Tensor, other: Any) -> Any:
        if not isinstance(other, (Tensor, *NUMBERS)):
            return NotImplemented
        return write(self, *prepare(self, other))

    return operator_


def _operators() -> None:
    rows = {
        "add": (add, ADD),
        "sub": (sub, None),
        "mul": (mul, _MUL),
        "truediv": (div, None),
        "floordiv": (floor_divide, None),
        "mod": (remainder, None),
        "pow": (pow, None),
    }
    for name, (function, operation) in rows.items():
        prepare = function.__wrapped__  # type: ignore[attr-defined]
        METHODS[f"__{name}__"] = _binary(prepare, operation)
        METHODS[f"__r{name}__"] = _reflected(prepare)
        METHODS[f"__i{name}__"] = _assigned(prepare)
    METHODS["__rsub__"] = _binary(rsub.__wrapped__)  # type: ignore[attr-defined]
    METHODS["__neg__"] = FUNCTIONS["neg"]
    METHODS["__pos__"] = FUNCTIONS["positive"]
    METHODS["__abs__"] = FUNCTIONS["abs"]
    METHODS["__div__"] = METHODS["__truediv__"]


_operators()
