"""What call-like primitives share: the rules of a primitive whose meaning is "run this program".

Each rule transforms the program and applies the primitive to the result: the jvp of a call is a
call of the jvp. Helpers here reorder inputs and drop results of programs; loops and branches use
them too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fnx.core.array import Array, adopt
from fnx.core.jaxpr import Eqn, Jaxpr, Var, eval_jaxpr
from fnx.core.primitive import HigherOrderPrimitive, Linear, Zero
from fnx.core.simplify import drop_dead
from fnx.core.types import Effect, ShapedArray, float0, tangent_type
from fnx.errors import ArgumentTypeError
from fnx.primitives.shaping import move_axis, zeros
from fnx.transforms.batching import vmap_jaxpr
from fnx.transforms.jet import jet_jaxpr
from fnx.transforms.jvp import jvp_jaxpr
from fnx.transforms.linearize import linearize_jaxpr
from fnx.transforms.transpose import transpose_jaxpr

__all__ = [
    "again",
    "call_primitive",
    "front",
    "has_tangent",
    "merge_captured",
    "nonzero_inputs",
    "nonzero_series",
    "select_outs",
    "silent",
    "spread",
    "typed",
    "with_inputs",
    "zeros_of",
]


def with_inputs(jaxpr: Jaxpr, order: Sequence[int], outs: Sequence[int] | None = None) -> Jaxpr:
    """The same program with its inputs (and results) in another order."""
    order = tuple(order)
    chosen = tuple(range(len(jaxpr.outs))) if outs is None else tuple(outs)

    def make() -> Jaxpr:
        return Jaxpr(
            [jaxpr.in_vars[k] for k in order],
            jaxpr.eqns,
            [jaxpr.outs[k] for k in chosen],
            jaxpr.name,
        )

    return jaxpr.derived(("order", order, chosen), make)


def select_outs(jaxpr: Jaxpr, used: Sequence[bool]) -> Jaxpr:
    """The program without the results that aren't used."""
    used = tuple(used)
    return jaxpr.derived(("used", used), lambda: drop_dead(jaxpr, used))


def silent(jaxpr: Jaxpr) -> Jaxpr:
    """The program without what it only prints (effects that may as well happen twice)."""

    def make() -> Jaxpr:
        kept = [
            e for e in jaxpr.eqns if e.outputs or not all(effect.repeatable for effect in e.effects)
        ]
        return drop_dead(Jaxpr(jaxpr.in_vars, kept, jaxpr.outs, jaxpr.name))

    return jaxpr.derived("silent", make) if jaxpr.effects else jaxpr


def again(jaxpr: Jaxpr) -> Jaxpr:
    """The program as a derivative computes it again: without what happens only once."""

    def make() -> Jaxpr:
        kept = []
        for eqn in jaxpr.eqns:
            if not any(effect.once for effect in eqn.effects):
                kept.append(eqn)
            elif eqn.outputs:
                params = {k: _again_within(v) for k, v in eqn.params.items()}
                rule = eqn.primitive.effects
                effects = rule(params) if rule is not None else frozenset()
                kept.append(
                    Eqn(eqn.primitive, eqn.inputs, eqn.outputs, params, effects, eqn.source)
                )
        return drop_dead(Jaxpr(jaxpr.in_vars, kept, jaxpr.outs, jaxpr.name))

    once = any(effect.once for effect in jaxpr.effects)
    return jaxpr.derived("again", make) if once else jaxpr


def _again_within(value: Any) -> Any:
    if isinstance(value, Jaxpr):
        return again(value)
    if type(value) is tuple and any(isinstance(item, Jaxpr) for item in value):
        return tuple([_again_within(item) for item in value])
    return value


