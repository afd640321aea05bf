"""Calls of the user's Python functions from traced programs: to look, to do, to compute.

``debug_callback`` looks at values and gives nothing; ``io_callback`` does something and gives
results; ``pure_callback`` only computes, so that the call may be merged, repeated or dropped.  The
first two are effects: each happens once, in the order of the program.  A compiled program does
all three as explicit steps in Python.  A Python function has no derivative that we know: where one
is wanted, `custom_jvp` must say it.  Read next: `fnx.debug`, the public functions that look.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fnx import tree_util
from fnx.control.callback_samples import debug_samples, io_samples, pure_samples
from fnx.control.calls import front
from fnx.control.flat_callback import FlatCallback, declared_types, flat_callback
from fnx.control.scan import map_lanes
from fnx.core.array import Array
from fnx.core.lowering import Host
from fnx.core.primitive import HigherOrderPrimitive, Undefined
from fnx.core.types import Effect, ShapedArray
from fnx.errors import ArgumentTypeError, ArgumentValueError, UnsupportedError
from fnx.primitives.shaping import new_axis
from fnx.transforms.jvp import stage_closed
from fnx.transforms.trees import function_name

__all__ = [
    "DebugEffect",
    "IOEffect",
    "OrderedDebugEffect",
    "OrderedIOEffect",
    "debug_callback",
    "debug_callback_p",
    "io_callback",
    "io_callback_p",
    "pure_callback",
    "pure_callback_p",
]


class DebugEffect(Effect):
    """Somebody looks at a value; it may happen again where a value is computed again."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__("Debug", ordered=False, repeatable=True)


class OrderedDebugEffect(Effect):
    """Somebody looks at values in the order of the program."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__("OrderedDebug", ordered=True, repeatable=True)


class IOEffect(Effect):
    """Something happens outside of the program."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__("IO", ordered=False)


