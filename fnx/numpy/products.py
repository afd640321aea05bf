"""Products of matrices and tensors: `dot`, `matmul`, `tensordot`, `einsum`, ...

`einsum` contracts two operands at a time, in an order found by opt_einsum, each pair as one
`dot_general`. Read next: `indexing`.
"""

from __future__ import annotations

import operator
import string
from collections.abc import Sequence
from typing import Any

import numpy as np
import opt_einsum

from fnx import dtypes
from fnx.core.device import checked_device
from fnx.errors import ArgumentTypeError, ArgumentValueError, ShapeError
from fnx.numpy import ufuncs
from fnx.numpy.creation import eye, tri
from fnx.numpy.elementwise import conj
from fnx.numpy.indexing import index_array
from fnx.numpy.manipulation import moveaxis, normal_axes, normal_axis, swapaxes
from fnx.numpy.promotion import (
    as_arrays,
    broadcast_shapes,
    broadcast_to,
    cast,
    promote_dtypes,
    refuse_out,
)
from fnx.numpy.reductions import any as any_
from fnx.numpy.reductions import sum as sum_
from fnx.primitives import shaping
from fnx.primitives.contraction import dot_general
from fnx.primitives.iota import iota
from fnx.primitives.slicing import pad
from fnx.transforms.structural import structural

__all__ = [
    "diag", "diagonal", "dot", "einsum", "inner", "kron", "matmul", "outer", "tensordot", "trace",
    "tril", "triu", "vdot", "vecdot",
]  # fmt: skip


def _typed(name: str, a: Any, b: Any, preferred: Any) -> tuple[Any, Any, Any]:
    x, y = promote_dtypes(name, *as_arrays(name, a, b))
    wanted = None if preferred is None else dtypes.check_user_dtype(preferred)
    return x, y, wanted


def _contract(name: str, x: Any, y: Any, axes: Any, batch: Any, precision: Any, wanted: Any) -> Any:
    for i, j in zip(*axes, strict=True):
        if x.shape[i] != y.shape[j]:
            raise ShapeError(
                f"{name}: contracted sizes differ, {x.aval!r} axis {i} against {y.aval!r} axis {j} "
                f"({x.shape[i]} against {y.shape[j]}). Transpose one operand, or name the axes "
                "with `tensordot` or `einsum`."
            )
    weak = x.weak_type and y.weak_type
    if x.dtype == np.bool_:  # or of ands
        x, y = cast(x, np.dtype(np.int32)), cast(y, np.dtype(np.int32))
        return cast(dot_general(x, y, (axes, batch)), np.dtype(bool))
    result = dot_general(x, y, (axes, batch), precision=precision, preferred_element_type=wanted)
    return (
        result
        if wanted is not None or result.weak_type == weak
        else cast(result, result.dtype, weak)
    )


def dot(a: Any, b: Any, *, precision: Any = None, preferred_element_type: Any = None) -> Any:
    """The product over the last axis of a and the last but one of b; of scalars, the product.

    Parameters
    ----------
    a, b : array-like
        The factors.
    precision : ignored or Precision
        Passed to `lax.dot_general`.
    preferred_element_type : dtype, optional
        Accumulate and give in this one.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> dot(jnp.ones((2, 3)), jnp.ones(3))
    Array([3., 3.], dtype=float32)
    """
    x, y, wanted = _typed("dot", a, b, preferred_element_type)
    if x.ndim == 0 or y.ndim == 0:
        return ufuncs.multiply(x, y)
    axis = 0 if y.ndim == 1 else y.ndim - 2
    return _contract("dot", x, y, ((x.ndim - 1,), (axis,)), ((), ()), precision, wanted)


