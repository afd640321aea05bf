"""`scan`: a loop with a carry, over the leading axis of arrays.

    scan: consts, carry, xs -> carry, ys       body: consts, carry, x -> carry, y

Every rule transforms the body and scans the result.  Where a rule must know which parts of the
carry have tangents (or a mapped axis), it looks for the smallest set that the body maps into
itself.  A scan with an empty carry is a map: its iterations are independent.  Read next:
`while_loop`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

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
from fnx.control.compiled_loops import may_compile, run_compiled, steps_in_python
from fnx.control.samplers import scan_samples
from fnx.core.array import Array, adopt
from fnx.core.jaxpr import Eqn, Jaxpr, Var, eval_jaxpr
from fnx.core.primitive import HigherOrderPrimitive, Linear, Zero
from fnx.core.types import ShapedArray, tangent_type
from fnx.errors import ArgumentTypeError
from fnx.primitives.arithmetic import add
from fnx.primitives.collectives import axes_in
from fnx.primitives.shaping import zeros
from fnx.transforms.batching import AxisSize, to_axis, vmap_jaxpr
from fnx.transforms.jet import jet_jaxpr
from fnx.transforms.jvp import instantiate, jvp_jaxpr, stage_closed
from fnx.transforms.linearize import linearize_jaxpr
from fnx.transforms.transpose import parted, transpose_jaxpr

__all__ = ["map_lanes", "scan_p", "smallest_carry"]


def smallest_carry(
    initial: Sequence[bool], step: Callable[[tuple[bool, ...]], Sequence[bool]]
) -> tuple[bool, ...]:
    """The smallest set of carries that contains the initial one and is closed under the body."""
    now = tuple(initial)
    while True:
        after = tuple([a or b for a, b in zip(now, step(now), strict=True)])
        if after == now:
            return now
        now = after


def _parts(values: Sequence[Any], num_consts: int, num_carry: int) -> tuple[list, list, list]:
    values = list(values)
    stop = num_consts + num_carry
    return values[:num_consts], values[num_consts:stop], values[stop:]


def _infer(
    *avals: ShapedArray,
    jaxpr: Jaxpr,
    length: int,
    reverse: bool,
    num_consts: int,
    num_carry: int,
    unroll: int = 1,
) -> list[ShapedArray]:
    carry, ys = jaxpr.out_avals[:num_carry], jaxpr.out_avals[num_carry:]
    return [*carry, *[y.update(shape=(length, *y.shape)) for y in ys]]


def _evaluate(
    *args: Array,
    jaxpr: Jaxpr,
    length: int,
    reverse: bool,
    num_consts: int,
    num_carry: int,
    unroll: int = 1,
) -> list[Array]:
    if length > steps_in_python(jaxpr) and may_compile(jaxpr):
        params = {
            "jaxpr": jaxpr, "length": length, "reverse": reverse,
            "num_consts": num_consts, "num_carry": num_carry, "unroll": unroll,
        }  # fmt: skip
        return typed(run_compiled(scan_p, args, params, jaxpr), jaxpr.out_avals)
    consts, carry, xs = _parts(args, num_consts, num_carry)
    ys = [np.empty((length, *a.shape), a.dtype) for a in jaxpr.out_avals[num_carry:]]
    for step in reversed(range(length)) if reverse else range(length):
        x = [Array(a._data[step, ...], a._weak) for a in xs]
        outs = eval_jaxpr(jaxpr, *consts, *carry, *x)
        carry = outs[:num_carry]
        for y, out in zip(ys, outs[num_carry:], strict=True):
            y[step] = out._data
    return typed([*carry, *map(adopt, ys)], jaxpr.out_avals)


def _jvp(primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> Any:
    jaxpr, nc, nk = params["jaxpr"], params["num_consts"], params["num_carry"]
    nz_consts, nz_init, nz_xs = _parts(nonzero_inputs(tangents), nc, nk)

    def step(nz: tuple[bool, ...]) -> Sequence[bool]:
        return jvp_jaxpr(jaxpr, (*nz_consts, *nz, *nz_xs))[1][:nk]

    nz_carry = smallest_carry(nz_init, step)
    keep = (*nz_carry, *(False for _ in jaxpr.outs[nk:]))
    program, nz_out = jvp_jaxpr(jaxpr, (*nz_consts, *nz_carry, *nz_xs), keep)
    c, k, x = sum(nz_consts), sum(nz_carry), sum(nz_xs)
    n_in, n_out = len(jaxpr.in_vars), len(jaxpr.outs)
    at = n_in + c
    order = [
        *range(nc), *range(n_in, n_in + c),
        *range(nc, nc + nk), *range(at, at + k),
        *range(nc + nk, n_in), *range(at + k, at + k + x),
    ]  # fmt: skip
    outs = [
        *range(nk), *range(n_out, n_out + k),
        *range(nk, n_out), *range(n_out + k, n_out + sum(nz_out)),
    ]  # fmt: skip
    consts, carry, xs = _parts(primals, nc, nk)
    t_consts, t_carry, t_xs = _parts(tangents, nc, nk)
    results = scan_p(
        *consts, *[t for t in t_consts if type(t) is not Zero],
        *carry, *[instantiate(t) for t, n in zip(t_carry, nz_carry, strict=True) if n],
        *xs, *[t for t in t_xs if type(t) is not Zero],
        **{
            **params,
            "jaxpr": with_inputs(program, order, outs),
            "num_consts": nc + c,
            "num_carry": nk + k,
        },
    )  # fmt: skip
    n_ys = n_out - nk
    primals_out = results[:nk] + results[nk + k : nk + k + n_ys]
    given = results[nk : nk + k] + results[nk + k + n_ys :]
    return primals_out, spread(given, nz_out, lambda j: zeros_of(primals_out[j]))


def _linearize(nonzeros: Sequence[bool], primals: Sequence[Any], **params: Any) -> Any:
    jaxpr, nc, nk = params["jaxpr"], params["num_consts"], params["num_carry"]
    nz_consts, nz_init, nz_xs = _parts(nonzeros, nc, nk)

    def step(nz: tuple[bool, ...]) -> Sequence[bool]:
        return linearize_jaxpr(jaxpr, (*nz_consts, *nz, *nz_xs)).nonzero_out[:nk]

    nz_carry = smallest_carry(nz_init, step)
    keep = (*nz_carry, *(False for _ in jaxpr.outs[nk:]))
    split = linearize_jaxpr(jaxpr, (*nz_consts, *nz_carry, *nz_xs), keep)
    n_out = len(jaxpr.outs)
    # A residual that is a constant of the loop, or a slice of xs, is used as it is; others are
    # stacked.
    where = [
        ("const", f)
        if f is not None and f < nc
        else ("xs", f)
        if f is not None and f >= nc + nk
        else ("ys", k)
        for k, f in enumerate(split.forwarded)
    ]
    stacked = [k for k, (kind, _) in enumerate(where) if kind == "ys"]
    program = with_inputs(
        split.primal, range(len(jaxpr.in_vars)), [*range(n_out), *[n_out + k for k in stacked]]
    )
    results = scan_p(*primals, **{**params, "jaxpr": program})
    outs, saved = results[:n_out], iter(results[n_out:])
    residuals = [primals[p] if kind != "ys" else next(saved) for kind, p in where]
    fixed = [k for k, (kind, _) in enumerate(where) if kind == "const"]
    sliced = [k for k, (kind, _) in enumerate(where) if kind != "const"]
    c, k, x = sum(nz_consts), sum(nz_carry), sum(nz_xs)
    n_res = len(residuals)
    order = [
        *fixed,
        *range(n_res, n_res + c + k),
        *sliced,
        *range(n_res + c + k, n_res + c + k + x),
    ]
    tangent = with_inputs(split.tangent, order)
    initial = [p for p, n in zip(_parts(primals, nc, nk)[1], nz_carry, strict=True) if n]

    def linear(tangents: Sequence[Any]) -> list[Any]:
        given = spread(tangents, nonzeros, lambda j: None)
        t_consts, t_carry, t_xs = _parts(given, nc, nk)
        starts = [t for t, n in zip(t_carry, nz_carry, strict=True) if n]
        starts = [
            zeros(tangent_type(p.aval)) if t is None else t
            for t, p in zip(starts, initial, strict=True)
        ]
        return scan_p(
            *[residuals[j] for j in fixed], *[t for t in t_consts if t is not None],
            *starts,
            *[residuals[j] for j in sliced], *[t for t in t_xs if t is not None],
            **{**params, "jaxpr": tangent, "num_consts": len(fixed) + c, "num_carry": k},
        )  # fmt: skip

    return outs, split.nonzero_out, linear


def _transpose(cts: Sequence[Any], *operands: Any, **params: Any) -> list[Any]:
    # Forward: carry, ys = scan(body)(consts, lin_consts; lin_carry; res_xs, lin_xs), linear in
    # lin_*. Backward: the other direction, with carry (ct_consts, ct_carry), over (res_xs, ct_ys),
    # giving ct_xs.
    jaxpr, nc, nk = params["jaxpr"], params["num_consts"], params["num_carry"]
    linear = [type(a) is Linear for a in operands]
    l_consts, l_carry, l_xs = _parts(linear, nc, nk)
    consts, carry, xs = _parts(operands, nc, nk)
    l_carry = list(
        smallest_carry(l_carry, lambda now: depends(jaxpr, (*l_consts, *now, *l_xs))[:nk])
    )
    if not all(l_carry):
        cts, replayed, params = _replayed(cts, operands, l_carry, params)
        pulled = _transpose(cts, *replayed, **params)
        return _as_before(pulled, l_carry, nc, nk)
    # A carry that depends on linear inputs but starts from a constant starts from zero: it is
    # linear, too.
    n_in = len(jaxpr.in_vars)
    fixed = [k for k in range(nc) if not l_consts[k]]
    lin_c = [k for k in range(nc) if l_consts[k]]
    res_x = [k for k in range(nc + nk, n_in) if not l_xs[k - nc - nk]]
    lin_x = [k for k in range(nc + nk, n_in) if l_xs[k - nc - nk]]
    used_ys = [type(c) is not Zero for c in cts[nk:]]
    body = with_inputs(jaxpr, [*fixed, *res_x, *lin_c, *range(nc, nc + nk), *lin_x])
    body = select_outs(body, [True] * nk + used_ys)
    transposed = transpose_jaxpr(body, len(fixed) + len(res_x))
    n_fixed, n_res, n_c = len(fixed), len(res_x), len(lin_c)
    c_avals = [jaxpr.in_avals[k].strengthen() for k in lin_c]
    k_avals = [a.strengthen() for a in jaxpr.out_avals[:nk]]
    y_avals = [a.strengthen() for a in body.out_avals[nk:]]

    def backward(*args: Any) -> list[Any]:
        constants, rest = list(args[:n_fixed]), list(args[n_fixed:])
        sums, ct_carry, rest = rest[:n_c], rest[n_c : n_c + nk], rest[n_c + nk :]
        saved, ct_ys = rest[:n_res], rest[n_res:]
        pulled = eval_jaxpr(transposed, *constants, *saved, *ct_carry, *ct_ys)
        added = [add(s, p) for s, p in zip(sums, pulled[:n_c], strict=True)]
        return [*added, *pulled[n_c:]]

    avals = [jaxpr.in_avals[k] for k in fixed] + c_avals + k_avals
    avals += [jaxpr.in_avals[k] for k in res_x] + y_avals
    program = stage_closed(backward, avals, jaxpr.name)
    results = scan_p(
        *[consts[k] for k in fixed],
        *[zeros(a) for a in c_avals], *[instantiate(c) for c in cts[:nk]],
        *[xs[k - nc - nk] for k in res_x], *[c for c in cts[nk:] if type(c) is not Zero],
        **{**params, "jaxpr": program, "reverse": not params["reverse"],
           "num_consts": n_fixed, "num_carry": n_c + nk},
    )  # fmt: skip
    found = dict(zip([*lin_c, *range(nc, nc + nk), *lin_x], results, strict=True))
    return [found.get(k) for k in range(n_in)]


def depends(jaxpr: Jaxpr, inputs: Sequence[bool]) -> list[bool]:
    """Which results of a program depend on some of its inputs."""
    reached: set[Any] = {v for v, i in zip(jaxpr.in_vars, inputs, strict=True) if i}
    for eqn in jaxpr.eqns:
        parted(eqn, reached)
    return [type(o) is Var and o in reached for o in jaxpr.outs]


def _replayed(
    cts: Sequence[Any], operands: Sequence[Any], linear: Sequence[bool], params: dict[str, Any]
) -> tuple[list[Any], list[Any], dict[str, Any]]:
    """The same loop, its carries that aren't linear (counters, say) computed first, as xs."""
    jaxpr, nc, nk = params["jaxpr"], params["num_consts"], params["num_carry"]
    consts, carry, xs = _parts(operands, nc, nk)
    plain = [k for k in range(nk) if not linear[k]]
    rest = [k for k in range(nk) if linear[k]]
    fixed = [k for k, c in enumerate(consts) if type(c) is not Linear]
    sliced = [k for k, x in enumerate(xs) if type(x) is not Linear]
    steps = Jaxpr(
        jaxpr.in_vars,
        jaxpr.eqns,
        [jaxpr.outs[k] for k in plain] + [jaxpr.in_vars[nc + k] for k in plain],
        jaxpr.name,
    )
    steps = with_inputs(
        select_outs(steps, [True] * len(steps.outs)),
        [*fixed, *[nc + k for k in plain], *[nc + nk + k for k in sliced]],
    )
    values = scan_p(
        *[consts[k] for k in fixed],
        *[carry[k] for k in plain],
        *[xs[k] for k in sliced],
        **{**params, "jaxpr": steps, "num_consts": len(fixed), "num_carry": len(plain)},
    )[len(plain) :]
    order = [
        *range(nc),
        *[nc + k for k in rest],
        *[nc + k for k in plain],
        *range(nc + nk, len(jaxpr.in_vars)),
    ]
    outs = [*rest, *range(nk, len(jaxpr.outs))]
    return (
        [cts[k] for k in outs],
        [*consts, *[carry[k] for k in rest], *values, *xs],
        {**params, "jaxpr": with_inputs(jaxpr, order, outs), "num_carry": len(rest)},
    )


