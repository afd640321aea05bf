"""Scans whose derivative computes blocks again: equal to the plain scan, and keep less."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import lax
from fnx.control.blocked_scan import KEPT, fewest_again
from fnx.core.jaxpr import Jaxpr, subjaxprs
from fnx.transforms.jvp import stage_closed

WRAPS = pytest.mark.parametrize("wrap", [lambda f: f, fnx.jit], ids=["eager", "compiled"])


def total(again: int, reverse: bool = False) -> Any:
    """Of carry and ys, where a carry that counts goes beside the one with a derivative."""

    def body(w: Any) -> Any:
        def step(carry: Any, x: Any) -> Any:
            h, k = carry
            return (jnp.sin(h * x) + w * h, k + 1), (h * x, k)

        return step

    def function(w: Any, xs: Any) -> Any:
        (h, _), (ys, k) = lax.scan(body(w), (w, 0), xs, reverse=reverse, checkpoint=again)
        return h + jnp.sum(ys * k)

    return function


@WRAPS
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(
    ("length", "again"), [(0, 1), (1, 1), (3, 2), (4, 1), (5, 1), (17, 1), (17, 2), (18, 3)]
)
def test_values_and_derivatives_are_those_of_the_plain_scan(
    wrap: Any, reverse: bool, length: int, again: int
) -> None:
    xs = np.linspace(0.1, 0.9, length)
    plain, blocks = total(0, reverse), total(again, reverse)
    for _ in range(3 if length == 5 and not reverse else 1):
        plain, blocks = fnx.grad(plain), fnx.grad(blocks)
        np.testing.assert_allclose(wrap(blocks)(0.7, xs), plain(0.7, xs), rtol=2e-5, atol=1e-6)
    along, wanted = (fnx.grad(total(a, reverse), 1)(0.7, xs) for a in (again, 0))
    np.testing.assert_allclose(along, wanted, rtol=1e-6)


@WRAPS
def test_lanes_and_forward_mode(wrap: Any) -> None:
    xs = np.linspace(0.1, 0.9, 22).reshape(2, 11)
    w = np.array([0.3, 0.7])
    lanes = fnx.vmap(fnx.grad(total(2)))
    np.testing.assert_allclose(wrap(lanes)(w, xs), fnx.vmap(fnx.grad(total(0)))(w, xs), rtol=1e-12)
    slopes = [fnx.jacfwd(total(a))(w[0], xs[0]) for a in (2, 0)]
    np.testing.assert_allclose(*slopes, rtol=1e-12)


def stacked(jaxpr: Jaxpr) -> int:
    """The elements of the largest array in a program."""
    sizes = [v.aval.size for e in jaxpr.eqns for v in e.outputs]
    return max([*sizes, *[stacked(b) for e in jaxpr.eqns for _, b in subjaxprs(e.params)]])


@pytest.mark.parametrize(("again", "most"), [(0, 1000), (1, 32), (2, 10)])
def test_what_is_kept(again: int, most: int) -> None:
    def function(x: Any) -> Any:
        return lax.scan(lambda c, _: (jnp.sin(c), None), x, length=1000, checkpoint=again)[0]

    for f in (fnx.grad(function), fnx.grad(fnx.grad(function))):
        assert stacked(fnx.jit(f).trace(0.5).jaxpr) <= most + 1
    if not again:
        assert stacked(fnx.jit(fnx.grad(function)).trace(0.5).jaxpr) == 1000


@pytest.mark.parametrize("length", [1, 10**3, 10**6, 10**9])
@pytest.mark.parametrize("size", [1, 10**3, 10**6])
def test_the_choice_keeps_a_bounded_number_of_bytes(length: int, size: int) -> None:
    aval = jnp.zeros(size, "float32").aval
    body = stage_closed(lambda x: [jnp.sin(x)], [aval], "step")
    again = fewest_again(body, length)

    def kept(again: int) -> float:
        return 4 * size * (again + 1) * math.pow(length, 1 / (again + 1))

    assert again == 4 or kept(again) <= KEPT
    assert again == 0 or kept(again - 1) > KEPT


def test_long_loops_do_not_keep_every_step() -> None:
    def function(x: Any) -> Any:
        return lax.fori_loop(0, 100_000, lambda k, c: c * 0.5 + x, x)

    assert stacked(fnx.jit(fnx.grad(function)).trace(0.5).jaxpr) < 1000
    np.testing.assert_allclose(fnx.grad(function)(np.float64(3)), 2.0, rtol=1e-12)


@pytest.mark.parametrize(
    ("again", "error", "words"),
    [(-1, ValueError, "checkpoint must not be negative"), (1.5, TypeError, "integer")],
)
def test_errors(again: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        lax.scan(lambda c, x: (c, None), 0.0, length=3, checkpoint=again)
