"""cond and switch: choice, equal types of branches, derivatives, lanes, all of it compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import lax
from fnx.core.check import check_jaxpr

WRAPS = pytest.mark.parametrize("wrap", [lambda f: f, fnx.jit], ids=["eager", "compiled"])


def choose(x: Any, y: Any) -> Any:
    """Branches that use different operands, so that some tangents are zero in one of them."""
    return lax.cond(
        x > 1,
        lambda x, y: {"r": jnp.sin(x) * x, "s": y},
        lambda x, y: {"r": y * y, "s": x * y},
        x,
        y,
    )


@WRAPS
@pytest.mark.parametrize("x", [0.5, 2.0])
def test_values_and_derivatives(wrap: Any, x: float) -> None:
    y = 3.0
    out = wrap(choose)(np.float64(x), np.float64(y))
    wanted = (np.sin(x) * x, y) if x > 1 else (y * y, x * y)
    np.testing.assert_allclose([out["r"], out["s"]], wanted)
    slopes = wrap(fnx.jacrev(choose, (0, 1)))(np.float64(x), np.float64(y))
    forward = wrap(fnx.jacfwd(choose, (0, 1)))(np.float64(x), np.float64(y))
    rows = ((np.sin(x) + x * np.cos(x), 0), (0, 1)) if x > 1 else ((0, 2 * y), (y, x))
    for found in (slopes, forward):
        np.testing.assert_allclose([found["r"], found["s"]], rows, atol=1e-15)
    second = wrap(fnx.grad(fnx.grad(lambda x: choose(x, x)["r"])))(np.float64(x))
    np.testing.assert_allclose(second, 2 * np.cos(x) - x * np.sin(x) if x > 1 else 2.0)


@WRAPS
@pytest.mark.parametrize("pred", [True, 1, 2.5, np.bool_(True), np.array(3), -1])
def test_what_counts_as_true(wrap: Any, pred: Any) -> None:
    assert float(wrap(lambda p: lax.cond(p, lambda: 1.0, lambda: 2.0))(pred)) == 1
    assert float(wrap(lambda p: lax.cond(p, lambda: 1.0, lambda: 2.0))(pred * 0)) == 2


def test_results_are_arrays_also_when_evaluated() -> None:
    out = lax.cond(True, lambda: (1.0, 2), lambda: (3.0, 4))
    assert all(type(o) is fnx.Array and o.weak_type for o in out)
    assert not lax.cond(True, lambda: 1.0, lambda: jnp.float32(2)).weak_type
    assert lax.cond(True, lambda: None, lambda: None) is None


def test_both_branches_are_traced_and_one_runs() -> None:
    traced: list[str] = []
    out = lax.cond(
        True,
        lambda x: traced.append("true") or x / 1,
        lambda x: traced.append("false") or x / 0,
        2.0,
    )
    assert sorted(traced) == ["false", "true"] and float(out) == 2


def test_forms_of_the_call() -> None:
    assert float(lax.cond(True, lambda x: x, lambda x: -x, operand=2.0)) == 2
    assert float(lax.cond(False, lambda _: 1.0, lambda _: 2.0, operand=None)) == 2
    assert float(lax.cond(False, lambda _: 1.0, lambda _: 2.0, None)) == 2
    assert float(lax.cond(False, 1.0, lambda x: x + 1, 5.0, lambda x: x - 1)) == 4


@WRAPS
@pytest.mark.parametrize(
    ("branches", "words"),
    [
        ((lambda: 1.0, lambda: 2), r"~i32\[\] in branch 0 and ~f32\[\] in branch 1"),
        ((lambda: jnp.ones(2), lambda: jnp.ones(3)), r"f32\[3\].*f32\[2\](.|\n)*test_cond.py"),
        ((lambda: (1.0, 2.0), lambda: [1.0, 2.0]), "one structure"),
        ((lambda: {"a": 1.0}, lambda: {"b": 1.0}), "one structure"),
        ((lambda: None, lambda: 1.0), "one structure"),
        ((lambda: {"a": 1.0}, lambda: {"a": 1j}), r"\['a'\].*c64"),
    ],
)
def test_branches_must_agree(wrap: Any, branches: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        wrap(lambda p: lax.cond(p, *branches))(True)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: lax.cond(jnp.ones(2) > 0, lambda: 1.0, lambda: 2.0), r"scalar, got bool\[2\]"),
        (lambda: lax.cond(None, lambda: 1.0, lambda: 2.0), "pred is NoneType"),
        (lambda: lax.cond("yes", lambda: 1.0, lambda: 2.0), "pred is str"),
        (lambda: lax.cond(True, 1.0, 2.0), "true_fun is float"),
        (lambda: lax.cond(True, lambda x: x, lambda x: x), "argument"),
        (lambda: lax.cond(True, lambda x: x, lambda x: x, "text"), r"operands\[0\] is str"),
        (lambda: lax.switch(1.0, [lambda: 1.0, lambda: 2.0]), "integer scalar"),
        (lambda: lax.switch(jnp.array([1]), [lambda: 1.0, lambda: 2.0]), r"i32\[1\]"),
        (lambda: lax.switch(0, [lambda: 1.0, 3.0]), r"branches\[1\]"),
    ],
)
def test_errors(call: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        call()


@WRAPS
def test_switch_clamps(wrap: Any) -> None:
    f = wrap(lambda i: lax.switch(i, [lambda: 10.0, lambda: 20.0, lambda: 30.0]))
    assert [float(f(i)) for i in (-5, 0, 1, 2, 9)] == [10, 10, 20, 30, 30]
    with pytest.raises(ValueError, match="empty"):
        lax.switch(0, [])
    assert float(lax.switch(7, [lambda x: x], 3.0)) == 3


@WRAPS
def test_lanes_take_their_own_branch(wrap: Any) -> None:
    x, y = np.array([0.5, 2.0, 3.0]), np.array([1.0, 2.0, 3.0])
    for axes in ((0, 0), (0, None), (None, 0)):
        lanes = [
            choose(*[v if a is None else v[k] for v, a in zip((x, y), axes, strict=True)])["r"]
            for k in range(3)
            if axes[0] is not None and axes[1] is not None
        ]
        if not lanes:
            lanes = [
                choose(x[k] if axes[0] == 0 else x[0], y[k] if axes[1] == 0 else y[0])["r"]
                for k in range(3)
            ]
        arguments = [v if a == 0 else v[0] for v, a in zip((x, y), axes, strict=True)]
        np.testing.assert_allclose(wrap(fnx.vmap(choose, axes))(*arguments)["r"], lanes)
    indexed = fnx.vmap(lambda i, x: lax.switch(i, [jnp.sin, jnp.cos, lambda x: x], x))
    found = wrap(indexed)(np.arange(3), x)
    np.testing.assert_allclose(found, [np.sin(0.5), np.cos(2.0), 3.0])
    slopes = wrap(fnx.vmap(fnx.grad(lambda x: choose(x, x)["r"])))(x)
    np.testing.assert_allclose(slopes, [1.0, *(np.sin(x[1:]) + x[1:] * np.cos(x[1:]))])


@WRAPS
def test_captured_values(wrap: Any) -> None:
    def function(w: Any, x: Any) -> Any:
        table = w * jnp.arange(3.0)
        return lax.cond(x > 0, lambda: jnp.sum(table) * x, lambda: table[1] - x)

    w = np.float64(2)
    assert float(wrap(fnx.grad(function))(w, 1.0)) == 3
    assert float(wrap(fnx.grad(function))(w, -1.0)) == 1
    np.testing.assert_allclose(wrap(fnx.vmap(function, (0, None)))(np.ones(2), 1.0), [3, 3])


def test_recursion_of_conditions() -> None:
    def deep(x: Any, level: int) -> Any:
        if level == 0:
            return jnp.sin(x)
        return lax.cond(
            x > level, lambda x: deep(x, level - 1) * x, lambda x: deep(x, level - 1), x
        )

    f = fnx.jit(fnx.grad(lambda x: deep(x, 4)))
    x = np.float64(2.5)
    wanted = np.cos(x) * x**2 + 2 * x * np.sin(x)
    np.testing.assert_allclose(f(x), wanted)
    jaxpr = fnx.jit(fnx.hessian(lambda x: deep(x, 3))).trace(x).jaxpr.jaxpr
    check_jaxpr(jaxpr)
