"""Products of all but one: what the derivative of a product needs where a factor may be zero.

`other_factors` gives, for each factor, the product of the others that have the same label.  It
sorts by label and multiplies prefixes by suffixes, which doubles its reach in every step; there is
no division, so it is right at zero and to any order of differentiation.
Read next: `scattering` (scatter_mul), its user.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fnx.primitives.arithmetic import mul
from fnx.primitives.comparison import eq, select_n
from fnx.primitives.iota import iota
from fnx.primitives.shaping import full, rev
from fnx.primitives.slicing import pad
from fnx.primitives.sorting import sort_p, take_along_axis

__all__ = ["other_factors"]


def other_factors(labels: Any, factors: Any) -> Any:
    """For each factor, the product of all others with its label.

    Parameters
    ----------
    labels : Array
        Integers that are not negative, of one axis.
    factors : Array
        Numbers, of the same shape.

    Returns
    -------
    Array
        Like `factors`; 1 for a factor whose label occurs once.
    """
    (count,) = labels.shape
    index_dtype = np.int32 if count <= np.iinfo(np.int32).max else np.int64
    grouped, order = _sorted(labels, iota(index_dtype, count))
    values = take_along_axis(factors, order, 0)
    before = _product_before(grouped, values)
    after = rev(_product_before(rev(grouped, (0,)), rev(values, (0,))), (0,))
    _, back = _sorted(order, iota(index_dtype, count))
    return take_along_axis(mul(before, after), back, 0)


def _sorted(keys: Any, values: Any) -> Any:
    return sort_p(keys, values, dimension=0, is_stable=True, num_keys=1)


def _product_before(labels: Any, factors: Any) -> Any:
    """The product of what precedes each factor among its neighbours of the same label."""
    (count,) = labels.shape
    one = full(labels.shape, 1, factors.dtype)

    def earlier(distance: int, values: Any) -> Any:
        """What stands `distance` places before, where the label is the same; else 1."""
        moved = pad(values, full((), 1, values.dtype), [(distance, -distance, 0)])
        label = pad(labels, full((), -1, labels.dtype), [(distance, -distance, 0)])
        return select_n(eq(label, labels), one, moved)

    distance, product = 1, factors  # of the last `distance` factors, up to the label's first
    while distance < count:
        product = mul(product, earlier(distance, product))
        distance *= 2
    return earlier(1, product) if count else product
