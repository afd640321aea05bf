"""`custom_linear_solve`: x with A x = b, whose derivative is that of the equation, not of the way.

    custom_linear_solve: consts, b -> x, aux       matvec, solve: consts, x -> ...

From ``A x = b`` follows ``A dx = db - dA x``: the same system with another right-hand side; its
transpose is the system of the transposed map.  The Taylor coefficients of x solve it, too: those of
order k with what the lower orders leave of b. So solvers may be loops of unknown length, and
every derivative costs one more call.  Read next: `roots`, for equations that aren't linear.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fnx import tree_util
from fnx.control.calls import (
    front,
    has_tangent,
    instantiate_series,
    merge_captured,
    nonzero_inputs,
    nonzero_series,
    spread,
    typed,
    zeros_of,
)
from fnx.control.solve_samples import linear_solve_samples
from fnx.core.array import Array
from fnx.core.jaxpr import Jaxpr, eval_jaxpr
from fnx.core.primitive import HigherOrderPrimitive, Linear, Zero
from fnx.core.simplify import simplify
from fnx.core.staging import stage
from fnx.core.types import ShapedArray, tangent_type
from fnx.errors import ArgumentTypeError
from fnx.primitives.arithmetic import sub
from fnx.transforms.batching import to_axis, vmap_jaxpr
from fnx.transforms.jet import jet_jaxpr
from fnx.transforms.jvp import instantiate, jvp_jaxpr
from fnx.transforms.linearize import linearize_jaxpr
from fnx.transforms.transpose import transpose_jaxpr
from fnx.transforms.trees import Flat, argument_path, as_values, check_callable

__all__ = ["check_like", "custom_linear_solve", "linear_solve_p"]


def _difference(left: Any, right: Any, aval: ShapedArray) -> Any:
    """left - right, of which either may be structurally zero; an array."""
    if type(right) is Zero:
        return instantiate(left)
    return sub(instantiate(left) if type(left) is not Zero else instantiate(Zero(aval)), right)


def _infer(*avals: ShapedArray, solve: Jaxpr, **params: Any) -> list[ShapedArray]:
    return list(solve.out_avals)


def _evaluate(*args: Array, solve: Jaxpr, **params: Any) -> list[Array]:
    return typed(eval_jaxpr(solve, *args), solve.out_avals)


def _jvp(primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> Any:
    matvec, n_consts = params["matvec"], params["num_consts"]
    count = len(matvec.outs)
    outs = linear_solve_p(*primals, **params)
    consts, x = primals[:n_consts], outs[:count]
    nonzero = (*nonzero_inputs(tangents[:n_consts]), *[False] * count)
    program, nonzero_out = jvp_jaxpr(matvec, nonzero)
    t_b = tangents[n_consts:]
    if not any(nonzero_out) and all(type(t) is Zero for t in t_b):
        return outs, [zeros_of(o) for o in outs]
    given = [t for t in tangents[:n_consts] if type(t) is not Zero]
    moved: list[Any] = [Zero(t.aval) for t in t_b]
    if any(nonzero_out):
        results = eval_jaxpr(program, *consts, *x, *given)
        moved = spread(results[count:], nonzero_out, lambda k: Zero(t_b[k].aval))
    rhs = [_difference(t, m, m.aval) for t, m in zip(t_b, moved, strict=True)]
    found = linear_solve_p(*consts, *rhs, **params)[:count]
    return outs, [*found, *[zeros_of(o) for o in outs[count:]]]


def _linearize(nonzeros: Sequence[bool], primals: Sequence[Any], **params: Any) -> Any:
    matvec, n_consts = params["matvec"], params["num_consts"]
    count = len(matvec.outs)
    outs = linear_solve_p(*primals, **params)
    consts = list(primals[:n_consts])
    split = linearize_jaxpr(matvec, (*nonzeros[:n_consts], *[False] * count))
    moves = any(split.nonzero_out)
    residuals = eval_jaxpr(split.primal, *consts, *outs[:count])[count:] if moves else []
    zeros_b = [Zero(tangent_type(b.aval)) for b in primals[n_consts:]]

    def linear(tangents: Sequence[Any]) -> list[Any]:
        given = spread(tangents, nonzeros, lambda k: None)
        t_b = [z if t is None else t for t, z in zip(given[n_consts:], zeros_b, strict=True)]
        moved: list[Any] = zeros_b
        if moves:
            of_consts = [t for t in given[:n_consts] if t is not None]
            results = eval_jaxpr(split.tangent, *residuals, *of_consts)
            moved = spread(results, split.nonzero_out, lambda k: zeros_b[k])
        rhs = [_difference(t, m, z.aval) for t, m, z in zip(t_b, moved, zeros_b, strict=True)]
        return linear_solve_p(*consts, *rhs, **params)[:count]

    if not moves and not any(nonzeros[n_consts:]):
        return outs, [False] * len(outs), lambda tangents: []
    return outs, [*[True] * count, *[False] * (len(outs) - count)], linear


def _transposed(params: dict[str, Any]) -> dict[str, Any]:
    """The parameters of the transposed system."""
    matvec: Jaxpr = params["matvec"]
    if params["transpose_solve"] is None:
        raise ArgumentTypeError(
            f"custom_linear_solve of {matvec.name}: reverse mode solves the transposed system. "
            "Pass transpose_solve, or symmetric=True if the map is symmetric."
        )
    return {
        **params,
        "matvec": matvec if params["symmetric"] else transpose_jaxpr(matvec, params["num_consts"]),
        "solve": params["transpose_solve"],
        "transpose_solve": params["solve"],
    }


def _transpose(cts: Sequence[Any], *operands: Any, **params: Any) -> list[Any]:
    n_consts, count = params["num_consts"], len(params["matvec"].outs)
    if any(type(a) is Linear for a in operands[:n_consts]):
        raise ArgumentTypeError(
            f"custom_linear_solve of {params['matvec'].name}: the solution isn't linear in what "
            "matvec captures, so it has no transpose there. Differentiate it instead."
        )
    given = [instantiate(c) for c in cts[:count]]
    pulled = linear_solve_p(*operands[:n_consts], *given, **_transposed(params))[:count]
    linear = [type(a) is Linear for a in operands[n_consts:]]
    return [
        *[None] * n_consts,
        *[p if n else None for p, n in zip(pulled, linear, strict=True)],
    ]


def _vmap(size: int, args: Sequence[Any], dims: Sequence[Any], **params: Any) -> Any:
    n_consts, count = params["num_consts"], len(params["matvec"].outs)
    mapped = (*[d is not None for d in dims[:n_consts]], *[True] * count)

    def program(jaxpr: Jaxpr | None) -> Jaxpr | None:
        return None if jaxpr is None else vmap_jaxpr(jaxpr, size, mapped, True)[0]

    consts = front(args[:n_consts], dims[:n_consts])
    pairs = zip(args[n_consts:], dims[n_consts:], strict=True)
    b = [to_axis(a, d, size, 0) for a, d in pairs]
    names = ("matvec", "solve", "transpose_solve")
    outs = linear_solve_p(*consts, *b, **{**params, **{n: program(params[n]) for n in names}})
    return outs, [0] * len(outs)


def _jet(primals: Sequence[Any], series: Sequence[Sequence[Any]], **params: Any) -> Any:
    matvec, n_consts = params["matvec"], params["num_consts"]
    count, order = len(matvec.outs), len(series[0])
    outs = linear_solve_p(*primals, **params)
    consts, x = primals[:n_consts], outs[:count]
    nz_consts = nonzero_series(series[:n_consts])
    moves = any(jvp_jaxpr(matvec, (*nz_consts, *[False] * count))[1])
    if not moves and not any(nonzero_series(series[n_consts:])):
        return outs, [[zeros_of(o)] * order for o in outs]
    of_b = series[n_consts:]
    zeros_x = [Zero(tangent_type(o.aval)) for o in x]
    found: list[list[Any]] = [[] for _ in x]
    for k in range(1, order + 1):
        left: list[Any] = list(zeros_x)  # what the lower orders of x give at this order
        if moves:
            of_consts = [
                c
                for s, n in zip(series[:n_consts], nz_consts, strict=True)
                if n
                for c in instantiate_series(s[:k])
            ]
            # The coefficients of x before this one; at the first order it has none.
            of_x = [
                c
                for terms, z in zip(found, zeros_x, strict=True)
                if k > 1
                for c in instantiate_series([*terms, z])
            ]
            program, nz_out = jet_jaxpr(matvec, k, (*nz_consts, *[k > 1] * count))
            results = eval_jaxpr(program, *consts, *x, *of_consts, *of_x)[count:]
            last = [results[j + k - 1] for j in range(0, len(results), k)]
            left = spread(last, nz_out, lambda j: zeros_x[j])
        rhs = [
            _difference(terms[k - 1], m, z.aval)
            for terms, m, z in zip(of_b, left, zeros_x, strict=True)
        ]
        solved = linear_solve_p(*consts, *rhs, **params)[:count]
        for terms, c in zip(found, solved, strict=True):
            terms.append(c)
    return outs, [*found, *[[zeros_of(o)] * order for o in outs[count:]]]


linear_solve_p = HigherOrderPrimitive(
    "custom_linear_solve",
    multiple_results=True,
    infer=_infer,
    evaluate=_evaluate,
    jvp=_jvp,
    linearize=_linearize,
    transpose=_transpose,
    vmap=_vmap,
    jet=_jet,
    lower="call",
    sample=linear_solve_samples,
    inline=lambda params: params["solve"],
    inline_at="compile",
    effects=lambda params: params["solve"].effects,
)


def check_like(
    operation: str, what: str, tree: Any, avals: Sequence[ShapedArray], found: Any, types: Any
) -> None:
    """Raise unless what a function gives has the structure and types of something.

    Parameters
    ----------
    operation, what : str
        For the error: who asks, and which function gave it.
    tree, avals
        The structure and types wanted.
    found, types
        Those it gave.
    """
    if found != tree:
        raise ArgumentTypeError(
            f"{operation}: {what} must give the structure of its argument, {tree}, it gives "
            f"{found}."
        )
    for k, (wanted, given) in enumerate(zip(avals, types, strict=False)):
        if not wanted.same_type(given):
            raise ArgumentTypeError(
                f"{operation}: {what} must give the types of its argument; "
                f"{argument_path(tree, k, 'the result')} is {given!r}, wanted {wanted!r}. Convert "
                "with astype or reshape; a system has as many equations as unknowns."
            )


def custom_linear_solve(
    matvec: Callable[[Any], Any],
    b: Any,
    solve: Callable[..., Any],
    transpose_solve: Callable[..., Any] | None = None,
    symmetric: bool = False,
    has_aux: bool = False,
) -> Any:
    """Solve ``matvec(x) = b`` by a method of one's own; derivatives are those of the equation.

    Parameters
    ----------
    matvec : callable
        A linear function; what it captures may be differentiated.
    b : pytree of arrays
        The right-hand side.
    solve : callable
        ``solve(matvec, b)`` gives x; it need not be differentiable.
    transpose_solve : callable, optional
        The same for the transposed map, which it gets as a function.  Reverse mode needs it.
    symmetric : bool
        Whether the map is its own transpose; then `solve` does both.
    has_aux : bool
        Whether the solvers give ``(x, aux)``; aux has no derivative.

    Returns
    -------
    pytree
        x, or ``(x, aux)``.

    Raises
    ------
    TypeError
        A function gives another structure or other types than `b` has.

    Examples
    --------
    >>> import fnx
    >>> from fnx import lax
    >>> def halve(a, b):
    ...     return lax.custom_linear_solve(lambda x: a * x, b, lambda f, b: b / a, symmetric=True)
    >>> fnx.grad(halve)(2., 3.)
    Array(-0.75, dtype=float32, weak_type=True)
    """
    name = "custom_linear_solve"
    for what, function in (("matvec", matvec), ("solve", solve)):
        check_callable(f"{name}, {what}", function)
    if transpose_solve is None and symmetric:
        transpose_solve = solve
    leaves, tree = tree_util.tree_flatten(b)
    values = as_values(name, leaves, tree, "b")
    for k, value in enumerate(values):
        if not has_tangent(value.aval):
            raise ArgumentTypeError(
                f"{name}: {argument_path(tree, k, 'b')} is {value.aval!r}; an equation is solved "
                "in floating-point numbers. Convert it with astype."
            )
    avals = [v.aval.strengthen() for v in values]
    one = tree_util.tree_structure((tree_util.tree_unflatten(tree, avals),))

    def staged(what: str, fun: Callable[[Any], Any], aux: bool) -> tuple[Jaxpr, list[Any], Any]:
        flat = Flat(fun, one)
        jaxpr, captured = stage(flat, avals, f"{what} of {name}")
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

    forward, of_map, _ = staged("matvec", matvec, False)
    solver, of_solve, out_tree = staged("solve", lambda x: solve(matvec, x), has_aux)
    programs = [(forward, of_map), (solver, of_solve)]
    if transpose_solve is not None:
        backward = transpose_jaxpr(forward, len(of_map))

        def transposed(y: Any) -> Any:
            given, given_tree = tree_util.tree_flatten(y)
            operands = as_values(name, given, given_tree, "the transposed map's argument")
            return tree_util.tree_unflatten(tree, eval_jaxpr(backward, *of_map, *operands))

        linear_map = matvec if symmetric else transposed
        other = staged("transpose_solve", lambda x: transpose_solve(linear_map, x), has_aux)
        programs.append(other[:2])
        if other[2] != out_tree:
            raise ArgumentTypeError(
                f"{name}: transpose_solve must give what solve gives, {out_tree}, it gives "
                f"{other[2]}."
            )
    consts, merged = merge_captured(programs)
    outs = linear_solve_p(
        *consts,
        *values,
        matvec=merged[0],
        solve=merged[1],
        transpose_solve=merged[2] if len(merged) > 2 else None,
        symmetric=bool(symmetric),
        num_consts=len(consts),
    )
    return tree_util.tree_unflatten(out_tree, outs)
