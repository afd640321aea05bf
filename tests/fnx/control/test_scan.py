"""scan against the Python loop: values, both modes, lanes, compiled, in every combination."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import lax
from fnx.core.check import check_jaxpr

WRAPS = pytest.mark.parametrize("wrap", [lambda f: f, fnx.jit], ids=["eager", "compiled"])
XS = np.array([0.3, -1.2, 2.0, 0.7])


def step(w: Any) -> Any:
    def body(carry: Any, x: Any) -> Any:
        h = jnp.tanh(carry["h"] * w + x)
        return {"h": h, "n": carry["n"] + 1}, (h * x, carry["n"])

    return body


def scanned(w: Any, h: Any, xs: Any, reverse: bool = False) -> Any:
    return lax.scan(step(w), {"h": h, "n": 0}, xs, reverse=reverse)


def looped(w: Any, h: Any, xs: Any, reverse: bool = False) -> Any:
    carry, ys = {"h": h, "n": 0}, []
    for x in xs[::-1] if reverse else xs:
        carry, y = step(w)(carry, x)
        ys.append(y)
    ys = ys[::-1] if reverse else ys
    return carry, tuple(
        jnp.stack([jnp.asarray(v) for v in column]) for column in zip(*ys, strict=True)
    )


def same(found: Any, wanted: Any, rtol: float = 1e-12) -> None:
    for f, w in zip(fnx.tree.leaves(found), fnx.tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(f, w, rtol=rtol, atol=1e-14)


@WRAPS
@pytest.mark.parametrize("reverse", [False, True])
def test_values(wrap: Any, reverse: bool) -> None:
    w, h = np.float64(0.7), np.float64(0.1)
    same(wrap(lambda *a: scanned(*a, reverse))(w, h, XS), looped(w, h, XS, reverse))


@WRAPS
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("argument", [0, 1, 2])
def test_derivatives_in_both_modes_and_twice(wrap: Any, reverse: bool, argument: int) -> None:
    def total(function: Any) -> Any:
        def of(w: Any, h: Any, xs: Any) -> Any:
            carry, ys = function(w, h, xs, reverse)
            return carry["h"] ** 2 + jnp.sum(jnp.sin(ys[0]))

        return of

    point = (np.float64(0.7), np.float64(0.1), XS)
    for transform in (
        fnx.grad,
        fnx.jacfwd,
        lambda f, k: fnx.grad(lambda *a: jnp.sum(fnx.grad(f, k)(*a)), k),
    ):
        same(
            wrap(transform(total(scanned), argument))(*point),
            transform(total(looped), argument)(*point),
        )


@WRAPS
def test_lanes(wrap: Any) -> None:
    w, h, xs = np.array([0.7, 0.1]), np.array([0.0, 0.5]), np.stack([XS, XS[::-1]])
    for axes in ((0, 0, 0), (0, None, None), (None, 0, None), (None, None, 0)):
        arguments = [v if a == 0 else v[0] for v, a in zip((w, h, xs), axes, strict=True)]
        found = wrap(fnx.vmap(scanned, axes))(*arguments)
        lanes = [
            looped(*[v[k] if a == 0 else v for v, a in zip(arguments, axes, strict=True)])
            for k in range(2)
        ]
        wanted = fnx.tree.map(lambda *v: np.stack(v), *lanes)
        same(found, wanted)


@WRAPS
def test_lengths_and_structures(wrap: Any) -> None:
    out = wrap(lambda: lax.scan(lambda c, _: (c + 1, None), 0.0, None, length=3))()
    assert float(out[0]) == 3 and out[1] is None
    out = wrap(lambda x: lax.scan(lambda c, x: (None, x * 2), None, x))(XS)
    assert out[0] is None
    np.testing.assert_array_equal(out[1], XS * 2)
    carry, ys = wrap(lambda x: lax.scan(lambda c, x: (c + x, (c, jnp.ones(2))), 1.0, x))(
        np.zeros(0)
    )
    assert float(carry) == 1 and ys[0].shape == (0,) and ys[1].shape == (0, 2)
    carry, _ = wrap(
        lambda x: lax.scan(lambda c, x: (c + x[0] * x[1]["k"], None), 0.0, (x, {"k": x}))
    )(XS)
    np.testing.assert_allclose(carry, np.sum(XS**2))
    same(
        lax.scan(lambda c, x: (c + x, c), 0.0, XS, unroll=2),
        lax.scan(lambda c, x: (c + x, c), 0.0, XS),
    )


@WRAPS
def test_weak_carries_become_what_the_body_makes_of_them(wrap: Any) -> None:
    carry, ys = wrap(lambda x: lax.scan(lambda c, x: (c + x, c), 0, x))(XS.astype(np.float32))
    assert carry.dtype == np.float32 and not carry.weak_type and ys.dtype == np.float32
    carry, _ = wrap(lambda: lax.scan(lambda c, _: (c + 1, None), 0, length=2))()
    assert carry.weak_type and carry.dtype == np.int32


@WRAPS
def test_large_captured_arrays_are_not_stacked(wrap: Any) -> None:
    big = np.ones((40, 40))

    def function(v: Any) -> Any:
        return jnp.sum(lax.scan(lambda c, x: (jnp.tanh(big @ c) * x, None), v, XS)[0])

    same(wrap(fnx.grad(function))(np.ones(40) / 50), fnx.jacfwd(function)(np.ones(40) / 50), 1e-9)
    jaxpr = fnx.jit(fnx.grad(function)).trace(np.ones(40)).jaxpr.jaxpr
    stacked = [o.aval.shape for e in jaxpr.eqns for o in e.outputs]
    assert (4, 40, 40) not in stacked


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: lax.scan(lambda c, x: c, 0.0, XS), TypeError, r"pair \(carry, y\)"),
        (lambda: lax.scan(lambda c, x: (c, x, x), 0.0, XS), TypeError, "pair"),
        (
            lambda: lax.scan(lambda c, x: (jnp.ones(2), x), 0.0, XS),
            TypeError,
            r"~f32\[\] on input and f32\[2\]",
        ),
        (
            lambda: lax.scan(lambda c, x: ({"a": c["a"] > 0}, x), {"a": 1.0}, XS),
            TypeError,
            r"carry\['a'\]",
        ),
        (lambda: lax.scan(lambda c, x: (c + x, x), jnp.int32(0), XS), TypeError, "astype"),
        (lambda: lax.scan(lambda c, x: ((c, c), x), 0.0, XS), TypeError, "structure"),
        (
            lambda: lax.scan(lambda c, x: (c, x), 0.0, (XS, XS[:2])),
            ValueError,
            r"4 from xs\[0\].*2 from xs\[1\]",
        ),
        (lambda: lax.scan(lambda c, x: (c, x), 0.0, XS, length=3), ValueError, "3 from length"),
        (lambda: lax.scan(lambda c, x: (c, x), 0.0), ValueError, "give xs, or length"),
        (lambda: lax.scan(lambda c, x: (c, x), 0.0, 1.0), ValueError, "no axis to loop over"),
        (lambda: lax.scan(lambda c, x: (c, x), 0.0, length=-1), ValueError, "negative"),
        (lambda: lax.scan(lambda c, x: (c, "text"), 0.0, XS), TypeError, "str"),
        (lambda: lax.scan(lambda c, x: (c, 1 if x > 0 else 0), 0.0, XS), TypeError, "lax.cond"),
        (lambda: lax.scan(3, 0.0, XS), TypeError, "expected a function"),
    ],
)
def test_errors(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()


def test_nested_loops_compose() -> None:
    def function(x: Any) -> Any:
        def outer(c: Any, a: Any) -> Any:
            inner = lax.scan(lambda d, b: (jnp.sin(d * a + b), d), c, XS)
            return lax.cond(inner[0] > 0, lambda: inner[0], lambda: -inner[0]), jnp.sum(inner[1])

        carry, ys = lax.scan(outer, x, XS)
        return carry + jnp.sum(ys)

    x = np.float64(0.3)
    wanted = fnx.jacfwd(fnx.jacfwd(function))(x)
    for nested in (fnx.grad(fnx.grad(function)), fnx.jit(fnx.grad(fnx.jit(fnx.grad(function))))):
        same(nested(x), wanted, 1e-9)
    check_jaxpr(fnx.jit(fnx.hessian(function)).trace(x).jaxpr.jaxpr)
    lanes = fnx.jit(fnx.vmap(fnx.grad(function)))(np.array([0.3, 0.5]))
    same(lanes[0], fnx.grad(function)(x), 1e-9)


@WRAPS
def test_what_an_inner_scan_goes_over_is_not_its_carry(wrap: Any) -> None:
    # The inner loop may not write its results over the outer carry that it goes over.
    def body(carry: Any, _: Any) -> Any:
        _, (halves, same) = lax.scan(lambda _, x: (None, (x * 0.5, x)), None, carry)
        return halves, same

    start = np.array([1.0, 2.0, 3.0])
    last, rows = wrap(lambda c: lax.scan(body, c, None, length=4))(start)
    np.testing.assert_array_equal(rows, start * 0.5 ** np.arange(4)[:, None])
    np.testing.assert_array_equal(last, start * 0.5**4)
