"""Arrays for the samplers of primitives: every shape and dtype that a rule may meet.

Shapes include 0-d, empty, size 1, odd lengths beyond a vector, and non-contiguous layouts; the law
tests take the float64 cases for derivatives and all cases for evaluation, compilation and vmap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import ml_dtypes
import numpy as np

from fnx.core.primitive import Sample

__all__ = ["DTYPES", "EDGES", "SHAPES", "arrays", "elementwise_samples", "special_rows"]

#: Shapes that every elementwise primitive is tried on.
SHAPES: tuple[tuple[int, ...], ...] = ((), (1,), (5,), (0, 3), (2, 3), (37,), (2, 1, 4))

#: Numbers at which floating functions are special.
EDGES = (0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 2.5, -2.5)

#: Kind letter to dtypes, as in `families`.
DTYPES: dict[str, tuple[Any, ...]] = {
    "b": (np.bool_,),
    "i": (np.int32, np.int8, np.int16, np.int64),
    "u": (np.uint32, np.uint8, np.uint16, np.uint64),
    "f": (np.float64, np.float32, np.float16, ml_dtypes.bfloat16),
    "c": (np.complex128, np.complex64),
}


def arrays(
    rng: np.random.Generator,
    shape: Sequence[int],
    dtype: Any,
    low: float = -2.0,
    high: float = 2.0,
    strided: bool = False,
) -> np.ndarray[Any, Any]:
    """Random numbers in [low, high] of any dtype.

    Parameters
    ----------
    rng : numpy.random.Generator
        The source.
    shape : sequence of int
        The extents.
    dtype : dtype
        Any dtype; integers come from the same range, at least three apart; bools are coins.
    low, high : float
        The range.
    strided : bool
        Give a view with a step and reversed axes instead of a contiguous array.
    """
    dtype = np.dtype(dtype)
    full = tuple(2 * n for n in reversed(shape)) if strided else tuple(shape)
    data: Any
    if dtype.kind == "b":
        data = rng.random(full) < 0.5
    elif dtype.kind in "iu":
        lowest = max(int(np.ceil(low)), 0) if dtype.kind == "u" else int(np.ceil(low))
        highest = max(int(np.floor(high)), lowest + 3)
        data = rng.integers(lowest, highest + 1, full)
    elif dtype.kind == "c":
        data = rng.uniform(low, high, full) + 1j * rng.uniform(low, high, full)
    else:
        data = rng.uniform(low, high, full)
    result = np.asarray(data).astype(dtype)
    if strided:
        result = result[tuple(slice(None, None, 2) for _ in shape)].T
    return result


def special_rows(dtype: Any) -> np.ndarray[Any, Any]:
    """Rows of zeros of both signs, of infinities, of NaNs, and of mixtures of them.

    Parameters
    ----------
    dtype : dtype
        Floating.
    """
    inf, nan = np.inf, np.nan
    rows = [
        [0.0, -0.0, 0.0, -0.0], [-0.0, -0.0, -0.0, -0.0], [-0.0, 0.0, 1.0, -1.0],
        [inf, 1.0, 2.0, inf], [-inf, 1.0, -inf, 2.0], [inf, -inf, 1.0, 0.0],
        [nan, 1.0, -1.0, nan], [1.0, nan, inf, -inf], [-inf, -inf, -inf, -inf],
    ]  # fmt: skip
    return np.array(rows).astype(dtype)


def elementwise_samples(
    accepts: str,
    *ranges: tuple[float, float],
    params: Sequence[dict[str, Any]] = ({},),
    linear: tuple[int, ...] = (),
    shapes: Sequence[tuple[int, ...]] = SHAPES,
    edges: bool = False,
) -> Callable[[np.random.Generator], Iterator[Sample]]:
    """A sampler of an elementwise primitive.

    Parameters
    ----------
    accepts : str
        Kinds of dtypes; all operands get the same one.
    *ranges : pair of float
        The domain of each operand, away from singularities and kinks.
    params : sequence of dict
        Parameters to try.
    linear : tuple of int
        Operands that it is linear in.
    shapes : sequence of tuple
        Shapes to try on float64 (or the first dtype); other dtypes get two of them.
    edges : bool
        Also give every combination of the numbers at which floating functions are special, not
        smooth.
    """

    def sample(rng: np.random.Generator) -> Iterator[Sample]:
        first = True
        for kind in sorted(accepts, key="fcuib".index):
            for dtype in DTYPES[kind]:
                for shape in shapes if first else ((3,), (2, 3)):
                    for chosen in params:
                        args = tuple(arrays(rng, shape, dtype, lo, hi) for lo, hi in ranges)
                        yield Sample(args, dict(chosen), linear)
                first = False
        dtype = DTYPES[sorted(accepts, key="fcuib".index)[0]][0]
        args = tuple(arrays(rng, (3, 4), dtype, lo, hi, strided=True) for lo, hi in ranges)
        yield Sample(args, dict(params[0]), linear)
        for dtype in DTYPES["f"] if edges else ():
            grid = np.meshgrid(*[np.array(EDGES).astype(dtype) for _ in ranges])
            for chosen in params:
                args = tuple(np.ascontiguousarray(values.ravel()) for values in grid)
                yield Sample(args, dict(chosen), linear, smooth=False)

    return sample
