"""The planner of 3x3 convolutions of stride 1 in float32 NHWC by Winograd's algorithm.

Forward and weight gradient; the input gradient is a forward convolution with other weights.
Each has two schemes.  Many tiles with few channels: a unit of work keeps its tiles' transforms
in the second-level cache.  Few tiles with many channels: all tiles are transformed to the
workspace first, then units share out the output channels, so that the transformed weights, by
then the larger part, are read once.  Read next: source/winograd.py, winograd_points.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from fnx.kernels.blocking import DEPTH, blocking
from fnx.kernels.calls import KernelCall, Workspace, grain
from fnx.kernels.copying import copy_call
from fnx.kernels.plan_runner import Word, pool_block

__all__ = ["Filter", "Image", "best_tile", "forward_calls", "gradient_calls"]

_CACHE_FLOATS = 160 * 1024  # what a unit's transforms may take: some 640 kB
_FEW_TILES = 256  # below, the transformed weights are the larger part of the traffic
_ACCUMULATOR_FLOATS = 640 * 1024  # the most that one unit's sums of a weight gradient may take


@dataclass(frozen=True, slots=True)
class Image:
    """A contiguous NHWC float32 array."""

    place: Word
    batch: int
    height: int
    width: int
    channels: int


@dataclass(frozen=True, slots=True)
class Filter:
    """3x3 weights of any layout: strides in elements of row, column, input, output channel."""

    place: Word
    row: int
    column: int
    inputs: int
    outputs: int


def best_tile(y: Image) -> int:
    """The size of output tiles: 4, but 2 where 4 would leave too few tiles to fill registers."""
    return 4 if _tile_count(y, 4) > 24 else 2


def forward_calls(
    x: Image, weights: Filter, y: Image, pads: tuple[int, int], tile: int, space: Workspace
) -> list[KernelCall]:
    """The calls of ``y = conv(x, weights)``; pads are those above and on the left."""
    total = _tile_count(y, tile)
    scheme = _shared if total <= _FEW_TILES else _fused
    turned, before = _turned(weights, x.channels, y.channels, space)
    return [*before, *scheme(x, turned, y, pads, tile, total, space)]


def _turned(
    weights: Filter, channels: int, kernels: int, space: Workspace
) -> tuple[Filter, list[KernelCall]]:
    """Weights with contiguous output channels; those of an input gradient are turned first."""
    if weights.inputs != 1 or weights.outputs == 1 or min(channels, kernels) < 8:
        return weights, []
    place = space.take(9 * channels * kernels, 4)
    laid = (3 * channels * kernels, channels * kernels, kernels, 1)
    turn = copy_call(
        weights.place, "float32", _strides(weights), place, "float32", laid,
        (3, 3, channels, kernels),
    )  # fmt: skip
    return Filter(place, *laid), [turn]


def gradient_calls(
    x: Image, y: Image, weights: Filter, pads: tuple[int, int], tile: int, space: Workspace
) -> list[KernelCall]:
    """The calls of the gradient with respect to the weights, for the cotangent ``y``."""
    block = blocking("float32")
    points = (tile + 2) ** 2
    tall = _round_up(_round_up(x.channels, block.lanes), block.rows)
    panels = -(-y.channels // block.columns)
    sums_size = points * tall * panels * block.columns
    total = _tile_count(y, tile)
    if sums_size <= _ACCUMULATOR_FLOATS:
        floats = points * (tall + panels * block.columns)
        tiles = _clamp(_CACHE_FLOATS // floats, 16, 64)
        per_unit = _round_up(max(-(-total // 16), 4 * tiles), tiles)
        copies = -(-total // per_unit)
        sums = space.take(copies * sums_size, 4)
        words: tuple[Word, ...] = (
            x.place, y.place, sums, x.height, x.width, x.channels, y.height, y.width,
            y.channels, tiles, *pads, total, per_unit, pool_block(),
        )  # fmt: skip
        calls = [KernelCall(f"winograd:{tile}/accumulate", words, copies, 1)]
    else:
        copies = 1
        sums = space.take(sums_size, 4)
        v = space.take(points * total * tall, 4)
        d = space.take(points * total * panels * block.columns, 4)
        down = x.batch * -(-y.height // tile)
        words = (
            x.place, y.place, v, d, x.height, x.width, x.channels, y.height, y.width,
            y.channels, *pads, total, pool_block(),
        )  # fmt: skip
        work = points * (total // down + 1) * (tall + y.channels) / 4
        products: tuple[Word, ...] = (v, d, sums, x.channels, y.channels, total, DEPTH)
        calls = [
            KernelCall(f"winograd:{tile}/transform_pairs", words, down, grain(down, work)),
            KernelCall(f"winograd:{tile}/multiply_pairs", products, points * panels, 1),
        ]
    finish: tuple[Word, ...] = (
        sums, copies, weights.place, x.channels, y.channels, *_strides(weights), pool_block(),
    )  # fmt: skip
    work = y.channels * (6.0 + copies)
    chunk = grain(x.channels, work)
    return [*calls, KernelCall(f"winograd:{tile}/finish_gradient", finish, x.channels, chunk)]


def _fused(
    x: Image,
    weights: Filter,
    y: Image,
    pads: tuple[int, int],
    tile: int,
    total: int,
    space: Workspace,
) -> list[KernelCall]:
    block = blocking("float32")
    points = (tile + 2) ** 2
    padded = _round_up(y.channels, block.columns)
    transformed = space.take(points * padded * x.channels, 4)
    prepare: tuple[Word, ...] = (
        weights.place, transformed, x.channels, y.channels, *_strides(weights), pool_block(),
    )  # fmt: skip
    kernel_block = min(2 * block.columns, padded)
    floats = points * (_round_up(x.channels, block.lanes) + kernel_block)
    tiles = _clamp(_CACHE_FLOATS // floats // block.rows, 1, 4) * block.rows
    units = -(-total // tiles)
    words: tuple[Word, ...] = (
        x.place, transformed, y.place, x.height, x.width, x.channels, y.height, y.width,
        y.channels, tiles, *pads, total, kernel_block, pool_block(),
    )  # fmt: skip
    work = tiles * points * x.channels * y.channels / 32
    chunk = grain(x.channels, 6.0 * padded)
    return [
        KernelCall(f"winograd:{tile}/transform_weights", prepare, x.channels, chunk),
        KernelCall(f"winograd:{tile}/fused", words, units, grain(units, work)),
    ]


def _shared(
    x: Image,
    weights: Filter,
    y: Image,
    pads: tuple[int, int],
    tile: int,
    total: int,
    space: Workspace,
) -> list[KernelCall]:
    block = blocking("float32")
    points = (tile + 2) ** 2
    wide = _round_up(x.channels, block.lanes)
    tiles = min(_round_up(total, block.rows), 8 * block.rows)
    padded_tiles = _round_up(total, tiles)
    v = space.take(points * padded_tiles * wide, 4)
    down = x.batch * -(-y.height // tile)
    words: tuple[Word, ...] = (
        x.place, v, x.height, x.width, x.channels, y.height, y.width, *pads, padded_tiles,
        pool_block(),
    )  # fmt: skip
    work = points * (total // down + 1) * wide / 4
    products: tuple[Word, ...] = (
        v, weights.place, y.place, x.channels, y.channels, y.height, y.width, total,
        padded_tiles, tiles, *_strides(weights), pool_block(),
    )  # fmt: skip
    panels = -(-y.channels // block.columns)
    return [
        KernelCall(f"winograd:{tile}/transform_tiles", words, down, grain(down, work)),
        KernelCall(f"winograd:{tile}/multiply", products, panels, 1),
    ]


def _strides(weights: Filter) -> tuple[int, int, int, int]:
    return (weights.row, weights.column, weights.inputs, weights.outputs)


def _tile_count(y: Image, tile: int) -> int:
    return y.batch * -(-y.height // tile) * -(-y.width // tile)


def _round_up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple


def _clamp(number: int, low: int, high: int) -> int:
    return max(low, min(high, number))
