"""The family of special functions that SciPy evaluates, element by element.

A member says what it is on float64 arrays (the name of a ufunc of `scipy.special`, which loads on
the first use, or a NumPy function), its derivative in each operand, and where its sampler draws.
Narrower floats are computed in float64 and rounded once. In a compiled program a member is an
explicit step on the host. Read next: `incomplete_gamma`, `bessel`, `hypergeometric`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from fnx.core.lowering import Host
from fnx.core.primitive import Primitive, Sample
from fnx.core.types import ShapedArray
from fnx.primitives.families import FLOAT, elementwise, infer_elementwise
from fnx.primitives.folding import fold_uniform
from fnx.primitives.samplers import elementwise_samples

__all__ = ["scipy_function"]

SHAPES = ((), (3,), (0, 2), (2, 1, 2))


def scipy_function(
    name: str,
    evaluate: str | Callable[..., Any],
    tangents: Sequence[Callable[..., Any] | None],
    *domains: tuple[float, float],
    params: Sequence[dict[str, Any]] = ({},),
    accepts: str | Sequence[str] = FLOAT,
    sample: Callable[[np.random.Generator], Iterable[Sample]] | None = None,
) -> Primitive:
    """A special function of one or more numbers.

    Parameters
    ----------
    name : str
        The primitive's.
    evaluate : str or callable
        A ufunc of `scipy.special`, or a function of arrays in double precision.
    tangents : sequence of callable
        As for `families.elementwise`: ``(t, out, *operands, **params) -> tangent``.
    *domains : pair of float
        For each operand, where the sampler draws.
    params : sequence of dict
        Parameters that the sampler tries.
    accepts : str or sequence of str
        Kinds of dtypes, one for all operands, or of each: then the result has the last one's.
    sample : callable, optional
        A sampler, where kinds differ.
    """

    def in_double(*operands: Any, **chosen: Any) -> Any:
        dtype = operands[-1].dtype
        wide = np.complex128 if dtype.kind == "c" else np.float64
        # in memory order: NumPy's loops over strided operands may round differently
        values = [np.array(x, wide, order="C") for x in operands]
        return np.asarray(_function(evaluate)(*values, **chosen)).astype(dtype)

    if sample is None and isinstance(accepts, str):
        sample = elementwise_samples(accepts, *domains, params=params, shapes=SHAPES)
    primitive = elementwise(
        name,
        accepts=accepts,
        arity=len(domains),
        evaluate=in_double,
        tangents=tangents,
        infer=None if isinstance(accepts, str) else _infer_mixed(name, accepts),
        lower=Host("SciPy evaluates it, called from Python"),
        fold=fold_uniform(lambda: primitive),
        sample=sample,
    )
    return primitive


def _infer_mixed(name: str, accepts: Sequence[str]) -> Callable[..., ShapedArray]:
    """The type rule of integers and one floating operand, the last: the result is of its type."""
    infer = infer_elementwise(name, accepts, len(accepts), equal_dtypes=False)

    def mixed(*avals: ShapedArray, **params: Any) -> ShapedArray:
        shape = infer(*avals, **params).shape
        return ShapedArray(shape, avals[-1].dtype, avals[-1].weak_type)

    return mixed


def _function(evaluate: str | Callable[..., Any]) -> Callable[..., Any]:
    if callable(evaluate):
        return evaluate
    import scipy.special  # loads on first use

    return getattr(scipy.special, evaluate)
