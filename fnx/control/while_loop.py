"""`while`: repeat a program as long as a predicate of its results holds.

    while: cond_consts, body_consts, carry -> carry

Reverse mode: a loop whose length is known while it is differentiated becomes a `scan` of that
length (in blocks, if it would keep too much).  Otherwise it becomes nested counted loops with fixed
depth, each a checkpointed scan of `WIDTH` steps whose steps run the level below while the predicate
holds: `DEPTH` levels cover ``WIDTH ** DEPTH`` steps, keep ``WIDTH * DEPTH`` carries, and recompute
every step at most `DEPTH` times; a loop that goes on after that raises (`guard`).  They are
ordinary primitives, so higher orders come by composition.  With a mapped predicate every lane runs
its own loop (`map_lanes`).  A loop whose predicate doesn't read what is linear has a transpose, by
the same two ways.  Read next: `loops`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fnx.control.blocked_scan import blocked_scan, fewest_again
from fnx.control.calls import (
    front,
    instantiate_series,
    nonzero_inputs,
    nonzero_series,
    silent,
    spread,
    typed,
    with_inputs,
    zeros_of,
)
from fnx.control.checkpoint import checkpoint_p
from fnx.control.compiled_loops import may_compile, run_compiled, steps_in_python
from fnx.control.cond import cond_p
from fnx.control.guard import guard_p
from fnx.control.lockstep import loop_together, runs_together
from fnx.control.samplers import while_samples
from fnx.control.scan import depends, map_lanes, scan_p, smallest_carry
from fnx.core.array import Array
from fnx.core.jaxpr import Jaxpr, eval_jaxpr
from fnx.core.primitive import HigherOrderPrimitive, Linear, Zero
from fnx.core.tracing import Tracer, running
from fnx.core.types import ShapedArray
from fnx.errors import ArgumentTypeError
from fnx.primitives.arithmetic import add
from fnx.primitives.cast import convert_element_type
from fnx.primitives.collectives import axes_in
from fnx.primitives.shaping import full, zeros
from fnx.transforms.batching import to_axis, vmap_jaxpr
from fnx.transforms.jet import jet_jaxpr
from fnx.transforms.jvp import instantiate, jvp_jaxpr, stage_closed
from fnx.transforms.linearize import LinearizedJaxpr, linearize_jaxpr
from fnx.transforms.transpose import transpose_jaxpr

__all__ = ["DEPTH", "WIDTH", "bounded_program", "while_p"]

#: Steps per level, and levels, of a loop of unknown length in reverse mode: 128**4 is 268 million
#: steps.
WIDTH = 128
DEPTH = 4


def _parts(values: Sequence[Any], cond_nconsts: int, body_nconsts: int) -> tuple[list, list, list]:
    values = list(values)
    stop = cond_nconsts + body_nconsts
    return values[:cond_nconsts], values[cond_nconsts:stop], values[stop:]


def _infer(
    *avals: ShapedArray,
    cond_jaxpr: Jaxpr,
    body_jaxpr: Jaxpr,
    cond_nconsts: int,
    body_nconsts: int,
) -> list[ShapedArray]:
    return list(body_jaxpr.out_avals)


def _evaluate(
    *args: Array,
    cond_jaxpr: Jaxpr,
    body_jaxpr: Jaxpr,
    cond_nconsts: int,
    body_nconsts: int,
) -> list[Array]:
    consts = args[: cond_nconsts + body_nconsts]
    cond_consts, body_consts, carry = _parts(args, cond_nconsts, body_nconsts)
    left = steps_in_python(cond_jaxpr, body_jaxpr)
    while bool(eval_jaxpr(cond_jaxpr, *cond_consts, *carry)[0]._data):
        if left == 0 and may_compile(cond_jaxpr, body_jaxpr):  # it is long: the rest in one go
            params = {
                "cond_jaxpr": cond_jaxpr, "body_jaxpr": body_jaxpr,
                "cond_nconsts": cond_nconsts, "body_nconsts": body_nconsts,
            }  # fmt: skip
            carry = run_compiled(while_p, (*consts, *carry), params, body_jaxpr)
            break
        carry = eval_jaxpr(body_jaxpr, *body_consts, *carry)
        left -= 1
    return typed(carry, body_jaxpr.out_avals)


def _jvp(primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> Any:
    cond_jaxpr, body_jaxpr = params["cond_jaxpr"], params["body_jaxpr"]
    nc, nb = params["cond_nconsts"], params["body_nconsts"]
    _, nz_consts, nz_init = _parts(nonzero_inputs(tangents), nc, nb)

    def step(nz: tuple[bool, ...]) -> Sequence[bool]:
        return jvp_jaxpr(body_jaxpr, (*nz_consts, *nz))[1]

    nz_carry = smallest_carry(nz_init, step)
    program, _ = jvp_jaxpr(body_jaxpr, (*nz_consts, *nz_carry), nz_carry)
    c, k, n = sum(nz_consts), sum(nz_carry), len(body_jaxpr.in_vars)
    order = [*range(nb), *range(n, n + c), *range(nb, n), *range(n + c, n + c + k)]
    cond_consts, body_consts, carry = _parts(primals, nc, nb)
    _, t_consts, t_carry = _parts(tangents, nc, nb)
    results = while_p(
        *cond_consts,
        *body_consts,
        *[t for t in t_consts if type(t) is not Zero],
        *carry,
        *[instantiate(t) for t, nz in zip(t_carry, nz_carry, strict=True) if nz],
        cond_jaxpr=_widen(
            cond_jaxpr, [t.aval for t, nz in zip(t_carry, nz_carry, strict=True) if nz]
        ),
        body_jaxpr=with_inputs(program, order),
        cond_nconsts=nc,
        body_nconsts=nb + c,
    )
    outs = results[: len(carry)]
    return outs, spread(results[len(carry) :], nz_carry, lambda j: zeros_of(outs[j]))


def _widen(cond_jaxpr: Jaxpr, extra: Sequence[ShapedArray]) -> Jaxpr:
    """The predicate of a carry with more parts, which it doesn't read."""
    count = len(cond_jaxpr.in_vars)
    return stage_closed(
        lambda *args: eval_jaxpr(cond_jaxpr, *args[:count]),
        [*cond_jaxpr.in_avals, *extra],
        cond_jaxpr.name,
    )


