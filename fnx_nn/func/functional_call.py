"""`functional_call`: a module as a pure function of its parameters, buffers and inputs.

The given state takes the place of the module's own for one call, and goes away again however the
call ends. With tensors this is PyTorch's function. With arrays of `fnx`, or tracers, it gives
arrays; so ``fnx.grad``, ``fnx.vmap`` and ``fnx.jit`` apply to any module.
Read next: `fnx_nn.tensor.traced`.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

import fnx.numpy as jnp
from fnx.tree_util import tree_leaves, tree_map
from fnx_nn.nn.module import Module
from fnx_nn.tensor.table import FUNCTIONS
from fnx_nn.tensor.tensor import Tensor, wrap
from fnx_nn.tensor.traced import from_array, pure_tracing, to_array, value_of

__all__ = ["functional_call", "stack_module_state"]


def functional_call(
    module: Module,
    parameter_and_buffer_dicts: dict[str, Any] | Sequence[dict[str, Any]],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Call a module with other parameters and buffers than its own.

    Parameters
    ----------
    module : Module
        What to call; its own state is the same afterwards.
    parameter_and_buffer_dicts : dict, or sequence of dict
        Tensors or arrays by path; what is left out is the module's own.
    args : tuple, or object
        The arguments; something else than a tuple is the only one.
    kwargs : dict, optional
        Arguments by name.
    tie_weights : bool
        Whether what the module shares under several names is replaced under all of them.
    strict : bool
        Whether every parameter and buffer must be given, and nothing else.

    Returns
    -------
    object
        The module's result. If some of the state or of the arguments are arrays of `fnx`, tracers
        or ndarrays, the tensors in it are arrays, too (in containers that `fnx.tree_util` knows).

    Notes
    -----
    With arrays the call is pure: what the module writes to its buffers (as batch normalization does
    in training) is seen by the rest of the call, and is forgotten at its end. With tensors it is
    written to the tensors that were given.

    Examples
    --------
    >>> import fnx, fnx_nn as torch
    >>> layer = torch.nn.Linear(2, 1)
    >>> weights = {"weight": fnx.numpy.ones((1, 2)), "bias": fnx.numpy.zeros(1)}
    >>> def loss(weights, x):
    ...     return functional_call(layer, weights, (x,)).sum()
    >>> fnx.grad(loss)(weights, fnx.numpy.array([[2.0, 3.0]]))["weight"]
    Array([[2., 3.]], dtype=float32)
    """
    state = _one_dictionary(parameter_and_buffer_dicts)
    inputs = () if args is None else args if isinstance(args, tuple) else (args,)
    named = {} if kwargs is None else kwargs
    given = _with_tied(module, state) if tie_weights else dict(state)
    if strict:
        _check_keys(module, given)
    if not any(_is_array(leaf) for leaf in tree_leaves((state, inputs, named))):
        with _replaced(module, given, state):
            return module(*inputs, **named)
    with pure_tracing():
        tensors = {name: _as_tensor(value) for name, value in given.items()}
        inputs, named = tree_map(_as_tensor, (inputs, named))
        with _replaced(module, {**_own_state(module), **tensors}, {}):
            return tree_map(_as_result, module(*inputs, **named))