def _as_before(pulled: Sequence[Any], linear: Sequence[bool], nc: int, nk: int) -> list[Any]:
    """Cotangents in the order that operands had before `_replayed`."""
    count = sum(linear)
    carry = iter(pulled[nc : nc + count])
    restored = [next(carry) if is_linear else None for is_linear in linear]
    return [*pulled[:nc], *restored, *pulled[nc + nk :]]


def _vmap(size: int, args: Sequence[Any], dims: Sequence[Any], **params: Any) -> Any:
    jaxpr, nc, nk = params["jaxpr"], params["num_consts"], params["num_carry"]
    m_consts, m_init, m_xs = _parts([d is not None for d in dims], nc, nk)

    def step(mapped: tuple[bool, ...]) -> Sequence[bool]:
        return vmap_jaxpr(jaxpr, size, (*m_consts, *mapped, *m_xs))[1][:nk]

    m_carry = smallest_carry(m_init, step)
    keep = (*m_carry, *(False for _ in jaxpr.outs[nk:]))
    program, mapped_out = vmap_jaxpr(jaxpr, size, (*m_consts, *m_carry, *m_xs), keep)
    consts, carry, xs = _parts(list(zip(args, dims, strict=True)), nc, nk)
    results = scan_p(
        *front(*zip(*consts, strict=True)) if consts else (),
        *[to_axis(a, d, size, 0) if m else a for (a, d), m in zip(carry, m_carry, strict=True)],
        *[a if d is None else to_axis(a, d, size, 1) for a, d in xs],  # axis 0 is the loop's
        **{**params, "jaxpr": program},
    )
    return results, [None if not m else (0 if k < nk else 1) for k, m in enumerate(mapped_out)]


