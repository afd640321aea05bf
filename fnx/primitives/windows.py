"""Reductions over sliding windows: sum, max, min, and the derivatives of max and min.

The adjoint of a sum over windows is again one, with strides and base dilation exchanged.  The
derivative of a max is `select_and_gather_add` (the tangent at each window's winner), whose adjoint
is `select_and_scatter_add`; these two are each other's transposes, so every order of derivative is
here.  The winner is the first of equals, or the first NaN; padding never wins.  Shapes are worked
out in `window_shapes`; NumPy's part is in `windows_evaluate`, the element rules in
`windows_element`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from fnx.core.lowering import Element, Kernel
from fnx.core.primitive import Primitive, Sample, Zero, quietly
from fnx.core.types import ShapedArray, tangent_type
from fnx.errors import ArgumentTypeError, ArgumentValueError
from fnx.kernels.registry import run as run_kernel
from fnx.primitives.families import NUMBER, check_equal, check_kinds, linear
from fnx.primitives.reductions import extreme
from fnx.primitives.samplers import DTYPES, arrays
from fnx.primitives.shaping import move_axis, new_axis
from fnx.primitives.window_shapes import adjoint_padding, dilated, padtype_to_pads, window_extents
from fnx.primitives.windows_element import (
    gather_element,
    scatter_element,
    window_reduction_element,
)
from fnx.primitives.windows_evaluate import (
    evaluate_gather,
    evaluate_scatter,
    evaluate_window_reduction,
)

__all__ = [
    "reduce_window_max",
    "reduce_window_max_p",
    "reduce_window_min",
    "reduce_window_min_p",
    "reduce_window_sum",
    "reduce_window_sum_p",
    "select_and_gather_add",
    "select_and_gather_add_p",
    "select_and_scatter_add",
    "select_and_scatter_add_element",
    "select_and_scatter_add_p",
]

Pads = tuple[tuple[int, int], ...]


# ----------------------------------------------------------------------------------- types and vmap


def _window_type(
    name: str,
    x: ShapedArray,
    window_dimensions: tuple[int, ...],
    window_strides: tuple[int, ...],
    padding: Pads,
    base_dilation: tuple[int, ...],
    window_dilation: tuple[int, ...],
) -> tuple[int, ...]:
    for what, given in (
        ("window_dimensions", window_dimensions),
        ("window_strides", window_strides),
        ("padding", padding),
        ("base_dilation", base_dilation),
        ("window_dilation", window_dilation),
    ):
        if len(given) != x.ndim:
            raise ArgumentValueError(
                f"{name}: {what}={given} has {len(given)} entries, {x!r} has {x.ndim} axes. "
                "Give one for each axis; 1 (or no padding) for axes that aren't windowed."
            )
        if what != "padding" and any(n < 1 for n in given):  # type: ignore[operator]
            raise ArgumentValueError(f"{name}: {what}={given} must be at least 1 each.")
    return window_extents(
        x.shape, window_dimensions, window_strides, padding, base_dilation, window_dilation
    )


def _shifted(dim: int, params: dict[str, Any]) -> dict[str, Any]:
    """The parameters with a window of size 1 along a new axis."""
    changed = dict(params)
    for name, value in params.items():
        if isinstance(value, tuple):
            entry = (0, 0) if name == "padding" else 1
            changed[name] = (*value[:dim], entry, *value[dim:])
    return changed


def _one_vmap(primitive_of: Any) -> Any:
    def vmap(size: int, args: Sequence[Any], dims: Sequence[Any], **params: Any) -> tuple[Any, int]:
        return primitive_of()(args[0], **_shifted(dims[0], params)), dims[0]

    return vmap


def _two_vmap(primitive_of: Any) -> Any:
    def vmap(size: int, args: Sequence[Any], dims: Sequence[Any], **params: Any) -> tuple[Any, int]:
        first, second = [
            new_axis(a, 0, size) if d is None else move_axis(a, d, 0)
            for a, d in zip(args, dims, strict=True)
        ]
        return primitive_of()(first, second, **_shifted(0, params)), 0

    return vmap


# ---------------------------------------------------------------------------------------------- sum


def _sum_transpose(
    ct: Any,
    x: Any,
    *,
    window_dimensions: tuple[int, ...],
    window_strides: tuple[int, ...],
    padding: Pads,
    base_dilation: tuple[int, ...],
    window_dilation: tuple[int, ...],
) -> list[Any]:
    pads = tuple(
        adjoint_padding(n, k, out, stride, low, base, spacing)
        for n, k, out, stride, (low, _), base, spacing in zip(
            x.shape, window_dimensions, ct.shape, window_strides, padding, base_dilation,
            window_dilation, strict=True,
        )
    )  # fmt: skip
    pulled = reduce_window_sum_p(
        ct,
        window_dimensions=window_dimensions,
        window_strides=base_dilation,
        padding=pads,
        base_dilation=window_strides,
        window_dilation=window_dilation,
    )
    return [pulled]


def _infer_window(name: str, accepts: str) -> Any:
    def infer(x: ShapedArray, **params: Any) -> ShapedArray:
        check_kinds(name, accepts, [x])
        return ShapedArray(_window_type(name, x, **params), x.dtype, x.weak_type)

    return infer


def _cases() -> Iterator[tuple[tuple[int, ...], dict[str, Any]]]:
    for shape, window, strides, padding, base, spacing in (
        ((), (), (), (), (), ()),
        ((5,), (2,), (1,), ((0, 0),), (1,), (1,)),
        ((6,), (3,), (2,), ((1, 2),), (1,), (1,)),
        ((6,), (2,), (2,), ((-1, 0),), (1,), (2,)),
        ((4,), (3,), (1,), ((1, 1),), (2,), (1,)),
        ((3,), (2,), (2,), ((2, 3),), (3,), (2,)),
        ((2, 4, 6), (1, 2, 3), (1, 2, 3), ((0, 0),) * 3, (1,) * 3, (1,) * 3),
        (
            (1, 5, 4, 2),
            (1, 3, 2, 1),
            (1, 2, 1, 1),
            ((0, 0), (1, 1), (0, 1), (0, 0)),
            (1,) * 4,
            (1,) * 4,
        ),
        ((1, 1), (1, 2), (1, 1), ((0, 0), (1, 1)), (1, 1), (1, 1)),
        ((2, 0), (1, 2), (1, 1), ((0, 0), (1, 1)), (1, 1), (1, 1)),
        ((3,), (5,), (1,), ((0, 0),), (1,), (1,)),
    ):
        yield (
            shape,
            {
                "window_dimensions": window,
                "window_strides": strides,
                "padding": padding,
                "base_dilation": base,
                "window_dilation": spacing,
            },
        )


def _window_samples(accepts: str, linear_in: tuple[int, ...] = ()) -> Any:
    def sample(rng: np.random.Generator) -> Iterator[Sample]:
        cases = list(_cases())
        for shape, params in cases:
            # A max over no elements is infinite: finite differences say nothing there.
            smooth = bool(linear_in) or _no_window_empty(shape, params)
            yield Sample((arrays(rng, shape, np.float64),), params, linear_in, smooth)
        for dtype in [d for kind in accepts for d in DTYPES[kind] if d is not np.float64]:
            for shape, params in (cases[2], cases[7]):
                yield Sample((arrays(rng, shape, dtype),), params, linear_in)
        yield Sample((arrays(rng, (2, 4, 6), np.float64, strided=True),), cases[6][1], linear_in)

    return sample


def _no_window_empty(shape: tuple[int, ...], params: dict[str, Any]) -> bool:
    return bool(np.all(evaluate_window_reduction(np.add, np.ones(shape), 0, **params) > 0))


reduce_window_sum_p: Primitive = linear(
    "reduce_window_sum",
    infer=_infer_window("reduce_window_sum", NUMBER),
    evaluate=lambda x, **params: evaluate_window_reduction(np.add, x, 0, **params),
    transpose=_sum_transpose,
    vmap=_one_vmap(lambda: reduce_window_sum_p),
    lower=window_reduction_element("add"),
    sample=_window_samples(NUMBER, (0,)),
)


# ----------------------------------------------------------------------------------------- max, min


def _extreme_primitive(name: str, ufunc: np.ufunc, select_prim: str) -> Primitive:
    def pulled(term: Any, x: Any, params: dict[str, Any]) -> Any:
        return select_and_gather_add_p(term, x, select_prim=select_prim, **params)

    def jvp(primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> Any:
        # The tangent at the winner: near x, where winners don't change, the function is linear.
        (x,), (dx,) = primals, tangents
        out = primitive(x, **params)
        return out, Zero(tangent_type(out.aval)) if type(dx) is Zero else pulled(dx, x, params)

    def jet(primals: Sequence[Any], series: Sequence[Any], **params: Any) -> Any:
        (x,), (terms,) = primals, series
        out = primitive(x, **params)
        zero = Zero(tangent_type(out.aval))
        return out, [zero if type(c) is Zero else pulled(c, x, params) for c in terms]

    lowest = select_prim == "ge"
    primitive: Primitive = Primitive(
        name,
        infer=_infer_window(name, "biuf"),
        evaluate=lambda x, **params: evaluate_window_reduction(
            ufunc, x, extreme(x.dtype, lowest), **params
        ),
        jvp=jvp,
        vmap=_one_vmap(lambda: primitive),
        jet=jet,
        lower=window_reduction_element("max" if lowest else "min"),
        sample=_window_samples("fiub"),
    )
    return primitive


reduce_window_max_p = _extreme_primitive("reduce_window_max", np.maximum, "ge")
reduce_window_min_p = _extreme_primitive("reduce_window_min", np.minimum, "le")


# ----------------------------------------------------------------------- select and gather, scatter


def _gather_infer(
    tangents: ShapedArray, operand: ShapedArray, *, select_prim: str, **params: Any
) -> ShapedArray:
    name = "select_and_gather_add"
    check_kinds(name, "iuf", [operand])
    check_equal(name, [tangents.update(dtype=operand.dtype), operand])
    _check_select(name, select_prim)
    return ShapedArray(_window_type(name, operand, **params), tangents.dtype, tangents.weak_type)


def _scatter_infer(
    source: ShapedArray, operand: ShapedArray, *, select_prim: str, **params: Any
) -> ShapedArray:
    name = "select_and_scatter_add"
    check_kinds(name, "iuf", [operand])
    _check_select(name, select_prim)
    expected = _window_type(name, operand, **params)
    if source.shape != expected:
        raise ArgumentTypeError(
            f"{name}: {operand!r} has windows of shape {expected}, but the source is {source!r}"
            f". Give one value for each window."
        )
    return ShapedArray(operand.shape, source.dtype, source.weak_type)


def _check_select(name: str, select_prim: str) -> None:
    if select_prim not in ("ge", "le"):
        raise ArgumentValueError(
            f"{name}: select_prim must be 'ge' (greatest) or 'le' (least), got {select_prim!r}."
        )


def _pair_samples(scatter: bool) -> Any:
    def sample(rng: np.random.Generator) -> Iterator[Sample]:
        for shape, params in _cases():
            aval = ShapedArray(shape, np.dtype(np.float64))
            first = _window_type("sample", aval, **params) if scatter else shape
            for select_prim in ("ge", "le"):
                args = (arrays(rng, first, np.float64), arrays(rng, shape, np.float64))
                yield Sample(args, {**params, "select_prim": select_prim}, (0,))
            small = DTYPES["f"][3]
            for dtype, other in (
                (np.float32, np.float32),
                (np.float16, np.float16),
                (small, small),
                (np.float64, np.int32),
            ):
                if shape == (6,):
                    args = (arrays(rng, first, dtype), arrays(rng, shape, other))
                    yield Sample(args, {**params, "select_prim": "ge"}, (0,), smooth=False)

    return sample


select_and_gather_add_p: Primitive = linear(
    "select_and_gather_add",
    linear_in=(0,),
    infer=_gather_infer,
    evaluate=evaluate_gather,
    transpose=lambda ct, tangents, operand, **params: [
        select_and_scatter_add_p(ct, operand, **params),
        None,
    ],
    vmap=_two_vmap(lambda: select_and_gather_add_p),
    lower=Element(gather_element, "reduce"),
    sample=_pair_samples(False),
)

#: Elements of all windows from which the native kernel is worth its call: it's some three times
#: quicker than NumPy's passes over the elements of a window.
NATIVE_FROM = 100_000
MOST_WINDOWED, MOST_AXES = 4, 6  # what it takes
_PLACES = (
    "window_dimensions", "window_strides", "padding", "base_dilation", "window_dilation",
)  # fmt: skip


def _scatter_work(source: ShapedArray, operand: ShapedArray, **params: Any) -> int:
    return source.size * math.prod(params["window_dimensions"])


def _native_scatter(source: Any, operand: Any, **params: Any) -> Any:
    columns = zip(*[params[name] for name in _PLACES], strict=True)
    windowed = sum(column != (1, 1, (0, 0), 1, 1) for column in columns)
    if source.dtype.kind != "f" or windowed > MOST_WINDOWED or source.ndim > MOST_AXES:
        return quietly(evaluate_scatter, source, operand, **params)
    operands = (np.ascontiguousarray(source), np.ascontiguousarray(operand))
    result = (operand.shape, source.dtype)
    return run_kernel("select_and_scatter_add", operands, [result], params)[0]


select_and_scatter_add_p: Primitive = linear(
    "select_and_scatter_add",
    linear_in=(0,),
    infer=_scatter_infer,
    evaluate=evaluate_scatter,
    transpose=lambda ct, source, operand, **params: [
        select_and_gather_add_p(ct, operand, **params),
        None,
    ],
    vmap=_two_vmap(lambda: select_and_scatter_add_p),
    lower=Kernel("select_and_scatter_add"),
    work=_scatter_work,
    native=_native_scatter,
    native_from=NATIVE_FROM,
    sample=_pair_samples(True),
)

#: The same without a kernel: each element looks for the windows that it wins (slower, by the size
#: of a window).
select_and_scatter_add_element = Element(scatter_element, "reduce")


# ---------------------------------------------------------------------------------------- functions


def window_params(
    operand: Any,
    window_dimensions: Sequence[int],
    window_strides: Sequence[int] | None,
    padding: Any,
    base_dilation: Sequence[int] | None,
    window_dilation: Sequence[int] | None,
) -> dict[str, Any]:
    """The parameters of a window primitive from what users write; None is 1 everywhere."""
    ones = (1,) * operand.ndim
    strides = ones if window_strides is None else tuple(window_strides)
    base = ones if base_dilation is None else tuple(base_dilation)
    spacing = ones if window_dilation is None else tuple(window_dilation)
    if isinstance(padding, str):
        extents = [dilated(n, d) for n, d in zip(operand.shape, base)]
        window = [dilated(k, d) for k, d in zip(window_dimensions, spacing)]
        padding = padtype_to_pads(extents, window, strides, padding)
    return {
        "window_dimensions": tuple(window_dimensions),
        "window_strides": strides,
        "padding": tuple((int(low), int(high)) for low, high in padding),
        "base_dilation": base,
        "window_dilation": spacing,
    }


def reduce_window_sum(
    operand: Any,
    window_dimensions: Sequence[int],
    window_strides: Sequence[int] | None = None,
    padding: Any = "VALID",
    base_dilation: Sequence[int] | None = None,
    window_dilation: Sequence[int] | None = None,
) -> Any:
    """The sum over each window; padding counts as 0.

    Parameters
    ----------
    operand : Array
        Of numbers.
    window_dimensions : sequence of int
        The window's extent along each axis.
    window_strides, base_dilation, window_dilation : sequence of int, optional
        Steps between windows, and distances between neighbours of the operand and of the window; 1
        by default.
    padding : str or sequence of pairs of int
        "SAME", "SAME_LOWER", "VALID", or numbers for each axis.
    """
    params = window_params(
        operand, window_dimensions, window_strides, padding, base_dilation, window_dilation
    )
    return reduce_window_sum_p(operand, **params)


def reduce_window_max(
    operand: Any,
    window_dimensions: Sequence[int],
    window_strides: Sequence[int] | None = None,
    padding: Any = "VALID",
    base_dilation: Sequence[int] | None = None,
    window_dilation: Sequence[int] | None = None,
) -> Any:
    """The greatest element of each window; NaN if there is one; padding never is.

    Parameters
    ----------
    operand : Array
        Of booleans or real numbers.
    window_dimensions, window_strides, padding, base_dilation, window_dilation
        As for `reduce_window_sum`.
    """
    params = window_params(
        operand, window_dimensions, window_strides, padding, base_dilation, window_dilation
    )
    return reduce_window_max_p(operand, **params)


def reduce_window_min(
    operand: Any,
    window_dimensions: Sequence[int],
    window_strides: Sequence[int] | None = None,
    padding: Any = "VALID",
    base_dilation: Sequence[int] | None = None,
    window_dilation: Sequence[int] | None = None,
) -> Any:
    """The least element of each window; NaN if there is one; padding never is.

    Parameters
    ----------
    operand : Array
        Of booleans or real numbers.
    window_dimensions, window_strides, padding, base_dilation, window_dilation
        As for `reduce_window_sum`.
    """
    params = window_params(
        operand, window_dimensions, window_strides, padding, base_dilation, window_dilation
    )
    return reduce_window_min_p(operand, **params)


def select_and_gather_add(
    tangents: Any,
    operand: Any,
    select_prim: str,
    window_dimensions: Sequence[int],
    window_strides: Sequence[int] | None = None,
    padding: Any = "VALID",
    base_dilation: Sequence[int] | None = None,
    window_dilation: Sequence[int] | None = None,
) -> Any:
    """For each window, the element of `tangents` where `operand` is greatest, or least.

    Parameters
    ----------
    tangents, operand : Array
        Of one shape.
    select_prim : str
        "ge": greatest, "le": least.
    window_dimensions, window_strides, padding, base_dilation, window_dilation
        As for `reduce_window_sum`.
    """
    params = window_params(
        operand, window_dimensions, window_strides, padding, base_dilation, window_dilation
    )
    return select_and_gather_add_p(tangents, operand, select_prim=select_prim, **params)


def select_and_scatter_add(
    source: Any,
    operand: Any,
    select_prim: str,
    window_dimensions: Sequence[int],
    window_strides: Sequence[int] | None = None,
    padding: Any = "VALID",
    base_dilation: Sequence[int] | None = None,
    window_dilation: Sequence[int] | None = None,
) -> Any:
    """Each window's value of `source`, added where `operand` is greatest, or least, in it.

    Parameters
    ----------
    source : Array
        A value for each window.
    operand : Array
        Of real numbers.
    select_prim : str
        "ge": greatest, "le": least.
    window_dimensions, window_strides, padding, base_dilation, window_dilation
        As for `reduce_window_sum`.
    """
    params = window_params(
        operand, window_dimensions, window_strides, padding, base_dilation, window_dilation
    )
    return select_and_scatter_add_p(source, operand, select_prim=select_prim, **params)
