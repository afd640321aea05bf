"""`linear_call`: a linear function together with its transpose, both the user's.

    custom_linear_call: residuals, xs -> outs      linear in xs
    transposed: residuals, cts -> cts of xs

Both are recorded; the transpose of a call is the call with the two exchanged. With respect to the
residuals it is differentiated as the function that it is.  (`custom_rules` has another primitive,
which is given by its transpose alone.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fnx import tree_util
from fnx.control.calls import (
    front,
    instantiate_series,
    merge_captured,
    nonzero_inputs,
    nonzero_series,
    spread,
    typed,
    zeros_of,
)
from fnx.control.samplers import custom_linear_samples
from fnx.core.jaxpr import Jaxpr, eval_jaxpr
from fnx.core.primitive import HigherOrderPrimitive, Linear, Zero
from fnx.core.simplify import simplify
from fnx.core.staging import stage
from fnx.core.types import ShapedArray, tangent_type
from fnx.errors import ArgumentTypeError
from fnx.transforms.batching import to_axis, vmap_jaxpr
from fnx.transforms.jet import jet_jaxpr
from fnx.transforms.jvp import instantiate, jvp_jaxpr
from fnx.transforms.linearize import linearize_jaxpr
from fnx.transforms.trees import Flat, argument_path, as_values, check_callable, function_name

__all__ = ["custom_linear_call_p", "linear_call"]


def _jvp(primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> Any:
    n, fun = params["residuals"], params["fun"]
    nonzero = nonzero_inputs(tangents)
    outs = custom_linear_call_p(*primals, **params)
    if any(nonzero[:n]):
        program, nonzero_out = jvp_jaxpr(fun, nonzero)
        given = [t for t in tangents if type(t) is not Zero]
        found = eval_jaxpr(program, *primals, *given)[len(outs) :]
        return outs, spread(found, nonzero_out, lambda k: zeros_of(outs[k]))
    moves = [instantiate(t) for t in tangents[n:]]
    return outs, custom_linear_call_p(*primals[:n], *moves, **params)


def _linearize(nonzeros: Sequence[bool], primals: Sequence[Any], **params: Any) -> Any:
    n = params["residuals"]
    outs = custom_linear_call_p(*primals, **params)
    if any(nonzeros[:n]):
        split = linearize_jaxpr(params["fun"], tuple(nonzeros))
        saved = eval_jaxpr(split.primal, *primals)[len(outs) :]
        return (
            outs,
            split.nonzero_out,
            lambda tangents: eval_jaxpr(split.tangent, *saved, *tangents),
        )
    types = [tangent_type(p.aval) for p in primals]

    def linear(tangents: Sequence[Any]) -> list[Any]:
        moves = spread(tangents, nonzeros, lambda k: instantiate(Zero(types[k])))[n:]
        return custom_linear_call_p(*primals[:n], *moves, **params)

    return outs, [True] * len(outs), linear


def _transpose(cts: Sequence[Any], *operands: Any, **params: Any) -> list[Any]:
    n, fun, transposed = params["residuals"], params["fun"], params["transposed"]
    if any(type(a) is Linear for a in operands[:n]):
        raise ArgumentTypeError(
            f"linear_call of {fun.name}: it is transposed in its residuals, in which it needn't be "
            "linear. Pass what it is linear in as linear_args."
        )
    given = [instantiate(c) for c in cts]
    exchanged = {**params, "fun": transposed, "transposed": fun}
    pulled = custom_linear_call_p(*operands[:n], *given, **exchanged)
    return [
        *[None] * n,
        *[p if type(a) is Linear else None for p, a in zip(pulled, operands[n:], strict=True)],
    ]


def _vmap(size: int, args: Sequence[Any], dims: Sequence[Any], **params: Any) -> Any:
    n, fun, transposed = params["residuals"], params["fun"], params["transposed"]
    mapped = tuple([d is not None for d in dims[:n]])
    outs = custom_linear_call_p(
        *front(args[:n], dims[:n]),
        *[to_axis(a, d, size, 0) for a, d in zip(args[n:], dims[n:], strict=True)],
        fun=vmap_jaxpr(fun, size, (*mapped, *[True] * (len(args) - n)), True)[0],
        transposed=vmap_jaxpr(transposed, size, (*mapped, *[True] * len(fun.outs)), True)[0],
        residuals=n,
    )
    return outs, [0] * len(outs)


def _jet(primals: Sequence[Any], series: Sequence[Sequence[Any]], **params: Any) -> Any:
    n, fun, order = params["residuals"], params["fun"], len(series[0])
    nonzero = nonzero_series(series)
    outs = custom_linear_call_p(*primals, **params)
    if not any(nonzero[:n]):
        terms = [
            custom_linear_call_p(*primals[:n], *[instantiate(s[k]) for s in series[n:]], **params)
            for k in range(order)
        ]
        return outs, [list(column) for column in zip(*terms, strict=True)]
    program, nonzero_out = jet_jaxpr(fun, order, nonzero)
    given = [c for s, z in zip(series, nonzero, strict=True) if z for c in instantiate_series(s)]
    found = eval_jaxpr(program, *primals, *given)[len(outs) :]
    groups = [found[k : k + order] for k in range(0, len(found), order)]
    return outs, spread(groups, nonzero_out, lambda k: [zeros_of(outs[k])] * order)


def _infer(*avals: ShapedArray, fun: Jaxpr, **params: Any) -> list[ShapedArray]:
    return list(fun.out_avals)


def _evaluate(*args: Any, fun: Jaxpr, **params: Any) -> list[Any]:
    return typed(eval_jaxpr(fun, *args), fun.out_avals)


custom_linear_call_p = HigherOrderPrimitive(
    "custom_linear_call",
    multiple_results=True,
    infer=_infer,
    evaluate=_evaluate,
    jvp=_jvp,
    linearize=_linearize,
    transpose=_transpose,
    vmap=_vmap,
    jet=_jet,
    lower="call",
    sample=custom_linear_samples,
    inline=lambda params: params["fun"],
    inline_at="compile",
    effects=lambda params: params["fun"].effects,
)


def linear_call(
    fun: Callable[..., Any],
    fun_transpose: Callable[..., Any],
    residual_args: Any,
    linear_args: Any,
) -> Any:
    """Call a linear function whose transpose is given, too.

    Parameters
    ----------
    fun : callable
        ``fun(residual_args, linear_args)``, linear in the latter.
    fun_transpose : callable
        ``fun_transpose(residual_args, ct)`` gives a cotangent like `linear_args`.
    residual_args, linear_args : pytrees of arrays
        The arguments.

    Raises
    ------
    TypeError
        The transpose doesn't give cotangents like `linear_args`.

    Examples
    --------
    >>> import fnx
    >>> from fnx.custom_derivatives import linear_call
    >>> def scaled(a, x):
    ...     return linear_call(lambda a, x: x / a, lambda a, ct: ct / a, a, x)
    >>> fnx.grad(scaled, argnums=1)(4., 1.)
    Array(0.25, dtype=float32, weak_type=True)
    """
    check_callable("linear_call", fun)
    check_callable("linear_call", fun_transpose)
    name = f"linear_call of {function_name(fun)}"
    residual_leaves, residual_tree = tree_util.tree_flatten(residual_args)
    linear_leaves, linear_tree = tree_util.tree_flatten(linear_args)
    residuals = as_values(name, residual_leaves, residual_tree, "residual_args")
    xs = as_values(name, linear_leaves, linear_tree, "linear_args")
    n = len(residuals)
    avals = [v.aval for v in residuals]

    def staged(function: Callable[..., Any], types: list[ShapedArray], tree: Any) -> Any:
        whole = (
            tree_util.tree_unflatten(residual_tree, avals),
            tree_util.tree_unflatten(tree, types),
        )
        flat = Flat(function, tree_util.tree_structure(whole))
        jaxpr, captured = stage(flat, [*avals, *types], function_name(function))
        return simplify(jaxpr), captured, flat.out_tree

    forward, of_fun, out_tree = staged(fun, [x.aval for x in xs], linear_tree)
    cotangents = [tangent_type(a) for a in forward.out_avals]
    backward, of_transpose, found = staged(fun_transpose, cotangents, out_tree)
    if found != linear_tree:
        raise ArgumentTypeError(
            f"{name}: fun_transpose must give the structure of linear_args, {linear_tree}, it "
            f"gives {found}."
        )
    for k, (x, given) in enumerate(zip(xs, backward.out_avals, strict=True)):
        if not x.aval.same_type(given):
            raise ArgumentTypeError(
                f"{name}: fun_transpose must give the types of linear_args; "
                f"{argument_path(linear_tree, k, 'linear_args')} is {x.aval!r}, it gives {given!r}"
                f". Sum over broadcast axes, or convert with astype."
            )
    consts, (fun_program, transposed) = merge_captured(
        [(forward, of_fun), (backward, of_transpose)]
    )
    outs = custom_linear_call_p(
        *consts,
        *residuals,
        *xs,
        fun=fun_program,
        transposed=transposed,
        residuals=len(consts) + n,
    )
    return tree_util.tree_unflatten(out_tree, outs)
