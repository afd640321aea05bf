"""Splitting a derivative: the value now, a linear program of the tangents for later.

A `LinearizeTrace` runs jvp rules with a `TapeTrace` as the current trace.  What a rule computes
from primals alone is computed at once; what involves a tangent is recorded on the tape, and it can
only be linear in the tangents.  So there is no separate partial evaluation, and the tape is all
that `transpose` needs. Under eager evaluation the tape holds arrays and is as light as that.
`linearize_jaxpr` does the same to a program: a first one that gives results and residuals, a second
one that is linear.  Read next: `transpose`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fnx.config import CONTEXT, settings
from fnx.core.jaxpr import Jaxpr, Var, eval_jaxpr
from fnx.core.primitive import Primitive, rule
from fnx.core.simplify import drop_dead, simplify
from fnx.core.staging import StagedTracer, StagingTrace
from fnx.core.tracing import (
    Trace,
    Tracer,
    check_leaks,
    running,
    traces_abstractly,
    watched,
)
from fnx.core.types import ShapedArray, float0, tangent_type
from fnx.errors import ArgumentTypeError, user_frame
from fnx.primitives.shaping import zeros
from fnx.transforms.jvp import staged, zero_tangent

__all__ = [
    "LinearizeTrace",
    "Linearized",
    "LinearizedJaxpr",
    "Tape",
    "TapeTracer",
    "linearize_flat",
    "linearize_jaxpr",
    "replay",
]


class TapeTracer(Tracer):
    """A tangent: a variable of the linear program on the tape."""

    __slots__ = ("_aval",)

    def __init__(self, trace: Tape, aval: ShapedArray) -> None:
        self._trace = trace
        self._aval = aval

    @property
    def aval(self) -> ShapedArray:
        """The type."""
        return self._aval


class Tape(Trace):
    """Records what involves a tangent, runs everything else in the parent."""

    __slots__ = ("eqns", "located")

    def __init__(self, parent: Trace | None, name: str) -> None:
        super().__init__(parent, name)
        #: (primitive, operands, params, results, the user's line)
        self.eqns: list[tuple[Primitive, list[Any], dict[str, Any], list[TapeTracer], str]] = []
        #: Whether lines are kept: not for eager evaluation, of which nothing remains.
        self.located = traces_abstractly(parent) or settings().watches

    def owns(self, value: Any) -> bool:
        """Whether a value is a variable of this tape."""
        return type(value) is TapeTracer and value._trace is self

    def process(self, primitive: Primitive, args: Any, params: dict[str, Any]) -> Any:
        """Record, or run in the parent."""
        if not any([type(a) is TapeTracer and a._trace is self for a in args]):
            with running(self.parent):
                return primitive(*args, **params)
        types = primitive.infer(*[a.aval for a in args], **params)
        line = user_frame() if self.located else ""
        if not primitive.multiple_results:
            out = TapeTracer(self, types)
            self.eqns.append((primitive, list(args), params, [out], line))
            return out
        outs = [TapeTracer(self, t) for t in types]
        self.eqns.append((primitive, list(args), params, outs, line))
        return outs


class LinearizeTracer(Tracer):
    """A value, and its tangent on the tape."""

    __slots__ = ("primal", "tangent")
    differentiated = True

    def __init__(self, trace: LinearizeTrace, primal: Any, tangent: TapeTracer) -> None:
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


class LinearizeTrace(Trace):
    """Computes values and records the derivative.

    Parameters
    ----------
    parent : Trace or None
        Where values are computed.
    name : str
        For errors.
    """

    __slots__ = ("tape",)

    def __init__(self, parent: Trace | None, name: str) -> None:
        super().__init__(parent, name)
        self.tape = Tape(parent, name)

    def input(self, primal: Any) -> Any:
        """An argument to differentiate with respect to."""
        tangent = TapeTracer(self.tape, tangent_type(primal.aval))
        return self.noted(LinearizeTracer(self, primal, tangent))

    def split(self, primitive: Any, value: Any) -> tuple[Any, TapeTracer | None]:
        """Value and tangent of an argument."""
        if type(value) is LinearizeTracer and value._trace is self:
            return value.primal, value.tangent
        if isinstance(value, Tracer) and not value._trace.alive:
            raise value.leak_error(primitive)
        return value, None

    def join(self, primal: Any, tangent: Any) -> Any:
        """A tracer, or the value itself when the tangent doesn't depend on the inputs."""
        if type(tangent) is TapeTracer and tangent._trace is self.tape:
            tracer = LinearizeTracer(self, primal, tangent)
            return tracer if self.made is None else self.noted(tracer)
        return primal

    def process(self, primitive: Primitive, args: Any, params: dict[str, Any]) -> Any:
        """Apply the linearize rule, or the jvp rule with a tape for the tangents."""
        pairs = [self.split(primitive, a) for a in args]
        primals = [p for p, _ in pairs]
        if all([t is None for _, t in pairs]):
            with running(self.parent):
                return primitive(*primals, **params)
        if callable(primitive.linearize):
            nonzeros = [t is not None for _, t in pairs]
            with running(self.parent):
                out, nonzeros_out, linear = primitive.linearize(nonzeros, primals, **params)
            with running(self.tape):
                given = linear([t for _, t in pairs if t is not None])
            tangents = iter(given)
            out_tangent = [next(tangents) if n else None for n in nonzeros_out]
            return [self.join(p, t) for p, t in zip(out, out_tangent, strict=True)]
        tangents_in = [zero_tangent(p) if t is None else t for p, t in pairs]
        with running(self.tape):
            out, out_tangent = rule(primitive, "jvp")(primals, tangents_in, **params)
        if primitive.multiple_results:
            return [self.join(p, t) for p, t in zip(out, out_tangent, strict=True)]
        return self.join(out, out_tangent)


