"""Taylor mode: truncated power series pushed through a computation in one pass.

Rules get and give normalised coefficients (``c_k = d^k x / dt^k / k!``).  A primitive without a
closed recurrence gets its rule from its jvp: along a curve x(t), ``y'(t)`` is the jvp rule's
program in (x(t), x'(t)), so coefficients of y' to order K - 1, found by following that program with
series of order K - 1, are those of y, shifted and divided by k. See Griewank and Walther,
*Evaluating Derivatives* (2008), chapter 13; Bettencourt, Johnson and Duvenaud, *Taylor-mode
automatic differentiation for higher-order derivatives in JAX* (2019).  Read next: `jacobian`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fnx.config import CONTEXT
from fnx.core.jaxpr import Jaxpr, eval_jaxpr
from fnx.core.primitive import Primitive, Undefined, Zero, rule
from fnx.core.tracing import Trace, Tracer, check_leaks, running, watched
from fnx.core.types import ShapedArray, tangent_type
from fnx.primitives.arithmetic import mul
from fnx.primitives.shaping import full, zeros
from fnx.transforms.jvp import stage_closed, staged

__all__ = ["JetTrace", "JetTracer", "derived_jet", "jet_flat", "jet_jaxpr", "scale"]


class JetTracer(Tracer):
    """A truncated power series."""

    __slots__ = ("primal", "series")
    differentiated = True

    def __init__(self, trace: JetTrace, primal: Any, series: list[Any]) -> None:
        self._trace = trace
        self.primal = primal
        self.series = series

    @property
    def aval(self) -> ShapedArray:
        """The type of the constant coefficient."""
        return self.primal.aval

    def concrete(self) -> Any:
        """The constant coefficient, if it is known."""
        primal = self.primal
        return primal.concrete() if isinstance(primal, Tracer) else primal


class JetTrace(Trace):
    """Follows series.

    Parameters
    ----------
    parent : Trace or None
        Where rules run.
    name : str
        For errors.
    order : int
        The degree at which series are cut.
    """

    __slots__ = ("order",)

    def __init__(self, parent: Trace | None, name: str, order: int) -> None:
        super().__init__(parent, name)
        self.order = order

    def split(self, primitive: Any, value: Any) -> tuple[Any, list[Any] | None]:
        """Constant coefficient and the others of an argument."""
        if type(value) is JetTracer and value._trace is self:
            return value.primal, value.series
        if isinstance(value, Tracer) and not value._trace.alive:
            raise value.leak_error(primitive)
        return value, None

    def join(self, primal: Any, series: Sequence[Any]) -> Any:
        """A tracer, or the array itself when all coefficients are zero."""
        if all([type(c) is Zero for c in series]):
            return primal
        tracer = JetTracer(self, primal, list(series))
        return tracer if self.made is None else self.noted(tracer)

    def process(self, primitive: Primitive, args: Any, params: dict[str, Any]) -> Any:
        """Apply the jet rule, or derive it from the jvp rule."""
        pairs = [self.split(primitive, a) for a in args]
        primals = [p for p, _ in pairs]
        with running(self.parent):
            if all([s is None for _, s in pairs]):
                return primitive(*primals, **params)
            series = [
                [Zero(tangent_type(p.aval))] * self.order if s is None else s for p, s in pairs
            ]
            if callable(primitive.jet):
                out, out_series = primitive.jet(primals, series, **params)
            elif isinstance(primitive.jet, Undefined):
                rule(primitive, "jet")
                raise AssertionError("rule() raises")
            else:
                out, out_series = derived_jet(primitive, primals, series, params)
        if primitive.multiple_results:
            return [self.join(p, s) for p, s in zip(out, out_series, strict=True)]
        return self.join(out, out_series)


def scale(x: Any, factor: float) -> Any:
    """An array times a number of its dtype."""
    return mul(x, full(x.shape, factor, x.dtype))


def derived_jet(
    primitive: Primitive,
    primals: Sequence[Any],
    series: Sequence[Sequence[Any]],
    params: dict[str, Any],
) -> tuple[Any, Any]:
    """The jet rule that follows from the jvp rule; see the module's docstring.

    Parameters
    ----------
    primitive : Primitive
        Its jvp slot is a rule.
    primals, series, params
        As for a jet rule.
    """
    order = len(series[0])
    trace = JetTrace(CONTEXT.get().trace, f"jet of {primitive.name}", order - 1)
    points, velocities = [], []
    for primal, terms in zip(primals, series, strict=True):
        points.append(trace.join(primal, terms[: order - 1]))
        # x'(t) = c1 + 2 c2 t + 3 c3 t**2 + ...
        slopes = [
            c if type(c) is Zero else scale(c, k + 1) if k else c for k, c in enumerate(terms)
        ]
        if all([type(c) is Zero for c in slopes]):
            velocities.append(Zero(tangent_type(primal.aval)))
        else:
            first = zeros(slopes[0].aval) if type(slopes[0]) is Zero else slopes[0]
            velocities.append(trace.join(first, slopes[1:]))
    with running(trace):
        out, out_velocity = rule(primitive, "jvp")(points, velocities, **params)
    trace.alive = False

    def integrate(value: Any, velocity: Any) -> tuple[Any, list[Any]]:
        primal, _ = trace.split(primitive, value)
        if type(velocity) is Zero:
            return primal, [Zero(tangent_type(primal.aval))] * order
        first, rest = trace.split(primitive, velocity)
        rest = [Zero(first.aval)] * (order - 1) if rest is None else rest
        slopes = [first, *rest]
        return primal, [
            c if type(c) is Zero or k == 0 else scale(c, 1.0 / (k + 1))
            for k, c in enumerate(slopes)
        ]

    if not primitive.multiple_results:
        return integrate(out, out_velocity)
    both = [integrate(o, v) for o, v in zip(out, out_velocity, strict=True)]
    return [p for p, _ in both], [s for _, s in both]


class _Result:
    name = "result"


def jet_flat(
    function: Callable[..., Sequence[Any]],
    primals: Sequence[Any],
    series: Sequence[Sequence[Any]],
    order: int,
    name: str = "jet",
) -> tuple[list[Any], list[list[Any]]]:
    """Push normalised series through a function of flat arguments.

    Parameters
    ----------
    function : callable
        Takes arrays, gives a sequence of arrays.
    primals : sequence
        Constant coefficients.
    series : sequence of sequence
        The coefficients 1 to `order` of each argument; a `Zero` is zero.
    order : int
        The degree at which series are cut.
    name : str
        For errors.
    """
    function = staged(function, primals, name)
    trace = JetTrace(CONTEXT.get().trace, name, order)
    args = [trace.join(p, s) for p, s in zip(primals, series, strict=True)]
    try:
        with running(trace):
            outs = function(*args)
    finally:
        trace.alive = False
    pairs = [trace.split(_Result, o) for o in outs]
    reference = watched(trace)
    if reference is not None:
        del trace, args, outs
        check_leaks(reference)
    return [p for p, _ in pairs], [
        [Zero(tangent_type(p.aval))] * order if s is None else s for p, s in pairs
    ]


def jet_jaxpr(
    jaxpr: Jaxpr, order: int, nonzero: tuple[bool, ...], keep: tuple[bool, ...] | None = None
) -> tuple[Jaxpr, tuple[bool, ...]]:
    """The program of series.

    Parameters
    ----------
    jaxpr : Jaxpr
        The program.
    order : int
        The degree at which series are cut.
    nonzero : tuple of bool
        Which inputs have series: `order` further inputs each, behind the inputs.
    keep : tuple of bool, optional
        Which results must have a series even if it is zero.

    Returns
    -------
    jaxpr : Jaxpr
        Gives the results, then `order` coefficients of each result that has a series.
    nonzero_out : tuple of bool
        Which results have one.
    """

    def make() -> tuple[Jaxpr, tuple[bool, ...]]:
        avals = list(jaxpr.in_avals)
        extra = [
            tangent_type(a) for a, n in zip(avals, nonzero, strict=True) if n for _ in range(order)
        ]
        nonzero_out: list[bool] = []

        def function(*args: Any) -> list[Any]:
            given = iter(args[len(avals) :])
            trace = JetTrace(CONTEXT.get().trace, jaxpr.name, order)
            joined = [
                trace.join(p, [next(given) for _ in range(order)]) if n else p
                for p, n in zip(args[: len(avals)], nonzero, strict=True)
            ]
            with running(trace):
                outs = eval_jaxpr(jaxpr, *joined)
            pairs = [trace.split(_Result, o) for o in outs]
            coefficients: list[Any] = []
            for k, (primal, terms) in enumerate(pairs):
                has = terms is not None or (keep is not None and keep[k])
                nonzero_out.append(has)
                if not has:
                    continue
                zero = Zero(tangent_type(primal.aval))
                terms = [zero] * order if terms is None else terms
                coefficients += [zeros(c.aval) if type(c) is Zero else c for c in terms]
            return [p for p, _ in pairs] + coefficients

        return stage_closed(function, avals + extra, jaxpr.name), tuple(nonzero_out)

    return jaxpr.derived(("jet", order, nonzero, keep), make)
