"""Taylor coefficients by mpmath, and how a function's jet is compared with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import mpmath
import numpy as np

from fnx.core.array import as_array
from fnx.core.primitive import Zero
from fnx.transforms.jet import jet_flat

__all__ = ["assert_jet", "assert_values"]


def assert_values(
    function: Callable[..., Any], reference: Callable[..., Any], points: Sequence[Any], rtol: float
) -> None:
    """The function's values at points agree with mpmath's."""
    columns = [np.array(c) for c in zip(*points, strict=True)]
    got = function(*[as_array(c) for c in columns])._data
    with mpmath.workdps(40):
        exact = [reference(*[mpmath.mpmathify(v) for v in p]) for p in points]
    wanted = np.array([complex(e) for e in exact])
    if got.dtype.kind != "c":
        assert np.all(wanted.imag == 0)
        wanted = wanted.real
    np.testing.assert_allclose(got, wanted, rtol=rtol)


def assert_jet(
    function: Callable[..., Any],
    reference: Callable[..., Any],
    *curves: Sequence[float],
    order: int = 8,
    rtol: float = 1e-10,
) -> None:
    """The coefficients of the function along polynomial curves agree with mpmath's.

    Parameters
    ----------
    function : callable
        Of arrays.
    reference : callable
        The same of mpmath's numbers.
    *curves : sequence of number
        For each operand its coefficients, the constant one first; the rest are zero.
    order : int
        How many coefficients are compared.
    rtol : float
        Relative to the largest coefficient.
    """
    primals, series = [], []
    for curve in curves:
        dtype = np.complex128 if any(isinstance(c, complex) for c in curve) else np.float64
        arrays = [as_array(np.array(c, dtype)) for c in curve]
        arrays += [as_array(np.array(0, dtype))] * (order + 1 - len(curve))
        primals.append(arrays[0])
        series.append(arrays[1:])
    (out,), (coefficients,) = jet_flat(lambda *xs: [function(*xs)], primals, series, order)
    got = [out._data, *[0.0 if type(c) is Zero else c._data for c in coefficients]]
    with mpmath.workdps(60):

        def along(t: Any) -> Any:
            points = [
                sum((mpmath.mpmathify(c) * t**k for k, c in enumerate(curve)), mpmath.mpf(0))
                for curve in curves
            ]
            return reference(*points)

        wanted = np.array([complex(c) for c in mpmath.taylor(along, 0, order)])
    scale = np.max(np.abs(wanted))
    np.testing.assert_allclose(np.array(got, np.complex128), wanted, rtol=0, atol=rtol * scale)
