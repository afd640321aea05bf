"""A program without its control flow: loops turn and branches are taken in Python.

`straightened(function, *arguments)` gives a function of the same mathematics that applies
first-order primitives only, one after the other: what a counted or searching loop, a branch, a
call, a checkpoint or a function with a rule of its own does is done by hand, with what its
conditions say at the operands.  The derivatives of the result are those of a straight line of
first-order primitives, so no rule of what was taken away has a part in them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import fnx
import fnx.numpy as jnp
from fnx.core.jaxpr import Jaxpr, Var
from fnx.core.primitive import HigherOrderPrimitive

__all__ = ["straightened"]


def straightened(function: Callable[..., Any], *arguments: Any) -> Callable[..., Any]:
    """The function without control flow, to be called with arguments of the types of these.

    Parameters
    ----------
    function : callable
        Of arrays, with one result.
    *arguments : Array
        Only their types count.
    """
    closed = fnx.make_jaxpr(function)(*arguments)
    return lambda *args: _followed(closed.jaxpr, [*closed.consts, *args])[0]


def _followed(jaxpr: Jaxpr, args: Sequence[Any]) -> list[Any]:
    """The results of a program, its conditions decided by their values."""
    env: dict[Any, Any] = dict(zip(jaxpr.in_vars, args, strict=True))
    read = [lambda atom: env[atom] if type(atom) is Var else atom.value][0]
    for eqn in jaxpr.eqns:
        operands = [read(a) for a in eqn.inputs]
        out = _applied(eqn.primitive, operands, eqn.params)
        env.update(zip(eqn.outputs, out, strict=True))
    return [env[o] if type(o) is Var else o.fresh() for o in jaxpr.outs]


def _applied(primitive: Any, operands: list[Any], params: dict[str, Any]) -> Sequence[Any]:
    if primitive.name in _CONTROL:
        return _CONTROL[primitive.name](operands, **params)
    if isinstance(primitive, HigherOrderPrimitive):
        assert primitive.inline is not None, f"{primitive}: don't know how to take it away"
        return _followed(primitive.inline(params), operands)
    out = primitive(*operands, **params)
    return out if primitive.multiple_results else [out]


def _branch(operands: list[Any], *, branches: Sequence[Jaxpr]) -> list[Any]:
    chosen = min(max(int(operands[0]), 0), len(branches) - 1)
    return _followed(branches[chosen], operands[1:])


def _while(
    operands: list[Any],
    *,
    cond_jaxpr: Jaxpr,
    body_jaxpr: Jaxpr,
    cond_nconsts: int,
    body_nconsts: int,
) -> list[Any]:
    known = cond_nconsts + body_nconsts
    carry = operands[known:]
    while bool(_followed(cond_jaxpr, [*operands[:cond_nconsts], *carry])[0]):
        carry = _followed(body_jaxpr, [*operands[cond_nconsts:known], *carry])
    return carry


def _scan(
    operands: list[Any],
    *,
    jaxpr: Jaxpr,
    length: int,
    reverse: bool,
    num_consts: int,
    num_carry: int,
    unroll: int = 1,
) -> list[Any]:
    consts = operands[:num_consts]
    carry = operands[num_consts : num_consts + num_carry]
    xs = operands[num_consts + num_carry :]
    rows: list[Any] = [None] * length
    for step in reversed(range(length)) if reverse else range(length):
        outs = _followed(jaxpr, [*consts, *carry, *[x[step] for x in xs]])
        carry, rows[step] = outs[:num_carry], outs[num_carry:]
    return [*carry, *[jnp.stack(column) for column in zip(*rows, strict=True)]]


_CONTROL: dict[str, Callable[..., list[Any]]] = {"cond": _branch, "while": _while, "scan": _scan}
