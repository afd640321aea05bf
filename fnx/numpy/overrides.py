"""NumPy's functions on arrays and tracers: ``np.sin(x)`` is `fnx.numpy.sin` of it.

In come calls that NumPy hands over (`__array_ufunc__`, `__array_function__`). What `fnx.numpy` has
under the same name is called, so tracers can be differentiated and compiled through NumPy's names;
what it hasn't is left to NumPy, on the arrays' data, and refuses tracers as NumPy's conversions do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from fnx.core.array import Array, adopt
from fnx.core.operators import install
from fnx.core.tracing import Tracer
from fnx.errors import ArgumentTypeError

__all__ = ["install_overrides"]

#: ``np.add.reduce`` and its like, by the names of `fnx.numpy`.
_REDUCTIONS = {
    "add": "sum",
    "multiply": "prod",
    "maximum": "max",
    "minimum": "min",
    "logical_and": "all",
    "logical_or": "any",
}
_ACCUMULATIONS = {"add": "cumsum", "multiply": "cumprod"}


def install_overrides(functions: Mapping[str, Callable[..., Any]]) -> None:
    """Make NumPy call these functions when it meets an array or a tracer.

    Parameters
    ----------
    functions : mapping
        From NumPy's names.
    """

    def call_ufunc(self: Any, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        out = options.pop("out", None)
        function = _replacement(functions, ufunc, method)
        if function is None or not set(options) <= _ACCEPTED[method]:
            result = _by_numpy(getattr(ufunc, method), inputs, options)
        else:
            dtype = options.pop("dtype", None) if method == "__call__" else None
            if method != "__call__":
                options.setdefault("axis", 0)  # NumPy's default, which is another than of `sum`
            result = function(*inputs, **options)
            result = result if dtype is None else result.astype(dtype)
        return result if out is None else _stored(ufunc.__name__, result, out)

    def call_function(
        self: Any, function: Any, types: Any, args: tuple[Any, ...], options: dict[str, Any]
    ) -> Any:
        name = function.__name__
        known = functions.get(name)
        if known is None or getattr(np, name, None) is not function or options.get("out"):
            return function(*_plain(args), **_plain(options))
        return known(*args, **options)

    install({"__array_ufunc__": call_ufunc, "__array_function__": call_function})


#: The keywords of NumPy's that the functions of `fnx.numpy` take.
_ACCEPTED = {
    "__call__": {"dtype"},
    "reduce": {"axis", "dtype", "keepdims", "initial", "where"},
    "accumulate": {"axis", "dtype"},
}


def _replacement(
    functions: Mapping[str, Callable[..., Any]], ufunc: np.ufunc, method: str
) -> Callable[..., Any] | None:
    name = ufunc.__name__
    if getattr(np, name, None) is not ufunc:  # SciPy's, or a user's
        return None
    if method == "__call__":
        return functions.get(name)
    table = {"reduce": _REDUCTIONS, "accumulate": _ACCUMULATIONS}.get(method, {})
    return functions[table[name]] if name in table else None


def _by_numpy(function: Callable[..., Any], inputs: tuple[Any, ...], options: Any) -> Any:
    """What NumPy gives for the arrays' data, as arrays."""
    result = function(*_plain(inputs), **_plain(options))
    if isinstance(result, tuple):
        return tuple([adopt(part) for part in result])
    return adopt(result)


def _plain(value: Any) -> Any:
    """Containers of arguments with ndarrays in place of arrays."""
    if isinstance(value, (Array, Tracer)):
        return np.asarray(value)
    if type(value) in (list, tuple):
        return type(value)([_plain(part) for part in value])
    if type(value) is dict:
        return {key: _plain(part) for key, part in value.items()}
    return value


def _stored(name: str, result: Any, out: tuple[Any, ...]) -> Any:
    """The result written to the ndarray that the caller gave, as in ``ndarray += array``."""
    if len(out) != 1 or not isinstance(out[0], np.ndarray):
        raise ArgumentTypeError(
            f"{name}: out= must be one ndarray, got "
            f"{', '.join(repr(getattr(x, 'aval', type(x).__name__)) for x in out)}; arrays are "
            "immutable. Use what the call returns."
        )
    np.copyto(out[0], np.asarray(result), casting="same_kind")
    return out[0]
