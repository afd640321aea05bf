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
from fnx.config import CONTEXT, replaced
from fnx.control.jit_call import jit_p
from fnx.core.conversion import as_value
from fnx.core.jaxpr import eval_jaxpr
from fnx.core.primitive import Primitive
from fnx.core.simplify import simplify
from fnx.core.staging import stage
from fnx.core.tracing import Trace, Tracer, running
from fnx.core.types import float0, tangent_type
from fnx.errors import ArgumentTypeError
from fnx.transforms.trees import Flat, as_values, check_callable, function_name

__all__ = [
    "closure_convert",
    "effects_barrier",
    "ensure_compile_time_eval",
    "named_call",
    "named_scope",
]


class _KnownFirst(Trace):
    """Evaluates what is applied to known values, and hands the rest to the trace around."""

    __slots__ = ()

    def process(self, primitive: Primitive, args: Any, params: dict[str, Any]) -> Any:
        """Evaluate, or apply in the trace around."""
        if primitive.stage is not None and not any(isinstance(a, Tracer) for a in args):
            # A function among the parameters may have captured tracers.
            params = primitive.stage([as_value(a).aval for a in args], params)
            args = [*params.pop("captured", ()), *args]
        known = not any(isinstance(a, Tracer) for a in args)
        with running(None if known else self.parent):
            return primitive(*args, **params)


@contextmanager
def ensure_compile_time_eval() -> Iterator[None]:
    """Within this context operations on known values are evaluated, also while tracing.

    Their results are values: they may decide shapes, or be used in an ``if``. Operations on traced
    values are traced as elsewhere.

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
    around = CONTEXT.get().trace
    with running(None if around is None else _KnownFirst(around, around.name)):
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
    flat = Flat(fun, tree)
    values = flat.values(name, leaves)
    jaxpr, consts = stage(flat, [v.aval for v in values], function_name(fun))
    jaxpr = simplify(jaxpr)
    hoisted = [isinstance(c, Tracer) and tangent_type(c.aval).dtype != float0 for c in consts]
    out_tree, expected = flat.out_tree, [v.aval for v in values]

    def converted(*args: Any) -> Any:
        count = len(args) - sum(hoisted)
        given, given_tree = tree_util.tree_flatten(tuple(args[:count]))
        if given_tree != tree:
            raise ArgumentTypeError(
                f"{name}: called with arguments of structure {given_tree}, converted for {tree}."
            )
        operands = as_values(name, given, tree, "args")
        for aval, operand in zip(expected, operands, strict=True):
            if not aval.same_type(operand.aval):
                raise ArgumentTypeError(
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
        flat = Flat(fun, tree, keywords=True)
        values = flat.values(f"named_call of {label}", leaves)
        with named_scope(label):
            jaxpr, consts = stage(flat, [v.aval for v in values], label)
        outs = jit_p(*consts, *values, jaxpr=simplify(jaxpr), name=label)
        return tree_util.tree_unflatten(flat.out_tree, outs)

    return named


@contextmanager
def named_scope(name: str) -> Iterator[None]:
    """A context, or a decorator: equations that are recorded in it have a name beside their line.

    Names of nested scopes are joined by slashes. They show in programs that are printed with the
    users' lines, in `explain()` and in errors under ``debug_nans``; derivatives have the names of
    what they are derivatives of.

    Parameters
    ----------
    name : str
        Of a layer, say.

    Raises
    ------
    TypeError
        `name` is no string.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> def f(x):
    ...     with fnx.named_scope("encoder"):
    ...         return jnp.sin(x)
    >>> fnx.make_jaxpr(f)(0.).eqns[0].source.split(": ")[0]
    'encoder'
    """
    if not isinstance(name, str):
        raise ArgumentTypeError(f"named_scope: name must be a string, got {type(name).__name__}.")
    around = CONTEXT.get().scope
    with replaced(scope=f"{around}/{name}" if around else name):
        yield


def effects_barrier() -> None:
    """Wait until all effects have happened: they happen while a function runs, so at once."""
