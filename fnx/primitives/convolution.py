"""`conv_general_dilated`: convolution with strides, padding, dilations and groups.

Both of its transposes are convolutions again, with dilation and stride exchanged, so one primitive
serves every order of derivative.  The compiler calls the kernel "conv_general_dilated".  Shapes are
worked out in `window_shapes`. Read next: `convolution_forms`, `windows`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from fnx.core.lowering import Kernel
from fnx.core.primitive import Linear, Primitive, Sample, quietly
from fnx.core.types import ShapedArray
from fnx.dtypes import kind_of
from fnx.errors import ArgumentTypeError, ArgumentValueError, ShapeError
from fnx.kernels.registry import run as run_kernel
from fnx.primitives.contraction import canonical_precision, result_dtype
from fnx.primitives.convolution_evaluate import evaluate_convolution
from fnx.primitives.families import ALL, bilinear, check_kinds
from fnx.primitives.samplers import DTYPES, arrays
from fnx.primitives.shaping import move_axis, reshape, rev
from fnx.primitives.window_shapes import (
    ConvDimensionNumbers,
    adjoint_padding,
    conv_dimension_numbers,
    dilated,
    padtype_to_pads,
    window_extents,
)

__all__ = [
    "conv_general_dilated",
    "conv_general_dilated_p",
    "conv_parameters",
]


# -------------------------------------------------------------------------------------------- infer


def _infer(
    x: ShapedArray,
    w: ShapedArray,
    *,
    window_strides: tuple[int, ...],
    padding: tuple[tuple[int, int], ...],
    lhs_dilation: tuple[int, ...],
    rhs_dilation: tuple[int, ...],
    dimension_numbers: ConvDimensionNumbers,
    feature_group_count: int,
    batch_group_count: int,
    precision: Any,
    preferred_element_type: Any,
) -> ShapedArray:
    name = "conv_general_dilated"
    check_kinds(name, ALL, (x, w))
    lhs_spec, rhs_spec, out_spec = dimension_numbers
    spatial = x.ndim - 2
    if x.ndim != w.ndim or x.ndim < 2 or any(len(s) != x.ndim for s in dimension_numbers):
        raise ArgumentTypeError(
            f"{name}: operands and dimension numbers must have as many axes, at least 2; got "
            f"{x!r}, {w!r} and {dimension_numbers}."
        )
    for what, given in (
        ("window_strides", window_strides),
        ("padding", padding),
        ("lhs_dilation", lhs_dilation),
        ("rhs_dilation", rhs_dilation),
    ):
        if len(given) != spatial:
            raise ArgumentTypeError(
                f"{name}: {what}={given} has {len(given)} entries for {spatial} spatial axes of "
                f"{x!r}. Give one for each."
            )
        if what != "padding" and any(n < 1 for n in given):  # type: ignore[operator]
            raise ArgumentTypeError(f"{name}: {what}={given} must be at least 1 each.")
    batch, features = x.shape[lhs_spec[0]], x.shape[lhs_spec[1]]
    out_features, in_features = w.shape[rhs_spec[0]], w.shape[rhs_spec[1]]
    if feature_group_count < 1 or batch_group_count < 1:
        raise ArgumentValueError(
            f"{name}: group counts must be at least 1, got "
            f"feature_group_count={feature_group_count}, batch_group_count={batch_group_count}."
        )
    if feature_group_count > 1 and batch_group_count > 1:
        raise ArgumentValueError(
            f"{name}: only one of feature_group_count={feature_group_count} and "
            f"batch_group_count={batch_group_count} may exceed 1."
        )
    if features != in_features * feature_group_count:
        raise ShapeError(
            f"{name}: {x!r} has {features} features, but {w!r} takes {in_features} in each of "
            f"{feature_group_count} groups. Check dimension_numbers={dimension_numbers}."
        )
    for what, size, groups in (
        ("output features", out_features, feature_group_count),
        ("output features", out_features, batch_group_count),
        ("batch", batch, batch_group_count),
    ):
        if size % groups:
            raise ArgumentValueError(
                f"{name}: {size} {what} can't be divided into {groups} groups."
            )
    extents = window_extents(
        [x.shape[k] for k in lhs_spec[2:]],
        [w.shape[k] for k in rhs_spec[2:]],
        window_strides,
        padding,
        lhs_dilation,
        rhs_dilation,
    )
    shape = [0] * x.ndim
    for axis, n in zip(out_spec, (batch // batch_group_count, out_features, *extents), strict=True):
        shape[axis] = n
    if x.dtype != w.dtype and preferred_element_type is None:
        raise ArgumentTypeError(
            f"{name}: dtypes must be equal, got {x!r} and {w!r}. Convert one of them "
            "(`lax.convert_element_type`), or give preferred_element_type."
        )
    dtype = result_dtype(name, x.dtype, w.dtype, preferred_element_type)
    return ShapedArray(tuple(shape), dtype, x.weak_type and w.weak_type)


# ---------------------------------------------------------------------------------------- transpose


def _transpose(ct: Any, x: Any, w: Any, **params: Any) -> list[Any]:
    if type(x) is Linear:
        return [_pull_left(ct, x, w, **params), None]
    return [None, _pull_right(ct, x, w, **params)]


def _pull_left(
    ct: Any,
    x: Any,
    w: Any,
    *,
    window_strides: tuple[int, ...],
    padding: tuple[tuple[int, int], ...],
    lhs_dilation: tuple[int, ...],
    rhs_dilation: tuple[int, ...],
    dimension_numbers: ConvDimensionNumbers,
    feature_group_count: int,
    batch_group_count: int,
    precision: Any,
    preferred_element_type: Any,
) -> Any:
    # y[n, o, p] = sum x[n, i, q] w[o, i, k] over p * stride + k * spacing - low = q * base: the
    # cotangent of x is a convolution of ct with the reversed window, in and out features exchanged
    # within each group.
    lhs_spec, rhs_spec, out_spec = dimension_numbers
    pads = _adjoint_paddings(
        ct, x, w, window_strides, padding, lhs_dilation, rhs_dilation, dimension_numbers
    )
    groups = max(feature_group_count, batch_group_count)
    w = rev(w, rhs_spec[2:])
    if groups > 1:  # (groups * o, i) to (o, groups * i)
        w = _merge(_split(w, rhs_spec[0], groups), rhs_spec[0], rhs_spec[1])
    out = conv_general_dilated_p(
        ct,
        w,
        window_strides=lhs_dilation,
        padding=pads,
        lhs_dilation=window_strides,
        rhs_dilation=rhs_dilation,
        dimension_numbers=ConvDimensionNumbers(out_spec, _swapped(rhs_spec), lhs_spec),
        feature_group_count=groups,
        batch_group_count=1,
        precision=precision,
        preferred_element_type=_preferred(ct, w, x),
    )
    if batch_group_count > 1:  # the groups go back from the features to the batch
        out = _merge(_split(out, lhs_spec[1], groups), lhs_spec[1], lhs_spec[0])
    return out


def _pull_right(
    ct: Any,
    x: Any,
    w: Any,
    *,
    window_strides: tuple[int, ...],
    padding: tuple[tuple[int, int], ...],
    lhs_dilation: tuple[int, ...],
    rhs_dilation: tuple[int, ...],
    dimension_numbers: ConvDimensionNumbers,
    feature_group_count: int,
    batch_group_count: int,
    precision: Any,
    preferred_element_type: Any,
) -> Any:
    # The cotangent of w[o, i, k] is the sum over n and p of ct[n, o, p] x[n, i, p * stride + k *
    # spacing - low]: a convolution in which the batch is what's summed over, and ct the window,
    # dilated by the stride.
    lhs_spec, rhs_spec, out_spec = dimension_numbers
    pads = []
    for k, (low, _) in enumerate(padding):
        n, size = x.shape[lhs_spec[2 + k]], w.shape[rhs_spec[2 + k]]
        out_size = ct.shape[out_spec[2 + k]]
        span = dilated(size, rhs_dilation[k]) - 1 + dilated(out_size, window_strides[k])
        pads.append((low, span - dilated(n, lhs_dilation[k]) - low))
    return conv_general_dilated_p(
        x,
        ct,
        window_strides=rhs_dilation,
        padding=tuple(pads),
        lhs_dilation=lhs_dilation,
        rhs_dilation=window_strides,
        dimension_numbers=ConvDimensionNumbers(
            _swapped(lhs_spec), _swapped(out_spec), _swapped(rhs_spec)
        ),
        feature_group_count=batch_group_count,
        batch_group_count=feature_group_count,
        precision=precision,
        preferred_element_type=_preferred(ct, x, w),
    )


def _adjoint_paddings(
    ct: Any,
    x: Any,
    w: Any,
    window_strides: tuple[int, ...],
    padding: tuple[tuple[int, int], ...],
    lhs_dilation: tuple[int, ...],
    rhs_dilation: tuple[int, ...],
    dimension_numbers: ConvDimensionNumbers,
) -> tuple[tuple[int, int], ...]:
    lhs_spec, rhs_spec, out_spec = dimension_numbers
    return tuple(
        adjoint_padding(
            x.shape[lhs_spec[2 + k]],
            w.shape[rhs_spec[2 + k]],
            ct.shape[out_spec[2 + k]],
            window_strides[k],
            low,
            lhs_dilation[k],
            rhs_dilation[k],
        )
        for k, (low, _) in enumerate(padding)
    )


def _swapped(spec: tuple[int, ...]) -> tuple[int, ...]:
    return (spec[1], spec[0], *spec[2:])


def _preferred(ct: Any, other: Any, target: Any) -> np.dtype[Any] | None:
    return None if ct.dtype == other.dtype == target.dtype else target.dtype


def _split(x: Any, axis: int, parts: int) -> Any:
    """An axis as two, the first of size `parts`."""
    shape = x.shape
    return reshape(x, (*shape[:axis], parts, shape[axis] // parts, *shape[axis + 1 :]))


def _merge(x: Any, source: int, target: int) -> Any:
    """One axis joined, as the outer one, to the axis that is at `target` once it's gone."""
    x = move_axis(x, source, target)
    shape = x.shape
    joined = shape[target] * shape[target + 1]
    return reshape(x, (*shape[:target], joined, *shape[target + 2 :]))