def stack_module_state(models: Sequence[Module]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parameters and buffers of several modules of one class, each stacked to one tensor.

    Parameters
    ----------
    models : sequence of Module
        Alike but for the numbers in them.

    Returns
    -------
    tuple of dict
        Parameters, and buffers, by path.

    Examples
    --------
    >>> from fnx_nn import nn
    >>> parameters, buffers = stack_module_state([nn.Linear(2, 1) for _ in range(5)])
    >>> parameters["weight"].shape
    torch.Size([5, 1, 2])
    """
    if not len(models):
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if len({model.training for model in models}) > 1:
        raise RuntimeError(
            "stack_module_state: Expected all models to have the same training/eval mode."
        )
    if len({type(model) for model in models}) > 1:
        raise RuntimeError("stack_module_state: Expected all models to be of the same class.")
    parameters = [dict(model.named_parameters()) for model in models]
    buffers = [dict(model.named_buffers()) for model in models]
    return _stacked(parameters), _stacked(buffers)


def _stacked(states: list[dict[str, Any]]) -> dict[str, Any]:
    return {name: _stack_leaf(name, [state[name] for state in states]) for name in states[0]}


def _stack_leaf(name: str, tensors: list[Tensor]) -> Tensor:
    wants = {tensor.requires_grad for tensor in tensors}
    if len(wants) > 1:
        raise RuntimeError(f"Expected {name} from each model to have the same .requires_grad")
    return FUNCTIONS["stack"](tensors).detach().requires_grad_(wants.pop())


def _one_dictionary(given: Any) -> dict[str, Any]:
    if isinstance(given, dict):
        return given
    if not isinstance(given, Sequence):
        raise ValueError(
            "Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got "
            f"{type(given)}"
        )
    if not all(isinstance(part, dict) for part in given):
        raise ValueError("Expected all elements of parameter_and_buffer_dicts to be dictionaries")
    repeated = [k for k, n in Counter(k for part in given for k in part).items() if n > 1]
    if repeated:
        raise ValueError(
            f"{repeated} appeared in multiple dictionaries; behavior of functional call is "
            "ambiguous"
        )
    return {name: value for part in given for name, value in part.items()}


def _members(module: Module) -> dict[str, Any]:
    members: dict[str, Any] = dict(module.named_parameters(remove_duplicate=False))
    members.update(module.named_buffers(remove_duplicate=False))
    return members


def _with_tied(module: Module, state: dict[str, Any]) -> dict[str, Any]:
    """The state, with each tensor under all the names that it has in the module."""
    names: dict[int, list[str]] = {}
    for name, tensor in _members(module).items():
        names.setdefault(id(tensor), []).append(name)
    given = dict(state)
    for tied in names.values():
        found = [name for name in tied if name in state]
        if not found or len(tied) == 1:
            continue
        if any(state[name] is not state[found[0]] for name in found):
            raise ValueError(
                f"functional_call got multiple values for keys {sorted(tied)}, which are tied. "
                "Consider using tie_weights=False"
            )
        given.update(dict.fromkeys(tied, state[found[0]]))
    return given


def _check_keys(module: Module, given: dict[str, Any]) -> None:
    expected = _members(module).keys()
    complaints = []
    for words, names in (
        ("Unexpected", given.keys() - expected),
        ("Missing", expected - given.keys()),
    ):
        if names:
            complaints.append(f"{words} key(s): {', '.join(map(repr, sorted(names)))}.")
    if complaints:
        raise RuntimeError(
            f"Error(s) in reparametrizing for {module._get_name()}:\n\t" + "\n\t".join(complaints)
        )


@contextlib.contextmanager
def _replaced(module: Module, given: dict[str, Any], report: dict[str, Any]) -> Iterator[None]:
    """Let a module hold other tensors for a block; `report` gets what it holds at the end."""
    before: list[tuple[dict[str, Any], str, Any]] = []
    places: dict[str, tuple[dict[str, Any], str]] = {}
    try:
        for path, tensor in given.items():
            table, name = _place(module, path)
            if tensor is not None and not isinstance(tensor, Tensor):
                raise TypeError(f"functional_call: {path} is {tensor!r}, which is not a Tensor")
            before.append((table, name, table.get(name, _ABSENT)))
            places[path] = table, name
            table[name] = tensor
        yield
    finally:
        held = {path: table.get(name) for path, (table, name) in places.items() if path in report}
        report.update(held)
        for table, name, value in reversed(before):
            if value is _ABSENT:
                table.pop(name, None)
            else:
                table[name] = value


_ABSENT: Any = object()


def _place(module: Module, path: str) -> tuple[dict[str, Any], str]:
    """The table in which a path's tensor is, or would be, and its name there."""
    parent, _, name = path.rpartition(".")
    owner = module.get_submodule(parent)
    for table in (owner._parameters, owner._buffers):
        if name in table:
            return table, name
    return owner.__dict__, name


def _own_state(module: Module) -> dict[str, Any]:
    """Handles of their own on the module's memory: nothing that happens to them is seen later."""
    handles: dict[int, Tensor] = {}
    for tensor in _members(module).values():
        handles.setdefault(id(tensor), wrap(value_of(tensor)))
    return {name: handles[id(tensor)] for name, tensor in _members(module).items()}


def _is_array(leaf: Any) -> bool:
    return not isinstance(leaf, (Tensor, np.generic)) and (
        hasattr(leaf, "shape") and hasattr(leaf, "dtype")
    )


def _as_tensor(leaf: Any) -> Any:
    if not _is_array(leaf):
        return leaf
    return from_array(jnp.asarray(leaf) if isinstance(leaf, np.ndarray) else leaf)


def _as_result(leaf: Any) -> Any:
    return to_array(leaf) if isinstance(leaf, Tensor) else leaf
