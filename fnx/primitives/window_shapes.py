"""Arithmetic of sliding windows: what convolutions and window reductions share.

What comes in: shapes, strides, paddings and dilations as users write them.  What goes out: tuples
of integers that primitives hold, the shape of the result, and the padding of the adjoint.  Nothing
here touches an array. Read next: `convolution`, `windows`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from fnx.errors import ArgumentTypeError, ArgumentValueError

__all__ = [
    "ConvDimensionNumbers",
    "ConvGeneralDilatedDimensionNumbers",
    "adjoint_padding",
    "conv_dimension_numbers",
    "conv_general_permutations",
    "conv_general_shape_tuple",
    "conv_shape_tuple",
    "conv_transpose_padding",
    "conv_transpose_shape_tuple",
    "dilated",
    "padtype_to_pads",
    "window_extents",
]


class ConvDimensionNumbers(NamedTuple):
    """Which axis is what in the operands and in the result of a convolution.

    Parameters
    ----------
    lhs_spec, out_spec : tuple of int
        The axes (batch, feature, *spatial).
    rhs_spec : tuple of int
        The axes (output feature, input feature, *spatial).
    """

    lhs_spec: tuple[int, ...]
    rhs_spec: tuple[int, ...]
    out_spec: tuple[int, ...]


#: What users may give as a convolution's dimension numbers; see `conv_dimension_numbers`.
ConvGeneralDilatedDimensionNumbers = (
    ConvDimensionNumbers | tuple[str, str, str] | tuple[Sequence[int], ...] | None
)


def dilated(size: int, dilation: int) -> int:
    """The extent of an axis with ``dilation - 1`` holes between neighbours."""
    return 0 if size == 0 else (size - 1) * dilation + 1


def window_extents(
    shape: Sequence[int],
    window: Sequence[int],
    strides: Sequence[int],
    padding: Sequence[tuple[int, int]],
    base_dilation: Sequence[int],
    window_dilation: Sequence[int],
) -> tuple[int, ...]:
    """How many windows fit along each axis.

    Parameters
    ----------
    shape, window : sequence of int
        Extents of the array and of the window.
    strides, base_dilation, window_dilation : sequence of int
        At least 1.
    padding : sequence of pairs of int
        Before and after; negative ones cut.
    """
    result = []
    for n, k, stride, (low, high), base, spacing in zip(
        shape, window, strides, padding, base_dilation, window_dilation, strict=True
    ):
        room = dilated(n, base) + low + high - dilated(k, spacing)
        result.append(0 if room < 0 else room // stride + 1)
    return tuple(result)


def adjoint_padding(
    n: int, k: int, out: int, stride: int, low: int, base: int, spacing: int
) -> tuple[int, int]:
    """The padding of the window operation that is the adjoint along one axis.

    Result o meets operand i through window element k where ``o * stride + k * spacing - low = i *
    base``.  Solved for i, with the window reversed, that's a window operation over the cotangent
    with `stride` as its base dilation and `base` as its stride, whose padding before is ``(K - 1) *
    spacing - low``; the padding after makes exactly `n` windows fit.

    Parameters
    ----------
    n, k, out : int
        Extents of operand, window and result.
    stride, low, base, spacing : int
        Of the original operation: stride, padding before, base dilation, window dilation.
    """
    before = (k - 1) * spacing - low
    after = dilated(n, base) - 1 + dilated(k, spacing) - before - dilated(out, stride)
    return before, after


def padtype_to_pads(
    in_shape: Sequence[int],
    window_shape: Sequence[int],
    window_strides: Sequence[int],
    padding: Any,
) -> list[tuple[int, int]]:
    """Paddings in numbers, from "SAME", "SAME_LOWER" or "VALID".

    Parameters
    ----------
    in_shape, window_shape, window_strides : sequence of int
        Of the spatial axes; the window as dilated.
    padding : str or sequence of pairs of int
        "SAME" gives ``ceil(n / stride)`` windows, an odd padding goes after ("SAME_LOWER": before);
        "VALID" pads nothing; pairs are returned as they are.

    Returns
    -------
    list of pairs of int
        Before and after each axis.
    """
    if not isinstance(padding, str):
        return [(int(low), int(high)) for low, high in padding]
    kind = padding.upper()
    if kind == "VALID":
        return [(0, 0)] * len(in_shape)
    if kind not in ("SAME", "SAME_LOWER"):
        raise ArgumentValueError(
            f"padding must be 'SAME', 'SAME_LOWER', 'VALID' or pairs of integers, got {padding!r}."
        )
    result = []
    # Numbers of entries that differ are the type rule's to report.
    for n, k, stride in zip(in_shape, window_shape, window_strides):
        total = max((math.ceil(n / stride) - 1) * stride + k - n, 0)
        less, more = total // 2, total - total // 2
        result.append((less, more) if kind == "SAME" else (more, less))
    return result


def conv_dimension_numbers(
    lhs_shape: Sequence[int], rhs_shape: Sequence[int], dimension_numbers: Any
) -> ConvDimensionNumbers:
    """Dimension numbers from letters such as ``("NHWC", "HWIO", "NHWC")``.

    Parameters
    ----------
    lhs_shape, rhs_shape : sequence of int
        Only their lengths matter.
    dimension_numbers : None, ConvDimensionNumbers, or a triple
        Strings with N, C (result and left) or O, I (right) and one letter for each spatial axis, or
        sequences of axes; None: batch (output feature) first, feature (input feature) second, then
        the spatial axes.

    Returns
    -------
    ConvDimensionNumbers
    """
    if isinstance(dimension_numbers, ConvDimensionNumbers):
        return dimension_numbers
    rank = len(lhs_shape)
    if rank != len(rhs_shape):
        raise ArgumentTypeError(
            "convolution: operands must have as many axes as each other, got shapes "
            f"{tuple(lhs_shape)} and {tuple(rhs_shape)}."
        )
    if dimension_numbers is None:
        plain = tuple(range(rank))
        return ConvDimensionNumbers(plain, plain, plain)
    if not isinstance(dimension_numbers, (tuple, list)) or len(dimension_numbers) != 3:
        raise ArgumentTypeError(
            "convolution: dimension_numbers must be None or a triple (left, right, result), got "
            f"{dimension_numbers!r}."
        )
    left, right, result = dimension_numbers
    if all(isinstance(spec, str) for spec in dimension_numbers):
        spatial = [c for c in right if c not in "OI"]
        return ConvDimensionNumbers(
            _letters(left, "NC", spatial, rank),
            _letters(right, "OI", spatial, rank),
            _letters(result, "NC", spatial, rank),
        )
    specs = [tuple(int(a) for a in spec) for spec in dimension_numbers]
    if any(sorted(spec) != list(range(rank)) for spec in specs):
        raise ArgumentTypeError(
            f"convolution: each of dimension_numbers={dimension_numbers!r} must order all {rank} "
            "axes."
        )
    return ConvDimensionNumbers(*specs)


def _letters(text: str, leading: str, spatial: Sequence[str], rank: int) -> tuple[int, ...]:
    wanted = [*leading, *spatial]
    if len(text) != rank or sorted(text) != sorted(wanted):
        raise ArgumentTypeError(
            f"convolution: {text!r} must name {rank} axes with the letters "
            f"{''.join(sorted(wanted))!r}, each once."
        )
    return tuple(text.index(c) for c in wanted)


def conv_shape_tuple(
    lhs_shape: Sequence[int],
    rhs_shape: Sequence[int],
    strides: Sequence[int],
    pads: Any,
    batch_group_count: int = 1,
) -> tuple[int, ...]:
    """The shape of a convolution's result, all shapes with the leading axes first.

    Parameters
    ----------
    lhs_shape : sequence of int
        (batch, feature, *spatial).
    rhs_shape : sequence of int
        (output feature, input feature, *spatial).
    strides : sequence of int
        One for each spatial axis.
    pads : str or sequence of pairs of int
        As in `padtype_to_pads`.
    batch_group_count : int
        Groups of the batch axis.
    """
    spatial, window = lhs_shape[2:], rhs_shape[2:]
    pads = padtype_to_pads(spatial, window, strides, pads)
    if not len(spatial) == len(window) == len(strides) == len(pads):
        raise ArgumentTypeError(
            f"convolution: {len(spatial)} spatial axes, {len(window)} window axes, {len(strides)} "
            f"strides, {len(pads)} paddings; give one of each for each spatial axis."
        )
    ones = (1,) * len(spatial)
    extents = window_extents(spatial, window, strides, pads, ones, ones)
    return (lhs_shape[0] // batch_group_count, rhs_shape[0], *extents)


def conv_general_permutations(dimension_numbers: Sequence[str]) -> tuple[tuple[int, ...], ...]:
    """The orders of axes that bring the operands and the result to batch and features first.

    Parameters
    ----------
    dimension_numbers : triple of str
        As in `conv_dimension_numbers`.

    Returns
    -------
    triple of tuple of int
        Of the left operand, of the right one, and of the result.

    Examples
    --------
    >>> conv_general_permutations(("NHWC", "HWIO", "NHWC"))
    ((0, 3, 1, 2), (3, 2, 0, 1), (0, 3, 1, 2))
    """
    rank = len(dimension_numbers[0])
    return tuple(conv_dimension_numbers((0,) * rank, (0,) * rank, tuple(dimension_numbers)))


def conv_general_shape_tuple(
    lhs_shape: Sequence[int],
    rhs_shape: Sequence[int],
    window_strides: Sequence[int],
    padding: Any,
    dimension_numbers: Sequence[str],
) -> tuple[int, ...]:
    """The shape of a convolution's result, all axes in the order of the dimension numbers.

    Parameters
    ----------
    lhs_shape, rhs_shape : sequence of int
        Of the operands.
    window_strides : sequence of int
        One for each spatial axis.
    padding : str or sequence of pairs of int
        As in `padtype_to_pads`.
    dimension_numbers : triple of str
        As in `conv_dimension_numbers`.

    Examples
    --------
    >>> conv_general_shape_tuple((8, 9, 9, 3), (3, 3, 3, 16), (2, 2), "VALID",
    ...                          ("NHWC", "HWIO", "NHWC"))
    (8, 4, 4, 16)
    """
    left, right, result = conv_general_permutations(dimension_numbers)
    lhs, rhs = _ordered(lhs_shape, left), _ordered(rhs_shape, right)
    return _unordered(conv_shape_tuple(lhs, rhs, window_strides, padding), result)


def conv_transpose_shape_tuple(
    lhs_shape: Sequence[int],
    rhs_shape: Sequence[int],
    window_strides: Sequence[int],
    padding: Any,
    dimension_numbers: Sequence[str],
) -> tuple[int, ...]:
    """The shape of a transposed convolution's result, axes in the order of the dimension numbers.

    Parameters
    ----------
    lhs_shape, rhs_shape : sequence of int
        Of the operands.
    window_strides : sequence of int
        Of the convolution whose shape it undoes.
    padding : str or sequence of pairs of int
        "SAME", "VALID", or paddings of the dilated image.
    dimension_numbers : triple of str
        As in `conv_dimension_numbers`.

    Examples
    --------
    >>> conv_transpose_shape_tuple((8, 4, 4, 3), (3, 3, 3, 16), (2, 2), "VALID",
    ...                            ("NHWC", "HWIO", "NHWC"))
    (8, 9, 9, 16)
    """
    left, right, result = conv_general_permutations(dimension_numbers)
    lhs, rhs = _ordered(lhs_shape, left), _ordered(rhs_shape, right)
    if isinstance(padding, str):
        pairs = zip(rhs[2:], window_strides, strict=True)
        padding = [conv_transpose_padding(k, s, padding) for k, s in pairs]
    holes = [dilated(n, s) for n, s in zip(lhs[2:], window_strides, strict=True)]
    ones = (1,) * len(holes)
    return _unordered(conv_shape_tuple((*lhs[:2], *holes), rhs, ones, padding), result)


def _ordered(shape: Sequence[int], axes: Sequence[int]) -> list[int]:
    return [shape[k] for k in axes]


def _unordered(shape: Sequence[int], axes: Sequence[int]) -> tuple[int, ...]:
    return tuple([n for _, n in sorted(zip(axes, shape, strict=True))])


def conv_transpose_padding(k: int, s: int, padding: str) -> tuple[int, int]:
    """The padding that makes a transposed convolution undo the shape of one with "SAME" or "VALID".

    Parameters
    ----------
    k, s : int
        Window (as dilated) and stride of the convolution that is undone.
    padding : str
        "SAME" or "VALID".
    """
    if padding == "SAME":
        total = k + s - 2
        before = k - 1 if s > k - 1 else math.ceil(total / 2)
    elif padding == "VALID":
        total = k + s - 2 + max(k - s, 0)
        before = k - 1
    else:
        raise ArgumentValueError(
            f"conv_transpose: padding must be 'SAME', 'VALID' or pairs, got {padding!r}."
        )
    return before, total - before