# --------------------------------------------------------------------------------------------- vmap


def _vmap(
    size: int,
    args: Sequence[Any],
    dims: Sequence[Any],
    *,
    dimension_numbers: ConvDimensionNumbers,
    feature_group_count: int,
    batch_group_count: int,
    **params: Any,
) -> tuple[Any, int]:
    x, w = args
    dx, dw = dims
    lhs_spec, rhs_spec, out_spec = dimension_numbers
    groups = max(feature_group_count, batch_group_count)
    out_axis, inner = out_spec[1], 1
    if dx is not None and dw is not None:
        # Examples don't mix: each is one more group, of the batch if that's grouped already, else
        # of features.
        w = _merge(w, dw, rhs_spec[0])
        if batch_group_count > 1:
            x = _merge(x, dx, lhs_spec[0])
            batch_group_count *= size
        else:
            x = _merge(x, dx, lhs_spec[1])
            feature_group_count *= size
    elif dx is not None:
        out_axis = out_spec[0]
        x = _merge_within(x, dx, lhs_spec[0], batch_group_count)
    else:
        inner = groups
        w = _merge_within(w, dw, rhs_spec[0], groups)
    out = conv_general_dilated_p(
        x,
        w,
        dimension_numbers=dimension_numbers,
        feature_group_count=feature_group_count,
        batch_group_count=batch_group_count,
        **params,
    )
    if inner == 1:
        return _split(out, out_axis, size), out_axis
    out = _split(_split(out, out_axis, inner), out_axis + 1, size)  # group, example, feature
    out = move_axis(out, out_axis + 1, out_axis)
    shape = out.shape
    joined = inner * shape[out_axis + 2]
    out = reshape(out, (*shape[: out_axis + 1], joined, *shape[out_axis + 3 :]))
    return out, out_axis


