"""Grad mode, inference mode, anomaly mode: context managers that are decorators, too.

They change fields of the one context variable (`fnx_nn.ambient`) for a block, and put them back.
`set_grad_enabled` also works as a plain call, until further notice.
Read next: `api`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from fnx_nn.ambient import AMBIENT, ambient, changed, set_ambient

__all__ = [
    "detect_anomaly",
    "enable_grad",
    "inference_mode",
    "is_anomaly_enabled",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "no_grad",
    "set_detect_anomaly",
    "set_grad_enabled",
]


class _Mode:
    """A context manager that changes the ambient, and decorates functions and generators."""

    _fields: dict[str, Any]

    def __enter__(self) -> None:
        self._stack = [*getattr(self, "_stack", ()), set_ambient(**self._fields)]

    def __exit__(self, *exception: object) -> None:
        AMBIENT.reset(self._stack.pop())

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, run in this mode."""
        if inspect.isclass(function):
            raise TypeError(f"{type(self).__name__} decorates functions, not classes.")
        fields = self._fields
        if inspect.isgeneratorfunction(function):

            @functools.wraps(function)
            def generator(*args: Any, **kwargs: Any) -> Any:
                steps = function(*args, **kwargs)
                sent = None
                try:
                    while True:
                        with changed(**fields):  # not while the caller has the turn
                            value = steps.send(sent)
                        sent = yield value
                except StopIteration as end:
                    return end.value

            return generator

        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with changed(**fields):
                return function(*args, **kwargs)

        return wrapped


class no_grad(_Mode):
    """Operations in the block are not recorded. Also a decorator, with or without parentheses.

    Parameters
    ----------
    orig_func : callable, optional
        What ``@no_grad`` without parentheses decorates.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> x = torch.ones(1, requires_grad=True)
    >>> with torch.no_grad():
    ...     y = x * 2
    >>> y.requires_grad
    False
    """

    def __new__(cls, orig_func: Callable[..., Any] | None = None) -> Any:
        """The mode; or the function, run in it."""
        self = object.__new__(cls)
        self._fields = {"grad": False}
        return self if orig_func is None else self(orig_func)


class enable_grad(_Mode):
    """Operations in the block are recorded, also within `no_grad`.

    Parameters
    ----------
    orig_func : callable, optional
        What ``@enable_grad`` without parentheses decorates.
    """

    def __new__(cls, orig_func: Callable[..., Any] | None = None) -> Any:
        """The mode; or the function, run in it."""
        self = object.__new__(cls)
        self._fields = {"grad": True}
        return self if orig_func is None else self(orig_func)


class set_grad_enabled(_Mode):
    """Say whether operations are recorded: from now on, or in a block.

    Parameters
    ----------
    mode : bool
        Whether they are.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> with torch.set_grad_enabled(False):
    ...     torch.is_grad_enabled()
    False
    """

    def __init__(self, mode: bool) -> None:
        self._fields = {"grad": bool(mode)}
        self._stack = [set_ambient(**self._fields)]

    def __enter__(self) -> None:
        """The mode is in force since it was made."""

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, run in this mode; the mode itself ends here."""
        AMBIENT.reset(self._stack.pop())
        return super().__call__(function)


class inference_mode(_Mode):
    """Operations in the block give tensors that stay outside of differentiation for good.

    Parameters
    ----------
    mode : bool or callable
        Whether the mode is on; or what ``@inference_mode`` decorates.
    """

    def __new__(cls, mode: Any = True) -> Any:
        """The mode; or the function, run in it."""
        self = object.__new__(cls)
        on = True if callable(mode) else bool(mode)
        self._fields = {"grad": False, "inference": True} if on else {"inference": False}
        return self(mode) if callable(mode) else self


class detect_anomaly(_Mode):
    """In the block, nodes remember where they were made, and NaN in a gradient raises.

    Parameters
    ----------
    check_nan : bool
        Whether NaN raises.
    """

    def __init__(self, check_nan: bool = True) -> None:
        self._fields = {"anomaly": True, "check_nan": bool(check_nan)}


class set_detect_anomaly(set_grad_enabled):
    """Say whether anomalies are looked for: from now on, or in a block.

    Parameters
    ----------
    mode : bool
        Whether they are.
    check_nan : bool
        Whether NaN raises.
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._fields = {"anomaly": bool(mode), "check_nan": bool(check_nan)}
        self._stack = [set_ambient(**self._fields)]


def is_grad_enabled() -> bool:
    """Whether operations are recorded.

    Examples
    --------
    >>> is_grad_enabled()
    True
    """
    return ambient().grad


def is_inference_mode_enabled() -> bool:
    """Whether inference mode is on.

    Examples
    --------
    >>> is_inference_mode_enabled()
    False
    """
    return ambient().inference


def is_anomaly_enabled() -> bool:
    """Whether anomalies are looked for.

    Examples
    --------
    >>> is_anomaly_enabled()
    False
    """
    return ambient().anomaly