@dataclass(frozen=True, slots=True)
class Linearized:
    """What `linearize_flat` gives: the linear program and its ends."""

    tape: Tape
    inputs: list[TapeTracer]
    outputs: list[TapeTracer | None]


class _Result:
    name = "result"


def linearize_flat(
    function: Callable[..., Sequence[Any]], primals: Sequence[Any], name: str = "linearize"
) -> tuple[list[Any], Linearized]:
    """Results of a function of flat arguments, and its derivative there as a tape.

    Parameters
    ----------
    function : callable
        Takes arrays, gives a sequence of arrays.
    primals : sequence
        The point.
    name : str
        For errors.

    Returns
    -------
    outs : list
        The results.
    linearized : Linearized
        Inputs and outputs of the tape; an output that doesn't depend on the inputs is None.
    """
    function = staged(function, primals, name)
    trace = LinearizeTrace(CONTEXT.get().trace, name)
    inputs = [trace.input(p) for p in primals]
    tape_inputs = [a.tangent for a in inputs]
    # Integers have no tangent: they are constants, also where they are cast to floats.
    args = [p if a.tangent.aval.dtype == float0 else a for p, a in zip(primals, inputs)]
    try:
        with running(trace):
            outs = function(*args)
    finally:
        trace.alive = False
    pairs = [trace.split(_Result, o) for o in outs]
    tape, reference = trace.tape, watched(trace)
    if reference is not None:
        del trace, inputs, args, outs
        check_leaks(reference)
    return [p for p, _ in pairs], Linearized(tape, tape_inputs, [t for _, t in pairs])


def replay(linearized: Linearized, tangents: Sequence[Any]) -> list[Any]:
    """Run the linear program forward, under the current trace.

    Parameters
    ----------
    linearized : Linearized
        From `linearize_flat`.
    tangents : sequence
        One for each input.

    Returns
    -------
    list
        One for each output; `None` where the output doesn't depend on the inputs.
    """
    env: dict[TapeTracer, Any] = dict(zip(linearized.inputs, tangents, strict=True))
    tape = linearized.tape
    for primitive, operands, params, results, replayed in tape.eqns:  # noqa: B007 (`user_frame`)
        values = [env[a] if tape.owns(a) else a for a in operands]
        out = primitive(*values, **params)
        env.update(zip(results, out if primitive.multiple_results else [out], strict=True))
    return [None if o is None else env[o] for o in linearized.outputs]