def _split(
    nonzeros: Sequence[bool], primals: Sequence[Any], params: dict[str, Any]
) -> LinearizedJaxpr:
    """The loop as a program of scans, linearized."""
    steps = _known_length(primals, params)
    avals = [p.aval for p in primals]
    program = (
        bounded_program(avals, **params)
        if steps is None
        else stage_closed(
            lambda *args: counted(args, steps, **params), avals, params["body_jaxpr"].name
        )
    )
    return linearize_jaxpr(program, tuple(nonzeros))


def _linearize(nonzeros: Sequence[bool], primals: Sequence[Any], **params: Any) -> Any:
    split = _split(nonzeros, primals, params)
    results = eval_jaxpr(split.primal, *primals)
    count = len(split.nonzero_out)
    outs, residuals = results[:count], results[count:]

    def linear(tangents: Sequence[Any]) -> list[Any]:
        return eval_jaxpr(split.tangent, *residuals, *tangents)

    return outs, split.nonzero_out, linear


def _transpose(cts: Sequence[Any], *operands: Any, **params: Any) -> list[Any]:
    cond_jaxpr, body_jaxpr = params["cond_jaxpr"], params["body_jaxpr"]
    nc, nb = params["cond_nconsts"], params["body_nconsts"]
    linear = [type(a) is Linear for a in operands]
    l_cond, l_consts, l_init = _parts(linear, nc, nb)
    l_carry = smallest_carry(l_init, lambda now: depends(body_jaxpr, (*l_consts, *now)))
    if depends(cond_jaxpr, (*l_cond, *l_carry))[0]:
        raise ArgumentTypeError(
            f"while of {body_jaxpr.name}: the length of the loop depends on what is transposed, so "
            "the loop is not linear in it. Stop the loop by something else, for example a counter."
        )
    # What is linear is its own derivative at zero. The predicate doesn't read it, so the length of
    # the loop is the same there.
    at_zero = [zeros(a.aval) if n else a for a, n in zip(operands, linear, strict=True)]
    split = _split(linear, at_zero, params)
    residuals = eval_jaxpr(split.primal, *at_zero)[len(split.nonzero_out) :]
    given = [instantiate(c) for c, n in zip(cts, split.nonzero_out, strict=True) if n]
    pulled = eval_jaxpr(transpose_jaxpr(split.tangent, split.residuals), *residuals, *given)
    return spread(pulled, linear, lambda k: None)


