"""The results that JAX computed for elementwise functions, as the tests read them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

from fnx.core.array import as_array
from tests.support.elementwise_cases import operands

__all__ = ["assert_agrees", "line", "stored"]

_STORED = np.load(Path(__file__).parents[1] / "fnx" / "data" / "jax_elementwise.npz")


def line() -> np.ndarray:
    """The operands of the functions of one floating number."""
    x, _ = operands("float64")
    return x[: len(np.unique(x)) + 3]


def stored(key: str, dtype: Any = None) -> np.ndarray:
    """A stored result; bfloat16 is stored as its bits."""
    result = _STORED[key]
    return result.view(ml_dtypes.bfloat16) if dtype == np.dtype(ml_dtypes.bfloat16) else result


def assert_agrees(function: Any, key: str, *args: np.ndarray, rtol: float = 0.0) -> None:
    """The function gives what JAX gave: dtype, values, NaN, and the signs of zeros."""
    got = function(*[as_array(a) for a in args])._data
    wanted = stored(key, got.dtype)
    assert got.dtype == wanted.dtype, key
    assert got.shape == wanted.shape, key
    if got.dtype.kind in "biu":
        np.testing.assert_array_equal(got, wanted, err_msg=key)
        return
    got, wanted = got.astype(np.float64), wanted.astype(np.float64)
    np.testing.assert_allclose(got, wanted, rtol=rtol, err_msg=key)
    zero = wanted == 0
    np.testing.assert_array_equal(np.signbit(got[zero]), np.signbit(wanted[zero]), err_msg=key)
