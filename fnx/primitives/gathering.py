"""Windows of an array at places that are computed: `gather`, and its transpose `scatter_add`.

Every row of the indices names a window of the operand.  ``gather`` collects the windows;
``scatter_add`` adds windows to an array, at places that may coincide.  With indices held fixed
both are linear, and each is the other's transpose.  The axes are those of `gather_numbers`.
The other scatters are in `scattering`; indexing as in NumPy is built on these by `fnx.numpy`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from fnx.core.lowering import Element, Kernel
from fnx.core.primitive import Linear, Primitive, Zero
from fnx.core.types import ShapedArray, tangent_type
from fnx.dtypes import iinfo, kind_of
from fnx.primitives.families import NUMBER, linear
from fnx.primitives.gather_numbers import (
    GatherDimensionNumbers,
    GatherScatterMode,
    Layout,
    ScatterDimensionNumbers,
    counting,
    shifted,
)
from fnx.primitives.gather_samples import gather_samples, scatter_samples
from fnx.primitives.scatter_rules import (
    evaluate_scatter,
    infer_scatter,
    scatter_params,
    scatter_vmap,
    window_of,
)
from fnx.primitives.shaping import inverse, move_axis, zeros
from fnx.primitives.slicing import both

__all__ = [
    "GatherDimensionNumbers",
    "GatherScatterMode",
    "ScatterDimensionNumbers",
    "gather",
    "gather_p",
    "scatter_add",
    "scatter_add_p",
]

Axes = tuple[int, ...]
FILL = GatherScatterMode.FILL_OR_DROP


# ------------------------------------------------------------------------------------ gather


def _gather_infer(
    x: ShapedArray,
    indices: ShapedArray,
    *,
    dimension_numbers: GatherDimensionNumbers,
    slice_sizes: Axes,
    **params: Any,
) -> ShapedArray:
    return _gather_type(x, indices, dimension_numbers, slice_sizes)


@lru_cache(maxsize=1024)
def _gather_type(
    x: ShapedArray, indices: ShapedArray, numbers: GatherDimensionNumbers, slice_sizes: Axes
) -> ShapedArray:
    layout = Layout.of("gather", numbers)
    rank = len(layout.window_dims) + indices.ndim - 1
    layout.check(x, indices, rank)
    if len(slice_sizes) != x.ndim:
        layout.fail(f"{x!r} has {x.ndim} axes, slice_sizes has {len(slice_sizes)}: {slice_sizes}.")
    for axis, (n, size) in enumerate(zip(x.shape, slice_sizes, strict=True)):
        if (axis in layout.missing or axis in layout.batching) and size != 1:
            layout.fail(
                f"slice_sizes[{axis}] is {size}, but windows have no axis for axis {axis} of "
                f"{x!r}; it must be 1."
            )
        if not 0 <= size <= n and axis not in layout.batching:
            layout.fail(
                f"slice_sizes[{axis}] is {size}, but axis {axis} of {x!r} has {n} elements. A "
                "window must fit."
            )
    window = iter([slice_sizes[k] for k in layout.window_axes(x.ndim)])
    batch = iter(indices.shape[:-1])
    shape = [next(window) if k in layout.window_dims else next(batch) for k in range(rank)]
    return ShapedArray(tuple(shape), x.dtype, x.weak_type)


class _Way:
    """How NumPy gathers for some dimension numbers and shapes: all that does not depend on data.

    The operand's axes along which the place of windows changes (`moving`) are indexed by arrays,
    of which those of `wide` run through the window; along the others, windows start at 0.
    """

    def __init__(
        self, numbers: GatherDimensionNumbers, shape: Axes, batch: Axes, sizes: Axes
    ) -> None:
        self.layout = layout = Layout.of("gather", numbers)
        axes = layout.window_axes(len(shape))
        known = {k: n for n, k in enumerate(layout.coordinates)}
        self.moving = [
            k
            for k in range(len(shape))
            if k in layout.batching or (k in known and sizes[k] != shape[k])
        ]
        still = [k for k in range(len(shape)) if k not in self.moving]
        wide = [k for k in self.moving if sizes[k] != 1]
        self.sources = [known.get(k) for k in self.moving]  # which coordinate; None: batching
        self.tail = (1,) * len(wide)
        self.inner = [
            counting(sizes[k], wide.index(k), len(wide)) if k in wide else None for k in self.moving
        ]
        self.lanes = [
            counting(batch[own], own, len(batch))
            for own in [
                layout.batching_axis(k) if k in layout.batching else None for k in self.moving
            ]
            if own is not None
        ]
        self.order = [*self.moving, *still]
        self.rest = tuple([slice(0, sizes[k]) for k in still])
        # Into the order of the operand's axes; those of size 1 appear and vanish by a reshape.
        self.given = batch + tuple([sizes[k] for k in [*wide, *still]])
        places = sorted(range(len(wide) + len(still)), key=[*wide, *still].__getitem__)
        self.sorting = [*range(len(batch)), *[len(batch) + k for k in places]]
        self.windows = batch + tuple([sizes[k] for k in axes])
        rank = len(layout.window_dims) + len(batch)
        self.placing = inverse([*layout.batch_axes(rank), *layout.window_dims])
        self.mask = batch + (1,) * len(axes)


_way = lru_cache(maxsize=1024)(_Way)


def _gather_evaluate(
    x: np.ndarray[Any, Any],
    indices: np.ndarray[Any, Any],
    *,
    dimension_numbers: GatherDimensionNumbers,
    slice_sizes: Axes,
    mode: GatherScatterMode,
    fill_value: Any,
    **params: Any,
) -> np.ndarray[Any, Any]:
    way = _way(dimension_numbers, x.shape, indices.shape[:-1], slice_sizes)
    starts, valid = way.layout.starts(indices, x.shape, slice_sizes, mode)
    lanes = iter(way.lanes)
    index: list[Any] = []
    for source, inner in zip(way.sources, way.inner, strict=True):
        start = next(lanes) if source is None else starts[source]
        place = start.reshape(start.shape + way.tail) if way.tail else start
        index.append(place if inner is None else place + inner)
    result = x.transpose(way.order)[(*index, *way.rest)]
    if result.shape != way.given:  # nothing moves, or only lanes do
        result = np.broadcast_to(result, way.given)
    result = result.transpose(way.sorting).reshape(way.windows)
    if valid is not None:
        filling = np.asarray(fill_value).astype(x.dtype)
        result = np.where(valid.reshape(way.mask), result, filling)
    return np.asarray(result.transpose(way.placing), order="C")  # also of no axes


def _gather_jvp(primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> Any:
    (x, indices), (dx, _) = primals, tangents
    out = gather_p(x, indices, **params)
    aval = tangent_type(out.aval)
    if type(dx) is Zero or aval.dtype != out.aval.dtype:
        return out, Zero(aval)
    return out, gather_p(dx, indices, **{**params, "fill_value": 0})  # the filling is constant


def _gather_jet(primals: Sequence[Any], series: Sequence[Any], **params: Any) -> Any:
    x, indices = primals
    out = gather_p(x, indices, **params)
    linear_params = {**params, "fill_value": 0}
    return out, [
        Zero(tangent_type(out.aval)) if type(c) is Zero else gather_p(c, indices, **linear_params)
        for c in series[0]
    ]


def _gather_transpose(
    ct: Any,
    x: Any,
    indices: Any,
    *,
    dimension_numbers: GatherDimensionNumbers,
    slice_sizes: Axes,
    indices_are_sorted: bool,
    unique_indices: bool,
    mode: GatherScatterMode,
    fill_value: Any,
) -> list[Any]:
    if type(x) is not Linear:
        return [None, None]
    d = dimension_numbers
    numbers = ScatterDimensionNumbers(
        d.offset_dims,
        d.collapsed_slice_dims,
        d.start_index_map,
        d.operand_batching_dims,
        d.start_indices_batching_dims,
    )
    pulled = scatter_add_p(
        zeros(x.aval),
        indices,
        ct,
        dimension_numbers=numbers,
        indices_are_sorted=indices_are_sorted,
        unique_indices=unique_indices,
        mode=mode,
    )
    return [pulled, None]


def _gather_vmap(
    size: int,
    args: Sequence[Any],
    dims: Sequence[Any],
    *,
    dimension_numbers: GatherDimensionNumbers,
    slice_sizes: Axes,
    indices_are_sorted: bool,
    unique_indices: bool,
    mode: GatherScatterMode,
    fill_value: Any,
) -> tuple[Any, int]:
    (x, indices), (dim, indices_dim) = args, dims
    d = dimension_numbers
    offset_dims, missing, coordinates = d.offset_dims, d.collapsed_slice_dims, d.start_index_map
    batching, indices_batching = d.operand_batching_dims, d.start_indices_batching_dims
    offset_dims = shifted(offset_dims)
    if dim is not None:
        x = move_axis(x, dim, 0)
        missing, coordinates, batching = shifted(missing), shifted(coordinates), shifted(batching)
        slice_sizes = (size if indices_dim is None else 1, *slice_sizes)
    if indices_dim is not None:
        indices = move_axis(indices, indices_dim, 0)
        indices_batching = shifted(indices_batching)
    if dim is None:  # the same window may be named in several lanes
        indices_are_sorted = unique_indices = False
    elif indices_dim is None:  # all lanes are in each window
        offset_dims = (0, *offset_dims)
    else:
        batching, indices_batching = (0, *batching), (0, *indices_batching)
    out = gather_p(
        x,
        indices,
        dimension_numbers=GatherDimensionNumbers(
            offset_dims, missing, coordinates, batching, indices_batching
        ),
        slice_sizes=slice_sizes,
        indices_are_sorted=indices_are_sorted,
        unique_indices=unique_indices,
        mode=mode,
        fill_value=fill_value,
    )
    return out, 0


def _gather_element(
    b: Any,
    i: Any,
    x: Any,
    indices: Any,
    *,
    dimension_numbers: GatherDimensionNumbers,
    slice_sizes: Axes,
    mode: GatherScatterMode,
    fill_value: Any,
    **params: Any,
) -> Any:
    layout = Layout.of("gather", dimension_numbers)
    shape = x.aval.shape
    batch = [i[k] for k in layout.batch_axes(len(i))]
    row = [0 if n == 1 else p for n, p in zip(indices.aval.shape, batch, strict=False)]
    place: list[Any] = [0] * len(shape)
    for axis, k in zip(layout.window_axes(len(shape)), layout.window_dims, strict=True):
        place[axis] = 0 if slice_sizes[axis] == 1 else i[k]
    for axis in layout.batching:
        place[axis] = row[layout.batching_axis(axis)]
    condition: Any = True
    for k, axis in enumerate(layout.coordinates):
        last = shape[axis] - slice_sizes[axis]
        if last == 0 and mode is not FILL:
            continue
        start = integer_index(b, indices(*row, k))
        if mode is FILL:
            condition = both(b, condition, b.inside(start, last + 1))
            start = 0 if last == 0 else start
        else:
            start = b.clamp_index(start, 0, last)
        if shape[axis] != 1:
            place[axis] = start + place[axis]
    if condition is True:
        return x(*place)
    return b.guarded(condition, lambda: x(*place), b.constant(fill_value, x.aval.dtype))


def integer_index(b: Any, value: Any) -> Any:
    """A position from an integer of any type; what int64 can't hold is its largest number."""
    if value.dtype == np.uint64:
        value = b.min(value, b.constant(np.iinfo(np.int64).max, np.uint64))
    return b.to_index(value)


