"""What the functions of this room do with their arguments, said once.

`elementwise` and `real_elementwise` are decorators: the function below them gets arrays of one
floating dtype and one shape.  Read next: `gamma_functions`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from fnx.errors import ArgumentValueError
from fnx.numpy.promotion import broadcast_operands, promote_inexact

__all__ = ["elementwise", "real_elementwise"]

Function = TypeVar("Function", bound=Callable[..., Any])


def elementwise(function: Function) -> Function:
    """Promote the arguments to one inexact dtype and broadcast them; complex numbers are welcome.

    Parameters
    ----------
    function : callable
        Of arrays alone; its name is what errors say.
    """
    return _prepared(function, True)


def real_elementwise(function: Function) -> Function:
    """Promote the arguments to one floating dtype and broadcast them; refuse complex numbers.

    Parameters
    ----------
    function : callable
        Of arrays alone; its name is what errors say.
    """
    return _prepared(function, False)


def _prepared(function: Any, complex_too: bool) -> Any:
    name = function.__name__
    signature = inspect.signature(function)

    @functools.wraps(function)
    def call(*args: Any, **named: Any) -> Any:
        if named or len(args) != len(signature.parameters):
            args = signature.bind(*args, **named).args
        values = promote_inexact(name, *args)
        if values[0].dtype.kind == "c" and not complex_too:
            raise ArgumentValueError(
                f"{name}: does not support complex-valued inputs, got "
                f"{', '.join(repr(v.aval) for v in values)}. Pass real and imaginary parts apart."
            )
        return function(*broadcast_operands(name, values))

    return call
