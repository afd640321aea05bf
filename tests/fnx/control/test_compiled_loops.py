"""Eager loops that are long run compiled: equal to the short way, and only where nothing shows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import lax
from fnx.control import compiled_loops, scan, while_loop
from fnx.control.compiled_loops import REPEATS, steps_in_python
from fnx.transforms.jvp import stage_closed

X = np.float64(0.7)


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the loops that run compiled."""
    names: list[str] = []

    def noted(primitive: Any, *rest: Any) -> Any:
        names.append(primitive.name)
        return compiled_loops.run_compiled(primitive, *rest)

    for module in (scan, while_loop):
        monkeypatch.setattr(module, "run_compiled", noted)
    return names


def counted(x: Any, n: int) -> Any:
    return lax.while_loop(lambda c: c[0] < n, lambda c: (c[0] + 1, c[1] * 0.99 + x), (0, x))


def summed(x: Any, n: int) -> Any:
    return lax.scan(lambda c, k: (c * 0.99 + x, c), x, jnp.arange(n))


def by_hand(n: int) -> list[float]:
    values = [float(X)]
    for _ in range(n):
        values.append(values[-1] * 0.99 + float(X))
    return values


def test_long_loops_run_compiled(compiled: list[str]) -> None:
    n = 3 * REPEATS
    values = by_hand(n)
    steps, last = counted(X, n)
    assert compiled == ["while"] and int(steps) == n
    np.testing.assert_allclose(last, values[-1], rtol=1e-12)
    carry, ys = summed(X, n)
    assert compiled == ["while", "scan"]
    np.testing.assert_allclose(carry, values[-1], rtol=1e-12)
    np.testing.assert_allclose(ys, values[:-1], rtol=1e-12)


def test_short_loops_stay_in_python(compiled: list[str]) -> None:
    for n in (0, 1, REPEATS):
        np.testing.assert_allclose(counted(X, n)[1], by_hand(n)[-1], rtol=1e-12)
        np.testing.assert_allclose(summed(X, n)[0], by_hand(n)[-1], rtol=1e-12)
    assert compiled == []


def test_weak_types_stay(compiled: list[str]) -> None:
    for n in (3, 3 * REPEATS):
        loop = lax.fori_loop(0, n, lambda k, c: c * 0.5, 1.0)
        assert loop.weak_type and loop.dtype == np.float32
        steps, value = lax.while_loop(
            lambda c, n=n: c[0] < n, lambda c: (c[0] + 1, c[1] / 2), (0, 1.0)
        )
        assert steps.weak_type and steps.dtype == np.int32 and value.weak_type
    assert len(compiled) == 2


def test_derivatives_of_long_loops(compiled: list[str]) -> None:
    n = 2 * REPEATS
    powers = 0.99 ** np.arange(n + 1)
    slope = powers[-1] + powers[:-1].sum()
    for loop in (lambda x: counted(x, n)[1], lambda x: summed(x, n)[0]):
        for transform in (fnx.grad, fnx.jacfwd):
            np.testing.assert_allclose(transform(loop)(X), slope, rtol=1e-12)
        lanes = fnx.vmap(fnx.grad(loop))(np.array([X, 2 * X]))
        np.testing.assert_allclose(lanes, [slope, slope], rtol=1e-12)
    assert "while" in compiled and "scan" in compiled


def test_loops_with_effects_stay_in_python(compiled: list[str], capsys: Any) -> None:
    def step(carry: Any, k: Any) -> Any:
        fnx.debug.print("{}", k)
        return carry + 1, None

    lax.scan(step, 0, jnp.arange(2 * REPEATS))
    assert capsys.readouterr().out.split() == [str(k) for k in range(2 * REPEATS)]
    assert compiled == []


def test_a_program_is_staged_before_jit_is_disabled(compiled: list[str]) -> None:
    with fnx.disable_jit():
        np.testing.assert_allclose(counted(X, 2 * REPEATS)[1], by_hand(2 * REPEATS)[-1], rtol=1e-12)
        np.testing.assert_allclose(summed(X, 2 * REPEATS)[0], by_hand(2 * REPEATS)[-1], rtol=1e-12)
    assert compiled == []


def test_loops_inside_count(compiled: list[str]) -> None:
    def outer(c: Any, _: Any) -> Any:
        return lax.fori_loop(0, 100, lambda k, d: d * 0.9 + 1, c), None

    assert float(lax.scan(outer, 0.0, length=20)[0]) == pytest.approx(10.0)
    assert compiled == ["scan"]
    one = stage_closed(lambda x: [jnp.sin(jnp.cos(x))], [jnp.float32(0).aval], "one")
    assert steps_in_python(one) == steps_in_python(one, one) == REPEATS
    assert steps_in_python(stage_closed(lambda x: [x], one.in_avals, "none")) == REPEATS
