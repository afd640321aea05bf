"""The planner of conv_general_dilated: which of the convolution kernels does it, and why.

First match wins, for each dense problem that conv_shape.py finds:

    ======================================== ===============================================
    dtype not float32 or float64             loops (half types: widened, then as float32)
    window larger than output, 3x3 output    gradient of Winograd weights
    the same, one channel per group          depthwise loops
    window larger than output                gradient as product of transposed patches
    one input channel per group              depthwise loops
    1x1 window                               matrix product, no patches
    3x3 window, stride 1, many channels      Winograd
    few output channels                      dot products of patches and weights, or loops
    anything else                            product of gathered patches and weights
    ======================================== ===============================================

Kernels want channels last; an operand in another layout is copied first, once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fnx.kernels import conv_winograd, gemm
from fnx.kernels.calls import KernelCall, KernelPlan, Operand, Workspace
from fnx.kernels.conv_gemm import (
    depthwise_calls,
    depthwise_gradient_calls,
    few_calls,
    forward_calls,
    generic_call,
    gradient_calls,
)
from fnx.kernels.conv_shape import Dense, Filter, Image, dense_problems, images
from fnx.kernels.copying import copy_call
from fnx.kernels.plan_runner import Reference, buffer

__all__ = ["choose", "plan"]

_WINOGRAD_CHANNELS = 32  # with fewer on both sides, the transforms cost more than they save
_FEW_KERNELS = 8  # so few output channels leave most lanes of a vector idle

Shape = tuple[int, ...]


def choose(dense: Dense, dtype: str, *, turned: bool = False, accurate: bool = False) -> str:
    """The kernel for a dense convolution; see the table above.

    Parameters
    ----------
    dense : Dense
        The problem.
    dtype : str
        Name of the dtype that it is computed in.
    turned : bool
        Whether the window of the whole convolution is larger than its output.
    accurate : bool
        Rule out Winograd's algorithm, whose rounding errors are some ten times larger.
    """
    if dtype not in ("float32", "float64"):
        return "generic"
    winograd = dtype == "float32" and not accurate and dense.groups == 1
    if turned:
        if winograd and _is_winograd_gradient(dense):
            return "winograd_gradient"
        single = dense.batch == dense.kernels == dense.x.group == dense.w.group == 1
        return "depthwise_gradient" if single and dense.groups > 1 else "gradient"
    if dense.channels == dense.kernels == dense.x.group == dense.y.group == 1 < dense.groups:
        return "depthwise"
    if _is_product(dense):
        return "product"
    if winograd and _is_winograd(dense):
        return "winograd"
    if dense.kernels <= _FEW_KERNELS:
        return "generic" if dense.kernels * dense.depth <= 128 else "few"
    return "patches"


def plan(
    operands: Sequence[Operand], results: Sequence[Operand], params: Mapping[str, Any]
) -> KernelPlan:
    """Plan a conv_general_dilated with the parameters of lax's."""
    result = results[0]
    if result.size == 0:
        return KernelPlan(())
    space = Workspace()
    shapes = images(operands, result, params)
    axes = _axes(params)
    working = "float32" if result.dtype.name in ("float16", "bfloat16") else result.dtype.name
    itemsize = np.dtype(working).itemsize
    accurate = _is_highest(params.get("precision"))
    turned = _window_is_larger(shapes)
    order = _memory_orders(len(axes[0]), turned)
    calls: list[KernelCall] = []
    places: list[Reference] = []
    strides: list[Shape] = []
    for position, operand in enumerate((*operands, result)):
        shape, wanted = shapes[position], order[position]
        own = tuple(operand.strides[axis] for axis in axes[position])
        any_layout = working not in ("float32", "float64")
        if operand.dtype.name == working and (any_layout or _fits(shape, own, wanted)):
            place, laid = buffer(position), own
        else:
            place, laid = space.take(math.prod(shape), itemsize), _laid_out(shape, wanted)
            if position < 2 and operand.size:
                source, dtype = buffer(position), operand.dtype.name
                calls.append(copy_call(source, dtype, own, place, working, laid, shape))
        places.append(place)
        strides.append(laid)
    for dense in dense_problems(
        (places[0], places[1], places[2]),
        (strides[0], strides[1], strides[2]),
        shapes,
        params,
        itemsize,
    ):
        chosen = choose(dense, working, turned=turned, accurate=accurate)
        calls += _dense_calls(chosen, dense, working, space)
    if places[2].kind == "memory":
        dtype = result.dtype.name
        calls.append(copy_call(places[2], working, strides[2], buffer(2), dtype, own, shapes[2]))
    return KernelPlan(tuple(calls), space.size)


