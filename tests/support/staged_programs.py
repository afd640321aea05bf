"""What the compiler's tests share: staging a function of ndarrays, and running it two ways."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from typing import Any

import ml_dtypes
import numpy as np

import fnx.primitives
from fnx.core.array import adopt
from fnx.core.check import check_jaxpr
from fnx.core.jaxpr import Jaxpr, eval_jaxpr
from fnx.core.staging import stage
from fnx.core.types import ShapedArray

for _module in pkgutil.iter_modules(fnx.primitives.__path__):
    importlib.import_module(f"fnx.primitives.{_module.name}")


def aval(shape: Sequence[int], dtype: Any = np.float32) -> ShapedArray:
    """The type of an array."""
    return ShapedArray(tuple(shape), np.dtype(dtype))


def staged(function: Callable[..., Any], *arrays: Any) -> Jaxpr:
    """The program of a function of arrays that captures nothing."""
    avals = [a if isinstance(a, ShapedArray) else aval(a.shape, a.dtype) for a in arrays]
    jaxpr, captured = stage(function, avals)
    assert not captured
    check_jaxpr(jaxpr)
    return jaxpr


def evaluated(jaxpr: Jaxpr, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    """What a program gives, equation by equation."""
    return [r._data for r in eval_jaxpr(jaxpr, *[adopt(np.array(a)) for a in arrays])]


def tolerance(dtype: np.dtype) -> float:
    """What a few operations of a dtype may differ by, relative to the largest number."""
    return 64 * float(ml_dtypes.finfo(dtype).eps)


def assert_same(got: np.ndarray, wanted: np.ndarray, scale: float = 1.0) -> None:
    """Equal type; equal integers; equal floating-point numbers up to rounding."""
    assert type(got) is np.ndarray
    assert (got.shape, got.dtype) == (wanted.shape, wanted.dtype)
    if got.dtype.kind in "biu":
        np.testing.assert_array_equal(got, wanted)
        return
    bound = scale * tolerance(got.dtype)
    wide = np.complex128 if got.dtype.kind == "c" else np.float64
    got, wanted = got.astype(wide), wanted.astype(wide)
    largest = np.max(np.abs(wanted[np.isfinite(wanted)]), initial=0)
    np.testing.assert_allclose(got, wanted, rtol=bound, atol=bound * largest)
