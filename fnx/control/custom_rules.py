"""Functions that bring their own derivative: `custom_jvp` and `custom_vjp`.

Each is one primitive that holds the function and its rules.  Under a staging trace the function is
recorded, and the rules are kept beside the program until a transform asks for them.  A `custom_vjp`
function has forward mode too: its pullback is linear in the cotangent, and the transpose of that is
the pushforward (`pushforward`); or, if the user says so, forward mode and jet follow the function
itself. Read next: `custom_api`, where users' pytrees become the flat
functions of this module.
"""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Sequence
from typing import Any

from fnx.config import CONTEXT
from fnx.control.calls import front, spread, zeros_of
from fnx.control.pushforward import closed_program, linear_call_p, run_function
from fnx.control.samplers import custom_jvp_samples, custom_vjp_samples
from fnx.control.symbolic_zeros import full_tangent, rule_tangents, told
from fnx.core.jaxpr import Jaxpr, Var, eval_jaxpr
from fnx.core.primitive import HigherOrderPrimitive, Linear, Zero
from fnx.core.simplify import simplify
from fnx.core.staging import stage
from fnx.core.tracing import running
from fnx.core.types import ShapedArray, float0, tangent_type
from fnx.errors import ArgumentTypeError
from fnx.primitives.shaping import zeros
from fnx.transforms.batching import to_axis, vmap_flat
from fnx.transforms.jet import derived_jet, jet_flat
from fnx.transforms.jvp import jvp_flat
from fnx.transforms.linearize import Linearized, Tape, TapeTracer, linearize_flat, replay
from fnx.transforms.transpose import transpose_jaxpr

__all__ = ["custom_jvp_p", "custom_vjp_p"]

FlatFunction = Callable[..., list[Any]]


def _stage_fun(avals: Sequence[ShapedArray], params: dict[str, Any]) -> dict[str, Any]:
    if isinstance(params["fun"], Jaxpr):
        return params
    jaxpr, consts = stage(params["fun"], avals, getattr(params["fun"], "__name__", "function"))
    return {
        **params,
        "fun": simplify(jaxpr),
        "consts": params["consts"] + len(consts),
        "captured": consts,
    }


def _with_held(params: dict[str, Any], rules: dict[str, Any], held: list[Any]) -> dict[str, Any]:
    """Parameters whose rules take what they captured as their first operands, `held` of them.

    A program is closed: a transform of it has no place for values that a rule captures, so they are
    operands from the start, which the function itself leaves alone.
    """
    fun = params["fun"]
    leading = [Var(value.aval) for value in held]
    return {
        **params,
        **rules,
        "fun": Jaxpr([*leading, *fun.in_vars], fun.eqns, fun.outs, fun.name),
        "consts": params["consts"] + len(held),
        "captured": [*held, *params["captured"]],
        "held": len(held),
    }


def _infer(*avals: ShapedArray, fun: Any, **params: Any) -> list[ShapedArray]:
    return list(closed_program(fun, avals)[0].out_avals)


def _evaluate(*args: Any, fun: Any, **params: Any) -> list[Any]:
    return run_function(fun, args)


def _transpose(cts: Sequence[Any], *operands: Any, fun: Any, **params: Any) -> list[Any]:
    linear = [type(a) is Linear for a in operands]
    jaxpr, captured = closed_program(fun, [a.aval for a in operands])
    held = len(captured)
    order = [
        *range(held),
        *[held + k for k, n in enumerate(linear) if not n],
        *[held + k for k, n in enumerate(linear) if n],
    ]
    program = Jaxpr([jaxpr.in_vars[k] for k in order], jaxpr.eqns, jaxpr.outs, jaxpr.name)
    constants = [*captured, *[a for a in operands if type(a) is not Linear]]
    given = [full_tangent(c) for c in cts]
    pulled = eval_jaxpr(transpose_jaxpr(program, len(constants)), *constants, *given)
    return spread(pulled, linear, lambda k: None)