def merge_captured(programs: Sequence[tuple[Jaxpr, list[Any]]]) -> tuple[list[Any], list[Jaxpr]]:
    """Programs with the same leading inputs: all values that any of them captures.

    Parameters
    ----------
    programs : sequence of (Jaxpr, list)
        Each with what it captures, the values of its leading inputs.
    """
    all_consts: list[Any] = []
    places: dict[int, int] = {}
    for _, consts in programs:
        for c in consts:
            if id(c) not in places:
                places[id(c)] = len(all_consts)
                all_consts.append(c)
    used = tuple([tuple([places[id(c)] for c in consts]) for _, consts in programs])

    def make() -> list[Jaxpr]:
        merged = []
        for (jaxpr, _), mine in zip(programs, used, strict=True):
            own = dict(zip(mine, jaxpr.in_vars, strict=False))
            leading = [own.get(k) or Var(c.aval) for k, c in enumerate(all_consts)]
            rest = jaxpr.in_vars[len(mine) :]
            merged.append(Jaxpr([*leading, *rest], jaxpr.eqns, jaxpr.outs, jaxpr.name))
        return merged

    # Kept with the first program, so that what is derived from the merged ones is kept, too.
    first, *others = [jaxpr for jaxpr, _ in programs]
    return all_consts, first.derived(("merged", tuple(others), used), make)


def has_tangent(aval: ShapedArray) -> bool:
    """Whether values of a type can have tangents that aren't trivial."""
    return tangent_type(aval).dtype != float0


def nonzero_inputs(tangents: Sequence[Any]) -> tuple[bool, ...]:
    """Which tangents aren't structurally zero."""
    return tuple([type(t) is not Zero for t in tangents])


def nonzero_series(series: Sequence[Sequence[Any]]) -> tuple[bool, ...]:
    """Which series aren't structurally zero."""
    return tuple([not all(type(c) is Zero for c in terms) for terms in series])


def zeros_of(primal: Any) -> Zero:
    """The structural zero tangent of a value."""
    return Zero(tangent_type(primal.aval))


def spread(values: Sequence[Any], present: Sequence[bool], missing: Callable[[int], Any]) -> list:
    """`values` at the places where `present`, else ``missing(k)``."""
    it = iter(values)
    return [next(it) if p else missing(k) for k, p in enumerate(present)]


def front(args: Sequence[Any], dims: Sequence[int | None]) -> list[Any]:
    """Mapped axes moved to the front."""
    return [a if d is None else move_axis(a, d, 0) for a, d in zip(args, dims, strict=True)]


def instantiate_series(terms: Sequence[Any]) -> list[Any]:
    """Zeros in place of `Zero` coefficients."""
    return [zeros(c.aval) if type(c) is Zero else c for c in terms]


