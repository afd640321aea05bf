"""Looking inside traced programs (as `jax.debug`), also while a compiled one runs.

Here is what writes and logs values; `callback` hands them to a function, `breakpoint` to a prompt.
`inspect_array_sharding` and its like tell where arrays are: whole, on the one device.
"""

from __future__ import annotations

import logging
import string
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fnx import tree_util
from fnx.control.callbacks import DebugEffect, OrderedDebugEffect
from fnx.control.callbacks import debug_callback as callback
from fnx.control.debugger import breakpoint
from fnx.core.conversion import as_value
from fnx.core.device import checked_device
from fnx.core.printing import format_jaxpr
from fnx.errors import ArgumentTypeError, ArgumentValueError

__all__ = [
    "DebugEffect",
    "OrderedDebugEffect",
    "breakpoint",
    "callback",
    "format_jaxpr",
    "inspect_array_sharding",
    "log",
    "print",
    "visualize_array_sharding",
    "visualize_sharding",
]

_logger = logging.getLogger(__name__)


class _Checker(string.Formatter):
    """Formats nothing; raises where a format and its arguments don't fit."""

    def __init__(self, operation: str) -> None:
        self.operation = operation

    def get_value(self, key: int | str, args: Any, kwargs: Any) -> Any:
        try:
            return super().get_value(key, args, kwargs)
        except (IndexError, KeyError) as error:
            raise type(error)(
                f"{self.operation}: the format asks for {key!r}, which isn't among the "
                f"{len(args)} positional arguments and the keywords {sorted(kwargs)}. Pass it, or "
                "write {{ and }} for braces."
            ) from None

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> Any:
        if isinstance(field_name, str) and not field_name:
            raise ArgumentValueError(f"{self.operation}: number all of the fields, or none.")
        return super().get_field(field_name, args, kwargs)

    def format_field(self, value: Any, format_spec: str) -> str:
        return ""

    def check_unused_args(self, used_args: Any, args: Any, kwargs: Any) -> None:
        unused = [k for k in range(len(args)) if k not in used_args]
        names = sorted(k for k in kwargs if k not in used_args)
        if unused or names:
            raise ArgumentValueError(
                f"{self.operation}: the format has no field for "
                f"{' and '.join(filter(None, [_numbered(unused), _named(names)]))}. An f-string "
                "is formatted before the values are known: pass the plain string."
            )


def _numbered(places: list[int]) -> str:
    return f"positional arguments {places}" if places else ""


def _named(names: list[str]) -> str:
    return f"keyword arguments {names}" if names else ""


def _writer(
    operation: str,
    write: Callable[[str], Any],
    fmt: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    ordered: bool,
    skip_format_check: bool,
) -> Any:
    def start(fmt: str, *args: Any, **kwargs: Any) -> None:
        if not isinstance(fmt, str):
            raise ArgumentTypeError(
                f"{operation}: the first argument is a format string, got {type(fmt).__name__}. "
                f"Write {operation}('{{}}', x)."
            )
        if not skip_format_check:
            _Checker(operation).format(fmt, *args, **kwargs)
        has_fields = any(name is not None for _, name, _, _ in string.Formatter().parse(fmt))
        options = np.get_printoptions()

        def show(*xs: Any, **keywords: Any) -> None:
            if not has_fields:
                write(" ".join([fmt, *map(str, xs)]))
                return
            with np.printoptions(**options):
                write(fmt.format(*xs, **keywords))

        callback(ordered=ordered)(show, *args, **kwargs)

    if fmt is not None:
        return start(fmt, *args, **kwargs)
    if args or kwargs:
        raise ArgumentTypeError(
            f"{operation}: arguments without a format. Give the format first, or write "
            f"{operation}(ordered=...)(format, *args)."
        )
    return start


def _write(text: str) -> None:
    sys.stdout.write(text + "\n")


