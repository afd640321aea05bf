"""Staging: running a function on `StagedTracer`s to record its Jaxpr.

Recording does value numbering: an application of a pure primitive that was recorded before, to the
same atoms with the same parameters, gives the variables recorded then.  Captured arrays and tracers
of other transforms become leading inputs; captured scalars become literals.  With ``folding`` (see
`simplify`) a primitive's `fold` rule may give an equal, simpler atom instead.  Read next:
`simplify`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np

from fnx.config import CONTEXT
from fnx.core.array import Array, adopt
from fnx.core.jaxpr import Atom, Eqn, Jaxpr, Literal, Var
from fnx.core.primitive import Primitive
from fnx.core.tracing import Trace, Tracer, check_leaks, running, watched
from fnx.core.types import ShapedArray
from fnx.errors import user_frame

__all__ = ["StagedTracer", "StagingTrace", "params_key", "stage"]


class StagedTracer(Tracer):
    """An atom of a program that is being recorded."""

    __slots__ = ("atom",)

    def __init__(self, trace: StagingTrace, atom: Atom) -> None:
        self._trace = trace
        self.atom = atom

    @property
    def aval(self) -> ShapedArray:
        """The type."""
        return self.atom.aval

    def concrete(self) -> Array | None:
        """The value, of a literal."""
        return self.atom.value if type(self.atom) is Literal else None

    @property
    def identity(self) -> Atom:
        """The atom."""
        return self.atom

    def sources(self) -> list[Var]:
        """The inputs of the program that the value was computed from, in their order."""
        trace, found, waiting = cast(StagingTrace, self._trace), set(), [self.atom]
        while waiting:
            atom = waiting.pop()
            if type(atom) is Var and atom not in found:
                found.add(atom)
                eqn = trace.definitions.get(atom)
                waiting += eqn.inputs if eqn is not None else ()
        return [v for v in trace.in_vars if v in found]

    def origin(self) -> str:
        """The user's line of the equation that gives the value, or what it is an argument of."""
        eqn = cast(StagingTrace, self._trace).definition(self.atom)
        return eqn.source if eqn is not None else f"the call of {self._trace.name}"