def _merge_within(x: Any, source: int, target: int, groups: int) -> Any:
    """The mapped axis joined to an axis that is made of groups, inside each group."""
    if groups == 1:
        return _merge(x, source, target)
    x = _split(move_axis(x, source, 0), target + 1, groups)
    x = _merge(x, 0, target + 1)  # into the part after the groups
    shape = x.shape
    joined = shape[target] * shape[target + 1]
    return reshape(x, (*shape[:target], joined, *shape[target + 2 :]))


# ------------------------------------------------------------------------------------ the primitive


def _work(
    x: ShapedArray,
    w: ShapedArray,
    *,
    window_strides: tuple[int, ...],
    padding: tuple[tuple[int, int], ...],
    lhs_dilation: tuple[int, ...],
    rhs_dilation: tuple[int, ...],
    dimension_numbers: ConvDimensionNumbers,
    batch_group_count: int,
    **params: Any,
) -> int:
    """Multiply-adds."""
    lhs_spec, rhs_spec, _ = dimension_numbers
    extents = window_extents(
        [x.shape[k] for k in lhs_spec[2:]],
        [w.shape[k] for k in rhs_spec[2:]],
        window_strides,
        padding,
        lhs_dilation,
        rhs_dilation,
    )
    return x.shape[lhs_spec[0]] // batch_group_count * math.prod(extents) * w.size


