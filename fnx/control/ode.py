"""`ode`: the solution of an ordinary differential equation, whose derivatives solve equations, too.

    ode: consts, state at the first time, times -> states at all times
    field: consts, state, time -> derivative of the state

Every rule states another equation and solves it with the same tolerance; nothing is differentiated
through the solver's steps.

- jvp: ``dv/dt = f_y v + f_c dc``, solved together with y (the variational equation). A state at a
  time that moves moves along the field.
- jet: the equation of Taylor coefficients, which is the jet of the field.
- reverse: the part of the jvp that is linear in the tangents is one linear call, and its transpose
  is the adjoint equation ``dw/dt = -f_y^T w``, solved backward from each time to the one before,
  together with y anew from the state there (Chen et al., arXiv:1806.07366, appendix C).
- vmap: every lane has its own steps.

The parts of a state are a list of arrays of any shapes; what a rule adds to a state is further
parts, in groups of their own (see `dormand_prince.Control`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from fnx.control.calls import (
    instantiate_series,
    nonzero_inputs,
    nonzero_series,
    spread,
    typed,
    with_inputs,
    zeros_of,
)
from fnx.control.custom_linear_call import custom_linear_call_p
from fnx.control.dormand_prince import Control, solution_program
from fnx.control.loops import scan
from fnx.control.scan import depends, map_lanes, smallest_carry
from fnx.core.array import Array
from fnx.core.jaxpr import Jaxpr, eval_jaxpr
from fnx.core.primitive import HigherOrderPrimitive, Linear, Sample, Zero
from fnx.core.types import ShapedArray, tangent_type
from fnx.errors import ArgumentTypeError
from fnx.primitives.arithmetic import add, mul, neg, sub
from fnx.primitives.cast import convert_element_type
from fnx.primitives.joining import concatenate
from fnx.primitives.samplers import arrays
from fnx.primitives.shaping import broadcast_in_dim, expand_dims, full, zeros
from fnx.primitives.slicing import index_in_dim, slice_in_dim
from fnx.transforms.batching import vmap_jaxpr
from fnx.transforms.jet import derived_jet, jet_jaxpr
from fnx.transforms.jvp import instantiate, jvp_jaxpr, stage_closed
from fnx.transforms.linearize import linearize_jaxpr
from fnx.transforms.transpose import transpose_jaxpr

__all__ = ["ode_p"]


def _parts(values: Sequence[Any], num_consts: int) -> tuple[list[Any], list[Any], Any]:
    """Constants, parts of the state, and the time (or times)."""
    return list(values[:num_consts]), list(values[num_consts:-1]), values[-1]


def _program(params: dict[str, Any]) -> Jaxpr:
    return solution_program(**params)


def _infer(*avals: ShapedArray, **params: Any) -> list[ShapedArray]:
    field, count = params["field"], params["count"]
    return [a.update(shape=(count, *a.shape)) for a in field.out_avals]


def _evaluate(*args: Array, **params: Any) -> list[Array]:
    program = _program(params)
    return typed(eval_jaxpr(program, *args), program.out_avals)


def _first(value: Any) -> Any:
    return index_in_dim(value, 0, keepdims=False)


# -------------------------------------------------------------------------------- further equations


def _moving(field: Jaxpr, nz_consts: Sequence[bool], nz_state: Sequence[bool]) -> tuple[bool, ...]:
    """Which parts of the state move, if some constants and some parts at the first time do."""
    return smallest_carry(nz_state, lambda now: jvp_jaxpr(field, (*nz_consts, *now, False))[1])


def _extended(
    params: dict[str, Any],
    program: Jaxpr,
    moving: tuple[Sequence[bool], Sequence[bool]],
    copies: int = 1,
) -> dict[str, Any]:
    """The parameters of an equation whose state has further parts.

    Parameters
    ----------
    params : dict
        Of the equation.
    program : Jaxpr
        Its field, followed by its derivative or series.
    moving : pair of sequence of bool
        Which constants and which parts have tangents or series.
    copies : int
        How many further arrays each of these has.
    """
    nc, control = params["num_consts"], params["control"]
    n, states = len(params["field"].in_vars), len(params["field"].outs)
    c, k = copies * sum(moving[0]), copies * sum(moving[1])
    order = [*range(nc), *range(n, n + c), *range(nc, nc + states), *range(n + c, n + c + k), n - 1]
    new, top = list(control.groups), max(control.groups, default=0) + 1
    for group, moves in zip(control.groups, moving[1], strict=True):
        if moves:
            new += [top * (copy + 1) + group for copy in range(copies)]
    return {
        **params,
        "field": with_inputs(program, order),
        "num_consts": nc + c,
        "control": replace(control, groups=tuple(new)),
    }


def _with_tangents(
    params: dict[str, Any], nz_consts: Sequence[bool], moving: tuple[bool, ...]
) -> dict[str, Any]:
    """The variational equation."""
    program, _ = jvp_jaxpr(params["field"], (*nz_consts, *moving, False), moving)
    return _extended(params, program, (nz_consts, moving))


class _Movement:
    """The states' movement with the times: they lie on solutions, so it is along the field.

    Parameters
    ----------
    params : dict
        Of the equation.
    consts, ts
        Its operands.
    """

    def __init__(self, params: dict[str, Any], consts: Sequence[Any], ts: Any) -> None:
        self.field, self.count = params["field"], params["count"]
        self.consts, self.ts = consts, ts

    def before(self, state: Sequence[Any]) -> list[Any]:
        """Slopes at the first time."""
        return eval_jaxpr(self.field, *self.consts, *state, _first(self.ts))

    def along(self, states: Sequence[Any]) -> list[Any]:
        """Slopes at all times."""
        mapped = (*[False] * len(self.consts), *[True] * (len(states) + 1))
        program, _ = vmap_jaxpr(self.field, self.count, mapped, (True,) * len(states))
        return eval_jaxpr(program, *self.consts, *states, self.ts)


def _times(slope: Any, t: Any) -> Any:
    """A slope times the movement of its time."""
    moved = convert_element_type(t, slope.dtype)
    return mul(slope, broadcast_in_dim(moved, slope.shape, tuple(range(moved.ndim))))


# ---------------------------------------------------------------------------------------------- jvp


def _jvp(primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> Any:
    nc = params["num_consts"]
    consts, state, ts = _parts(primals, nc)
    t_consts, t_state, t_ts = _parts(tangents, nc)
    late = type(t_ts) is not Zero
    movement = _Movement(params, consts, ts)
    if late:
        dt = _first(t_ts)
        t_state = [
            sub(instantiate(t), _times(slope, dt))
            for t, slope in zip(t_state, movement.before(state), strict=True)
        ]
    nz_consts = nonzero_inputs(t_consts)
    moving = _moving(params["field"], nz_consts, nonzero_inputs(t_state))
    results = ode_p(
        *consts,
        *[t for t in t_consts if type(t) is not Zero],
        *state,
        *[instantiate(t) for t, m in zip(t_state, moving, strict=True) if m],
        ts,
        **_with_tangents(params, nz_consts, moving),
    )
    outs, moved = results[: len(state)], results[len(state) :]
    if late:
        slopes = movement.along(outs)
        moved = [add(v, _times(f, t_ts)) for v, f in zip(moved, slopes, strict=True)]
    return outs, spread(moved, moving, lambda k: zeros_of(outs[k]))


def _jet(primals: Sequence[Any], series: Sequence[Sequence[Any]], **params: Any) -> Any:
    nc, order = params["num_consts"], len(series[0])
    s_consts, s_state, s_ts = _parts(series, nc)
    if not all(type(c) is Zero for c in s_ts):
        return derived_jet(ode_p, primals, series, params)
    nz_consts, field = nonzero_series(s_consts), params["field"]
    moving = _moving(field, nz_consts, nonzero_series(s_state))
    program, _ = jet_jaxpr(field, order, (*nz_consts, *moving, False), moving)
    consts, state, ts = _parts(primals, nc)

    def given(terms: Sequence[Any], nonzero: Sequence[bool]) -> list[Any]:
        return [c for s, n in zip(terms, nonzero, strict=True) if n for c in instantiate_series(s)]

    results = ode_p(
        *consts,
        *given(s_consts, nz_consts),
        *state,
        *given(s_state, moving),
        ts,
        **_extended(params, program, (nz_consts, moving), order),
    )
    outs, rest = results[: len(state)], results[len(state) :]
    groups = [rest[k : k + order] for k in range(0, len(rest), order)]
    return outs, spread(groups, moving, lambda k: [zeros_of(outs[k])] * order)


# ------------------------------------------------------------------------------------- reverse mode


def _linearize(nonzeros: Sequence[bool], primals: Sequence[Any], **params: Any) -> Any:
    nc = params["num_consts"]
    consts, state, ts = _parts(primals, nc)
    nz_consts, nz_state, late = _parts(nonzeros, nc)
    if late:
        nz_state = [True] * len(state)
    moving = _moving(params["field"], tuple(nz_consts), tuple(nz_state))
    outs = ode_p(*primals, **params)
    movement = _Movement(params, consts, ts)
    before, along = (movement.before(state), movement.along(outs)) if late else ([], [])
    starts = [tangent_type(y.aval) for y in state]
    forward, backward = _both_ways(params, tuple(nz_consts), moving)

    def linear(tangents: Sequence[Any]) -> list[Any]:
        given = spread(tangents, nonzeros, lambda k: None)
        t_consts, t_state, t_ts = _parts(given, nc)
        t_state = [zeros(a) if t is None else t for t, a in zip(t_state, starts, strict=True)]
        if late:
            dt = _first(t_ts)
            t_state = [sub(t, _times(f, dt)) for t, f in zip(t_state, before, strict=True)]
        moved = custom_linear_call_p(
            *consts,
            *outs,
            ts,
            *[t for t in t_consts if t is not None],
            *[t for t, m in zip(t_state, moving, strict=True) if m],
            fun=forward,
            transposed=backward,
            residuals=nc + len(state) + 1,
        )
        if late:
            moved = [add(v, _times(f, t_ts)) for v, f in zip(moved, along, strict=True)]
        return moved

    return outs, list(moving), linear


def _both_ways(
    params: dict[str, Any], nz_consts: tuple[bool, ...], moving: tuple[bool, ...]
) -> tuple[Jaxpr, Jaxpr]:
    """The tangents' equation and the cotangents', as programs of constants, states and times."""
    field, nc, count = params["field"], params["num_consts"], params["count"]
    ts = ShapedArray((count,), field.in_avals[-1].dtype)
    points = [*field.in_avals[:nc], *_infer(**params), ts]
    of_consts = [tangent_type(a) for a, n in zip(field.in_avals, nz_consts, strict=False) if n]
    of_state = [tangent_type(a) for a, m in zip(field.out_avals, moving, strict=True) if m]
    cotangents = [a.update(shape=(count, *a.shape)) for a in of_state]

    def forward(*args: Any) -> list[Any]:
        consts, states, ts = _parts(args[: len(points)], nc)
        tangents = args[len(points) :]
        results = ode_p(
            *consts,
            *tangents[: len(of_consts)],
            *[_first(y) for y in states],
            *tangents[len(of_consts) :],
            ts,
            **_with_tangents(params, nz_consts, moving),
        )
        return results[len(states) :]

    def backward(*args: Any) -> list[Any]:
        consts, states, ts = _parts(args[: len(points)], nc)
        return _adjoint(params, nz_consts, moving, consts, states, ts, args[len(points) :])

    def make() -> tuple[Jaxpr, Jaxpr]:
        return (
            stage_closed(forward, [*points, *of_consts, *of_state], field.name),
            stage_closed(backward, [*points, *cotangents], field.name),
        )

    settings = (nc, count, params["control"])
    return field.derived(("both ways", nz_consts, moving, settings), make)


def _adjoint(
    params: dict[str, Any],
    nz_consts: tuple[bool, ...],
    moving: tuple[bool, ...],
    consts: Sequence[Any],
    states: Sequence[Any],
    ts: Any,
    cts: Sequence[Any],
) -> list[Any]:
    """Cotangents of the constants and of the state at the first time."""
    control, count = params["control"], params["count"]
    field = _backward_field(params["field"], nz_consts, moving)
    top = max(control.groups, default=0) + 1
    moved_groups = [g for g, m in zip(control.groups, moving, strict=True) if m]
    n_consts = sum(nz_consts)
    groups = (*control.groups, *[top + g for g in moved_groups], *[2 * top] * n_consts)
    backward = {
        "field": field,
        "num_consts": len(consts),
        "count": 2,
        "control": replace(control, groups=groups),
    }

    def interval(carry: Any, here: Any) -> Any:
        (w, sums), (y, g, end, begin) = carry, here
        w = [add(a, b) for a, b in zip(w, g, strict=True)]
        span = concatenate([expand_dims(neg(t), (0,)) for t in (end, begin)], 0)
        results = ode_p(*consts, *y, *w, *sums, span, **backward)
        last = [index_in_dim(r, 1, keepdims=False) for r in results[len(y) :]]
        return (last[: len(w)], last[len(w) :]), None

    def later(values: Sequence[Any]) -> list[Any]:
        return [slice_in_dim(v, 1, count) for v in values]

    nothing = [zeros(tangent_type(c.aval)) for c, n in zip(consts, nz_consts, strict=True) if n]
    start = [zeros(c.aval.update(shape=c.shape[1:])) for c in cts]
    pieces = (later(states), later(cts), slice_in_dim(ts, 1, count), slice_in_dim(ts, 0, count - 1))
    (w, sums), _ = scan(interval, (start, nothing), pieces, reverse=True)
    return [*sums, *[add(a, _first(c)) for a, c in zip(w, cts, strict=True)]]


def _backward_field(field: Jaxpr, nz_consts: tuple[bool, ...], moving: tuple[bool, ...]) -> Jaxpr:
    """The field of the state, its adjoint and the constants' cotangents, in the time -t."""
    nc = len(nz_consts)
    split = linearize_jaxpr(field, (*nz_consts, *moving, False), moving)
    pull = transpose_jaxpr(split.tangent, split.residuals)
    of_state = [tangent_type(a) for a, m in zip(field.out_avals, moving, strict=True) if m]
    of_consts = [tangent_type(a) for a, n in zip(field.in_avals, nz_consts, strict=False) if n]
    states = len(field.outs)

    def backward(*args: Any) -> list[Any]:
        consts, rest, s = list(args[:nc]), args[nc:-1], args[-1]
        y, w = rest[:states], rest[states : states + len(of_state)]
        results = eval_jaxpr(split.primal, *consts, *y, neg(s))
        slopes, residuals = results[:states], results[states:]
        pulled = eval_jaxpr(pull, *residuals, *w)
        return [*[neg(f) for f in slopes], *pulled[len(of_consts) :], *pulled[: len(of_consts)]]

    def make() -> Jaxpr:
        avals = [*field.in_avals[:-1], *of_state, *of_consts, field.in_avals[-1]]
        return stage_closed(backward, avals, field.name)

    return field.derived(("backward", nz_consts, moving), make)