def _jet(primals: Sequence[Any], series: Sequence[Sequence[Any]], **params: Any) -> Any:
    jaxpr, nc, nk = params["jaxpr"], params["num_consts"], params["num_carry"]
    order = len(series[0])
    nz_consts, nz_init, nz_xs = _parts(nonzero_series(series), nc, nk)

    def step(nz: tuple[bool, ...]) -> Sequence[bool]:
        return jet_jaxpr(jaxpr, order, (*nz_consts, *nz, *nz_xs))[1][:nk]

    nz_carry = smallest_carry(nz_init, step)
    keep = (*nz_carry, *(False for _ in jaxpr.outs[nk:]))
    program, nz_out = jet_jaxpr(jaxpr, order, (*nz_consts, *nz_carry, *nz_xs), keep)
    c, k, x = order * sum(nz_consts), order * sum(nz_carry), order * sum(nz_xs)
    n_in, n_out = len(jaxpr.in_vars), len(jaxpr.outs)
    at = n_in + c
    in_order = [
        *range(nc), *range(n_in, n_in + c),
        *range(nc, nc + nk), *range(at, at + k),
        *range(nc + nk, n_in), *range(at + k, at + k + x),
    ]  # fmt: skip
    out_order = [
        *range(nk), *range(n_out, n_out + k),
        *range(nk, n_out), *range(n_out + k, n_out + order * sum(nz_out)),
    ]  # fmt: skip
    consts, carry, xs = _parts(primals, nc, nk)
    s_consts, s_carry, s_xs = _parts(series, nc, nk)

    def given(terms: Sequence[Any], nz: Sequence[bool]) -> list[Any]:
        return [c for s, n in zip(terms, nz, strict=True) if n for c in instantiate_series(s)]

    results = scan_p(
        *consts, *given(s_consts, nz_consts),
        *carry, *given(s_carry, nz_carry),
        *xs, *given(s_xs, nz_xs),
        **{**params, "jaxpr": with_inputs(program, in_order, out_order),
           "num_consts": nc + c, "num_carry": nk + k},
    )  # fmt: skip
    n_ys = n_out - nk
    primals_out = results[:nk] + results[nk + k : nk + k + n_ys]
    rest = results[nk : nk + k] + results[nk + k + n_ys :]
    groups = [rest[j : j + order] for j in range(0, len(rest), order)]
    return primals_out, spread(groups, nz_out, lambda j: [zeros_of(primals_out[j])] * order)


