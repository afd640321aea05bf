"""`cond`: one of several programs, chosen by an integer.

    cond: index, operands -> outs       branch: operands -> outs

Rules transform every branch so that all give the same types: a result has a tangent if it has one
in any branch.  With a mapped index each lane takes its own branch (`map_lanes`).  Read next:
`custom_rules`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fnx.control.calls import (
    front,
    instantiate_series,
    nonzero_inputs,
    nonzero_series,
    select_outs,
    spread,
    typed,
    with_inputs,
    zeros_of,
)
from fnx.control.lockstep import branches_together, runs_together
from fnx.control.samplers import cond_samples
from fnx.control.scan import map_lanes
from fnx.core.array import Array
from fnx.core.jaxpr import Eqn, Jaxpr, eval_jaxpr
from fnx.core.primitive import HigherOrderPrimitive, Linear, Zero
from fnx.core.types import ShapedArray
from fnx.primitives.shaping import zeros
from fnx.transforms.batching import vmap_jaxpr
from fnx.transforms.jet import jet_jaxpr
from fnx.transforms.jvp import jvp_jaxpr, stage_closed
from fnx.transforms.linearize import linearize_jaxpr
from fnx.transforms.transpose import transpose_jaxpr

__all__ = ["cond_p"]


def _infer(
    index: ShapedArray, *avals: ShapedArray, branches: tuple[Jaxpr, ...]
) -> list[ShapedArray]:
    outs = list(branches[0].out_avals)
    for other in branches[1:]:
        outs = [
            a.update(weak_type=a.weak_type and b.weak_type)
            for a, b in zip(outs, other.out_avals, strict=True)
        ]
    return outs


def _evaluate(index: Array, *args: Array, branches: tuple[Jaxpr, ...]) -> list[Array]:
    chosen = min(max(int(index._data), 0), len(branches) - 1)
    return typed(eval_jaxpr(branches[chosen], *args), _infer(index.aval, branches=branches))


def _any(*flags: Sequence[bool]) -> tuple[bool, ...]:
    return tuple([any(column) for column in zip(*flags, strict=True)])


def _jvp(primals: Sequence[Any], tangents: Sequence[Any], *, branches: tuple[Jaxpr, ...]) -> Any:
    nonzero = nonzero_inputs(tangents[1:])
    keep = _any(*[jvp_jaxpr(b, nonzero)[1] for b in branches])
    programs = tuple([jvp_jaxpr(b, nonzero, keep)[0] for b in branches])
    given = [t for t in tangents[1:] if type(t) is not Zero]
    results = cond_p(*primals, *given, branches=programs)
    outs = results[: len(keep)]
    return outs, spread(results[len(keep) :], keep, lambda k: zeros_of(outs[k]))


def _linearize(
    nonzeros: Sequence[bool], primals: Sequence[Any], *, branches: tuple[Jaxpr, ...]
) -> Any:
    nonzero = tuple(nonzeros[1:])
    keep = _any(*[linearize_jaxpr(b, nonzero).nonzero_out for b in branches])
    splits = [linearize_jaxpr(b, nonzero, keep) for b in branches]
    n_out = len(keep)
    # All branches give one list of residuals: slots of equal type are shared, a branch fills the
    # others with zeros.
    slots: list[ShapedArray] = []
    places: list[list[int]] = []
    for split in splits:
        free = list(range(len(slots)))
        mine = []
        for aval in split.primal.out_avals[n_out:]:
            found = next((s for s in free if slots[s].same_type(aval)), None)
            if found is None:
                found = len(slots)
                slots.append(aval.strengthen())
            else:
                free.remove(found)
            mine.append(found)
        places.append(mine)
    n_in = len(branches[0].in_vars)
    primal_branches, tangent_branches = [], []
    for split, mine in zip(splits, places, strict=True):

        def forward(*args: Any, split: Any = split, mine: list[int] = mine) -> list[Any]:
            results = eval_jaxpr(split.primal, *args)
            filled = dict(zip(mine, results[n_out:], strict=True))
            return results[:n_out] + [
                filled[s] if s in filled else zeros(a) for s, a in enumerate(slots)
            ]

        def tangent(*args: Any, split: Any = split, mine: list[int] = mine) -> list[Any]:
            return eval_jaxpr(split.tangent, *[args[s] for s in mine], *args[len(slots) :])

        primal_branches.append(stage_closed(forward, branches[0].in_avals, split.primal.name))
        t_avals = list(split.tangent.in_avals[split.residuals :])
        tangent_branches.append(stage_closed(tangent, slots + t_avals, split.primal.name))
    index = primals[0]
    results = cond_p(*primals, branches=tuple(primal_branches))
    outs, residuals = results[:n_out], results[n_out:]

    def linear(tangents: Sequence[Any]) -> list[Any]:
        return cond_p(index, *residuals, *tangents, branches=tuple(tangent_branches))

    assert len(primals) == n_in + 1
    return outs, keep, linear


def _transpose(
    cts: Sequence[Any], index: Any, *operands: Any, branches: tuple[Jaxpr, ...]
) -> list[Any]:
    linear = [type(a) is Linear for a in operands]
    order = [k for k, n in enumerate(linear) if not n] + [k for k, n in enumerate(linear) if n]
    used = [type(c) is not Zero for c in cts]
    constants = [a for a in operands if type(a) is not Linear]
    programs = tuple(
        [
            transpose_jaxpr(select_outs(with_inputs(b, order), used), len(constants))
            for b in branches
        ]
    )
    given = [c for c in cts if type(c) is not Zero]
    pulled = cond_p(index, *constants, *given, branches=programs)
    return [None, *spread(pulled, linear, lambda k: None)]


def _vmap(
    size: int, args: Sequence[Any], dims: Sequence[Any], *, branches: tuple[Jaxpr, ...]
) -> Any:
    if dims[0] is not None:
        if runs_together(branches, size):
            return branches_together(size, args, dims, branches)
        avals = [
            a.aval.update(shape=a.shape[:d] + a.shape[d + 1 :]) if d is not None else a.aval
            for a, d in zip(args, dims, strict=True)
        ]
        one = stage_closed(lambda *xs: cond_p(*xs, branches=branches), avals, branches[0].name)
        return map_lanes(one, size, args, dims)
    mapped = tuple([d is not None for d in dims[1:]])
    keep = _any(*[vmap_jaxpr(b, size, mapped)[1] for b in branches])
    programs = tuple([vmap_jaxpr(b, size, mapped, keep)[0] for b in branches])
    outs = cond_p(args[0], *front(args[1:], dims[1:]), branches=programs)
    return outs, [0 if m else None for m in keep]


def _jet(
    primals: Sequence[Any], series: Sequence[Sequence[Any]], *, branches: tuple[Jaxpr, ...]
) -> Any:
    order = len(series[0])
    nonzero = nonzero_series(series[1:])
    keep = _any(*[jet_jaxpr(b, order, nonzero)[1] for b in branches])
    programs = tuple([jet_jaxpr(b, order, nonzero, keep)[0] for b in branches])
    given = [
        c for s, n in zip(series[1:], nonzero, strict=True) if n for c in instantiate_series(s)
    ]
    results = cond_p(*primals, *given, branches=programs)
    outs, rest = results[: len(keep)], results[len(keep) :]
    groups = [rest[k : k + order] for k in range(0, len(rest), order)]
    return outs, spread(groups, keep, lambda k: [zeros_of(outs[k])] * order)


def _prune(eqn: Eqn, used: Sequence[bool]) -> Eqn:
    programs = [select_outs(b, used) for b in eqn.params["branches"]]
    kept = [
        k
        for k in range(len(programs[0].in_vars))
        if any(
            p.in_vars[k] in {a for e in p.eqns for a in e.inputs} | set(p.outs) for p in programs
        )
    ]
    return Eqn(
        cond_p,
        (eqn.inputs[0], *[eqn.inputs[k + 1] for k in kept]),
        tuple([v for v, u in zip(eqn.outputs, used, strict=True) if u]),
        {"branches": tuple([with_inputs(p, kept) for p in programs])},
        eqn.effects,
        eqn.source,
    )


cond_p = HigherOrderPrimitive(
    "cond",
    multiple_results=True,
    infer=_infer,
    evaluate=_evaluate,
    jvp=_jvp,
    linearize=_linearize,
    transpose=_transpose,
    vmap=_vmap,
    jet=_jet,
    lower="cond",
    sample=cond_samples,
    prune=_prune,
    effects=lambda params: frozenset().union(*[b.effects for b in params["branches"]]),
)
