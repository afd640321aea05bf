"""Operators, methods and properties of arrays and tracers: `fnx.numpy`'s functions, installed once.

Python's operators give NotImplemented for what isn't an array or a number, so that other classes
can take part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from fnx import dtypes
from fnx.core.array import Array
from fnx.core.device import checked_device
from fnx.core.operators import install
from fnx.core.tracing import Tracer
from fnx.errors import ArgumentTypeError, ArgumentValueError
from fnx.numpy import (
    array_api,
    creation,
    editing,
    elementwise,
    index_updates,
    indexing,
    joining,
    manipulation,
    products,
    reductions,
    searching,
    sorting,
    ufuncs,
)
from fnx.primitives.cast import bitcast_convert_type

__all__: list[str] = []

_OPERANDS = (Array, Tracer, np.ndarray, np.generic, bool, int, float, complex)


def _operator(function: Callable[[Any, Any], Any], swapped: bool = False) -> Any:
    if swapped:

        def method(self: Any, other: Any) -> Any:
            if isinstance(other, _OPERANDS) or hasattr(other, "__jax_array__"):
                return function(other, self)
            return NotImplemented

    else:

        def method(self: Any, other: Any) -> Any:
            if (
                type(other) is Array
                or isinstance(other, _OPERANDS)
                or hasattr(other, "__jax_array__")
            ):
                return function(self, other)
            return NotImplemented

    method.__name__ = function.__name__
    method.__doc__ = function.__doc__
    return method


_BINARY = {
    "add": ufuncs.add,
    "sub": ufuncs.subtract,
    "mul": ufuncs.multiply,
    "truediv": ufuncs.true_divide,
    "floordiv": elementwise.floor_divide,
    "mod": elementwise.mod,
    "divmod": elementwise.divmod,
    "pow": elementwise.power,
    "matmul": products.matmul,
    "and": ufuncs.bitwise_and,
    "or": ufuncs.bitwise_or,
    "xor": ufuncs.bitwise_xor,
    "lshift": ufuncs.left_shift,
    "rshift": ufuncs.right_shift,
}
_COMPARISONS = {
    "lt": ufuncs.less,
    "le": ufuncs.less_equal,
    "gt": ufuncs.greater,
    "ge": ufuncs.greater_equal,
    "eq": ufuncs.equal,
    "ne": ufuncs.not_equal,
}
_UNARY = {
    "neg": ufuncs.negative,
    "pos": elementwise.positive,
    "abs": elementwise.abs,
    "invert": ufuncs.bitwise_invert,
}


def _shape_arguments(args: tuple[Any, ...]) -> Any:
    return args[0] if len(args) == 1 else args


def _reshape(self: Any, *shape: Any, order: str = "C") -> Any:
    """The same elements in another shape; see `fnx.numpy.reshape`."""
    return manipulation.reshape(self, _shape_arguments(shape), order)


def _transpose(self: Any, *axes: Any) -> Any:
    """The axes in another order; see `fnx.numpy.transpose`."""
    return manipulation.transpose(self, _shape_arguments(axes) if axes else None)


def _length(self: Any) -> int:
    if self.ndim == 0:
        raise ArgumentTypeError(
            f"len(): {self.aval!r} has no axes. The number of elements is x.size."
        )
    return int(self.shape[0])


def _iterate(self: Any) -> Iterator[Any]:
    if self.ndim == 0:
        raise ArgumentTypeError(
            f"iteration: {self.aval!r} has no axes to go along. Give it one, x[None]."
        )
    return iter(joining.unstack(self))


def _set_item(self: Any, index: Any, value: Any) -> None:
    raise ArgumentTypeError(
        f"x[index] = y: arrays are immutable, x is {self.aval!r}. Write "
        "x = x.at[index].set(y) (or .add, .multiply, ...)."
    )


def _view(self: Any, dtype: Any = None) -> Any:
    """The same bits as elements of another dtype; the last axis grows or shrinks to fit."""
    if dtype is None:
        return self
    old, new = self.dtype.itemsize, dtypes.check_user_dtype(dtype).itemsize
    if old == new or not self.ndim:
        return bitcast_convert_type(self, dtype)
    if old > new:
        parts = bitcast_convert_type(self, dtype)
        return parts.reshape(*self.shape[:-1], self.shape[-1] * (old // new))
    count = new // old
    if self.shape[-1] % count:
        raise ArgumentValueError(
            f"view: the last axis of {self.aval!r} is no multiple of {count}, the elements of one "
            f"{np.dtype(dtype).name}."
        )
    grouped = self.reshape(*self.shape[:-1], self.shape[-1] // count, count)
    return bitcast_convert_type(grouped, dtype)


def _to_device(self: Any, device: Any, *, stream: None = None) -> Any:
    """The array on a device; there is only the CPU."""
    if stream is not None:
        raise ArgumentTypeError(f"to_device: the CPU has no streams, got {stream!r}. Leave it out.")
    checked_device("to_device", device)
    return self


def _properties() -> dict[str, Any]:
    return {
        "T": property(lambda self: manipulation.transpose(self), doc="The axes in reversed order."),
        "mT": property(
            lambda self: manipulation.matrix_transpose(self), doc="The last two axes exchanged."
        ),
        "real": property(lambda self: elementwise.real(self), doc="The real part."),
        "imag": property(lambda self: elementwise.imag(self), doc="The imaginary part."),
        "at": property(index_updates.IndexHelper, doc="Updates: ``x.at[index].set(y)``."),
        "flat": property(
            lambda self: iter(manipulation.ravel(self)), doc="The elements one by one."
        ),
    }


def _methods() -> dict[str, Any]:
    table: dict[str, Any] = {
        "reshape": _reshape,
        "transpose": _transpose,
        "flatten": lambda self, order="C": manipulation.ravel(self, order),
        "__getitem__": lambda self, index: indexing.index_array(self, index),
        "__setitem__": _set_item,
        "__len__": _length,
        "__iter__": _iterate,
        "__contains__": lambda self, value: bool(reductions.any(ufuncs.equal(self, value))),
        "__round__": lambda self, digits=0: elementwise.round(self, digits or 0),
        "astype": creation.astype,
        "copy": creation.copy,
        "clip": lambda self, min=None, max=None: elementwise.clip(self, min, max),
        "conj": elementwise.conj,
        "conjugate": elementwise.conj,
        "take": indexing.take,
        "nonzero": indexing.nonzero,
        "dot": products.dot,
        "trace": products.trace,
        "diagonal": products.diagonal,
        "squeeze": manipulation.squeeze,
        "swapaxes": manipulation.swapaxes,
        "ravel": manipulation.ravel,
        "sort": sorting.sort,
        "argsort": sorting.argsort,
        "repeat": joining.repeat,
        "round": elementwise.round,
        "argpartition": sorting.argpartition,
        "choose": editing.choose,
        "compress": lambda self, condition, axis=None, **options: editing.compress(
            condition, self, axis, **options
        ),
        "searchsorted": searching.searchsorted,
        "view": _view,
        "to_device": _to_device,
        "__array_namespace__": array_api.namespace_of,
    }
    for name in (
        "sum", "prod", "max", "min", "mean", "var", "std", "any", "all", "argmax", "argmin",
        "cumsum", "cumprod", "ptp",
    ):  # fmt: skip
        table[name] = getattr(reductions, name)
    for name, function in _BINARY.items():
        table[f"__{name}__"] = _operator(function)
        table[f"__r{name}__"] = _operator(function, swapped=True)
    for name, function in _COMPARISONS.items():
        table[f"__{name}__"] = _operator(function)
    for name, one_operand in _UNARY.items():
        table[f"__{name}__"] = _bound(one_operand)
    return table


def _bound(function: Callable[[Any], Any]) -> Any:
    return lambda self: function(self)


install({**_methods(), **_properties()})
