"""`backward` and `grad`: what users call to run the tape.

Gradients of the outputs are checked or made (ones, for scalars); the `engine` does the rest.
Read next: `hooks`, `modes`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fnx_nn.autograd.engine import run
from fnx_nn.dtypes import name_in_messages
from fnx_nn.tensor.table import FUNCTIONS, METHODS
from fnx_nn.tensor.tape import AccumulateGrad
from fnx_nn.tensor.tensor import Tensor, wrap

__all__ = ["backward", "grad"]


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """Add the gradients of tensors to ``grad`` of the leaves that they depend on.

    Parameters
    ----------
    tensors : Tensor or sequence of Tensor
        What to differentiate.
    grad_tensors : Tensor, None, or sequence of them, optional
        Their gradients; not needed for scalars.
    retain_graph : bool, optional
        Whether the graph can be used again; that of `create_graph` if left out.
    create_graph : bool
        Whether the gradients can be differentiated themselves.
    inputs : Tensor or sequence of Tensor, optional
        Only these get gradients.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> x = torch.tensor(2.0, requires_grad=True)
    >>> torch.autograd.backward(x * x)
    >>> x.grad
    tensor(4.)
    """
    outputs = _sequence(tensors)
    roots = _roots(outputs, _matching(grad_tensors, outputs))
    keep = create_graph if retain_graph is None else retain_graph
    if inputs is None:
        run(roots, keep, create_graph)
        return
    chosen = _sequence(inputs)
    if not chosen:
        raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    edges = [_edge(x) for x in chosen]
    found = run(roots, keep, create_graph, capture=edges)
    for x, edge, gradient in zip(chosen, edges, found, strict=True):
        if isinstance(edge[0], AccumulateGrad) or gradient is None:
            continue
        new = _finished(gradient)
        x._grad = new if x._grad is None else x._grad + new


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """The gradients of tensors with respect to others.

    Parameters
    ----------
    outputs : Tensor or sequence of Tensor
        What to differentiate.
    inputs : Tensor or sequence of Tensor
        With respect to what.
    grad_outputs : Tensor, None, or sequence of them, optional
        Gradients of the outputs; not needed for scalars.
    retain_graph : bool, optional
        Whether the graph can be used again; that of `create_graph` if left out.
    create_graph : bool
        Whether the gradients can be differentiated themselves.
    allow_unused : bool, optional
        Whether outputs need not depend on all inputs (None is the gradient then).
    is_grads_batched : bool
        Whether `grad_outputs` have a first dimension of several gradients.
    materialize_grads : bool
        Zeros in place of None.

    Returns
    -------
    tuple of Tensor

    Examples
    --------
    >>> import fnx_nn as torch
    >>> x = torch.tensor(2.0, requires_grad=True)
    >>> torch.autograd.grad(x**3, x)
    (tensor(12.),)
    """
    results, given = _sequence(outputs), _sequence(inputs)
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: "
            "allow_unused=False."
        )
    keep = create_graph if retain_graph is None else retain_graph
    cotangents = _matching(grad_outputs, results)
    if is_grads_batched:
        return _batched(results, given, cotangents, keep, create_graph, allow_unused)
    edges = [_edge(x) for x in given]
    roots = _roots(results, cotangents)
    found = run(roots, keep, create_graph, capture=edges, accumulate=False)
    answers: list[Any] = []
    for k, (x, gradient) in enumerate(zip(given, found, strict=True)):
        if gradient is None:
            if not (allow_unused or materialize_grads):
                raise RuntimeError(
                    f"The differentiated Tensor at index {k} appears to not have been used in the "
                    "graph. Set allow_unused=True if this is the desired behavior."
                )
            answers.append(wrap(np.zeros_like(x._data)) if materialize_grads else None)
        else:
            answers.append(_finished(gradient))
    return tuple(answers)


def _batched(
    outputs: Sequence[Tensor],
    inputs: Sequence[Tensor],
    cotangents: Sequence[Any],
    keep: bool,
    create_graph: bool,
    allow_unused: bool | None,
) -> tuple[Any, ...]:
    """One run for each of the gradients, stacked."""
    count = cotangents[0].shape[0]
    runs = []
    for k in range(count):
        chosen = [None if c is None else c[k] for c in cotangents]
        last = keep or k < count - 1
        runs.append(grad(outputs, inputs, chosen, last, create_graph, allow_unused))
    stacked = []
    for parts in zip(*runs, strict=True):
        missing = any(p is None for p in parts)
        stacked.append(None if missing else FUNCTIONS["stack"](parts))
    return tuple(stacked)


def _finished(gradient: Any) -> Tensor:
    return gradient if isinstance(gradient, Tensor) else wrap(np.array(gradient))


def _sequence(value: Any) -> tuple[Any, ...]:
    return (value,) if isinstance(value, Tensor) else tuple(value)


def _matching(gradients: Any, outputs: Sequence[Tensor]) -> Sequence[Any]:
    if gradients is None:
        return [None] * len(outputs)
    given = _sequence(gradients)
    if len(given) != len(outputs):
        raise RuntimeError(f"got {len(outputs)} tensors and {len(given)} gradients")
    return given


def _roots(outputs: Sequence[Tensor], gradients: Sequence[Any]) -> list[Any]:
    roots = []
    for k, (out, gradient) in enumerate(zip(outputs, gradients, strict=True)):
        if not out.requires_grad:
            raise RuntimeError(
                f"element {k} of tensors does not require grad and does not have a grad_fn"
            )
        data = out._data
        if gradient is None:
            if data.size != 1:
                raise RuntimeError("grad can be implicitly created only for scalar outputs")
            start = wrap(np.ones(data.shape, data.dtype))
        else:
            _check(k, out, gradient)
            start = gradient
        roots.append((out.edge(), start))
    return roots


def _check(k: int, out: Tensor, gradient: Any) -> None:
    if not isinstance(gradient, Tensor):
        raise TypeError(
            f"gradients can be either Tensors or None, but got {type(gradient).__name__}"
        )
    if gradient._data.shape != out._data.shape:
        raise RuntimeError(
            f"Mismatch in shape: grad_output[{k}] has a shape of {gradient.shape} and output[{k}] "
            f"has a shape of {out.shape}."
        )
    if (gradient._data.dtype.kind == "c") != (out._data.dtype.kind == "c"):
        raise RuntimeError(
            "For complex Tensors, both grad_output and output are required to have the same "
            f"dtype. Mismatch in dtype: grad_output[{k}] has a dtype of "
            f"{name_in_messages(gradient._data.dtype)} and output[{k}] has a dtype of "
            f"{name_in_messages(out._data.dtype)}."
        )


def _edge(x: Tensor) -> Any:
    if not isinstance(x, Tensor):
        raise TypeError(f"inputs must be Tensors, got {type(x).__name__}")
    if x._base is not None:
        x.refresh()
    edge = x.edge()
    if edge is None:
        raise RuntimeError("One of the differentiated Tensors does not require grad")
    return edge


def _backward_method(
    self: Tensor,
    gradient: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """Add the gradients of this tensor to ``grad`` of the leaves that it depends on.

    Parameters
    ----------
    gradient : Tensor, optional
        Its gradient; not needed for a scalar.
    retain_graph : bool, optional
        Whether the graph can be used again; that of `create_graph` if left out.
    create_graph : bool
        Whether the gradients can be differentiated themselves.
    inputs : Tensor or sequence of Tensor, optional
        Only these get gradients.
    """
    backward(self, gradient, retain_graph, create_graph, inputs)


METHODS["backward"] = _backward_method