@dataclass(frozen=True, slots=True)
class LinearizedJaxpr:
    """A program split in two.

    Parameters
    ----------
    primal : Jaxpr
        Inputs to results and residuals.
    tangent : Jaxpr
        Residuals and the tangents of the inputs that have one, to the tangents of the results that
        have one.
    nonzero_out : tuple of bool
        Which results have a tangent.
    residuals : int
        How many residuals there are.
    forwarded : tuple of (int or None)
        For each residual, the input of `primal` that it is, if it is one.
    """

    primal: Jaxpr
    tangent: Jaxpr
    nonzero_out: tuple[bool, ...]
    residuals: int
    forwarded: tuple[int | None, ...]


def linearize_jaxpr(
    jaxpr: Jaxpr, nonzero: tuple[bool, ...], keep: tuple[bool, ...] | None = None
) -> LinearizedJaxpr:
    """Split a program into one for the results and a linear one for the tangents.

    Parameters
    ----------
    jaxpr : Jaxpr
        The program.
    nonzero : tuple of bool
        Which inputs have tangents.
    keep : tuple of bool, optional
        Which results must have a tangent even if it is zero.
    """
    return jaxpr.derived(("linearize", nonzero, keep), lambda: _split(jaxpr, nonzero, keep))


def _split(
    jaxpr: Jaxpr, nonzero: tuple[bool, ...], keep: tuple[bool, ...] | None
) -> LinearizedJaxpr:
    known = StagingTrace(jaxpr.name, folding=True)
    primals = [known.input(a) for a in jaxpr.in_avals]
    trace = LinearizeTrace(known, jaxpr.name)
    args: list[Any] = [trace.input(p) if n else p for p, n in zip(primals, nonzero, strict=True)]
    with running(trace):
        outs = eval_jaxpr(jaxpr, *args)
    pairs = [trace.split(_Result, o) for o in outs]

    # The linear program: a second recording, in which values of the first one are captured
    # residuals.
    later = StagingTrace(jaxpr.name, folding=True)
    tangent_inputs = [a.tangent for a, n in zip(args, nonzero, strict=True) if n]
    linearized = Linearized(trace.tape, tangent_inputs, [t for _, t in pairs])
    with running(later):
        replayed = replay(linearized, [later.input(t.aval) for t in tangent_inputs])
        nonzero_out, tangents = [], []
        for k, (tangent, (primal, _)) in enumerate(zip(replayed, pairs, strict=True)):
            has = tangent is not None or (keep is not None and keep[k])
            nonzero_out.append(has)
            if has:
                tangents.append(zeros(tangent_type(primal.aval)) if tangent is None else tangent)
    tangent_jaxpr, captured = later.finish(tangents)
    tangent_jaxpr = simplify(tangent_jaxpr)
    used = _used(tangent_jaxpr, len(captured))
    residuals = [c for c, u in zip(captured, used, strict=True) if u]
    tangent_vars = [v for v, u in zip(tangent_jaxpr.in_vars, used, strict=False) if u]
    tangent_vars += tangent_jaxpr.in_vars[len(captured) :]
    program = Jaxpr(tangent_vars, tangent_jaxpr.eqns, tangent_jaxpr.outs, jaxpr.name)

    primal_jaxpr, consts = known.finish([p for p, _ in pairs] + residuals)
    if consts:
        raise ArgumentTypeError(
            f"{jaxpr.name}: a rule captured {', '.join(repr(c.aval) for c in consts)} while a "
            "program was linearized. Make constants from scalars, with primitives."
        )
    position = {v: k for k, v in enumerate(primal_jaxpr.in_vars)}
    forwarded = tuple(
        position.get(r.atom) if type(r) is StagedTracer and type(r.atom) is Var else None
        for r in residuals
    )
    return LinearizedJaxpr(
        drop_dead(primal_jaxpr), program, tuple(nonzero_out), len(residuals), forwarded
    )


def _used(jaxpr: Jaxpr, count: int) -> list[bool]:
    """Which of the first `count` inputs are read."""
    read: set[Any] = {a for e in jaxpr.eqns for a in e.inputs}
    read.update(jaxpr.outs)
    return [v in read for v in jaxpr.in_vars[:count]]
