"""Functions that bring their own derivative: `custom_jvp` and `custom_vjp`.

Each is one primitive that holds the function and its rules.  Under a staging trace the function is
recorded, and the rules are kept beside the program until a transform asks for them.  A `custom_vjp`
function has forward mode too: its pullback is linear in the cotangent, and the transpose of that is
the pushforward (`linear_call`). Read next: `custom_api`, where users' pytrees become the flat
functions of this module.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fnx.control.calls import call_primitive, evaluate_jaxpr, front, spread, zeros_of
from fnx.core.array import adopt
from fnx.core.jaxpr import Jaxpr, eval_jaxpr
from fnx.core.primitive import HigherOrderPrimitive, Linear, Zero
from fnx.core.simplify import simplify
from fnx.core.staging import stage
from fnx.core.types import ShapedArray, float0, tangent_type
from fnx.primitives.shaping import zeros
from fnx.transforms.batching import to_axis, vmap_flat
from fnx.transforms.grad import float0_zeros
from fnx.transforms.transpose import transpose_jaxpr

__all__ = ["custom_jvp_p", "custom_vjp_p", "linear_call_p", "linear_program_p"]

FlatFunction = Callable[..., list[Any]]


def full_tangent(tangent: Any) -> Any:
    """What a user's rule gets: an array, of dtype float0 for integers."""
    if type(tangent) is not Zero:
        return tangent
    if tangent.aval.dtype == float0:
        return adopt(float0_zeros(tangent.aval.shape))
    return zeros(tangent.aval)


def _run(fun: Any, args: Sequence[Any]) -> list[Any]:
    return eval_jaxpr(fun, *args) if isinstance(fun, Jaxpr) else fun(*args)


def _program(fun: Any, avals: Sequence[ShapedArray]) -> Jaxpr:
    """The program of a function that captures nothing."""
    if isinstance(fun, Jaxpr):
        return fun
    jaxpr, consts = stage(fun, avals, getattr(fun, "__name__", "function"))
    if consts:
        raise TypeError(
            "a function with a custom rule captures traced values here. Pass them as arguments, so "
            "that the rule sees them."
        )
    return simplify(jaxpr)


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


def _infer(*avals: ShapedArray, fun: Any, **params: Any) -> list[ShapedArray]:
    return list(_program(fun, avals).out_avals)


def _evaluate(*args: Any, fun: Any, **params: Any) -> list[Any]:
    return _run(fun, args)


def _transpose(cts: Sequence[Any], *operands: Any, fun: Any, **params: Any) -> list[Any]:
    linear = [type(a) is Linear for a in operands]
    jaxpr = _program(fun, [a.aval for a in operands])
    order = [k for k, n in enumerate(linear) if not n] + [k for k, n in enumerate(linear) if n]
    program = Jaxpr([jaxpr.in_vars[k] for k in order], jaxpr.eqns, jaxpr.outs, jaxpr.name)
    constants = [a for a in operands if type(a) is not Linear]
    given = [full_tangent(c) for c in cts]
    pulled = eval_jaxpr(transpose_jaxpr(program, len(constants)), *constants, *given)
    return spread(pulled, linear, lambda k: None)


def _mapped(function: FlatFunction, size: int, name: str) -> Callable[..., FlatFunction]:
    """A flat function mapped over axis 0 of all results, given which arguments are mapped."""

    def with_dims(dims: Sequence[int | None]) -> FlatFunction:
        def mapped(*args: Any) -> list[Any]:
            outs, out_dims = vmap_flat(function, args, dims, size, name)
            return [to_axis(o, d, size, 0) for o, d in zip(outs, out_dims, strict=True)]

        return mapped

    return with_dims


def _as_function(fun: Any) -> FlatFunction:
    return (lambda *args: eval_jaxpr(fun, *args)) if isinstance(fun, Jaxpr) else fun


# --------------------------------------------------------------------------------------- custom_jvp


def _custom_jvp_jvp(
    primals: Sequence[Any], tangents: Sequence[Any], *, fun: Any, rule: FlatFunction, consts: int
) -> Any:
    _refuse_captured(tangents[:consts], "custom_jvp")
    given = [full_tangent(t) for t in tangents[consts:]]
    results = rule(*primals[consts:], *given)
    half = len(results) // 2
    outs, out_tangents = results[:half], results[half:]
    return outs, [
        zeros_of(o) if tangent_type(o.aval).dtype == float0 else t
        for o, t in zip(outs, out_tangents, strict=True)
    ]


def _refuse_captured(tangents: Sequence[Any], which: str) -> None:
    for tangent in tangents:
        if type(tangent) is not Zero:
            raise TypeError(
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
) -> Any:
    outs = custom_jvp_p(
        *args,
        fun=_mapped(_as_function(fun), size, "custom_jvp")(dims),
        rule=_mapped(rule, size, "custom_jvp rule")([*dims[consts:], *dims[consts:]]),
        consts=consts,
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
    transpose=_transpose,
    vmap=_vmap_in_front(_custom_jvp_vmap),
    lower="call",
    stage=_stage_fun,
    inline=lambda params: params["fun"],
    inline_at="compile",
)


