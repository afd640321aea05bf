"""Elementwise operations of one operand.

Two tables (functions of floats, functions of any numbers) and the rows that need words of their
own. Integers become the default dtype where the result is not whole. Every operation is a function
of `fnx`; where PyTorch's derivative at a kink is not that of `fnx`, the function is written so
that its derivative is PyTorch's.
Read next: `arithmetic`, `table`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

import fnx.nn
import fnx.numpy as jnp
from fnx import lax
from fnx_nn.ambient import ambient
from fnx_nn.tensor.dispatch import TensorOperation
from fnx_nn.tensor.promotion import promoting
from fnx_nn.tensor.table import FUNCTIONS, method, operator
from fnx_nn.tensor.tensor import Tensor, wrap

__all__ = ["OPERATIONS", "bool_or", "elementwise", "require_tensor"]

_NONE: dict[str, Any] = {}


def elementwise(
    function: Callable[..., Any], node: str, reuse_results: bool = False
) -> TensorOperation:
    """An elementwise operation with promotion by its parameter `dtype`.

    Parameters
    ----------
    function : callable
        Of arrays of one dtype.
    node : str
        Name of its node on the tape.
    reuse_results : bool
        Whether the pullback reads the result.
    """
    return TensorOperation(promoting(function), node, elementwise=True, reuse_results=reuse_results)


def require_tensor(value: Any, name: str, argument: str = "input") -> Tensor:
    """The value, if it is a tensor.

    Raises
    ------
    TypeError
        It is something else.
    """
    if isinstance(value, Tensor):
        return value
    raise TypeError(
        f"{name}(): argument '{argument}' (position 1) must be Tensor, not {type(value).__name__}"
    )


# ------------------------------------------------------------------------------ one operand, tables


def _frac(x: Any) -> Any:
    return x - jnp.trunc(x)


def _absolute(x: Any) -> Any:
    # Of x * sign(x) the derivative at 0 is 0.
    return x * jnp.sign(x) if x.dtype.kind == "f" else jnp.abs(x)


def _sinc(x: Any) -> Any:
    zero = x == 0
    scaled = jnp.where(zero, jnp.ones_like(x), x * math.pi)
    return jnp.where(zero, jnp.ones_like(x), jnp.sin(scaled) / scaled)


def bool_or(numeric: Callable[..., Any], logical: Callable[..., Any]) -> Callable[..., Any]:
    """A function of numbers, with another one for bools.

    Parameters
    ----------
    numeric, logical : callable
        Of arrays of one dtype.
    """

    def function(*xs: Any, **params: Any) -> Any:
        return (logical if xs[0].dtype == np.bool_ else numeric)(*xs, **params)

    return function


#: name: (function, reuse_results, summary, aliases); integers become floats.
_OF_FLOATS: dict[str, tuple[Any, bool, str, tuple[str, ...]]] = {
    "exp": (jnp.exp, True, "The exponential.", ()),
    "exp2": (jnp.exp2, True, "2 to the power of the elements.", ()),
    "expm1": (jnp.expm1, True, "``exp(x) - 1``, accurate near 0.", ()),
    "log": (jnp.log, False, "The natural logarithm.", ()),
    "log2": (jnp.log2, False, "The logarithm to base 2.", ()),
    "log10": (jnp.log10, False, "The logarithm to base 10.", ()),
    "log1p": (jnp.log1p, False, "``log(1 + x)``, accurate near 0.", ()),
    "sqrt": (jnp.sqrt, True, "The square root.", ()),
    "rsqrt": (lax.rsqrt, True, "One over the square root.", ()),
    "reciprocal": (lambda x: 1 / x, True, "One over the elements.", ()),
    "sin": (jnp.sin, False, "Sine of angles in radians.", ()),
    "cos": (jnp.cos, False, "Cosine of angles in radians.", ()),
    "tan": (jnp.tan, True, "Tangent of angles in radians.", ()),
    "asin": (jnp.arcsin, False, "Angles whose sine these are.", ("arcsin",)),
    "acos": (jnp.arccos, False, "Angles whose cosine these are.", ("arccos",)),
    "atan": (jnp.arctan, False, "Angles whose tangent these are.", ("arctan",)),
    "sinh": (jnp.sinh, False, "The hyperbolic sine.", ()),
    "cosh": (jnp.cosh, False, "The hyperbolic cosine.", ()),
    "tanh": (jnp.tanh, True, "The hyperbolic tangent.", ()),
    "asinh": (jnp.arcsinh, False, "The inverse hyperbolic sine.", ("arcsinh",)),
    "acosh": (jnp.arccosh, False, "The inverse hyperbolic cosine.", ("arccosh",)),
    "atanh": (jnp.arctanh, False, "The inverse hyperbolic tangent.", ("arctanh",)),
    "sigmoid": (fnx.nn.sigmoid, True, "``1 / (1 + exp(-x))``.", ()),
    "erf": (lax.erf, False, "The error function.", ()),
    "erfc": (lax.erfc, False, "``1 - erf(x)``.", ()),
    "erfinv": (lax.erf_inv, True, "The inverse of the error function.", ()),
    "lgamma": (lax.lgamma, False, "The logarithm of the gamma function's modulus.", ()),
    "digamma": (lax.digamma, False, "The derivative of `lgamma`.", ()),
    "sinc": (_sinc, False, "``sin(pi x) / (pi x)``.", ()),
    "deg2rad": (lambda x: x * (math.pi / 180), False, "Degrees as radians.", ()),
    "rad2deg": (lambda x: x * (180 / math.pi), False, "Radians as degrees.", ()),
}

#: name: (function, reuse_results, summary, aliases); the dtype stays.
_OF_NUMBERS: dict[str, tuple[Any, bool, str, tuple[str, ...]]] = {
    "abs": (_absolute, False, "The absolute value.", ("absolute",)),
    "square": (jnp.square, False, "The square.", ()),
    "sign": (bool_or(jnp.sign, lambda x: x), False, "-1, 0 or 1 by the sign.", ()),
    "sgn": (bool_or(jnp.sign, lambda x: x), False, "The sign; of complex numbers z / abs(z).", ()),
    "floor": (jnp.floor, False, "The largest whole number that is not larger.", ()),
    "ceil": (jnp.ceil, False, "The smallest whole number that is not smaller.", ()),
    "trunc": (jnp.trunc, False, "The whole part.", ("fix",)),
    "frac": (_frac, False, "What is left without the whole part.", ()),
    "relu": (fnx.nn.relu, True, "``max(x, 0)``.", ()),
    "conj_physical": (jnp.conj, False, "The complex conjugate.", ()),
}

_NODES = {
    "relu": "ReluBackward0",
    "square": "PowBackward0",
    "conj_physical": "ConjPhysicalBackward0",
}


def _tabulated(
    name: str, row: tuple[Any, bool, str, tuple[str, ...]], floats: bool
) -> TensorOperation:
    function, reuse, summary, aliases = row
    op = elementwise(function, _NODES.get(name, f"{name.title()}Backward0"), reuse)

    def prepare(input: Tensor) -> Any:
        x = require_tensor(input, name)
        if floats and x._data.dtype.kind in "biu":
            return op, (x,), {"dtype": ambient().default_dtype}
        return op, (x,), _NONE

    prepare.__name__ = prepare.__qualname__ = name
    prepare.__doc__ = (
        f"{summary}\n\nElement by element.\n\nParameters\n----------\ninput : Tensor\n    The "
        f"operand.\n\nReturns\n-------\nTensor\n"
    )
    operator(*aliases, inplace=True, inplace_function=True)(prepare)
    return op


OPERATIONS = {
    **{name: _tabulated(name, row, True) for name, row in _OF_FLOATS.items()},
    **{name: _tabulated(name, row, False) for name, row in _OF_NUMBERS.items()},
}


_NEG = elementwise(jnp.negative, "NegBackward0")


@operator("negative", inplace=True, inplace_function=True)
def neg(input: Tensor) -> Any:
    """The number of opposite sign.

    Parameters
    ----------
    input : Tensor
        The operand, not bool.
    """
    if require_tensor(input, "neg")._data.dtype == np.bool_:
        raise RuntimeError(
            "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to "
            "invert a mask, use the `~` or `logical_not()` operator instead."
        )
    return _NEG, (input,), _NONE


def _rounded(x: Any, decimals: int = 0) -> Any:
    return x if x.dtype.kind in "biu" else jnp.round(x, decimals)


_ROUND = elementwise(_rounded, "RoundBackward0")


@operator(inplace=True, inplace_function=True)
def round(input: Tensor, *, decimals: int = 0) -> Any:
    """The nearest whole number, ties to even.

    Parameters
    ----------
    input : Tensor
        The operand.
    decimals : int
        Digits that stay.
    """
    return _ROUND, (require_tensor(input, "round"),), {"decimals": decimals} if decimals else _NONE


@method()
def positive(input: Tensor) -> Tensor:
    """The tensor itself.

    Parameters
    ----------
    input : Tensor
        The operand.
    """
    return input


def _replaced(x: Any, nan: float, posinf: float | None, neginf: float | None) -> Any:
    if x.dtype.kind in "biu":
        return x
    limits = jnp.finfo(x.dtype)
    high = float(limits.max) if posinf is None else posinf
    low = float(limits.min) if neginf is None else neginf
    finite = jnp.where(jnp.isnan(x), jnp.full_like(x, nan), x)
    finite = jnp.where(x == math.inf, jnp.full_like(x, high), finite)
    return jnp.where(x == -math.inf, jnp.full_like(x, low), finite)


_NAN_TO_NUM = elementwise(_replaced, "NanToNumBackward0")


@operator(inplace=True, inplace_function=True)
def nan_to_num(
    input: Tensor,
    nan: float | None = None,
    posinf: float | None = None,
    neginf: float | None = None,
) -> Any:
    """NaN and infinities replaced by numbers.

    Parameters
    ----------
    input : Tensor
        The operand.
    nan, posinf, neginf : float, optional
        What replaces them: 0, the largest and the lowest number by default.
    """
    params = {"nan": float(nan or 0), "posinf": posinf, "neginf": neginf}
    return _NAN_TO_NUM, (require_tensor(input, "nan_to_num"),), params


def _inverse_sigmoid(x: Any, eps: float | None) -> Any:
    if eps is not None:
        x = jnp.where(
            x < eps, jnp.full_like(x, eps), jnp.where(x > 1 - eps, jnp.full_like(x, 1 - eps), x)
        )
    return jnp.log(x / (1 - x))


_LOGIT = elementwise(_inverse_sigmoid, "LogitBackward0")


@operator(inplace=True, inplace_function=True)
def logit(input: Tensor, eps: float | None = None) -> Any:
    """The inverse of `sigmoid`.

    Parameters
    ----------
    input : Tensor
        Probabilities.
    eps : float, optional
        Clamp to ``[eps, 1 - eps]`` first.
    """
    params: dict[str, Any] = {"eps": eps}
    if require_tensor(input, "logit")._data.dtype.kind in "biu":
        params["dtype"] = ambient().default_dtype
    return _LOGIT, (input,), params


@method()
def conj(input: Tensor) -> Tensor:
    """The complex conjugate; of other numbers the tensor itself.

    Parameters
    ----------
    input : Tensor
        The operand.
    """
    return FUNCTIONS["conj_physical"](input) if input._data.dtype.kind == "c" else input


@method()
def scalar_tensor(s: Any, *, dtype: Any = None) -> Tensor:
    """A number as a 0-d tensor.

    Parameters
    ----------
    s : number
        The number.
    dtype : dtype, optional
        The default dtype if left out.
    """
    return wrap(np.array(s, ambient().default_dtype if dtype is None else dtype.numpy))
