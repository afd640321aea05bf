"""`checkpoint`: don't keep what the derivative needs, compute it again.

The linear part keeps the inputs only; its transpose linearizes the program again.  The second
computation stands inside a call that is inlined only after value numbering, so that nothing merges
it with the first. References: Griewank, *Achieving logarithmic growth of temporal and spatial
complexity in reverse automatic differentiation* (1992).  Read next: `while_loop`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from fnx import tree_util
from fnx.control.calls import call_primitive, evaluate_jaxpr
from fnx.control.samplers import call_samples, tangent_samples
from fnx.core.jaxpr import Jaxpr, eval_jaxpr
from fnx.core.primitive import HigherOrderPrimitive, Zero
from fnx.core.simplify import simplify
from fnx.core.staging import stage
from fnx.core.types import ShapedArray
from fnx.primitives.shaping import zeros
from fnx.transforms.jvp import jvp_jaxpr, stage_closed
from fnx.transforms.linearize import linearize_jaxpr
from fnx.transforms.transpose import transpose_jaxpr
from fnx.transforms.trees import Flat, as_values, check_callable, function_name

__all__ = ["checkpoint", "checkpoint_p"]


def _linearize(nonzeros: Sequence[bool], primals: Sequence[Any], *, jaxpr: Jaxpr) -> Any:
    nonzero = tuple(nonzeros)
    split = linearize_jaxpr(jaxpr, nonzero)
    outs = checkpoint_p(*primals, jaxpr=jaxpr)

    def linear(tangents: Sequence[Any]) -> list[Any]:
        return recompute_p(*primals, *tangents, jaxpr=jaxpr, nonzero=nonzero)

    return outs, split.nonzero_out, linear


checkpoint_p = call_primitive(
    "checkpoint",
    evaluate_jaxpr,
    inline_at="schedule",
    rewrap=lambda params, jaxpr: {"jaxpr": jaxpr},
    linearize=_linearize,
    sample=call_samples(),
)


# The linear part: primals and tangents to tangents; its transpose computes the primals' part again.


def tangent_program(jaxpr: Jaxpr, nonzero: tuple[bool, ...]) -> Jaxpr:
    """Primals and the tangents of some of them, to the tangents of the results."""

    def make() -> Jaxpr:
        program, _ = jvp_jaxpr(jaxpr, nonzero)
        n_out = len(jaxpr.outs)
        return stage_closed(
            lambda *args: eval_jaxpr(program, *args)[n_out:], program.in_avals, jaxpr.name
        )

    return jaxpr.derived(("tangent", nonzero), make)


def _recompute_transpose(
    cts: Sequence[Any], *operands: Any, jaxpr: Jaxpr, nonzero: tuple[bool, ...]
) -> list[Any]:
    n_in = len(jaxpr.in_vars)
    used = tuple([type(c) is not Zero for c in cts])

    def make() -> Jaxpr:
        split = linearize_jaxpr(jaxpr, nonzero)
        n_out = len(jaxpr.outs)
        transposed = transpose_jaxpr(split.tangent, split.residuals)

        def again(*args: Any) -> list[Any]:
            residuals = eval_jaxpr(split.primal, *args[:n_in])[n_out:]
            given = iter(args[n_in:])
            filled = [
                next(given) if u else zeros(a.strengthen())
                for u, a in zip(used, split.tangent.out_avals, strict=True)
            ]
            return eval_jaxpr(transposed, *residuals, *filled)

        t_avals = [a.strengthen() for a, u in zip(split.tangent.out_avals, used, strict=True) if u]
        return stage_closed(again, [*jaxpr.in_avals, *t_avals], jaxpr.name)

    program = jaxpr.derived(("recompute", nonzero, used), make)
    given = [c for c in cts if type(c) is not Zero]
    pulled = checkpoint_p(*operands[:n_in], *given, jaxpr=program)
    return [None] * n_in + pulled


def _as_call(jaxpr: Jaxpr, nonzero: tuple[bool, ...]) -> dict[str, Any]:
    return {"jaxpr": tangent_program(jaxpr, nonzero)}


def _through_call(slot: str) -> Callable[..., Any]:
    """The rule of the equal call of the tangent program."""

    def through(*args: Any, jaxpr: Jaxpr, nonzero: tuple[bool, ...]) -> Any:
        return getattr(checkpoint_p, slot)(*args, **_as_call(jaxpr, nonzero))

    return through


def _recompute_infer(
    *avals: ShapedArray, jaxpr: Jaxpr, nonzero: tuple[bool, ...]
) -> list[ShapedArray]:
    return list(tangent_program(jaxpr, nonzero).out_avals)


recompute_p = HigherOrderPrimitive(
    "checkpoint_tangent",
    multiple_results=True,
    infer=_recompute_infer,
    evaluate=_through_call("evaluate"),
    jvp=_through_call("jvp"),
    linearize=_through_call("linearize"),
    transpose=_recompute_transpose,
    vmap=_through_call("vmap"),
    jet=_through_call("jet"),
    lower="call",
    inline=lambda params: tangent_program(params["jaxpr"], params["nonzero"]),
    inline_at="schedule",
    sample=tangent_samples,
    effects=lambda params: params["jaxpr"].effects,
)


def checkpoint(
    fun: Callable[..., Any], *, prevent_cse: bool = True, static_argnums: Any = ()
) -> Callable[..., Any]:
    """Compute a function again where it is differentiated, instead of keeping what it computed.

    Parameters
    ----------
    fun : callable
        Takes and gives pytrees of arrays.
    prevent_cse : bool
        Accepted for programs written for JAX; the second computation is never merged with the
        first.
    static_argnums : int or sequence of int
        Positional arguments that aren't arrays.

    Returns
    -------
    callable
        The same function, with another derivative program.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> fnx.grad(fnx.checkpoint(lambda x: jnp.sin(jnp.sin(x))))(0.)
    Array(1., dtype=float32, weak_type=True)
    """
    check_callable("checkpoint", fun)
    static = (static_argnums,) if isinstance(static_argnums, int) else tuple(static_argnums)

    @functools.wraps(fun)
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        name = f"checkpoint of {function_name(fun)}"
        fixed = {k % len(args): args[k] for k in static}

        def of_rest(*rest: Any, **keywords: Any) -> Any:
            it = iter(rest)
            return fun(
                *[fixed[k] if k in fixed else next(it) for k in range(len(args))], **keywords
            )

        rest = [a for k, a in enumerate(args) if k not in fixed]
        leaves, tree = tree_util.tree_flatten((tuple(rest), kwargs))
        values = as_values(name, leaves, tree, fixed=fixed)
        flat = Flat(of_rest, tree, keywords=True)
        jaxpr, consts = stage(flat, [v.aval for v in values], name)
        outs = checkpoint_p(*consts, *values, jaxpr=simplify(jaxpr))
        return tree_util.tree_unflatten(flat.out_tree, outs)

    return checkpointed
