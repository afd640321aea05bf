"""Tensors that hold arrays of `fnx`, or tracers: the same operations inside of its transforms.

While a function of tensors is followed by `grad`, `vmap` or `jit` of `fnx`, tensors hold what these
hand out, and nothing is written to. A write replaces what a tensor holds; a write through a view
replaces what its base holds, and other views of the base are read from it again. So a program with
views and in-place operations becomes a pure function.

`tracing` is the block in which this holds, `from_array` and `to_array` are its doors.
Read next: `dispatch` (which comes here while tracing).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fnx.extend import Operation, adopt
from fnx_nn.ambient import changed
from fnx_nn.tensor.tensor import Tensor, wrap

__all__ = ["apply_traced", "from_array", "replace_contents", "to_array", "tracing", "value_of"]


class tracing(changed):
    """Context manager: tensors may hold arrays and tracers.

    Examples
    --------
    >>> import fnx, fnx_nn as torch
    >>> def f(x):
    ...     with tracing():
    ...         y = from_array(x) * 2
    ...         y[0] = 1.0
    ...         return to_array(y.sum())
    >>> fnx.grad(f)(fnx.numpy.ones(3))
    Array([0., 2., 2.], dtype=float32)
    """

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(traced=True)


def from_array(array: Any) -> Tensor:
    """A tensor that holds an array or a tracer.

    Parameters
    ----------
    array : Array or Tracer
        Immutable.
    """
    return wrap(array)


def to_array(tensor: Tensor) -> Any:
    """The array or tracer that a tensor stands for; a copy of a buffer.

    Parameters
    ----------
    tensor : Tensor
        Any tensor.
    """
    return _array(value_of(tensor))


def value_of(tensor: Tensor) -> Any:
    """What a tensor holds now: of a view, the part of what its base holds.

    Parameters
    ----------
    tensor : Tensor
        Any tensor.
    """
    base = tensor._base
    if base is None or type(base._data) is np.ndarray:
        return tensor._data
    if tensor._held != tensor._version:
        value = base._data
        for step in tensor._steps:
            value = step.read(value)
        tensor._data, tensor._held = value, tensor._version
    return tensor._data


def apply_traced(
    operation: Operation, operands: Sequence[Tensor], params: dict[str, Any]
) -> list[Any]:
    """The results of an operation, hidden ones included, under the current trace.

    Parameters
    ----------
    operation : Operation
        What to apply.
    operands : sequence of Tensor
        Its operands.
    params : dict
        Its static parameters.
    """
    out = operation(*[to_array(t) for t in operands], **params)
    return list(out) if isinstance(out, (tuple, list)) else [out]


def replace_contents(target: Tensor, value: Any, write_through: Any) -> None:
    """Let a tensor hold something else, and what it is a view of, too.

    Parameters
    ----------
    target : Tensor
        What is written to.
    value : Array or Tracer
        The new contents.
    write_through : callable
        ``write_through(base, value, steps)``: the base with the viewed part replaced.
    """
    cell = target.cell()
    base = target._base
    if base is None:
        target._data = value
    else:
        base._data = write_through(_array(base._data), value, target._steps)
        target._data = value
    cell.version += 1
    target._held = cell.version


def _array(data: Any) -> Any:
    return adopt(data.copy()) if type(data) is np.ndarray else data
