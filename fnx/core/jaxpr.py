"""The program: `Jaxpr`, a typed, first-order list of equations in single assignment.

    Jaxpr   ::=  lambda var* . let eqn* in (atom*)
    eqn     ::=  var* = primitive[params] atom*
    atom    ::=  var | literal

A Jaxpr is closed: what a function captures is hoisted into leading inputs (`ClosedJaxpr` carries
their values). Types are static.  Equations with effects keep their order.  Read next: `staging`
(how one is recorded), `printing` (how one looks), `check` (when one is well formed).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from fnx.core.array import Array, adopt
from fnx.core.primitive import Primitive
from fnx.core.types import Effect, ShapedArray
from fnx.dtypes import scalar_dtype
from fnx.errors import ArgumentTypeError

__all__ = ["Atom", "ClosedJaxpr", "Eqn", "Jaxpr", "Literal", "Var", "eval_jaxpr", "subjaxprs"]


class Var:
    """A variable: an identity with a type.

    Parameters
    ----------
    aval : ShapedArray
        The type.
    """

    __slots__ = ("aval",)

    def __init__(self, aval: ShapedArray) -> None:
        self.aval = aval

    def __repr__(self) -> str:
        return f"Var({self.aval!r})"


class Literal:
    """A scalar constant in the text of the program.

    Parameters
    ----------
    value : Array or number
        A 0-d array, or what becomes one.
    aval : ShapedArray, optional
        The type of a number.
    """

    __slots__ = ("aval", "key", "value")

    def __init__(self, value: Any, aval: ShapedArray | None = None) -> None:
        if type(value) is not Array:
            dtype = scalar_dtype(value) if aval is None else aval.dtype
            value = adopt(np.asarray(value, dtype), aval is None or aval.weak_type)
        # An object of its own: the user may delete, or donate, theirs.
        self.value = Array(value._data, value._weak)
        self.aval = value.aval
        self.key = (self.aval, value._data.tobytes())

    @property
    def val(self) -> np.ndarray[Any, Any]:
        """The value as a 0-d ndarray."""
        return self.value._data

    def fresh(self) -> Array:
        """The value as an array that belongs to whoever asks."""
        return Array(self.value._data, self.value._weak)

    def __repr__(self) -> str:
        return f"Literal({self.value._data!r})"


Atom = Var | Literal


class Eqn:
    """One equation.

    Parameters
    ----------
    primitive : Primitive
        What is applied.
    inputs : tuple of Var or Literal
        To what.
    outputs : tuple of Var
        What it binds.
    params : dict
        Static parameters.
    effects : frozenset of Effect
        What it does besides.
    source : str
        The user's line.
    """

    __slots__ = ("effects", "inputs", "outputs", "params", "primitive", "source")

    def __init__(
        self,
        primitive: Primitive,
        inputs: tuple[Atom, ...],
        outputs: tuple[Var, ...],
        params: dict[str, Any],
        effects: frozenset[Effect] = frozenset(),
        source: str = "",
    ) -> None:
        self.primitive = primitive
        self.inputs = inputs
        self.outputs = outputs
        self.params = params
        self.effects = effects
        self.source = source

    @property
    def invars(self) -> list[Atom]:
        """What it is applied to (as JAX names it)."""
        return list(self.inputs)

    @property
    def outvars(self) -> list[Var]:
        """What it binds (as JAX names it)."""
        return list(self.outputs)

    @property
    def source_info(self) -> str:
        """The user's line (as JAX names it)."""
        return self.source

    def replace(self, **changes: Any) -> Eqn:
        """A copy with other ``invars``, ``outvars``, ``primitive``, ``params`` or ``effects``."""
        fields = ("invars", "outvars", "primitive", "params", "effects", "source_info")
        now = _changed("Eqn.replace", {name: getattr(self, name) for name in fields}, changes)
        return Eqn(
            now["primitive"],
            tuple(now["invars"]),
            tuple(now["outvars"]),
            now["params"],
            frozenset(now["effects"]),
            now["source_info"],
        )

    def __repr__(self) -> str:
        return f"Eqn({self.primitive.name})"


