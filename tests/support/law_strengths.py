"""How closely two ways of computing one primitive must agree, by what the primitive is.

=================  ================================================================================
what               bound
=================  ================================================================================
integers, bools    equal
moves, choices     the same bits, also of -0
extremes           the same bits; among zeros of both signs either one (NumPy leaves it open)
IEEE operations    the same bits (+ - * / sqrt, rounding, comparison), of complex numbers 8 eps
functions          the published error (docs/vector_math.md) in units of the last place, and as
                   much for NumPy or SciPy on the other side
sums               n eps of the sum of magnitudes
products           n eps
solutions          n eps of the largest element (of well conditioned systems)
programs, and      measured by noise in every rounding (`rounding_noise`): n eps times the condition
derivatives
=================  ================================================================================

Read next: `laws`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ml_dtypes
import numpy as np

from fnx.core.array import Array, adopt
from fnx.core.primitive import HigherOrderPrimitive
from tests.support.law_subjects import Subject
from tests.support.rounding_noise import measured, wide

__all__ = ["assert_agree", "bounds_of"]

#: Functions, and the error allowed to each of the two sides in units of the last place.
ULPS: dict[str, float] = {
    **dict.fromkeys(
        ("exp exp2 expm1 log log1p sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh "
         "rsqrt cbrt pow atan2").split(), 2.0,
    ),
    **dict.fromkeys("logistic erf erfc erf_inv lgamma digamma zeta".split(), 8.0),
    **dict.fromkeys("xlogy xlog1py entr rel_entr".split(), 3.0),
    "integer_pow": 8.0,
}  # fmt: skip

#: Sums, and which operands enter with their magnitude.
SUMS: dict[str, tuple[int, ...]] = {
    "reduce_sum": (0,),
    "cumsum": (0,),
    "reduce_window_sum": (0,),
    "select_and_scatter_add": (0,),
    "scatter_add": (0, 2),
    "dot_general": (0, 1),
    "conv_general_dilated": (0, 1),
    "linear_recurrence": (0, 1),
}

#: Functions with zeros, near which both sides are right to an absolute error only.
WITH_ZEROS = {"lgamma", "digamma", "zeta"}

#: The larger or smaller of two zeros is either one.
EXTREMES = set(
    "max min clamp cummax cummin reduce_max reduce_min reduce_window_max reduce_window_min "
    "scatter_max scatter_min".split()
)

#: Products, whose relative error is n eps.
PRODUCTS = {"reduce_prod", "cumprod", "scatter_mul"}

#: Solutions of systems: BLAS orders the sums by how many right hand sides there are, as pocketfft
#: does its own by how many transforms.
SOLUTIONS = {"triangular_solve", "fft"}


def _eps(dtype: np.dtype[Any]) -> float:
    return float(ml_dtypes.finfo(dtype).eps)


def _inexact(dtype: np.dtype[Any]) -> bool:
    return dtype.kind in "fc" or dtype.name == "bfloat16"


def bounds_of(subject: Subject, args: Sequence[Array], wanted: Sequence[Any]) -> list[np.ndarray]:
    """For each result the largest difference allowed, element by element.

    Parameters
    ----------
    subject : Subject
        The function.
    args : sequence of Array
        Where.
    wanted : sequence of ndarray
        Its results there.
    """
    if subject.order or isinstance(subject.primitive, HigherOrderPrimitive):
        return measured(lambda: subject.function(*args)).bounds
    return [_bound(subject, args, np.asarray(w)) for w in wanted]


def _bound(subject: Subject, args: Sequence[Array], wanted: np.ndarray) -> np.ndarray:
    name = subject.primitive.name
    if not _inexact(wanted.dtype):
        return np.zeros(wanted.shape)
    eps = _eps(wanted.dtype)
    n = max([a.size for a in args], default=1)
    with np.errstate(all="ignore"):
        magnitude = np.abs(wide(wanted))
        if name in SUMS:
            chosen = SUMS[name]
            parts = [
                adopt(np.abs(a._data).astype(a.dtype)) if k in chosen else a
                for k, a in enumerate(args)
            ]
            return n * eps * np.abs(wide(subject.function(*parts)[0]._data))
        if name in PRODUCTS:
            return n * eps * magnitude
        if name in SOLUTIONS:
            return n * eps * np.max(magnitude, initial=0)
        if name == "cumlogsumexp":
            return n * eps * (1 + magnitude)
        if wanted.dtype.kind == "c":
            return (8 + 8 * ULPS.get(name, 0)) * eps * magnitude
        if name == "abs" and any(a.dtype.kind == "c" for a in args):
            return 2 * eps * magnitude
        if name in WITH_ZEROS:
            magnitude = np.maximum(magnitude, 1)
        if name in EXTREMES:
            return np.where(magnitude == 0, np.finfo(np.float64).tiny, 0)
        return 2 * ULPS.get(name, 0) * eps * magnitude


def assert_agree(
    got: Sequence[Any], wanted: Sequence[Any], bounds: Sequence[np.ndarray], where: str
) -> None:
    """Equal types, and values within the bounds; NaN agrees with NaN, and zeros have signs."""
    assert len(got) == len(wanted), f"{where}: {len(got)} results, wanted {len(wanted)}"
    for k, (one, other, bound) in enumerate(zip(got, wanted, bounds, strict=True)):
        one, other = np.asarray(one), np.asarray(other)
        assert (one.shape, one.dtype) == (other.shape, other.dtype), (
            f"{where}: result {k} is {one.dtype}{one.shape}, wanted {other.dtype}{other.shape}"
        )
        if not _inexact(one.dtype):
            np.testing.assert_array_equal(one, other, err_msg=f"{where}: result {k}")
            continue
        first, second = wide(one), wide(other)
        with np.errstate(all="ignore"):
            same = (first == second) | (np.isnan(first) & np.isnan(second))
            exact = np.broadcast_to(bound == 0, same.shape)
            if first.dtype.kind == "f":
                same &= ~exact | (np.signbit(first) == np.signbit(second)) | np.isnan(first)
            close = same | (~exact & (np.abs(first - second) <= bound))
        if not np.all(close):
            with np.errstate(invalid="ignore"):
                worst = np.max(np.where(close, 0, np.abs(first - second)))
            raise AssertionError(
                f"{where}: result {k} differs by {worst:.3g}\ngot    {one!r}\nwanted {other!r}\n"
                f"bound  {bound!r}"
            )