gather_p = Primitive(
    "gather",
    infer=_gather_infer,
    evaluate=_gather_evaluate,
    jvp=_gather_jvp,
    transpose=_gather_transpose,
    vmap=_gather_vmap,
    jet=_gather_jet,
    lower=Element(_gather_element, "index"),
    sample=gather_samples,
)


def gather(
    operand: Any,
    start_indices: Any,
    dimension_numbers: GatherDimensionNumbers,
    slice_sizes: Sequence[int],
    *,
    unique_indices: bool = False,
    indices_are_sorted: bool = False,
    mode: str | GatherScatterMode | None = None,
    fill_value: Any = None,
) -> Any:
    """Windows of an array, at places that another array names.

    Parameters
    ----------
    operand : Array
        Any dtype.
    start_indices : Array
        Integers; the last axis holds the coordinates of a window's first element.
    dimension_numbers : GatherDimensionNumbers
        Which axis is which.
    slice_sizes : sequence of int
        The windows' size along each of the operand's axes.
    unique_indices, indices_are_sorted : bool
        Promises about the indices, which only make it faster.
    mode : str or GatherScatterMode, optional
        What happens where a window does not lie within the operand; by default it is promised that
        all do ("promise_in_bounds"), and those that do not are moved inside.
    fill_value : number, optional
        For "fill"; by default NaN, the lowest signed or the highest unsigned integer, True.

    Returns
    -------
    Array
        The windows, with axes `offset_dims` inside of them and the axes of the indices around.
    """
    mode = GatherScatterMode.from_any("promise_in_bounds" if mode is None else mode)
    return gather_p(
        operand,
        start_indices,
        dimension_numbers=dimension_numbers,
        slice_sizes=tuple(map(int, slice_sizes)),
        indices_are_sorted=bool(indices_are_sorted),
        unique_indices=bool(unique_indices),
        mode=mode,
        fill_value=_fill_value(operand.dtype, fill_value) if mode is FILL else 0,
    )