def _known_length(primals: Sequence[Any], params: dict[str, Any]) -> int | None:
    """How many steps the loop takes, if its operands are known."""
    values = [p.concrete() if isinstance(p, Tracer) else p for p in primals]
    if any(v is None for v in values):
        return None
    # Counting is a second run, in which nothing is printed.
    cond_jaxpr, body_jaxpr = silent(params["cond_jaxpr"]), silent(params["body_jaxpr"])
    if cond_jaxpr.effects or body_jaxpr.effects or axes_in(cond_jaxpr) or axes_in(body_jaxpr):
        return None
    step = ShapedArray((), np.dtype(np.int64))
    counting = stage_closed(
        lambda *xs: [*eval_jaxpr(body_jaxpr, *xs[:-1]), add(xs[-1], full((), 1, step.dtype))],
        [*body_jaxpr.in_avals, step],
        body_jaxpr.name,
    )
    programs = {"cond_jaxpr": _widen(cond_jaxpr, [step]), "body_jaxpr": counting}
    with running(None):
        return int(while_p(*values, full((), 0, step.dtype), **{**params, **programs})[-1])


def counted(args: Sequence[Any], steps: int, **params: Any) -> list[Any]:
    """The loop as a scan of known length, in blocks if it would keep too much."""
    _, body_consts, carry = _parts(args, params["cond_nconsts"], params["body_nconsts"])
    body = params["body_jaxpr"]
    return blocked_scan(
        [*body_consts, *carry],
        fewest_again(body, steps),
        jaxpr=body,
        length=steps,
        reverse=False,
        num_consts=len(body_consts),
        num_carry=len(carry),
    )


def bounded_program(
    avals: Sequence[ShapedArray],
    *,
    cond_jaxpr: Jaxpr,
    body_jaxpr: Jaxpr,
    cond_nconsts: int,
    body_nconsts: int,
) -> Jaxpr:
    """The loop as nested counted loops; see the module's docstring.

    Parameters
    ----------
    avals : sequence of ShapedArray
        Of the loop's operands.
    cond_jaxpr, body_jaxpr, cond_nconsts, body_nconsts
        The loop's parameters.
    """
    name = body_jaxpr.name
    n_consts = cond_nconsts + body_nconsts

    def predicate(args: Sequence[Any]) -> Any:
        holds = eval_jaxpr(cond_jaxpr, *args[:cond_nconsts], *args[n_consts:])[0]
        return convert_element_type(holds, "int32")

    stay = stage_closed(lambda *args: list(args[n_consts:]), avals, name)
    step = stage_closed(lambda *args: eval_jaxpr(body_jaxpr, *args[cond_nconsts:]), avals, name)
    for level in range(DEPTH):
        below = step

        def guarded(*args: Any, below: Jaxpr = below, level: int = level) -> list[Any]:
            return cond_p(predicate(args), *args, branches=(stay, below))

        one = stage_closed(guarded, avals, name)

        def counted_level(*args: Any, one: Jaxpr = one) -> list[Any]:
            return scan_p(
                *args,
                jaxpr=one,
                length=WIDTH,
                reverse=False,
                num_consts=n_consts,
                num_carry=len(avals) - n_consts,
                unroll=1,
            )

        whole = stage_closed(counted_level, avals, name)

        def remembered(*args: Any, whole: Jaxpr = whole) -> list[Any]:
            return checkpoint_p(*args, jaxpr=whole)

        step = stage_closed(remembered, avals, name)

    def bounded(*args: Any) -> list[Any]:
        carry = eval_jaxpr(whole, *args)
        goes_on = predicate([*args[:n_consts], *carry])
        return guard_p(goes_on, *carry, message=message)

    message = (
        f"while of {name}: it takes more than {WIDTH**DEPTH} steps, the most that reverse mode "
        "covers where the length of a loop is not known. Use forward mode (jvp, jacfwd), or stop "
        "the loop earlier."
    )
    return stage_closed(bounded, avals, name)


