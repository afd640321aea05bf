"""Hooks: functions that see, or replace, gradients on their way; and `retain_grad`.

Each registration gives a `RemovableHandle`.
Read next: `function`.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable
from typing import Any

from fnx_nn.tensor.table import METHODS
from fnx_nn.tensor.tape import Node
from fnx_nn.tensor.tensor import Tensor

__all__ = ["RemovableHandle"]

_numbers = itertools.count()


class RemovableHandle:
    """What a registration gives: it takes the hook away again.

    Parameters
    ----------
    hooks : dict
        Where the hook is.
    hook : callable
        The hook.
    *flags : dict
        Where it is noted how the hook wants to be called; noted as True in each.
    """

    def __init__(
        self, hooks: dict[int, Any], hook: Callable[..., Any], *flags: dict[int, bool]
    ) -> None:
        self.id = next(_numbers)
        self._hooks = hooks
        self._flags = flags
        hooks[self.id] = hook
        for noted in flags:
            noted[self.id] = True

    def remove(self) -> None:
        """Take the hook away."""
        for table in (self._hooks, *self._flags):
            table.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


def _register_hook(self: Tensor, hook: Callable[[Tensor], Any]) -> RemovableHandle:
    """Call a function with the gradient of this tensor whenever it is computed.

    Parameters
    ----------
    hook : callable
        Gives None, or what replaces the gradient.
    """
    if not self.requires_grad:
        raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
    node = self._node
    if node is None:
        if self._hooks is None:
            self._hooks = {}
        return RemovableHandle(self._hooks, hook)
    return RemovableHandle(node.hooked().tensor.setdefault(self._output, {}), hook)


def _register_post_accumulate_grad_hook(
    self: Tensor, hook: Callable[[Tensor], None]
) -> RemovableHandle:
    """Call a function with this leaf whenever its gradient has been accumulated.

    Parameters
    ----------
    hook : callable
        Of the tensor.
    """
    if not self.requires_grad:
        raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
    if self._node is not None:
        raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
    if self._post_hooks is None:
        self._post_hooks = {}
    return RemovableHandle(self._post_hooks, hook)


def _retain_grad(self: Tensor) -> None:
    """Keep the gradient of this tensor in ``grad`` although it is not a leaf."""
    if not self.requires_grad:
        raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
    if self._node is not None:
        self._node.hooked().retained[self._output] = weakref.ref(self)


def _retains_grad(self: Tensor) -> bool:
    node = self.grad_fn
    if node is None or node.hooks is None:
        return False
    kept = node.hooks.retained.get(self._output)
    return kept is not None and kept() is self


METHODS["register_hook"] = _register_hook
METHODS["register_post_accumulate_grad_hook"] = _register_post_accumulate_grad_hook
METHODS["retain_grad"] = _retain_grad
METHODS["retains_grad"] = property(_retains_grad)


def _node_hook(self: Node, fn: Callable[..., Any]) -> RemovableHandle:
    """Call ``fn(grad_inputs, grad_outputs)`` after this node has run.

    Parameters
    ----------
    fn : callable
        Gives None, or what replaces the gradients of the operands.
    """
    return RemovableHandle(self.hooked().post, fn)


def _node_prehook(self: Node, fn: Callable[..., Any]) -> RemovableHandle:
    """Call ``fn(grad_outputs)`` before this node runs.

    Parameters
    ----------
    fn : callable
        Gives None, or what replaces the gradients of the outputs.
    """
    return RemovableHandle(self.hooked().pre, fn)


Node.register_hook = _node_hook  # type: ignore[attr-defined]
Node.register_prehook = _node_prehook  # type: ignore[attr-defined]
