"""`linear_call`: a linear function that is given by its pullback, and pushes forward by it.

    linear_call: residuals, tangents -> tangents of the results

What a `custom_vjp` function leaves behind where it is differentiated.  Its transpose is the
pullback; the function itself is the transpose of that.  The functions here are flat; what they
capture is found when they are staged.  Read next: `custom_rules`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fnx.config import CONTEXT
from fnx.control.calls import call_primitive, evaluate_jaxpr, typed
from fnx.control.samplers import call_samples, linear_call_samples
from fnx.control.symbolic_zeros import full_tangent
from fnx.core.jaxpr import Jaxpr, eval_jaxpr
from fnx.core.primitive import HigherOrderPrimitive, Zero
from fnx.core.simplify import simplify
from fnx.core.staging import stage
from fnx.core.tracing import Tracer
from fnx.core.types import ShapedArray, tangent_type
from fnx.errors import ArgumentTypeError
from fnx.transforms.transpose import transpose_jaxpr

__all__ = ["closed_program", "linear_call_p", "linear_program_p", "run_function"]


def run_function(fun: Any, args: Sequence[Any]) -> list[Any]:
    """Apply a flat function, or the program that it was staged to."""
    return eval_jaxpr(fun, *args) if isinstance(fun, Jaxpr) else fun(*args)


def closed_program(fun: Any, avals: Sequence[ShapedArray]) -> tuple[Jaxpr, list[Any]]:
    """The program of a function, and what it captures: the values of its leading inputs.

    Raises
    ------
    TypeError
        It captures a value of the transform that asks, whose derivative (or axis) would be lost.
    """
    if isinstance(fun, Jaxpr):
        return fun, []
    jaxpr, consts = stage(fun, avals, getattr(fun, "__name__", "function"))
    around = []
    trace = CONTEXT.get().trace
    while trace is not None:
        around.append(trace)
        trace = trace.parent
    for value in consts:
        if isinstance(value, Tracer) and not any(value._trace is t for t in around):
            raise ArgumentTypeError(
                f"a custom rule captures a value of type {value.aval!r} that is being transformed "
                "here. Pass it as an argument, so that the rule sees it."
            )
    return simplify(jaxpr), consts


linear_program_p = call_primitive(
    "linear_program",
    evaluate_jaxpr,
    rewrap=lambda params, jaxpr: {"jaxpr": jaxpr},
    sample=call_samples(),
)


def _pushforward(avals: Sequence[ShapedArray], params: dict[str, Any]) -> tuple[Jaxpr, list[Any]]:
    """The program of the linear call, and what the pullback captures: its leading operands."""
    n = params["residuals"]
    pullback, captured = closed_program(params["bwd"], [*avals[:n], *params["out_avals"]])
    return transpose_jaxpr(pullback, len(captured) + n), captured


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
    pulled = run_function(params["bwd"], [*operands[:n], *given])
    return [None] * n + list(pulled)


def _through(slot: str) -> Callable[..., Any]:
    """The rule of an equal call of the pushforward."""
    # What a captured value counts as beside its value: no tangent, no series, no mapped axis.
    missing: dict[str, Callable[[Any, Sequence[Any]], Any]] = {
        "jvp": lambda c, tangents: Zero(tangent_type(c.aval)),
        "linearize": lambda c, nonzeros: False,
        "vmap": lambda c, dims: None,
        "jet": lambda c, series: [Zero(tangent_type(c.aval))] * len(series[0]),
    }

    def through(*args: Any, **params: Any) -> Any:
        at = 1 if slot in ("vmap", "linearize") else 0
        beside = 0 if slot == "linearize" else len(args) - 1
        avals = [a.aval for a in args[at]]
        if slot == "vmap":  # the pullback is a function of one lane
            avals = [_lane(a, d) for a, d in zip(avals, args[2], strict=True)]
        program, captured = _pushforward(avals, params)
        given = list(args)
        given[at] = [*captured, *args[at]]
        given[beside] = [*[missing[slot](c, args[beside]) for c in captured], *args[beside]]
        return getattr(linear_program_p, slot)(*given, jaxpr=program)

    return through


def _lane(aval: ShapedArray, dim: int | None) -> ShapedArray:
    if dim is None:
        return aval
    return aval.update(shape=aval.shape[:dim] + aval.shape[dim + 1 :])


def _linear_evaluate(*args: Any, **params: Any) -> list[Any]:
    program, captured = _pushforward([a.aval for a in args], params)
    return typed(eval_jaxpr(program, *captured, *args), params["out_avals"])


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
    sample=linear_call_samples,
    inline=lambda params: transpose_jaxpr(params["bwd"], params["residuals"]),
    inline_at="compile",
)
