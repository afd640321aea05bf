"""Following a computation along a mapped axis: `BatchTrace`, and vmap of programs.

A tracer holds an array and which of its axes is mapped; rules say what a primitive does with one
more axis.  The public `vmap` is in `vmap`.  Read next: `vmap`, `jet`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

from fnx.config import CONTEXT, replaced
from fnx.core.jaxpr import Jaxpr, eval_jaxpr
from fnx.core.primitive import HigherOrderPrimitive, Primitive, rule
from fnx.core.tracing import Trace, Tracer, check_leaks, running, watched
from fnx.core.types import ShapedArray
from fnx.primitives.collectives import ALONG, axes_in
from fnx.primitives.shaping import move_axis, new_axis
from fnx.transforms.jvp import stage_closed, staged

__all__ = ["AxisSize", "BatchTrace", "BatchTracer", "to_axis", "vmap_flat", "vmap_jaxpr"]


class AxisSize(int):
    """The size of a mapped axis that has a name.

    Rules of primitives that hold programs get it as their `size`; handed on to what follows these
    programs along the axis, it tells which collectives are along it.

    Parameters
    ----------
    size : int
        The size.
    name : hashable
        The name.
    """

    name: Hashable

    def __new__(cls, size: int, name: Hashable) -> AxisSize:
        made = super().__new__(cls, size)
        made.name = name
        return made


class BatchTracer(Tracer):
    """An array of which one axis is mapped and not seen."""

    __slots__ = ("dim", "value")

    def __init__(self, trace: BatchTrace, value: Any, dim: int) -> None:
        self._trace = trace
        self.value = value
        self.dim = dim

    @property
    def aval(self) -> ShapedArray:
        """The type of one element along the mapped axis."""
        whole = self.value.aval
        shape = whole.shape[: self.dim] + whole.shape[self.dim + 1 :]
        return ShapedArray(shape, whole.dtype, whole.weak_type)


class BatchTrace(Trace):
    """Follows arrays with a mapped axis.

    Parameters
    ----------
    parent : Trace or None
        Where rules run.
    name : str
        For errors.
    size : int
        Of the mapped axis; an `AxisSize` if that has a name.
    """

    __slots__ = ("axis", "size")

    def __init__(self, parent: Trace | None, name: str, size: int) -> None:
        super().__init__(parent, name)
        self.size = int(size)
        self.axis = size if isinstance(size, AxisSize) else None

    def split(self, primitive: Any, value: Any) -> tuple[Any, int | None]:
        """Array and mapped axis of an argument."""
        if type(value) is BatchTracer and value._trace is self:
            return value.value, value.dim
        if isinstance(value, Tracer) and not value._trace.alive:
            raise value.leak_error(primitive)
        return value, None

    def join(self, value: Any, dim: int | None) -> Any:
        """A tracer, or the array itself when it's not mapped."""
        if dim is None:
            return value
        tracer = BatchTracer(self, value, dim)
        return tracer if self.made is None else self.noted(tracer)

    def process(self, primitive: Primitive, args: Any, params: dict[str, Any]) -> Any:
        """Apply the vmap rule."""
        pairs = [self.split(primitive, a) for a in args]
        values = [v for v, _ in pairs]
        with running(self.parent):
            dims = [d for _, d in pairs]
            if self.axis is not None:
                out, out_dim = self._named(self.axis, primitive, values, dims, params)
            elif all([d is None for d in dims]):
                return primitive(*values, **params)
            else:
                out, out_dim = rule(primitive, "vmap")(self.size, values, dims, **params)
        if primitive.multiple_results:
            return [self.join(o, d) for o, d in zip(out, out_dim, strict=True)]
        return self.join(out, out_dim)

    def _named(
        self,
        axis: AxisSize,
        primitive: Primitive,
        values: list[Any],
        dims: list[int | None],
        params: dict[str, Any],
    ) -> tuple[Any, Any]:
        """Apply a primitive where the axis has a name, which it may be along."""
        if primitive in ALONG and params["axis"] == axis.name:
            value, dim = (values[0], dims[0]) if values else (None, None)
            out: tuple[Any, Any] = ALONG[primitive](self.size, value, dim, **params)
            return out
        size: int = self.size
        if isinstance(primitive, HigherOrderPrimitive):
            size = axis
            along = _may_be_along(params, axis.name)
        else:
            along = False
        if along or any([d is not None for d in dims]):
            out = rule(primitive, "vmap")(size, values, dims, **params)
            return out
        same = primitive(*values, **params)
        return same, [None] * len(same) if primitive.multiple_results else None


