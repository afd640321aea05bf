"""Small tools around tracing: evaluate now, hoist what a closure holds, name parts of a program.

Here are `ensure_compile_time_eval`, `closure_convert`, `named_call`, `named_scope` and
`effects_barrier`.  Read next: `staging_api`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from fnx import tree_util
from fnx.control.stages import jit_p
from fnx.core.jaxpr import eval_jaxpr
from fnx.core.simplify import simplify
from fnx.core.staging import stage
from fnx.core.tracing import Tracer, running
from fnx.core.types import float0, tangent_type
from fnx.transforms.trees import Flat, as_values, check_callable, function_name

__all__ = [
    "closure_convert",
    "effects_barrier",
    "ensure_compile_time_eval",
    "named_call",
    "named_scope",
]


@contextmanager
def ensure_compile_time_eval() -> Iterator[None]:
    """Within this context operations on known values are evaluated, also while tracing.

    Their results are values: they may decide shapes, or be used in an ``if``.  Tracers can't be
    used in it.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> @fnx.jit
    ... def f(x):
    ...     with fnx.ensure_compile_time_eval():
    ...         n = int(jnp.sum(jnp.ones(3)))
    ...     return jnp.zeros(n) + x
    >>> f(1.)
    Array([1., 1., 1.], dtype=float32)
    """
    with running(None):
        yield


def closure_convert(
    fun: Callable[..., Any], *example_args: Any
) -> tuple[Callable[..., Any], list[Any]]:
    """A function that takes as arguments what it captured: floats that are being transformed.

    So a custom rule sees them, which a closure would hide.

    Parameters
    ----------
    fun : callable
        Takes and gives pytrees of arrays.
    *example_args : pytrees
        Arguments of the types that it will be called with.

    Returns
    -------
    converted : callable
        Takes the arguments, then the captured values.
    captured : list
        These values.

    Examples
    --------
    >>> import fnx
    >>> def slope(z):
    ...     converted, captured = fnx.closure_convert(lambda x: x * z, 1.)
    ...     return converted(2., *captured)
    >>> fnx.grad(slope)(3.)
    Array(2., dtype=float32, weak_type=True)
    """
    check_callable("closure_convert", fun)
    name = f"closure_convert of {function_name(fun)}"
    leaves, tree = tree_util.tree_flatten(tuple(example_args))
    values = as_values(name, leaves, tree, "example_args")
    flat = Flat(fun, tree)
    jaxpr, consts = stage(flat, [v.aval for v in values], function_name(fun))
    jaxpr = simplify(jaxpr)
    hoisted = [isinstance(c, Tracer) and tangent_type(c.aval).dtype != float0 for c in consts]
    out_tree, expected = flat.out_tree, [v.aval for v in values]

    def converted(*args: Any) -> Any:
        count = len(args) - sum(hoisted)
        given, given_tree = tree_util.tree_flatten(tuple(args[:count]))
        if given_tree != tree:
            raise TypeError(
                f"{name}: called with arguments of structure {given_tree}, converted for {tree}."
            )
        operands = as_values(name, given, tree, "args")
        for aval, operand in zip(expected, operands, strict=True):
            if not aval.same_type(operand.aval):
                raise TypeError(
                    f"{name}: called with {operand.aval!r}, converted for {aval!r}. Give example "
                    "arguments of the types of the call."
                )
        captured = iter(as_values(name, args[count:], tree_util.tree_structure(args[count:])))
        all_consts = [next(captured) if h else c for h, c in zip(hoisted, consts, strict=True)]
        return tree_util.tree_unflatten(out_tree, eval_jaxpr(jaxpr, *all_consts, *operands))

    return converted, [c for h, c in zip(hoisted, consts, strict=True) if h]


def named_call(fun: Callable[..., Any], *, name: str | None = None) -> Callable[..., Any]:
    """The same function, its part of a traced program a call with a name.

    Parameters
    ----------
    fun : callable
        Takes and gives pytrees of arrays.
    name : str, optional
        What printed programs show; the function's own by default.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> fnx.make_jaxpr(fnx.named_call(jnp.sin, name="wave"))(0.).eqns[0].params["name"]
    'wave'
    """
    check_callable("named_call", fun)
    label = function_name(fun) if name is None else name

    @functools.wraps(fun)
    def named(*args: Any, **kwargs: Any) -> Any:
        leaves, tree = tree_util.tree_flatten((args, kwargs))
        values = as_values(f"named_call of {label}", leaves, tree, fixed=())
        flat = Flat(fun, tree, keywords=True)
        jaxpr, consts = stage(flat, [v.aval for v in values], label)
        outs = jit_p(*consts, *values, jaxpr=simplify(jaxpr), name=label)
        return tree_util.tree_unflatten(flat.out_tree, outs)

    return named


@contextmanager
def named_scope(name: str) -> Iterator[None]:
    """A context, or a decorator, for programs written for JAX, whose profiles show the name.

    Programs here know the user's line of every equation, and print it; the name adds nothing.

    Parameters
    ----------
    name : str
        Any.

    Raises
    ------
    TypeError
        `name` is no string.
    """
    if not isinstance(name, str):
        raise TypeError(f"named_scope: name must be a string, got {type(name).__name__}.")
    yield


def effects_barrier() -> None:
    """Wait until all effects have happened: they happen while a function runs, so at once."""
