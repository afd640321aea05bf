"""`pullback`: the derivative of an operation as a program of what must be saved and of cotangents.

The operation's Jaxpr is linearized and transposed; residuals are computed from the operands again,
or read from the results where the operation says so; the whole is simplified. What is left says by
itself which operands and results it reads: addition reads none, multiplication the other operand,
exp its result. Nothing here knows a derivative.

    (saved operands, saved results, cotangents of the results)  ->  cotangents of the operands

It is derived once for each operation, parameters, types, and choice of operands.
Read next: `fnx_nn.autograd`, which runs these on a tape.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fnx.core.jaxpr import Jaxpr, Literal, Var, eval_jaxpr
from fnx.core.primitive import Primitive
from fnx.core.simplify import inline_calls, simplify
from fnx.core.staging import StagingTrace
from fnx.core.tracing import running
from fnx.core.types import ShapedArray, float0, tangent_type
from fnx.extend.operations import Operation, remember
from fnx.extend.programs import Program
from fnx.numpy import broadcast_arrays
from fnx.transforms.linearize import linearize_jaxpr
from fnx.transforms.transpose import transpose_jaxpr

__all__ = ["Pullback", "pullback"]

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
        Positions of the results that have a cotangent (those of inexact dtype).
    jaxpr : Jaxpr
        Of the saved operands, the saved results, and all these cotangents, in this order.
    """

    __slots__ = (
        "_recorded",
        "cotangents",
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
    ) -> None:
        self.operation = operation
        self.operands = operands
        self.results = results
        self.cotangents = cotangents
        self.jaxpr = jaxpr
        #: Whether it is a program on 0-d types that serves all shapes.
        self.pointwise = False
        self.program = Program(jaxpr)
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
            jaxpr = self.jaxpr
            function = _pointwise(jaxpr) if self.pointwise else _plain(jaxpr)
            name = f"{self.operation.name}Backward"
            self._recorded = Operation(function, name, elementwise=self.pointwise)
        return self._recorded


def pullback(
    operation: Operation,
    operands: Sequence[Any],
    params: dict[str, Any],
    needs_grad: tuple[bool, ...],
) -> Pullback:
    """The pullback of an operation, derived on first use.

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
    types = tuple([(x.dtype, x.shape) for x in operands])
    pointwise = operation.elementwise and _no_sums(types, needs_grad)
    rest = (needs_grad, tuple(params.items())) if params else needs_grad
    if pointwise:
        key: Any = (tuple([dtype for dtype, _ in types]), rest)
        found = operation._pullbacks.get(key)
        if found is None:
            avals = [ShapedArray((), dtype) for dtype, _ in types]
            found = _derive(operation, avals, params, needs_grad)
            found.pointwise = not any(type(o) is Literal for o in found.program.jaxpr.outs)
            remember(operation._pullbacks, key, found)
        if found.pointwise:
            return found  # type: ignore[no-any-return]
        # Else some gradient is constant, and no operand lends its shape to it.
    key = (types, rest)
    found = operation._pullbacks.get(key)
    if found is None:
        avals = [ShapedArray(shape, dtype) for dtype, shape in types]
        found = remember(operation._pullbacks, key, _derive(operation, avals, params, needs_grad))
    return found  # type: ignore[no-any-return]


def _no_sums(types: Sequence[tuple[Any, tuple[int, ...]]], needs_grad: Sequence[bool]) -> bool:
    """Whether no chosen operand is broadcast, so that its cotangent has its shape as it comes."""
    shapes = [shape for _, shape in types]
    largest = max(shapes, key=len)
    for shape, needed in zip(shapes, needs_grad, strict=True):
        if shape != largest and (needed or not _fits(shape, largest)):
            return False
    return True


def _fits(shape: tuple[int, ...], into: tuple[int, ...]) -> bool:
    """Whether broadcasting a shape into another one gives the latter."""
    lead = len(into) - len(shape)
    return all([n in (1, m) for n, m in zip(shape, into[lead:], strict=True)])


def _derive(
    operation: Operation,
    avals: Sequence[ShapedArray],
    params: dict[str, Any],
    needs_grad: tuple[bool, ...],
) -> Pullback:
    jaxpr = operation.jaxpr(avals, params)
    split = linearize_jaxpr(jaxpr, needs_grad)
    transposed = transpose_jaxpr(split.tangent, split.residuals)
    count = len(jaxpr.outs)
    reused = range(count) if operation.reuse_results else range(count - operation.hidden, count)
    with_cotangent = tuple(
        [k for k, o in enumerate(jaxpr.outs) if tangent_type(o.aval).dtype != float0]
    )

    trace = StagingTrace(f"pullback of {operation.name}", folding=True)
    operands = [trace.input(a) for a in jaxpr.in_avals]
    results = [trace.input(a.strengthen()) for a in jaxpr.out_avals]
    cts = {k: trace.input(tangent_type(jaxpr.outs[k].aval)) for k in with_cotangent}
    with running(trace):
        given = {split.primal.outs[k]: results[k] for k in reversed(reused)}
        residuals = _replay(split.primal, operands, given)[count:]
        ordered = [cts[k] for k in range(count) if split.nonzero_out[k]]
        gradients = eval_jaxpr(transposed, *residuals, *ordered)
    recorded, captured = trace.finish(gradients)
    assert not captured, "a Jaxpr is closed"
    program = simplify(inline_calls(recorded, folding=True))

    read = {a for e in program.eqns for a in e.inputs} | set(program.outs)
    split_at = len(jaxpr.in_vars)
    kept_operands = [v in read for v in program.in_vars[:split_at]]
    kept_results = [v in read for v in program.in_vars[split_at : split_at + count]]
    kept = [*kept_operands, *kept_results, *([True] * len(cts))]
    inputs = [v for v, k in zip(program.in_vars, kept, strict=True) if k]
    return Pullback(
        operation,
        tuple([k for k, used in enumerate(kept_operands) if used]),
        tuple([k for k, used in enumerate(kept_results) if used]),
        with_cotangent,
        Jaxpr(inputs, program.eqns, program.outs, program.name),
    )


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


def _plain(jaxpr: Jaxpr) -> Any:
    return lambda *arrays: eval_jaxpr(jaxpr, *arrays)


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
            env.update(
                zip(eqn.outputs, out if primitive.multiple_results else [out], strict=True)
            )
        return [read(o) for o in jaxpr.outs]

    return function
