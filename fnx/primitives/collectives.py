"""Operations along a named axis: what the lanes of a `vmap` know of each other.

Under a staging trace they're recorded with the axis' name and size; the `vmap` that has the name
resolves them, by the rule in `ALONG`, to ordinary operations on the whole array.  All are linear
maps of the whole array, but the extremes and the index, so their transposes are collectives again.
Unresolved, an axis of size 1 is trivial: that is what `evaluate` does, and what the laws are tried
on; any other axis that no `vmap` has is an error.  Read next: `fnx.lax.collectives`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any

import numpy as np

from fnx.core.jaxpr import Jaxpr, subjaxprs
from fnx.core.lowering import Element
from fnx.core.primitive import Primitive, Sample, Zero
from fnx.core.types import ShapedArray, tangent_type
from fnx.errors import ArgumentValueError, AxisNameError
from fnx.primitives.arithmetic import div, mul
from fnx.primitives.cast import convert_element_type
from fnx.primitives.comparison import eq
from fnx.primitives.families import ALL, infer_elementwise, linear, nondifferentiable
from fnx.primitives.iota import iota
from fnx.primitives.joining import concatenate
from fnx.primitives.nonlinear_reductions import reduce_max, reduce_min
from fnx.primitives.reductions import reduce_sum
from fnx.primitives.samplers import DTYPES, arrays
from fnx.primitives.shaping import full, move_axis, new_axis, zeros
from fnx.primitives.slicing import slice_in_dim

__all__ = [
    "ALONG",
    "all_gather_p",
    "all_to_all_p",
    "axes_in",
    "axis_index_p",
    "pmax_p",
    "pmin_p",
    "ppermute_p",
    "psum_p",
    "psum_scatter_p",
]

#: ``ALONG[primitive](size, x, dim, **params) -> (out, out_dim)``: what it does where its axis is
#: the mapped one; `dim` is None for an array that is the same in all lanes.
ALONG: dict[Primitive, Callable[..., Any]] = {}


def axes_in(jaxpr: Jaxpr) -> frozenset[Hashable]:
    """The names of the axes that a program's collectives are along.

    Parameters
    ----------
    jaxpr : Jaxpr
        The program; those it holds count, too.
    """

    def find() -> frozenset[Hashable]:
        found: set[Hashable] = set()
        for eqn in jaxpr.eqns:
            if eqn.primitive in ALONG:
                found.add(eqn.params["axis"])
            for _, inner in subjaxprs(eqn.params):
                found |= axes_in(inner)
        return frozenset(found)

    names: frozenset[Hashable] = jaxpr.derived("axes", find)
    return names


def _trivial(axis: Hashable, lanes: int) -> None:
    if lanes != 1:
        raise AxisNameError(
            f"the axis {axis!r} of size {lanes} is unbound: no vmap with this axis_name is around. "
            "Call the function within vmap(..., axis_name=...)."
        )


def _samples(
    linear: tuple[int, ...] = (0,), **params: Any
) -> Callable[[np.random.Generator], Iterator[Sample]]:
    """Cases along an axis of size 1."""

    def sample(rng: np.random.Generator) -> Iterator[Sample]:
        for kind in ("f", "c", "i"):
            for dtype in DTYPES[kind]:
                for shape in ((2, 1, 3), (1, 1)) if dtype is np.float64 else ((2, 1),):
                    x = arrays(rng, shape, dtype, -2.0, 2.0)
                    yield Sample((x,), {"axis": "i", "lanes": 1, **params}, linear=linear)

    return sample


def _without(items: Sequence[Any], place: int) -> tuple[Any, ...]:
    return (*items[:place], *items[place + 1 :])


def _inserted(items: Sequence[Any], place: int, item: Any) -> tuple[Any, ...]:
    return (*items[:place], item, *items[place:])


def _in_all_lanes(size: int, x: Any, dim: int | None) -> Any:
    """The whole array, with the lanes in front."""
    return new_axis(x, 0, size) if dim is None else move_axis(x, dim, 0)


# --------------------------------------------------------------------------------------------- psum


def _same_evaluate(x: Any, axis: Hashable, lanes: int) -> Any:
    _trivial(axis, lanes)
    return x


def _same_element(b: Any, i: Any, x: Any, *, axis: Hashable, lanes: int) -> Any:
    _trivial(axis, lanes)
    return x(*i)


def _same_infer(name: str) -> Callable[..., ShapedArray]:
    infer = infer_elementwise(name, ALL, 1)
    return lambda x, *, axis, lanes: infer(x)


def _psum_vmap(size: int, args: Any, dims: Any, **params: Any) -> Any:
    return psum_p(*args, **params), dims[0]


psum_p: Primitive = linear(
    "psum",
    infer=_same_infer("psum"),
    evaluate=_same_evaluate,
    transpose=lambda ct, x, **params: [psum_p(ct, **params)],
    vmap=_psum_vmap,
    lower=Element(_same_element),
    sample=_samples(),
)


def _psum_along(size: int, x: Any, dim: int | None, **params: Any) -> Any:
    if dim is None:
        return mul(x, full(x.shape, size, x.dtype)), None
    return reduce_sum(x, (dim,)), None


ALONG[psum_p] = _psum_along


# ----------------------------------------------------------------------------------------- extremes


def _extreme(name: str, reduce: Callable[..., Any]) -> Primitive:
    def jet(primals: Sequence[Any], series: Sequence[Any], **params: Any) -> Any:
        (x,), (terms,) = primals, series
        out = primitive(x, **params)
        zero = Zero(tangent_type(out.aval))
        if zero.aval.dtype != out.dtype or all(type(c) is Zero for c in terms):
            return out, [zero] * len(terms)
        # The mean over the lanes that have the extreme, as of `reduce_max`.
        chosen = convert_element_type(eq(x, out), out.dtype)
        count = psum_p(chosen, **params)
        return out, [
            zero if type(c) is Zero else div(psum_p(mul(c, chosen), **params), count) for c in terms
        ]

    def jvp(primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> Any:
        out, (tangent,) = jet(primals, [[tangents[0]]], **params)
        return out, tangent

    def vmap(size: int, args: Any, dims: Any, **params: Any) -> Any:
        return primitive(*args, **params), dims[0]

    primitive = Primitive(
        name,
        infer=_same_infer(name),
        evaluate=_same_evaluate,
        jvp=jvp,
        vmap=vmap,
        jet=jet,
        lower=Element(_same_element),
        sample=_samples(linear=()),
    )

    def along(size: int, x: Any, dim: int | None, **params: Any) -> Any:
        return (x if dim is None else reduce(x, (dim,))), None

    ALONG[primitive] = along
    return primitive


pmax_p = _extreme("pmax", reduce_max)
pmin_p = _extreme("pmin", reduce_min)


# ------------------------------------------------------------------------- all_gather, psum_scatter


def _gather_infer(x: ShapedArray, *, axis: Hashable, lanes: int, place: int) -> ShapedArray:
    return x.update(shape=_inserted(x.shape, place, lanes))


def _gather_evaluate(x: Any, axis: Hashable, lanes: int, place: int) -> Any:
    _trivial(axis, lanes)
    return np.expand_dims(x, place)


def _gather_element(b: Any, i: Any, x: Any, *, axis: Hashable, lanes: int, place: int) -> Any:
    _trivial(axis, lanes)
    return x(*_without(i, place))


def _shifted_vmap(primitive_of: Callable[[], Primitive], *places: str) -> Callable[..., Any]:
    """vmap over another axis: it goes in front, and places move behind it."""

    def vmap(size: int, args: Any, dims: Any, **params: Any) -> Any:
        moved = {name: params[name] + 1 for name in places}
        return primitive_of()(move_axis(args[0], dims[0], 0), **{**params, **moved}), 0

    return vmap


all_gather_p: Primitive = linear(
    "all_gather",
    infer=_gather_infer,
    evaluate=_gather_evaluate,
    transpose=lambda ct, x, **params: [psum_scatter_p(ct, **params)],
    vmap=_shifted_vmap(lambda: all_gather_p, "place"),
    lower=Element(_gather_element, "index"),
    sample=_samples(place=1),
)


def _gather_along(size: int, x: Any, dim: int | None, *, place: int, **params: Any) -> Any:
    if dim is None:
        return new_axis(x, place, size), None
    return move_axis(x, dim, place), None


ALONG[all_gather_p] = _gather_along


def _scatter_infer(x: ShapedArray, *, axis: Hashable, lanes: int, place: int) -> ShapedArray:
    if x.shape[place] != lanes:
        raise ArgumentValueError(
            f"psum_scatter: axis {place} of {x!r} is divided among the lanes of {axis!r}, so its "
            f"size must be {lanes}. Reshape, or pass tiled=True."
        )
    return x.update(shape=_without(x.shape, place))


def _scatter_evaluate(x: Any, axis: Hashable, lanes: int, place: int) -> Any:
    _trivial(axis, lanes)
    return np.squeeze(x, place)


def _scatter_element(b: Any, i: Any, x: Any, *, axis: Hashable, lanes: int, place: int) -> Any:
    _trivial(axis, lanes)
    return x(*_inserted(i, place, 0))


psum_scatter_p: Primitive = linear(
    "psum_scatter",
    infer=_scatter_infer,
    evaluate=_scatter_evaluate,
    transpose=lambda ct, x, **params: [all_gather_p(ct, **params)],
    vmap=_shifted_vmap(lambda: psum_scatter_p, "place"),
    lower=Element(_scatter_element, "index"),
    sample=_samples(place=1),
)


def _scatter_along(size: int, x: Any, dim: int | None, *, place: int, **params: Any) -> Any:
    return _psum_along(size, x, dim)[0], place


ALONG[psum_scatter_p] = _scatter_along


# --------------------------------------------------------------------------------------- all_to_all


def _exchange_infer(
    x: ShapedArray, *, axis: Hashable, lanes: int, split: int, concat: int
) -> ShapedArray:
    if x.shape[split] != lanes:
        raise ArgumentValueError(
            f"all_to_all: axis {split} of {x!r} is divided among the lanes of {axis!r}, so its "
            f"size must be {lanes}. Reshape, or pass tiled=True."
        )
    return x.update(shape=_inserted(_without(x.shape, split), concat, lanes))


def _exchange_evaluate(x: Any, axis: Hashable, lanes: int, split: int, concat: int) -> Any:
    _trivial(axis, lanes)
    return np.expand_dims(np.squeeze(x, split), concat)


def _exchange_element(
    b: Any, i: Any, x: Any, *, axis: Hashable, lanes: int, split: int, concat: int
) -> Any:
    _trivial(axis, lanes)
    return x(*_inserted(_without(i, concat), split, 0))


def _exchange_transpose(
    ct: Any, x: Any, axis: Hashable, lanes: int, split: int, concat: int
) -> list[Any]:
    return [all_to_all_p(ct, axis=axis, lanes=lanes, split=concat, concat=split)]


all_to_all_p: Primitive = linear(
    "all_to_all",
    infer=_exchange_infer,
    evaluate=_exchange_evaluate,
    transpose=_exchange_transpose,
    vmap=_shifted_vmap(lambda: all_to_all_p, "split", "concat"),
    lower=Element(_exchange_element, "index"),
    sample=_samples(split=1, concat=0),
)


def _exchange_along(
    size: int, x: Any, dim: int | None, *, split: int, concat: int, **params: Any
) -> Any:
    whole = _in_all_lanes(size, x, dim)
    # (from, ..., to, ...) to (to, ..., from, ...): lane `to` has what all others had for it.
    return move_axis(move_axis(whole, split + 1, 0), 1, concat + 1), 0


ALONG[all_to_all_p] = _exchange_along


# ----------------------------------------------------------------------------------------- ppermute


def _permute_evaluate(x: Any, axis: Hashable, lanes: int, perm: tuple[tuple[int, int], ...]) -> Any:
    _trivial(axis, lanes)
    return x if perm else np.zeros_like(x)


def _permute_element(b: Any, i: Any, x: Any, *, axis: Hashable, lanes: int, perm: Any) -> Any:
    _trivial(axis, lanes)
    return x(*i) if perm else b.constant(0, b.out_aval.dtype)


def _permute_infer(x: ShapedArray, **params: Any) -> ShapedArray:
    return x


def _permute_transpose(ct: Any, x: Any, *, perm: Any, **params: Any) -> list[Any]:
    back = tuple(sorted((to, source) for source, to in perm))
    return [ppermute_p(ct, perm=back, **params)]


def _permute_vmap(size: int, args: Any, dims: Any, **params: Any) -> Any:
    return ppermute_p(*args, **params), dims[0]


def _permute_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield from _samples(perm=((0, 0),))(rng)
    yield from _samples(perm=())(rng)


ppermute_p: Primitive = linear(
    "ppermute",
    infer=_permute_infer,
    evaluate=_permute_evaluate,
    transpose=_permute_transpose,
    vmap=_permute_vmap,
    lower=Element(_permute_element),
    sample=_permute_samples,
)


def _permute_along(size: int, x: Any, dim: int | None, *, perm: Any, **params: Any) -> Any:
    whole = _in_all_lanes(size, x, dim)
    sources = {to: source for source, to in perm}
    parts: list[Any] = []
    start = 0
    while start < size:
        stop, source = start + 1, sources.get(start)
        # As long as neighbours come from neighbours, they move together.
        while stop < size and sources.get(stop) == (
            None if source is None else source + stop - start
        ):
            stop += 1
        if source is None:
            parts.append(zeros(whole.aval.update(shape=(stop - start, *whole.shape[1:]))))
        else:
            parts.append(slice_in_dim(whole, source, source + stop - start))
        start = stop
    return (parts[0] if len(parts) == 1 else concatenate(parts, 0)), 0


ALONG[ppermute_p] = _permute_along


# --------------------------------------------------------------------------------------- axis_index


def _index_infer(*, axis: Hashable, lanes: int) -> ShapedArray:
    return ShapedArray((), np.dtype(np.int32))


def _index_evaluate(axis: Hashable, lanes: int) -> Any:
    _trivial(axis, lanes)
    return np.zeros((), np.int32)


def _index_element(b: Any, i: Any, *, axis: Hashable, lanes: int) -> Any:
    _trivial(axis, lanes)
    return b.constant(0, np.dtype(np.int32))


def _index_vmap(size: int, args: Any, dims: Any, **params: Any) -> Any:
    return axis_index_p(**params), None


def _index_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield Sample((), {"axis": "i", "lanes": 1})


axis_index_p: Primitive = nondifferentiable(
    "axis_index",
    why="it has no operands",
    infer=_index_infer,
    evaluate=_index_evaluate,
    vmap=_index_vmap,
    lower=Element(_index_element),
    sample=_index_samples,
)

ALONG[axis_index_p] = lambda size, x, dim, **params: (iota(np.int32, size), 0)