def matmul(a: Any, b: Any, *, precision: Any = None, preferred_element_type: Any = None) -> Any:
    """The matrix product, over broadcast leading axes.

    Parameters
    ----------
    a, b : array-like
        With at least one axis; a 1-d operand is a vector.
    precision : ignored or Precision
        Passed to `lax.dot_general`.
    preferred_element_type : dtype, optional
        Accumulate and give in this one.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> matmul(jnp.eye(2), jnp.ones((2, 1)))
    Array([[1.],
           [1.]], dtype=float32)
    """
    x, y, wanted = _typed("matmul", a, b, preferred_element_type)
    if x.ndim == 0 or y.ndim == 0:
        raise ArgumentValueError(
            f"matmul: operands need at least one axis, got {x.aval!r} and {y.aval!r}. Use multiply "
            "for scalars."
        )
    inner_y = y.shape[-2] if y.ndim > 1 else y.shape[0]
    if x.shape[-1] != inner_y:
        raise ShapeError(
            f"matmul: inner sizes differ, {x.aval!r} @ {y.aval!r} ({x.shape[-1]} against "
            f"{inner_y}). Transpose one operand, or name the axes with `tensordot` or `einsum`."
        )
    if y.ndim <= 2:
        return _contract(
            "matmul", x, y, ((x.ndim - 1,), (max(y.ndim - 2, 0),)), ((), ()), precision, wanted
        )
    if x.ndim == 1:
        flipped = _contract("matmul", y, x, ((y.ndim - 2,), (0,)), ((), ()), precision, wanted)
        return flipped
    batch = broadcast_shapes(x.shape[:-2], y.shape[:-2])
    x = broadcast_to(x, (*batch, *x.shape[-2:]))
    y = broadcast_to(y, (*batch, *y.shape[-2:]))
    n = len(batch)
    axes = tuple(range(n))
    return _contract("matmul", x, y, ((n + 1,), (n,)), (axes, axes), precision, wanted)


def inner(a: Any, b: Any, *, precision: Any = None, preferred_element_type: Any = None) -> Any:
    """The product over the last axes.

    Parameters
    ----------
    a, b : array-like
        The factors.
    precision, preferred_element_type
        As for `dot`.
    """
    x, y, wanted = _typed("inner", a, b, preferred_element_type)
    if x.ndim == 0 or y.ndim == 0:
        return ufuncs.multiply(x, y)
    return _contract("inner", x, y, ((x.ndim - 1,), (y.ndim - 1,)), ((), ()), precision, wanted)


def outer(a: Any, b: Any, out: None = None) -> Any:
    """All products of elements of two vectors.

    Parameters
    ----------
    a, b : array-like
        Flattened.
    out : None
        Arrays are immutable.
    """
    refuse_out("outer", out)
    x, y, _ = _typed("outer", a, b, None)
    return ufuncs.multiply(shaping.reshape(x, (x.size, 1)), shaping.reshape(y, (1, y.size)))


def vdot(a: Any, b: Any, *, precision: Any = None, preferred_element_type: Any = None) -> Any:
    """The inner product of all elements, the first conjugated.

    Parameters
    ----------
    a, b : array-like
        Flattened.
    precision, preferred_element_type
        As for `dot`.
    """
    x, y, _ = _typed("vdot", a, b, None)
    flat = shaping.reshape(conj(x), (x.size,)), shaping.reshape(y, (y.size,))
    return dot(*flat, precision=precision, preferred_element_type=preferred_element_type)


def vecdot(
    x1: Any,
    x2: Any,
    /,
    *,
    axis: int = -1,
    precision: Any = None,
    preferred_element_type: Any = None,
) -> Any:
    """Inner products of vectors along an axis, the first conjugated.

    Parameters
    ----------
    x1, x2 : array-like
        Broadcast against each other.
    axis : int
        Of the vectors.
    precision, preferred_element_type
        As for `dot`.
    """
    x, y, wanted = _typed("vecdot", x1, x2, preferred_element_type)
    for v in (x, y):
        if v.ndim == 0:
            raise ArgumentValueError(f"vecdot: operands need at least one axis, got {v.aval!r}.")
    x = moveaxis(x, normal_axis("vecdot", axis, x.ndim), -1)
    y = moveaxis(y, normal_axis("vecdot", axis, y.ndim), -1)
    if x.shape[-1] != y.shape[-1]:
        raise ShapeError(
            f"vecdot: lengths differ along axis {axis}, {x.shape[-1]} against {y.shape[-1]}."
        )
    batch = broadcast_shapes(x.shape[:-1], y.shape[:-1])
    x = broadcast_to(conj(x), (*batch, x.shape[-1]))
    y = broadcast_to(y, (*batch, y.shape[-1]))
    axes, last = tuple(range(len(batch))), (len(batch),)
    return _contract("vecdot", x, y, (last, last), (axes, axes), precision, wanted)