def _transpose(cts: Sequence[Any], *operands: Any, **params: Any) -> list[Any]:
    field, nc = params["field"], params["num_consts"]
    linear = [type(a) is Linear for a in operands]
    l_consts, l_state, l_ts = _parts(linear, nc)
    l_state = list(smallest_carry(l_state, lambda now: depends(field, (*l_consts, *now, False))))
    if l_ts or not all(l_state):
        raise ArgumentTypeError(
            f"ode of {field.name}: the solution isn't linear in what is transposed (the times, or "
            "some parts of the state beside others). Differentiate it instead."
        )
    inputs = [*l_consts, *l_state, False]
    order = sorted(range(len(inputs)), key=inputs.__getitem__)
    transpose_jaxpr(with_inputs(field, order), inputs.count(False))  # raises if it isn't linear
    # What is linear is its own derivative at zero.
    points = [zeros(a.aval) if n else a for a, n in zip(operands, linear, strict=True)]
    consts, _, ts = _parts(points, nc)
    states = [zeros(a) for a in _infer(**params)]
    _, backward = _both_ways(params, tuple(l_consts), tuple(l_state))
    pulled = eval_jaxpr(backward, *consts, *states, ts, *[instantiate(c) for c in cts])
    found = spread(pulled, [*l_consts, *l_state, False], lambda k: None)
    return [f if n else None for f, n in zip(found, linear, strict=True)]