def _fill_value(dtype: np.dtype[Any], given: Any) -> Any:
    if given is not None:
        return np.asarray(given).item()
    kind = kind_of(dtype)
    if kind in "fc":
        return float("nan")
    if kind == "b":
        return True
    return int(iinfo(dtype).min if kind == "i" else iinfo(dtype).max)


# ------------------------------------------------------------------------------------ scatter_add


def gathered(x: Any, indices: Any, updates: Axes, params: dict[str, Any]) -> Any:
    """The elements of `x` that a scatter with these parameters meets, in the updates' shape.

    Parameters
    ----------
    x, indices : Array
        Of the scatter's operand's shape, and its indices.
    updates : tuple of int
        The updates' shape.
    params : dict
        The scatter's parameters.  What is dropped by it is 0 here.
    """
    d = params["dimension_numbers"]
    return gather_p(
        x,
        indices,
        dimension_numbers=GatherDimensionNumbers(
            d.update_window_dims,
            d.inserted_window_dims,
            d.scatter_dims_to_operand_dims,
            d.operand_batching_dims,
            d.scatter_indices_batching_dims,
        ),
        slice_sizes=window_of(Layout.of("scatter", d), len(x.shape), updates),
        indices_are_sorted=params["indices_are_sorted"],
        unique_indices=params["unique_indices"],
        mode=params["mode"],
        fill_value=0,
    )