def tensordot(
    a: Any, b: Any, axes: Any = 2, *, precision: Any = None, preferred_element_type: Any = None
) -> Any:
    """The product over several axes.

    Parameters
    ----------
    a, b : array-like
        The factors.
    axes : int or pair of sequences of int
        How many (last of a with first of b), or which.
    precision, preferred_element_type
        As for `dot`.
    """
    x, y, wanted = _typed("tensordot", a, b, preferred_element_type)
    if isinstance(axes, (int, np.integer)):
        left, right = tuple(range(x.ndim - axes, x.ndim)), tuple(range(axes))
    else:
        left, right = (
            normal_axes("tensordot", axes[0], x.ndim),
            normal_axes("tensordot", axes[1], y.ndim),
        )
    if len(left) != len(right):
        raise ArgumentValueError(f"tensordot: axes must name as many of a as of b, got {axes}.")
    return _contract("tensordot", x, y, (left, right), ((), ()), precision, wanted)


def einsum(
    subscripts: Any,
    /,
    *operands: Any,
    optimize: Any = "optimal",
    precision: Any = None,
    preferred_element_type: Any = None,
    out: Any = None,
    out_sharding: Any = None,
) -> Any:
    """Sums of products in Einstein's notation.

    Parameters
    ----------
    subscripts : str
        ``"ij,jk->ik"``; an ellipsis stands for broadcast axes. Or the first factor.
    *operands : array-like
        The factors. Without a string, each is followed by the list of its axes' numbers, and a
        list for the result may come last.
    optimize : bool or str
        How opt_einsum looks for the order.
    precision, preferred_element_type
        As for `dot`.
    out : None
        Arrays are immutable.
    out_sharding : Device, optional
        The CPU.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> einsum("ij->j", jnp.ones((2, 3)))
    Array([2., 2., 2.], dtype=float32)
    """
    refuse_out("einsum", out)
    checked_device("einsum", out_sharding)
    if not isinstance(subscripts, str):
        subscripts, operands = _from_lists(subscripts, *operands)
    arrays = promote_dtypes("einsum", *as_arrays("einsum", *operands))
    inputs, output = _expand("einsum", subscripts, arrays)
    terms = [(labels, x) for labels, x in zip(inputs, arrays, strict=True)]
    sizes: dict[str, int] = {}
    for labels, x in terms:
        for label, n in zip(labels, x.shape, strict=True):
            if sizes.setdefault(label, n) not in (n, 1) and n != 1:
                raise ShapeError(
                    f"einsum: {label} of {subscripts!r} has sizes {sizes[label]} and {n}, got "
                    f"{', '.join(repr(a.aval) for a in arrays)}. Give the axes one size, or one of "
                    "them another letter."
                )
            sizes[label] = max(sizes[label], n)
    terms = [_diagonals(labels, x) for labels, x in terms]
    path = [(0, 1)] if len(terms) == 2 else [(0,)] if len(terms) == 1 else None
    if path is None:
        shapes = [x.shape for _, x in terms]
        equation = ",".join("".join(labels) for labels, _ in terms) + "->" + "".join(output)
        how = "auto" if optimize is True or optimize == "optimal" else (optimize or "greedy")
        path = opt_einsum.contract_path(equation, *shapes, shapes=True, optimize=how)[0]
    for pair in path:
        chosen = [terms[k] for k in pair]
        terms = [t for k, t in enumerate(terms) if k not in pair]
        later = set(output).union(*[set(labels) for labels, _ in terms])
        if len(chosen) == 1:
            terms.append(_sum_out(*chosen[0], later))
            continue
        result = chosen[0]
        for other in chosen[1:]:
            result = _pair(result, other, later, precision, preferred_element_type)
        terms.append(result)
    labels, x = _sum_out(*terms[0], set(output))
    x = shaping.transpose(x, tuple([labels.index(label) for label in output]))
    return broadcast_to(x, tuple([sizes[label] for label in output]))


def _from_lists(*args: Any) -> tuple[str, tuple[Any, ...]]:
    """Subscripts as text, and the operands, of ``einsum(x, [0, 1], y, [1, 2], [0, 2])``."""

    def text(labels: Any) -> str:
        if not isinstance(labels, (list, tuple)):
            raise ArgumentTypeError(
                f"einsum: expected a list of axis numbers, got {type(labels).__name__}. "
                "Give subscripts as text first, or a list behind each operand."
            )
        return "".join(
            "..." if n is Ellipsis else string.ascii_letters[operator.index(n)] for n in labels
        )

    pairs = len(args) // 2
    left = ",".join(text(labels) for labels in args[1 : 2 * pairs : 2])
    right = "->" + text(args[-1]) if len(args) % 2 else ""
    return left + right, args[0 : 2 * pairs : 2]


