"""Walks over a module and all below it: members by name, modes, conversions, and the printed tree.

Shared parameters and modules come once, under their first name, unless duplicates are asked for.
Read next: `module_calls`.
"""

from __future__ import annotations

import mmap
import warnings
from collections.abc import Callable, Iterator
from typing import Any, Self

import numpy as np

from fnx_nn.ambient import changed
from fnx_nn.devices import device as Device
from fnx_nn.dtypes import dtype as Dtype
from fnx_nn.nn.module_registry import ModuleRegistry
from fnx_nn.nn.parameter import Parameter, is_lazy
from fnx_nn.tensor.tensor import Tensor, wrap

__all__ = ["ModuleTree", "indented"]


class ModuleTree(ModuleRegistry):
    """What can be said of a module and its descendants together."""

    # ----------------------------------------------------------------------------------- members

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters, each once.

        Parameters
        ----------
        recurse : bool
            Whether those of descendants come, too.
        """
        for _, param in self.named_parameters(recurse=recurse):
            yield param

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """The parameters with their paths.

        Parameters
        ----------
        prefix : str
            Before every path.
        recurse : bool
            Whether those of descendants come, too.
        remove_duplicate : bool
            Whether a shared one comes once.
        """
        return self._named_members(
            lambda module: module._parameters.items(), prefix, recurse, remove_duplicate
        )

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers, each once.

        Parameters
        ----------
        recurse : bool
            Whether those of descendants come, too.
        """
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """The buffers with their paths.

        Parameters
        ----------
        prefix : str
            Before every path.
        recurse : bool
            Whether those of descendants come, too.
        remove_duplicate : bool
            Whether a shared one comes once.
        """
        return self._named_members(
            lambda module: module._buffers.items(), prefix, recurse, remove_duplicate
        )

    def _named_members(
        self,
        get_members_fn: Callable[[Any], Any],
        prefix: str = "",
        recurse: bool = True,
        remove_duplicate: bool = True,
    ) -> Iterator[tuple[str, Any]]:
        seen = set()
        modules = (
            self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate)
            if recurse
            else [(prefix, self)]
        )
        for path, module in modules:
            for name, value in get_members_fn(module):
                if value is None or id(value) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(value))
                yield _joined(path, name), value

    def children(self) -> Iterator[Any]:
        """The child modules, each once."""
        for _, module in self.named_children():
            yield module

    def named_children(self) -> Iterator[tuple[str, Any]]:
        """The child modules with their names."""
        seen = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def modules(self, remove_duplicate: bool = True) -> Iterator[Any]:
        """This module and all descendants.

        Parameters
        ----------
        remove_duplicate : bool
            Whether a shared one comes once.
        """
        for _, module in self.named_modules(remove_duplicate=remove_duplicate):
            yield module

    def named_modules(
        self, memo: set[Any] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Any]]:
        """This module and all descendants with their paths.

        Parameters
        ----------
        memo : set, optional
            Modules that don't come (again).
        prefix : str
            Before every path.
        remove_duplicate : bool
            Whether a shared one comes once.
        """
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                yield from module.named_modules(memo, _joined(prefix, name), remove_duplicate)

    # ------------------------------------------------------------------------------------- modes

    def apply(self, fn: Callable[[Any], None]) -> Self:
        """Call a function with every descendant, and with this module at the end.

        Parameters
        ----------
        fn : callable
            Of a module.
        """
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> Self:
        """Say whether the module is being trained; dropout and batch normalization ask.

        Parameters
        ----------
        mode : bool
            Whether it is.
        """
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Self:
        """Say that the module is not being trained."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Say whether gradients of the parameters are wanted.

        Parameters
        ----------
        requires_grad : bool
            Whether they are.
        """
        for param in self.parameters():
            param.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of the parameters.

        Parameters
        ----------
        set_to_none : bool
            Whether they become None, or zeros.
        """
        for param in self.parameters():
            if param.grad is None:
                continue
            if set_to_none:
                param.grad = None
                continue
            if param.grad.grad_fn is not None:
                param.grad.detach_()
            else:
                param.grad.requires_grad_(False)
            param.grad.zero_()

    # ------------------------------------------------------------------------------- conversions

    def _apply(self, fn: Callable[[Any], Any], recurse: bool = True) -> Self:
        """Replace the contents of parameters, gradients and buffers by what a function gives."""
        if recurse:
            for module in self.children():
                module._apply(fn)
        for param in self._parameters.values():
            if param is None:
                continue
            with changed(grad=False):
                applied = fn(param)
            param.data = applied
            if param.grad is not None:
                with changed(grad=False):
                    param.grad.data = fn(param.grad)
        for name, buffer in self._buffers.items():
            if buffer is not None:
                self._buffers[name] = fn(buffer)
        return self

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Convert the floating parameters and buffers to a dtype, and move all to a device.

        Parameters
        ----------
        *args : dtype, device, str or Tensor
            What to have; of a tensor, dtype and device are taken.
        **kwargs
            `dtype`, `device`, `tensor`, `non_blocking`, `memory_format`, by name.

        Examples
        --------
        >>> import fnx_nn as torch
        >>> torch.nn.Linear(1, 1).to(torch.float64).weight.dtype
        torch.float64
        """
        device, dtype = _parse_to(args, kwargs)
        if dtype is not None:
            if not (dtype.is_floating_point or dtype.is_complex):
                raise TypeError(
                    "nn.Module.to only accepts floating point or complex dtypes, but got desired "
                    f"dtype={dtype}"
                )
            if dtype.is_complex:
                warnings.warn(
                    "Complex modules are a new feature under active development whose design may "
                    "change, and some modules might not work as expected when using complex "
                    "tensors as parameters or buffers. Please file an issue at "
                    "https://github.com/pytorch/pytorch/issues/new?template=bug-report.yml if a "
                    "complex module does not work as expected.",
                    stacklevel=2,
                )

        def convert(t: Any) -> Any:
            inexact = t.is_floating_point() or t.is_complex()
            return t.to(device=device, dtype=dtype if inexact else None)

        return self._apply(convert)

    def to_empty(self, *, device: Any, recurse: bool = True) -> Self:
        """Move parameters and buffers to a device without their contents.

        Parameters
        ----------
        device : device or str
            Where to.
        recurse : bool
            Whether those of descendants, too.
        """

        def emptied(t: Any) -> Any:
            return wrap(t._data.copy()).to(device=device)

        return self._apply(emptied, recurse=recurse)

    def cpu(self) -> Self:
        """Move parameters and buffers to the CPU."""
        return self._apply(lambda t: t.cpu())

    def cuda(self, device: Any = None) -> Self:
        """Raises, where there are parameters: there is no CUDA device.

        Parameters
        ----------
        device : optional
            Which one.
        """
        return self._apply(lambda t: t.cuda(device))

    def type(self, dst_type: Any) -> Self:
        """Convert all parameters and buffers to a dtype.

        Parameters
        ----------
        dst_type : dtype or str
            The dtype.
        """
        return self._apply(lambda t: t.type(dst_type))

    def float(self) -> Self:
        """Convert the floating parameters and buffers to float32."""
        return self._apply(lambda t: t.float() if t.is_floating_point() else t)

    def double(self) -> Self:
        """Convert the floating parameters and buffers to float64."""
        return self._apply(lambda t: t.double() if t.is_floating_point() else t)

    def half(self) -> Self:
        """Convert the floating parameters and buffers to float16."""
        return self._apply(lambda t: t.half() if t.is_floating_point() else t)

    def bfloat16(self) -> Self:
        """Convert the floating parameters and buffers to bfloat16."""
        return self._apply(lambda t: t.bfloat16() if t.is_floating_point() else t)

    def share_memory(self) -> Self:
        """Move parameters and buffers to memory that a process shares with those forked from it."""
        return self._apply(_shared)

    # ---------------------------------------------------------------------------------- printing

    def extra_repr(self) -> str:
        """What stands between the parentheses when the module is printed; for subclasses."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        shows_children = bool(self._modules)
        if len(lines) == 1 and not shows_children:
            return f"{self._get_name()}({lines[0]})"
        for name, module in self._modules.items():
            lines.append(f"({name}): {indented(repr(module))}")
        inner = "\n  " + "\n  ".join(lines) + "\n" if lines else ""
        return f"{self._get_name()}({inner})"


def indented(text: str) -> str:
    """A text with all lines after the first moved to the right.

    Parameters
    ----------
    text : str
        Some lines.

    Examples
    --------
    >>> indented("a(\\nb)")
    'a(\\n  b)'
    """
    first, *rest = text.split("\n")
    return "\n".join([first, *["  " + line if line.strip() else "" for line in rest]])


def _shared(t: Any) -> Tensor:
    if is_lazy(t):
        t.share_memory_()  # raises
    data = t._data
    memory = np.frombuffer(mmap.mmap(-1, max(data.nbytes, 1)), np.uint8, data.nbytes)
    shared = memory.view(data.dtype).reshape(data.shape)
    shared[...] = data
    return wrap(shared)


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _parse_to(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Dtype | None]:
    """The device and the dtype among the arguments of `to`."""
    given = dict(kwargs)
    for accepted in ("non_blocking", "copy", "memory_format"):
        given.pop(accepted, None)
    device, dtype, tensor = (given.pop(name, None) for name in ("device", "dtype", "tensor"))
    for value in args:
        if isinstance(value, Dtype):
            dtype = value
        elif isinstance(value, Tensor):
            tensor = value
        elif isinstance(value, (str, Device)):
            device = value
        elif not (value is None or isinstance(value, bool)):
            given[""] = value
    if given or not (args or kwargs):
        kinds = [type(value).__name__ for value in args]
        kinds += [f"{name}={type(value).__name__}" for name, value in kwargs.items()]
        raise TypeError(
            f"to() received an invalid combination of arguments - got ({', '.join(kinds)}); give a "
            "dtype, a device, or a tensor that has both"
        )
    if tensor is not None:
        device, dtype = tensor.device, tensor.dtype
    return device, dtype