def _samples(rng: np.random.Generator) -> Iterator[Sample]:
    two: dict[str, Any] = {"window_strides": (1, 1), "padding": ((0, 0), (0, 0))}
    cases: list[tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = [
        ((2, 3), (4, 3), {"window_strides": (), "padding": ()}),
        ((2, 3, 5), (4, 3, 2), {"window_strides": (1,), "padding": ((0, 0),)}),
        (
            (1, 2, 5),
            (2, 2, 3),
            {"window_strides": (2,), "padding": ((1, 2),), "rhs_dilation": (2,)},
        ),
        (
            (1, 2, 4),
            (2, 2, 3),
            {"window_strides": (2,), "padding": ((2, 1),), "lhs_dilation": (3,)},
        ),
        ((1, 1, 6), (1, 1, 2), {"window_strides": (1,), "padding": ((-1, -2),)}),
        ((2, 2, 5, 4), (3, 2, 3, 2), {**two, "padding": ((1, 1), (0, 1))}),
        (
            (2, 2, 5, 6),
            (3, 2, 3, 3),
            {**two, "window_strides": (2, 3), "padding": ((1, 0), (2, 1))},
        ),
        ((2, 4, 4, 4), (6, 2, 2, 2), {**two, "feature_group_count": 2}),
        (
            (1, 3, 4, 4),
            (3, 1, 2, 2),
            {**two, "feature_group_count": 3, "padding": ((1, 0), (0, 1))},
        ),
        ((4, 2, 4, 4), (6, 2, 2, 2), {**two, "batch_group_count": 2, "window_strides": (1, 2)}),
        ((1, 1, 3, 2, 4), (2, 1, 2, 2, 2), {"window_strides": (1,) * 3, "padding": ((0, 0),) * 3}),
        ((0, 2, 4), (3, 2, 2), {"window_strides": (1,), "padding": ((0, 0),)}),
        ((1, 2, 2), (3, 2, 4), {"window_strides": (1,), "padding": ((0, 0),)}),
        ((1, 0, 4), (3, 0, 2), {"window_strides": (1,), "padding": ((0, 0),)}),
    ]
    for left, right, changes in cases:
        args = (arrays(rng, left, np.float64), arrays(rng, right, np.float64))
        for linear_in in ((0,), (1,)):
            yield Sample(args, _complete(len(left), changes), linear_in)
    nhwc = ConvDimensionNumbers((0, 3, 1, 2), (3, 2, 0, 1), (0, 3, 1, 2))
    mixed = ConvDimensionNumbers((3, 0, 2, 1), (1, 3, 0, 2), (2, 3, 1, 0))
    for left, right, numbers in (
        ((2, 5, 4, 3), (3, 2, 3, 4), nhwc),
        ((2, 4, 5, 3), (2, 3, 2, 2), mixed),
    ):
        args = (arrays(rng, left, np.float64), arrays(rng, right, np.float64))
        changes = {**two, "dimension_numbers": numbers, "padding": ((1, 1), (0, 1))}
        for linear_in in ((0,), (1,)):
            yield Sample(args, _complete(4, changes), linear_in)
    for dtype in [d for kind in ALL for d in DTYPES[kind] if d is not np.float64]:
        args = (arrays(rng, (1, 2, 4, 4), dtype), arrays(rng, (2, 2, 2, 2), dtype))
        inexact = kind_of(np.dtype(dtype)) in "fc"
        yield Sample(args, _complete(4, two), (0,) if inexact else ())
    wider = {**two, "preferred_element_type": np.dtype(np.int32)}
    args = (arrays(rng, (1, 2, 4, 4), np.int8), arrays(rng, (2, 2, 2, 2), np.int8))
    yield Sample(args, _complete(4, wider), smooth=False)


def _complete(rank: int, changes: dict[str, Any]) -> dict[str, Any]:
    ones, plain = (1,) * (rank - 2), tuple(range(rank))
    return {
        "lhs_dilation": ones,
        "rhs_dilation": ones,
        "dimension_numbers": ConvDimensionNumbers(plain, plain, plain),
        "feature_group_count": 1,
        "batch_group_count": 1,
        "precision": None,
        "preferred_element_type": None,
        **changes,
    }


#: Multiply-adds from which the native kernel is quicker than gathering windows for BLAS (3x3
#: windows: as quick at 2 million, ten times at 9 million, where what is gathered leaves the cache),
#: and the features that it wants on the left.
NATIVE_FROM = 4_000_000
NATIVE_FEATURES = 8


def _native(x: Any, w: Any, **params: Any) -> Any:
    out = _infer(ShapedArray(x.shape, x.dtype), ShapedArray(w.shape, w.dtype), **params)
    numbers = params["dimension_numbers"]
    single = all(w.shape[k] == 1 for k in numbers.rhs_spec[2:])  # no gathering
    few = x.shape[numbers.lhs_spec[1]] < NATIVE_FEATURES
    if few:  # but not in the gradient of the weights, where these "features" are the batch
        window = math.prod([w.shape[k] for k in numbers.rhs_spec[2:]])
        few = window <= math.prod([out.shape[k] for k in numbers.out_spec[2:]])
    if single or few or out.dtype.kind in "bc":
        return quietly(evaluate_convolution, x, w, **params)
    return run_kernel("conv_general_dilated", (x, w), [(out.shape, out.dtype)], params)[0]


conv_general_dilated_p: Primitive = bilinear(
    "conv_general_dilated",
    infer=_infer,
    evaluate=evaluate_convolution,
    transpose=_transpose,
    vmap=_vmap,
    lower=Kernel("conv_general_dilated"),
    work=_work,
    native=_native,
    native_from=NATIVE_FROM,
    sample=_samples,
)


# ---------------------------------------------------------------------------------------- functions


def conv_general_dilated(
    lhs: Any,
    rhs: Any,
    window_strides: Sequence[int],
    padding: Any,
    lhs_dilation: Sequence[int] | None = None,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: Any = None,
    feature_group_count: int = 1,
    batch_group_count: int = 1,
    precision: Any = None,
    preferred_element_type: Any = None,
) -> Any:
    """Convolution over any number of spatial axes (a correlation: the window isn't reversed).

    Parameters
    ----------
    lhs : Array
        The images: batch, features and spatial axes, in the order of `dimension_numbers`.
    rhs : Array
        The windows: output features, input features of one group, and spatial axes.
    window_strides : sequence of int
        Steps between windows.
    padding : str or sequence of pairs of int
        "SAME", "SAME_LOWER", "VALID", or zeros before and after each spatial axis (negative: cut).
    lhs_dilation, rhs_dilation : sequence of int, optional
        Distances between neighbours of the image (a transposed convolution) and of the window.
    dimension_numbers : triple of str, triple of sequences, ConvDimensionNumbers or None
        Which axis is what; see `conv_dimension_numbers`.
    feature_group_count, batch_group_count : int
        Groups of features, or of the batch, that have windows of their own; one of the two is 1.
    precision : None, str, Precision, or a pair of them
        See `Precision`.
    preferred_element_type : dtype, optional
        Of the result, and of the sums.

    Returns
    -------
    Array
    """
    params = conv_parameters(
        lhs.shape,
        rhs.shape,
        window_strides,
        padding,
        lhs_dilation,
        rhs_dilation,
        dimension_numbers,
        feature_group_count,
        batch_group_count,
        precision,
        preferred_element_type,
    )
    return conv_general_dilated_p(lhs, rhs, **params)


def conv_parameters(
    lhs_shape: Sequence[int],
    rhs_shape: Sequence[int],
    window_strides: Sequence[int],
    padding: Any,
    lhs_dilation: Sequence[int] | None = None,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: Any = None,
    feature_group_count: int = 1,
    batch_group_count: int = 1,
    precision: Any = None,
    preferred_element_type: Any = None,
) -> dict[str, Any]:
    """The parameters of `conv_general_dilated` as the primitive holds them.

    Parameters
    ----------
    lhs_shape, rhs_shape : sequence of int
        Of the operands.
    window_strides, padding, lhs_dilation, rhs_dilation, dimension_numbers, feature_group_count, \
batch_group_count, precision, preferred_element_type
        As users give them.
    """
    numbers = conv_dimension_numbers(lhs_shape, rhs_shape, dimension_numbers)
    ones = (1,) * (len(lhs_shape) - 2)
    lhs_dilation = ones if lhs_dilation is None else tuple(lhs_dilation)
    rhs_dilation = ones if rhs_dilation is None else tuple(rhs_dilation)
    if isinstance(padding, str):
        if lhs_dilation != ones and padding.upper() != "VALID":
            raise ArgumentValueError(
                f"conv_general_dilated: padding={padding!r} says nothing with "
                f"lhs_dilation={lhs_dilation}. "
                "Give the paddings in numbers, or use `conv_transpose`."
            )
        window = [dilated(rhs_shape[k], d) for k, d in zip(numbers.rhs_spec[2:], rhs_dilation)]
        image = [lhs_shape[k] for k in numbers.lhs_spec[2:]]
        padding = padtype_to_pads(image, window, window_strides, padding)
    return {
        "window_strides": tuple(window_strides),
        "padding": tuple((int(low), int(high)) for low, high in padding),
        "lhs_dilation": lhs_dilation,
        "rhs_dilation": rhs_dilation,
        "dimension_numbers": numbers,
        "feature_group_count": feature_group_count,
        "batch_group_count": batch_group_count,
        "precision": canonical_precision(precision),
        "preferred_element_type": (
            None if preferred_element_type is None else np.dtype(preferred_element_type)
        ),
    }