def _expand(name: str, subscripts: str, arrays: Sequence[Any]) -> tuple[list[list[str]], list[str]]:
    """Labels of operands and result, ellipses replaced by fresh labels."""
    text = subscripts.replace(" ", "")
    left, arrow, right = text.partition("->")
    parts = left.split(",")
    if len(parts) != len(arrays):
        raise ArgumentValueError(
            f"{name}: {subscripts!r} names {len(parts)} operands, got {len(arrays)}."
        )
    free = [c for c in string.ascii_letters if c not in text]
    widest = 0
    for part, x in zip(parts, arrays, strict=True):
        if "..." in part:
            widest = max(widest, x.ndim - len(part.replace("...", "")))
    ellipsis = free[:widest]
    inputs = []
    for part, x in zip(parts, arrays, strict=True):
        if "..." in part:
            count = x.ndim - len(part.replace("...", ""))
            part = part.replace("...", "".join(ellipsis[widest - count :]))
        if len(part) != x.ndim:
            raise ArgumentValueError(
                f"{name}: {part!r} names {len(part)} axes, the operand is {x.aval!r}. Write one "
                "letter for each axis, or ... for the rest."
            )
        inputs.append(list(part))
    if arrow:
        output = list(right.replace("...", "".join(ellipsis)))
    else:
        seen = [c for part in inputs for c in part]
        output = ellipsis + sorted(c for c in set(seen) if seen.count(c) == 1 and c not in ellipsis)
    unknown = [c for c in output if all(c not in part for part in inputs)]
    if unknown or len(set(output)) != len(output):
        raise ArgumentValueError(
            f"{name}: the result of {subscripts!r} must name indices of the operands once each."
        )
    return inputs, output


def _diagonals(labels: list[str], x: Any) -> tuple[list[str], Any]:
    """An operand in which no index occurs twice."""
    for label in dict.fromkeys(labels):
        while labels.count(label) > 1:
            i = labels.index(label)
            j = labels.index(label, i + 1)
            x = _take_diagonal(x, i, j, 0)
            labels = [c for k, c in enumerate(labels) if k not in (i, j)] + [label]
    return labels, x


def _sum_out(labels: list[str], x: Any, kept: set[str]) -> tuple[list[str], Any]:
    axes = tuple([k for k, c in enumerate(labels) if c not in kept])
    if axes:
        x = any_(x, axes) if x.dtype == np.bool_ else sum_(x, axes, x.dtype)
    return [c for c in labels if c in kept], x


_Labelled = tuple[list[str], Any]


def _pair(a: _Labelled, b: _Labelled, later: set[str], precision: Any, preferred: Any) -> _Labelled:
    (la, x), (lb, y) = _sum_out(*a, later | set(b[0])), _sum_out(*b, later | set(a[0]))
    # An index of size 1 in one operand only is broadcast: it leaves that operand.
    for mine, other in ((0, 1), (1, 0)):
        labels, value = ((la, x), (lb, y))[mine]
        olabels, ovalue = ((la, x), (lb, y))[other]
        drop = [
            k
            for k, c in enumerate(labels)
            if c in olabels and value.shape[k] == 1 and ovalue.shape[olabels.index(c)] != 1
        ]
        if drop:
            value = shaping.reshape(
                value, tuple([n for k, n in enumerate(value.shape) if k not in drop])
            )
            labels = [c for k, c in enumerate(labels) if k not in drop]
            if mine == 0:
                la, x = labels, value
            else:
                lb, y = labels, value
    la, x = _sum_out(la, x, later | set(lb))
    lb, y = _sum_out(lb, y, later | set(la))
    shared = [c for c in la if c in lb]
    batch = [c for c in shared if c in later]
    summed = [c for c in shared if c not in later]
    axes = (tuple([la.index(c) for c in summed]), tuple([lb.index(c) for c in summed]))
    batches = (tuple([la.index(c) for c in batch]), tuple([lb.index(c) for c in batch]))
    wanted = None if preferred is None else dtypes.check_user_dtype(preferred)
    result = _contract("einsum", x, y, axes, batches, precision, wanted)
    labels = batch + [c for c in la if c not in shared] + [c for c in lb if c not in shared]
    return labels, result


