"""Products of matrices whose rows (or columns) come in groups: `ragged_dot`, and `scaled_dot`.

The groups lie one after the other along an axis; their sizes are data.  Each is cut out by zeros
elsewhere, which makes a new axis of groups, and one `dot_general` does the rest: so the work is
that of all groups as if each were the whole axis.
Read before: `fnx.primitives.contraction`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np

from fnx.core.conversion import as_value
from fnx.errors import ArgumentTypeError, UnsupportedError
from fnx.primitives.arithmetic import mul, sub
from fnx.primitives.bits import bitwise_and
from fnx.primitives.cast import convert_element_type
from fnx.primitives.comparison import ge, lt, select
from fnx.primitives.contraction import dot_general
from fnx.primitives.cumulative import cumsum
from fnx.primitives.iota import broadcasted_iota
from fnx.primitives.shaping import broadcast_in_dim, full, reshape, transpose

__all__ = [
    "DotDimensionNumbers",
    "RaggedDotDimensionNumbers",
    "ragged_dot",
    "ragged_dot_general",
    "scaled_dot",
]

#: ``((lhs_contracting, rhs_contracting), (lhs_batch, rhs_batch))``, as `dot_general` takes them.
DotDimensionNumbers = tuple[
    tuple[Sequence[int], Sequence[int]], tuple[Sequence[int], Sequence[int]]
]


@dataclass(frozen=True, slots=True)
class RaggedDotDimensionNumbers:
    """Which axes `ragged_dot_general` contracts, along which groups lie, and which counts them.

    Parameters
    ----------
    dot_dimension_numbers : ((sequence, sequence), (sequence, sequence))
        As for `dot_general`.
    lhs_ragged_dimensions : sequence of int
        The one axis of the left operand along which groups lie.
    rhs_group_dimensions : sequence of int
        The one axis of the right operand that has a matrix for each group; none where the groups
        lie along a contracted axis or a batch axis.
    """

    dot_dimension_numbers: DotDimensionNumbers
    lhs_ragged_dimensions: Sequence[int]
    rhs_group_dimensions: Sequence[int]

    def __post_init__(self) -> None:
        (left, right), (left_batch, right_batch) = self.dot_dimension_numbers
        dimensions = (tuple(left), tuple(right)), (tuple(left_batch), tuple(right_batch))
        object.__setattr__(self, "dot_dimension_numbers", dimensions)
        object.__setattr__(self, "lhs_ragged_dimensions", tuple(self.lhs_ragged_dimensions))
        object.__setattr__(self, "rhs_group_dimensions", tuple(self.rhs_group_dimensions))


def ragged_dot(
    lhs: Any,
    rhs: Any,
    group_sizes: Any,
    precision: Any = None,
    preferred_element_type: Any = None,
    group_offset: None = None,
) -> Any:
    """The product of each group of rows with the matrix of that group.

    Parameters
    ----------
    lhs : Array
        (m, k); the groups of rows one after the other.
    rhs : Array
        (g, k, n): a matrix for each group.
    group_sizes : Array
        (g,), of integers: how many rows each group has.
    precision, preferred_element_type
        As for `dot_general`.
    group_offset : None
        Not supported.

    Returns
    -------
    Array
        (m, n); rows beyond the last group are zero.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx import lax
    >>> lax.ragged_dot(jnp.ones((3, 1)), jnp.array([[[2.]], [[5.]]]), jnp.array([1, 2]))
    Array([[2.],
           [5.],
           [5.]], dtype=float32)
    """
    numbers = RaggedDotDimensionNumbers((((1,), (1,)), ((), ())), (0,), (0,))
    return ragged_dot_general(
        lhs, rhs, group_sizes, numbers, precision, preferred_element_type, group_offset
    )


def ragged_dot_general(
    lhs: Any,
    rhs: Any,
    group_sizes: Any,
    ragged_dot_dimension_numbers: RaggedDotDimensionNumbers,
    precision: Any = None,
    preferred_element_type: Any = None,
    group_offset: None = None,
) -> Any:
    """`dot_general` of groups that lie one after the other along an axis.

    Parameters
    ----------
    lhs, rhs : Array
        The operands.
    group_sizes : Array
        Integers: (g,), or with leading axes, the left operand's batch axes and those of the kind of
        the ragged axis (free or contracted) that come before it.
    ragged_dot_dimension_numbers : RaggedDotDimensionNumbers
        Which axis is which.
    precision, preferred_element_type
        As for `dot_general`.
    group_offset : None
        Not supported.

    Returns
    -------
    Array
        As from `dot_general`.  Where groups lie along a free axis, rows beyond the last group are
        zero.  Where they lie along a contracted axis, a first axis counts the groups.

    Raises
    ------
    TypeError
        Axes or shapes do not fit.
    NotImplementedError
        There is an offset.
    """
    name = "ragged_dot_general"
    if group_offset is not None:
        raise UnsupportedError(f"{name}: group_offset must be None. Slice rhs and group_sizes.")
    x = as_value(lhs, name, "lhs")
    y = as_value(rhs, name, "rhs")
    sizes = as_value(group_sizes, name, "group_sizes")
    numbers = ragged_dot_dimension_numbers
    (contracted, right), (batch, right_batch) = numbers.dot_dimension_numbers
    ragged = _one(name, "lhs_ragged_dimensions", numbers.lhs_ragged_dimensions, x)
    if sizes.dtype.kind not in "iu" or sizes.ndim == 0:
        raise ArgumentTypeError(
            f"{name}: group_sizes must be integers with an axis of groups, got {sizes.aval!r}."
        )
    free = [k for k in range(x.ndim) if k not in contracted and k not in batch]
    options = {"precision": precision, "preferred_element_type": preferred_element_type}
    if ragged not in free and numbers.rhs_group_dimensions:
        raise ArgumentTypeError(
            f"{name}: the ragged axis {ragged} of lhs is not free, so rhs has no axis of groups, "
            f"but rhs_group_dimensions={numbers.rhs_group_dimensions}."
        )
    if ragged in batch:  # each row has its own matrix already
        _prefix(name, x, sizes, batch[: batch.index(ragged)])
        return dot_general(x, y, numbers.dot_dimension_numbers, **options)
    if ragged in free:
        group = _one(name, "rhs_group_dimensions", numbers.rhs_group_dimensions, y)
        if group in right or group in right_batch or y.shape[group] != sizes.shape[-1]:
            raise ArgumentTypeError(
                f"{name}: axis {group} of rhs {y.aval!r} must be free and have one element for "
                f"each of the {sizes.shape[-1]} groups."
            )
        axes = _prefix(name, x, sizes, [*batch, *free[: free.index(ragged)]])
        cut = _cut(x, sizes, ragged, axes)
        dimensions = (((*_after(contracted), 0), (*right, group)), (_after(batch), right_batch))
        return dot_general(cut, y, dimensions, **options)
    place = contracted.index(ragged)
    axes = _prefix(name, x, sizes, [*batch, *contracted[:place]])
    cut = _cut(x, sizes, ragged, axes)
    # Zeros on one side would let NaN and infinity of the other through.
    other = _cut(y, sizes, right[place], [*right_batch, *right[:place]][: len(axes)])
    dimensions = (
        (_after(contracted), _after(right)),
        ((0, *_after(batch)), (0, *_after(right_batch))),
    )
    return dot_general(cut, other, dimensions, **options)


def _after(axes: Sequence[int]) -> tuple[int, ...]:
    return tuple([k + 1 for k in axes])


def _one(name: str, what: str, axes: Sequence[int], x: Any) -> int:
    if len(axes) != 1 or not 0 <= axes[0] < x.ndim:
        raise ArgumentTypeError(f"{name}: {what}={tuple(axes)} must be one axis of {x.aval!r}.")
    return axes[0]


def _prefix(name: str, x: Any, sizes: Any, axes: Sequence[int]) -> Sequence[int]:
    """The axes that have group sizes of their own."""
    if sizes.ndim == 1:
        return ()
    wanted = tuple([x.shape[k] for k in axes])
    if sizes.shape[:-1] != wanted:
        raise ArgumentTypeError(
            f"{name}: group_sizes must have the shape (groups,) or {(*wanted, 'groups')}, got "
            f"{sizes.aval!r}."
        )
    return axes


def _cut(x: Any, sizes: Any, ragged: int, axes: Sequence[int]) -> Any:
    """The groups along a new first axis, each with zeros in place of the others."""
    shape = (sizes.shape[-1], *x.shape)
    places = [*_after(axes), 0]
    order = sorted(range(len(places)), key=places.__getitem__)

    def spread(values: Any) -> Any:
        return broadcast_in_dim(transpose(values, order), shape, sorted(places))

    stops = cumsum(sizes, sizes.ndim - 1)
    rows = broadcasted_iota(sizes.dtype, shape, ragged + 1)
    inside = bitwise_and(ge(rows, spread(sub(stops, sizes))), lt(rows, spread(stops)))
    repeated = broadcast_in_dim(x, shape, range(1, len(shape)))
    return select(inside, repeated, full(shape, 0, x.dtype))


def scaled_dot(
    lhs: Any,
    rhs: Any,
    *,
    lhs_scale: Any = None,
    rhs_scale: Any = None,
    dimension_numbers: DotDimensionNumbers | None = None,
    preferred_element_type: Any = None,
) -> Any:
    """`dot_general` of operands in blocks, each of which has a scale: ``(lhs * a) @ (rhs * b)``.

    Parameters
    ----------
    lhs, rhs : Array
        The operands, usually of 8 bits.
    lhs_scale, rhs_scale : Array, optional
        Like the operands, but along contracted axes with one element for each block of two or more.
    dimension_numbers : optional
        As for `dot_general`; by default products of matrices in the last two axes.
    preferred_element_type : dtype, optional
        Of the result, and of the operands once they are scaled; bfloat16 by default.

    Raises
    ------
    TypeError
        Shapes do not fit.

    Examples
    --------
    >>> import fnx.numpy as jnp
    >>> from fnx import lax
    >>> x = jnp.ones((1, 4))
    >>> lax.scaled_dot(x, x.T, lhs_scale=jnp.array([[1., 10.]]), preferred_element_type="float32")
    Array([[22.]], dtype=float32)
    """
    x, y = as_value(lhs, "scaled_dot", "lhs"), as_value(rhs, "scaled_dot", "rhs")
    if dimension_numbers is None:
        if x.ndim < 2 or y.ndim != x.ndim:
            raise ArgumentTypeError(
                f"scaled_dot: without dimension_numbers operands have two axes or more, and as "
                f"many as each other, got {x.aval!r} and {y.aval!r}."
            )
        n = x.ndim
        leading = tuple(range(n - 2))
        dimension_numbers = (((n - 1,), (n - 2,)), (leading, leading))
    wanted = ml_dtypes.bfloat16 if preferred_element_type is None else preferred_element_type
    dtype = np.dtype(wanted)
    (left, right), _ = dimension_numbers
    left_value = _scaled("lhs", x, lhs_scale, left, dtype)
    right_value = _scaled("rhs", y, rhs_scale, right, dtype)
    return dot_general(left_value, right_value, dimension_numbers, preferred_element_type=dtype)


def _scaled(name: str, x: Any, scale: Any, contracted: Sequence[int], dtype: Any) -> Any:
    value = convert_element_type(x, dtype)
    if scale is None:
        return value
    given = as_value(scale, "scaled_dot", f"{name}_scale")
    blocks = given.shape
    fits = len(blocks) == x.ndim and all(
        n == m or (k in contracted and m > 0 and n % m == 0 and n // m >= 2)
        for k, (n, m) in enumerate(zip(x.shape, blocks, strict=False))
    )
    if not fits or any(blocks[k] == x.shape[k] for k in contracted):
        raise ArgumentTypeError(
            f"scaled_dot: {name}_scale {given.aval!r} must have the sizes of {name} {x.aval!r}, "
            f"but along the contracted axes {tuple(contracted)} sizes that divide them by two or "
            "more."
        )
    split = [part for n, m in zip(x.shape, blocks, strict=True) for part in (m, n // m if m else 1)]
    spread = broadcast_in_dim(convert_element_type(given, dtype), split, range(0, 2 * x.ndim, 2))
    return mul(value, reshape(spread, x.shape))