def _may_be_along(params: dict[str, Any], name: Hashable) -> bool:
    """Whether a held program has a collective along an axis; a function of the user's may."""
    if any(callable(params.get(key)) for key in ("fun", "bwd")):
        return True
    held = [v for value in params.values() for v in (value if type(value) is tuple else (value,))]
    return any(name in axes_in(v) for v in held if isinstance(v, Jaxpr))


class _Result:
    name = "result"


def vmap_flat(
    function: Callable[..., Sequence[Any]],
    args: Sequence[Any],
    dims: Sequence[int | None],
    size: int,
    name: str = "vmap",
) -> tuple[list[Any], list[int | None]]:
    """Map a function of flat arguments.

    Parameters
    ----------
    function : callable
        Takes arrays without the mapped axis, gives a sequence of arrays.
    args : sequence
        With the mapped axis.
    dims : sequence of int or None
        Which axis is mapped; None: the argument isn't.
    size : int
        Of the mapped axis; an `AxisSize` if that has a name.
    name : str
        For errors.

    Returns
    -------
    outs, dims : list
        A result that isn't mapped has dim None.
    """
    if isinstance(size, AxisSize):
        around = CONTEXT.get().axis_env
        with replaced(axis_env=(*around, (size.name, int(size)))):
            return _vmap_flat(function, args, dims, size, name)
    return _vmap_flat(function, args, dims, size, name)


def _vmap_flat(
    function: Callable[..., Sequence[Any]],
    args: Sequence[Any],
    dims: Sequence[int | None],
    size: int,
    name: str,
) -> tuple[list[Any], list[int | None]]:
    trace = BatchTrace(CONTEXT.get().trace, name, size)
    tracers = [trace.join(a, d) for a, d in zip(args, dims, strict=True)]
    function = staged(function, tracers, name)
    try:
        with running(trace):
            outs = function(*tracers)
    finally:
        trace.alive = False
    pairs = [trace.split(_Result, o) for o in outs]
    reference = watched(trace)
    if reference is not None:
        del trace, tracers, outs
        check_leaks(reference)
    return [v for v, _ in pairs], [d for _, d in pairs]


def to_axis(value: Any, dim: int | None, size: int, destination: int) -> Any:
    """The value with its mapped axis at a place; one that isn't mapped is repeated."""
    if dim is None:
        return new_axis(value, destination, int(size))
    return move_axis(value, dim, destination)


def vmap_jaxpr(
    jaxpr: Jaxpr,
    size: int,
    mapped: tuple[bool, ...],
    keep: tuple[bool, ...] | bool | None = None,
) -> tuple[Jaxpr, tuple[bool, ...]]:
    """The mapped program; mapped axes are in front.

    Parameters
    ----------
    jaxpr : Jaxpr
        The program.
    size : int
        Of the mapped axis.
    mapped : tuple of bool
        Which inputs have it.
    keep : tuple of bool or bool, optional
        Which results must have it; all, with True.

    Returns
    -------
    jaxpr : Jaxpr
        The mapped program.
    mapped_out : tuple of bool
        Which results have the axis.
    """

    def make() -> tuple[Jaxpr, tuple[bool, ...]]:
        avals = [
            a.update(shape=(int(size), *a.shape)) if m else a
            for a, m in zip(jaxpr.in_avals, mapped, strict=True)
        ]
        mapped_out: list[bool] = []

        def function(*args: Any) -> list[Any]:
            trace = BatchTrace(CONTEXT.get().trace, jaxpr.name, size)
            tracers = [trace.join(a, 0 if m else None) for a, m in zip(args, mapped, strict=True)]
            with running(trace):
                outs = eval_jaxpr(jaxpr, *tracers)
            result = []
            for k, out in enumerate(outs):
                value, dim = trace.split(_Result, out)
                has = dim is not None or keep is True or (isinstance(keep, tuple) and keep[k])
                mapped_out.append(has)
                result.append(to_axis(value, dim, size, 0) if has else value)
            return result

        return stage_closed(function, avals, jaxpr.name), tuple(mapped_out)

    named = (size.name,) if isinstance(size, AxisSize) else ()
    return jaxpr.derived(("vmap", int(size), named, mapped, keep), make)
