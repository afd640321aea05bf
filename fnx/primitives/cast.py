"""Conversion between dtypes, by value and by bits; and identities that only transforms notice.

Here are convert_element_type, bitcast_convert_type, stop_gradient, optimization_barrier.

Conversion by value is XLA's: floats go to integers toward zero, saturate, and NaN becomes 0;
integers wrap; what isn't 0 is True; complex numbers lose their imaginary part.  It is linear
between floating and complex dtypes. Read next: `bits`.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from fnx import tree_util
from fnx.core.array import Array
from fnx.core.conversion import as_value
from fnx.core.lowering import Element
from fnx.core.primitive import Primitive, Sample, Zero
from fnx.core.tracing import Tracer
from fnx.core.types import ShapedArray, float0, tangent_type
from fnx.dtypes import kind_of
from fnx.errors import ArgumentTypeError
from fnx.primitives.families import (
    ALL,
    check_kinds,
    infer_elementwise,
    linear,
    nondifferentiable,
    same_rank_vmap,
    to_front,
)
from fnx.primitives.samplers import DTYPES, EDGES, arrays, elementwise_samples

__all__ = [
    "bitcast_convert_type",
    "bitcast_convert_type_p",
    "convert_element_type",
    "convert_element_type_p",
    "optimization_barrier",
    "optimization_barrier_p",
    "stop_gradient",
    "stop_gradient_p",
]


# ---------------------------------------------------------------------- convert_element_type


def _convert_infer(x: ShapedArray, *, new_dtype: np.dtype[Any], weak_type: bool) -> ShapedArray:
    check_kinds("convert_element_type", ALL, [x])
    if kind_of(new_dtype) not in ALL:
        raise ArgumentTypeError(
            f"convert_element_type: {x!r} can't become {new_dtype}, which isn't numeric."
        )
    return ShapedArray(x.shape, new_dtype, weak_type)


def _convert_evaluate(x: Any, new_dtype: np.dtype[Any], weak_type: bool) -> Any:
    if x.dtype == new_dtype:
        return x
    to = kind_of(new_dtype)
    if x.dtype.kind == "c" and to != "c":
        x = x.real
    if kind_of(x.dtype) == "f" and to in "iu":
        return _saturated(x, new_dtype)
    if x.dtype == np.float64 and new_dtype.itemsize < 4 and new_dtype.kind == "V":
        return _to_odd_float32(x).astype(new_dtype)
    return x.astype(new_dtype)


def _saturated(x: Any, dtype: np.dtype[Any]) -> Any:
    """Toward zero, into the range of an integer dtype; NaN becomes 0."""
    if x.dtype != np.float64:
        x = x.astype(np.float64)
    limits = np.iinfo(dtype)
    above = x >= math.ldexp(1.0, limits.bits - (dtype.kind == "i"))
    below = x < limits.min
    inside = np.where(above | below | np.isnan(x), 0.0, x).astype(dtype)
    return np.where(above, dtype.type(limits.max), np.where(below, dtype.type(limits.min), inside))


def _to_odd_float32(x: Any) -> Any:
    """Toward zero with the last bit set if inexact: then a further rounding is right."""
    near = x.astype(np.float32)
    bits = near.view(np.uint32)
    bits = bits - (np.abs(near.astype(np.float64)) > np.abs(x))
    inexact = (near != x) & ~np.isnan(x)
    return (bits | inexact).astype(np.uint32).view(np.float32)


def _convert_jvp(
    primals: Any, tangents: Any, *, new_dtype: np.dtype[Any], weak_type: bool
) -> tuple[Any, Any]:
    (x,), (t,) = primals, tangents
    out = convert_element_type_p(x, new_dtype=new_dtype, weak_type=weak_type)
    return out, _convert_term(t, out)


def _convert_term(t: Any, out: Any) -> Any:
    zero = Zero(tangent_type(out.aval))
    if type(t) is Zero or zero.aval.dtype == float0:
        return zero
    return convert_element_type_p(t, new_dtype=out.dtype, weak_type=False)


def _convert_jet(
    primals: Any, series: Any, *, new_dtype: np.dtype[Any], weak_type: bool
) -> tuple[Any, Any]:
    out = convert_element_type_p(primals[0], new_dtype=new_dtype, weak_type=weak_type)
    return out, [_convert_term(c, out) for c in series[0]]


def _convert_fold(staging: Any, atoms: Any, params: Any) -> Any:
    (x,) = atoms
    dtype, weak = params["new_dtype"], params["weak_type"]
    if x.aval.dtype == dtype and x.aval.weak_type == weak:
        return x
    eqn = staging.definition(x)
    if eqn is None or eqn.primitive is not convert_element_type_p:
        return None
    source = eqn.inputs[0]
    there_and_back = source.aval.dtype == dtype and source.aval.weak_type == weak
    return source if there_and_back and _holds(x.aval.dtype, dtype) else None


def _holds(wide: np.dtype[Any], narrow: np.dtype[Any]) -> bool:
    """Whether a dtype has every value of another one of its kind."""
    return (
        kind_of(wide) == kind_of(narrow)
        and wide.itemsize > narrow.itemsize
        and np.can_cast(narrow, wide, "safe")
    )


def _width(dtype: np.dtype[Any]) -> int:
    return dtype.itemsize // 2 if dtype.kind == "c" else dtype.itemsize


def _convert_samples(rng: np.random.Generator) -> Any:
    dtypes = [np.dtype(d) for kind in "fciub" for d in DTYPES[kind]]
    for source in dtypes:
        for target in dtypes:
            params = {"new_dtype": target, "weak_type": False}
            numbers = source.kind == "c" or kind_of(source) == "f"
            smooth = numbers and kind_of(target) in "fc"
            smooth = smooth and _width(source) <= _width(target)
            yield Sample((arrays(rng, (2, 3), source),), params, (0,), smooth)
    for shape in ((), (0, 3), (37,)):
        params = {"new_dtype": np.dtype(np.float32), "weak_type": True}
        yield Sample((arrays(rng, shape, np.float64),), params, (0,), smooth=False)
    extreme = np.array([*EDGES, 1e20, -1e20, 255.7, 300.0, -0.5, 2.5e9, 127.9, 128.0])
    for dtype in DTYPES["f"]:
        for target in dtypes:
            params = {"new_dtype": target, "weak_type": False}
            with np.errstate(over="ignore"):
                operand = extreme.astype(dtype)
            yield Sample((operand,), params, (0,), smooth=False)
    strided = arrays(rng, (3, 4), np.float64, strided=True)
    yield Sample((strided,), {"new_dtype": np.dtype(np.int32), "weak_type": False}, (0,))


convert_element_type_p: Primitive = linear(
    "convert_element_type",
    infer=_convert_infer,
    evaluate=_convert_evaluate,
    jvp=_convert_jvp,
    transpose=lambda ct, x, new_dtype, weak_type: [
        convert_element_type_p(ct, new_dtype=x.dtype, weak_type=False)
    ],
    vmap=same_rank_vmap(lambda: convert_element_type_p),
    jet=_convert_jet,
    lower=Element(
        lambda b, i, x, new_dtype, weak_type: b.convert(
            b.real(x(*i)) if x.aval.dtype.kind == "c" and new_dtype.kind != "c" else x(*i),
            new_dtype,
        )
    ),
    fold=_convert_fold,
    sample=_convert_samples,
)


def convert_element_type(operand: Any, new_dtype: Any, weak_type: bool = False) -> Any:
    """The same values in another dtype.

    Floats become integers toward zero and saturate, NaN becomes 0; integers wrap; what isn't 0 is
    True.

    Parameters
    ----------
    operand : Array
        Of numbers or booleans.
    new_dtype : dtype
        Of the result.
    weak_type : bool
        Whether the result's dtype is weak.
    """
    new_dtype = np.dtype(new_dtype)
    if operand.dtype == new_dtype and operand.aval.weak_type == weak_type:
        return operand
    if operand.dtype.kind == "c" and new_dtype.kind != "c":
        warnings.warn(
            f"convert_element_type: {operand.aval!r} to {new_dtype} discards the imaginary part. "
            "Take it with `real` to say so.",
            np.exceptions.ComplexWarning,
            stacklevel=2,
        )
    return convert_element_type_p(operand, new_dtype=new_dtype, weak_type=weak_type)


# ---------------------------------------------------------------------- bitcast_convert_type


def _bitcast_infer(x: ShapedArray, *, new_dtype: np.dtype[Any]) -> ShapedArray:
    if x.dtype == new_dtype:
        return x.strengthen()
    check_kinds("bitcast_convert_type", "iuf", [x])
    if kind_of(new_dtype) not in "iuf":
        raise ArgumentTypeError(
            f"bitcast_convert_type: {x!r} can't become {new_dtype}; "
            "integers and floats are accepted."
        )
    old, new = x.dtype.itemsize, new_dtype.itemsize
    if old >= new:
        shape = x.shape if old == new else (*x.shape, old // new)
        return ShapedArray(shape, new_dtype)
    if not x.shape or x.shape[-1] != new // old:
        raise ArgumentTypeError(
            f"bitcast_convert_type: {x!r} to {new_dtype} joins {new // old} elements into one, "
            f"so the last axis must have size {new // old}."
        )
    return ShapedArray(x.shape[:-1], new_dtype)


def _bitcast_evaluate(x: Any, new_dtype: np.dtype[Any]) -> Any:
    if x.dtype.itemsize == new_dtype.itemsize:
        return x.view(new_dtype)
    if x.dtype.itemsize > new_dtype.itemsize:
        ratio = x.dtype.itemsize // new_dtype.itemsize
        flat = np.ascontiguousarray(x).reshape(-1)
        return flat.view(new_dtype).reshape(*x.shape, ratio)
    shape = x.shape[:-1]
    if math.prod(shape) == 0:
        return np.empty(shape, new_dtype)
    return np.ascontiguousarray(x).reshape(-1).view(new_dtype).reshape(shape)


def _word(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype(f"u{dtype.itemsize}")


def _bitcast_element(b: Any, i: Any, x: Any, new_dtype: np.dtype[Any]) -> Any:
    old, new = x.aval.dtype, new_dtype
    wide, narrow = _word(old), _word(new)
    if old.itemsize == new.itemsize:
        return b.bitcast(x(*i), new)
    if old.itemsize > new.itemsize:  # the lowest bits come first
        shift = b.from_index(i[-1] * (8 * new.itemsize), wide)
        part = b.shift_right_logical(b.bitcast(x(*i[:-1]), wide), shift)
        return b.bitcast(b.convert(part, narrow), new)
    joined = None
    for k in range(new.itemsize // old.itemsize):
        part = b.convert(b.bitcast(x(*i, k), wide), narrow)
        placed = b.shift_left(part, 8 * old.itemsize * k) if k else part
        joined = placed if joined is None else b.or_(joined, placed)
    return b.bitcast(joined, new)


def _bitcast_vmap(size: int, args: Any, dims: Any, *, new_dtype: np.dtype[Any]) -> Any:
    return bitcast_convert_type_p(to_front(args[0], dims[0], size), new_dtype=new_dtype), 0


def _bitcast_samples(rng: np.random.Generator) -> Any:
    dtypes = [np.dtype(d) for kind in "fiu" for d in DTYPES[kind]]
    for source in dtypes:
        for target in dtypes:
            ratio = target.itemsize // source.itemsize
            for shape in ((), (3,), (2, 0), (2, 3)):
                operand = arrays(rng, (*shape, ratio) if ratio > 1 else shape, source)
                # the operand itself, where the dtypes agree, has no derivative by definition
                yield Sample((operand,), {"new_dtype": target}, smooth=False)
    strided = arrays(rng, (3, 4), np.float64, strided=True)
    yield Sample((strided,), {"new_dtype": np.dtype(np.uint16)})


bitcast_convert_type_p: Primitive = nondifferentiable(
    "bitcast_convert_type",
    infer=_bitcast_infer,
    evaluate=_bitcast_evaluate,
    vmap=_bitcast_vmap,
    lower=Element(_bitcast_element, "index"),
    fold=lambda staging, atoms, params: (
        atoms[0]
        if atoms[0].aval.dtype == params["new_dtype"] and not atoms[0].aval.weak_type
        else None
    ),
    sample=_bitcast_samples,
    why="the bits of a number don't depend on it continuously",
)


def bitcast_convert_type(operand: Any, new_dtype: Any) -> Any:
    """The same bits read as another dtype.

    A narrower dtype adds a last axis of the parts, lowest bits first; a wider one joins the last
    axis.

    Parameters
    ----------
    operand : Array
        Of integers or floats.
    new_dtype : dtype
        Of integers or floats.
    """
    return bitcast_convert_type_p(operand, new_dtype=np.dtype(new_dtype))


# ---------------------------------------------------------------------- stop_gradient


def _stop_fold(staging: Any, atoms: Any, params: Any) -> Any:
    (x,) = atoms
    if tangent_type(x.aval).dtype == float0:
        return x
    eqn = staging.definition(x)
    return x if eqn is not None and eqn.primitive is stop_gradient_p else None


stop_gradient_p: Primitive = nondifferentiable(
    "stop_gradient",
    infer=infer_elementwise("stop_gradient", ALL, 1),
    evaluate=lambda x: x,
    vmap=same_rank_vmap(lambda: stop_gradient_p),
    lower=Element(lambda b, i, x: x(*i)),
    fold=_stop_fold,
    # its derivative is zero by definition, not by mathematics
    sample=lambda rng: (
        Sample(s.args, s.params, s.linear, smooth=False)
        for s in elementwise_samples(ALL, (-2.0, 2.0))(rng)
    ),
    why="its tangent is zero by definition",
)


def stop_gradient(x: Any) -> Any:
    """The operand, as a constant to every derivative.

    Parameters
    ----------
    x : pytree of arrays
        Of any dtypes.
    """
    if type(x) is Array or isinstance(x, Tracer):
        return stop_gradient_p(x)
    return tree_util.tree_map(lambda leaf: stop_gradient_p(as_value(leaf, "stop_gradient")), x)


# ---------------------------------------------------------------------- optimization_barrier


optimization_barrier_p: Primitive = linear(
    "optimization_barrier",
    infer=infer_elementwise("optimization_barrier", ALL, 1),
    evaluate=lambda x: x,
    transpose=lambda ct, x: [optimization_barrier_p(ct)],
    vmap=same_rank_vmap(lambda: optimization_barrier_p),
    lower=Element(lambda b, i, x: x(*i)),
    sample=elementwise_samples(ALL, (-2.0, 2.0), linear=(0,)),
)


def optimization_barrier(operand: Any) -> Any:
    """The operand, as values that no simplification looks behind.

    What is computed from the result is not merged with what is computed from the operand.

    Parameters
    ----------
    operand : pytree of arrays
        Any shapes and dtypes.
    """
    return tree_util.tree_map(
        lambda leaf: optimization_barrier_p(as_value(leaf, "optimization_barrier")), operand
    )
