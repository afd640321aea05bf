"""Images in other sizes: `interpolate`.

Along each dimension a new element is a weighted sum of a few old ones, or a copy of one; tables of
places and weights depend on sizes alone, so derivatives of all orders follow.
Read next: `rearranging`; the layers are in `fnx_nn.nn.shaping`.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

import fnx.numpy as jnp
from fnx_nn.dtypes import name_in_messages
from fnx_nn.nn.functional.adaptive_pooling import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_avg_pool3d,
)
from fnx_nn.nn.functional.window_sizes import listed
from fnx_nn.tensor.dispatch import TensorOperation, apply
from fnx_nn.tensor.elementary import require_tensor
from fnx_nn.tensor.tensor import Tensor

__all__ = ["interpolate", "upsample", "upsample_bilinear", "upsample_nearest"]

Step = tuple[int, float]  # the new extent, and old elements per new one
_RANKS = {"linear": 3, "bilinear": 4, "bicubic": 4, "trilinear": 5}
_AREA = {3: adaptive_avg_pool1d, 4: adaptive_avg_pool2d, 5: adaptive_avg_pool3d}


def _cubic(distance: Any, a: float) -> Any:
    d = np.abs(distance)
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
    return np.where(d <= 1, near, np.where(d < 2, far, 0.0))


def _places(n: int, m: int, scale: float, mode: str, align_corners: bool) -> tuple[Any, Any]:
    """Old elements of each new one, and their weights; both of shape (m, how many)."""
    new = np.arange(m)
    between = (n - 1) / (m - 1) if m > 1 else 0.0
    at = new * between if align_corners else (new + 0.5) * scale - 0.5
    if mode == "bicubic":
        first = np.floor(at).astype(np.int64)
        offsets = np.arange(-1, 3)
        weights = _cubic((at - first)[:, None] - offsets, -0.75)
        return np.clip(first[:, None] + offsets, 0, n - 1), weights
    at = np.maximum(at, 0.0)
    first = np.minimum(np.floor(at).astype(np.int64), n - 1)
    second = np.minimum(first + 1, n - 1)
    beyond = np.clip(at - first, 0.0, 1.0)
    return np.stack([first, second], 1), np.stack([1 - beyond, beyond], 1)


def _smoothed(n: int, m: int, scale: float, mode: str) -> Any:
    """The matrix of a resampling whose filter is as wide as a new element."""
    support = (2.0 if mode == "bicubic" else 1.0) * max(scale, 1.0)
    matrix = np.zeros((n, m))
    for i in range(m):
        centre = scale * (i + 0.5)
        first = max(int(centre - support + 0.5), 0)
        end = min(int(centre + support + 0.5), n)
        distance = (np.arange(first, end) - centre + 0.5) / max(scale, 1.0)
        if mode == "bicubic":
            weights = _cubic(distance, -0.5)
        else:
            weights = np.maximum(1.0 - np.abs(distance), 0.0)
        matrix[first:end, i] = weights / weights.sum()
    return matrix


def _weighted(
    x: Any, steps: tuple[Step, ...], mode: str, align_corners: bool, antialias: bool
) -> Any:
    front = x.ndim - len(steps)
    for axis, (m, scale) in enumerate(steps, front):
        n = x.shape[axis]
        if antialias:
            matrix = jnp.asarray(_smoothed(n, m, scale, mode).astype(x.dtype))
            x = jnp.moveaxis(jnp.tensordot(x, matrix, ((axis,), (0,))), -1, axis)
            continue
        if n == m and (align_corners or scale == 1.0):
            continue
        places, weights = _places(n, m, scale, mode, align_corners)
        shape = (-1, *(1,) * (x.ndim - axis - 1))
        terms = [
            jnp.take(x, places[:, k], axis=axis)
            * jnp.asarray(weights[:, k].reshape(shape).astype(x.dtype))
            for k in range(places.shape[1])
        ]
        x = sum(terms[1:], terms[0])
    return x


def _copied(x: Any, steps: tuple[Step, ...], exact: bool) -> Any:
    front = x.ndim - len(steps)
    for axis, (m, scale) in enumerate(steps, front):
        n = x.shape[axis]
        new = np.arange(m, dtype=np.float32) + np.float32(0.5 if exact else 0.0)
        places = np.minimum((new * np.float32(scale)).astype(np.int64), n - 1)
        x = jnp.take(x, places, axis=axis)
    return x


_NODES = {"linear": "Linear1D", "bilinear": "Bilinear2D", "bicubic": "Bicubic2D"}
_WEIGHTED = {
    mode: TensorOperation(_weighted, f"Upsample{_NODES.get(mode, 'Trilinear3D')}Backward0")
    for mode in _RANKS
}
_COPIED = {
    (n, exact): TensorOperation(_copied, f"UpsampleNearest{'Exact' if exact else ''}{n}DBackward0")
    for n in (1, 2, 3)
    for exact in (False, True)
}


def _sizes(
    input: Tensor, size: Any, scale_factor: Any, recompute: bool | None
) -> tuple[tuple[int, ...], list[float] | None]:
    """The new extents, and the factors where they decide what is computed."""
    image = input._data.shape[2:]
    count = len(image)
    if size is not None and scale_factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    if size is not None:
        if recompute:
            raise ValueError(
                "recompute_scale_factor is not meaningful with an explicit size."
            )  # fmt: skip
        given = tuple(size) if isinstance(size, Sequence) else (size,) * count
        if len(given) != count:
            raise ValueError(
                "Input and output must have the same number of spatial dimensions, but got input "
                f"with spatial dimensions of {list(image)} and output size of {size}. Please "
                "provide input tensor in (N, C, d1, d2, ...,dK) format and output size in (o1, o2, "
                "...,oK) format."
            )
        return tuple([int(n) for n in given]), None
    if scale_factor is None:
        raise ValueError("either size or scale_factor should be defined")
    factors = (
        [float(f) for f in scale_factor]
        if isinstance(scale_factor, Sequence)
        else [float(scale_factor)] * count
    )
    if len(factors) != count:
        raise ValueError(
            "Input and scale_factor must have the same number of spatial dimensions, but got input "
            f"with spatial dimensions of {list(image)} and scale_factor of shape {scale_factor}. "
            "Please provide input tensor in (N, C, d1, d2, ...,dK) format and scale_factor in (s1, "
            "s2, ...,sK) format."
        )
    extents = tuple([math.floor(n * f) for n, f in zip(image, factors)])
    return extents, None if recompute else factors


def interpolate(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """Images in another size.

    Parameters
    ----------
    input : Tensor
        (batch, channels, ...), with one to three spatial dimensions.
    size : int or tuple of int, optional
        The new extents.
    scale_factor : float or tuple of float, optional
        Or how many times the old ones they are.
    mode : str
        ``"nearest"``, ``"nearest-exact"``, ``"linear"``, ``"bilinear"``, ``"bicubic"``,
        ``"trilinear"`` or ``"area"``.
    align_corners : bool, optional
        Whether the first and last elements are mapped to each other, rather than their edges.
    recompute_scale_factor : bool, optional
        Whether factors are computed from the extents anew.
    antialias : bool
        Whether the filter of ``"bilinear"`` and ``"bicubic"`` widens where images shrink.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> x = torch.tensor([[[1.0, 3.0]]])
    >>> torch.nn.functional.interpolate(x, scale_factor=2, mode="linear")
    tensor([[[1.0000, 1.5000, 2.5000, 3.0000]]])
    """
    x = require_tensor(input, "interpolate")._data
    if mode in ("nearest", "area", "nearest-exact"):
        if align_corners is not None:
            raise ValueError(
                "align_corners option can only be set with the interpolating modes: linear | "
                "bilinear | bicubic | trilinear"
            )
    elif align_corners is None:
        align_corners = False
    extents, factors = _sizes(input, size, scale_factor, recompute_scale_factor)
    if antialias and not (mode in ("bilinear", "bicubic") and x.ndim == 4):
        raise ValueError(
            "Anti-alias option is restricted to bilinear and bicubic modes and requires a 4-D "
            "tensor as input"
        )
    known = ("nearest", "area", "nearest-exact", *_RANKS)
    if mode not in known or x.ndim not in (3, 4, 5) or _RANKS.get(mode, x.ndim) != x.ndim:
        if mode in _RANKS and x.ndim in (3, 4, 5) and mode != "bicubic":
            raise NotImplementedError(
                f"Got {x.ndim}D input, but {mode} mode needs {_RANKS[mode]}D input"
            )
        raise NotImplementedError(
            "Input Error: Only 3D, 4D and 5D input Tensors supported (got "
            f"{x.ndim}D) for the modes: nearest | linear | bilinear | bicubic | trilinear | area | "
            f"nearest-exact (got {mode})"
        )
    image = x.shape[2:]
    if min(extents) < 1 or min(image) < 1:
        raise RuntimeError(
            f"Input and output sizes should be greater than 0, but got input {listed(image)} and "
            f"output {listed(extents)}"
        )
    whole = x.dtype.kind in "biu"
    if whole and not (x.dtype == np.uint8 and mode in ("nearest", "nearest-exact")):
        raise NotImplementedError(
            f"\"interpolate, mode {mode}\" not implemented for '{name_in_messages(x.dtype)}'"
        )
    if mode == "area":
        return _AREA[x.ndim](input, extents)
    scales = (
        [n / m for n, m in zip(image, extents)] if factors is None else [1.0 / f for f in factors]
    )
    steps = tuple(zip(extents, scales, strict=True))
    if mode in ("nearest", "nearest-exact"):
        exact = mode == "nearest-exact"
        params: dict[str, Any] = {"steps": steps, "exact": exact}
        out: Tensor = apply(_COPIED[len(image), exact], (input,), params)
        return out
    params = {
        "steps": steps,
        "mode": mode,
        "align_corners": bool(align_corners),
        "antialias": bool(antialias),
    }
    out = apply(_WEIGHTED[mode], (input,), params)
    return out


def upsample(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:
    """`interpolate` by its former name.

    Parameters
    ----------
    input, size, scale_factor, mode, align_corners
        As for `interpolate`.
    """
    warnings.warn(
        "`nn.functional.upsample` is deprecated. Use `nn.functional.interpolate` instead.",
        stacklevel=2,
    )
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """`interpolate` with mode ``"nearest"``, by its former name.

    Parameters
    ----------
    input, size, scale_factor
        As for `interpolate`.
    """
    warnings.warn(
        "`nn.functional.upsample_nearest` is deprecated. Use `nn.functional.interpolate` instead.",
        stacklevel=2,
    )
    return interpolate(input, size, scale_factor, "nearest")


def upsample_bilinear(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """`interpolate` with mode ``"bilinear"`` and aligned corners, by its former name.

    Parameters
    ----------
    input, size, scale_factor
        As for `interpolate`.
    """
    warnings.warn(
        "`nn.functional.upsample_bilinear` is deprecated. Use `nn.functional.interpolate` instead.",
        stacklevel=2,
    )
    return interpolate(input, size, scale_factor, "bilinear", align_corners=True)
