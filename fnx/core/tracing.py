"""`Trace` and `Tracer`: how a transform intercepts primitives.

One trace is current; `Primitive.__call__` hands every application to it.  A trace wraps what it
follows in its own tracers, treats everything else as a constant, and runs rules with its parent as
the current trace: so transforms nest by nesting traces, and the outermost parent is either
evaluation (None) or a staging trace.

Why the current trace decides, and not the data: with
``f = lambda x: x * grad(lambda y: x + y)(1.)`` the inner transform sees the outer tracer `x` as a
constant, whatever wraps it; no perturbation is ever confused. Read next: `jaxpr`, then `staging`.
"""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np

from fnx.config import CONTEXT, Context, settings
from fnx.core.array import Array, Traced
from fnx.core.device import CPU, Device, SingleDeviceSharding
from fnx.core.primitive import Primitive
from fnx.core.types import ShapedArray
from fnx.errors import (
    ConcretizationTypeError,
    TracerArrayConversionError,
    TracerBoolConversionError,
    TracerIntegerConversionError,
    UnexpectedTracerError,
    user_frame,
    user_operation,
)

__all__ = ["Trace", "Tracer", "aval_of", "check_leaks", "running", "traces_abstractly", "watched"]


class Trace:
    """A transform at work.

    Parameters
    ----------
    parent : Trace or None
        Where rules run; None evaluates.
    name : str
        The transform and the function, for errors.
    """

    __slots__ = ("__weakref__", "alive", "made", "name", "parent")

    #: Whether values are unknown here (staging); a trace above inherits it from its root.
    abstract = False

    def __init__(self, parent: Trace | None, name: str) -> None:
        self.parent = parent
        self.name = name
        self.alive = True
        #: Where tracers were made, by id; kept only while leaks are checked.
        self.made: dict[int, str] | None = {} if settings().check_tracer_leaks else None

    def noted(self, tracer: Tracer) -> Tracer:
        """The tracer; while leaks are checked, the user's line is kept with it."""
        if self.made is not None:
            self.made[id(tracer)] = user_frame()
        return tracer

    def process(self, primitive: Primitive, args: Any, params: dict[str, Any]) -> Any:
        """Apply `primitive` to tracers of this trace and constants."""
        raise NotImplementedError


def traces_abstractly(trace: Trace | None) -> bool:
    """Whether a trace ends in staging, so that no value is known in it."""
    while trace is not None:
        if trace.abstract:
            return True
        trace = trace.parent
    return False


class running:
    """Context manager: make `trace` the current one.

    Parameters
    ----------
    trace : Trace or None
        None evaluates.
    """

    __slots__ = ("token", "trace")

    def __init__(self, trace: Trace | None) -> None:
        self.trace = trace

    def __enter__(self) -> None:
        now = CONTEXT.get()
        self.token = CONTEXT.set(Context(self.trace, now.axis_env, now.settings, now.scope))

    def __exit__(self, *exception: object) -> None:
        CONTEXT.reset(self.token)


class Tracer(Traced):
    """Stands for an array while a transform follows the computation."""

    __slots__ = ("__weakref__", "_trace")
    _trace: Trace
    __array_priority__ = 200

    #: Whether a derivative goes with the value, and would be lost by a conversion to numbers.
    differentiated = False

    def __hash__(self) -> int:  # by identity, although == compares elements
        return id(self) >> 4

    @property
    def aval(self) -> ShapedArray:
        """The type."""
        raise NotImplementedError

    @property
    def shape(self) -> tuple[int, ...]:
        """The extents."""
        return self.aval.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The element type."""
        return self.aval.dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.aval.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.aval.size

    @property
    def weak_type(self) -> bool:
        """Whether the dtype yields in promotion."""
        return self.aval.weak_type

    @property
    def device(self) -> Device:
        """Where it is: on the CPU."""
        return CPU

    @property
    def sharding(self) -> SingleDeviceSharding:
        """How it is divided over devices: it is whole, on the CPU."""
        return SingleDeviceSharding(CPU)

    def devices(self) -> set[Device]:
        """The devices that hold a part of it."""
        return {CPU}

    def concrete(self) -> Array | None:
        """The value, if it is known although it is traced."""
        return None

    @property
    def identity(self) -> Any:
        """What tracers of one value of a trace have in common; hashable."""
        return self

    def sources(self) -> list[Any]:
        """The identities of the inputs of the trace that the value was computed from, if known."""
        return []

    def origin(self) -> str:
        """Where the tracer was made, for errors: the user's line, if it is known."""
        made = self._trace.made
        return made.get(id(self), "") if made is not None else ""

    def __repr__(self) -> str:
        return f"Tracer<{self.aval!r}, {self._trace.name}>"

    def leak_error(self, primitive: Primitive) -> Exception:
        """What to raise when this tracer is used where its trace isn't at work."""
        state = "isn't the current one" if self._trace.alive else "has ended"
        origin = self.origin()
        made = f"made at {origin}" if origin else "fnx.checking_leaks() tells where it was made"
        return UnexpectedTracerError(
            f"{primitive.name}: got a tracer of {self.aval!r} ({made}) from the trace of "
            f"{self._trace.name}, which {state}: it leaked out of the function. Return the value "
            "from the function instead of storing it outside."
        )

    def _known(self, error: type[Exception], doing: str, remedy: str, keep: bool = False) -> Array:
        """The value; with `keep` only if no derivative gets lost by taking it."""
        value = self.concrete()
        if value is None or (keep and self.differentiated):
            doing = user_operation() or doing
        if keep and self.differentiated and value is not None:
            raise error(
                f"{doing}: {self.aval!r} is differentiated by {self._trace.name}; as a number it "
                f"would have no derivative. {remedy} If it is meant as a constant, say so: "
                "lax.stop_gradient(x), or x.item()."
            )
        if value is None:
            raise error(
                f"{doing}: the value of a traced array {self.aval!r} is not known "
                f"while {self._trace.name} is traced. {remedy}"
            )
        return value

    def __bool__(self) -> bool:
        return bool(
            self._known(
                TracerBoolConversionError,
                "bool()",
                "Use `lax.cond`, `lax.while_loop` or `jnp.where` instead of if and while, "
                "or mark the argument with static_argnums.",
            )._data
        )

    def __int__(self) -> int:
        return int(self._known(ConcretizationTypeError, "int()", _STATIC)._data)

    def __float__(self) -> float:
        return float(self._known(ConcretizationTypeError, "float()", _ARRAY, True)._data)

    def __complex__(self) -> complex:
        return complex(self._known(ConcretizationTypeError, "complex()", _ARRAY, True)._data)

    def __index__(self) -> int:
        known = self._known(
            TracerIntegerConversionError,
            "operator.index()",
            "Shapes, axes and list indices must be Python integers; index arrays with `jnp.take` "
            "or `x[i]` on an array, loop with `lax.fori_loop`, or mark the argument with "
            "static_argnums.",
        )
        return known._data.__index__()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        known = self._known(
            TracerArrayConversionError,
            "numpy.asarray()",
            "Use the function of `fnx.numpy` of the same name, or `pure_callback`.",
            True,
        )
        return known.__array__(dtype, copy)

    def tolist(self) -> Any:
        """The elements as Python scalars, if they are known."""
        return self._known(ConcretizationTypeError, "tolist", _ARRAY, True).tolist()

    def item(self, *index: int) -> Any:
        """One element as a Python scalar, if it is known."""
        return self._known(ConcretizationTypeError, "item", _STATIC).item(*index)

    def block_until_ready(self) -> Tracer:
        """The tracer itself."""
        return self


def watched(trace: Trace) -> weakref.ref[Trace] | None:
    """What `check_leaks` asks for; None unless leaks are checked (`fnx.checking_leaks`)."""
    return weakref.ref(trace) if settings().check_tracer_leaks else None


def check_leaks(reference: weakref.ref[Trace] | None) -> None:
    """Raise if tracers of a trace that has ended are still referred to.

    Parameters
    ----------
    reference : weak reference or None
        From `watched`; the caller keeps nothing that refers to the trace.

    Raises
    ------
    UnexpectedTracerError
        Names the function, the types of the tracers, and what holds them.
    """
    if reference is None or reference() is None:
        return
    gc.collect()
    trace = reference()
    if trace is None:
        return
    leaked = [t for t in gc.get_referrers(trace) if isinstance(t, Tracer)]
    if not leaked:  # something else of ours holds the trace: no business of the user's
        return
    types = ", ".join([f"{t.aval!r} (made at {t.origin() or 'the call'})" for t in leaked])
    holders = {type(h).__name__ for t in leaked for h in gc.get_referrers(t) if h is not leaked}
    raise UnexpectedTracerError(
        f"{trace.name}: the function has ended, but tracers of {types} are still referred to, by "
        f"objects of type {', '.join(sorted(holders - {'frame'}))}: they leaked. Return the values "
        "from the function instead of storing them outside."
    )


_STATIC = "Return the array itself, or mark the argument with static_argnums."
_ARRAY = (
    "Compute with the array itself (x.astype(float) converts one), or mark the argument with "
    "static_argnums."
)


def aval_of(value: Any) -> ShapedArray:
    """The type of an array or a tracer."""
    aval: ShapedArray = value.aval
    return aval
