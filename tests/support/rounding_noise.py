"""How far two ways of computing one thing may differ: a bound measured by noise in every rounding.

`measured(run)` runs a function eagerly as it is, and then twice with every inexact result of
every primitive (also inside loops and branches, and inside derivatives) multiplied by 1 + u r, r
uniform in [-1, 1] and u = 64 eps of the result's dtype.  What the results move by is the condition
of the computation times 64 eps.  Two ways of computing, each of whose operations is right within a
few eps, must agree within

    5 * moved + 3 * (mean of moved over the array) + 16 * eps * |value|,

element by element (and 16 of the smallest positive numbers): n eps times a condition factor, in
the words of the design page.  A whole number counts as exact (masks, counters, floors), and so does
an element that is one of the operands' (what was only moved or chosen), so noise moves no integer
to its neighbour, and the greatest of some numbers stays one of them.  What adds up many elements
rounds at every step, so its operands are moved as well: the bound is in terms of their size, not of
the sum's.  Integers and booleans must be equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

import fnx
from fnx.core.array import adopt
from fnx.core.primitive import HigherOrderPrimitive, Primitive

__all__ = ["Measured", "disagreement", "measured", "noisy", "wide"]

#: Noise in units of eps, and how often it is drawn.
NOISE, RUNS = 64, 2

#: What adds up (or multiplies) many elements.
SUMS = frozenset(
    "reduce_sum dot_general conv_general_dilated cumsum cumprod reduce_prod reduce_window_sum "
    "cumlogsumexp linear_recurrence scatter_add select_and_scatter_add".split()
)


@dataclass(frozen=True)
class Measured:
    """Results, and for each the largest difference that rounding explains."""

    values: list[np.ndarray]
    bounds: list[np.ndarray]


def measured(run: Callable[[], Any], runs: int = RUNS) -> Measured:
    """The leaves of what `run` gives in eager mode, with their bounds."""
    with fnx.disable_jit():
        values = _leaves(run())
        moved = [np.zeros(v.shape) for v in values]
        for seed in range(runs):
            with noisy(seed):
                again = _leaves(run())
            for k, (value, other) in enumerate(zip(values, again, strict=True)):
                if value.dtype.kind in "fc":
                    moved[k] = np.maximum(moved[k], np.abs(wide(other) - wide(value)))
    return Measured(values, [_bound(v, m) for v, m in zip(values, moved, strict=True)])


def disagreement(reference: Measured, result: Any, bounds: list[np.ndarray] | None = None) -> str:
    """What differs more than it may, in words; nothing if all is well."""
    got = _leaves(result)
    if len(got) != len(reference.values):
        return f"{len(got)} results, wanted {len(reference.values)}"
    for k, (value, other) in enumerate(zip(reference.values, got, strict=True)):
        bound = (bounds or reference.bounds)[k]
        if (value.shape, value.dtype) != (other.shape, other.dtype):
            return (
                f"result {k} is {other.dtype.name}{list(other.shape)}, "
                f"wanted {value.dtype.name}{list(value.shape)}"
            )
        difference = np.abs(wide(other) - wide(value))
        same = (wide(other) == wide(value)) | (np.isnan(wide(other)) & np.isnan(wide(value)))
        if not np.all(same | (difference <= bound)):
            with np.errstate(all="ignore"):
                worst = np.nanmax(np.where(same, 0, difference / np.maximum(bound, 1e-300)))
            return (
                f"result {k} differs, up to {worst:.3g} times the bound\n"
                f"wanted {value!r}\ngot    {other!r}\nbound  {bound!r}"
            )
    return ""


@contextmanager
def noisy(seed: int) -> Iterator[None]:
    """Every inexact result of an eager primitive is off by up to `NOISE` eps, at random."""
    rng = np.random.default_rng(seed)
    plain = Primitive.apply

    def apply(self: Primitive, args: Any, params: dict[str, Any]) -> Any:
        if self.name in SUMS:
            args = [_shaken(a, (), rng) for a in args]
        out = plain(self, args, params)
        if self.multiple_results:
            return [_shaken(o, args, rng) for o in out]
        return _shaken(out, args, rng)

    assert "apply" in vars(HigherOrderPrimitive)  # what holds a program adds no rounding of its own
    Primitive.apply = apply  # type: ignore[method-assign]
    try:
        yield
    finally:
        Primitive.apply = plain  # type: ignore[method-assign]


def wide(value: Any) -> np.ndarray:
    """In double precision, where differences can be taken."""
    value = np.asarray(value)
    return value.astype(np.complex128 if value.dtype.kind == "c" else np.float64)


def _shaken(out: Any, args: Any, rng: np.random.Generator) -> Any:
    data = np.asarray(out)
    if data.dtype.kind not in "fc" or not data.size:
        return out
    size = NOISE * np.finfo(data.dtype).eps
    moved = data * (1 + size * rng.uniform(-1, 1, data.shape))
    with np.errstate(invalid="ignore"):
        exact = data == np.rint(data)
    for operand in args:
        exact |= (data[..., np.newaxis] == np.asarray(operand).ravel()).any(axis=-1)
    moved = np.where(exact, data, moved)
    return adopt(np.asarray(moved, data.dtype), out.aval.weak_type)


def _bound(value: np.ndarray, moved: np.ndarray) -> np.ndarray:
    if value.dtype.kind not in "fc" or not value.size:
        return np.zeros(value.shape)
    eps = float(np.finfo(value.dtype).eps)
    denormal = float(np.finfo(value.dtype).smallest_subnormal)
    return 5 * moved + 3 * np.mean(moved) + 16 * (eps * np.abs(wide(value)) + denormal)


def _leaves(tree: Any) -> list[np.ndarray]:
    return [np.asarray(leaf) for leaf in fnx.tree_util.tree_leaves(tree)]