def _mapped(function: FlatFunction, size: int, name: str) -> Callable[..., FlatFunction]:
    """A flat function mapped over axis 0 of all results, given which arguments are mapped."""

    def with_dims(dims: Sequence[int | None]) -> FlatFunction:
        @functools.wraps(function)
        def mapped(*args: Any) -> list[Any]:
            outs, out_dims = vmap_flat(function, args, dims, size, name)
            return [to_axis(o, d, size, 0) for o, d in zip(outs, out_dims, strict=True)]

        return mapped

    return with_dims


class _Followed(threading.local):
    """How deep each rule is followed at the moment, and how deep it may be, by the user's rule."""

    def __init__(self) -> None:
        self.depth: dict[int, tuple[int, int]] = {}


_followed = _Followed()


def _follow(rule: Any, look: Callable[[], tuple[bool, Any]]) -> Any:
    """What a look at a rule gives; None if it isn't followed any further.

    A rule may apply its own function, as those of relu and of fixed points do, and would be
    followed without end.  If it captures nothing itself, there is nothing to look for further down;
    otherwise one level more is followed.

    Parameters
    ----------
    rule : callable
        The flat one.
    look : callable
        Gives whether something was captured, and what else was found.
    """
    key, table = id(inspect.unwrap(rule)), _followed.depth
    before = table.get(key)
    try:
        if before is None:
            table[key] = (1, 1)
            captures, found = look()
            if captures:
                table[key] = (1, 2)
                captures, found = look()
            return found
        depth, deepest = before
        if depth == deepest:
            return None
        table[key] = (depth + 1, deepest)
        return look()[1]
    finally:
        if before is None:
            del table[key]
        else:
            table[key] = before


def _as_function(fun: Any) -> FlatFunction:
    return (lambda *args: eval_jaxpr(fun, *args)) if isinstance(fun, Jaxpr) else fun


# --------------------------------------------------------------------------------------- custom_jvp


def _custom_jvp_stage(avals: Sequence[ShapedArray], params: dict[str, Any]) -> dict[str, Any]:
    if isinstance(params["fun"], Jaxpr):
        return params
    staged = _stage_fun(avals, params)
    given = avals[params["consts"] :]
    if params.get("held", 0):
        return staged
    types = [*given, *map(tangent_type, given)]

    def look() -> tuple[bool, Any]:
        found = stage(params["rule"], types, "rule")
        return bool(found[1]), found

    try:
        found = _follow(params["rule"], look)
    except Exception:
        return staged  # what is wrong with the rule shows when a transform asks for it
    if found is None or not found[1]:
        return staged
    program, captured = found

    def rule(*args: Any) -> list[Any]:
        return eval_jaxpr(program, *args)

    return _with_held(staged, {"rule": rule}, captured)


def _custom_jvp_jvp(
    primals: Sequence[Any],
    tangents: Sequence[Any],
    *,
    fun: Any,
    rule: FlatFunction,
    consts: int,
    held: int = 0,
) -> Any:
    _refuse_captured(tangents[:consts], "custom_jvp")
    given = rule_tangents(rule, tangents[consts:])
    results = rule(*primals[:held], *primals[consts:], *given)
    half = len(results) // 2
    outs, out_tangents = results[:half], results[half:]
    return outs, [
        zeros_of(o) if tangent_type(o.aval).dtype == float0 else t
        for o, t in zip(outs, out_tangents, strict=True)
    ]


