"""checkpoint: the same derivatives of every order, less kept, the second computation not merged."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import lax

X = np.array([0.3, -1.2, 2.0])


def function(x: Any) -> Any:
    return jnp.sum(jnp.sin(jnp.exp(jnp.tanh(x)) * x))


@pytest.mark.parametrize("wrap", [lambda f: f, fnx.jit], ids=["eager", "compiled"])
def test_nothing_changes(wrap: Any) -> None:
    remembered = fnx.checkpoint(function)
    transforms = (
        lambda f: f, fnx.grad, fnx.jacfwd, fnx.hessian,
        lambda f: fnx.grad(lambda x: jnp.sum(fnx.grad(fnx.checkpoint(f))(x))),
        lambda f: lambda x: fnx.jvp(f, (x,), (x,))[1],
        lambda f: lambda x: fnx.vmap(fnx.grad(f))(jnp.stack([x, 2 * x])),
        lambda f: lambda x: fnx.linearize(f, x)[1](x),
    )  # fmt: skip
    for transform in transforms:
        np.testing.assert_allclose(
            wrap(transform(remembered))(X), transform(function)(X), rtol=1e-11, atol=1e-13
        )


def test_the_derivative_keeps_inputs_only_and_computes_again() -> None:
    def chain(x: Any) -> Any:
        for _ in range(6):
            x = jnp.sin(x)
        return x

    names = lambda f: str(fnx.make_jaxpr(f)(X))  # noqa: E731

    def pulled(f: Any) -> Any:
        def both(x: Any) -> Any:
            out, pull = fnx.vjp(f, x)
            return out, pull(x)[0]

        return both

    again = names(pulled(fnx.checkpoint(chain)))
    assert names(pulled(chain)).count(" sin ") == 6
    assert again.count(" sin ") == 11 and "checkpoint[" in again
    # jit simplifies, and still the second computation stays a computation of its own.
    text = fnx.jit(pulled(fnx.checkpoint(chain))).lower(X).as_text()
    assert text.count(" sin ") == 11


def test_in_a_loop_little_is_stacked() -> None:
    def body(c: Any, _: Any) -> Any:
        for _ in range(4):
            c = jnp.sin(c) * 1.1
        return c, None

    def stacked(b: Any) -> int:
        f = lambda x: jnp.sum(lax.scan(b, x, None, 10)[0])  # noqa: E731
        jaxpr = fnx.jit(fnx.grad(f)).trace(X).jaxpr.jaxpr
        loops = [e for e in jaxpr.eqns if e.primitive.name == "scan"]
        return sum(o.aval.size for e in loops for o in e.outputs if o.aval.shape == (10, 3))

    assert stacked(fnx.checkpoint(body)) == 30 < stacked(body)
    loop = lambda b: lambda x: jnp.sum(lax.scan(b, x, None, 10)[0])  # noqa: E731
    np.testing.assert_allclose(
        fnx.jit(fnx.grad(loop(fnx.checkpoint(body))))(X), fnx.grad(loop(body))(X), rtol=1e-12
    )


def test_arguments() -> None:
    @functools.partial(fnx.checkpoint, static_argnums=(1,))
    def power(x: Any, n: int, scale: Any = 1.0) -> Any:
        """A power."""
        return {"r": x**n * scale} if n > 1 else {"r": x}

    assert float(fnx.grad(lambda x: power(x, 3, scale=2.0)["r"])(2.0)) == 24
    assert float(power(2.0, 1)["r"]) == 2 and power.__name__ == "power"
    assert fnx.remat is fnx.checkpoint
    gradient, aux = fnx.grad(fnx.checkpoint(lambda x: (x * 2, {"a": x})), has_aux=True)(3.0)
    assert float(gradient) == 2 and float(aux["a"]) == 3
    with pytest.raises(TypeError, match="str"):
        fnx.checkpoint(lambda x: x)("text")
    with pytest.raises(fnx.errors.TracerBoolConversionError):
        fnx.checkpoint(lambda x: x if x > 0 else -x)(1.0)
    with pytest.raises(TypeError, match="expected a function"):
        fnx.checkpoint(3)  # type: ignore[arg-type]


def test_captured_tracers() -> None:
    found = fnx.grad(lambda w: fnx.checkpoint(lambda x: jnp.sin(x) * w)(2.0))(3.0)
    np.testing.assert_allclose(found, np.sin(2.0), rtol=1e-6)
