"""Functions of arrays as operations on tensors: the bridge under the transforms of `fnx_nn.func`.

`flat_function` makes of a function of tensors one of a flat list of arrays, for the transforms of
`fnx`; `run` applies a function of arrays to tensors. Within another transform the tensors hold its
tracers, and everything goes through. Where the tape records, the whole is one node, whose backward
is the vjp of the function of arrays, run the same way: so it can be differentiated to any order.
Read next: `transforms`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import fnx
from fnx.tree_util import tree_flatten, tree_unflatten
from fnx_nn.ambient import ambient, changed
from fnx_nn.autograd.function import Function
from fnx_nn.tensor.tensor import Tensor, wrap
from fnx_nn.tensor.traced import Journal, from_array, pure_tracing, to_array

__all__ = ["Rebuilt", "flat_function", "flat_tensors", "run"]

Flat = Callable[..., list[Any]]


class Rebuilt:
    """The structure of what a function gave, known when it was called."""

    def __init__(self) -> None:
        self.tree: Any = None

    def flatten(self, value: Any, check: Callable[[Any], None] | None = None) -> list[Any]:
        """The tensors in a result, as arrays; the structure is kept.

        Parameters
        ----------
        value : object
            Containers of tensors.
        check : callable, optional
            Of every leaf; raises where it is not welcome.
        """
        leaves, self.tree = tree_flatten(value)
        for leaf in leaves:
            (check or _require_tensor)(leaf)
        return [to_array(leaf) for leaf in leaves]

    def build(self, tensors: Sequence[Any]) -> Any:
        """The same containers of other leaves.

        Parameters
        ----------
        tensors : sequence
            The leaves.
        """
        return tree_unflatten(self.tree, list(tensors))


def flat_tensors(value: Any) -> tuple[list[Tensor], Any]:
    """The tensors in containers, and the structure.

    Parameters
    ----------
    value : object
        Containers of tensors, and of nothing else.
    """
    leaves, tree = tree_flatten(value)
    for leaf in leaves:
        _require_tensor(leaf)
    return leaves, tree


def flat_function(
    function: Callable[..., Any], tree: Any, finish: Callable[[Any], list[Any]]
) -> Flat:
    """A function of a flat list of arrays.

    Parameters
    ----------
    function : callable
        Takes containers of tensors, as arguments.
    tree : structure
        Of the tuple of its arguments.
    finish : callable
        From what it gives to a flat list of arrays.
    """

    def flat(*values: Any) -> list[Any]:
        with pure_tracing():
            return finish(function(*tree_unflatten(tree, [from_array(v) for v in values])))

    return flat


def run(function: Flat, tensors: Sequence[Tensor]) -> list[Tensor]:
    """Apply a function of arrays to tensors, recorded where a gradient is wanted.

    Parameters
    ----------
    function : callable
        From arrays to a list of arrays.
    tensors : sequence of Tensor
        The operands.
    """
    journal, outer = Journal(), ambient().journal
    with changed(journal=journal):
        results = _plainly(function, tensors)
    if outer is not None:
        outer.captured.update(journal.captured)
    captured = list(journal.captured.values())
    if ambient().grad and (captured or any([t.requires_grad for t in tensors])):
        whole = _with_captured(function, len(tensors), captured) if captured else function
        return list(_Recorded.apply(whole, results, *tensors, *captured))
    return results


def _plainly(function: Flat, tensors: Sequence[Tensor]) -> list[Tensor]:
    results = function(*[to_array(t) for t in tensors])
    if ambient().traced:
        return [from_array(result) for result in results]
    return [wrap(np.array(result)) for result in results]


def _with_captured(function: Flat, count: int, captured: Sequence[Tensor]) -> Flat:
    """The function, of the tensors from outside that it uses, too."""

    def extended(*values: Any) -> list[Any]:
        with pure_tracing() as journal:
            for tensor, value in zip(captured, values[count:], strict=True):
                journal.note(tensor)
                tensor._data, tensor._node, tensor._requires = value, None, False
            return function(*values[:count])

    return extended


class _Recorded(Function):
    """A function of arrays as one node on the tape."""

    @staticmethod
    def forward(ctx: Any, function: Flat, results: list[Tensor], *tensors: Tensor) -> Any:
        ctx.save_for_backward(*tensors)
        ctx.function = function
        return tuple(results)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> Any:
        tensors = ctx.saved_tensors
        places = [k for k, t in enumerate(tensors) if t._data.dtype.kind not in "biu"]
        wanted = [k for k, g in enumerate(grad_outputs) if g._data.dtype.kind not in "biu"]

        def pulled(*values: Any) -> list[Any]:
            primals, cotangents = values[: len(tensors)], values[len(tensors) :]

            def inexact(*chosen: Any) -> list[Any]:
                given = list(primals)
                for place, value in zip(places, chosen, strict=True):
                    given[place] = value
                results = ctx.function(*given)
                return [results[k] for k in wanted]

            pull = fnx.vjp(inexact, *[primals[k] for k in places])[1]
            return list(pull(list(cotangents)))

        found = run(pulled, [*tensors, *[grad_outputs[k] for k in wanted]])
        gradients: list[Any] = [None] * len(tensors)
        for place, gradient in zip(places, found, strict=True):
            gradients[place] = gradient
        return None, None, *gradients


def _require_tensor(leaf: Any) -> None:
    if not isinstance(leaf, Tensor):
        raise RuntimeError(f"Expected tensors, got unsupported type {type(leaf)}")