def _dense_calls(chosen: str, dense: Dense, dtype: str, space: Workspace) -> list[KernelCall]:
    if chosen == "generic":
        return [generic_call(dense, dtype)]
    if chosen == "depthwise":
        return depthwise_calls(dense, dtype, space)
    if chosen == "product":
        return _product_calls(dense, dtype, space)
    if chosen == "depthwise_gradient":
        return depthwise_gradient_calls(dense, dtype, space)
    if chosen == "few":
        return few_calls(dense, dtype, space)
    if chosen == "gradient":
        return gradient_calls(dense, dtype, space)
    if chosen == "patches":
        return forward_calls(dense, dtype, space)
    pads = (-dense.base[1], -dense.base[2])
    if chosen == "winograd":
        x = _winograd_image(dense.x.place, dense.batch, dense.inside, dense.channels)
        y = _winograd_image(dense.y.place, dense.batch, dense.out, dense.kernels)
        tile = conv_winograd.best_tile(y)
        return conv_winograd.forward_calls(x, _winograd_filter(dense.w), y, pads, tile, space)
    x = _winograd_image(dense.x.place, dense.channels, dense.inside, dense.batch)
    y = _winograd_image(dense.w.place, dense.channels, dense.taps, dense.kernels)
    filters = conv_winograd.Filter(
        dense.y.place, *dense.y.spatial[1:], dense.y.batch, dense.y.channel
    )
    tile = conv_winograd.best_tile(y)
    return conv_winograd.gradient_calls(x, y, filters, pads, tile, space)


def _product_calls(dense: Dense, dtype: str, space: Workspace) -> list[KernelCall]:
    """A 1x1 window: every pixel's channels times a matrix; pixels collapse to one stride."""
    pixels = math.prod(dense.out)
    a = gemm.Matrix(dense.x.place, dense.x.batch, dense.x.spatial[2], dense.x.channel)
    b = gemm.Matrix(dense.w.place, 0, dense.w.input, dense.w.output)
    c = gemm.Matrix(dense.y.place, dense.y.batch, dense.y.spatial[2], dense.y.channel)
    extents = (dense.batch, pixels, dense.kernels, dense.channels)
    if (
        dense.x.batch == pixels * dense.x.spatial[2]
        and dense.y.batch == pixels * dense.y.spatial[2]
    ):
        extents = (1, dense.batch * pixels, dense.kernels, dense.channels)
        a.batch = c.batch = 0
    return gemm.multiply_calls(dtype, a, b, c, extents, space)


def _is_product(dense: Dense) -> bool:
    return (
        dense.groups == 1
        and dense.taps == (1, 1, 1)
        and dense.step == (1, 1, 1)
        and dense.base == (0, 0, 0)
        and dense.inside == dense.out
        and dense.y.channel == 1
        and _one_stride(dense.out, dense.x.spatial)
        and _one_stride(dense.out, dense.y.spatial)
    )


def _one_stride(extents: Sequence[int], strides: Sequence[int]) -> bool:
    """Whether axes collapse to one, with the last one's stride."""
    expected = strides[-1]
    for extent, stride in zip(reversed(extents), reversed(strides), strict=True):
        if extent > 1 and stride != expected:
            return False
        expected *= extent
    return True


