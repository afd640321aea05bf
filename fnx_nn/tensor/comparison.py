"""Elementwise operations that compare and choose: comparisons, logic, bits, extrema, where, clamp.

Comparisons and logic give bool tensors, which have no gradient. Where two operands of an extremum
are equal, each gets half of the gradient; `clamp` passes it at the bounds themselves.
Read next: `reductions`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import fnx.numpy as jnp
from fnx import lax
from fnx_nn.dtypes import dtype_of
from fnx_nn.tensor.dispatch import TensorOperation, apply, write
from fnx_nn.tensor.elementary import elementwise, require_tensor
from fnx_nn.tensor.promotion import NUMBERS, as_operands, number, result_dtype
from fnx_nn.tensor.table import METHODS, method, operator
from fnx_nn.tensor.tensor import Tensor, wrap

__all__ = ["allclose", "equal"]

_NONE: dict[str, Any] = {}


def _document(prepare: Any, name: str, summary: str, arguments: tuple[str, ...]) -> None:
    prepare.__name__ = prepare.__qualname__ = name
    explained = ", ".join(arguments)
    prepare.__doc__ = (
        f"{summary}\n\nElement by element.\n\nParameters\n----------\n{explained} : Tensor or "
        "number\n    Broadcast against each other and promoted.\n\nReturns\n-------\nTensor\n"
    )


def _row_of_two(
    name: str, function: Any, node: str, summary: str, aliases: tuple[str, ...] = ()
) -> TensorOperation:
    op = elementwise(function, node)

    def prepare(input: Any, other: Any) -> Any:
        return op, *as_operands(input, other, name=name)

    _document(prepare, name, summary, ("input", "other"))
    operator(*aliases, inplace=True)(prepare)
    return op


def _row_of_one(name: str, function: Any, summary: str, inplace: bool = False) -> None:
    op = elementwise(function, f"{name.title()}Backward0")

    def prepare(input: Any) -> Any:
        return op, (require_tensor(input, name),), _NONE

    _document(prepare, name, summary, ("input",))
    operator(inplace=inplace)(prepare)


_COMPARISONS = {
    "eq": (jnp.equal, "Whether the elements are equal."),
    "ne": (jnp.not_equal, "Whether the elements differ."),
    "lt": (jnp.less, "Whether the first is smaller."),
    "le": (jnp.less_equal, "Whether the first is not larger."),
    "gt": (jnp.greater, "Whether the first is larger."),
    "ge": (jnp.greater_equal, "Whether the first is not smaller."),
}
_LONG_NAMES = {
    "ne": "not_equal",
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
}


def _comparison_operator(op: TensorOperation, name: str) -> Callable[..., Any]:
    def compare(self: Tensor, other: Any) -> Any:
        if not isinstance(other, (Tensor, *NUMBERS)):
            return NotImplemented
        return apply(op, *as_operands(self, other, name=name))

    return compare


for _name, (_function, _summary) in _COMPARISONS.items():
    _op = _row_of_two(
        _name,
        _function,
        f"{_name.title()}Backward0",
        _summary,
        (_LONG_NAMES[_name],) if _name in _LONG_NAMES else (),
    )
    METHODS[f"__{_name}__"] = _comparison_operator(_op, _name)


def _truth(x: Any) -> Any:
    return x if x.dtype == np.bool_ else x != 0


def _logical(function: Any) -> Any:
    return lambda *xs: function(*[_truth(x) for x in xs])


_row_of_two(
    "logical_and", _logical(jnp.logical_and), "LogicalAndBackward0", "Whether both are true."
)
_row_of_two("logical_or", _logical(jnp.logical_or), "LogicalOrBackward0", "Whether one is true.")
_row_of_two(
    "logical_xor", _logical(jnp.logical_xor), "LogicalXorBackward0", "Whether one alone is."
)
_row_of_one("logical_not", _logical(jnp.logical_not), "Whether the elements are zero.", True)
_row_of_one("isnan", lambda x: x != x, "Whether the elements are NaN.")
_row_of_one("isinf", jnp.isinf, "Whether the elements are infinite.")
_row_of_one("isfinite", jnp.isfinite, "Whether the elements are neither infinite nor NaN.")
_row_of_one("isposinf", lambda x: x == jnp.inf, "Whether the elements are plus infinity.")
_row_of_one("isneginf", lambda x: x == -jnp.inf, "Whether the elements are minus infinity.")
_row_of_one(
    "signbit",
    lambda x: jnp.signbit(x) if x.dtype.kind == "f" else x < 0,
    "Whether the sign bit is set.",
)

_EXTREMA = {
    "maximum": (jnp.maximum, "The larger of two elements; NaN if one is."),
    "minimum": (jnp.minimum, "The smaller of two elements; NaN if one is."),
    "fmax": (lambda x, y: _ignoring_nan(jnp.maximum, x, y), "The larger; the other one of a NaN."),
    "fmin": (lambda x, y: _ignoring_nan(jnp.minimum, x, y), "The smaller; the other one of a NaN."),
}


def _ignoring_nan(function: Any, x: Any, y: Any) -> Any:
    x, y = jnp.where(x != x, y, x), jnp.where(y != y, x, y)
    return function(x, y)


for _name, (_function, _summary) in _EXTREMA.items():
    _row_of_two(_name, _function, f"{_name.title()}Backward0", _summary)

_row_of_two(
    "hypot", lambda x, y: jnp.sqrt(x * x + y * y), "HypotBackward0", "The length of (x, y)."
)
_row_of_two(
    "logaddexp", jnp.logaddexp, "LogaddexpBackward0", "``log(exp(x) + exp(y))`` without overflow."
)
_row_of_two(
    "copysign",
    lambda x, y: jnp.abs(x) * jnp.where(jnp.signbit(y), -jnp.ones_like(x), jnp.ones_like(x)),
    "CopysignBackward0",
    "The first with the sign of the second.",
)
_row_of_two("nextafter", lax.nextafter, "NextafterBackward0", "The next number toward the second.")
_row_of_two(
    "xlogy",
    lambda x, y: jnp.where(
        (x == 0) & (y == y),
        jnp.zeros_like(x * y),
        x * jnp.log(jnp.where(x == 0, jnp.ones_like(y), y)),
    ),
    "XlogyBackward0",
    "``x * log(y)``, 0 where x is 0.",
)

_ATAN2 = elementwise(jnp.arctan2, "Atan2Backward0")


@operator("arctan2", inplace=True)
def atan2(input: Any, other: Any) -> Any:
    """The angle of the point (other, input).

    Parameters
    ----------
    input, other : Tensor
        Broadcast against each other and promoted to floats.
    """
    operands, params = as_operands(input, other, name="atan2")
    if operands[0]._data.dtype.kind in "biu" and operands[1]._data.dtype.kind in "biu":
        params = {"dtype": np.dtype(np.float32)}
    return _ATAN2, operands, params


# --------------------------------------------------------------------------------------------- bits

_BITS = {
    "bitwise_and": (jnp.bitwise_and, jnp.logical_and, "The bits that both have.", "and"),
    "bitwise_or": (jnp.bitwise_or, jnp.logical_or, "The bits that one has.", "or"),
    "bitwise_xor": (jnp.bitwise_xor, jnp.logical_xor, "The bits that one alone has.", "xor"),
    "bitwise_left_shift": (jnp.left_shift, None, "The bits moved up.", "lshift"),
    "bitwise_right_shift": (jnp.right_shift, None, "The bits moved down.", "rshift"),
}


def _bits(function: Any, logical: Any) -> Any:
    return lambda *xs: (logical if xs[0].dtype == np.bool_ else function)(*xs)


def _bit_operators(op: TensorOperation, name: str, short: str) -> None:
    def operator_(self: Tensor, other: Any) -> Any:
        if not isinstance(other, (Tensor, *NUMBERS)):
            return NotImplemented
        return apply(op, *as_operands(self, other, name=name))

    def assigned(self: Tensor, other: Any) -> Any:
        return write(self, op, *as_operands(self, other, name=name))

    METHODS[f"__{short}__"] = operator_
    METHODS[f"__i{short}__"] = assigned
    if short in ("and", "or", "xor"):
        METHODS[f"__r{short}__"] = operator_


for _name, (_function, _of_bools, _summary, _short) in _BITS.items():
    _op = _row_of_two(_name, _bits(_function, _of_bools), f"{_name.title()}Backward0", _summary)
    _bit_operators(_op, _name, _short)

_NOT = elementwise(_bits(jnp.bitwise_not, jnp.logical_not), "BitwiseNotBackward0")


@operator(inplace=True)
def bitwise_not(input: Tensor) -> Any:
    """The opposite of every bit.

    Parameters
    ----------
    input : Tensor
        Integers or bools.
    """
    if require_tensor(input, "bitwise_not")._data.dtype.kind not in "biu":
        raise RuntimeError(f"\"bitwise_not_cpu\" not implemented for '{input.dtype.name}'")
    return _NOT, (input,), _NONE


METHODS["__invert__"] = METHODS["bitwise_not"]


# ---------------------------------------------------------------------------------- where and clamp

_WHERE = TensorOperation(
    lambda condition, x, y, dtype=None: jnp.where(
        condition, x if dtype is None else x.astype(dtype), y if dtype is None else y.astype(dtype)
    ),
    "WhereBackward0",
    elementwise=True,
)


@method()
def where(condition: Tensor, input: Any = None, other: Any = None, *, out: Any = None) -> Any:
    """`input` where the condition holds, else `other`; with one argument, `nonzero` as a tuple.

    Parameters
    ----------
    condition : Tensor
        Bools.
    input, other : Tensor or number, optional
        Broadcast against each other and promoted.
    out : Tensor, optional
        Where to write the result.
    """
    if not isinstance(condition, Tensor):  # as a method: x.where(condition, other)
        raise TypeError(f"where(): argument 'condition' (position 1) must be Tensor, not "
                        f"{type(condition).__name__}")  # fmt: skip
    if input is None and other is None:
        return condition.nonzero(as_tuple=True)
    if condition._data.dtype == np.uint8:
        condition = wrap(condition._data.astype(np.bool_))
    if condition._data.dtype != np.bool_:
        raise RuntimeError(
            f"where expected condition to be a boolean tensor, but got a tensor with dtype "
            f"{dtype_of(condition._data.dtype).name}"
        )
    target = result_dtype(input, other, name="where")
    x, y = (v if isinstance(v, Tensor) else number(v, target) for v in (input, other))
    same = x._data.dtype == target and y._data.dtype == target
    result = apply(_WHERE, (condition, x, y), _NONE if same else {"dtype": target})
    return result if out is None else out.copy_(result)


METHODS["where"] = lambda self, condition, other: where(condition, self, other)


def _clamp_low(x: Any, low: Any) -> Any:
    return jnp.where(x < low, low, x)


def _clamp_high(x: Any, high: Any) -> Any:
    return jnp.where(x > high, high, x)


_CLAMP_LOW = elementwise(_clamp_low, "ClampBackward1")
_CLAMP_HIGH = elementwise(_clamp_high, "ClampBackward1")
_CLAMP = elementwise(lambda x, low, high: _clamp_high(_clamp_low(x, low), high), "ClampBackward1")


def _clamped(input: Tensor, min: Any, max: Any, name: str) -> Any:
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    if max is None:
        return _CLAMP_LOW, *as_operands(input, min, name=name)
    if min is None:
        return _CLAMP_HIGH, *as_operands(input, max, name=name)
    return _CLAMP, *as_operands(input, min, max, name=name)


@operator("clip")
def clamp(input: Tensor, min: Any = None, max: Any = None) -> Any:
    """The elements, moved to the bounds where they are outside.

    Parameters
    ----------
    input : Tensor
        The operand.
    min, max : Tensor or number, optional
        The bounds; at least one.
    """
    return _clamped(require_tensor(input, "clamp"), min, max, "clamp")


@method("clip_")
def clamp_(self: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """Move the elements to the bounds where they are outside, in place.

    Parameters
    ----------
    self : Tensor
        Written to.
    min, max : Tensor or number, optional
        The bounds; at least one.
    """
    operation, operands, params = _clamped(self, min, max, "clamp_")
    fill = None
    if not params and all(t._data.ndim == 0 for t in operands[1:]):
        low = None if min is None else operands[1]._data
        high = None if max is None else operands[-1]._data

        def fill(buffer: Any) -> None:
            np.clip(buffer, low, high, out=buffer)

    return write(self, operation, operands, params, fill)


@operator(inplace=True, inplace_function=True)
def clamp_min(input: Tensor, min: Any) -> Any:
    """The elements, but not less than a bound.

    Parameters
    ----------
    input : Tensor
        The operand.
    min : Tensor or number
        The bound.
    """
    return _clamped(input, min, None, "clamp_min")


@operator(inplace=True, inplace_function=True)
def clamp_max(input: Tensor, max: Any) -> Any:
    """The elements, but not more than a bound.

    Parameters
    ----------
    input : Tensor
        The operand.
    max : Tensor or number
        The bound.
    """
    return _clamped(input, None, max, "clamp_max")


# ------------------------------------------------------------------------------------ whole tensors

_ISCLOSE = elementwise(
    lambda x, y, rtol, atol, equal_nan: jnp.isclose(x, y, rtol, atol, equal_nan), "IscloseBackward0"
)


@operator(out=False)
def isclose(
    input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> Any:
    """Whether ``|input - other| <= atol + rtol * |other|``.

    Parameters
    ----------
    input, other : Tensor
        Of one dtype.
    rtol, atol : float
        The tolerances.
    equal_nan : bool
        Whether NaN is close to NaN.
    """
    if input._data.dtype != other._data.dtype:
        raise RuntimeError(f"{input.dtype.name} did not match {other.dtype.name}")
    params = {"rtol": float(rtol), "atol": float(atol), "equal_nan": equal_nan}
    return _ISCLOSE, (input, other), params


@method()
def allclose(
    input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> bool:
    """Whether all elements are close, see `isclose`.

    Parameters
    ----------
    input, other : Tensor
        Of one dtype.
    rtol, atol : float
        The tolerances.
    equal_nan : bool
        Whether NaN is close to NaN.
    """
    return bool(METHODS["isclose"](input, other, rtol, atol, equal_nan)._data.all())


@method()
def equal(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape and the same elements.

    Parameters
    ----------
    input, other : Tensor
        The tensors.
    """
    a, b = require_tensor(input, "equal")._data, require_tensor(other, "equal", "other")._data
    return a.shape == b.shape and bool(np.all(a == b))


@method()
def is_nonzero(input: Tensor) -> bool:
    """Whether the only element is not zero.

    Parameters
    ----------
    input : Tensor
        Of one element.
    """
    return bool(input)


def _python_bool(self: Tensor) -> bool:
    if self._data.size != 1:
        words = "no values" if self._data.size == 0 else "more than one value"
        raise RuntimeError(f"Boolean value of Tensor with {words} is ambiguous")
    return bool(self._data.reshape(-1)[0])


METHODS["__bool__"] = _python_bool
