"""`pullback`: the derivative of an operation as a program of what must be saved and of cotangents.

The operation's Jaxpr is linearized and transposed; residuals are computed from the operands again,
or read from the results where the operation says so; the whole is simplified. What is left says by
itself which operands and results it reads: addition reads none, multiplication the other operand,
exp its result. Nothing here knows a derivative.

    (saved operands, saved results, cotangents of the results)  ->  cotangents of the operands

It is derived once for each operation, parameters, types, and choice of operands, and kept with the
operation's program; that of an elementwise operation serves all shapes.
Read next: `fnx_nn.autograd`, which runs these on a tape.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fnx.core.array import Array
from fnx.core.jaxpr import ClosedJaxpr, Jaxpr, Literal, Var, eval_jaxpr
from fnx.core.primitive import Primitive
from fnx.core.simplify import drop_dead, inline_calls, simplify
from fnx.core.staging import StagingTrace
from fnx.core.tracing import running
from fnx.core.types import ShapedArray, float0, tangent_type
from fnx.extend.operations import Operation, is_large, remember
from fnx.extend.programs import Program
from fnx.numpy import broadcast_arrays, conj
from fnx.transforms.linearize import linearize_jaxpr
from fnx.transforms.transpose import transpose_jaxpr

__all__ = ["Pullback", "pullback", "pullback_of"]

NDArray = np.ndarray[Any, Any]


class Pullback:
    """The reverse derivative of an operation, and what it reads.

    Parameters
    ----------
    operation : Operation
        What was differentiated.
    operands, results : tuple of int
        Positions of the operands and of the results (hidden ones included) that must be saved.
    cotangents : tuple of int
        Positions of the results that have a cotangent (those of inexact dtype; not hidden ones).
    jaxpr : Jaxpr
        Of constants, the saved operands, the saved results, and all these cotangents, in this
        order.
    consts : sequence of Array
        The values of the constants.
    full : Pullback, optional
        The same with cotangents of hidden results, too, which come at higher orders only.
    """

    __slots__ = (
        "_recorded",
        "cotangents",
        "full",
        "jaxpr",
        "operands",
        "operation",
        "pointwise",
        "program",
        "results",
    )

    def __init__(
        self,
        operation: Operation,
        operands: tuple[int, ...],
        results: tuple[int, ...],
        cotangents: tuple[int, ...],
        jaxpr: Jaxpr,
        consts: Sequence[Array] = (),
        full: Pullback | None = None,
    ) -> None:
        self.operation = operation
        self.full = full
        self.operands = operands
        self.results = results
        self.cotangents = cotangents
        self.jaxpr = jaxpr
        #: Whether it is a program on 0-d types that serves all shapes.
        self.pointwise = False
        self.program = Program(jaxpr, consts, operation.compiled)
        self._recorded: Operation | None = None

    def run(self, values: Sequence[NDArray]) -> list[Any]:
        """Cotangents of the chosen operands.

        Parameters
        ----------
        values : sequence of ndarray
            Saved operands, saved results, cotangents of the results.

        Returns
        -------
        list of ndarray
            They may be views of `values`: copy (`own`) what is kept.
        """
        return self.program.run(values)

    @property
    def recorded(self) -> Operation:
        """The pullback as an operation, with a pullback of its own: for higher orders."""
        if self._recorded is None:
            jaxpr, consts = self.jaxpr, self.program.consts
            function = _pointwise(jaxpr) if self.pointwise else _plain(jaxpr, consts)
            name = f"{self.operation.name}Backward"
            adjoint, compiled = self.operation.adjoint, self.operation.compiled
            self._recorded = Operation(
                function, name, elementwise=self.pointwise, adjoint=adjoint, compiled=compiled
            )
        return self._recorded


def pullback(
    operation: Operation,
    operands: Sequence[Any],
    params: dict[str, Any],
    needs_grad: tuple[bool, ...],
) -> Pullback:
    """The pullback of an operation, derived anew; `pullback_of` keeps them.

    Parameters
    ----------
    operation : Operation
        What to differentiate.
    operands : sequence
        Arrays, or types: what has shape and dtype.
    params : dict
        Static parameters of the application.
    needs_grad : tuple of bool
        With respect to which operands.

    Returns
    -------
    Pullback

    Examples
    --------
    >>> import numpy as np, fnx.numpy as jnp
    >>> exp = Operation(jnp.exp, "exp", elementwise=True, reuse_results=True)
    >>> back = pullback(exp, [np.ones(2)], {}, (True,))
    >>> back.operands, back.results
    ((), (0,))
    >>> back.run([np.exp(np.ones(2)), np.array([1.0, 2.0])])
    [array([2.71828183, 5.43656366])]
    """
    types = [(x.dtype, x.shape) for x in operands]
    small = not is_large(operands)
    if operation.elementwise and small and _no_sums([shape for _, shape in types], needs_grad):
        closed = operation.jaxpr([ShapedArray((), dtype) for dtype, _ in types], params)
        found = _derive(operation, closed, needs_grad)
        if not any(type(o) is Literal for o in found.program.jaxpr.outs):
            found.pointwise = True
            return found
        # Some gradient is constant, and no operand lends its shape to it.
    closed = operation.jaxpr([ShapedArray(shape, dtype) for dtype, shape in types], params)
    return _derive(operation, closed, needs_grad)


def pullback_of(
    program: Program,
    operation: Operation,
    operands: Sequence[NDArray],
    params: dict[str, Any],
    needs_grad: tuple[bool, ...],
    result: NDArray,
) -> Pullback:
    """The pullback of an application that was just made, kept with its program.

    Parameters
    ----------
    program : Program
        What ran.
    operation, operands, params, needs_grad
        As for `pullback`.
    result : ndarray
        The first result.
    """
    key: Any = needs_grad
    if operation.elementwise:
        # One pullback serves all shapes, as long as no chosen operand was broadcast.
        shape = result.shape
        if needs_grad in program.shaped or any(
            [n and x.shape != shape for x, n in zip(operands, needs_grad)]
        ):
            key = (needs_grad, tuple([x.shape for x in operands]))
    found = program.pullbacks.get(key)
    if found is None:
        found = pullback(operation, operands, params, needs_grad)
        if operation.elementwise and not found.pointwise and key is needs_grad:
            program.shaped.add(needs_grad)
            key = (needs_grad, tuple([x.shape for x in operands]))
        remember(program.pullbacks, key, found)
    return found


def _no_sums(shapes: Sequence[tuple[int, ...]], needs_grad: Sequence[bool]) -> bool:
    """Whether no chosen operand is broadcast, so that its cotangent has its shape as it comes."""
    try:
        joint = np.broadcast_shapes(*shapes)
    except ValueError:
        return False
    return all(not n or shape == joint for shape, n in zip(shapes, needs_grad, strict=True))


def _derive(operation: Operation, closed: ClosedJaxpr, needs_grad: tuple[bool, ...]) -> Pullback:
    jaxpr, captured = closed.jaxpr, len(closed.consts)
    nonzero = (False,) * captured + needs_grad
    count = len(jaxpr.outs)
    visible = count - operation.hidden
    inexact = [k for k, o in enumerate(jaxpr.outs) if tangent_type(o.aval).dtype != float0]
    program = _compose(operation, jaxpr, nonzero, inexact)

    read = {a for e in program.eqns for a in e.inputs} | set(program.outs)
    inputs = len(jaxpr.in_vars)
    kept = [v in read for v in program.in_vars[: inputs + count]] + [True] * len(inexact)
    consts = [c for c, k in zip(closed.consts, kept, strict=False) if k]
    operands = tuple([k - captured for k in range(captured, inputs) if kept[k]])
    results = tuple([k for k in range(count) if kept[inputs + k]])
    shown = tuple([k for k in inexact if k < visible])
    full = Pullback(operation, operands, results, tuple(inexact), _with(program, kept), consts)
    if len(shown) == len(inexact):
        return full
    # The same saved values, without cotangents of hidden results.
    program = _compose(operation, jaxpr, nonzero, shown)
    kept = kept[: inputs + count] + [True] * len(shown)
    return Pullback(operation, operands, results, shown, _with(program, kept), consts, full)


def _with(jaxpr: Jaxpr, kept: Sequence[bool]) -> Jaxpr:
    """The program without the inputs that nothing reads."""
    inputs = [v for v, k in zip(jaxpr.in_vars, kept, strict=True) if k]
    return Jaxpr(inputs, jaxpr.eqns, jaxpr.outs, jaxpr.name)


def _compose(
    operation: Operation,
    jaxpr: Jaxpr,
    needs_grad: tuple[bool, ...],
    cotangents: Sequence[int],
) -> Jaxpr:
    """All operands, all results, and some cotangents, to the cotangents of the chosen operands."""
    count = len(jaxpr.outs)
    split = linearize_jaxpr(jaxpr, needs_grad)
    moving = [k for k in range(count) if split.nonzero_out[k]]  # results with a tangent
    tangent = drop_dead(split.tangent, [k in cotangents for k in moving])
    transposed = transpose_jaxpr(tangent, split.residuals)
    reused = range(count) if operation.reuse_results else range(count - operation.hidden, count)

    trace = StagingTrace(f"pullback of {operation.name}", folding=True)
    operands = [trace.input(a) for a in jaxpr.in_avals]
    results = [trace.input(a.strengthen()) for a in jaxpr.out_avals]
    cts = {k: trace.input(tangent_type(jaxpr.outs[k].aval)) for k in cotangents}
    with running(trace):
        given = {split.primal.outs[k]: results[k] for k in reversed(reused)}
        residuals = _replay(split.primal, operands, given)[count:]
        ordered = [cts[k] for k in moving if k in cts]
        if operation.adjoint:
            ordered = [_conjugate(ct) for ct in ordered]
        gradients = eval_jaxpr(transposed, *residuals, *ordered)
        if operation.adjoint:
            gradients = [_conjugate(g) for g in gradients]
    recorded, captured = trace.finish(gradients)
    assert not captured, "a Jaxpr is closed"
    return simplify(inline_calls(recorded, folding=True))


def _conjugate(x: Any) -> Any:
    return conj(x) if x.dtype.kind == "c" else x


def _replay(jaxpr: Jaxpr, operands: Sequence[Any], given: dict[Any, Any]) -> list[Any]:
    """Run a program with some of its variables given; what only they need is dropped later."""
    env: dict[Any, Any] = dict(zip(jaxpr.in_vars, operands, strict=True))

    def read(atom: Any) -> Any:
        return atom.value if type(atom) is Literal else env[atom]

    for eqn in jaxpr.eqns:
        out = eqn.primitive(*[read(a) for a in eqn.inputs], **eqn.params)
        outs = out if eqn.primitive.multiple_results else [out]
        for var, value in zip(eqn.outputs, outs, strict=True):
            env[var] = given.get(var, value)
    return [read(o) for o in jaxpr.outs]


def _plain(jaxpr: Jaxpr, consts: Sequence[Array]) -> Any:
    return lambda *arrays: eval_jaxpr(jaxpr, *consts, *arrays)


def _pointwise(jaxpr: Jaxpr) -> Any:
    """A program on 0-d types as a function of arrays of any shapes that broadcast."""

    def function(*arrays: Any) -> list[Any]:
        env: dict[Var, Any] = dict(zip(jaxpr.in_vars, arrays, strict=True))

        def read(atom: Any) -> Any:
            return atom.value if type(atom) is Literal else env[atom]

        for eqn in jaxpr.eqns:
            primitive: Primitive = eqn.primitive
            operands = broadcast_arrays(*[read(a) for a in eqn.inputs])
            out = primitive(*operands, **eqn.params)
            env.update(zip(eqn.outputs, out if primitive.multiple_results else [out], strict=True))
        return [read(o) for o in jaxpr.outs]

    return function
