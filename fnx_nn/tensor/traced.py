"""Tensors that hold arrays of `fnx`, or tracers: the same operations inside of its transforms.

While a function of tensors is followed by `grad`, `vmap` or `jit` of `fnx`, tensors hold what these
hand out, and nothing is written to. A write replaces what a tensor holds; a write through a view
replaces what its base holds, and other views of the base are read from it again. So a program with
views and in-place operations becomes a pure function.

`tracing` is the block in which this holds, `from_array` and `to_array` are its doors. After a block
of `pure_tracing`, tensors from outside that were written to are again what they were before.
Read next: `dispatch` (which comes here while tracing).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from fnx.extend import Operation, adopt
from fnx.lax import stop_gradient
from fnx_nn.ambient import ambient, changed
from fnx_nn.tensor.tensor import Tensor, detached_value, wrap

__all__ = [
    "Journal",
    "apply_traced",
    "from_array",
    "pure_tracing",
    "replace_contents",
    "to_array",
    "tracing",
    "value_of",
]


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


class Journal:
    """What happened to tensors from outside during a pure trace."""

    __slots__ = ("captured", "written")

    def __init__(self) -> None:
        #: Tensors that want a gradient and hold a buffer, among the operands, by their id.
        self.captured: dict[int, Tensor] = {}
        #: What tensors were before they were written to.
        self.written: list[tuple[Tensor, dict[str, Any], Any, int]] = []

    def note(self, tensor: Tensor) -> None:
        """Note what a tensor is, before it holds something else.

        Parameters
        ----------
        tensor : Tensor
            Any tensor.
        """
        cell = tensor.cell()
        self.written.append((tensor, dict(vars(tensor)), cell, cell.version))

    def undo(self) -> None:
        """Let all tensors be again what they were."""
        for tensor, attributes, cell, version in reversed(self.written):
            vars(tensor).clear()
            vars(tensor).update(attributes)
            cell.version = version


@contextlib.contextmanager
def pure_tracing() -> Iterator[Journal]:
    """Context manager: `tracing`, after which tensors from outside are what they were before.

    Otherwise a tensor that is written to inside would go on holding a tracer when the trace is
    over. What happens in a block of `no_grad` inside has no derivative for the transforms of `fnx`
    either; nor has what is detached, in any trace.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> x = torch.zeros(2)
    >>> with pure_tracing() as journal:
    ...     inside = x.add_(1).tolist()
    >>> inside, x
    ([1.0, 1.0], tensor([0., 0.]))
    """
    journal, outer = Journal(), ambient().journal
    with changed(traced=True, grad=True, journal=journal):
        try:
            yield journal
        finally:
            journal.undo()
    if outer is not None:
        outer.captured.update(journal.captured)


def _note(tensor: Tensor) -> None:
    journal = ambient().journal
    if journal is not None:
        journal.note(tensor)


def _without_derivative(tensor: Tensor) -> Any:
    """What a detached tensor holds."""
    return _stopped(value_of(tensor))


def _stopped(value: Any) -> Any:
    return value if type(value) is np.ndarray else stop_gradient(value)


detached_value[0] = _without_derivative


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
        _note(tensor)
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
    around = ambient()
    journal = around.journal
    if journal is not None and around.grad:
        for t in operands:
            if t._requires and type(t._data) is np.ndarray:
                journal.captured[id(t)] = t
    out = operation(*[to_array(t) for t in operands], **params)
    results = list(out) if isinstance(out, (tuple, list)) else [out]
    return results if journal is None or around.grad else [_stopped(r) for r in results]


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
    _note(target)
    if base is not None:
        _note(base)
    if base is None:
        target._data = value
    else:
        base._data = write_through(_array(base._data), value, target._steps)
        target._data = value
    cell.version += 1
    target._held = cell.version


def _array(data: Any) -> Any:
    return adopt(data.copy()) if type(data) is np.ndarray else data