def call_primitive(
    name: str,
    evaluate: Callable[..., list[Any]],
    *,
    inline_at: str = "simplify",
    rewrap: Callable[[dict[str, Any], Jaxpr], dict[str, Any]],
    effects: Callable[[dict[str, Any]], frozenset[Effect]] | None = None,
    **slots: Any,
) -> HigherOrderPrimitive:
    """A primitive that runs the program in its parameter ``jaxpr``.

    Parameters
    ----------
    name : str
        The primitive's name.
    evaluate : callable
        ``evaluate(*arrays, jaxpr, ...) -> list``.
    inline_at : str
        See `HigherOrderPrimitive`.
    rewrap : callable
        ``rewrap(params, jaxpr) -> params``: the parameters of a call of a transformed program.
    **slots
        Rules in place of the shared ones.
    """

    def bind(args: Sequence[Any], params: dict[str, Any], jaxpr: Jaxpr) -> list[Any]:
        return primitive(*args, **rewrap(params, jaxpr))

    def jvp(primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> Any:
        jaxpr: Jaxpr = params["jaxpr"]
        nonzero = nonzero_inputs(tangents)
        program, nonzero_out = jvp_jaxpr(jaxpr, nonzero)
        given = [t for t in tangents if type(t) is not Zero]
        results = bind([*primals, *given], params, program)
        outs = results[: len(jaxpr.outs)]
        return outs, spread(results[len(outs) :], nonzero_out, lambda k: zeros_of(outs[k]))

    def linearize(nonzeros: Sequence[bool], primals: Sequence[Any], **params: Any) -> Any:
        jaxpr: Jaxpr = params["jaxpr"]
        split = linearize_jaxpr(jaxpr, tuple(nonzeros))
        results = bind(primals, params, split.primal)
        outs, residuals = results[: len(jaxpr.outs)], results[len(jaxpr.outs) :]

        def linear(tangents: Sequence[Any]) -> list[Any]:
            return bind([*residuals, *tangents], params, split.tangent)

        return outs, split.nonzero_out, linear

    def transpose(cts: Sequence[Any], *operands: Any, **params: Any) -> list[Any]:
        jaxpr: Jaxpr = params["jaxpr"]
        linear = [type(a) is Linear for a in operands]
        order = [k for k, n in enumerate(linear) if not n] + [k for k, n in enumerate(linear) if n]
        used = [type(c) is not Zero for c in cts]
        program = select_outs(with_inputs(jaxpr, order), used)
        constants = [a for a in operands if type(a) is not Linear]
        transposed = transpose_jaxpr(program, len(constants))
        given = [c for c in cts if type(c) is not Zero]
        pulled = bind([*constants, *given], params, transposed)
        return spread(pulled, linear, lambda k: None)

    def vmap(size: int, args: Sequence[Any], dims: Sequence[Any], **params: Any) -> Any:
        mapped = tuple([d is not None for d in dims])
        program, mapped_out = vmap_jaxpr(params["jaxpr"], size, mapped)
        outs = bind(front(args, dims), params, program)
        return outs, [0 if m else None for m in mapped_out]

    def jet(primals: Sequence[Any], series: Sequence[Sequence[Any]], **params: Any) -> Any:
        jaxpr: Jaxpr = params["jaxpr"]
        order = len(series[0])
        nonzero = nonzero_series(series)
        program, nonzero_out = jet_jaxpr(jaxpr, order, nonzero)
        given = [
            c for s, n in zip(series, nonzero, strict=True) if n for c in instantiate_series(s)
        ]
        results = bind([*primals, *given], params, program)
        outs, rest = results[: len(jaxpr.outs)], results[len(jaxpr.outs) :]
        groups = [rest[k : k + order] for k in range(0, len(rest), order)]
        return outs, spread(groups, nonzero_out, lambda k: [zeros_of(outs[k])] * order)

    def infer(*avals: ShapedArray, **params: Any) -> list[ShapedArray]:
        jaxpr: Jaxpr = params["jaxpr"]
        for k, (given, expected) in enumerate(zip(avals, jaxpr.in_avals, strict=True)):
            if not given.same_type(expected):
                raise ArgumentTypeError(
                    f"{name} of {jaxpr.name}: input {k} must be {expected!r}, got {given!r}."
                )
        return list(jaxpr.out_avals)

    def prune(eqn: Eqn, used: Sequence[bool]) -> Eqn:
        program = select_outs(eqn.params["jaxpr"], used)
        read = {a for e in program.eqns for a in e.inputs} | set(program.outs)
        kept = [k for k, v in enumerate(program.in_vars) if v in read]
        program = with_inputs(program, kept)
        return Eqn(
            eqn.primitive,
            tuple([eqn.inputs[k] for k in kept]),
            tuple([v for v, u in zip(eqn.outputs, used, strict=True) if u]),
            rewrap(eqn.params, program),
            eqn.effects,
            eqn.source,
        )

    rules: dict[str, Any] = {
        "infer": infer,
        "evaluate": evaluate,
        "jvp": jvp,
        "linearize": linearize,
        "transpose": transpose,
        "vmap": vmap,
        "jet": jet,
        "lower": "call",
        "prune": prune,
        "effects": effects or (lambda params: params["jaxpr"].effects),
    }
    rules.update(slots)
    primitive = HigherOrderPrimitive(
        name,
        multiple_results=True,
        inline=lambda params: params["jaxpr"],
        inline_at=inline_at,
        **rules,
    )
    return primitive


def evaluate_jaxpr(*args: Any, jaxpr: Jaxpr, **params: Any) -> list[Any]:
    """Run the program, equation by equation."""
    return typed(eval_jaxpr(jaxpr, *args), jaxpr.out_avals)


def typed(outs: Sequence[Array], avals: Sequence[ShapedArray]) -> list[Array]:
    """The results as weak as the program says, whatever the operands were."""
    return [
        o if o.weak_type == a.weak_type else adopt(o._data, a.weak_type)
        for o, a in zip(outs, avals, strict=True)
    ]