def _take_diagonal(x: Any, i: int, j: int, offset: int) -> Any:
    """The diagonal of axes i and j as the last axis."""
    order = [k for k in range(x.ndim) if k not in (i, j)] + [i, j]
    x = shaping.transpose(x, tuple(order))
    rows, columns = x.shape[-2:]
    start_row, start_column = max(-offset, 0), max(offset, 0)
    n = max(min(rows - start_row, columns - start_column), 0)
    if n == 0:
        return shaping.full((*x.shape[:-2], 0), 0, x.dtype)
    row = iota(np.int32, n) + np.int32(start_row)
    column = iota(np.int32, n) + np.int32(start_column)
    return index_array(x, (Ellipsis, row, column))


@structural("a")
def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The diagonal of two axes, as the last axis of the result.

    Parameters
    ----------
    a : array-like
        With at least two axes.
    offset : int
        Which diagonal; positive ones are above the main one.
    axis1, axis2 : int
        The axes.
    """
    (x,) = as_arrays("diagonal", a)
    i, j = normal_axis("diagonal", axis1, x.ndim), normal_axis("diagonal", axis2, x.ndim)
    return _take_diagonal(x, i, j, offset)


def diag(v: Any, k: int = 0) -> Any:
    """The matrix with a vector on its diagonal, or the diagonal of a matrix.

    Parameters
    ----------
    v : array-like
        A vector or a matrix.
    k : int
        Which diagonal.
    """
    (x,) = as_arrays("diag", v)
    if x.ndim == 2:
        return diagonal(x, k)
    if x.ndim != 1:
        raise ArgumentValueError(f"diag: expected a vector or a matrix, got {x.aval!r}.")
    n = x.shape[0] + abs(k)
    if k >= 0:
        rows = pad(x, shaping.full((), 0, x.dtype), [(0, k, 0)])
        return ufuncs.where(
            eye(n, k=k, dtype=bool),
            shaping.broadcast_in_dim(rows, (n, n), (0,)),
            shaping.full((n, n), 0, x.dtype),
        )
    return swapaxes(diag(x, -k), 0, 1)


def trace(
    a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: None = None
) -> Any:
    """The sum of a diagonal.

    Parameters
    ----------
    a : array-like
        With at least two axes.
    offset, axis1, axis2
        As for `diagonal`.
    dtype : dtype, optional
        Accumulate and give in this one.
    out : None
        Arrays are immutable.
    """
    refuse_out("trace", out)
    return sum_(diagonal(a, offset, axis1, axis2), -1, dtype)


def _triangle(name: str, m: Any, k: int, lower: bool) -> Any:
    (x,) = as_arrays(name, m)
    if x.ndim < 2:
        raise ArgumentValueError(f"{name}: {x.aval!r} has fewer than two axes.")
    rows, columns = x.shape[-2:]
    keep = tri(rows, columns, k if lower else k - 1, bool)
    keep = keep if lower else ufuncs.logical_not(keep)
    return ufuncs.where(keep, x, shaping.full(x.shape, 0, x.dtype))


def tril(m: Any, k: int = 0) -> Any:
    """The elements at and below a diagonal, zeros above.

    Parameters
    ----------
    m : array-like
        With at least two axes.
    k : int
        Which diagonal.
    """
    return _triangle("tril", m, k, True)


def triu(m: Any, k: int = 0) -> Any:
    """The elements at and above a diagonal, zeros below.

    Parameters
    ----------
    m : array-like
        With at least two axes.
    k : int
        Which diagonal.
    """
    return _triangle("triu", m, k, False)


def kron(a: Any, b: Any) -> Any:
    """The Kronecker product.

    Parameters
    ----------
    a, b : array-like
        The factors.
    """
    x, y, _ = _typed("kron", a, b, None)
    rank = max(x.ndim, y.ndim)
    x = shaping.reshape(x, (1,) * (rank - x.ndim) + x.shape)
    y = shaping.reshape(y, (1,) * (rank - y.ndim) + y.shape)
    left = shaping.expand_dims(x, tuple(range(1, 2 * rank, 2)))
    right = shaping.expand_dims(y, tuple(range(0, 2 * rank, 2)))
    product = ufuncs.multiply(left, right)
    return shaping.reshape(product, tuple([m * n for m, n in zip(x.shape, y.shape, strict=True)]))
