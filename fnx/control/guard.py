"""`guard`: values that are only there if nothing failed; otherwise the program raises.

    guard: failed, values -> values            failed: 0 or 1, as int32

It is linear in the values, so what is derived from a guarded value is guarded by the same flag, and
no transform can lose the error while it keeps a result.  Compiled code runs on to its end and
raises then.  Read next: `while_loop`, which guards loops of bounded length.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from fnx.control.calls import front
from fnx.core.array import Array
from fnx.core.jaxpr import Eqn
from fnx.core.primitive import HigherOrderPrimitive, Linear, Sample, Zero
from fnx.core.types import ShapedArray
from fnx.errors import LoopBoundError
from fnx.primitives.reductions import reduce_or
from fnx.primitives.samplers import arrays
from fnx.transforms.jvp import instantiate

__all__ = ["guard_p"]


def _infer(failed: ShapedArray, *values: ShapedArray, message: str) -> list[ShapedArray]:
    return list(values)


def _evaluate(failed: Array, *values: Array, message: str) -> list[Array]:
    if failed._data:
        raise LoopBoundError(message)
    return list(values)


def _through(failed: Any, values: Sequence[Any], message: str) -> list[Any]:
    """The values behind the guard; structural zeros need none."""
    given = [v for v in values if type(v) is not Zero]
    guarded = iter(guard_p(failed, *given, message=message) if given else [])
    return [v if type(v) is Zero else next(guarded) for v in values]


def _jvp(primals: Sequence[Any], tangents: Sequence[Any], *, message: str) -> Any:
    failed, *values = primals
    return _through(failed, values, message), _through(failed, tangents[1:], message)


def _transpose(cts: Sequence[Any], failed: Any, *values: Any, message: str) -> list[Any]:
    pulled = _through(failed, cts, message)
    return [None] + [
        instantiate(ct) if type(v) is Linear else None for ct, v in zip(pulled, values, strict=True)
    ]


def _vmap(size: int, args: Sequence[Any], dims: Sequence[Any], *, message: str) -> Any:
    failed, *values = front(args, dims)
    if dims[0] is not None:
        failed = reduce_or(failed, (0,))
    outs = guard_p(failed, *values, message=message)
    return outs, [None if d is None else 0 for d in dims[1:]]


def _jet(primals: Sequence[Any], series: Sequence[Sequence[Any]], *, message: str) -> Any:
    failed, *values = primals
    outs = _through(failed, values, message)
    return outs, [_through(failed, terms, message) for terms in series[1:]]


def _prune(eqn: Eqn, used: Sequence[bool]) -> Eqn:
    kept = [k for k, u in enumerate(used) if u]
    return Eqn(
        eqn.primitive,
        (eqn.inputs[0], *[eqn.inputs[k + 1] for k in kept]),
        tuple([eqn.outputs[k] for k in kept]),
        eqn.params,
        eqn.effects,
        eqn.source,
    )


def _samples(rng: np.random.Generator) -> Iterator[Sample]:
    params = {"message": "sampled: it failed"}
    for dtype in (np.float64, np.float32, np.complex128):
        for shape in ((3,), (), (0, 2)) if dtype is np.float64 else ((3,),):
            x, y = (arrays(rng, shape, dtype) for _ in range(2))
            failed, n = np.array(0, np.int32), arrays(rng, shape, np.int32)
            yield Sample((failed, x, n, y), params, linear=(1, 3))
    yield Sample((np.array(0, np.int32),), params)


guard_p = HigherOrderPrimitive(
    "guard",
    multiple_results=True,
    infer=_infer,
    evaluate=_evaluate,
    jvp=_jvp,
    transpose=_transpose,
    vmap=_vmap,
    jet=_jet,
    lower="guard",
    sample=_samples,
    prune=_prune,
)
