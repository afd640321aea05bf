"""Calling a module: `forward` between its hooks.

Without hooks a call is a call of `forward`. With some: pre-hooks change the arguments, the inputs
pass the hooks on gradients, `forward` runs, hooks change the result, which passes the hooks on
gradients in its turn. Hooks that are always to be called are called after an exception, too.
Read next: `module_state`.
"""

from __future__ import annotations

import functools
import warnings
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from fnx_nn.autograd.hooks import RemovableHandle
from fnx_nn.nn.module_hooks import GLOBAL_HOOKS, GradientHooks
from fnx_nn.nn.module_tree import ModuleTree
from fnx_nn.tensor.tensor import Tensor

__all__ = ["HookOfModule", "ModuleCalls"]

_MIXED = (
    "Cannot use both regular backward hooks and full backward hooks on a single Module. Please "
    "use only one of them."
)


def _unimplemented(self: Any, *input: Any) -> None:
    """The computation of every call; to be written by subclasses.

    Parameters
    ----------
    *input
        What the module is called with.
    """
    raise NotImplementedError(
        f'Module [{type(self).__name__}] is missing the required "forward" function'
    )


class ModuleCalls(ModuleTree):
    """Calls, and the hooks around them."""

    forward: Callable[..., Any] = _unimplemented

    def _call_impl(self, *args: Any, **kwargs: Any) -> Any:
        if not (
            self._forward_hooks
            or self._forward_pre_hooks
            or self._backward_hooks
            or self._backward_pre_hooks
            or GLOBAL_HOOKS.any()
        ):
            return self.forward(*args, **kwargs)
        return _HookedCall(self, args, kwargs).run()

    __call__: Callable[..., Any] = _call_impl

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call a function before every forward pass.

        Parameters
        ----------
        hook : callable
            ``hook(module, args)``: None, or the arguments to use.
        prepend : bool
            Whether it comes before the other hooks.
        with_kwargs : bool
            Whether it is ``hook(module, args, kwargs)``, and gives both.

        Examples
        --------
        >>> import fnx_nn as torch
        >>> layer = torch.nn.Identity()
        >>> with layer.register_forward_pre_hook(lambda module, args: (args[0] + 1,)):
        ...     layer(torch.zeros(2))
        tensor([1., 1.])
        """
        flags = [self._forward_pre_hooks_with_kwargs] if with_kwargs else []
        return _registered(self._forward_pre_hooks, hook, prepend, *flags)

    def register_forward_hook(
        self,
        hook: Callable[..., Any],
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """Call a function after every forward pass.

        Parameters
        ----------
        hook : callable
            ``hook(module, args, output)``: None, or the output to give.
        prepend : bool
            Whether it comes before the other hooks.
        with_kwargs : bool
            Whether it is ``hook(module, args, kwargs, output)``.
        always_call : bool
            Whether it is called when the forward pass raises, too.
        """
        flags = [self._forward_hooks_with_kwargs] if with_kwargs else []
        flags += [self._forward_hooks_always_called] if always_call else []
        return _registered(self._forward_hooks, hook, prepend, *flags)

    def register_full_backward_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call a function before every backward pass.

        Parameters
        ----------
        hook : callable
            ``hook(module, grad_output)``: None, or the gradients to use.
        prepend : bool
            Whether it comes before the other hooks.
        """
        return _registered(self._backward_pre_hooks, hook, prepend)

    def register_full_backward_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call a function after every backward pass.

        Parameters
        ----------
        hook : callable
            ``hook(module, grad_input, grad_output)``: None, or the gradients to hand on.
        prepend : bool
            Whether it comes before the other hooks.
        """
        if self._is_full_backward_hook is False:
            raise RuntimeError(_MIXED)
        self._is_full_backward_hook = True
        return _registered(self._backward_hooks, hook, prepend)

    def register_backward_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call a function after the last node of the forward pass ran backward.

        Where the forward pass has several nodes, these are not the gradients of the inputs; use
        `register_full_backward_hook`.

        Parameters
        ----------
        hook : callable
            ``hook(module, grad_input, grad_output)`` of that node.
        """
        if self._is_full_backward_hook is True:
            raise RuntimeError(_MIXED)
        self._is_full_backward_hook = False
        return _registered(self._backward_hooks, hook, False)


def _registered(
    hooks: OrderedDict[int, Any], hook: Callable[..., Any], prepend: bool, *flags: dict[int, bool]
) -> RemovableHandle:
    handle = RemovableHandle(hooks, hook, *flags)
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