def _scatter_add_transpose(ct: Any, x: Any, indices: Any, updates: Any, **params: Any) -> list[Any]:
    pulled = None
    if type(updates) is Linear:
        pulled = gathered(ct, indices, updates.shape, params)
    return [ct if type(x) is Linear else None, None, pulled]


scatter_add_p: Primitive = linear(
    "scatter_add",
    linear_in=(0, 2),
    infer=infer_scatter("scatter_add", NUMBER),
    evaluate=evaluate_scatter(np.add.at),
    transpose=_scatter_add_transpose,
    vmap=scatter_vmap(lambda: scatter_add_p),
    lower=Kernel("scatter_add"),
    sample=scatter_samples(
        (np.float64, np.float32, np.int32, np.uint8, np.complex128, np.float16), (0, 2)
    ),
)


def scatter_add(
    operand: Any,
    scatter_indices: Any,
    updates: Any,
    dimension_numbers: ScatterDimensionNumbers,
    *,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: str | GatherScatterMode | None = None,
) -> Any:
    """An array with windows added to it, at places that another array names.

    Parameters
    ----------
    operand : Array
        Of numbers.
    scatter_indices : Array
        Integers; the last axis holds the coordinates of a window's first element.
    updates : Array
        The windows, of the operand's dtype.
    dimension_numbers : ScatterDimensionNumbers
        Which axis is which.
    indices_are_sorted, unique_indices : bool
        Promises about the indices, which only make it faster.
    mode : str or GatherScatterMode, optional
        What happens where a window does not lie within the operand; it is left out by default.

    Returns
    -------
    Array
        Of the operand's type.
    """
    return scatter_add_p(
        operand,
        scatter_indices,
        updates,
        **scatter_params(dimension_numbers, indices_are_sorted, unique_indices, mode),
    )
