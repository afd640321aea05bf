"""The other names of convolution: `conv`, `conv_with_general_padding`, `conv_transpose`.

Functions composed of `conv_general_dilated`; they choose its parameters.  Read next: `windows`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fnx.primitives.convolution import conv_general_dilated
from fnx.primitives.shaping import rev
from fnx.primitives.window_shapes import (
    ConvDimensionNumbers,
    conv_dimension_numbers,
    conv_transpose_padding,
    dilated,
)

__all__ = ["conv", "conv_transpose", "conv_with_general_padding"]


def conv(
    lhs: Any,
    rhs: Any,
    window_strides: Sequence[int],
    padding: str,
    precision: Any = None,
    preferred_element_type: Any = None,
) -> Any:
    """Convolution of (batch, feature, ...) images with (output, input, ...) windows.

    Parameters
    ----------
    lhs, rhs, window_strides, padding, precision, preferred_element_type
        As for `conv_general_dilated`.
    """
    return conv_general_dilated(
        lhs,
        rhs,
        window_strides,
        padding,
        precision=precision,
        preferred_element_type=preferred_element_type,
    )


def conv_with_general_padding(
    lhs: Any,
    rhs: Any,
    window_strides: Sequence[int],
    padding: Any,
    lhs_dilation: Sequence[int] | None,
    rhs_dilation: Sequence[int] | None,
    precision: Any = None,
    preferred_element_type: Any = None,
) -> Any:
    """`conv` with paddings in numbers and dilations.

    Parameters
    ----------
    lhs, rhs, window_strides, padding, lhs_dilation, rhs_dilation, precision, preferred_element_type
        As for `conv_general_dilated`.
    """
    return conv_general_dilated(
        lhs,
        rhs,
        window_strides,
        padding,
        lhs_dilation,
        rhs_dilation,
        precision=precision,
        preferred_element_type=preferred_element_type,
    )


def conv_transpose(
    lhs: Any,
    rhs: Any,
    strides: Sequence[int],
    padding: Any,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: Any = None,
    transpose_kernel: bool = False,
    precision: Any = None,
    preferred_element_type: Any = None,
    use_consistent_padding: bool = False,
) -> Any:
    """Transposed convolution: over the image with ``strides - 1`` holes between neighbours.

    Parameters
    ----------
    lhs : Array
        The images.
    rhs : Array
        The windows.
    strides : sequence of int
        Of the convolution whose shape it undoes.
    padding : str or sequence of pairs of int
        "SAME" or "VALID", of the convolution that is undone, or paddings of the dilated image.
    rhs_dilation : sequence of int, optional
        Distances between neighbours of the window.
    dimension_numbers : optional
        As for `conv_general_dilated`; by default features last: NHWC, HWIO, NHWC.
    transpose_kernel : bool
        Reverse the window and exchange its features, so that it is the gradient of a convolution.
    precision, preferred_element_type
        As for `conv_general_dilated`.
    use_consistent_padding : bool
        Whether paddings in numbers are those of the convolution that is undone, too.
    """
    spatial = lhs.ndim - 2
    if dimension_numbers is None:
        inner = tuple(range(1, spatial + 1))
        last = (0, spatial + 1, *inner)
        kernel = (spatial + 1, spatial, *range(spatial))
        dimension_numbers = ConvDimensionNumbers(last, kernel, last)
    numbers = conv_dimension_numbers(lhs.shape, rhs.shape, dimension_numbers)
    rhs_dilation = (1,) * spatial if rhs_dilation is None else tuple(rhs_dilation)
    window = [dilated(rhs.shape[k], d) for k, d in zip(numbers.rhs_spec[2:], rhs_dilation)]
    if isinstance(padding, str):
        padding = [conv_transpose_padding(k, s, padding) for k, s in zip(window, strides)]
    elif use_consistent_padding:
        padding = [(k - 1 - low, k - 1 - high) for k, (low, high) in zip(window, padding)]
    if transpose_kernel:
        rhs = rev(rhs, numbers.rhs_spec[2:])
        out_features, in_features, *window_axes = numbers.rhs_spec
        numbers = numbers._replace(rhs_spec=(in_features, out_features, *window_axes))
    return conv_general_dilated(
        lhs,
        rhs,
        (1,) * spatial,
        padding,
        strides,
        rhs_dilation,
        numbers,
        precision=precision,
        preferred_element_type=preferred_element_type,
    )
