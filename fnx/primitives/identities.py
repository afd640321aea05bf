"""Functions that give back their operands and matter to the transforms only: stop_gradient, optimization_barrier.

Read next: `cast`.
"""

from __future__ import annotations

from typing import Any

from fnx.core.lowering import Element
from fnx.core.primitive import Sample
from fnx.core.types import float0, tangent_type
from fnx.primitives.families import ALL, infer_elementwise, linear, nondifferentiable, same_rank_vmap
from fnx.primitives.samplers import elementwise_samples

__all__ = ["optimization_barrier", "optimization_barrier_p", "stop_gradient", "stop_gradient_p"]


# ---------------------------------------------------------------------------------------------- stop_gradient


def _stop_fold(staging: Any, atoms: Any, params: Any) -> Any:
    (x,) = atoms
    if tangent_type(x.aval).dtype == float0:
        return x
    eqn = staging.definition(x)
    return x if eqn is not None and eqn.primitive is stop_gradient_p else None


stop_gradient_p = nondifferentiable(
    "stop_gradient",
    infer=infer_elementwise("stop_gradient", ALL, 1),
    evaluate=lambda x: x,
    vmap=same_rank_vmap(lambda: stop_gradient_p),
    lower=Element(lambda b, i, x: x(*i)),
    fold=_stop_fold,
    # its derivative is zero by definition, not by mathematics
    sample=lambda rng: (
        Sample(s.args, s.params, s.linear, smooth=False)
        for s in elementwise_samples(ALL, (-2.0, 2.0))(rng)
    ),
    why="its tangent is zero by definition",
)


def stop_gradient(x: Any) -> Any:
    """The operand, as a constant to every derivative.

    Parameters
    ----------
    x : Array
        Any dtype.
    """
    return stop_gradient_p(x)


# ---------------------------------------------------------------------------------------------- optimization_barrier


optimization_barrier_p = linear(
    "optimization_barrier",
    infer=infer_elementwise("optimization_barrier", ALL, 1),
    evaluate=lambda x: x,
    transpose=lambda ct, x: [optimization_barrier_p(ct)],
    vmap=same_rank_vmap(lambda: optimization_barrier_p),
    lower=Element(lambda b, i, x: x(*i)),
    sample=elementwise_samples(ALL, (-2.0, 2.0), linear=(0,)),
)


def optimization_barrier(*operands: Any) -> list[Any]:
    """The operands, as values that no simplification looks behind.

    What is computed from the results is not merged with what is computed from the operands.

    Parameters
    ----------
    *operands : Array
        Any shapes and dtypes.

    Returns
    -------
    list of Array
    """
    return [optimization_barrier_p(x) for x in operands]
