"""`Primitive`: one operation with every rule that the system may ask of it.

A slot holds a rule, ``Derived("jvp")`` (the transform derives it from the named slot), or
``Undefined("why")`` with a mathematical reason.  A slot is never just missing: asking for an unset
one raises `MissingRuleError` with instructions.

=============  ====================================================================================
infer          ``infer(*avals, **params) -> aval`` (or a list): result types; raises shape errors
evaluate       ``evaluate(*ndarrays, **params) -> ndarray`` (or a list): NumPy, and nothing else
jvp            ``jvp(primals, tangents, **params) -> (out, tangent)``; a tangent may be a `Zero`
linearize      ``linearize(nonzeros, primals, **params) -> (outs, nonzeros_out, tangent_fun)``;
               derived from jvp
transpose      ``transpose(ct, *operands, **params) -> [ct or None per operand]``; what it is linear
               in comes as a `Linear(aval)`; only for primitives that are linear in something
vmap           ``vmap(size, args, dims, **params) -> (out, out_dim)``; dims are ints or None
jet            ``jet(primals, series, **params) -> (out, out_series)``; Taylor coefficients, see
               `transforms.jet`
lower          `Element`, `Kernel` or `Host` (see `core.lowering`); in `control` a function
=============  ====================================================================================

Rules are written with operations, never with NumPy (but `evaluate`), so they're themselves
differentiable, batchable and compilable.  Read next: `tracing` (who calls the rules).
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fnx.config import CONTEXT, config
from fnx.core.array import Array, adopt
from fnx.core.finite import check_finite
from fnx.core.types import Effect, ShapedArray
from fnx.dtypes import scalar_dtype
from fnx.errors import ArgumentTypeError, ArgumentValueError, MissingRuleError

__all__ = [
    "SLOTS",
    "Derived",
    "HigherOrderPrimitive",
    "Linear",
    "Primitive",
    "Sample",
    "Undefined",
    "Zero",
    "quietly",
    "registry",
    "rule",
]

#: The slots, in the order of documentation.
SLOTS = ("infer", "evaluate", "jvp", "linearize", "transpose", "vmap", "jet", "lower")


@dataclass(frozen=True, slots=True)
class Derived:
    """A slot that the transform fills from another one.

    Parameters
    ----------
    source : str
        The name of that slot, for example ``"jvp"``.
    """

    source: str


@dataclass(frozen=True, slots=True)
class Undefined:
    """A slot that mathematics leaves empty.

    Parameters
    ----------
    why : str
        The mathematical reason, which users see.
    """

    why: str


@dataclass(frozen=True, slots=True)
class Zero:
    """A tangent, cotangent or coefficient that is zero for a structural reason; never an array.

    Parameters
    ----------
    aval : ShapedArray
        The type of the zeros that it stands for.
    """

    aval: ShapedArray


@dataclass(frozen=True, slots=True)
class Linear:
    """What a transpose rule gets in place of an operand that the primitive is linear in.

    Parameters
    ----------
    aval : ShapedArray
        The type of the operand.
    """

    aval: ShapedArray

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


@dataclass(frozen=True)
class Sample:
    """One case of a primitive's sampler, inside the domain of smoothness.

    Parameters
    ----------
    args : tuple of ndarray
        The operands.
    params : dict
        The parameters.
    linear : tuple of int
        Positions of operands that the primitive is linear in, jointly (for the transpose law).
    smooth : bool
        Whether derivatives may be compared with finite differences here.
    """

    args: tuple[Any, ...]
    params: dict[str, Any]
    linear: tuple[int, ...] = ()
    smooth: bool = True


#: Every primitive by name; written while modules are imported, never after.
registry: dict[str, Primitive] = {}


class Primitive:
    """An operation with all of its rules; calling it applies it.

    Parameters
    ----------
    name : str
        What printed Jaxprs show; unique among those with a sampler.
    infer, evaluate, jvp, linearize, transpose, vmap, jet, lower : rule, Derived or Undefined
        See the module's docstring.
    multiple_results : bool
        Whether rules give lists.
    commutative : bool
        Whether ``p(x, y)`` and ``p(y, x)`` have the same bits, so that value numbering may merge
        them.
    fold : callable, optional
        ``fold(staging, atoms, params) -> atom or None``: an equal, simpler value, respecting NaN,
        inf and -0.
    stage : callable, optional
        For primitives that hold functions: ``stage(atoms_avals, params) -> params`` with Jaxprs in
        their place.
    native : callable, optional
        The named kernel's entry on ndarrays, for eager calls above `native_from` units of work.
    native_from : int
        From how much work on; below it NumPy answers sooner.
    work : callable, optional
        ``work(*avals, **params) -> int``: elementary operations, to compare with `native_from`.
    sample : callable, optional
        ``sample(rng) -> iterable of Sample``: the cases of the law tests. All primitives of fnx
        have one, and are found in `registry` by their names.
    effects : callable, optional
        ``effects(params) -> frozenset of Effect``.
    """

    __slots__ = (
        "commutative",
        "effects",
        "evaluate",
        "fold",
        "infer",
        "jet",
        "jvp",
        "linearize",
        "lower",
        "multiple_results",
        "name",
        "native",
        "native_from",
        "sample",
        "stage",
        "transpose",
        "vmap",
        "work",
    )

    def __init__(
        self,
        name: str,
        *,
        infer: Any = None,
        evaluate: Any = None,
        jvp: Any = None,
        vmap: Any = None,
        lower: Any = None,
        transpose: Any = None,
        linearize: Any = None,
        jet: Any = None,
        multiple_results: bool = False,
        commutative: bool = False,
        fold: Callable[..., Any] | None = None,
        stage: Callable[..., Any] | None = None,
        native: Callable[..., Any] | None = None,
        native_from: int = 0,
        work: Callable[..., int] | None = None,
        sample: Callable[[np.random.Generator], Iterable[Sample]] | None = None,
        effects: Callable[[dict[str, Any]], frozenset[Effect]] | None = None,
    ) -> None:
        if sample is not None and name in registry:
            raise ArgumentValueError(f"primitive {name!r} is already registered")
        self.name = name
        self.infer = infer
        self.evaluate = evaluate
        self.jvp = jvp
        self.linearize = Derived("jvp") if linearize is None else linearize
        self.transpose = Undefined("not linear in any operand") if transpose is None else transpose
        self.vmap = vmap
        self.jet = Derived("jvp") if jet is None else jet
        self.lower = lower
        self.multiple_results = multiple_results
        self.commutative = commutative
        self.fold = fold
        self.stage = stage
        self.native = native
        self.native_from = native_from
        self.work = work
        self.sample = sample
        self.effects = effects
        if sample is not None:
            registry[name] = self

    def __repr__(self) -> str:
        return self.name

    def bind(self, *args: Any, **params: Any) -> Any:
        """Apply, also to numbers and NumPy arrays; otherwise the same as calling it."""
        operands = [a if hasattr(a, "aval") else _refuse(self, a) for a in args]
        return self(*operands, **params)

    def get_bind_params(self, params: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """What an equation's parameters are for `bind`: no functions, and the parameters.

        Parameters
        ----------
        params : dict
            An equation's.
        """
        return [], dict(params)

    def __call__(self, *args: Any, **params: Any) -> Any:
        """Apply to arrays or tracers, under the current trace."""
        context = CONTEXT.get()
        trace = context.trace
        if trace is not None:
            known = [
                a if type(a) is Array or hasattr(a, "aval") else _refuse(self, a) for a in args
            ]
            return trace.process(self, known, params)
        out = self.apply(args, params)
        if (context.settings or config._process).watches:
            results = out if self.multiple_results else [out]
            operands = [a._data for a in args if type(a) is Array]
            check_finite(self.name, [r._data for r in results], operands)
        return out

    def apply(self, args: Sequence[Any], params: dict[str, Any]) -> Any:
        """Evaluate on arrays."""
        operands = [a if type(a) is Array else _refuse(self, a) for a in args]
        out_type = self.infer(*[a.aval for a in operands], **params)
        data = [a._data for a in operands]
        if (
            self.native is not None
            and self.work is not None
            and self.work(*[a.aval for a in operands], **params) >= self.native_from
        ):
            out = self.native(*data, **params)
        else:
            out = quietly(self.evaluate, *data, **params)
        if self.multiple_results:
            return [adopt(o, t.weak_type) for o, t in zip(out, out_type, strict=True)]
        return adopt(out, out_type.weak_type)


def rule(primitive: Primitive, slot: str) -> Any:
    """The rule in a slot; raises with instructions when there is none.

    Raises
    ------
    MissingRuleError
        The slot is unset or Undefined.
    """
    found = getattr(primitive, slot)
    if callable(found):
        return found
    if isinstance(found, Undefined):
        raise MissingRuleError(
            f"{slot} of `{primitive.name}` is not defined: {found.why}. "
            "Take the result out of the differentiated part with `lax.stop_gradient`, or wrap the "
            "computation in `custom_jvp` to say what you mean."
        )
    table = _TABLES.get(slot)
    instead = f", or set {table}[p] = rule (from fnx.interpreters)" if table else ""
    raise MissingRuleError(
        f"`{primitive.name}` has no {slot} rule. Give Primitive(..., {slot}=rule) a function, "
        f'Derived("jvp"), or Undefined("why"){instead}.'
    )


#: Where programs written for JAX put rules.
_TABLES = {
    "jvp": "ad.primitive_jvps",
    "transpose": "ad.primitive_transposes",
    "vmap": "batching.primitive_batchers",
}


class _Quiet(threading.local):
    """A context in which NumPy neither warns nor raises on floating-point events, one per thread.

    Entering ``np.errstate`` costs 0.8 us, running in a prepared context 0.03 us.
    """

    def __init__(self) -> None:
        self.context = contextvars.Context()
        self.context.run(lambda: np.seterr(all="ignore"))
        self.busy = False


_quiet = _Quiet()


def quietly(function: Callable[..., Any], *args: Any, **params: Any) -> Any:
    """Call a NumPy function; infinities and NaNs are results here, not warnings."""
    quiet = _quiet
    if quiet.busy:  # an evaluate rule that calls another one
        return function(*args, **params)
    quiet.busy = True
    try:
        return quiet.context.run(function, *args, **params)
    finally:
        quiet.busy = False


def _refuse(primitive: Primitive, value: Any) -> Array:
    """Convert numbers and NumPy values; report tracers of a transform that has ended."""
    if isinstance(value, (np.ndarray, np.generic)):
        return adopt(np.array(value))
    if type(value) in (bool, int, float, complex):
        return adopt(np.asarray(value, scalar_dtype(value)), type(value) is not bool)
    report = getattr(value, "leak_error", None)
    if report is not None:
        raise report(primitive)
    raise ArgumentTypeError(
        f"{primitive.name}: expected an array, got {type(value).__name__}. "
        "Convert it with `fnx.numpy.asarray`."
    )


class HigherOrderPrimitive(Primitive):
    """A primitive that holds functions or Jaxprs (control flow, custom rules, jit).

    Its `evaluate` gets and gives `Array` objects, runs in the caller's context, and may apply other
    primitives.

    Parameters
    ----------
    inline : callable, optional
        ``inline(params) -> Jaxpr``: the program that may stand in its place.
    inline_at : {"simplify", "compile", "schedule"}
        When it does: whenever a program is simplified (jit); only when it is compiled, because it
        carries a rule for transforms (custom rules); only after the compiler's value numbering,
        because it must be computed again (checkpoint).
    prune : callable, optional
        ``prune(eqn, used) -> (eqn or None, used_inputs)``: drop what nobody reads.
    """

    __slots__ = ("inline", "inline_at", "prune")

    def __init__(
        self,
        name: str,
        *,
        inline: Callable[[dict[str, Any]], Any] | None = None,
        inline_at: str = "simplify",
        prune: Callable[..., Any] | None = None,
        **rules: Any,
    ) -> None:
        super().__init__(name, **rules)
        self.inline = inline
        self.inline_at = inline_at
        self.prune = prune

    def apply(self, args: Sequence[Any], params: dict[str, Any]) -> Any:
        """Evaluate on arrays."""
        return self.evaluate(*[a if type(a) is Array else _refuse(self, a) for a in args], **params)