def _custom_jvp_linearize(
    nonzeros: Sequence[bool], primals: Sequence[Any], **params: Any
) -> tuple[list[Any], list[bool], Callable[[Sequence[Any]], list[Any]]]:
    parent = CONTEXT.get().trace
    tape = Tape(parent, "custom_jvp")
    types = [tangent_type(p.aval) for p in primals]
    inputs = [TapeTracer(tape, t) for t, n in zip(types, nonzeros, strict=True) if n]

    def tangents_of(given: Sequence[Any]) -> list[Any]:
        return spread(given, nonzeros, lambda k: Zero(types[k]))

    with running(tape):
        outs, results = _custom_jvp_jvp(primals, tangents_of(inputs), **params)
    linearized = Linearized(tape, inputs, [t if tape.owns(t) else None for t in results])
    # A call of a function with a rule is transposed as the function alone, see `_transpose`.
    taped = {primitive for primitive, *_ in tape.eqns} - {custom_jvp_p}
    if any(callable(primitive.linearize) for primitive in taped):
        # A loop or a branch of the rule computes values and tangents together, which has no
        # transpose. But the rule is linear in the tangents, so it is its own derivative at zero,
        # and linearizing takes values and tangents apart.
        def of_tangents(*given: Any) -> list[Any]:
            outs, found = _custom_jvp_jvp(primals, tangents_of(given), **params)
            return [*outs, *[full_tangent(t) for t in found]]

        start = [zeros(t.aval) for t in inputs]
        found, linearized = linearize_flat(of_tangents, start, "custom_jvp")
        outs, linearized.outputs[: len(outs)] = found[: len(outs)], []

    def linear(given: Sequence[Any]) -> list[Any]:
        return [t for t in replay(linearized, given) if t is not None]

    return outs, [t is not None for t in linearized.outputs], linear


def _refuse_captured(tangents: Sequence[Any], which: str) -> None:
    for tangent in tangents:
        if type(tangent) is not Zero:
            raise ArgumentTypeError(
                f"{which}: the function captures a value of type {tangent.aval!r} that is being "
                "differentiated; its rule can't see it. Pass it as an argument."
            )


def _custom_jvp_vmap(
    size: int,
    args: Sequence[Any],
    dims: Sequence[Any],
    *,
    fun: Any,
    rule: FlatFunction,
    consts: int,
    held: int = 0,
) -> Any:
    given = [*dims[:held], *dims[consts:], *dims[consts:]]
    outs = custom_jvp_p(
        *args,
        fun=_mapped(_as_function(fun), size, "custom_jvp")(dims),
        rule=_mapped(rule, size, "custom_jvp rule")(given),
        consts=consts,
        **({"held": held} if held else {}),
    )
    return outs, [0] * len(outs)


def _vmap_in_front(rule: Callable[..., Any]) -> Callable[..., Any]:
    """A vmap rule that finds mapped axes in front."""

    def vmap(size: int, args: Sequence[Any], dims: Sequence[Any], **params: Any) -> Any:
        return rule(size, front(args, dims), [None if d is None else 0 for d in dims], **params)

    return vmap


custom_jvp_p = HigherOrderPrimitive(
    "custom_jvp_call",
    multiple_results=True,
    infer=_infer,
    evaluate=_evaluate,
    jvp=_custom_jvp_jvp,
    linearize=_custom_jvp_linearize,
    transpose=_transpose,
    vmap=_vmap_in_front(_custom_jvp_vmap),
    lower="call",
    stage=_custom_jvp_stage,
    sample=custom_jvp_samples,
    effects=lambda params: getattr(params["fun"], "effects", frozenset()),
    inline=lambda params: params["fun"],
    inline_at="compile",
)


# --------------------------------------------------------------------------------------- custom_vjp


def _custom_vjp_stage(avals: Sequence[ShapedArray], params: dict[str, Any]) -> dict[str, Any]:
    if isinstance(params["fun"], Jaxpr):
        return params
    staged = _stage_fun(avals, params)
    given, fwd, bwd = avals[params["consts"] :], params["fwd"], params["bwd"]
    if params.get("held", 0):
        return staged
    counts: list[int] = []
    present: list[bool] = []

    def flat_fwd(*xs: Any) -> list[Any]:
        outs, residuals = fwd(*xs)
        counts[:] = [len(outs)]
        return [*outs, *residuals]

    def flat_bwd(*xs: Any) -> list[Any]:
        count = len(xs) - counts[0]
        pulled = bwd(list(xs[:count]), list(xs[count:]))
        present[:] = [p is not None for p in pulled]
        return [p for p in pulled if p is not None]

    def look() -> tuple[bool, Any]:
        forward, of_fwd = stage(flat_fwd, given, "fwd")
        out_types = [tangent_type(a) for a in forward.out_avals[: counts[0]]]
        saved = forward.out_avals[counts[0] :]
        backward, of_bwd = stage(flat_bwd, [*saved, *out_types], "bwd")
        return bool(of_fwd or of_bwd), (forward, of_fwd, backward, of_bwd)

    try:
        found = _follow(fwd, look)
    except Exception:
        return staged  # what is wrong with a rule shows when a transform asks for it
    if found is None or not (found[1] or found[3]):
        return staged
    forward, fwd_captured, backward, bwd_captured = found
    n_outs, n_fwd, n_bwd = counts[0], len(fwd_captured), len(bwd_captured)

    # What bwd captured travels as residuals, so that it is closed, too.
    def held_fwd(*args: Any) -> tuple[list[Any], list[Any]]:
        of_bwd = args[n_fwd : n_fwd + n_bwd]
        results = eval_jaxpr(forward, *args[:n_fwd], *args[n_fwd + n_bwd :])
        return results[:n_outs], [*of_bwd, *results[n_outs:]]

    def held_bwd(residuals: list[Any], cts: list[Any]) -> list[Any]:
        return spread(eval_jaxpr(backward, *residuals, *cts), present, lambda k: None)

    rules = {"fwd": held_fwd, "bwd": held_bwd}
    return _with_held(staged, rules, [*fwd_captured, *bwd_captured])


def _forward(
    primals: Sequence[Any], tangents: Sequence[Any], fwd: Any, bwd: Any, consts: int, held: int
) -> tuple[list[Any], list[Any], dict[str, Any], list[int]]:
    """Results, residuals, parameters of the linear call, and which inputs have tangents."""
    _refuse_captured(tangents[:consts], "custom_vjp")
    of_rules, primals = primals[:held], primals[consts:]
    outs, residuals = told(fwd, tangents[consts:])(*of_rules, *primals)
    wanted = [k for k, p in enumerate(primals) if tangent_type(p.aval).dtype != float0]
    given = [k for k, o in enumerate(outs) if tangent_type(o.aval).dtype != float0]
    out_avals = tuple([tangent_type(outs[k].aval) for k in given])
    in_avals = tuple([tangent_type(primals[k].aval) for k in wanted])
    out_types = [tangent_type(o.aval) for o in outs]

    def pull(*args: Any) -> list[Any]:
        cts = dict(zip(given, args[len(residuals) :], strict=True))
        filled = [cts[k] if k in cts else full_tangent(Zero(t)) for k, t in enumerate(out_types)]
        pulled = bwd(list(args[: len(residuals)]), filled)
        return [
            pulled[k] if pulled[k] is not None else zeros(a)
            for k, a in zip(wanted, in_avals, strict=True)
        ]

    params = {
        "bwd": pull,
        "residuals": len(residuals),
        "in_avals": in_avals,
        "out_avals": out_avals,
    }
    return outs, residuals, params, wanted


def _custom_vjp_jvp(
    primals: Sequence[Any],
    tangents: Sequence[Any],
    *,
    fun: Any,
    fwd: Any,
    bwd: Any,
    consts: int,
    held: int = 0,
    forward: str = "rule",
) -> Any:
    if forward == "function":
        return jvp_flat(_as_function(fun), primals, tangents, "custom_vjp")
    outs, residuals, params, wanted = _forward(primals, tangents, fwd, bwd, consts, held)
    given = [full_tangent(tangents[consts + k]) for k in wanted]
    results = iter(linear_call_p(*residuals, *given, **params))
    return outs, [
        zeros_of(o) if tangent_type(o.aval).dtype == float0 else next(results) for o in outs
    ]