def _is_winograd(dense: Dense) -> bool:
    return (
        dense.taps == (1, 3, 3)
        and dense.step == dense.dilation == (1, 1, 1)
        and dense.base[0] == 0
        and dense.inside[0] == dense.out[0] == 1
        and _is_worth_transforming(dense.channels, dense.kernels)
        and min(dense.out[1:]) >= 3
        and _is_dense_image(dense.x, dense.inside, dense.channels)
        and _is_dense_image(dense.y, dense.out, dense.kernels)
    )


def _is_winograd_gradient(dense: Dense) -> bool:
    turned_x = Image(dense.x.place, 0, dense.x.channel, dense.x.spatial, dense.x.batch)
    turned_w = Image(dense.w.place, 0, dense.w.input, dense.w.taps, dense.w.output)
    return (
        dense.out == (1, 3, 3)
        and dense.step == dense.dilation == (1, 1, 1)
        and dense.base[0] == 0
        and dense.inside[0] == dense.taps[0] == 1
        and _is_worth_transforming(dense.batch, dense.kernels)
        and _is_dense_image(turned_x, dense.inside, dense.batch)
        and _is_dense_image(turned_w, dense.taps, dense.kernels)
    )


def _is_worth_transforming(channels: int, kernels: int) -> bool:
    return max(channels, kernels) >= _WINOGRAD_CHANNELS or min(channels, kernels) >= 16


def _is_dense_image(image: Image, extents: Sequence[int], channels: int) -> bool:
    """Whether an image is contiguous NHWC."""
    wide = channels
    high = extents[2] * wide
    return (
        image.channel == 1
        and image.spatial[2] == wide
        and image.spatial[1] == high
        and image.batch == extents[1] * high
    )


def _winograd_image(
    place: Reference, batch: int, extents: Sequence[int], channels: int
) -> conv_winograd.Image:
    return conv_winograd.Image(place, batch, extents[1], extents[2], channels)


def _winograd_filter(w: Filter) -> conv_winograd.Filter:
    return conv_winograd.Filter(w.place, w.taps[1], w.taps[2], w.input, w.output)


def _axes(params: Mapping[str, Any]) -> tuple[Shape, Shape, Shape]:
    """The axes of the operands and the result in the order of `images`."""
    lhs_spec, rhs_spec, out_spec = params["dimension_numbers"]
    return (
        (lhs_spec[0], *lhs_spec[2:], lhs_spec[1]),
        (*rhs_spec[2:], rhs_spec[1], rhs_spec[0]),
        (out_spec[0], *out_spec[2:], out_spec[1]),
    )


def _window_is_larger(shapes: tuple[Shape, Shape, Shape]) -> bool:
    return math.prod(shapes[1][:-2]) > math.prod(shapes[2][1:-1])


def _memory_orders(rank: int, turned: bool) -> tuple[Shape | None, ...]:
    """The orders of axes in memory that the kernels want; None is any.

    Where the window is larger than the output, what is summed over are the pixels of the
    window: there the batch of the input must be innermost, and the output may lie anyhow.
    """
    forward = tuple(range(rank))
    if not turned:
        return forward, None, forward
    inputs = (rank - 1, *range(1, rank - 1), 0)
    window = (rank - 2, *range(rank - 2), rank - 1)
    return inputs, window, None


def _fits(shape: Shape, strides: Shape, order: Shape | None) -> bool:
    """Whether an array lies in memory in an order of its axes, without gaps."""
    if order is None:
        return True
    expected = 1
    for axis in reversed(order):
        if shape[axis] > 1 and strides[axis] != expected:
            return False
        expected *= shape[axis]
    return True


def _laid_out(shape: Shape, order: Shape | None) -> Shape:
    """The strides of an array that lies in an order of its axes."""
    strides = [0] * len(shape)
    expected = 1
    for axis in reversed(order or tuple(range(len(shape)))):
        strides[axis] = expected
        expected *= shape[axis]
    return tuple(strides)


def _is_highest(precision: Any) -> bool:
    if precision is None:
        return False
    names = precision if isinstance(precision, (tuple, list)) else (precision,)
    return any(str(name).lower().endswith("highest") for name in names)
