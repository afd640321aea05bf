"""Forward mode: values together with their derivatives along one direction.

`jvp_flat` follows a function of flat arguments; `jvp_jaxpr` gives the program that computes results
and tangents, for primitives that hold programs.  Tangents that are zero for structural reasons are
`Zero`s and never computed. Read next: `linearize`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fnx.config import CONTEXT
from fnx.core.jaxpr import Jaxpr, eval_jaxpr
from fnx.core.primitive import Primitive, Zero, rule
from fnx.core.simplify import simplify
from fnx.core.staging import stage
from fnx.core.tracing import (
    Trace,
    Tracer,
    check_leaks,
    running,
    traces_abstractly,
    watched,
)
from fnx.core.types import ShapedArray, tangent_type
from fnx.errors import ArgumentTypeError
from fnx.primitives.shaping import zeros

__all__ = [
    "JVPTrace",
    "JVPTracer",
    "instantiate",
    "is_zero",
    "jvp_flat",
    "jvp_jaxpr",
    "stage_closed",
    "staged",
]


def is_zero(tangent: Any) -> bool:
    """Whether a tangent is structurally zero."""
    return type(tangent) is Zero


def instantiate(tangent: Any) -> Any:
    """The array that a tangent stands for: `Zero` becomes zeros."""
    if type(tangent) is Zero:
        return zeros(tangent.aval)
    return tangent


def zero_tangent(value: Any) -> Zero:
    """The structural zero of a value's tangent type."""
    return Zero(tangent_type(value.aval))


def staged(function: Callable[..., Sequence[Any]], args: Sequence[Any], name: str) -> Any:
    """`function` itself; under a staging trace, its simplified program as a function.

    No value is known under a staging trace, so nothing is lost by recording the function by itself;
    and what is transformed then is simplified already.  Nested derivatives grow with the program,
    not with the nesting.
    """
    if not traces_abstractly(CONTEXT.get().trace):
        return function
    jaxpr, consts = stage(function, [a.aval for a in args], name)
    jaxpr = simplify(jaxpr)
    return lambda *xs: eval_jaxpr(jaxpr, *consts, *xs)


class JVPTracer(Tracer):
    """A value and its tangent."""

    __slots__ = ("primal", "tangent")
    differentiated = True

    def __init__(self, trace: JVPTrace, primal: Any, tangent: Any) -> None:
        self._trace = trace
        self.primal = primal
        self.tangent = tangent

    @property
    def aval(self) -> ShapedArray:
        """The type of the value."""
        return self.primal.aval

    def concrete(self) -> Any:
        """The value, if it is known."""
        primal = self.primal
        return primal.concrete() if isinstance(primal, Tracer) else primal


class JVPTrace(Trace):
    """Follows values and tangents."""

    __slots__ = ()

    def split(self, primitive: Primitive, value: Any) -> tuple[Any, Any]:
        """Value and tangent of an argument."""
        if type(value) is JVPTracer and value._trace is self:
            return value.primal, value.tangent
        if isinstance(value, Tracer) and not value._trace.alive:
            raise value.leak_error(primitive)
        return value, None

    def join(self, primal: Any, tangent: Any) -> Any:
        """A tracer, or the value itself when the tangent is zero."""
        if type(tangent) is Zero:
            return primal
        tracer = JVPTracer(self, primal, tangent)
        return tracer if self.made is None else self.noted(tracer)

    def process(self, primitive: Primitive, args: Any, params: dict[str, Any]) -> Any:
        """Apply the jvp rule."""
        pairs = [self.split(primitive, a) for a in args]
        primals = [p for p, _ in pairs]
        with running(self.parent):
            if all(t is None for _, t in pairs):
                return primitive(*primals, **params)
            tangents = [zero_tangent(p) if t is None else t for p, t in pairs]
            out, out_tangent = rule(primitive, "jvp")(primals, tangents, **params)
        if primitive.multiple_results:
            return [self.join(p, t) for p, t in zip(out, out_tangent, strict=True)]
        return self.join(out, out_tangent)


def jvp_flat(
    function: Callable[..., Sequence[Any]],
    primals: Sequence[Any],
    tangents: Sequence[Any],
    name: str = "jvp",
) -> tuple[list[Any], list[Any]]:
    """Results and tangents of a function of flat arguments.

    Parameters
    ----------
    function : callable
        Takes arrays, gives a sequence of arrays.
    primals, tangents : sequences
        A tangent may be a `Zero`.
    name : str
        For errors.

    Returns
    -------
    outs, out_tangents : list
        A tangent may be a `Zero`.
    """
    function = staged(function, primals, name)
    trace = JVPTrace(CONTEXT.get().trace, name)
    args = [trace.join(p, t) for p, t in zip(primals, tangents, strict=True)]
    try:
        with running(trace):
            outs = function(*args)
    finally:
        trace.alive = False
    pairs = [trace.split(_result, o) for o in outs]
    reference = watched(trace)
    if reference is not None:
        del trace, args, outs
        check_leaks(reference)
    return [p for p, _ in pairs], [zero_tangent(p) if t is None else t for p, t in pairs]


class _Result:
    name = "result"


_result: Any = _Result()


def jvp_jaxpr(
    jaxpr: Jaxpr, nonzero: tuple[bool, ...], keep: tuple[bool, ...] | None = None
) -> tuple[Jaxpr, tuple[bool, ...]]:
    """The program of results and tangents.

    Parameters
    ----------
    jaxpr : Jaxpr
        The program.
    nonzero : tuple of bool
        Which inputs have tangents; these follow the inputs as further inputs.
    keep : tuple of bool, optional
        Which results must have a tangent even if it is zero.

    Returns
    -------
    jaxpr : Jaxpr
        Gives the results, then the tangents of the results that have one.
    nonzero_out : tuple of bool
        Which results have one.
    """

    def make() -> tuple[Jaxpr, tuple[bool, ...]]:
        avals = list(jaxpr.in_avals)
        extra = [tangent_type(a) for a, n in zip(avals, nonzero, strict=True) if n]
        nonzero_out: list[bool] = []

        def both(*args: Any) -> list[Any]:
            primals = list(args[: len(avals)])
            given = iter(args[len(avals) :])
            tangents = [
                next(given) if n else Zero(tangent_type(a))
                for a, n in zip(avals, nonzero, strict=True)
            ]
            trace = JVPTrace(CONTEXT.get().trace, jaxpr.name)
            joined = [trace.join(p, t) for p, t in zip(primals, tangents, strict=True)]
            with running(trace):
                outs = eval_jaxpr(jaxpr, *joined)
            pairs = [trace.split(_result, o) for o in outs]
            kept = []
            for k, (primal, tangent) in enumerate(pairs):
                has = tangent is not None or (keep is not None and keep[k])
                nonzero_out.append(has)
                if has:
                    kept.append(zeros(tangent_type(primal.aval)) if tangent is None else tangent)
            return [p for p, _ in pairs] + kept

        return stage_closed(both, avals + extra, jaxpr.name), tuple(nonzero_out)

    return jaxpr.derived(("jvp", nonzero, keep), make)


def stage_closed(
    function: Callable[..., Sequence[Any]], avals: Sequence[ShapedArray], name: str
) -> Jaxpr:
    """Record and simplify a function that captures nothing (programs are closed, so are rules).

    Raises
    ------
    TypeError
        A rule captured an array: it must make constants from scalars, with primitives.
    """
    made, consts = stage(function, avals, name, folding=True)
    if consts:
        raise ArgumentTypeError(
            f"{name}: a rule captured {', '.join(repr(c.aval) for c in consts)} while a program "
            "was transformed. Make constants from scalars, with primitives."
        )
    return simplify(made)
