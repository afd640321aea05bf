"""Derivatives of derivatives stay right and small: the contract on ``tanh(sin(x) * exp(-x * x))``.

`grad` is nested up to eight times, on the function and on its sum over a vector (whose gradient is
summed and differentiated again). mpmath has the values. The sizes are in docs/derivative_sizes.md,
which ``pytest --update-golden`` on this file writes anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx.core.check import check_jaxpr
from fnx.core.jaxpr import Jaxpr, eval_jaxpr
from tests.support.golden_files import compare_golden

PAGE = Path(__file__).parents[3] / "docs" / "derivative_sizes.md"

ORDERS = 7
LARGEST, GROWTH = 2100, 2.25

#: What ``jax.make_jaxpr(jax.grad(...))`` of JAX 0.10.2 has at the orders 1 to 7, stored by
#: tests/support/make_jax_program_references.py.
STORED = Path(__file__).parents[1] / "data" / "jax_derivative_sizes.json"
JAX: dict[str, list[int]] = json.loads(STORED.read_text(encoding="utf-8"))
POINTS = {
    "scalar": np.array(0.3),
    "vector": np.array([0.3, -1.1, 0.9, 0.05, 2.0]),
}
KINDS = tuple(POINTS)


def function(x: Any) -> Any:
    """The function of the contract."""
    return jnp.tanh(jnp.sin(x) * jnp.exp(-x * x))


def derivative(kind: str, order: int) -> Callable[..., Any]:
    """The derivative as users nest it."""
    if kind == "scalar":
        return function if order == 0 else fnx.grad(derivative(kind, order - 1))
    below = derivative(kind, order - 1) if order > 1 else function
    return fnx.grad(lambda x: jnp.sum(below(x)))


@cache
def exact(kind: str) -> list[np.ndarray]:
    """The derivatives of order 0 to 8, by mpmath."""

    def multiple(t: Any) -> Any:
        return mpmath.tanh(mpmath.sin(t) * mpmath.exp(-t * t))

    points = POINTS[kind]
    with mpmath.workdps(60):
        rows = [mpmath.taylor(multiple, mpmath.mpf(v), 8) for v in points.ravel()]
        factors = [mpmath.factorial(k) for k in range(9)]
        values = [[float(row[k] * factors[k]) for row in rows] for k in range(9)]
    return [np.reshape(v, points.shape) for v in values]


@cache
def programs(kind: str, order: int) -> tuple[int, Jaxpr]:
    """Equations of the program as recorded, and the simplified program, which `jit` compiles."""
    slope = derivative(kind, order)
    recorded = fnx.make_jaxpr(slope)(POINTS[kind])
    return len(recorded.eqns), fnx.jit(slope).trace(POINTS[kind]).jaxpr.jaxpr


def growth(sizes: list[int]) -> float:
    """The geometric mean of the growth from one order to the next."""
    return float((sizes[-1] / sizes[0]) ** (1 / (len(sizes) - 1)))


@pytest.mark.parametrize("kind", KINDS)
def test_eight_nested_gradients(kind: str) -> None:
    for order in range(1, 9):
        got = derivative(kind, order)(POINTS[kind])
        assert got.dtype == np.float64
        np.testing.assert_allclose(got, exact(kind)[order], rtol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_sizes(kind: str, record_property: Callable[[str, object], None]) -> None:
    sizes = [len(programs(kind, order)[1].eqns) for order in range(1, ORDERS + 1)]
    record_property("equations", sizes)
    print(f"{kind}: {sizes} equations, mean growth {growth(sizes):.4f}; JAX: {JAX[kind]}")
    assert sizes[-1] <= LARGEST
    assert growth(sizes) <= GROWTH
    for order, theirs in enumerate(JAX[kind], 1):
        recorded, simplified = programs(kind, order)
        assert len(simplified.eqns) <= recorded <= theirs
        # Nothing is hidden: no equation holds a program.
        held = [v for e in simplified.eqns for v in e.params.values() if isinstance(v, Jaxpr)]
        assert not held


@pytest.mark.parametrize("kind", KINDS)
def test_small_programs_are_right(kind: str) -> None:
    for order in range(1, ORDERS + 1):
        _, program = programs(kind, order)
        check_jaxpr(program)
        (got,) = eval_jaxpr(program, jnp.asarray(POINTS[kind]))
        np.testing.assert_allclose(got, exact(kind)[order], rtol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_compiled(kind: str) -> None:
    for order in (1, 3, 5):
        got = fnx.jit(derivative(kind, order))(POINTS[kind])
        np.testing.assert_allclose(got, exact(kind)[order], rtol=1e-9)


def test_forward_and_reverse_mode_in_any_order_agree() -> None:
    push = lambda f: lambda x: fnx.jvp(f, (x,), (np.ones(()),))[1]  # noqa: E731
    x = POINTS["scalar"]
    for first in (fnx.grad, push, fnx.jacfwd, fnx.jacrev):
        for second in (fnx.grad, push, fnx.jit, fnx.checkpoint):
            for third in (fnx.grad, push):
                nested = third(second(first(function)))
                order = 2 if second in (fnx.jit, fnx.checkpoint) else 3
                np.testing.assert_allclose(nested(x), exact("scalar")[order], rtol=1e-12)


def page() -> str:
    """The text of docs/derivative_sizes.md."""
    lines = [_INTRODUCTION]
    titles = {
        "scalar": "## `tanh(sin(x) * exp(-x * x))`",
        "vector": "## `sum(tanh(sin(x) * exp(-x * x)))` on a 5-vector, its gradient summed again",
    }
    for kind in KINDS:
        recorded = [programs(kind, k)[0] for k in range(1, ORDERS + 1)]
        compiled = [len(programs(kind, k)[1].eqns) for k in range(1, ORDERS + 1)]
        lines += ["", titles[kind], "", "| order | compiled | recorded | JAX 0.10.2 |"]
        lines.append("| --- | ---: | ---: | ---: |")
        rows = zip(range(1, ORDERS + 1), compiled, recorded, JAX[kind], strict=True)
        lines += [f"| {k} | {c} | {r} | {j} |" for k, c, r, j in rows]
        means = [f"{growth(s):.3f}" for s in (compiled, recorded, JAX[kind])]
        lines.append(f"| mean growth | {' | '.join(means)} |")
    return "\n".join(lines)


_INTRODUCTION = """# Sizes of nested derivatives

Equations of the program of `grad` nested one to seven times, written by
`pytest tests/fnx/transforms/test_nested_derivatives.py --update-golden`, which also compares
the values, up to order 8, with mpmath's to 1e-9 in float64.

*Compiled* counts the program that `jit` compiles: staged and simplified (equal expressions
merged, folds that respect NaN, infinities and -0, dead code dropped). *Recorded* counts it as
`fnx.make_jaxpr` prints it, before that last simplification; the inner derivatives were
simplified when they were inlined. *JAX* is `jax.make_jaxpr` of the same derivative, equations of
inner programs included; XLA simplifies it later. None of our equations holds a program.
The compiled size may be 2100 at order 7, and may grow by a factor of 2.25 on average."""


def test_the_table_in_the_documents(request: pytest.FixtureRequest) -> None:
    compare_golden(PAGE, page(), request.config.getoption("--update-golden"))
