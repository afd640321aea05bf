"""The geometry of convolutions: from lax's parameters to plain, dense problems.

`dense_problems` takes the shapes and strides of the operands and the parameters of
conv_general_dilated.  Axes are brought into one order (at most three spatial ones), groups of
features or of the batch become one notion of group, and dilation of the input is resolved: the
outputs that meet the same taps of the window form a problem of their own, a dense convolution
that reads every input element and writes every P-th output.  Read next: conv.py.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fnx.kernels.calls import Operand
from fnx.kernels.plan_runner import Reference

__all__ = ["Dense", "Filter", "Image", "dense_problems", "images"]

Triple = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Image:
    """Input or output: where it is, and its strides in elements."""

    place: Reference
    group: int
    batch: int
    spatial: Triple
    channel: int

    def moved(self, elements: int, itemsize: int) -> Image:
        """The same strides from a later element on."""
        return replace(self, place=_moved(self.place, elements * itemsize))


@dataclass(frozen=True, slots=True)
class Filter:
    """Weights: where they are, and their strides in elements."""

    place: Reference
    group: int
    taps: Triple
    input: int
    output: int


@dataclass(frozen=True, slots=True)
class Dense:
    """A convolution without input dilation.

    Output o meets tap k at input ``o * step + k * dilation + base`` along each spatial axis, if
    that lies inside; channels and kernels are counted per group.
    """

    x: Image
    w: Filter
    y: Image
    inside: Triple
    out: Triple
    taps: Triple
    step: Triple
    dilation: Triple
    base: Triple
    groups: int
    batch: int
    channels: int
    kernels: int

    @property
    def pixels(self) -> int:
        """Output pixels of a group."""
        return self.batch * math.prod(self.out)

    @property
    def depth(self) -> int:
        """Products in the sum of an output element."""
        return math.prod(self.taps) * self.channels


def images(
    operands: Sequence[Operand], result: Operand, params: Mapping[str, Any]
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """The shapes (batch, *spatial, feature), (*taps, input, output), (batch, *spatial, feature)."""
    lhs_spec, rhs_spec, out_spec = params["dimension_numbers"]
    x, w, y = operands[0].shape, operands[1].shape, result.shape
    return (
        (x[lhs_spec[0]], *(x[k] for k in lhs_spec[2:]), x[lhs_spec[1]]),
        (*(w[k] for k in rhs_spec[2:]), w[rhs_spec[1]], w[rhs_spec[0]]),
        (y[out_spec[0]], *(y[k] for k in out_spec[2:]), y[out_spec[1]]),
    )


def dense_problems(
    places: tuple[Reference, Reference, Reference],
    strides: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]],
    shapes: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]],
    params: Mapping[str, Any],
    itemsize: int,
) -> list[Dense]:
    """The dense convolutions that together are one conv_general_dilated.

    Parameters
    ----------
    places, strides, shapes
        Of input, weights and output, axes ordered as `images` gives them.
    params : mapping
        window_strides, padding, lhs_dilation, rhs_dilation and the group counts.
    itemsize : int
        Bytes of an element.
    """
    (x_shape, w_shape, y_shape), (x_strides, w_strides, y_strides) = shapes, strides
    features, batches = params["feature_group_count"], params["batch_group_count"]
    groups = max(features, batches)
    kernels = w_shape[-1] // groups
    x_group = (
        x_shape[-1] // groups * x_strides[-1]
        if features > 1
        else x_shape[0] // groups * x_strides[0]
    )
    whole = Dense(
        x=Image(places[0], x_group, x_strides[0], _triple(x_strides[1:-1], 0), x_strides[-1]),
        w=Filter(
            places[1], kernels * w_strides[-1], _triple(w_strides[:-2], 0), *w_strides[-2:]
        ),
        y=Image(
            places[2], kernels * y_strides[-1], y_strides[0], _triple(y_strides[1:-1], 0),
            y_strides[-1],
        ),
        inside=_triple(x_shape[1:-1], 1),
        out=_triple(y_shape[1:-1], 1),
        taps=_triple(w_shape[:-2], 1),
        step=_triple(params["window_strides"], 1),
        dilation=_triple(params["rhs_dilation"], 1),
        base=_triple([-low for low, _ in params["padding"]], 0),
        groups=groups,
        batch=y_shape[0],
        channels=w_shape[-2],
        kernels=kernels,
    )  # fmt: skip
    spread = _triple(params["lhs_dilation"], 1)
    phases = [_phases(whole, axis, spread[axis]) for axis in range(3)]
    return [_phase(whole, chosen, itemsize) for chosen in itertools.product(*phases)]


@dataclass(frozen=True, slots=True)
class _AxisPhase:
    """Along one axis: the outputs first, first + every, ... and the taps that they meet."""

    first: int
    every: int
    out: int
    first_tap: int
    tap_every: int
    taps: int
    step: int
    dilation: int
    base: int


def _phases(dense: Dense, axis: int, spread: int) -> list[_AxisPhase]:
    """Split an axis whose input has spread - 1 zeros between neighbours.

    Position ``o * step + k * dilation + base`` of the spread input holds an element only where
    it is a multiple of spread; that depends on o modulo spread / gcd(spread, step).
    """
    step, dilation, base = dense.step[axis], dense.dilation[axis], dense.base[axis]
    every = spread // math.gcd(spread, step)
    tap_every = spread // math.gcd(spread, dilation)
    found = []
    for first in range(min(every, dense.out[axis])):
        tap = next(
            (k for k in range(tap_every) if (first * step + k * dilation + base) % spread == 0),
            None,
        )
        taps = 0 if tap is None else max(0, -(-(dense.taps[axis] - tap) // tap_every))
        tap = 0 if tap is None or taps == 0 else tap
        found.append(
            _AxisPhase(
                first=first,
                every=every,
                out=-(-(dense.out[axis] - first) // every),
                first_tap=tap,
                tap_every=tap_every,
                taps=taps,
                step=every * step // spread,
                dilation=tap_every * dilation // spread,
                base=(first * step + tap * dilation + base) // spread,
            )
        )
    return found


def _phase(dense: Dense, axes: tuple[_AxisPhase, ...], itemsize: int) -> Dense:
    y_moved = sum(a.first * stride for a, stride in zip(axes, dense.y.spatial, strict=True))
    w_moved = sum(a.first_tap * stride for a, stride in zip(axes, dense.w.taps, strict=True))
    y_spatial = [a.every * stride for a, stride in zip(axes, dense.y.spatial, strict=True)]
    w_taps = [a.tap_every * stride for a, stride in zip(axes, dense.w.taps, strict=True)]
    return replace(
        dense,
        y=replace(dense.y.moved(y_moved, itemsize), spatial=_triple(y_spatial, 0)),
        w=replace(
            dense.w, place=_moved(dense.w.place, w_moved * itemsize), taps=_triple(w_taps, 0)
        ),
        out=_triple([a.out for a in axes], 1),
        taps=_triple([a.taps for a in axes], 1),
        step=_triple([a.step for a in axes], 1),
        dilation=_triple([a.dilation for a in axes], 1),
        base=_triple([a.base for a in axes], 0),
    )


def _triple(values: Sequence[int], filler: int) -> Triple:
    """Three spatial axes, missing ones in front."""
    if len(values) > 3:
        raise NotImplementedError(
            f"conv_general_dilated: {len(values)} spatial axes; the kernels take at most 3."
        )
    padded = [filler] * (3 - len(values)) + list(values)
    return (padded[0], padded[1], padded[2])


def _moved(place: Reference, size: int) -> Reference:
    return Reference(place.kind, place.name, place.offset + size)
