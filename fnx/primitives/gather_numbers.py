"""Which axis is which in gather and scatter: dimension numbers, modes, and the positions they mean.

Both primitives name windows of one array (the operand) by rows of another one (the indices).  The
dimension numbers say how the axes of the operand, of the indices, and of the array of windows
(gather's result, scatter's updates) belong together; the words are those of XLA and `jax.lax`.
`Layout` is the same said once for both, with the positions of every window for `evaluate`.
Read next: `gathering`, `scattering`.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fnx.core.types import ShapedArray
from fnx.dtypes import kind_of
from fnx.errors import ArgumentTypeError, ArgumentValueError

__all__ = [
    "GatherDimensionNumbers",
    "GatherScatterMode",
    "Layout",
    "ScatterDimensionNumbers",
]

Axes = tuple[int, ...]


class GatherScatterMode(enum.Enum):
    """What happens where a window does not lie within the operand.

    Attributes
    ----------
    CLIP
        The window is moved until it does.
    FILL_OR_DROP
        Gather gives the fill value for the whole window; scatter leaves the whole window out.
    PROMISE_IN_BOUNDS
        The caller promises that it does not happen; here the same as CLIP.
    """

    CLIP = "clip"
    FILL_OR_DROP = "fill"
    PROMISE_IN_BOUNDS = "promise_in_bounds"

    @staticmethod
    def from_any(mode: str | GatherScatterMode | None) -> GatherScatterMode:
        """A mode from itself or its name; None is FILL_OR_DROP.

        Parameters
        ----------
        mode : {"clip", "fill", "drop", "promise_in_bounds"}, GatherScatterMode or None
            The name.
        """
        if isinstance(mode, GatherScatterMode):
            return mode
        if mode is None or mode == "drop":
            return GatherScatterMode.FILL_OR_DROP
        try:
            return GatherScatterMode(mode)
        except ValueError:
            raise ArgumentValueError(
                f"mode: {mode!r} is not a way to treat indices that are out of bounds. Choose "
                "'clip', 'fill' (or 'drop', the same), or 'promise_in_bounds'."
            ) from None

    def __repr__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class GatherDimensionNumbers:
    """How the axes of gather's operand, indices and result belong together.

    The last axis of the indices holds the coordinates of one window's first element.

    Parameters
    ----------
    offset_dims : tuple of int
        The result's axes along which an element's place in its window changes, increasing.
    collapsed_slice_dims : tuple of int
        The operand's axes that the result does not have (windows have size 1 there), increasing.
    start_index_map : tuple of int
        For each coordinate in the indices, the operand's axis.
    operand_batching_dims : tuple of int
        The operand's axes along which a window stands at the place that its own row of the
        indices has along the corresponding batching axis of the indices; increasing.
    start_indices_batching_dims : tuple of int
        Those axes of the indices, in the same order.
    """

    offset_dims: Axes
    collapsed_slice_dims: Axes
    start_index_map: Axes
    operand_batching_dims: Axes = ()
    start_indices_batching_dims: Axes = ()


@dataclass(frozen=True, slots=True)
class ScatterDimensionNumbers:
    """How the axes of scatter's operand, indices and updates belong together.

    The last axis of the indices holds the coordinates of one window's first element.

    Parameters
    ----------
    update_window_dims : tuple of int
        The updates' axes along which an element's place in its window changes, increasing.
    inserted_window_dims : tuple of int
        The operand's axes that the updates do not have (windows have size 1 there), increasing.
    scatter_dims_to_operand_dims : tuple of int
        For each coordinate in the indices, the operand's axis.
    operand_batching_dims : tuple of int
        The operand's axes along which a window stands at the place that its own row of the
        indices has along the corresponding batching axis of the indices; increasing.
    scatter_indices_batching_dims : tuple of int
        Those axes of the indices, in the same order.
    """

    update_window_dims: Axes
    inserted_window_dims: Axes
    scatter_dims_to_operand_dims: Axes
    operand_batching_dims: Axes = ()
    scatter_indices_batching_dims: Axes = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """Gather's and scatter's dimension numbers in the same words.

    Parameters
    ----------
    name : str
        Of the operation, for errors.
    window_dims : tuple of int
        The axes of the windows' array that are inside of windows.
    missing : tuple of int
        The operand's axes that the windows' array does not have.
    coordinates : tuple of int
        The operand's axis of each coordinate in the indices.
    batching : tuple of int
        The operand's batching axes.
    indices_batching : tuple of int
        The batching axes of the indices.
    """

    name: str
    window_dims: Axes
    missing: Axes
    coordinates: Axes
    batching: Axes
    indices_batching: Axes

    @staticmethod
    def of(name: str, numbers: Any) -> Layout:
        """The layout of `GatherDimensionNumbers` or `ScatterDimensionNumbers`."""
        if isinstance(numbers, GatherDimensionNumbers):
            return Layout(
                name,
                numbers.offset_dims,
                numbers.collapsed_slice_dims,
                numbers.start_index_map,
                numbers.operand_batching_dims,
                numbers.start_indices_batching_dims,
            )
        return Layout(
            name,
            numbers.update_window_dims,
            numbers.inserted_window_dims,
            numbers.scatter_dims_to_operand_dims,
            numbers.operand_batching_dims,
            numbers.scatter_indices_batching_dims,
        )

    def window_axes(self, rank: int) -> Axes:
        """The operand's axes that the windows' array has, in order."""
        return tuple([k for k in range(rank) if k not in self.missing and k not in self.batching])

    def batch_axes(self, rank: int) -> Axes:
        """The axes of the windows' array that are not inside of windows, in order."""
        return tuple([k for k in range(rank) if k not in self.window_dims])

    def batching_axis(self, axis: int) -> int:
        """The axis of the indices that belongs to a batching axis of the operand."""
        return self.indices_batching[self.batching.index(axis)]

    def check(self, x: ShapedArray, indices: ShapedArray, rank: int) -> None:
        """Raise unless the numbers fit an operand, indices, and windows of some rank.

        Parameters
        ----------
        x, indices : ShapedArray
            The operand and the indices.
        rank : int
            Of the array of windows.
        """
        if kind_of(indices.dtype) not in "iu":
            self.fail(f"indices must be integers, got {indices!r}. Convert them with `astype`.")
        if indices.ndim == 0:
            self.fail(
                f"indices need a last axis that holds coordinates, got {indices!r}. Reshape them "
                "to (..., 1)."
            )
        own, count = indices.ndim - 1, len(self.coordinates)
        if indices.shape[-1] != count:
            self.fail(
                f"the last axis of the indices {indices!r} has size {indices.shape[-1]}, but "
                f"{count} axes of the operand are mapped: {self.coordinates}. They must be equal."
            )
        self._axes("window axes", self.window_dims, rank, True)
        self._axes("missing axes of the operand", self.missing, x.ndim, True)
        self._axes("axes of coordinates", self.coordinates, x.ndim, False)
        self._axes("batching axes of the operand", self.batching, x.ndim, True)
        self._axes("batching axes of the indices", self.indices_batching, own, False)
        both = set(self.batching) & (set(self.missing) | set(self.coordinates))
        if both:
            self.fail(f"axes {sorted(both)} of the operand are batching axes and something else.")
        sizes = [x.shape[k] for k in self.batching]
        if sizes != [indices.shape[k] for k in self.indices_batching]:
            self.fail(
                f"batching axes {self.batching} of {x!r} and {self.indices_batching} of "
                f"{indices!r} must have the same sizes."
            )
        if len(self.window_axes(x.ndim)) != len(self.window_dims):
            self.fail(
                f"windows of {x!r} have {len(self.window_axes(x.ndim))} axes, "
                f"{len(self.window_dims)} window axes are named: {self.window_dims}."
            )

    def _axes(self, what: str, axes: Axes, rank: int, increasing: bool) -> None:
        if len(set(axes)) != len(axes) or any(not 0 <= k < rank for k in axes):
            self.fail(f"{what} {axes} must be different, from 0 to {rank - 1}.")
        if increasing and list(axes) != sorted(axes):
            self.fail(f"{what} {axes} must be in increasing order.")

    def fail(self, reason: str) -> None:
        """Raise the TypeError for a shape or dtype that does not fit."""
        raise ArgumentTypeError(f"{self.name}: {reason}")

    def starts(
        self, indices: np.ndarray[Any, Any], shape: Axes, window: Axes, mode: GatherScatterMode
    ) -> tuple[list[np.ndarray[Any, Any]], np.ndarray[Any, Any] | None]:
        """Coordinates of every window's first element, and which windows are within the operand.

        Parameters
        ----------
        indices : ndarray
            The operand of that name.
        shape, window : tuple of int
            The operand's shape, and the windows' size along each of its axes.
        mode : GatherScatterMode
            What happens to windows out of bounds; the coordinates are always within.

        Returns
        -------
        starts : list of ndarray
            One for each coordinate, of the shape of the indices without the last axis.
        valid : ndarray or None
            None: all windows are within the operand.
        """
        starts, valid = [], None
        for k, axis in enumerate(self.coordinates):
            given = indices[..., k]
            bits = 8 * given.dtype.itemsize - (given.dtype.kind == "i")
            last = min(shape[axis] - window[axis], (1 << bits) - 1)
            # Seen as unsigned, what is below zero is above everything else.
            inside = given.view(f"u{given.dtype.itemsize}") <= last
            if not inside.all():
                if mode is GatherScatterMode.FILL_OR_DROP:
                    valid = inside if valid is None else valid & inside
                given = np.minimum(np.maximum(given, 0), last)
            starts.append(given.astype(np.intp, copy=False))
        return starts, valid

    def flat_positions(
        self, indices: np.ndarray[Any, Any], shape: Axes, window: Axes, mode: GatherScatterMode
    ) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any] | None]:
        """Where the elements of all windows are in the operand, in row-major order.

        Parameters
        ----------
        indices, shape, window, mode
            As for `starts`.

        Returns
        -------
        positions : ndarray
            Of the shape of the indices without the last axis, then the windows' axes.
        valid : ndarray or None
            As from `starts`.
        """
        starts, valid = self.starts(indices, shape, window, mode)
        steps = [math.prod(shape[k + 1 :]) for k in range(len(shape))]
        batch = indices.shape[:-1]
        base = np.zeros(batch, np.intp)
        for axis, start in zip(self.coordinates, starts, strict=True):
            base += start * steps[axis]
        for axis, own in zip(self.batching, self.indices_batching, strict=True):
            base += counting(batch[own], own, len(batch)) * steps[axis]
        axes = self.window_axes(len(shape))
        inner = np.zeros([window[k] for k in axes], np.intp)
        for place, axis in enumerate(axes):
            inner += counting(window[axis], place, len(axes)) * steps[axis]
        return base.reshape(batch + (1,) * len(axes)) + inner, valid


def counting(size: int, axis: int, rank: int) -> np.ndarray[Any, Any]:
    """The numbers 0 to size - 1 along one axis of `rank`, the others of size 1."""
    shape = [1] * rank
    shape[axis] = size
    return np.arange(size).reshape(shape)


def shifted(axes: Sequence[int], amount: int = 1) -> Axes:
    """Axes counted after `amount` new ones in front."""
    return tuple([k + amount for k in axes])
