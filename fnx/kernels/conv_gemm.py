"""The planner of convolutions as matrix products on gathered patches, and of plain loops.

`forward_calls` multiplies gathered patches with packed weights; `gradient_calls` serves
convolutions whose window is larger than their output, which is what the gradients of weights
are; `depthwise_calls` and `generic_call` are loops.  Read next: source/conv_gemm.py.
"""

from __future__ import annotations

import math

from fnx.kernels.blocking import DEPTH, blocking
from fnx.kernels.calls import KernelCall, Workspace, grain
from fnx.kernels.conv_shape import Dense, Filter, Image
from fnx.kernels.copying import copy_call
from fnx.kernels.plan_runner import Reference, Word, pool_block

__all__ = [
    "depthwise_calls",
    "depthwise_gradient_calls",
    "few_calls",
    "forward_calls",
    "generic_call",
    "gradient_calls",
]

_ITEMSIZE = {"float32": 4, "float64": 8}
_TILE_PIXELS = 96
_TILE_KERNELS = 256


def forward_calls(dense: Dense, dtype: str, space: Workspace) -> list[KernelCall]:
    """Patches times weights; channels of x and of y are contiguous."""
    block = blocking(dtype)
    packed, pack = _packed_weights(dense, dtype, space)
    tile_pixels = min(_TILE_PIXELS // block.rows, -(-dense.pixels // block.rows)) * block.rows
    tile_kernels = _round_up(min(_TILE_KERNELS, dense.kernels), block.columns)
    units = dense.groups * -(-dense.pixels // tile_pixels) * -(-dense.kernels // tile_kernels)
    if units < 8:  # few pixels: share out the output channels instead
        tile_kernels = block.columns
        units = dense.groups * -(-dense.pixels // tile_pixels) * -(-dense.kernels // tile_kernels)
    panels = -(-dense.kernels // block.columns)
    words = (
        *_shape_words(dense, merged=dense.dilation[2] == 1 and _whole_pixels(dense)),
        packed, panels * block.columns * dense.depth, tile_pixels, tile_kernels, pool_block(),
    )  # fmt: skip
    work = tile_pixels * (tile_kernels * dense.depth / 32 + dense.depth)
    call = KernelCall(f"conv_gemm:{dtype}/forward", words, units, grain(units, work))
    return [*pack, call]


def few_calls(dense: Dense, dtype: str, space: Workspace) -> list[KernelCall]:
    """Patches times weights by dot products, for a handful of output channels."""
    itemsize = _ITEMSIZE[dtype]
    padded = _round_up(dense.kernels, 4)
    weights = space.take(dense.groups * padded * dense.depth, itemsize)
    # Padding kernels are whatever the workspace holds: their results are not used.
    shape = (dense.groups, dense.kernels, *dense.taps, dense.channels)
    strides = list(_contiguous(shape))
    strides[0] = padded * dense.depth
    calls = []
    if dense.depth:
        source = (dense.w.group, dense.w.output, *dense.w.taps, dense.w.input)
        calls.append(copy_call(dense.w.place, dtype, source, weights, dtype, strides, shape))
    tile_pixels = max(4, min(32, 64 * 1024 // max(1, dense.depth) // 4 * 4))
    units = dense.groups * -(-dense.pixels // tile_pixels)
    words = (
        *_shape_words(dense, merged=dense.dilation[2] == 1 and _whole_pixels(dense)),
        weights, padded, tile_pixels, pool_block(),
    )  # fmt: skip
    work = tile_pixels * dense.depth * (padded / 8 + 1)
    calls.append(KernelCall(f"conv_gemm:{dtype}/forward_few", words, units, grain(units, work)))
    return calls


def gradient_calls(dense: Dense, dtype: str, space: Workspace) -> list[KernelCall]:
    """Transposed patches times cotangent, for a window larger than the output.

    In the words of the gradient: the window is the cotangent and its taps are the pixels; the
    output's pixels are the taps, the batch are the channels, the channels are the batch.  The
    batch of x and the outputs of w are contiguous.
    """
    block = blocking(dtype)
    turned = _turned(dense)
    pixels, depth = turned.pixels, turned.depth
    tile_depth = _round_up(min(96, depth), block.rows)
    tile_kernels = _round_up(min(128, turned.kernels), block.columns)
    tiles = turned.groups * -(-depth // tile_depth) * -(-turned.kernels // tile_kernels)
    block_pixels = min(DEPTH, max(1, pixels))
    splits = max(1, min(-(-32 // tiles), pixels // (4 * block_pixels)))
    per_split = _round_up(-(-pixels // splits), block_pixels)
    sums = space.take(splits * turned.groups * depth * turned.kernels, _ITEMSIZE[dtype])
    words = (
        *_shape_words(turned, merged=turned.dilation[2] == 1 and _whole_pixels(turned)),
        sums, tile_depth, tile_kernels, splits, per_split, block_pixels, pool_block(),
    )  # fmt: skip
    return [
        KernelCall(f"conv_gemm:{dtype}/gradient", words, tiles * splits, 1),
        _finish_call(turned, sums, splits, dtype),
    ]


def depthwise_gradient_calls(dense: Dense, dtype: str, space: Workspace) -> list[KernelCall]:
    """The same for one channel per group, groups contiguous in x and the cotangent."""
    turned = _turned(dense)
    rows = turned.batch * turned.out[0] * turned.out[1]
    splits = max(1, min(16, rows // 4))
    per_split = -(-rows // splits)
    sums = space.take(splits * turned.groups * turned.depth, _ITEMSIZE[dtype])
    words = (*_shape_words(turned, merged=False), sums, rows, per_split, pool_block())
    return [
        KernelCall(f"conv_direct:{dtype}/depthwise_gradient", words, splits, 1),
        _finish_call(turned, sums, splits, dtype),
    ]


def _finish_call(turned: Dense, sums: Word, splits: int, dtype: str) -> KernelCall:
    """Add up the sums of all splits, into weights of any layout."""
    words: tuple[Word, ...] = (
        sums, turned.w.place, splits, turned.groups, *turned.taps, turned.channels,
        turned.kernels, *turned.w.taps, turned.w.input, turned.w.output, turned.w.group,
    )  # fmt: skip
    rows = turned.groups * turned.depth
    chunk = grain(rows, splits * turned.kernels)
    return KernelCall(f"conv_gemm:{dtype}/finish_gradient", words, rows, chunk)


def _turned(dense: Dense) -> Dense:
    """A convolution whose window is larger than its output, in the words of the gradient."""
    return Dense(
        x=Image(dense.x.place, dense.x.group, dense.x.channel, dense.x.spatial, dense.x.batch),
        w=Filter(dense.y.place, dense.y.group, dense.y.spatial, dense.y.batch, dense.y.channel),
        y=Image(dense.w.place, dense.w.group, dense.w.input, dense.w.taps, dense.w.output),
        inside=dense.inside,
        out=dense.taps,
        taps=dense.out,
        step=dense.dilation,
        dilation=dense.step,
        base=dense.base,
        groups=dense.groups,
        batch=dense.channels,
        channels=dense.batch,
        kernels=dense.kernels,
    )


def depthwise_calls(dense: Dense, dtype: str, space: Workspace) -> list[KernelCall]:
    """One channel per group, groups contiguous in x and y."""
    weights = space.take(math.prod(dense.taps) * dense.groups, _ITEMSIZE[dtype])
    shape = (*dense.taps, dense.groups)
    contiguous = _contiguous(shape)
    copy = copy_call(
        dense.w.place, dtype, (*dense.w.taps, dense.w.group), weights, dtype, contiguous, shape
    )
    words = (*_shape_words(dense, merged=False), weights)
    units = dense.batch * dense.out[0] * dense.out[1]
    work = dense.out[2] * dense.groups * math.prod(dense.taps) / 4
    call = KernelCall(f"conv_direct:{dtype}/depthwise", words, units, grain(units, work))
    return [*([copy] if math.prod(shape) else []), call]


def generic_call(dense: Dense, dtype: str) -> KernelCall:
    """Plain loops for any dtype and any strides."""
    words = (
        *_shape_words(dense, merged=False), dense.w.place, *dense.w.taps, dense.w.input,
        dense.w.output, dense.w.group, dense.x.channel, dense.y.channel,
    )  # fmt: skip
    units = dense.groups * dense.pixels
    chunk = grain(units, dense.kernels * (dense.depth + 1))
    return KernelCall(f"conv_direct:{dtype}/generic", words, units, chunk)


def _packed_weights(
    dense: Dense, dtype: str, space: Workspace
) -> tuple[Reference, list[KernelCall]]:
    """Weights in panels, as the matrix product wants them; first copied if need be."""
    block, itemsize = blocking(dtype), _ITEMSIZE[dtype]
    panels = -(-dense.kernels // block.columns)
    packed = space.take(dense.groups * panels * block.columns * dense.depth, itemsize)
    if dense.depth == 0:
        return packed, []
    calls: list[KernelCall] = []
    place, group, row, column = dense.w.place, dense.w.group, dense.w.input, dense.w.output
    if not _is_matrix(dense):
        shape = (dense.groups, *dense.taps, dense.channels, dense.kernels)
        place = space.take(math.prod(shape), itemsize)
        strides = (dense.w.group, *dense.w.taps, dense.w.input, dense.w.output)
        calls.append(
            copy_call(dense.w.place, dtype, strides, place, dtype, _contiguous(shape), shape)
        )
        group, row, column = dense.depth * dense.kernels, dense.kernels, 1
    words: tuple[Word, ...] = (
        place, group, row, column, dense.depth, dense.kernels, panels, packed
    )  # fmt: skip
    units = dense.groups * panels
    chunk = grain(units, 0.5 * dense.depth * block.columns)
    calls.append(KernelCall(f"gemm:{dtype}/pack", words, units, chunk))
    return packed, calls


def _is_matrix(dense: Dense) -> bool:
    """Whether taps and input channels are the rows of a matrix with one stride."""
    stride = dense.w.input
    expected = stride * dense.channels
    for extent, actual in zip(reversed(dense.taps), reversed(dense.w.taps), strict=True):
        if extent > 1 and actual != expected:
            return False
        expected *= extent
    return True


def _whole_pixels(dense: Dense) -> bool:
    """Whether neighbouring pixels of x lie side by side, all their channels in this group."""
    return dense.x.spatial[2] == dense.channels


def _shape_words(dense: Dense, *, merged: bool) -> tuple[Word, ...]:
    return (
        dense.x.place, dense.x.group, dense.x.batch, *dense.x.spatial,
        dense.y.place, dense.y.group, dense.y.batch, *dense.y.spatial,
        *dense.inside, *dense.out, *dense.taps, *dense.step, *dense.dilation, *dense.base,
        dense.channels, dense.kernels, dense.groups, dense.batch, int(merged), _pixel_stride(dense),
    )  # fmt: skip


def _pixel_stride(dense: Dense) -> int:
    """The one distance between neighbouring output pixels, or 0 if they lie unevenly."""
    extents, strides = (dense.batch, *dense.out), (dense.y.batch, *dense.y.spatial)
    stride = strides[-1]
    expected = stride
    for extent, actual in zip(reversed(extents), reversed(strides), strict=True):
        if extent > 1 and actual != expected:
            return 0
        expected *= extent
    return stride


def _contiguous(shape: tuple[int, ...]) -> tuple[int, ...]:
    strides = [1] * len(shape)
    for axis in range(len(shape) - 2, -1, -1):
        strides[axis] = strides[axis + 1] * shape[axis + 1]
    return tuple(strides)


def _round_up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple
