"""`Program`: a Jaxpr that runs on bare ndarrays, with nothing between one NumPy call and the next.

In: a Jaxpr. It is read once: calls are inlined, each equation becomes a step (the primitive's
`evaluate`, or its named kernel where the work is large enough), broadcasts that NumPy does by
itself are left out. A run is a loop over the steps. `compiled` runs the same program as one
executable of the compiler.
Read next: `operations`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fnx.compiler.pipeline import compile_jaxpr
from fnx.core.array import Array
from fnx.core.jaxpr import Eqn, Jaxpr, Literal, Var
from fnx.core.primitive import HigherOrderPrimitive, Primitive, quietly
from fnx.core.simplify import drop_dead, inline_calls
from fnx.extend.buffers import own

__all__ = ["Program"]

NDArray = np.ndarray[Any, Any]
#: (function, registers of the operands, parameters, register or registers of the results)
Step = tuple[Callable[..., Any], tuple[int, ...], dict[str, Any], Any]


class Program:
    """A Jaxpr as a list of steps on ndarrays.

    Parameters
    ----------
    jaxpr : Jaxpr
        The program. With all types 0-d and elementwise primitives only, it may be run on operands
        of any shapes that broadcast.
    """

    __slots__ = (
        "constants",
        "executable",
        "function",
        "host",
        "inputs",
        "jaxpr",
        "outputs",
        "single",
        "steps",
        "ufunc",
    )

    def __init__(self, jaxpr: Jaxpr) -> None:
        jaxpr = drop_dead(inline_calls(jaxpr, folding=True, at=("simplify", "compile")))
        self.jaxpr = jaxpr
        self.inputs = len(jaxpr.in_vars)
        self.host = any(isinstance(e.primitive, HigherOrderPrimitive) for e in jaxpr.eqns)
        self.executable: Any = None
        self.steps, self.constants, self.outputs = _plan(jaxpr)
        #: The one function that this program applies to its operands as they are, if that is all.
        self.function = _whole(self.steps, self.outputs, self.inputs)
        self.single = len(self.outputs) == 1
        self.ufunc = self.function if isinstance(self.function, np.ufunc) else None

    def run(self, operands: Sequence[NDArray]) -> list[Any]:
        """Results as the steps give them: they may be views of the operands, or NumPy scalars.

        Parameters
        ----------
        operands : sequence of ndarray
            One for each input.
        """
        if self.function is not None:
            return [quietly(self.function, *operands)]
        if self.host:
            return self._run(operands)
        return quietly(self._run, operands)

    def __call__(self, operands: Sequence[NDArray]) -> list[NDArray]:
        """Results that are the caller's own: writeable, sharing memory with nothing.

        Parameters
        ----------
        operands : sequence of ndarray
            One for each input.
        """
        results = self.run(operands)
        if self.single:
            return [own(results[0], operands)]
        owned: list[NDArray] = []
        for result in results:
            owned.append(own(result, (*operands, *owned)))
        return owned

    def run_into(self, target: NDArray, operands: Sequence[NDArray]) -> None:
        """Write the only result into a buffer, which may be one of the operands.

        Parameters
        ----------
        target : ndarray
            Of the result's shape; converted to its dtype.
        operands : sequence of ndarray
            One for each input.
        """
        if self.ufunc is not None and target.dtype == self.jaxpr.outs[0].aval.dtype:
            quietly(self.ufunc, *operands, out=target)
        else:
            quietly(np.copyto, target, self.run(operands)[0], casting="unsafe")

    def compiled(self, operands: Sequence[NDArray]) -> list[NDArray]:
        """Results of the compiled program.

        Parameters
        ----------
        operands : sequence of ndarray
            One for each input.
        """
        if self.executable is None:
            self.executable = compile_jaxpr(self.jaxpr)
        return list(self.executable(list(operands)))

    def _run(self, operands: Sequence[NDArray]) -> list[Any]:
        registers = [*operands, *self.constants]
        for function, positions, params, target in self.steps:
            out = function(*[registers[p] for p in positions], **params)
            if type(target) is int:
                registers[target] = out
            else:
                for place, value in zip(target, out, strict=True):
                    registers[place] = value
        return [registers[p] for p in self.outputs]


def _plan(jaxpr: Jaxpr) -> tuple[list[Step], list[Any], tuple[int, ...]]:
    """Steps, the registers that follow the inputs (constants, then free ones), and the results."""
    places: dict[Any, int] = {v: k for k, v in enumerate(jaxpr.in_vars)}
    registers: list[Any] = []

    def place(atom: Any) -> int:
        key = atom.key if type(atom) is Literal else atom
        found = places.get(key)
        if found is None:
            found = places[key] = len(jaxpr.in_vars) + len(registers)
            registers.append(atom.val if type(atom) is Literal else None)
        return found

    spread = _spread_by_numpy(jaxpr)
    steps: list[Step] = []
    for eqn in jaxpr.eqns:
        if eqn.outputs[0] in spread:
            places[eqn.outputs[0]] = place(eqn.inputs[0])
            continue
        positions = tuple([place(a) for a in eqn.inputs])
        targets = tuple([place(v) for v in eqn.outputs])
        target = targets if eqn.primitive.multiple_results else targets[0]
        function, params = _step_function(eqn)
        steps.append((function, positions, params, target))
    return steps, registers, tuple([place(o) for o in jaxpr.outs])


def _step_function(eqn: Eqn) -> tuple[Callable[..., Any], dict[str, Any]]:
    primitive = eqn.primitive
    if isinstance(primitive, HigherOrderPrimitive):
        return _on_arrays(primitive), eqn.params
    if primitive.native is not None and primitive.work is not None:
        work = primitive.work(*[a.aval for a in eqn.inputs], **eqn.params)
        if work >= primitive.native_from:
            return primitive.native, eqn.params
    return primitive.evaluate, eqn.params


def _on_arrays(primitive: Primitive) -> Callable[..., Any]:
    def function(*operands: NDArray, **params: Any) -> list[NDArray]:
        return [o._data for o in primitive.apply([Array(x) for x in operands], params)]

    return function


def _spread_by_numpy(jaxpr: Jaxpr) -> set[Var]:
    """Broadcasts to the last axes that only ufuncs read, beside an operand of the full shape.

    NumPy does the same within the call, so the step would be for nothing.
    """
    candidates: dict[Any, Eqn] = {}
    for eqn in jaxpr.eqns:
        if eqn.primitive.name == "broadcast_in_dim":
            shape, axes = eqn.params["shape"], eqn.params["broadcast_dimensions"]
            if axes == tuple(range(len(shape) - len(axes), len(shape))):
                candidates[eqn.outputs[0]] = eqn
    for eqn in jaxpr.eqns:
        if not isinstance(eqn.primitive.evaluate, np.ufunc) or all(
            a in candidates or not a.aval.shape for a in eqn.inputs if type(a) is Var
        ):
            for atom in eqn.inputs:
                candidates.pop(atom, None)
    for out in jaxpr.outs:
        candidates.pop(out, None)
    return set(candidates)


def _whole(steps: list[Step], outputs: tuple[int, ...], inputs: int) -> Any:
    if len(steps) != 1 or len(outputs) != 1:
        return None
    function, positions, params, target = steps[0]
    if params or positions != tuple(range(inputs)) or target != outputs[0]:
        return None
    return function
