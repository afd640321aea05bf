"""Reverse mode's second half: running a linear program backward.

`backward` walks a tape in reverse and applies transpose rules; `transpose_jaxpr` does so to a
recorded linear program. Cotangents that never come are None and cost nothing.  Read next: `grad`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fnx.core.jaxpr import Eqn, Jaxpr, Literal, Var
from fnx.core.primitive import Linear, Primitive, Zero, rule
from fnx.primitives.arithmetic import add
from fnx.primitives.shaping import zeros
from fnx.transforms.jvp import stage_closed
from fnx.transforms.linearize import Linearized

__all__ = ["backward", "parted", "reads", "transpose_jaxpr"]


def backward(linearized: Linearized, cotangents: Sequence[Any]) -> list[Any]:
    """Pull cotangents of the outputs back to the inputs, under the current trace.

    Parameters
    ----------
    linearized : Linearized
        A tape and its ends.
    cotangents : sequence
        One for each output; None is zero.

    Returns
    -------
    list
        One for each input; None is zero.
    """
    tape = linearized.tape
    found: dict[Any, Any] = {}
    for out, ct in zip(linearized.outputs, cotangents, strict=True):
        if out is not None and ct is not None:
            _accumulate(found, out, ct)
    # `user_frame` reads `replayed`: what a rule records, or does wrong, belongs to that line.
    for primitive, operands, params, results, replayed in reversed(tape.eqns):  # noqa: B007
        linear = [tape.owns(a) for a in operands]
        _pull(found, primitive, operands, linear, params, results)
    return [found.get(v) for v in linearized.inputs]


def transpose_jaxpr(jaxpr: Jaxpr, constants: int, keep: bool = True) -> Jaxpr:
    """The transpose of a program that is linear in its last inputs.

    Parameters
    ----------
    jaxpr : Jaxpr
        The program.
    constants : int
        How many leading inputs it is not linear in.
    keep : bool
        Whether cotangents that are zero are given all the same (as zeros).

    Returns
    -------
    Jaxpr
        Constants and cotangents of the results, to cotangents of the linear inputs.
    """

    def make() -> Jaxpr:
        linear_vars = jaxpr.in_vars[constants:]

        def pulled(*args: Any) -> list[Any]:
            env: dict[Any, Any] = dict(zip(jaxpr.in_vars[:constants], args, strict=False))
            return _backward_pass(jaxpr, env, linear_vars, args[constants:])

        avals = [*jaxpr.in_avals[:constants], *[a.strengthen() for a in jaxpr.out_avals]]
        return stage_closed(pulled, avals, jaxpr.name)

    return jaxpr.derived(("transpose", constants, keep), make)


def _backward_pass(
    jaxpr: Jaxpr, env: dict[Any, Any], linear_vars: Sequence[Var], cotangents: Sequence[Any]
) -> list[Any]:
    depends: set[Any] = set(linear_vars)
    linear_eqns = []
    for eqn in [part for whole in jaxpr.eqns for part in parted(whole, depends)]:
        if reads(eqn, depends):
            linear_eqns.append(eqn)
        else:
            replayed = eqn.source
            out = eqn.primitive(*[_read(env, a) for a in eqn.inputs], **eqn.params)
            env.update(
                zip(eqn.outputs, out if eqn.primitive.multiple_results else [out], strict=True)
            )
    found: dict[Any, Any] = {}
    for out, ct in zip(jaxpr.outs, cotangents, strict=True):
        if out in depends:
            _accumulate(found, out, ct)
    for eqn in reversed(linear_eqns):
        replayed = eqn.source  # noqa: F841 (as in `backward`)
        linear = [type(a) is Var and a in depends for a in eqn.inputs]
        operands = [
            a if is_linear else _read(env, a)
            for a, is_linear in zip(eqn.inputs, linear, strict=True)
        ]
        _pull(found, eqn.primitive, operands, linear, eqn.params, eqn.outputs)
    return [zeros(v.aval) if found.get(v) is None else found[v] for v in linear_vars]


def reads(eqn: Eqn, variables: set[Any]) -> bool:
    """Whether an equation reads some of the variables."""
    return any(type(a) is Var and a in variables for a in eqn.inputs)


def parted(eqn: Eqn, depends: set[Any]) -> list[Eqn]:
    """An equation as one that is free of some variables, and one that depends on them.

    A loop or a branch may count beside what it does to linear operands: the count is a constant of
    the transpose, and must not be taken for linear.

    Parameters
    ----------
    eqn : Eqn
        The equation.
    depends : set of Var
        The variables; results that depend on them are added.
    """
    if not reads(eqn, depends):
        return [eqn]
    prune = getattr(eqn.primitive, "prune", None)
    if prune is None or len(eqn.outputs) < 2 or eqn.effects:
        depends.update(eqn.outputs)
        return [eqn]
    count = len(eqn.outputs)
    alone = [prune(eqn, [j == k for j in range(count)]) for k in range(count)]
    free = [not reads(one, depends) for one in alone]
    depends.update(v for v, f in zip(eqn.outputs, free, strict=True) if not f)
    parts = [mask for mask in (free, [not f for f in free]) if any(mask)]
    return [prune(eqn, mask) for mask in parts] if any(free) else [eqn]


def _read(env: dict[Any, Any], atom: Any) -> Any:
    return atom.value if type(atom) is Literal else env[atom]


def _pull(
    found: dict[Any, Any],
    primitive: Primitive,
    operands: Sequence[Any],
    linear: Sequence[bool],
    params: dict[str, Any],
    results: Sequence[Any],
) -> None:
    """Move the cotangents of one equation's results to its operands."""
    cts = [found.pop(r, None) for r in results]
    if all(ct is None for ct in cts):
        return
    filled = [Zero(r.aval) if ct is None else ct for r, ct in zip(results, cts, strict=True)]
    arguments = [
        Linear(a.aval) if is_linear else a for a, is_linear in zip(operands, linear, strict=True)
    ]
    transpose = rule(primitive, "transpose")
    given = transpose(filled if primitive.multiple_results else filled[0], *arguments, **params)
    for operand, is_linear, ct in zip(operands, linear, given, strict=True):
        if is_linear and ct is not None and type(ct) is not Zero:
            _accumulate(found, operand, ct)


def _accumulate(found: dict[Any, Any], key: Any, ct: Any) -> None:
    before = found.get(key)
    found[key] = ct if before is None else add(before, ct)