class OrderedIOEffect(Effect):
    """Something happens outside of the program, in its order."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__("OrderedIO", ordered=True)


_DEBUG = {False: frozenset({DebugEffect()}), True: frozenset({OrderedDebugEffect()})}
_IO = {False: frozenset({IOEffect()}), True: frozenset({OrderedIOEffect()})}

VMAP_METHODS = (
    "sequential",
    "sequential_unrolled",
    "expand_dims",
    "broadcast_all",
    "legacy_vectorized",
)


def _by_lane(primitive: Any, size: int, args: Any, dims: Any, params: dict[str, Any]) -> Any:
    """One call for each lane, in order."""
    avals = [
        a.aval if d is None else a.aval.update(shape=a.shape[:d] + a.shape[d + 1 :])
        for a, d in zip(args, dims, strict=True)
    ]
    one = stage_closed(lambda *xs: primitive(*xs, **params), avals, primitive.name)
    return map_lanes(one, size, args, dims)


# -------------------------------------------------------------------------------------------- debug


def _debug_evaluate(*args: Array, callback: FlatCallback, ordered: bool) -> list[Array]:
    callback(*args)
    return []


def _debug_jvp(primals: Sequence[Any], moves: Sequence[Any], **params: Any) -> Any:
    return debug_callback_p(*primals, **params), []


def _debug_transpose(cts: Sequence[Any], *operands: Any, **params: Any) -> list[Any]:
    return [None] * len(operands)


def _debug_vmap(size: int, args: Sequence[Any], dims: Sequence[Any], **params: Any) -> Any:
    return _by_lane(debug_callback_p, size, args, dims, params)


debug_callback_p = HigherOrderPrimitive(
    "debug_callback",
    multiple_results=True,
    infer=lambda *avals, **params: [],
    evaluate=_debug_evaluate,
    jvp=_debug_jvp,
    transpose=_debug_transpose,
    vmap=_debug_vmap,
    jet=_debug_jvp,
    lower=Host("a Python function of the user's looks at values"),
    sample=debug_samples,
    effects=lambda params: _DEBUG[params["ordered"]],
)


def debug_callback(
    callback: Callable[..., Any] | None = None,
    *args: Any,
    ordered: bool = False,
    partitioned: bool = False,
    **kwargs: Any,
) -> Any:
    """Call a Python function with the values of a traced program.

    It is called once each time the program comes there; once more where a derivative computes a
    part of the program again (`checkpoint`, a loop whose length isn't known).

    Parameters
    ----------
    callback : callable, optional
        Gets the arguments, as arrays; what it gives is ignored.  Without it, the options are bound:
        ``callback(ordered=True)(function, x)``.
    *args, **kwargs : pytrees
        Its arguments; leaves that aren't arrays are passed as they are.
    ordered : bool
        Whether the calls must follow the order of the program.  They always do here.
    partitioned : bool
        Accepted for programs written for JAX; there is one device.

    Examples
    --------
    >>> import fnx
    >>> seen = []
    >>> @fnx.jit
    ... def f(x):
    ...     fnx.debug.callback(lambda y: seen.append(float(y)), x * 2)
    ...     return x + 1
    >>> f(3.)
    Array(4., dtype=float32, weak_type=True)
    >>> seen
    [6.0]
    """

    def call(function: Callable[..., Any], *xs: Any, **keywords: Any) -> None:
        flat, values = flat_callback("debug.callback", function, xs, keywords, None)
        debug_callback_p(*values, callback=flat, ordered=bool(ordered))

    if callback is not None:
        return call(callback, *args, **kwargs)
    if args or kwargs:
        raise ArgumentTypeError(
            "debug.callback: arguments without a function. Give the function first, or write "
            "callback(ordered=...)(function, *args)."
        )
    return call


# ----------------------------------------------------------------------------------------------- io


def _io_evaluate(
    *args: Array, callback: FlatCallback, result_avals: tuple[ShapedArray, ...], ordered: bool
) -> list[Array]:
    return callback.results(args, result_avals)


def _io_vmap(size: int, args: Sequence[Any], dims: Sequence[Any], **params: Any) -> Any:
    if params["ordered"]:
        raise ArgumentValueError(
            "io_callback: an ordered callback has no vmap, since lanes have no order. Pass "
            "ordered=False, or use lax.scan, whose steps have one."
        )
    return _by_lane(io_callback_p, size, args, dims, params)


_UNKNOWN = "what a Python function computes is not known, so neither is its derivative"

io_callback_p = HigherOrderPrimitive(
    "io_callback",
    multiple_results=True,
    infer=lambda *avals, result_avals, **params: list(result_avals),
    evaluate=_io_evaluate,
    jvp=Undefined(_UNKNOWN),
    linearize=Undefined(_UNKNOWN),
    transpose=Undefined(_UNKNOWN),
    vmap=_io_vmap,
    jet=Undefined(_UNKNOWN),
    lower=Host("a Python function of the user's does something"),
    sample=io_samples,
    effects=lambda params: _IO[params["ordered"]],
)


def io_callback(
    callback: Callable[..., Any],
    result_shape_dtypes: Any,
    *args: Any,
    sharding: Any = None,
    ordered: bool = False,
    **kwargs: Any,
) -> Any:
    """Call a Python function that does something: reads, writes, draws, counts.

    It is called once each time the program comes there, also if nobody reads its result.

    Parameters
    ----------
    callback : callable
        Gets the arguments, as arrays; gives a pytree of arrays.
    result_shape_dtypes : pytree
        The types of the results: things with ``shape`` and ``dtype``; None for none.
    *args, **kwargs : pytrees of arrays
        Its arguments.
    sharding : None
        Accepted for programs written for JAX.
    ordered : bool
        Whether the calls must follow the order of the program.  They always do here, but an ordered
        one has no vmap.

    Examples
    --------
    >>> import fnx, fnx.numpy as jnp
    >>> from fnx.experimental import io_callback
    >>> numbers = iter(range(10))
    >>> draw = lambda: jnp.int32(next(numbers))
    >>> number = fnx.ShapeDtypeStruct((), jnp.int32)
    >>> fnx.jit(lambda: io_callback(draw, number) + io_callback(draw, number))()
    Array(1, dtype=int32)
    """
    avals, out_tree = declared_types("io_callback", result_shape_dtypes)
    flat, values = flat_callback("io_callback", callback, args, kwargs, out_tree)
    outs = io_callback_p(*values, callback=flat, result_avals=tuple(avals), ordered=bool(ordered))
    return tree_util.tree_unflatten(out_tree, outs)


# --------------------------------------------------------------------------------------------- pure


def _pure_evaluate(
    *args: Array,
    callback: FlatCallback,
    result_avals: tuple[ShapedArray, ...],
    vmap_method: str | None,
) -> list[Array]:
    return callback.results(args, result_avals)


def _pure_vmap(size: int, args: Sequence[Any], dims: Sequence[Any], **params: Any) -> Any:
    method = params["vmap_method"]
    if method is None:
        raise UnsupportedError(
            "pure_callback: vmap needs to know how the function takes a mapped axis "
            f"(function {function_name(params['callback'].function)}). Pass vmap_method="
            "'sequential' (one call for each lane), or 'expand_dims' or 'broadcast_all' (one call, "
            "with the axis in front)."
        )
    if method in ("sequential", "sequential_unrolled"):
        return _by_lane(pure_callback_p, size, args, dims, params)
    values = front(args, dims)
    if method != "legacy_vectorized":
        width = int(size) if method == "broadcast_all" else 1
        values = [
            new_axis(v, 0, width) if d is None else v for v, d in zip(values, dims, strict=True)
        ]
    avals = tuple([a.update(shape=(int(size), *a.shape)) for a in params["result_avals"]])
    outs = pure_callback_p(*values, **{**params, "result_avals": avals})
    return outs, [0] * len(outs)


pure_callback_p = HigherOrderPrimitive(
    "pure_callback",
    multiple_results=True,
    infer=lambda *avals, result_avals, **params: list(result_avals),
    evaluate=_pure_evaluate,
    jvp=Undefined(_UNKNOWN),
    linearize=Undefined(_UNKNOWN),
    transpose=Undefined(_UNKNOWN),
    vmap=_pure_vmap,
    jet=Undefined(_UNKNOWN),
    lower=Host("a Python function of the user's computes"),
    sample=pure_samples,
)


def pure_callback(
    callback: Callable[..., Any],
    result_shape_dtypes: Any,
    *args: Any,
    sharding: Any = None,
    vmap_method: str | None = None,
    **kwargs: Any,
) -> Any:
    """Compute something with a Python function, NumPy or SciPy say, also within a jitted one.

    Parameters
    ----------
    callback : callable
        Gets the arguments, as arrays; gives a pytree of arrays that depend on nothing else.
    result_shape_dtypes : pytree
        The types of the results: things with ``shape`` and ``dtype``.  Where one says 32 bits, a
        result of 64 bits is rounded to them, as NumPy's often are.
    *args, **kwargs : pytrees of arrays
        Its arguments.
    sharding : None
        Accepted for programs written for JAX.
    vmap_method : str, optional
        What `vmap` does: ``"sequential"`` or ``"sequential_unrolled"``: one call for each lane;
        ``"expand_dims"``: one call, with the mapped axis in front, of size 1 where an argument
        isn't mapped; ``"broadcast_all"``: the same, with all arguments of full size.

    Raises
    ------
    MissingRuleError
        It is differentiated: wrap it in `custom_jvp`.
    TypeError
        A result has another type, or structure, than declared.

    Examples
    --------
    >>> import fnx, numpy, fnx.numpy as jnp
    >>> def f(x):
    ...     result = fnx.ShapeDtypeStruct(x.shape, x.dtype)
    ...     return fnx.pure_callback(numpy.sort, result, x)
    >>> fnx.jit(f)(jnp.array([3., 1., 2.]))
    Array([1., 2., 3.], dtype=float32)
    """
    if vmap_method is not None and vmap_method not in VMAP_METHODS:
        raise ArgumentValueError(
            f"pure_callback: vmap_method must be one of {', '.join(VMAP_METHODS)} or None, got "
            f"{vmap_method!r}."
        )
    avals, out_tree = declared_types("pure_callback", result_shape_dtypes)
    flat, values = flat_callback("pure_callback", callback, args, kwargs, out_tree)
    outs = pure_callback_p(
        *values, callback=flat, result_avals=tuple(avals), vmap_method=vmap_method
    )
    return tree_util.tree_unflatten(out_tree, outs)