class Jaxpr:
    """A closed, typed program.

    Parameters
    ----------
    in_vars : sequence of Var
        Inputs.
    eqns : sequence of Eqn
        In order.
    outs : sequence of Var or Literal
        Results.
    name : str
        Of the function it was traced from.
    captured : int
        How many of the leading inputs are captured values, as far as that is known.
    """

    __slots__ = ("__weakref__", "cache", "captured", "eqns", "in_vars", "name", "outs")

    def __init__(
        self,
        in_vars: Sequence[Var],
        eqns: Sequence[Eqn],
        outs: Sequence[Atom],
        name: str = "",
        captured: int = 0,
    ) -> None:
        self.captured = captured
        self.in_vars = tuple(in_vars)
        self.eqns = tuple(eqns)
        self.outs = tuple(outs)
        self.name = name
        #: What was derived from this program (its jvp, its transpose, ...), by key.
        self.cache: dict[Any, Any] = {}

    @property
    def in_avals(self) -> tuple[ShapedArray, ...]:
        """Types of the inputs."""
        return tuple(v.aval for v in self.in_vars)

    @property
    def out_avals(self) -> tuple[ShapedArray, ...]:
        """Types of the results."""
        return tuple(o.aval for o in self.outs)

    @property
    def effects(self) -> frozenset[Effect]:
        """All effects of all equations."""
        return frozenset().union(*(e.effects for e in self.eqns)) if self.eqns else frozenset()

    @property
    def jaxpr(self) -> Jaxpr:
        """The program itself (as on a closed one)."""
        return self

    @property
    def consts(self) -> tuple[Any, ...]:
        """None: what a program captured is among its inputs (as on a closed one)."""
        return ()

    @property
    def constvars(self) -> list[Var]:
        """Inputs that are captured values (as JAX names them)."""
        return list(self.in_vars[: self.captured])

    @property
    def invars(self) -> list[Var]:
        """Inputs that aren't captured (as JAX names them)."""
        return list(self.in_vars[self.captured :])

    @property
    def outvars(self) -> list[Atom]:
        """Results (as JAX names them)."""
        return list(self.outs)

    def replace(self, **changes: Any) -> Jaxpr:
        """A copy with other ``constvars``, ``invars``, ``outvars`` or ``eqns``."""
        fields = ("constvars", "invars", "outvars", "eqns")
        now = _changed("Jaxpr.replace", {name: getattr(self, name) for name in fields}, changes)
        inputs = [*now["constvars"], *now["invars"]]
        return Jaxpr(inputs, now["eqns"], now["outvars"], self.name, len(now["constvars"]))

    def derived(self, key: Any, make: Callable[[], Any]) -> Any:
        """What `make` gives, remembered on this program under `key`."""
        if key not in self.cache:
            self.cache[key] = make()
        return self.cache[key]

    def __repr__(self) -> str:
        from_printer = _printer[0]
        return from_printer(self) if from_printer else f"Jaxpr({len(self.eqns)} eqns)"


class ClosedJaxpr:
    """A program with the values of its leading, captured inputs.

    Parameters
    ----------
    jaxpr : Jaxpr
        Its first ``len(consts)`` inputs are the captured ones.
    consts : sequence of Array
        Their values.
    """

    __slots__ = ("consts", "jaxpr")

    def __init__(self, jaxpr: Jaxpr, consts: Sequence[Any]) -> None:
        self.consts = tuple(consts)
        if jaxpr.captured != len(self.consts):
            cache = jaxpr.cache  # it is the same program
            jaxpr = Jaxpr(jaxpr.in_vars, jaxpr.eqns, jaxpr.outs, jaxpr.name, len(self.consts))
            jaxpr.cache = cache
        self.jaxpr = jaxpr

    @property
    def literals(self) -> tuple[Any, ...]:
        """The captured values (as JAX names them in older programs)."""
        return self.consts

    def replace(self, **changes: Any) -> ClosedJaxpr:
        """A copy with another ``jaxpr`` or other ``consts``."""
        fields = {"jaxpr": self.jaxpr, "consts": self.consts}
        return ClosedJaxpr(**_changed("ClosedJaxpr.replace", fields, changes))

    @property
    def in_avals(self) -> tuple[ShapedArray, ...]:
        """Types of the inputs that are not captured."""
        return self.jaxpr.in_avals[len(self.consts) :]

    @property
    def out_avals(self) -> tuple[ShapedArray, ...]:
        """Types of the results."""
        return self.jaxpr.out_avals

    @property
    def eqns(self) -> tuple[Eqn, ...]:
        """The equations."""
        return self.jaxpr.eqns

    @property
    def effects(self) -> frozenset[Effect]:
        """All effects."""
        return self.jaxpr.effects

    def __call__(self, *args: Any) -> list[Any]:
        return eval_jaxpr(self.jaxpr, *self.consts, *args)

    def __repr__(self) -> str:
        from_printer = _printer[1]
        return from_printer(self) if from_printer else f"ClosedJaxpr({len(self.eqns)} eqns)"


def _changed(operation: str, fields: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(changes) - set(fields))
    if unknown:
        raise ArgumentTypeError(f"{operation}: no fields {unknown}; it has {list(fields)}.")
    return {**fields, **changes}


#: Set once by `printing`, which sits above this module.
_printer: list[Any] = [None, None]


def eval_jaxpr(jaxpr: Jaxpr, *args: Any) -> list[Any]:
    """Run a program, equation by equation, under the current trace.

    Parameters
    ----------
    jaxpr : Jaxpr
        The program.
    *args : Array or Tracer
        One for each input.

    Returns
    -------
    list
        One value for each result.
    """
    if len(args) != len(jaxpr.in_vars):
        raise ArgumentTypeError(
            f"eval_jaxpr: {jaxpr.name or 'the program'} takes {len(jaxpr.in_vars)} inputs, got "
            f"{len(args)}"
        )
    env: dict[Var, Any] = dict(zip(jaxpr.in_vars, args, strict=True))

    def read(atom: Atom) -> Any:
        return env[atom] if type(atom) is Var else atom.value  # type: ignore[union-attr]

    for eqn in jaxpr.eqns:
        replayed = eqn.source  # noqa: F841 (read by `user_frame`)
        out = eqn.primitive(*[read(a) for a in eqn.inputs], **eqn.params)
        if eqn.primitive.multiple_results:
            env.update(zip(eqn.outputs, out, strict=True))
        else:
            env[eqn.outputs[0]] = out
    return [env[o] if type(o) is Var else o.fresh() for o in jaxpr.outs]  # type: ignore[union-attr]


def subjaxprs(params: dict[str, Any]) -> Iterator[tuple[str, Jaxpr]]:
    """The programs that the parameters of an equation hold, with their names."""
    for key, value in params.items():
        if isinstance(value, Jaxpr):
            yield key, value
        elif isinstance(value, tuple):
            for k, item in enumerate(value):
                if isinstance(item, Jaxpr):
                    yield f"{key}[{k}]", item
