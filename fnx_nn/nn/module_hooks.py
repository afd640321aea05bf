"""Hooks on all modules at once, and how hooks on gradients are put around a module's call.

`GLOBAL_HOOKS` holds what the `register_module_...` functions were given; like PyTorch's, these
hooks are the process's. `GradientHooks` makes a call give its module's hooks the gradients of all
its inputs and outputs: identities on the tape, before and after, where the hooks hang.
Read next: `module_calls`.
"""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fnx_nn.ambient import ambient
from fnx_nn.autograd.function import Function
from fnx_nn.autograd.hooks import RemovableHandle
from fnx_nn.tensor.tensor import Tensor, wrap

__all__ = [
    "GLOBAL_HOOKS",
    "GradientHooks",
    "register_module_backward_hook",
    "register_module_buffer_registration_hook",
    "register_module_forward_hook",
    "register_module_forward_pre_hook",
    "register_module_full_backward_hook",
    "register_module_full_backward_pre_hook",
    "register_module_module_registration_hook",
    "register_module_parameter_registration_hook",
]

_MIXED = (
    "Cannot use both regular backward hooks and full backward hooks as a global Module hook. "
    "Please use only one of them."
)


class GlobalHooks:
    """The hooks on all modules."""

    def __init__(self) -> None:
        self.forward_pre: OrderedDict[int, Any] = OrderedDict()
        self.forward: OrderedDict[int, Any] = OrderedDict()
        self.forward_with_kwargs: dict[int, bool] = {}
        self.forward_always: dict[int, bool] = {}
        self.backward_pre: OrderedDict[int, Any] = OrderedDict()
        self.backward: OrderedDict[int, Any] = OrderedDict()
        self.full_backward: bool | None = None
        self.registration: dict[str, OrderedDict[int, Any]] = {
            kind: OrderedDict() for kind in ("module", "parameter", "buffer")
        }

    def any(self) -> bool:
        """Whether a call must look at them."""
        return bool(self.forward_pre or self.forward or self.backward_pre or self.backward)

    def registered(self, kind: str, module: Any, name: str, value: Any) -> Any:
        """What hooks on registration make of a value that is being registered."""
        for hook in list(self.registration[kind].values()):
            answer = hook(module, name, value)
            if answer is not None:
                value = answer
        return value


#: The hooks of the process.
GLOBAL_HOOKS = GlobalHooks()


def register_module_forward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call a function before the forward pass of every module.

    Parameters
    ----------
    hook : callable
        ``hook(module, args)``: None, or the arguments to use.
    """
    return RemovableHandle(GLOBAL_HOOKS.forward_pre, hook)


def register_module_forward_hook(
    hook: Callable[..., Any], *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Call a function after the forward pass of every module.

    Parameters
    ----------
    hook : callable
        ``hook(module, args, output)``: None, or the output to give.
    with_kwargs : bool
        Whether it is ``hook(module, args, kwargs, output)``.
    always_call : bool
        Whether it is called when the forward pass raises, too.
    """
    flags = [GLOBAL_HOOKS.forward_with_kwargs] if with_kwargs else []
    flags += [GLOBAL_HOOKS.forward_always] if always_call else []
    return RemovableHandle(GLOBAL_HOOKS.forward, hook, *flags)


def register_module_full_backward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call a function before the backward pass of every module.

    Parameters
    ----------
    hook : callable
        ``hook(module, grad_output)``: None, or the gradients to use.
    """
    return RemovableHandle(GLOBAL_HOOKS.backward_pre, hook)


def register_module_full_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call a function after the backward pass of every module.

    Parameters
    ----------
    hook : callable
        ``hook(module, grad_input, grad_output)``: None, or the gradients to hand on.
    """
    if GLOBAL_HOOKS.full_backward is False:
        raise RuntimeError(_MIXED)
    GLOBAL_HOOKS.full_backward = True
    return RemovableHandle(GLOBAL_HOOKS.backward, hook)


def register_module_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call a function after the last node of every module ran backward.

    Parameters
    ----------
    hook : callable
        ``hook(module, grad_input, grad_output)`` of that node.
    """
    if GLOBAL_HOOKS.full_backward is True:
        raise RuntimeError(_MIXED)
    GLOBAL_HOOKS.full_backward = False
    return RemovableHandle(GLOBAL_HOOKS.backward, hook)


def register_module_module_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call a function whenever a child module is registered.

    Parameters
    ----------
    hook : callable
        ``hook(module, name, submodule)``: None, or what to register.
    """
    return RemovableHandle(GLOBAL_HOOKS.registration["module"], hook)


def register_module_parameter_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call a function whenever a parameter is registered.

    Parameters
    ----------
    hook : callable
        ``hook(module, name, param)``: None, or what to register.
    """
    return RemovableHandle(GLOBAL_HOOKS.registration["parameter"], hook)


def register_module_buffer_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call a function whenever a buffer is registered.

    Parameters
    ----------
    hook : callable
        ``hook(module, name, buffer)``: None, or what to register.
    """
    return RemovableHandle(GLOBAL_HOOKS.registration["buffer"], hook)