def print(
    fmt: str | None = None,
    *args: Any,
    ordered: bool = False,
    partitioned: bool = False,
    skip_format_check: bool = False,
    **kwargs: Any,
) -> Any:
    """Print values of a traced program when they are known.

    Parameters
    ----------
    fmt : str, optional
        As of ``str.format``.  Without it, the options are bound: ``print(ordered=True)("{}", x)``.
    *args, **kwargs : pytrees
        What is formatted.
    ordered : bool
        Whether the calls must follow the order of the program.  They always do here.
    partitioned : bool
        Accepted for programs written for JAX; there is one device.
    skip_format_check : bool
        Whether the format may have fewer fields than there are arguments.

    Raises
    ------
    ValueError
        An argument is not used by the format, as when it is an f-string.

    Examples
    --------
    >>> import fnx
    >>> @fnx.jit
    ... def f(x):
    ...     fnx.debug.print("x is {x}", x=x)
    ...     return x + 1
    >>> f(3.)
    x is 3.0
    Array(4., dtype=float32, weak_type=True)
    """
    return _writer("debug.print", _write, fmt, args, kwargs, ordered, skip_format_check)


def log(
    fmt: str | None = None,
    *args: Any,
    ordered: bool = False,
    partitioned: bool = False,
    skip_format_check: bool = False,
    **kwargs: Any,
) -> Any:
    """As `print`, but to the logger ``fnx.debug``, at the level INFO.

    Parameters
    ----------
    fmt, *args, ordered, partitioned, skip_format_check, **kwargs
        As of `print`.

    Examples
    --------
    >>> import fnx
    >>> fnx.debug.log("loss {}", 0.5)
    """
    return _writer("debug.log", _logger.info, fmt, args, kwargs, ordered, skip_format_check)


def inspect_array_sharding(value: Any, *, callback: Callable[[Any], Any]) -> None:
    """Hand the sharding of every array of a tree to a function, at once, also while tracing.

    Parameters
    ----------
    value : pytree of arrays
        What to look at.
    callback : callable
        Gets a sharding: each array is whole, on the CPU.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> fnx.debug.inspect_array_sharding(jnp.ones(3), callback=lambda s: s.device.platform)
    """
    for k, leaf in enumerate(tree_util.tree_leaves(value)):
        callback(as_value(leaf, "debug.inspect_array_sharding", f"leaf {k}").sharding)


def visualize_array_sharding(
    arr: Any, *, scale: float = 1.0, min_width: int = 9, max_width: int = 80
) -> None:
    """Draw which device has which part of an array: one box, of the CPU.

    Parameters
    ----------
    arr : array-like
        With one axis or two.
    scale, min_width, max_width
        As of `visualize_sharding`.
    """
    value = as_value(arr, "debug.visualize_array_sharding", "arr")
    visualize_sharding(
        value.shape, value.sharding, scale=scale, min_width=min_width, max_width=max_width
    )


def visualize_sharding(
    shape: Sequence[int],
    sharding: Any,
    *,
    scale: float = 1.0,
    min_width: int = 9,
    max_width: int = 80,
) -> None:
    """Draw which device has which part of an array of a shape: one box, of the CPU.

    Parameters
    ----------
    shape : sequence of int
        One extent or two.
    sharding : Sharding or Device
        Over the one device.
    scale : float
        The width of the box for each element of the last axis, beside twice its height.
    min_width, max_width : int
        Limits of the width.

    Raises
    ------
    ValueError
        The shape has no axis, or more than two; or the device isn't there.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> fnx.debug.visualize_sharding((8, 16), jnp.ones(1).sharding)
    ┌────────────────┐
    │                │
    │     CPU 0      │
    │                │
    └────────────────┘
    """
    device = checked_device("debug.visualize_sharding", sharding)
    if len(shape) not in (1, 2):
        raise ArgumentValueError(
            f"debug.visualize_sharding: only shapes with one axis or two can be drawn, got "
            f"{tuple(shape)}."
        )
    rows, columns = (1, *shape)[-2:]
    width = min(max(round(columns * scale), min_width), max_width)
    above = max(round(rows * scale / 2) - 1, 0)
    lines = ["│" + " " * width + "│"] * (above // 2)
    label = f"{device.platform.upper()} {device.id}".center(width)
    box = ["┌" + "─" * width + "┐", *lines, f"│{label}│", *lines, "└" + "─" * width + "┘"]
    _write("\n".join(box))
