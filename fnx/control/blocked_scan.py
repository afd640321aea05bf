"""A scan in blocks that are computed again: reverse mode in bounded memory.

The derivative of a scan keeps what every step leaves for it.  In blocks, the derivative keeps the
carries between blocks only and computes each block again (`checkpoint`).  Blocks of blocks go on
from there: with every step computed ``again`` times, about
``(again + 1) * length ** (1 / (again + 1))`` steps are kept.  It is the same loop to everybody
else: values, ys and all transforms are those of the plain scan.  Reference: Griewank, *Achieving
logarithmic growth of temporal and spatial complexity in reverse automatic differentiation* (1992).
Read next: `while_loop`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fnx.control.checkpoint import checkpoint_p
from fnx.control.scan import scan_p
from fnx.core.jaxpr import Jaxpr
from fnx.primitives.joining import concatenate
from fnx.primitives.shaping import reshape
from fnx.primitives.slicing import slice_in_dim
from fnx.transforms.jvp import stage_closed

__all__ = ["KEPT", "blocked_scan", "fewest_again"]

#: Bytes that the derivative of a loop may keep before its steps are computed again.
KEPT = 1 << 24

#: More often than this no step is computed again on our own decision.
_MOST = 4


def fewest_again(jaxpr: Jaxpr, length: int) -> int:
    """How often steps must be computed again so that a loop keeps no more than `KEPT`.

    Parameters
    ----------
    jaxpr : Jaxpr
        The body; a step is taken to keep all that it computes.
    length : int
        Number of steps.
    """
    step = sum(v.aval.size * v.aval.dtype.itemsize for e in jaxpr.eqns for v in e.outputs)
    for again in range(_MOST):
        if step * (again + 1) * length ** (1 / (again + 1)) <= KEPT:
            return again
    return _MOST


def blocked_scan(
    args: Sequence[Any],
    again: int,
    *,
    jaxpr: Jaxpr,
    length: int,
    reverse: bool,
    num_consts: int,
    num_carry: int,
) -> list[Any]:
    """Scan, with blocks that the derivative computes again.

    Parameters
    ----------
    args : sequence
        Constants, first carry, xs, as of `scan_p`.
    again : int
        How often each step may be computed again; 0 is the plain scan.
    jaxpr, length, reverse, num_consts, num_carry
        As of `scan_p`.
    """
    start = num_consts + num_carry
    fixed = {"reverse": reverse, "num_consts": num_consts, "num_carry": num_carry, "unroll": 1}

    def in_blocks(values: Sequence[Any], length: int, again: int) -> list[Any]:
        size = _block(length, again)
        if size == length:
            return scan_p(*values, jaxpr=jaxpr, length=length, **fixed)
        count, rest = divmod(length, size)
        consts, carry, xs = values[:num_consts], values[num_consts:start], values[start:]
        whole = [slice_in_dim(x, 0, count * size) for x in xs] if rest else xs
        whole = [reshape(x, (count, size, *x.shape[1:])) for x in whole]
        ends = [slice_in_dim(x, count * size, length) for x in xs] if rest else []

        def block(length: int) -> Jaxpr:
            avals = [a.aval for a in values[:start]]
            avals += [x.aval.update(shape=(length, *x.shape[1:])) for x in xs]
            return stage_closed(lambda *v: in_blocks(v, length, again - 1), avals, jaxpr.name)

        def blocks(carry: Sequence[Any]) -> list[Any]:
            one = block(size)
            step = stage_closed(lambda *v: checkpoint_p(*v, jaxpr=one), one.in_avals, jaxpr.name)
            outs = scan_p(*consts, *carry, *whole, jaxpr=step, length=count, **fixed)
            ys = [reshape(y, (count * size, *y.shape[2:])) for y in outs[num_carry:]]
            return [*outs[:num_carry], *ys]

        def last(carry: Sequence[Any]) -> list[Any]:
            return checkpoint_p(*consts, *carry, *ends, jaxpr=block(rest))

        if not rest:
            return blocks(carry)
        first, second = (last, blocks) if reverse else (blocks, last)
        before = first(carry)
        after = second(before[:num_carry])
        pieces = zip(before[num_carry:], after[num_carry:], strict=True)
        joined = [concatenate([a, b] if reverse else [b, a], 0) for b, a in pieces]
        return [*after[:num_carry], *joined]

    return in_blocks(list(args), length, again)


def _block(length: int, again: int) -> int:
    """Steps of a block; the length itself where blocks would save nothing."""
    if again == 0 or length < 4:
        return length
    branches = max(2, round(length ** (1 / (again + 1))))
    return -(-length // branches)