class BackwardHookFunction(Function):
    """The identity, as a node of its own on the tape, for hooks to hang on."""

    @staticmethod
    def forward(ctx: Any, *args: Any) -> Any:
        """The tensors themselves."""
        ctx.mark_non_differentiable(*[arg for arg in args if not arg.requires_grad])
        return args

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """The gradients themselves."""
        return grad_outputs


class GradientHooks:
    """The hooks on the gradients of one call of a module.

    Parameters
    ----------
    module : Module
        What is called.
    hooks, pre_hooks : list
        To be called after, and before, gradients have passed through it.
    """

    def __init__(self, module: Any, hooks: list[Any], pre_hooks: list[Any]) -> None:
        self.module = module
        self.hooks = hooks
        self.pre_hooks = pre_hooks
        self.grad_outputs: Any = None
        self.input_count = self.output_count = 0
        #: Shape and dtype of the tensors among the inputs.
        self.input_like: list[tuple[Any, Any]] = []
        #: Positions of tensors among the inputs and outputs; None where none needs a gradient.
        self.input_places: list[int] | None = None
        self.output_places: list[int] | None = None

    def around_inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, made to pass by the hooks.

        Parameters
        ----------
        args : tuple
            Of the call.
        """
        self.input_count = len(args)
        self.input_like = [
            (arg._data.shape, arg._data.dtype) for arg in args if isinstance(arg, Tensor)
        ]
        out, self.input_places = _passed_by(args, lambda node: node.register_hook(self._at_inputs))
        return out

    def around_outputs(self, result: Any) -> Any:
        """The result, made to pass by the hooks.

        Parameters
        ----------
        result : Tensor or tuple of Tensor
            Of the call.
        """
        several = isinstance(result, tuple)
        given = result if several else (result,)
        self.output_count = len(given)
        out, self.output_places = _passed_by(
            given, lambda node: node.register_hook(self._at_outputs)
        )
        return out if several else out[0]

    def _at_outputs(self, _: Any, grad_outputs: tuple[Any, ...]) -> Any:
        assert self.output_places is not None
        given = _spread(self.output_places, grad_outputs, self.output_count)
        for hook in self.pre_hooks:
            answer = hook(self.module, given)
            if answer is None:
                continue
            answer = answer if isinstance(answer, (tuple, list)) else (answer,)
            if len(answer) != len(given):
                raise RuntimeError(
                    f"Backward pre hook returned an invalid number of grad_output, got "
                    f"{len(answer)}, but expected {len(given)}"
                )
            given = tuple(answer)
        self.grad_outputs = given
        if self.input_places is None:
            self._without_inputs()
        return tuple([given[place] for place in self.output_places])

    def _without_inputs(self) -> None:
        """No input needs a gradient, so nothing will arrive there: the hooks are called now."""
        warnings.warn(
            "Full backward hook is firing when gradients are computed with respect to module "
            "outputs since no inputs require gradients. See "
            "https://docs.pytorch.org/docs/main/generated/torch.nn.Module.html"
            "#torch.nn.Module.register_full_backward_hook for more details.",
            stacklevel=5,
        )
        nothing = (None,) * self.input_count
        for hook in self.hooks:
            answer = hook(self.module, nothing, self.grad_outputs)
            if answer is not None and not (
                isinstance(answer, tuple) and all(a is None for a in answer)
            ):
                raise RuntimeError(
                    "Backward hook for Modules where no input requires gradient should always "
                    "return None or None for all gradients."
                )
        self.grad_outputs = None

    def _at_inputs(self, grad_inputs: tuple[Any, ...], _: Any) -> Any:
        if self.grad_outputs is None:  # nothing has passed the outputs: not this call's gradients
            return None
        assert self.input_places is not None
        # Inputs that want no gradient, or got none, are shown with zeros.
        shown = [
            wrap(np.zeros(*like)) if gradient is None else gradient
            for gradient, like in zip(grad_inputs, self.input_like, strict=True)
        ]
        given = _spread(self.input_places, shown, self.input_count)
        for hook in self.hooks:
            answer = hook(self.module, given, self.grad_outputs)
            if answer is None:
                continue
            answer = answer if isinstance(answer, (tuple, list)) else (answer,)
            if len(answer) != len(given):
                raise RuntimeError(
                    f"Backward hook returned an invalid number of grad_input, got {len(answer)}, "
                    f"but expected {len(given)}"
                )
            given = tuple(answer)
        self.grad_outputs = None
        return tuple([given[place] for place in self.input_places])


def _passed_by(values: Any, hang: Callable[[Any], Any]) -> tuple[Any, list[int] | None]:
    places = [k for k, value in enumerate(values) if isinstance(value, Tensor)]
    tensors = [values[k] for k in places]
    if not (ambient().grad and any([t.requires_grad for t in tensors])):
        return values, None
    made = BackwardHookFunction.apply(*tensors)
    hang(next(t.grad_fn for t in made if t.grad_fn is not None))
    out = list(values)
    for place, tensor in zip(places, made, strict=True):
        out[place] = tensor
    # A named tuple is made of its fields, one by one.
    return (tuple(out) if type(values) is tuple else type(values)(*out)), places


def _spread(places: Sequence[int], values: Sequence[Any], count: int) -> tuple[Any, ...]:
    out: list[Any] = [None] * count
    for place, value in zip(places, values, strict=True):
        out[place] = value
    return tuple(out)
