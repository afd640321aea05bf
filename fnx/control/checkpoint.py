"""`checkpoint`: don't keep what the derivative needs, compute it again.

The linear part keeps the inputs only; its transpose linearizes the program again.  The second
computation stands inside a call that is inlined only after value numbering, so that nothing merges
it with the first. References: Griewank, *Achieving logarithmic growth of temporal and spatial
complexity in reverse automatic differentiation* (1992).  Read next: `while_loop`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from fnx import tree_util
from fnx.control.calls import again, call_primitive, evaluate_jaxpr, has_tangent
from fnx.control.policies import Policy, everything_saveable
from fnx.control.samplers import call_samples, tangent_samples
from fnx.core.jaxpr import Jaxpr, Var, eval_jaxpr
from fnx.core.primitive import HigherOrderPrimitive, Sample, Zero
from fnx.core.simplify import drop_dead, simplify
from fnx.core.staging import stage
from fnx.core.types import ShapedArray
from fnx.errors import ArgumentTypeError, UnsupportedError
from fnx.primitives.shaping import zeros
from fnx.transforms.jvp import jvp_jaxpr, stage_closed
from fnx.transforms.linearize import LinearizedJaxpr, linearize_jaxpr
from fnx.transforms.transpose import transpose_jaxpr
from fnx.transforms.trees import Flat, check_callable, function_name

__all__ = ["checkpoint", "checkpoint_p", "print_saved_residuals"]


def _linearize(
    nonzeros: Sequence[bool],
    primals: Sequence[Any],
    *,
    jaxpr: Jaxpr,
    policy: Policy | None = None,
) -> Any:
    nonzero = tuple(nonzeros)
    once = sorted([e.name for e in jaxpr.effects if not e.repeatable])
    if once:
        raise UnsupportedError(
            f"checkpoint of {jaxpr.name}: it has effects ({', '.join(once)}), which would happen "
            "twice, since the derivative computes it again. Do them outside, or don't checkpoint."
        )
    split = linearize_jaxpr(jaxpr, nonzero)
    if policy is not None:
        return _linearize_keeping(nonzero, primals, jaxpr, policy)
    outs = checkpoint_p(*primals, jaxpr=jaxpr)

    def linear(tangents: Sequence[Any]) -> list[Any]:
        return recompute_p(*primals, *tangents, jaxpr=again(jaxpr), nonzero=nonzero)

    return outs, split.nonzero_out, linear


def _linearize_keeping(
    nonzero: tuple[bool, ...], primals: Sequence[Any], jaxpr: Jaxpr, policy: Policy
) -> Any:
    """The linear part keeps the inputs, and the values that the policy chooses."""
    split = linearize_jaxpr(jaxpr, nonzero)
    forward, tangent = jaxpr.derived(
        ("keeping", nonzero, policy), lambda: keeping_programs(split, policy)
    )
    n_out = len(jaxpr.outs)
    results = checkpoint_p(*primals, jaxpr=forward, policy=policy)
    outs, kept = results[:n_out], results[n_out:]

    def linear(tangents: Sequence[Any]) -> list[Any]:
        return checkpoint_p(*primals, *kept, *tangents, jaxpr=tangent, policy=policy)

    return outs, split.nonzero_out, linear


def keeping_programs(split: LinearizedJaxpr, policy: Policy) -> tuple[Jaxpr, Jaxpr]:
    """A linearized program as one that also gives what is kept, and one that computes the rest.

    Parameters
    ----------
    split : LinearizedJaxpr
        The program, linearized.
    policy : callable
        Says whose results are kept.

    Returns
    -------
    forward : Jaxpr
        Inputs to results and kept values.
    tangent : Jaxpr
        Inputs, kept values and tangents to tangents.
    """
    known = split.primal
    n_out = len(known.outs) - split.residuals
    kept_eqns = [
        e for e in known.eqns if policy(e.primitive, *[a.aval for a in e.inputs], **e.params)
    ]
    kept = [v for e in kept_eqns for v in e.outputs]
    rest = [e for e in known.eqns if e not in kept_eqns]
    second = again(Jaxpr([*known.in_vars, *kept], rest, known.outs[n_out:], known.name))
    second = drop_dead(second)
    read = {a for e in second.eqns for a in e.inputs} | set(second.outs)
    kept = [v for v in kept if v in read]
    second = Jaxpr([*known.in_vars, *kept], second.eqns, second.outs, known.name)
    forward = drop_dead(Jaxpr(known.in_vars, known.eqns, [*known.outs[:n_out], *kept], known.name))
    count = len(second.in_vars)

    def tangents(*args: Any) -> list[Any]:
        residuals = eval_jaxpr(second, *args[:count])
        return eval_jaxpr(split.tangent, *residuals, *args[count:])

    avals = [*second.in_avals, *split.tangent.in_avals[split.residuals :]]
    return forward, stage_closed(tangents, avals, known.name)


def _samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield from call_samples()(rng)
    yield from call_samples(policy=everything_saveable)(rng)


checkpoint_p = call_primitive(
    "checkpoint",
    evaluate_jaxpr,
    inline_at="schedule",
    rewrap=lambda params, jaxpr: {**params, "jaxpr": jaxpr},
    linearize=_linearize,
    sample=_samples,
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

        def recomputed(*args: Any) -> list[Any]:
            residuals = eval_jaxpr(split.primal, *args[:n_in])[n_out:]
            given = iter(args[n_in:])
            filled = [
                next(given) if u else zeros(a.strengthen())
                for u, a in zip(used, split.tangent.out_avals, strict=True)
            ]
            return eval_jaxpr(transposed, *residuals, *filled)

        t_avals = [a.strengthen() for a, u in zip(split.tangent.out_avals, used, strict=True) if u]
        return stage_closed(recomputed, [*jaxpr.in_avals, *t_avals], jaxpr.name)

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
    fun: Callable[..., Any] | None = None,
    *,
    prevent_cse: bool = True,
    policy: Policy | None = None,
    static_argnums: Any = (),
) -> Callable[..., Any]:
    """Compute a function again where it is differentiated, instead of keeping what it computed.

    Parameters
    ----------
    fun : callable
        Takes and gives pytrees of arrays.
    prevent_cse : bool
        Accepted for programs written for JAX; the second computation is never merged with the
        first.
    policy : callable, optional
        Says what is kept all the same, see `checkpoint_policies`.
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
    if fun is None:
        return functools.partial(
            checkpoint, prevent_cse=prevent_cse, policy=policy, static_argnums=static_argnums
        )
    check_callable("checkpoint", fun)
    if policy is not None and not callable(policy):
        raise ArgumentTypeError(
            f"checkpoint: policy must be a function, got {type(policy).__name__}. Use one of "
            "fnx.checkpoint_policies."
        )
    chosen = {} if policy is None else {"policy": policy}
    static = (static_argnums,) if isinstance(static_argnums, int) else tuple(static_argnums)

    @functools.wraps(fun)
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        name = f"checkpoint of {function_name(fun)}"
        fixed = {k % len(args): args[k] for k in static}

        @functools.wraps(fun)
        def of_rest(*rest: Any, **keywords: Any) -> Any:
            it = iter(rest)
            return fun(
                *[fixed[k] if k in fixed else next(it) for k in range(len(args))], **keywords
            )

        positions = [k for k in range(len(args)) if k not in fixed]
        leaves, tree = tree_util.tree_flatten((tuple([args[k] for k in positions]), kwargs))
        flat = Flat(of_rest, tree, keywords=True, positions=positions)
        values = flat.values(name, leaves)
        jaxpr, consts = stage(flat, [v.aval for v in values], name)
        outs = checkpoint_p(*consts, *values, jaxpr=simplify(jaxpr), **chosen)
        return tree_util.tree_unflatten(flat.out_tree, outs)

    return checkpointed