def _vmap(size: int, args: Sequence[Any], dims: Sequence[Any], **params: Any) -> Any:
    cond_jaxpr, body_jaxpr = params["cond_jaxpr"], params["body_jaxpr"]
    nc, nb = params["cond_nconsts"], params["body_nconsts"]
    m_cond, m_consts, m_init = _parts([d is not None for d in dims], nc, nb)

    def step(mapped: tuple[bool, ...]) -> Sequence[bool]:
        return vmap_jaxpr(body_jaxpr, size, (*m_consts, *mapped))[1]

    m_carry = smallest_carry(m_init, step)
    if vmap_jaxpr(cond_jaxpr, size, (*m_cond, *m_carry))[1][0]:
        if runs_together((cond_jaxpr, body_jaxpr), size):
            programs = loop_together(size, cond_jaxpr, body_jaxpr, m_cond, m_consts)
            consts = front(args[: nc + nb], dims[: nc + nb])
            pairs = zip(args[nc + nb :], dims[nc + nb :], strict=True)
            carry = [to_axis(a, d, size, 0) for a, d in pairs]
            outs = while_p(
                *consts[:nc], *consts, *carry,
                cond_jaxpr=programs[0], body_jaxpr=programs[1],
                cond_nconsts=nc, body_nconsts=nc + nb,
            )  # fmt: skip
            return outs, [0] * len(outs)
        avals = [
            a.aval.update(shape=a.shape[:d] + a.shape[d + 1 :]) if d is not None else a.aval
            for a, d in zip(args, dims, strict=True)
        ]
        one = stage_closed(lambda *xs: while_p(*xs, **params), avals, body_jaxpr.name)
        return map_lanes(one, size, args, dims)
    program, _ = vmap_jaxpr(body_jaxpr, size, (*m_consts, *m_carry), m_carry)
    predicate, _ = vmap_jaxpr(cond_jaxpr, size, (*m_cond, *m_carry))
    consts = front(args[: nc + nb], dims[: nc + nb])
    carry = [
        to_axis(a, d, size, 0) if m else a
        for a, d, m in zip(args[nc + nb :], dims[nc + nb :], m_carry, strict=True)
    ]
    outs = while_p(*consts, *carry, **{**params, "cond_jaxpr": predicate, "body_jaxpr": program})
    return outs, [0 if m else None for m in m_carry]


def _jet(primals: Sequence[Any], series: Sequence[Sequence[Any]], **params: Any) -> Any:
    cond_jaxpr, body_jaxpr = params["cond_jaxpr"], params["body_jaxpr"]
    nc, nb = params["cond_nconsts"], params["body_nconsts"]
    order = len(series[0])
    _, nz_consts, nz_init = _parts(nonzero_series(series), nc, nb)

    def step(nz: tuple[bool, ...]) -> Sequence[bool]:
        return jet_jaxpr(body_jaxpr, order, (*nz_consts, *nz))[1]

    nz_carry = smallest_carry(nz_init, step)
    program, _ = jet_jaxpr(body_jaxpr, order, (*nz_consts, *nz_carry), nz_carry)
    c, k, n = order * sum(nz_consts), order * sum(nz_carry), len(body_jaxpr.in_vars)
    order_in = [*range(nb), *range(n, n + c), *range(nb, n), *range(n + c, n + c + k)]
    cond_consts, body_consts, carry = _parts(primals, nc, nb)
    _, s_consts, s_carry = _parts(series, nc, nb)
    extra = [
        c for s, nz in zip(s_consts, nz_consts, strict=True) if nz for c in instantiate_series(s)
    ]
    start = [
        c for s, nz in zip(s_carry, nz_carry, strict=True) if nz for c in instantiate_series(s)
    ]
    results = while_p(
        *cond_consts,
        *body_consts,
        *extra,
        *carry,
        *start,
        cond_jaxpr=_widen(cond_jaxpr, [s.aval for s in start]),
        body_jaxpr=with_inputs(program, order_in),
        cond_nconsts=nc,
        body_nconsts=nb + c,
    )
    outs, rest = results[: len(carry)], results[len(carry) :]
    groups = [rest[j : j + order] for j in range(0, len(rest), order)]
    return outs, spread(groups, nz_carry, lambda j: [zeros_of(outs[j])] * order)


while_p = HigherOrderPrimitive(
    "while",
    multiple_results=True,
    infer=_infer,
    evaluate=_evaluate,
    jvp=_jvp,
    linearize=_linearize,
    transpose=_transpose,
    vmap=_vmap,
    jet=_jet,
    lower="while",
    sample=while_samples,
    effects=lambda params: params["cond_jaxpr"].effects | params["body_jaxpr"].effects,
)
