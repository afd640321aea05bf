"""Padding: with a number, or with what a reflection, the edge or the other side has.

Read next: `normalization`; the layers are in `fnx_nn.nn.padding`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import fnx.numpy as jnp
from fnx import lax
from fnx_nn.nn.functional.window_sizes import listed
from fnx_nn.tensor.dispatch import TensorOperation, apply
from fnx_nn.tensor.elementary import require_tensor
from fnx_nn.tensor.promotion import number
from fnx_nn.tensor.tensor import Tensor

__all__ = ["pad"]

Pairs = tuple[tuple[int, int], ...]

_CONSTANT = TensorOperation(
    lambda x, value, widths: lax.pad(x, value, [(low, high, 0) for low, high in widths]),
    "ConstantPadNdBackward0",
)


def _gathered(x: Any, places: tuple[tuple[int, ...] | None, ...]) -> Any:
    for axis, row in enumerate(places):
        if row is not None:
            x = jnp.take(x, np.asarray(row, np.int64), axis=axis)
    return x


_GATHERED = {
    (mode, count): TensorOperation(_gathered, f"{mode.title()}ionPad{count}DBackward0")
    for mode in ("reflect", "replicat")
    for count in (1, 2, 3)
}
_CIRCULAR = TensorOperation(_gathered, "CopySlices")


def pad(
    input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None
) -> Tensor:
    """Add elements before and after; or, by negative numbers, cut them off.

    Parameters
    ----------
    input : Tensor
        The operand.
    pad : sequence of int
        How many before and after the last dimension, then the last but one, and so on.
    mode : str
        ``"constant"``, ``"reflect"``, ``"replicate"`` or ``"circular"``.
    value : float, optional
        For ``"constant"``: what to add, 0 if left out.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> torch.nn.functional.pad(torch.tensor([1.0, 2.0]), (1, 2))
    tensor([0., 1., 2., 0., 0.])
    >>> torch.nn.functional.pad(torch.tensor([[1.0, 2.0, 3.0]]), (1, 1), mode="reflect")
    tensor([[2., 1., 2., 3., 2.]])
    """
    x = require_tensor(input, "pad")._data
    widths = [int(n) for n in pad]
    if len(widths) % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    if len(widths) > 2 * x.ndim:
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input dimension but got "
            f"padding length {len(widths)} and input of dimension {x.ndim}"
        )
    pairs = list(zip(widths[::2], widths[1::2], strict=True))[::-1]
    if mode == "constant":
        return _constant(input, pairs, 0 if value is None else value)
    if value is not None and value != 0:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    if mode not in ("reflect", "replicate", "circular"):
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    count = len(pairs)
    if not (count in (1, 2, 3) and x.ndim in (count + 1, count + 2)):
        raise NotImplementedError(
            f"Padding size {len(widths)} is not supported for {x.ndim}D input tensor.\n"
            "Supported combinations for non-constant padding:\n"
            "  - 2D or 3D input: padding size = 2 (pads last dimension)\n"
            "  - 3D or 4D input: padding size = 4 (pads last 2 dimensions)\n"
            "  - 4D or 5D input: padding size = 6 (pads last 3 dimensions)"
        )
    return _borrowed(input, pairs, mode)


def _constant(input: Tensor, pairs: list[tuple[int, int]], value: float) -> Tensor:
    x = input._data
    front = x.ndim - len(pairs)
    for axis, (low, high) in enumerate(pairs, front):
        if x.shape[axis] + low + high < 0:
            if max(low, high) <= 0:
                raise RuntimeError("narrow(): length must be non-negative.")
            raise RuntimeError(
                f"The input size {x.shape[axis]}, plus negative padding {low} and {high} resulted "
                f"in a negative output size, which is invalid. Check dimension {axis} of your "
                "input."
            )
    every = ((0, 0),) * front + tuple(pairs)
    out: Tensor = apply(_CONSTANT, (input, number(value, x.dtype)), {"widths": every})
    return out


def _borrowed(input: Tensor, pairs: list[tuple[int, int]], mode: str) -> Tensor:
    x = input._data
    front = x.ndim - len(pairs)
    places: list[tuple[int, ...] | None] = [None] * front
    for axis, (low, high) in enumerate(pairs, front):
        n = x.shape[axis]
        if mode == "reflect" and max(low, high) >= n:
            which = 4 + 2 * (x.ndim - 1 - axis)
            raise RuntimeError(
                f"Argument #{which}: Padding size should be less than the corresponding input "
                f"dimension, but got: padding ({low}, {high}) at dimension {axis} of input "
                f"{listed(x.shape)}"
            )
        if mode == "circular" and max(low, high) > n:
            raise RuntimeError("Padding value causes wrapping around more than once.")
        if n == 0 or n + low + high < 1:
            raise RuntimeError(
                f"pad: input of size {listed(x.shape)} with padding ({low}, {high}) at dimension "
                f"{axis} has nothing to borrow from. Use mode='constant'."
            )
        at = np.arange(-low, n + high)
        if mode == "reflect":
            at = np.abs(at)
            at = np.where(at >= n, 2 * (n - 1) - at, at)
        elif mode == "replicate":
            at = np.clip(at, 0, n - 1)
        else:
            at = at % n
        places.append(None if (low, high) == (0, 0) else tuple(at.tolist()))
    operation = _CIRCULAR if mode == "circular" else _GATHERED[(mode.removesuffix("e"), len(pairs))]
    out: Tensor = apply(operation, (input,), {"places": tuple(places)})
    return out
