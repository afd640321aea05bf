"""`Program`: a Jaxpr that runs on bare ndarrays, with nothing between one NumPy call and the next.

In: a Jaxpr. It is read once: calls are inlined, each equation becomes a step (the primitive's
`evaluate`, or its named kernel where the work is large enough), broadcasts that NumPy does by
itself are left out, and the steps are written down as one straight function. From a measured amount
of work on, a program that the compiler fuses is run as its executable instead.
Read next: `operations`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fnx.compiler.pipeline import compile_jaxpr
from fnx.core.array import Array
from fnx.core.jaxpr import Eqn, Jaxpr, Literal, Var
from fnx.core.lowering import Element
from fnx.core.primitive import HigherOrderPrimitive, Primitive, quietly
from fnx.core.simplify import drop_dead, inline_calls
from fnx.extend.buffers import own

__all__ = ["Program"]

NDArray = np.ndarray[Any, Any]

#: Elements times equations from which a program is compiled. NumPy takes 0.1 to 1 ns for each, a
#: first compilation some 10 ms, a later one (from the disk) 1 to 3 ms: at 2**18, about the time of
#: some dozen runs; and there the executable is 2 to 50 times quicker.
HEAVY = 1 << 18

#: Ufuncs whose results have the same bits in NumPy and in compiled code.
EXACT = frozenset(
    (np.add, np.subtract, np.multiply, np.divide, np.negative, np.maximum, np.minimum, np.sqrt)
)

#: (function, names of the operands, parameters, names of the results, whether they come as a list)
Step = tuple[Callable[..., Any], list[str], dict[str, Any], list[str], bool]


class Program:
    """A Jaxpr as a straight function of ndarrays.

    Parameters
    ----------
    jaxpr : Jaxpr
        The program. With all types 0-d and elementwise primitives only, it may be run on operands
        of any shapes that broadcast.
    consts : sequence of Array
        Values of its leading inputs; the operands of a run are the others.
    compiled : bool
        Whether to compile it, whatever its amount of work.

    Attributes
    ----------
    function : callable
        ``function(*ndarrays) -> list``. Infinities and NaN warn: call it by `run`.
    heavy : bool
        Whether `function` is compiled. It depends on the types alone, so that a result does not
        depend on what was computed before.
    ufunc : numpy.ufunc or None
        What the program is, if it is the application of one ufunc to its operands.
    fresh : bool
        Whether the only result is made by a ufunc, so that it shares memory with nothing.
    whole : bool
        Whether every result depends on every operand.
    pullbacks, shaped : dict, set
        What was derived from this program, and for which choices of operands it goes by shapes; see
        `pullbacks`.
    """

    __slots__ = (
        "consts",
        "executable",
        "fresh",
        "function",
        "heavy",
        "host",
        "inputs",
        "jaxpr",
        "pullbacks",
        "result_dtype",
        "shaped",
        "ufunc",
        "whole",
    )

    def __init__(self, jaxpr: Jaxpr, consts: Sequence[Array] = (), compiled: bool = False) -> None:
        jaxpr = drop_dead(inline_calls(jaxpr, folding=True, at=("simplify", "compile")))
        self.jaxpr = jaxpr
        self.consts = tuple(consts)
        self.inputs = len(jaxpr.in_vars) - len(consts)
        loops = _has_loops(jaxpr)
        self.host = loops and not compiled
        self.executable: Any = None
        self.result_dtype = jaxpr.outs[0].aval.dtype if jaxpr.outs else None
        self.whole = _is_whole(jaxpr, self.inputs)
        self.pullbacks: dict[Any, Any] = {}
        self.shaped: set[Any] = set()
        self.function, self.ufunc, self.fresh = _written(jaxpr, self.consts)
        self.heavy = compiled or (not loops and _is_heavy(jaxpr))
        if self.heavy:
            self.function = self._compiled
            self.fresh = len(jaxpr.outs) == 1

    def run(self, operands: Sequence[NDArray]) -> list[Any]:
        """Results as the steps give them: they may be views of the operands, or NumPy scalars.

        Parameters
        ----------
        operands : sequence of ndarray
            One for each input.
        """
        if self.host:
            return self.function(*operands)
        return quietly(self.function, *operands)

    def __call__(self, operands: Sequence[NDArray]) -> list[NDArray]:
        """Results that are the caller's own: writeable, sharing memory with nothing.

        Parameters
        ----------
        operands : sequence of ndarray
            One for each input.
        """
        results = self.run(operands)
        if self.fresh:
            return [r if type(r) is np.ndarray else np.array(r) for r in results]
        if len(results) == 1:
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
        if (
            self.ufunc is not None
            and target.dtype == self.result_dtype
            and (not self.heavy or self.ufunc in EXACT)
        ):
            quietly(self.ufunc, *operands, out=target)
        else:
            quietly(np.copyto, target, self.run(operands)[0], casting="unsafe")

    def compiled(self, operands: Sequence[NDArray]) -> list[NDArray]:
        """Results of the compiled program, whatever its amount of work.

        Parameters
        ----------
        operands : sequence of ndarray
            One for each input.
        """
        return self._compiled(*operands)

    def _compiled(self, *operands: NDArray) -> list[NDArray]:
        executable = self.executable
        if executable is None:
            executable = self.executable = compile_jaxpr(self.jaxpr)
        return list(executable([*[c._data for c in self.consts], *operands]))


def _has_loops(jaxpr: Jaxpr) -> bool:
    """Whether some equation holds a program of its own, in which Python may run."""
    return any([isinstance(e.primitive, HigherOrderPrimitive) for e in jaxpr.eqns])


def _written(jaxpr: Jaxpr, consts: Sequence[Array]) -> tuple[Callable[..., list[Any]], Any, bool]:
    """The program as a function, the ufunc that it is (or None), and whether results are fresh.

    A loop over the steps would cost 0.4 us for each of them, as much as NumPy's call itself; a
    function of straight calls costs 0.1.
    """
    names: dict[Any, str] = {}
    values: dict[str, Any] = {}

    def name(atom: Any) -> str:
        key = atom.key if type(atom) is Literal else atom
        found = names.get(key)
        if found is None:
            found = names[key] = f"v{len(names)}"
            if type(atom) is Literal:
                values[found] = atom.val
        return found

    for var, const in zip(jaxpr.in_vars, consts, strict=False):
        values[name(var)] = const._data
    operands = [name(v) for v in jaxpr.in_vars[len(consts) :]]
    steps, by_ufunc = [], set()
    loops = _has_loops(jaxpr)
    spread = _spread_by_numpy(jaxpr)
    for eqn in jaxpr.eqns:
        if eqn.outputs[0] in spread:
            names[eqn.outputs[0]] = name(eqn.inputs[0])
            continue
        function, params = _step_function(eqn)
        inputs, outputs = [name(a) for a in eqn.inputs], [name(v) for v in eqn.outputs]
        if loops and not isinstance(eqn.primitive, HigherOrderPrimitive):
            function = functools.partial(quietly, function)  # the whole is not silenced
        steps.append((function, inputs, params, outputs, eqn.primitive.multiple_results))
        if isinstance(function, np.ufunc):
            by_ufunc.update(outputs)
    results = [name(o) for o in jaxpr.outs]
    fresh = all(r in by_ufunc for r in results) and len(set(results)) == len(results) == 1
    ufunc = _only_ufunc(operands, steps, results)
    return _assembled(operands, steps, results, values), ufunc, fresh


def _assembled(
    operands: list[str], steps: list[Step], results: list[str], values: dict[str, Any]
) -> Callable[..., list[Any]]:
    lines = [f"def function({', '.join(operands)}):"]
    for k, (function, inputs, params, outputs, several) in enumerate(steps):
        values[f"f{k}"], values[f"p{k}"] = function, params
        arguments = ", ".join([*inputs, *([f"**p{k}"] if params else [])])
        left = ", ".join(outputs) + ("," if several else "")
        lines.append(f"    {left} = f{k}({arguments})")
    lines.append(f"    return [{', '.join(results)}]")
    exec("\n".join(lines), values)
    return values["function"]


def _only_ufunc(operands: list[str], steps: list[Step], results: list[str]) -> Any:
    if len(steps) != 1 or len(results) != 1:
        return None
    function, inputs, params, outputs, _ = steps[0]
    simple = not params and inputs == operands and outputs == results
    return function if simple and isinstance(function, np.ufunc) else None


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


def _is_heavy(jaxpr: Jaxpr) -> bool:
    """Whether a program is worth compiling, and is made of nothing but what the compiler fuses."""
    work, computes = 0, False
    for eqn in jaxpr.eqns:
        lower = eqn.primitive.lower
        if not isinstance(lower, Element) or eqn.effects:
            return False
        computes = computes or lower.kind != "index"
        work += max([a.aval.size for a in (*eqn.inputs, *eqn.outputs)])
    return computes and work >= HEAVY


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


def _is_whole(jaxpr: Jaxpr, inputs: int) -> bool:
    """Whether every result depends on each of the last `inputs` inputs."""
    operands = set(jaxpr.in_vars[len(jaxpr.in_vars) - inputs :])
    reached: dict[Any, set[Var]] = {v: {v} for v in operands}
    for eqn in jaxpr.eqns:
        below: set[Var] = set()
        for atom in eqn.inputs:
            below |= reached.get(atom, set())
        for out in eqn.outputs:
            reached[out] = below
    return all(reached.get(o, set()) == operands for o in jaxpr.outs)
