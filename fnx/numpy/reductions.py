"""Sums, products, extrema, means and what is like them; cumulative ones; sorting.

Read next: `products`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from fnx import dtypes
from fnx.errors import ArgumentTypeError, ArgumentValueError
from fnx.numpy import ufuncs
from fnx.numpy.elementwise import conj, isclose, isnan, real
from fnx.numpy.manipulation import normal_axes, normal_axis, ravel
from fnx.numpy.promotion import (
    as_arrays,
    broadcast_shapes,
    broadcast_to,
    cast,
    promote_inexact,
    refuse_out,
)
from fnx.primitives import arithmetic, comparison, cumulative, powers, reductions, shaping
from fnx.primitives import nonlinear_reductions as nonlinear
from fnx.primitives.reductions import reduce_and
from fnx.transforms.structural import structural

__all__ = [
    "all", "allclose", "amax", "amin", "any", "argmax", "argmin", "array_equal", "array_equiv",
    "average",
    "count_nonzero", "cumprod", "cumsum", "max", "mean", "min", "prod", "ptp", "std", "sum", "var",
    "with_axes_kept",
]  # fmt: skip

_DOC = """{summary}

    Parameters
    ----------
    a : array-like
        The operand.
    axis : int, sequence of int or None
        Along which axes; all by default.
    dtype : dtype, optional
        Accumulate and give in this one.
    out : None
        Arrays are immutable.
    keepdims : bool
        Keep the reduced axes, with size 1.
    initial : number, optional
        Another element.
    where : array-like, optional
        Which elements count.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> {name}(jnp.ones((2, 3)), axis=0).shape
    (3,)
    """


def with_axes_kept(x: Any, shape: tuple[int, ...], axes: tuple[int, ...], keepdims: bool) -> Any:
    if not keepdims:
        return x
    return shaping.reshape(x, tuple([1 if k in axes else n for k, n in enumerate(shape)]))


def _reduction(
    name: str,
    reduce: Callable[[Any, tuple[int, ...]], Any],
    summary: str,
    neutral: Callable[[np.dtype[Any]], Any] | None,
    combine: Callable[[Any, Any], Any],
    prepare: Callable[[Any], Any] = lambda x: x,
) -> Any:
    def function(
        a: Any,
        axis: Any = None,
        dtype: Any = None,
        out: None = None,
        keepdims: bool = False,
        initial: Any = None,
        where: Any = None,
    ) -> Any:
        (x,) = as_arrays(name, a)
        refuse_out(name, out)
        axes = normal_axes(name, axis, x.ndim)
        x = prepare(x) if dtype is None else cast(x, dtypes.check_user_dtype(dtype))
        if where is not None:
            if neutral is None and initial is None:
                raise ArgumentValueError(f"{name}: with where=, give initial=.")
            fill = neutral(x.dtype) if neutral is not None else initial
            x = ufuncs.where(where, x, cast(as_arrays(name, fill)[0], x.dtype))
        if neutral is None and initial is None and math.prod([x.shape[k] for k in axes]) == 0:
            raise ArgumentValueError(
                f"{name}: {x.aval!r} has no element along axis {axis}. Give initial=."
            )
        if neutral is None and initial is not None and math.prod([x.shape[k] for k in axes]) == 0:
            shape = tuple([n for k, n in enumerate(x.shape) if k not in axes])
            result = shaping.full(shape, initial, x.dtype)
        else:
            result = reduce(x, axes)
            if initial is not None:
                result = combine(result, cast(as_arrays(name, initial)[0], result.dtype))
        result = cast(result, result.dtype)
        return with_axes_kept(result, x.shape, axes, keepdims)

    function.__name__ = function.__qualname__ = name
    function.__module__ = "fnx.numpy"
    function.__doc__ = _DOC.format(summary=summary, name=name)
    return function


def _widen(x: Any) -> Any:
    """Bools and narrow integers are summed in the default integer width."""
    kind = dtypes.kind_of(x.dtype)
    if kind == "b":
        return cast(x, dtypes.default_dtype("i"))
    if kind in "iu":
        wide = dtypes.default_dtype(kind)
        return cast(x, wide) if x.dtype.itemsize < wide.itemsize else x
    return x


sum = _reduction(
    "sum", reductions.reduce_sum, "The sum of elements.", lambda d: 0, ufuncs.add, _widen
)
prod = _reduction(
    "prod", nonlinear.reduce_prod, "The product of elements.", lambda d: 1, ufuncs.multiply, _widen
)


def _extreme(name: str, reduce: Any, any_or_all: Any, combine: Any, summary: str) -> Any:
    def reduce_any_kind(x: Any, axes: tuple[int, ...]) -> Any:
        return any_or_all(x, axes) if x.dtype == np.bool_ else reduce(x, axes)

    both = _reduction(name, reduce_any_kind, summary, None, combine)

    def function(
        a: Any,
        axis: Any = None,
        out: None = None,
        keepdims: bool = False,
        initial: Any = None,
        where: Any = None,
    ) -> Any:
        return both(a, axis, None, out, keepdims, initial, where)

    function.__name__ = function.__qualname__ = name
    function.__module__ = "fnx.numpy"
    function.__doc__ = _DOC.format(summary=summary, name=name).replace(
        "    dtype : dtype, optional\n        Accumulate and give in this one.\n", ""
    )
    return function


max = _extreme(
    "max",
    nonlinear.reduce_max,
    reductions.reduce_or,
    ufuncs.maximum,
    "The largest element; NaN if any is.",
)
min = _extreme(
    "min",
    nonlinear.reduce_min,
    reductions.reduce_and,
    ufuncs.minimum,
    "The smallest element; NaN if any is.",
)
amax, amin = max, min


def _truths(x: Any) -> Any:
    return x if x.dtype == np.bool_ else comparison.ne(x, shaping.full(x.shape, 0, x.dtype))


def all(
    a: Any, axis: Any = None, out: None = None, keepdims: bool = False, *, where: Any = None
) -> Any:
    """Whether all elements are true.

    Parameters
    ----------
    a : array-like
        True if not zero.
    axis : int, sequence of int or None
        Along which axes; all by default.
    out : None
        Arrays are immutable.
    keepdims : bool
        Keep the reduced axes, with size 1.
    where : array-like, optional
        Which elements count.
    """
    refuse_out("all", out)
    x = _truths(as_arrays("all", a)[0])
    x = x if where is None else ufuncs.where(where, x, True)
    axes = normal_axes("all", axis, x.ndim)
    return with_axes_kept(reductions.reduce_and(x, axes), x.shape, axes, keepdims)


def any(
    a: Any, axis: Any = None, out: None = None, keepdims: bool = False, *, where: Any = None
) -> Any:
    """Whether any element is true.

    Parameters
    ----------
    a : array-like
        True if not zero.
    axis : int, sequence of int or None
        Along which axes; all by default.
    out : None
        Arrays are immutable.
    keepdims : bool
        Keep the reduced axes, with size 1.
    where : array-like, optional
        Which elements count.
    """
    refuse_out("any", out)
    x = _truths(as_arrays("any", a)[0])
    x = x if where is None else ufuncs.where(where, x, False)
    axes = normal_axes("any", axis, x.ndim)
    return with_axes_kept(reductions.reduce_or(x, axes), x.shape, axes, keepdims)


def count_nonzero(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """How many elements aren't zero.

    Parameters
    ----------
    a : array-like
        The operand.
    axis : int, sequence of int or None
        Along which axes; all by default.
    keepdims : bool
        Keep the reduced axes, with size 1.
    """
    return sum(_truths(as_arrays("count_nonzero", a)[0]), axis=axis, keepdims=keepdims)


def mean(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    *,
    where: Any = None,
) -> Any:
    """The arithmetic mean.

    Parameters
    ----------
    a : array-like
        The operand.
    axis : int, sequence of int or None
        Along which axes; all by default.
    dtype : dtype, optional
        Accumulate and give in this one.
    out : None
        Arrays are immutable.
    keepdims : bool
        Keep the reduced axes, with size 1.
    where : array-like, optional
        Which elements count.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> mean(jnp.arange(4.))
    Array(1.5, dtype=float32)
    """
    (x,) = promote_inexact("mean", a) if dtype is None else as_arrays("mean", a)
    axes = normal_axes("mean", axis, x.ndim)
    total = sum(x, axes, dtype, out, keepdims, None, where)
    if where is None:
        count = math.prod([x.shape[k] for k in axes])
        return arithmetic.div(total, shaping.full(total.shape, count, total.dtype))
    return ufuncs.divide(
        total, sum(broadcast_to(where, x.shape), axes, total.dtype, None, keepdims)
    )


def average(
    a: Any, axis: Any = None, weights: Any = None, returned: bool = False, keepdims: bool = False
) -> Any:
    """The weighted mean.

    Parameters
    ----------
    a : array-like
        The operand.
    axis : int, sequence of int or None
        Along which axes; all by default.
    weights : array-like, optional
        Equal by default.
    returned : bool
        Also give the sum of weights.
    keepdims : bool
        Keep the reduced axes, with size 1.
    """
    (x,) = promote_inexact("average", a)
    if weights is None:
        result = mean(x, axis, keepdims=keepdims)
        scale = shaping.full(result.shape, x.size // (result.size or 1), result.dtype)
    else:
        (w,) = promote_inexact("average", weights)
        if w.shape != x.shape:
            if axis is None or w.ndim != 1:
                raise ArgumentTypeError(
                    f"average: weights {w.aval!r} don't fit {x.aval!r}; give axis and 1-d weights."
                )
            place = normal_axis("average", axis, x.ndim)
            w = shaping.broadcast_in_dim(w, x.shape, (place,))
        scale = sum(w, axis, keepdims=keepdims)
        result = ufuncs.divide(sum(ufuncs.multiply(x, w), axis, keepdims=keepdims), scale)
    return (result, broadcast_to(scale, result.shape)) if returned else result


def var(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: Any = None,
    correction: float | None = None,
) -> Any:
    """The variance.

    Parameters
    ----------
    a : array-like
        The operand.
    axis : int, sequence of int or None
        Along which axes; all by default.
    dtype : dtype, optional
        Accumulate and give in this one.
    out : None
        Arrays are immutable.
    ddof : float
        What is taken from the count.
    keepdims : bool
        Keep the reduced axes, with size 1.
    where : array-like, optional
        Which elements count.
    correction : float, optional
        The array API's name of `ddof`.
    """
    less = ddof if correction is None else correction
    (x,) = promote_inexact("var", a)
    if dtype is not None:
        wanted = dtypes.check_user_dtype(dtype)
        if x.dtype.kind == "c" and np.dtype(wanted).kind != "c":
            raise ArgumentValueError(
                f"var: dtype={np.dtype(wanted).name} would drop the imaginary part of {x.aval!r}. "
                "Give a complex dtype, or none."
            )
        x = cast(x, wanted)
    axes = normal_axes("var", axis, x.ndim)
    centred = ufuncs.subtract(x, mean(x, axes, keepdims=True, where=where))
    squares = (
        real(ufuncs.multiply(centred, conj(centred)))
        if x.dtype.kind == "c"
        else powers.square(centred)
    )
    total = sum(squares, axes, None, out, keepdims, None, where)
    count = (
        math.prod([x.shape[k] for k in axes])
        if where is None
        else sum(broadcast_to(where, x.shape), axes, total.dtype, None, keepdims)
    )
    return ufuncs.divide(
        total,
        ufuncs.maximum(ufuncs.subtract(count, less), 0)
        if where is not None
        else float(np.maximum(count - less, 0)),
    )


def std(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: Any = None,
    correction: float | None = None,
) -> Any:
    """The standard deviation.

    Parameters
    ----------
    a : array-like
        The operand.
    axis : int, sequence of int or None
        Along which axes; all by default.
    dtype : dtype, optional
        Accumulate and give in this one.
    out : None
        Arrays are immutable.
    ddof : float
        What is taken from the count.
    keepdims : bool
        Keep the reduced axes, with size 1.
    where : array-like, optional
        Which elements count.
    correction : float, optional
        The array API's name of `ddof`.
    """
    return ufuncs.sqrt(var(a, axis, dtype, out, ddof, keepdims, where=where, correction=correction))


def ptp(a: Any, axis: Any = None, out: None = None, keepdims: bool = False) -> Any:
    """The largest minus the smallest element.

    Parameters
    ----------
    a : array-like
        The operand.
    axis : int, sequence of int or None
        Along which axes; all by default.
    out : None
        Arrays are immutable.
    keepdims : bool
        Keep the reduced axes, with size 1.
    """
    return ufuncs.subtract(max(a, axis, out, keepdims), min(a, axis, out, keepdims))


def _arg(name: str, operation: Any, summary: str) -> Any:
    def function(
        a: Any, axis: int | None = None, out: None = None, keepdims: bool | None = None
    ) -> Any:
        refuse_out(name, out)
        (x,) = as_arrays(name, a)
        rank = x.ndim
        if axis is None:
            x, place = ravel(x), 0
        else:
            place = normal_axis(name, axis, x.ndim)
        if x.dtype == np.bool_:
            x = cast(x, np.dtype(np.int8))
        shape = x.shape
        if shape[place] == 0:
            raise ArgumentValueError(
                f"{name}: {x.aval!r} has no element along axis {axis}, so none is the place of one."
            )
        result = operation(x, place, dtypes.default_dtype("i"))
        if not keepdims:
            return result
        if axis is None:
            return shaping.reshape(result, (1,) * rank)
        return with_axes_kept(result, shape, (place,), True)

    function.__name__ = function.__qualname__ = name
    function.__module__ = "fnx.numpy"
    function.__doc__ = (
        f"{summary}\n\n    Parameters\n    ----------\n    a : array-like\n        The operand.\n"
        "    axis : int, optional\n        Along which axis; by default over all elements.\n"
        "    out : None\n        Arrays are immutable.\n"
        "    keepdims : bool\n        Keep the axis, with size 1.\n\n"
        "    Examples\n    --------\n    >>> import fnx.numpy as jnp\n"
        f"    >>> {name}(jnp.ones((2, 3)), axis=0).shape\n    (3,)\n    "
    )
    return function


argmax = _arg(
    "argmax", reductions.argmax, "The place of the largest element, of NaN if there is one."
)
argmin = _arg(
    "argmin", reductions.argmin, "The place of the smallest element, of NaN if there is one."
)


def _cumulative(name: str, operation: Any, summary: str) -> Any:
    def function(a: Any, axis: int | None = None, dtype: Any = None, out: None = None) -> Any:
        refuse_out(name, out)
        (x,) = as_arrays(name, a)
        if dtype is not None:
            x = cast(x, dtypes.check_user_dtype(dtype))
        elif x.dtype == np.bool_:
            x = cast(x, dtypes.default_dtype("i"))
        if axis is None:
            x, axis = ravel(x), 0
        return operation(x, normal_axis(name, axis, x.ndim))

    function.__name__ = function.__qualname__ = name
    function.__module__ = "fnx.numpy"
    function.__doc__ = (
        f"{summary}\n\n    Parameters\n    ----------\n    a : array-like\n        The operand.\n"
        "    axis : int, optional\n        Along which axis; by default over all elements.\n"
        "    dtype : dtype, optional\n        Accumulate and give in this one.\n"
        "    out : None\n        Arrays are immutable.\n\n"
        "    Examples\n    --------\n    >>> import fnx.numpy as jnp\n"
        f"    >>> {name}(jnp.ones(3)).shape\n    (3,)\n    "
    )
    return function


cumsum = _cumulative("cumsum", cumulative.cumsum, "The running sum.")
cumprod = _cumulative("cumprod", cumulative.cumprod, "The running product.")


def allclose(a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> Any:
    """Whether all numbers are equal within ``atol + rtol * |b|``.

    Parameters
    ----------
    a, b : array-like
        The numbers.
    rtol, atol : float
        Tolerances.
    equal_nan : bool
        Whether NaN is close to NaN.
    """
    return all(isclose(a, b, rtol, atol, equal_nan))


@structural("a1", "a2", verdict=reduce_and)
def array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> Any:
    """Whether two arrays have one shape and equal elements.

    Parameters
    ----------
    a1, a2 : array-like
        The arrays.
    equal_nan : bool
        Whether NaN equals NaN.
    """
    x, y = as_arrays("array_equal", a1, a2)
    if x.shape != y.shape:
        return shaping.full((), False, np.bool_)
    same = ufuncs.equal(x, y)
    if equal_nan:
        same = ufuncs.logical_or(same, ufuncs.logical_and(isnan(x), isnan(y)))
    return all(same)


def array_equiv(a1: Any, a2: Any) -> Any:
    """Whether two arrays are equal after broadcasting.

    Parameters
    ----------
    a1, a2 : array-like
        The arrays.
    """
    x, y = as_arrays("array_equiv", a1, a2)
    try:
        broadcast_shapes(x.shape, y.shape)
    except ValueError:
        return shaping.full((), False, np.bool_)
    return all(ufuncs.equal(x, y))
