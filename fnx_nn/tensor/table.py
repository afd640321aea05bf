"""How operations become functions, methods and in-place methods: one row each.

A row is a function that prepares a call: from the arguments of users to an operation, its operands
and its parameters. `operator` makes of it the function (with ``out=``), the method, and, where
asked for, the in-place method with a trailing underscore. `method` registers ordinary functions
that are composed of others. `Tensor` gets the methods as they are registered; `FUNCTIONS` is what
`fnx_nn` exports.

    @operator(inplace=True)
    def exp(input):
        ...
        return EXP, (input,), {}

To add an operation: write its row in the family's module, and give it a row in
``tests/fnx_nn/autograd/test_gradcheck_operations.py``; a new family stands in `catalogue`, too.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

from fnx_nn.ambient import ambient
from fnx_nn.tensor.dispatch import apply, check_writable, write
from fnx_nn.tensor.tensor import Tensor

__all__ = ["FUNCTIONS", "METHODS", "method", "operator", "write_out"]


class Methods(dict[str, Any]):
    """Methods by name; `Tensor` gets each as it is registered."""

    def __setitem__(self, name: str, member: Any) -> None:
        if name in vars(Tensor) and name not in self:
            raise ValueError(f"Tensor.{name} is already defined")
        setattr(Tensor, name, member)
        super().__setitem__(name, member)


#: Functions of `fnx_nn` by name, and methods of `Tensor`; written while modules are imported.
FUNCTIONS: dict[str, Callable[..., Any]] = {}
METHODS = Methods()


def operator(
    *aliases: str,
    inplace: bool = False,
    inplace_function: bool = False,
    function: bool = True,
    as_method: bool = True,
    out: bool = True,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make the functions and methods of a row.

    Parameters
    ----------
    *aliases : str
        Further names.
    inplace : bool
        Whether there is an in-place method, ``name_``.
    inplace_function : bool
        Whether that is a function, too.
    function, as_method : bool
        Whether there is a function, a method.
    out : bool
        Whether the function takes ``out=``.
    """

    def decorate(prepare: Callable[..., Any]) -> Callable[..., Any]:
        name = prepare.__name__
        made = _with_out(prepare) if out else _without_out(prepare)
        for public in (name, *aliases):
            if function:
                FUNCTIONS[public] = made
            if as_method:
                METHODS[public] = made
            if inplace:
                METHODS[f"{public}_"] = in_place = _in_place(prepare, f"{public}_")
                if inplace_function:
                    FUNCTIONS[f"{public}_"] = in_place
        return made

    return decorate


def method(
    *aliases: str, function: bool = True, as_method: bool = True
) -> Callable[[Callable[..., Any]], Any]:
    """Register a function composed of others, as a function of `fnx_nn` and a method.

    Parameters
    ----------
    *aliases : str
        Further names.
    function, as_method : bool
        Whether it is a function, a method.
    """

    def decorate(made: Callable[..., Any]) -> Callable[..., Any]:
        for public in (made.__name__, *aliases):
            if function:
                FUNCTIONS[public] = made
            if as_method:
                METHODS[public] = made
        return made

    return decorate


def write_out(out: Any, result: Any, name: str) -> Any:
    """Put results into the tensors of ``out=``, resized where they do not fit.

    Parameters
    ----------
    out : Tensor or tuple of Tensor
        Where to.
    result : Tensor or tuple of Tensor
        What.
    name : str
        The operation, for errors.
    """
    if isinstance(out, (tuple, list)):
        for target, value in zip(out, result, strict=True):
            write_out(target, value, name)
        return out
    if ambient().grad and (result.requires_grad or out.requires_grad):
        raise RuntimeError(
            f"{name}(): functions with out=... arguments don't support automatic differentiation, "
            "but one of the arguments requires grad."
        )
    if out._data.shape != result._data.shape:
        if out._data.size:
            warnings.warn(
                "An output with one or more elements was resized since it had shape "
                f"{list(out._data.shape)}, which does not match the required output shape "
                f"{list(result._data.shape)}. This behavior is deprecated, and in a future "
                "release outputs will not be resized unless they have zero elements.",
                UserWarning,
                stacklevel=3,
            )
        check_writable(out, False)
        out._data = result._data.astype(out._data.dtype)
        return out
    return out.copy_(result)


def _with_out(prepare: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(prepare)
    def function(*args: Any, out: Any = None, **kwargs: Any) -> Any:
        if out is None:
            return apply(*prepare(*args, **kwargs))
        return write_out(out, apply(*prepare(*args, **kwargs)), prepare.__name__)

    return function


def _without_out(prepare: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(prepare)
    def function(*args: Any, **kwargs: Any) -> Any:
        return apply(*prepare(*args, **kwargs))

    return function


def _in_place(prepare: Callable[..., Any], name: str) -> Callable[..., Any]:
    @functools.wraps(prepare)
    def function(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return write(self, *prepare(self, *args, **kwargs))

    function.__name__ = function.__qualname__ = name
    _, _, explanation = (prepare.__doc__ or "").partition("\n")
    function.__doc__ = f"In-place version of `{prepare.__name__}`.\n{explanation}"
    return function
