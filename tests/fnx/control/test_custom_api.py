"""custom_jvp, custom_vjp, custom_gradient as users write them: calls, trees, None, errors."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import lax

X = np.array([0.3, -1.2, 2.0])


def forward() -> Any:
    """x * y, whose derivative in x is said to be 10."""

    @fnx.custom_jvp
    def f(x: Any, y: Any) -> Any:
        """A product."""
        return x * y

    f.defjvp(lambda p, t: (f(*p), 10.0 * t[0] + p[0] * t[1]))
    return f


def reverse() -> Any:
    """The same by a pullback."""

    @fnx.custom_vjp
    def f(x: Any, y: Any) -> Any:
        """A product."""
        return x * y

    f.defvjp(lambda x, y: (f(x, y), x), lambda x, g: (10.0 * g, x * g))
    return f


BOTH = pytest.mark.parametrize("make", [forward, reverse])


@BOTH
def test_every_transform_asks_the_rule(make: Callable[[], Any]) -> None:
    f = make()
    assert float(f(2.0, 3.0)) == 6 and float(fnx.jit(f)(2.0, 3.0)) == 6
    for wrap in (lambda g: g, fnx.jit):
        assert [float(g) for g in wrap(fnx.grad(f, (0, 1)))(2.0, 3.0)] == [10, 2]
        assert float(wrap(fnx.grad(fnx.jit(f)))(2.0, 3.0)) == 10
        assert float(wrap(lambda x, y: fnx.jvp(f, (x, y), (1.0, 1.0))[1])(2.0, 3.0)) == 12
        assert float(wrap(lambda x: fnx.linearize(f, x, 3.0)[1](1.0, 0.0))(2.0)) == 10
        lanes = wrap(fnx.vmap(fnx.grad(f, (0, 1)), (0, None)))(X, 3.0)
        np.testing.assert_allclose(lanes[0], [10, 10, 10])
        np.testing.assert_allclose(lanes[1], X)
        np.testing.assert_allclose(
            wrap(fnx.grad(lambda x: jnp.sum(fnx.vmap(f, (0, None))(x, 3.0))))(X), [10, 10, 10]
        )
        assert float(wrap(fnx.grad(lambda y: fnx.grad(f, 1)(y, y)))(2.0)) == 1
        assert float(wrap(fnx.grad(fnx.checkpoint(f)))(2.0, 3.0)) == 10
    np.testing.assert_allclose(fnx.jacfwd(f)(2.0, 3.0), 10)


@BOTH
def test_in_loops_and_branches(make: Callable[[], Any]) -> None:
    f = make()
    scanned = lambda x: lax.scan(lambda c, _: (f(c, 1.0), None), x, None, 3)[0]  # noqa: E731
    chosen = lambda x: lax.cond(x > 0, lambda: f(x, 2.0), lambda: x)  # noqa: E731
    for wrap in (lambda g: g, fnx.jit):
        assert float(wrap(fnx.grad(scanned))(2.0)) == 1000
        assert float(wrap(fnx.grad(chosen))(2.0)) == 10
        np.testing.assert_allclose(wrap(fnx.vmap(fnx.grad(chosen)))(X), [10, 1, 10])


@BOTH
def test_keywords_and_defaults(make: Callable[[], Any]) -> None:
    f = make()
    assert float(fnx.grad(lambda x: f(x, y=3.0))(2.0)) == 10
    assert float(fnx.grad(lambda x: f(x=x, y=3.0))(2.0)) == 10
    assert f.__name__ == "f" and f.__doc__ == "A product."
    g = fnx.custom_jvp(lambda x, y=3.0: x * y)
    g.defjvp(lambda p, t: (g(*p), 7.0 * t[0]))
    assert float(fnx.grad(g)(2.0)) == 7
    h = fnx.custom_jvp(lambda x, *, k: x * k)
    h.defjvp(lambda p, t: (h(*p), t[0]))
    with pytest.raises(TypeError, match=r"keyword-only arguments \['k'\]"):
        fnx.grad(lambda x: h(x, k=2.0))(1.0)


def test_arguments_that_are_not_arrays_come_first() -> None:
    @functools.partial(fnx.custom_jvp, nondiff_argnums=(0,))
    def apply(f: Any, x: Any) -> Any:
        return f(x)

    apply.defjvp(lambda f, p, t: (apply(f, *p), 2.0 * t[0]))
    assert float(fnx.jit(fnx.grad(lambda x: apply(jnp.sin, x)))(1.0)) == 2

    @functools.partial(fnx.custom_vjp, nondiff_argnums=(0, 2))
    def clip(low: float, x: Any, high: float) -> Any:
        return x

    clip.defvjp(lambda low, x, high: (x, None), lambda low, high, _, g: (jnp.clip(g, low, high),))
    np.testing.assert_allclose(
        fnx.vmap(fnx.grad(lambda x: clip(-1.0, x, 2.0) ** 2))(X), [0.6, -1, 2], rtol=1e-6
    )


def test_trees_and_none() -> None:
    @fnx.custom_vjp
    def f(d: Any, pair: Any) -> Any:
        return {"o": d["a"] * pair[0] + pair[1]}

    f.defvjp(lambda d, p: (f(d, p), p), lambda p, g: ({"a": 9.0 * g["o"]}, [None, g["o"]]))
    found = fnx.grad(lambda d, p: f(d, p)["o"], (0, 1))({"a": 1.0}, [2.0, 3.0])
    assert [float(g) for g in fnx.tree.leaves(found)] == [9, 0, 1]
    f.defvjp(lambda d, p: (f(d, p), None), lambda _, g: (None, None))
    found = fnx.grad(lambda d, p: f(d, p)["o"], (0, 1))({"a": 1.0}, [2.0, 3.0])
    assert [float(g) for g in fnx.tree.leaves(found)] == [0, 0, 0]


@BOTH
def test_integers(make: Callable[[], Any]) -> None:
    f = make()
    if make is reverse:
        f.defvjp(lambda x, n: (x * n, None), lambda _, g: (5.0 * g, None))
    else:
        f.defjvp(lambda p, t: (f(*p), 5.0 * t[0]))
    for wrap in (lambda g: g, fnx.jit):
        assert float(wrap(fnx.grad(f))(2.0, 3)) == 5


def test_rules_argument_by_argument() -> None:
    f = fnx.custom_jvp(lambda x, y: x * y)
    f.defjvps(lambda t, out, x, y: t * 4.0, None)
    assert [float(g) for g in fnx.grad(f, (0, 1))(2.0, 3.0)] == [4, 0]
    g = fnx.custom_jvp(lambda x, y: x * y, nondiff_argnums=(1,))
    with pytest.raises(TypeError, match="Use defjvp"):
        g.defjvps(None)


def test_rules_of_rules() -> None:
    """The second derivative differentiates the rule."""

    @fnx.custom_jvp
    def f(x: Any) -> Any:
        return jnp.sin(x)

    f.defjvp(lambda p, t: (f(*p), p[0] ** 3 * t[0]))
    x = np.float64(2)
    for wrap in (lambda g: g, fnx.jit):
        np.testing.assert_allclose(wrap(fnx.grad(f))(x), 8)
        np.testing.assert_allclose(wrap(fnx.grad(fnx.grad(f)))(x), 12)
        np.testing.assert_allclose(wrap(fnx.grad(fnx.grad(fnx.grad(f))))(x), 12)


def test_implicit_functions_whose_rules_apply_the_function() -> None:
    """A fixed point: both rules call it again, so neither may be followed without end."""

    @functools.partial(fnx.custom_vjp, nondiff_argnums=(0,))
    def fixed(f: Any, a: Any, start: Any) -> Any:
        return lax.while_loop(
            lambda c: jnp.abs(c[0] - c[1]) > 1e-13,
            lambda c: (c[1], f(a, c[1])),
            (start, f(a, start)),
        )[1]

    def backward(f: Any, kept: Any, bar: Any) -> Any:
        a, x = kept
        step = lambda packed, u: packed[2] + fnx.vjp(lambda x: f(packed[0], x), packed[1])[1](u)[0]  # noqa: E731
        return fnx.vjp(lambda a: f(a, x), a)[1](fixed(step, (a, x, bar), bar))[0], jnp.zeros_like(x)

    def onward(f: Any, a: Any, start: Any) -> Any:
        x = fixed(f, a, start)
        return x, (a, x)

    fixed.defvjp(onward, backward)
    root = lambda a: fixed(lambda a, x: 0.5 * (x + a / x), a, a)  # noqa: E731
    a = np.float64(2)
    for wrap in (lambda g: g, fnx.jit):
        np.testing.assert_allclose(wrap(root)(a), np.sqrt(2))
        np.testing.assert_allclose(wrap(fnx.grad(root))(a), 0.5 / np.sqrt(2))
    np.testing.assert_allclose(fnx.grad(fnx.grad(root))(a), -0.25 * 2**-1.5)


def test_custom_gradient() -> None:
    f = fnx.custom_gradient(lambda x, y: (x * y, lambda g: (5.0 * g, x * g)))
    assert [float(g) for g in fnx.grad(f, (0, 1))(3.0, 4.0)] == [5, 3]
    single = fnx.custom_gradient(lambda x: (x**2, lambda g: g * x))
    np.testing.assert_allclose(fnx.jit(fnx.vmap(fnx.grad(single)))(X), X)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (lambda p, t: p[0], r"must give a pair \(out, tangent_out\)"),
        (lambda p, t: (p[0], (t[0],)), "structure of its result"),
        (lambda p, t: (p[0], jnp.ones(3)), r"tangent.*must be f32\[\].*f32\[3\]"),
        (lambda p, t: (p[0], t[0].astype("float16")), r"f32\[\] like its result, got .*f16\[\]"),
    ],
)
def test_wrong_forward_rules(rule: Any, words: str) -> None:
    f = fnx.custom_jvp(lambda x: x)
    f.defjvp(rule)
    for wrap in (lambda g: g, fnx.jit):
        with pytest.raises(TypeError, match=words):
            wrap(fnx.grad(f))(1.0)


@pytest.mark.parametrize(
    ("fwd", "bwd", "words"),
    [
        (lambda x, y: x, lambda r, g: (g, g), r"fwd must give a pair"),
        (lambda x, y: (x, None), lambda r, g: (g,), "tuple of 2 cotangents.*tuple of 1"),
        (lambda x, y: (x, None), lambda r, g: g, "tuple of 2 cotangents"),
        (
            lambda x, y: (x, None),
            lambda r, g: (jnp.ones(3), g),
            r"x must be f32\[\], got f32\[3\]",
        ),
        (lambda x, y: (x, None), lambda r, g: ((g, g), g), "structure of its argument"),
        (lambda x, y: (x, "text"), lambda r, g: (g, g), "residuals is str"),
    ],
)
def test_wrong_reverse_rules(fwd: Any, bwd: Any, words: str) -> None:
    f = fnx.custom_vjp(lambda x, y: x)
    f.defvjp(fwd, bwd)
    for wrap in (lambda g: g, fnx.jit):
        with pytest.raises(TypeError, match=words):
            wrap(fnx.grad(f))(1.0, 2.0)


def test_a_function_without_its_rule() -> None:
    for f in (fnx.custom_jvp(lambda x: x), fnx.custom_vjp(lambda x: x)):
        for call in (f, fnx.grad(f), fnx.jit(f)):
            with pytest.raises(AttributeError, match="no rule was set"):
                call(1.0)
    for make in (fnx.custom_jvp, fnx.custom_vjp, fnx.custom_gradient):
        with pytest.raises(TypeError, match="expected a function"):
            make(3)


def test_methods() -> None:
    class Layer:
        @fnx.custom_jvp
        def apply(self, x: Any) -> Any:
            return x

    assert callable(Layer().apply)


def test_static_arguments_by_name() -> None:
    def scaled(x: Any, how: str, factor: float) -> Any:
        return x * factor if how == "times" else x

    by_jvp = fnx.custom_jvp(scaled, nondiff_argnames=("how", "factor"))
    by_jvp.defjvp(lambda how, factor, p, t: (by_jvp(*p, how, factor), t[0] * factor * 10.0))
    by_vjp = fnx.custom_vjp(scaled, nondiff_argnums=2, nondiff_argnames="how")
    by_vjp.defvjp(
        lambda x, how, factor: (by_vjp(x, how, factor), None),
        lambda how, factor, _, ct: (ct * factor * 10.0,),
    )
    for f in (by_jvp, by_vjp):
        assert float(f(2.0, "times", 3.0)) == 6
        for wrap in (lambda g: g, fnx.jit):
            assert float(wrap(fnx.grad(lambda x, f=f: f(x, how="times", factor=3.0)))(2.0)) == 30
    with pytest.raises(ValueError, match=r"custom_vjp of scaled: 'y' in nondiff_argnames is not a"):
        fnx.custom_vjp(scaled, nondiff_argnames="y")
