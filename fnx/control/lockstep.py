"""Branches and loops whose lanes go together, because they tell each other something on the way.

With a mapped predicate each lane of a `cond` or `while` runs by itself (`map_lanes`), unless a
collective along the mapped axis is inside: then all lanes compute all branches, or go on until the
last one is done, and each keeps what is its own.  Why only then: docs/design/0002, with figures.
Read next: `cond`, `while_loop`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fnx.control.calls import front
from fnx.core.jaxpr import Jaxpr, eval_jaxpr
from fnx.primitives.collectives import axes_in
from fnx.primitives.comparison import clamp, eq, select_n
from fnx.primitives.reductions import reduce_or
from fnx.primitives.shaping import broadcast_in_dim, full
from fnx.transforms.batching import AxisSize, vmap_jaxpr
from fnx.transforms.jvp import stage_closed

__all__ = ["branches_together", "loop_together", "runs_together"]


def runs_together(programs: Sequence[Jaxpr], size: int) -> bool:
    """Whether one of the programs has a collective along the mapped axis.

    Parameters
    ----------
    programs : sequence of Jaxpr
        What the primitive holds.
    size : int
        Of the mapped axis; an `AxisSize` if that has a name.
    """
    return isinstance(size, AxisSize) and any(size.name in axes_in(p) for p in programs)


def _chosen(condition: Any, then: Any, otherwise: Any) -> Any:
    """Lane by lane; the condition has one axis."""
    spread = broadcast_in_dim(condition, then.shape, (0,))
    return select_n(spread, otherwise, then)


def branches_together(
    size: int, args: Sequence[Any], dims: Sequence[int | None], branches: Sequence[Jaxpr]
) -> tuple[list[Any], list[int]]:
    """The vmap of a branch with a mapped index: all branches, and a choice.

    Parameters
    ----------
    size : int
        Of the mapped axis.
    args, dims
        The index, and the operands, with their mapped axes.
    branches : sequence of Jaxpr
        The programs.
    """
    values = front(args, dims)
    index = values[0]
    mapped = tuple([d is not None for d in dims[1:]])
    last = len(branches) - 1
    index = clamp(full((), 0, index.dtype), index, full((), last, index.dtype))
    outs: list[Any] = []
    for k, branch in enumerate(branches):
        program, _ = vmap_jaxpr(branch, size, mapped, True)
        found = eval_jaxpr(program, *values[1:])
        if k == 0:
            outs = found
            continue
        here = eq(index, full(index.shape, k, index.dtype))
        outs = [_chosen(here, new, old) for new, old in zip(found, outs, strict=True)]
    return outs, [0] * len(outs)


def loop_together(
    size: int,
    cond_jaxpr: Jaxpr,
    body_jaxpr: Jaxpr,
    cond_mapped: Sequence[bool],
    body_mapped: Sequence[bool],
) -> tuple[Jaxpr, Jaxpr]:
    """Predicate and body of a loop over all lanes; a lane that is done keeps its carry.

    Parameters
    ----------
    size : int
        Of the mapped axis.
    cond_jaxpr, body_jaxpr : Jaxpr
        Of one lane.
    cond_mapped, body_mapped : sequence of bool
        Which constants of them are mapped.

    Returns
    -------
    predicate : Jaxpr
        Of the predicate's constants and the carries.
    body : Jaxpr
        Of the predicate's constants, the body's, and the carries.
    """
    count = len(body_jaxpr.outs)
    carried = (True,) * count
    nc, nb = len(cond_mapped), len(body_mapped)
    test, _ = vmap_jaxpr(cond_jaxpr, size, (*cond_mapped, *carried), True)
    step, _ = vmap_jaxpr(body_jaxpr, size, (*body_mapped, *carried), True)

    def predicate(*args: Any) -> list[Any]:
        return [reduce_or(eval_jaxpr(test, *args)[0], (0,))]

    def body(*args: Any) -> list[Any]:
        carry = args[nc + nb :]
        goes_on = eval_jaxpr(test, *args[:nc], *carry)[0]
        after = eval_jaxpr(step, *args[nc:])
        return [_chosen(goes_on, new, old) for new, old in zip(after, carry, strict=True)]

    carries = [a.update(shape=(int(size), *a.shape)) for a in body_jaxpr.out_avals]
    consts = list(test.in_avals[:nc])
    body_consts = list(step.in_avals[:nb])
    return (
        stage_closed(predicate, [*consts, *carries], cond_jaxpr.name),
        stage_closed(body, [*consts, *body_consts, *carries], body_jaxpr.name),
    )
