"""Control flow as Python runs it, for `disable_jit`: bodies see values, debuggers can step in.

The loops of `loops` come here when the setting is on and nothing around them is staged.  They work
on tracers of grad, vmap and jet, too.  A predicate that is not known (a mapped one) ends the Python
loop; the caller goes on from there with the primitive.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fnx import tree_util
from fnx.config import CONTEXT, settings
from fnx.core.conversion import as_value
from fnx.core.tracing import Tracer, traces_abstractly
from fnx.dtypes import lattice_result_type
from fnx.primitives.cast import convert_element_type
from fnx.primitives.joining import concatenate
from fnx.primitives.shaping import expand_dims
from fnx.primitives.slicing import index_in_dim

__all__ = ["known_value", "runs_in_python", "scan_in_python", "while_in_python"]


def runs_in_python() -> bool:
    """Whether control flow should run as Python code here."""
    return bool(settings().disable_jit) and not traces_abstractly(CONTEXT.get().trace)


def known_value(value: Any) -> Any:
    """The array behind a value, or None while only its type is known."""
    return value.concrete() if isinstance(value, Tracer) else value


def while_in_python(
    predicate: Callable[..., Any], body: Callable[..., Any], values: Any
) -> tuple[Any, bool]:
    """Repeat while the predicate holds and is known.

    Parameters
    ----------
    predicate, body : callable
        As of `while_loop`.
    values : pytree
        The first carry.

    Returns
    -------
    values : pytree
        The carry so far.
    done : bool
        Whether the predicate came out false; otherwise it isn't known.
    """
    while True:
        holds = known_value(as_value(predicate(values), "while_loop", "the predicate"))
        if holds is None:
            return values, False
        if not bool(holds):
            return values, True
        values = body(values)


def scan_in_python(
    pair: Callable[..., Any], init: Any, xs: Sequence[Any], xs_tree: Any, steps: int, reverse: bool
) -> tuple[Any, Any]:
    """Loop over the leading axis.

    Parameters
    ----------
    pair : callable
        From carry and x to carry and y.
    init : pytree
        The first carry.
    xs : sequence of arrays
        The leaves of xs.
    xs_tree : PyTreeDef
        Their structure.
    steps : int
        At least one.
    reverse : bool
        From the last to the first.
    """
    carry = init
    rows: list[list[Any]] = []
    y_tree: Any = None
    for step in reversed(range(steps)) if reverse else range(steps):
        x = [index_in_dim(a, step, keepdims=False) for a in xs]
        carry, y = pair(carry, tree_util.tree_unflatten(xs_tree, x))
        leaves, y_tree = tree_util.tree_flatten(y)
        rows.append([expand_dims(as_value(leaf, "scan", "y"), (0,)) for leaf in leaves])
    if reverse:
        rows.reverse()
    ys = []
    for column in zip(*rows, strict=True):
        dtype, weak = lattice_result_type(*column)  # a weak carry's may change at the first step
        ys.append(concatenate([convert_element_type(y, dtype, weak) for y in column], 0))
    return carry, tree_util.tree_unflatten(y_tree, ys)
