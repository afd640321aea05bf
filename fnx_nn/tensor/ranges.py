"""Making tensors of numbers in steps, of unit matrices, of indices of triangles, of complex parts.

Read next: `random`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from fnx_nn.ambient import ambient
from fnx_nn.dtypes import dtype as Dtype
from fnx_nn.tensor.creation import chosen_dtype, finished
from fnx_nn.tensor.table import method
from fnx_nn.tensor.tensor import Tensor, wrap

_INT64 = np.dtype(np.int64)


def _step_dtype(dtype: Dtype | None, *numbers: Any) -> np.dtype[Any]:
    if dtype is not None:
        return dtype.numpy
    whole = all([not isinstance(v, (float, np.floating)) for v in numbers])
    return _INT64 if whole else ambient().default_dtype


@method(as_method=False)
def arange(
    start: Any = 0,
    end: Any = None,
    step: Any = 1,
    *,
    out: Tensor | None = None,
    dtype: Dtype | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers from a start up to an end, which is not among them, in equal steps.

    Parameters
    ----------
    start, end : number
        From where to where; with one number it is the end.
    step : number
        From one to the next.
    out : Tensor, optional
        Where to write the result.
    dtype : dtype, optional
        int64 for whole numbers if left out, else the default dtype.
    device : device or str, optional
        Where it is.
    requires_grad : bool
        Whether operations on it are recorded.
    """
    if end is None:
        start, end = 0, start
    start, end, step = (v.item() if isinstance(v, Tensor) else v for v in (start, end, step))
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if (end - start) * step < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    kind = _step_dtype(dtype, start, end, step)
    count = math.ceil((end - start) / step)
    if kind.kind in "iu" and all(isinstance(v, int) for v in (start, end, step)):
        data = (start + np.arange(count) * step).astype(kind)
    else:
        wide = np.float64 if kind.kind in "biuf" or kind.kind == "V" else kind
        data = (start + np.arange(count).astype(wide) * step).astype(kind)
    return finished(data, requires_grad, device, out, "arange")


@method(as_method=False)
def linspace(
    start: Any,
    end: Any,
    steps: int,
    *,
    out: Tensor | None = None,
    dtype: Dtype | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Equally spaced numbers, both ends included.

    Parameters
    ----------
    start, end : number
        From where to where.
    steps : int
        How many.
    out : Tensor, optional
        Where to write the result.
    dtype : dtype, optional
        The default dtype if left out.
    device : device or str, optional
        Where it is.
    requires_grad : bool
        Whether operations on it are recorded.
    """
    kind = chosen_dtype(dtype)
    data = _line(float(start), float(end), int(steps), kind)
    return finished(data.astype(kind), requires_grad, device, out, "linspace")


def _line(start: float, end: float, steps: int, kind: np.dtype[Any]) -> Any:
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    # From both ends to the middle, in the result's precision: so PyTorch has symmetric points.
    wide = kind if kind.kind == "f" and kind.itemsize >= 4 else np.dtype(np.float64)
    if steps < 2:
        return np.full(steps, start, wide)
    step = wide.type((wide.type(end) - wide.type(start)) / wide.type(steps - 1))
    places = np.arange(steps).astype(wide)
    below = wide.type(start) + step * places
    above = wide.type(end) - step * (wide.type(steps - 1) - places)
    return np.where(np.arange(steps) < steps // 2, below, above)


@method(as_method=False)
def logspace(
    start: Any,
    end: Any,
    steps: int,
    base: float = 10.0,
    *,
    out: Tensor | None = None,
    dtype: Dtype | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Powers of a base with equally spaced exponents.

    Parameters
    ----------
    start, end : number
        The first and the last exponent.
    steps : int
        How many.
    base : float
        The base.
    out : Tensor, optional
        Where to write the result.
    dtype : dtype, optional
        The default dtype if left out.
    device : device or str, optional
        Where it is.
    requires_grad : bool
        Whether operations on it are recorded.
    """
    kind = chosen_dtype(dtype)
    exponents = _line(float(start), float(end), int(steps), kind)
    return finished(np.power(float(base), exponents).astype(kind), requires_grad, device, out)


@method(as_method=False)
def eye(
    n: int,
    m: int | None = None,
    *,
    out: Tensor | None = None,
    dtype: Dtype | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Ones on the diagonal of a matrix, zeros elsewhere.

    Parameters
    ----------
    n, m : int
        Rows and columns; as many columns as rows if left out.
    out : Tensor, optional
        Where to write the result.
    dtype : dtype, optional
        The default dtype if left out.
    device : device or str, optional
        Where it is.
    requires_grad : bool
        Whether operations on it are recorded.
    """
    return finished(np.eye(n, m, dtype=chosen_dtype(dtype)), requires_grad, device, out, "eye")


def _indices(name: str, make: Callable[..., Any], which: str) -> None:
    def function(row: int, col: int, offset: int = 0, *, dtype: Dtype | None = None) -> Tensor:
        rows, columns = make(row, offset, col)
        kind = _INT64 if dtype is None else dtype.numpy
        return wrap(np.stack([rows, columns]).astype(kind))

    function.__name__ = name
    function.__doc__ = (
        f"The indices of the {which} triangle of a matrix, one column for each "
        "element.\n\nParameters\n----------\nrow, col : int\n    The extents.\noffset : int\n    "
        "The last diagonal.\ndtype : dtype, optional\n    int64 if left out."
    )
    method(as_method=False)(function)


_indices("tril_indices", np.tril_indices, "lower")
_indices("triu_indices", np.triu_indices, "upper")


@method(as_method=False)
def complex(real: Tensor, imag: Tensor) -> Tensor:
    """Complex numbers from their parts.

    Parameters
    ----------
    real, imag : Tensor
        Of one floating dtype.
    """
    if real._data.dtype != imag._data.dtype:
        raise RuntimeError(
            f"Expected object of scalar type {real.dtype.name} but got scalar type "
            f"{imag.dtype.name} for second argument"
        )
    return real + imag * 1j