def _custom_vjp_linearize(
    nonzeros: Sequence[bool],
    primals: Sequence[Any],
    *,
    fun: Any,
    fwd: Any,
    bwd: Any,
    consts: int,
    held: int = 0,
    forward: str = "rule",
) -> tuple[list[Any], list[bool], Callable[[Sequence[Any]], list[Any]]]:
    types = [tangent_type(p.aval) for p in primals]
    # Only whether a tangent is zero is known yet: the primal stands for one that isn't.
    known = spread(
        [p for p, n in zip(primals, nonzeros, strict=True) if n], nonzeros, lambda k: Zero(types[k])
    )
    outs, residuals, params, wanted = _forward(primals, known, fwd, bwd, consts, held)

    def linear(tangents: Sequence[Any]) -> list[Any]:
        moves = spread(tangents, nonzeros, lambda k: Zero(types[k]))
        return linear_call_p(
            *residuals, *[full_tangent(moves[consts + k]) for k in wanted], **params
        )

    return outs, [tangent_type(o.aval).dtype != float0 for o in outs], linear


def _custom_vjp_jet(primals: Sequence[Any], series: Sequence[Sequence[Any]], **params: Any) -> Any:
    if params.get("forward") == "function":
        fun = _as_function(params["fun"])
        return jet_flat(fun, primals, series, len(series[0]), "custom_vjp")
    return derived_jet(custom_vjp_p, primals, series, params)


def _custom_vjp_vmap(
    size: int,
    args: Sequence[Any],
    dims: Sequence[Any],
    *,
    fun: Any,
    fwd: Any,
    bwd: Any,
    consts: int,
    held: int = 0,
    **forward: str,
) -> Any:
    # Every argument gets the axis: then the sum over lanes of an unmapped argument's cotangent is
    # the transpose of its broadcast, and needs no rule here.
    args = [to_axis(a, d, size, 0) for a, d in zip(args, dims, strict=True)]
    dims = [0] * len(args)

    @functools.wraps(fwd)
    def mapped_fwd(*xs: Any) -> tuple[list[Any], list[Any]]:
        counts: list[int] = []

        def flat(*ys: Any) -> list[Any]:
            outs, residuals = fwd(*ys)
            counts.append(len(outs))
            return [*outs, *residuals]

        results = _mapped(flat, size, "custom_vjp fwd")([0] * len(xs))(*xs)
        return results[: counts[-1]], results[counts[-1] :]

    def mapped_bwd(residuals: list[Any], cts: list[Any]) -> list[Any]:
        present: list[bool] = []

        def flat(*xs: Any) -> list[Any]:
            pulled = bwd(list(xs[: len(residuals)]), list(xs[len(residuals) :]))
            present[:] = [p is not None for p in pulled]
            return [p for p in pulled if p is not None]

        xs = [*residuals, *cts]
        results = _mapped(flat, size, "custom_vjp bwd")([0] * len(xs))(*xs)
        return spread(results, present, lambda k: None)

    outs = custom_vjp_p(
        *args,
        fun=_mapped(_as_function(fun), size, "custom_vjp")(dims),
        fwd=mapped_fwd,
        bwd=mapped_bwd,
        consts=consts,
        **({"held": held} if held else {}),
        **forward,
    )
    return outs, [0] * len(outs)


custom_vjp_p = HigherOrderPrimitive(
    "custom_vjp_call",
    multiple_results=True,
    infer=_infer,
    evaluate=_evaluate,
    jvp=_custom_vjp_jvp,
    linearize=_custom_vjp_linearize,
    transpose=_transpose,
    vmap=_vmap_in_front(_custom_vjp_vmap),
    jet=_custom_vjp_jet,
    lower="call",
    stage=_custom_vjp_stage,
    sample=custom_vjp_samples,
    effects=lambda params: getattr(params["fun"], "effects", frozenset()),
    inline=lambda params: params["fun"],
    inline_at="compile",
)
