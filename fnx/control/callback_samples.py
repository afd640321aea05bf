"""Cases of the primitives that call Python functions, for the law tests.

The functions are pure, whatever the primitive allows, so that laws may call them as often as they
like.  Where a call has no derivative its operands are integers. Read next: `samplers`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from fnx import tree_util
from fnx.control.flat_callback import FlatCallback
from fnx.core.primitive import Sample
from fnx.core.types import ShapedArray
from fnx.primitives.samplers import arrays

__all__ = ["debug_samples", "io_samples", "pure_samples"]

#: One, two and no results, of the shape to which the operands broadcast.
FUNCTIONS: tuple[Callable[[Any, Any], tuple[Any, ...]], ...] = (
    lambda n, m: (np.asarray(n) * np.asarray(m),),
    lambda n, m: (np.sin(np.asarray(n) + 0.5 * np.asarray(m)), np.asarray(n) > np.asarray(m)),
    lambda n, m: (),
)


def _call(function: Callable[..., Any], args: Sequence[Any], results: Any) -> FlatCallback:
    _, tree = tree_util.tree_flatten((tuple(args), {}))
    out_tree = None if results is None else tree_util.tree_structure(results)
    return FlatCallback(function, tree, (), out_tree, "sampled", "the sampler")


def debug_samples(rng: np.random.Generator) -> Iterator[Sample]:
    """Cases of looking: floats, integers, nothing at all."""
    for dtype in (np.float64, np.float32, np.int32):
        for shape in ((3,), (), (0, 2)) if dtype is np.float64 else ((2, 2),):
            args = (arrays(rng, shape, dtype, -1, 1), arrays(rng, (2,), np.int32))
            for ordered in (False, True):
                call = _call(lambda x, n: np.shape(x), args, None)
                yield Sample(args, {"callback": call, "ordered": ordered})
    yield Sample((), {"callback": _call(lambda: None, (), None), "ordered": False})


def _computing(rng: np.random.Generator, params: dict[str, Any]) -> Iterator[Sample]:
    for function in FUNCTIONS:
        for shape in ((3,), (), (0, 2)):
            args = (arrays(rng, shape, np.int32), arrays(rng, shape, np.int32))
            results = function(*args)
            avals = tuple([ShapedArray(np.shape(r), np.asarray(r).dtype) for r in results])
            yield Sample(
                args, {"callback": _call(function, args, results), "result_avals": avals, **params}
            )


def io_samples(rng: np.random.Generator) -> Iterator[Sample]:
    """Cases of a call that might do something."""
    yield from _computing(rng, {"ordered": False})


def pure_samples(rng: np.random.Generator) -> Iterator[Sample]:
    """Cases of computing, with every way to take a mapped axis."""
    for method in ("sequential", "sequential_unrolled", "expand_dims", "broadcast_all"):
        yield from _computing(rng, {"vmap_method": method})