# --------------------------------------------------------------------------------------------- vmap


def _vmap(size: int, args: Sequence[Any], dims: Sequence[Any], **params: Any) -> Any:
    avals = [*params["field"].in_avals[:-1], _program(params).in_avals[-1]]
    one = stage_closed(lambda *xs: ode_p(*xs, **params), avals, params["field"].name)
    return map_lanes(one, size, args, dims)


# ------------------------------------------------------------------------------------------ samples


def _samples(rng: np.random.Generator) -> Iterator[Sample]:
    """Solutions that are polynomials of degree 3 at most, which any steps give exactly."""

    def late(t: Any, like: Any) -> Any:
        return broadcast_in_dim(convert_element_type(t, like.dtype), like.shape, ())

    def coupled(a: Any, x: Any, y: Any, t: Any) -> list[Any]:
        return [add(mul(a, late(t, x)), full(x.shape, 0.5, x.dtype)), mul(a, x)]

    def counting(n: Any, x: Any, t: Any) -> list[Any]:
        return [mul(convert_element_type(n, x.dtype), late(t, x))]

    def linear(u: Any, x: Any, t: Any) -> list[Any]:
        return [mul(u, late(t, x))]

    def case(function: Any, *args: Any, consts: int = 1, linear: tuple[int, ...] = ()) -> Sample:
        avals = [ShapedArray(np.shape(a), np.asarray(a).dtype) for a in args]
        avals[-1] = avals[-1].update(shape=())
        parts = len(args) - 1 - consts
        params = {
            "field": stage_closed(function, avals, "sampled"),
            "num_consts": consts,
            "count": len(args[-1]),
            # Few, long steps.
            "control": Control(0.1, 0.1, 2**31 - 1, np.inf, tuple(range(parts))),
        }
        return Sample(args, params, linear=linear)

    times = np.array([0.25, 0.75])
    yield case(coupled, *(arrays(rng, (), np.float64, -1, 1) for _ in range(3)), times)
    u, x = (arrays(rng, (), np.complex128, -1, 1) for _ in range(2))
    yield case(linear, u, x, times, linear=(0, 1))
    n, x = arrays(rng, (), np.int32), arrays(rng, (), np.float32)
    yield case(counting, n, x, times.astype(np.float32))
    yield case(lambda x, t: [x], arrays(rng, (2, 3), np.float64), times[:1], consts=0)


ode_p = HigherOrderPrimitive(
    "ode",
    multiple_results=True,
    infer=_infer,
    evaluate=_evaluate,
    jvp=_jvp,
    linearize=_linearize,
    transpose=_transpose,
    vmap=_vmap,
    jet=_jet,
    lower="call",
    sample=_samples,
    inline=_program,
    inline_at="compile",
    effects=lambda params: params["field"].effects,
)