def print_saved_residuals(f: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
    """Print what the derivative of a function keeps: each value's type, and where it comes from.

    Parameters
    ----------
    f : callable
        Takes and gives pytrees of arrays.
    *args, **kwargs : pytrees
        Its arguments.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> from fnx.ad_checkpoint import print_saved_residuals
    >>> print_saved_residuals(fnx.checkpoint(lambda x: jnp.sin(jnp.sin(x))), 1.)
    ~f32[] from the argument x
    """
    name = f"print_saved_residuals of {function_name(f)}"
    leaves, tree = tree_util.tree_flatten((args, kwargs))
    flat = Flat(f, tree, keywords=True)
    values = flat.values(name, leaves)
    jaxpr, consts = stage(flat, [v.aval for v in values], name)
    jaxpr = simplify(jaxpr)
    nonzero = tuple([False] * len(consts) + [has_tangent(v.aval) for v in values])
    split = linearize_jaxpr(jaxpr, nonzero)
    makers = {v: e for e in split.primal.eqns for v in e.outputs}
    residuals = split.primal.outs[len(jaxpr.outs) :]
    for atom, forwarded in zip(residuals, split.forwarded, strict=True):
        if forwarded is None:
            eqn = makers.get(atom) if isinstance(atom, Var) else None
            source = f"output of {eqn.primitive} at {eqn.source}" if eqn else "a constant"
        elif forwarded < len(consts):
            source = "from a captured value"
        else:
            source = f"from the argument {flat.path(forwarded - len(consts))}"
        print(f"{atom.aval!r} {source}")
