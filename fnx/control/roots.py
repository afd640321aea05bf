"""`custom_root`: x with f(x) = 0, whose derivative is that of the equation.

From ``f(m, x(m)) = 0`` follows ``df/dx dx = -df/dm dm`` (the implicit function theorem), whatever
way x was found; a linear solver of the user's takes df/dx as a function.  It is a function with its
own jvp, see `custom_rules`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fnx import tree_util
from fnx.control.calls import has_tangent, spread, zeros_of
from fnx.control.custom_api import custom_jvp
from fnx.control.linear_solve import check_like
from fnx.core.jaxpr import Jaxpr, eval_jaxpr
from fnx.core.simplify import simplify
from fnx.core.staging import stage
from fnx.errors import ArgumentTypeError
from fnx.primitives.arithmetic import neg
from fnx.transforms.grad import linearize
from fnx.transforms.jvp import instantiate, jvp_jaxpr
from fnx.transforms.trees import Flat, as_values, check_callable

__all__ = ["custom_root"]


def custom_root(
    f: Callable[[Any], Any],
    initial_guess: Any,
    solve: Callable[..., Any],
    tangent_solve: Callable[..., Any],
    has_aux: bool = False,
) -> Any:
    """Find a root of a function by a method of one's own; derivatives are those of the equation.

    The root is a function of what `f` captures; it doesn't depend on the guess.

    Parameters
    ----------
    f : callable
        Gives a pytree like its argument, zero at the root.
    initial_guess : pytree of arrays
        Where the search starts.
    solve : callable
        ``solve(f, initial_guess)`` gives the root; it need not be differentiable.
    tangent_solve : callable
        ``tangent_solve(g, y)`` gives x with ``g(x) = y`` for a linear function g.
    has_aux : bool
        Whether `solve` gives ``(root, aux)``; aux has no derivative.

    Returns
    -------
    pytree
        The root, or ``(root, aux)``.

    Raises
    ------
    TypeError
        A function gives another structure or other types than the guess has.

    Examples
    --------
    >>> import fnx
    >>> from fnx import lax
    >>> def root(a):
    ...     def newton(f, x):
    ...         return lax.fori_loop(0, 9, lambda k, x: x - f(x) / fnx.grad(f)(x), x)
    ...     return lax.custom_root(lambda x: x * x - a, 1., newton, lambda g, y: y / g(1.))
    >>> fnx.grad(root)(4.)
    Array(0.25, dtype=float32, weak_type=True)
    """
    name = "custom_root"
    for what, function in (("f", f), ("solve", solve), ("tangent_solve", tangent_solve)):
        check_callable(f"{name}, {what}", function)
    leaves, tree = tree_util.tree_flatten(initial_guess)
    guess = as_values(name, leaves, tree, "initial_guess")
    avals = [g.aval for g in guess]
    count = len(guess)

    def staged(
        what: str, fun: Callable[..., Any], arguments: int, aux: bool = False
    ) -> tuple[Jaxpr, list[Any], Any]:
        whole = tuple([tree_util.tree_unflatten(tree, avals)] * arguments)
        flat = Flat(fun, tree_util.tree_structure(whole))
        jaxpr, captured = stage(flat, avals * arguments, f"{what} of {name}")
        found = flat.out_tree
        if aux:
            pair = tree_util.tree_unflatten(found, list(range(found.num_leaves)))
            if not isinstance(pair, (tuple, list)) or len(pair) != 2:
                raise ArgumentTypeError(
                    f"{name}: with has_aux=True {what} must give a pair (x, aux), it gives {found}."
                )
            found = tree_util.tree_structure(pair[0])
        check_like(name, what, tree, avals, found, jaxpr.out_avals)
        return simplify(jaxpr), captured, flat.out_tree

    def solve_tangent(x: Any, y: Any) -> Any:
        return tangent_solve(linearize(f, x)[1], y)

    equation, of_f, _ = staged("f", f, 1)
    search, of_search, out_tree = staged("solve", lambda x: solve(f, x), 1, has_aux)
    tangent, of_tangent, _ = staged("tangent_solve", solve_tangent, 2)

    @custom_jvp
    def root(
        of_f: list[Any], of_search: list[Any], of_tangent: list[Any], guess: list[Any]
    ) -> list[Any]:
        return eval_jaxpr(search, *of_search, *guess)

    @root.defjvp
    def root_jvp(primals: Any, tangents: Any) -> tuple[list[Any], list[Any]]:
        outs = root(*primals)
        x, aux = outs[:count], outs[count:]
        moved = _moved(equation, primals[0], tangents[0], x)
        found = [neg(t) for t in eval_jaxpr(tangent, *primals[2], *x, *moved)]
        return outs, [*found, *[_no_tangent(o) for o in aux]]

    outs = root(of_f, of_search, of_tangent, guess)
    return tree_util.tree_unflatten(out_tree, outs)


def _moved(
    equation: Jaxpr, consts: Sequence[Any], tangents: Sequence[Any], x: Sequence[Any]
) -> list[Any]:
    """How the equation's value at a root moves with what it captures."""
    nonzero = tuple([has_tangent(c.aval) for c in consts])
    program, nonzero_out = jvp_jaxpr(equation, (*nonzero, *[False] * len(x)))
    given = [t for t, n in zip(tangents, nonzero, strict=True) if n]
    results = eval_jaxpr(program, *consts, *x, *given)[len(x) :]
    return spread(results, nonzero_out, lambda k: _no_tangent(x[k]))


def _no_tangent(value: Any) -> Any:
    if not has_tangent(value.aval):
        return value  # the tangent of an integer isn't read
    return instantiate(zeros_of(value))