def _prune(eqn: Eqn, used: Sequence[bool]) -> Eqn:
    """Drop ys that nobody reads, carries that only feed themselves, and what only these needed."""
    params = eqn.params
    jaxpr, nc, nk = params["jaxpr"], params["num_consts"], params["num_carry"]

    def live_inputs(needed: tuple[bool, ...]) -> tuple[Jaxpr, set[Any]]:
        program = select_outs(jaxpr, (*needed, *used[nk:]))
        read: set[Any] = {a for e in program.eqns for a in e.inputs if type(a) is Var}
        read |= {o for o in program.outs if type(o) is Var}
        return program, read

    def step(needed: tuple[bool, ...]) -> list[bool]:
        _, read = live_inputs(needed)
        return [v in read for v in jaxpr.in_vars[nc : nc + nk]]

    needed = smallest_carry(used[:nk], step)
    program, read = live_inputs(needed)
    kept = [
        k
        for k, v in enumerate(jaxpr.in_vars)
        if (nc <= k < nc + nk and needed[k - nc]) or (not nc <= k < nc + nk and v in read)
    ]
    kept_outs = [*needed, *used[nk:]]
    return Eqn(
        scan_p,
        tuple([eqn.inputs[k] for k in kept]),
        tuple([v for v, u in zip(eqn.outputs, kept_outs, strict=True) if u]),
        {
            **params,
            "jaxpr": with_inputs(program, kept),
            "num_consts": sum(k < nc for k in kept),
            "num_carry": sum(needed),
        },
        eqn.effects,
        eqn.source,
    )


