"""Windows of images as features, and convolution with windows of their own at each place.

`conv_general_dilated_patches` moves elements and computes nothing: along one axis after the other,
the elements that a window's first, second, ... place meets are strided slices, which are stacked.
Read before: `fnx.primitives.convolution`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from fnx.core.conversion import as_value
from fnx.core.types import ShapedArray
from fnx.lax.shapes import stack
from fnx.primitives.cast import convert_element_type
from fnx.primitives.contraction import dot_general
from fnx.primitives.convolution import conv_general_dilated_p, conv_parameters
from fnx.primitives.shaping import full, inverse, reshape, transpose
from fnx.primitives.slicing import pad, slice_in_dim
from fnx.primitives.window_shapes import conv_dimension_numbers

__all__ = ["conv_general_dilated_local", "conv_general_dilated_patches"]


def conv_general_dilated_patches(
    lhs: Any,
    filter_shape: Sequence[int],
    window_strides: Sequence[int],
    padding: Any,
    lhs_dilation: Sequence[int] | None = None,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: Any = None,
    precision: Any = None,
    preferred_element_type: Any = None,
) -> Any:
    """The elements that each window of a convolution meets, as features.

    Parameters
    ----------
    lhs : Array
        The images: batch, features and spatial axes.
    filter_shape : sequence of int
        The window's extents, in the order of the spatial axes of the right dimension numbers.
    window_strides, padding, lhs_dilation, rhs_dilation, dimension_numbers
        As for `conv_general_dilated`.
    precision : None, str, Precision, or a pair of them
        Elements are moved, so that every precision is kept.
    preferred_element_type : dtype, optional
        Of the result.

    Returns
    -------
    Array
        With ``features * prod(filter_shape)`` features: for each of the image's, the window's
        elements in row-major order.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx import lax
    >>> lax.conv_general_dilated_patches(jnp.arange(4.).reshape(1, 1, 4), (2,), (1,), "VALID")
    Array([[[0., 1., 2.],
            [1., 2., 3.]]], dtype=float32)
    """
    x = as_value(lhs, "conv_general_dilated_patches", "lhs")
    window = tuple(map(int, filter_shape))
    numbers = conv_dimension_numbers(x.shape, (1, 1, *window), dimension_numbers)
    features = x.shape[numbers.lhs_spec[1]]
    # The windows of the convolution with which all of them could be found.
    kernel = _transposed((features * math.prod(window), 1, *window), inverse(numbers.rhs_spec))
    params = conv_parameters(
        x.shape, kernel, window_strides, padding, lhs_dilation, rhs_dilation, numbers, features, 1,
        precision, preferred_element_type,
    )  # fmt: skip
    aval = conv_general_dilated_p.infer(x.aval, ShapedArray(kernel, x.dtype), **params)
    counts = _transposed(aval.shape, numbers.out_spec)[2:]
    edges = [
        (low, high, d - 1) for (low, high), d in zip(params["padding"], params["lhs_dilation"])
    ]
    parts = pad(
        transpose(x, numbers.lhs_spec), full((), 0, x.dtype), [(0, 0, 0), (0, 0, 0), *edges]
    )
    strides, gaps = params["window_strides"], params["rhs_dilation"]
    for k, (size, count, stride, gap) in enumerate(zip(window, counts, strides, gaps)):
        parts = _windows_along(parts, 2 + 2 * k, size, count, stride, gap)
    places = range(len(window))
    order = [0, 1, *[3 + 2 * k for k in places], *[2 + 2 * k for k in places]]
    flat = reshape(transpose(parts, order), _transposed(aval.shape, numbers.out_spec))
    out = transpose(flat, inverse(numbers.out_spec))
    return out if out.dtype == aval.dtype else convert_element_type(out, aval.dtype)


def _windows_along(x: Any, axis: int, size: int, count: int, stride: int, gap: int) -> Any:
    """An axis of positions as two: which window, and which place in it."""
    if count * size == 0:
        shape = list(x.shape)
        shape[axis : axis + 1] = [count, size]
        return full(shape, 0, x.dtype)
    stops = [place * gap + (count - 1) * stride + 1 for place in range(size)]
    slices = [slice_in_dim(x, place * gap, stop, stride, axis) for place, stop in enumerate(stops)]
    return stack(slices, axis + 1)


def conv_general_dilated_local(
    lhs: Any,
    rhs: Any,
    window_strides: Sequence[int],
    padding: Any,
    filter_shape: Sequence[int],
    lhs_dilation: Sequence[int] | None = None,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: Any = None,
    precision: Any = None,
) -> Any:
    """Convolution with a window of its own at each place of the result (a locally connected layer).

    Parameters
    ----------
    lhs : Array
        The images: batch, features and spatial axes.
    rhs : Array
        The windows: output features, the features that `conv_general_dilated_patches` gives, and
        the spatial axes of the result, in the order of the right dimension numbers.
    window_strides, padding, lhs_dilation, rhs_dilation, dimension_numbers, precision
        As for `conv_general_dilated`.
    filter_shape : sequence of int
        The window's extents.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx import lax
    >>> images = jnp.arange(3.).reshape(1, 1, 3)
    >>> windows = jnp.array([[[1., 0.], [0., 10.]]])
    >>> lax.conv_general_dilated_local(images, windows, (1,), "VALID", (2,))
    Array([[[ 0., 20.]]], dtype=float32)
    """
    x = as_value(lhs, "conv_general_dilated_local", "lhs")
    y = as_value(rhs, "conv_general_dilated_local", "rhs")
    patches = conv_general_dilated_patches(
        x, filter_shape, window_strides, padding, lhs_dilation, rhs_dilation, dimension_numbers
    )
    _, right, result = conv_dimension_numbers(
        x.shape, (1, 1, *map(int, filter_shape)), dimension_numbers
    )
    # Batch axes in the order of the result's, so that only its two other axes are out of place.
    order = sorted(range(len(result) - 2), key=lambda k: result[2 + k])
    batch = [result[2 + k] for k in order], [right[2 + k] for k in order]
    out = dot_general(patches, y, (((result[1],), (right[1],)), batch), precision)
    return transpose(out, inverse([*sorted(result[2:]), *result[:2]]))


def _transposed(shape: Sequence[int], permutation: Sequence[int]) -> tuple[int, ...]:
    return tuple([shape[k] for k in permutation])