class _HookedCall:
    """One call of a module that has hooks."""

    def __init__(self, module: ModuleCalls, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.module, self.args, self.kwargs = module, args, kwargs
        self.result: Any = None
        self.called: set[int] = set()  # the hooks that are always called, when they were

    def run(self) -> Any:
        try:
            return self.forward()
        except Exception:
            self.after_failure()
            raise

    def forward(self) -> Any:
        module = self.module
        pre_hooks = [*GLOBAL_HOOKS.backward_pre.values(), *module._backward_pre_hooks.values()]
        full_hooks, node_hooks = self.backward_hooks()
        self.before()
        gradients = None
        if full_hooks or pre_hooks:
            gradients = GradientHooks(module, full_hooks, pre_hooks)
            self.args = gradients.around_inputs(self.args)
        self.result = module.forward(*self.args, **self.kwargs)
        for number, hook, with_kwargs, always in self.forward_hooks():
            if always:
                self.called.add(number)
            self.follow(hook, with_kwargs)
        if gradients is not None:
            if not isinstance(self.result, (Tensor, tuple)):
                warnings.warn(
                    "For backward hooks to be called, module output should be a Tensor or a tuple "
                    f"of Tensors but received {type(self.result)}",
                    stacklevel=4,
                )
            self.result = gradients.around_outputs(self.result)
        if node_hooks:
            _hang_on_last_node(module, node_hooks, self.args, self.result)
        return self.result

    def before(self) -> None:
        """Let pre-hooks see, and change, the arguments."""
        module = self.module
        for hook in list(GLOBAL_HOOKS.forward_pre.values()):
            self.take_args(hook(module, self.args))
        for number, hook in list(module._forward_pre_hooks.items()):
            if number not in module._forward_pre_hooks_with_kwargs:
                self.take_args(hook(module, self.args))
                continue
            answer = hook(module, self.args, self.kwargs)
            if answer is None:
                continue
            if not (isinstance(answer, tuple) and len(answer) == 2):
                raise RuntimeError(
                    "forward pre-hook must return None or a tuple of (new_args, new_kwargs), but "
                    f"got {answer}."
                )
            self.args, self.kwargs = answer

    def take_args(self, answer: Any) -> None:
        if answer is not None:
            self.args = answer if isinstance(answer, tuple) else (answer,)

    def forward_hooks(self) -> list[tuple[int, Any, bool, bool]]:
        """Number, hook, whether it takes keyword arguments, whether it is always called."""
        module, common = self.module, GLOBAL_HOOKS
        return [
            (k, hook, k in common.forward_with_kwargs, k in common.forward_always)
            for k, hook in common.forward.items()
        ] + [
            (
                k,
                hook,
                k in module._forward_hooks_with_kwargs,
                k in module._forward_hooks_always_called,
            )
            for k, hook in module._forward_hooks.items()
        ]

    def follow(self, hook: Any, with_kwargs: bool) -> None:
        """Let a hook see, and change, the result."""
        given = (self.args, self.kwargs) if with_kwargs else (self.args,)
        answer = hook(self.module, *given, self.result)
        if answer is not None:
            self.result = answer

    def after_failure(self) -> None:
        """Call the hooks that are always called and were not; what they raise is a warning."""
        for number, hook, with_kwargs, always in self.forward_hooks():
            if not always or number in self.called:
                continue
            try:
                self.follow(hook, with_kwargs)
            except Exception as error:  # the first exception is the one to be seen
                which = "global module" if number in GLOBAL_HOOKS.forward else "module"
                warnings.warn(
                    f"{which} forward hook with ``always_call=True`` raised an exception that was "
                    f"silenced as another error was raised in forward: {error}",
                    stacklevel=4,
                )

    def backward_hooks(self) -> tuple[list[Any], list[Any]]:
        """Hooks on the gradients of the module, and those on its last node."""
        kinds: dict[bool | None, list[Any]] = {True: [], False: [], None: []}
        kinds[GLOBAL_HOOKS.full_backward] += GLOBAL_HOOKS.backward.values()
        kinds[self.module._is_full_backward_hook] += self.module._backward_hooks.values()
        return kinds[True], kinds[False]


class HookOfModule:
    """A hook that is called with its module first; it does not keep the module alive.

    Parameters
    ----------
    hook : callable
        Of the module and what the hook is given.
    module : Module, optional
        The module; None calls the hook without.
    """

    def __init__(self, hook: Callable[..., Any], module: Any = None) -> None:
        self.hook = hook
        functools.update_wrapper(self, hook)
        self.module: weakref.ref[Any] | None = None if module is None else weakref.ref(module)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.module is None:
            return self.hook(*args, **kwargs)
        module = self.module()
        if module is None:
            raise RuntimeError("You are trying to call the hook of a dead Module!")
        return self.hook(module, *args, **kwargs)

    def __getstate__(self) -> dict[str, Any]:
        return {"hook": self.hook, "module": None if self.module is None else self.module()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.hook = state["hook"]
        self.module = None if state["module"] is None else weakref.ref(state["module"])


_INCOMPLETE = (
    " is deprecated and will be removed in future versions. This hook will be missing some "
    "{missing}. Please use register_full_backward_hook to get the documented behavior."
)


def _hang_on_last_node(module: Any, hooks: list[Any], args: Any, result: Any) -> None:
    found = result
    while not isinstance(found, Tensor):
        if isinstance(found, dict):
            found = next(v for v in found.values() if isinstance(v, Tensor))
        else:
            found = found[0]
    node: Any = found.grad_fn
    if node is None:
        return
    for hook in hooks:
        node.register_hook(HookOfModule(hook, module))
    _warn_of_incomplete_hook(args, result, node)


def _warn_of_incomplete_hook(args: Any, result: Any, node: Any) -> None:
    """Say when the last node alone does not show all gradients of the module."""
    outputs = (result,) if isinstance(result, Tensor) else result
    if not (isinstance(outputs, tuple) and all(isinstance(r, Tensor) for r in outputs)):
        what, missing = (
            "Using non-full backward hooks on a Module that does not return a single Tensor or a "
            "tuple of Tensors",
            "of the grad_output",
        )
    elif not all(isinstance(a, Tensor) for a in args):
        what, missing = (
            "Using non-full backward hooks on a Module that does not take as input a single Tensor "
            "or a tuple of Tensors",
            "of the grad_input",
        )
    else:
        ends = {r.grad_fn for r in outputs if r.grad_fn is not None}
        starts = {a.grad_fn for a in args if a.grad_fn is not None}
        if len(ends) > 1:
            what, missing = (
                "Using a non-full backward hook when outputs are generated by different autograd "
                "Nodes",
                "grad_output",
            )
        elif starts != {following for following, _ in node.next_functions}:
            what, missing = (
                "Using a non-full backward hook when the forward contains multiple autograd Nodes",
                "grad_input",
            )
        else:
            return
    warnings.warn(what + _INCOMPLETE.format(missing=missing), FutureWarning, stacklevel=6)