scan_p = HigherOrderPrimitive(
    "scan",
    multiple_results=True,
    infer=_infer,
    evaluate=_evaluate,
    jvp=_jvp,
    linearize=_linearize,
    transpose=_transpose,
    vmap=_vmap,
    jet=_jet,
    lower="scan",
    sample=scan_samples,
    prune=_prune,
    effects=lambda params: params["jaxpr"].effects,
)


def map_lanes(
    jaxpr: Jaxpr, size: int, args: Sequence[Any], dims: Sequence[int | None]
) -> tuple[list[Any], list[int]]:
    """Run a program on each lane of a mapped axis by itself: a scan without a carry.

    Parameters
    ----------
    jaxpr : Jaxpr
        Of one lane.
    size : int
        Number of lanes.
    args : sequence
        Its arguments, mapped or not.
    dims : sequence of int or None
        Which axis is mapped.

    Returns
    -------
    outs, dims : list
        All mapped over axis 0.
    """
    if isinstance(size, AxisSize) and size.name in axes_in(jaxpr):
        raise ArgumentTypeError(
            f"{jaxpr.name}: lanes run one by one here, so a collective along {size.name!r} has "
            "nothing to collect. Compute it outside of the loop or branch."
        )
    shared = [k for k, d in enumerate(dims) if d is None]
    mapped = [k for k, d in enumerate(dims) if d is not None]
    values = front(args, dims)
    outs = scan_p(
        *[values[k] for k in shared],
        *[values[k] for k in mapped],
        jaxpr=with_inputs(jaxpr, [*shared, *mapped]),
        length=int(size),
        reverse=False,
        num_consts=len(shared),
        num_carry=0,
        unroll=1,
    )
    return outs, [0] * len(outs)