class StagingTrace(Trace):
    """Records equations.

    Parameters
    ----------
    name : str
        What is traced, for errors.
    folding : bool
        Whether fold rules are applied.
    """

    __slots__ = ("consts", "definitions", "eqns", "folding", "in_vars", "numbered")

    abstract = True

    def __init__(self, name: str, folding: bool = False) -> None:
        super().__init__(None, name)
        self.folding = folding
        self.in_vars: list[Var] = []
        self.eqns: list[Eqn] = []
        #: id of a captured value -> (variable, the value, kept alive so that the id stays its own)
        self.consts: dict[int, tuple[Var, Any]] = {}
        self.numbered: dict[Any, tuple[Var, ...]] = {}
        self.definitions: dict[Var, Eqn] = {}

    def input(self, aval: ShapedArray) -> StagedTracer:
        """A fresh input."""
        var = Var(aval)
        self.in_vars.append(var)
        return StagedTracer(self, var)

    def atom(self, primitive: Primitive, value: Any) -> Atom:
        """What stands for `value` in the program."""
        if type(value) is StagedTracer and value._trace is self:
            return value.atom
        if isinstance(value, Tracer):
            if not value._trace.alive:
                raise value.leak_error(primitive)
        elif type(value) is not Array:
            value = adopt(np.array(value))
        if type(value) is Array and value._data.ndim == 0:
            return Literal(value)
        found = self.consts.get(id(value))
        if found is None:
            found = self.consts[id(value)] = (Var(value.aval), value)
        return found[0]

    def process(self, primitive: Primitive, args: Any, params: dict[str, Any]) -> Any:
        """Record an application."""
        if not self.alive:
            raise StagedTracer(self, Var(ShapedArray((), np.dtype(bool)))).leak_error(primitive)
        atoms = tuple([self.atom(primitive, a) for a in args])
        if primitive.stage is not None:
            params = primitive.stage([a.aval for a in atoms], params)
            captured = params.pop("captured", ())
            atoms = tuple([self.atom(primitive, c) for c in captured]) + atoms
        if self.folding and primitive.fold is not None:
            folded = primitive.fold(self, atoms, params)
            if folded is not None and folded.aval == primitive.infer(
                *[a.aval for a in atoms], **params
            ):  # an operand may be weak where the result is not
                return StagedTracer(self, folded)
        effects = primitive.effects(params) if primitive.effects is not None else frozenset()
        key = None if effects else self.number(primitive, atoms, params)
        outputs = self.numbered.get(key) if key is not None else None
        if outputs is None:
            outputs = self.record(primitive, atoms, params, effects)
            if key is not None:
                self.numbered[key] = outputs
        if primitive.multiple_results:
            return [StagedTracer(self, v) for v in outputs]
        return StagedTracer(self, outputs[0])

    def record(
        self, primitive: Primitive, atoms: tuple[Atom, ...], params: dict[str, Any], effects: Any
    ) -> tuple[Var, ...]:
        """Append an equation."""
        types = primitive.infer(*[a.aval for a in atoms], **params)
        if not primitive.multiple_results:
            types = [types]
        outputs = tuple([Var(t) for t in types])
        eqn = Eqn(primitive, atoms, outputs, params, effects, _located())
        self.eqns.append(eqn)
        for v in outputs:
            self.definitions[v] = eqn
        return outputs

    def number(self, primitive: Primitive, atoms: tuple[Atom, ...], params: dict[str, Any]) -> Any:
        """What equal applications have in common, or None when the parameters can't be compared."""
        ids: list[Any] = [a if type(a) is Var else a.key for a in atoms]  # type: ignore[union-attr]
        if primitive.commutative and len(ids) == 2 and _rank(ids[0]) > _rank(ids[1]):
            ids.reverse()
        try:
            key = (primitive, tuple(ids), params_key(params))
            hash(key)
        except TypeError:
            return None
        return key

    def wrap(self, atom: Atom) -> StagedTracer:
        """A tracer of an atom."""
        return StagedTracer(self, atom)

    def definition(self, atom: Atom) -> Eqn | None:
        """The equation that binds an atom."""
        return self.definitions.get(atom) if type(atom) is Var else None

    def finish(
        self, outs: Sequence[Any], primitive: Primitive | None = None
    ) -> tuple[Jaxpr, list[Any]]:
        """The recorded program and the captured values, its leading inputs."""
        atoms = [self.atom(primitive or _output, o) for o in outs]
        consts = list(self.consts.values())
        self.alive = False
        in_vars = [v for v, _ in consts] + self.in_vars
        return Jaxpr(in_vars, self.eqns, atoms, self.name), [c for _, c in consts]


def _located() -> str:
    """The user's line, after the names that `named_scope` gave: ``encoder: train.py:12 (f)``."""
    line, scope = user_frame(), CONTEXT.get().scope
    if not scope or line.startswith(scope):  # a replayed line has its names
        return line
    return f"{scope}{'/' if ': ' in line else ': '}{line}"


class _Output:
    name = "output"


_output: Any = _Output()


def _rank(identity: Any) -> int:
    return id(identity) if type(identity) is Var else hash(identity)


def params_key(params: dict[str, Any]) -> Any:
    """Parameters as something that can be compared and hashed."""
    return tuple([(k, _hashable(params[k])) for k in sorted(params)])


def _hashable(value: Any) -> Any:
    if type(value) is np.ndarray:
        return (value.shape, value.dtype.str, value.tobytes())
    if type(value) is float and value != value:
        return "nan"
    if type(value) in (int, float, bool):
        return (type(value), value, str(value) if value == 0 else "")
    if type(value) is list:
        raise TypeError("lists are not hashed")
    return value


def stage(
    function: Callable[..., Sequence[Any]],
    avals: Sequence[ShapedArray],
    name: str = "function",
    folding: bool = False,
) -> tuple[Jaxpr, list[Any]]:
    """Record a function of flat arguments.

    Parameters
    ----------
    function : callable
        Takes ``len(avals)`` arrays, gives a sequence of arrays.
    avals : sequence of ShapedArray
        Types of the arguments.
    name : str
        For errors and printing.
    folding : bool
        Whether fold rules are applied while recording.

    Returns
    -------
    jaxpr : Jaxpr
        Its leading inputs are the captured values.
    consts : list
        The captured values: arrays, and tracers of transforms around.
    """
    trace = StagingTrace(name, folding)
    args = [trace.input(a) for a in avals]
    try:
        with running(trace):
            outs = function(*args)
        jaxpr, consts = trace.finish(outs)
    finally:
        trace.alive = False
    reference = watched(trace)
    if reference is not None:
        del trace, args, outs
        check_leaks(reference)
    return jaxpr, consts