# --------------------------------------------------------------------------------------- custom_vjp


def _forward(
    primals: Sequence[Any], tangents: Sequence[Any], fwd: Any, bwd: Any, consts: int
) -> tuple[list[Any], list[Any], dict[str, Any], list[int]]:
    """Results, residuals, parameters of the linear call, and which inputs have tangents."""
    _refuse_captured(tangents[:consts], "custom_vjp")
    primals = primals[consts:]
    outs, residuals = fwd(*primals)
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
    primals: Sequence[Any], tangents: Sequence[Any], *, fun: Any, fwd: Any, bwd: Any, consts: int
) -> Any:
    outs, residuals, params, wanted = _forward(primals, tangents, fwd, bwd, consts)
    given = [full_tangent(tangents[consts + k]) for k in wanted]
    results = iter(linear_call_p(*residuals, *given, **params))
    return outs, [
        zeros_of(o) if tangent_type(o.aval).dtype == float0 else next(results) for o in outs
    ]


def _custom_vjp_vmap(
    size: int,
    args: Sequence[Any],
    dims: Sequence[Any],
    *,
    fun: Any,
    fwd: Any,
    bwd: Any,
    consts: int,
) -> Any:
    # Every argument gets the axis: then the sum over lanes of an unmapped argument's cotangent is
    # the transpose of its broadcast, and needs no rule here.
    args = [to_axis(a, d, size, 0) for a, d in zip(args, dims, strict=True)]
    dims = [0] * len(args)

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
    )
    return outs, [0] * len(outs)


custom_vjp_p = HigherOrderPrimitive(
    "custom_vjp_call",
    multiple_results=True,
    infer=_infer,
    evaluate=_evaluate,
    jvp=_custom_vjp_jvp,
    transpose=_transpose,
    vmap=_vmap_in_front(_custom_vjp_vmap),
    lower="call",
    stage=_stage_fun,
    inline=lambda params: params["fun"],
    inline_at="compile",
)


# -------------------------------------------------------------------------------------- linear_call
#
# residuals, tangents -> tangents of the results; linear in the tangents. It holds the pullback; the
# pushforward is the pullback's transpose.

linear_program_p = call_primitive(
    "linear_program", evaluate_jaxpr, rewrap=lambda params, jaxpr: {"jaxpr": jaxpr}
)


def _pullback_program(avals: Sequence[ShapedArray], params: dict[str, Any]) -> Jaxpr:
    bwd, n = params["bwd"], params["residuals"]
    return _program(bwd, [*avals[:n], *params["out_avals"]])


def _pushforward(avals: Sequence[ShapedArray], params: dict[str, Any]) -> Jaxpr:
    return transpose_jaxpr(_pullback_program(avals, params), params["residuals"])


def _linear_stage(avals: Sequence[ShapedArray], params: dict[str, Any]) -> dict[str, Any]:
    if isinstance(params["bwd"], Jaxpr):
        return params
    n = params["residuals"]
    jaxpr, consts = stage(params["bwd"], [*avals[:n], *params["out_avals"]], "bwd")
    return {
        **params,
        "bwd": simplify(jaxpr),
        "residuals": n + len(consts),
        "captured": consts,
    }


def _linear_transpose(cts: Sequence[Any], *operands: Any, **params: Any) -> list[Any]:
    n = params["residuals"]
    given = [full_tangent(c) for c in cts]
    pulled = _run(params["bwd"], [*operands[:n], *given])
    return [None] * n + list(pulled)


def _through(slot: str) -> Callable[..., Any]:
    """The rule of an equal call of the pushforward."""

    def through(*args: Any, **params: Any) -> Any:
        operands = args[1] if slot in ("vmap", "linearize") else args[0]
        program = _pushforward([a.aval for a in operands], params)
        return getattr(linear_program_p, slot)(*args, jaxpr=program)

    return through


def _linear_evaluate(*args: Any, **params: Any) -> list[Any]:
    return eval_jaxpr(_pushforward([a.aval for a in args], params), *args)


linear_call_p = HigherOrderPrimitive(
    "linear_call",
    multiple_results=True,
    infer=lambda *avals, **params: list(params["out_avals"]),
    evaluate=_linear_evaluate,
    jvp=_through("jvp"),
    linearize=_through("linearize"),
    transpose=_linear_transpose,
    vmap=_through("vmap"),
    jet=_through("jet"),
    lower="call",
    stage=_linear_stage,
    inline=lambda params: transpose_jaxpr(params["bwd"], params["residuals"]),
    inline_at="compile",
)
