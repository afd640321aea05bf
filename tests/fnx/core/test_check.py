"""The checker of programs: every way in which one can be ill formed is found, and named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import lax
from fnx.core.check import check_jaxpr
from fnx.core.jaxpr import Eqn, Jaxpr, Var
from fnx.core.types import ShapedArray
from fnx.errors import FnxError, JaxprTypeError
from fnx.primitives.arithmetic import add_p
from fnx.primitives.trigonometric import sin_p

F32 = ShapedArray((2,), np.dtype(np.float32))
I32 = ShapedArray((2,), np.dtype(np.int32))
X, Y, Z = Var(F32), Var(F32), Var(I32)


def test_good_programs_pass() -> None:
    def function(x: Any) -> Any:
        loop = lax.fori_loop(0, 3, lambda i, c: lax.cond(i > 1, jnp.sin, jnp.cos, c), x)
        return fnx.grad(lambda x: jnp.sum(jnp.exp(x) * x))(loop)

    for jaxpr in (
        fnx.make_jaxpr(function)(jnp.ones(2)).jaxpr,
        fnx.jit(fnx.vmap(function)).trace(jnp.ones((3, 2))).jaxpr.jaxpr,
    ):
        check_jaxpr(jaxpr)


@pytest.mark.parametrize(
    ("jaxpr", "words"),
    [
        (Jaxpr([X], [Eqn(sin_p, (Y,), (X,), {})], [X]), "reads a variable before it is bound"),
        (Jaxpr([X], [], [Y]), "a result reads a variable before"),
        (Jaxpr([X], [Eqn(sin_p, (X,), (X,), {})], [X]), "bound twice, in equation 0"),
        (Jaxpr([X, X], [], [X]), "bound twice, in the inputs"),
        (Jaxpr([X], [Eqn(sin_p, (X,), (Z,), {})], [Z]), r"binds i32\[2\], its rule gives f32\[2\]"),
        (Jaxpr([X], [Eqn(sin_p, (X,), (Y, Z), {})], [Y]), "binds 2 variables, its rule gives 1"),
    ],
)
def test_each_fault_is_named(jaxpr: Jaxpr, words: str) -> None:
    with pytest.raises(JaxprTypeError, match=words) as caught:
        check_jaxpr(jaxpr, "broken")
    assert "broken program" in str(caught.value)
    assert isinstance(caught.value, (FnxError, TypeError))


def test_rules_are_asked_about_their_operands() -> None:
    with pytest.raises(TypeError, match="add"):
        check_jaxpr(Jaxpr([X, Z], [Eqn(add_p, (X, Z), (Y,), {})], [Y]))


def test_faults_of_inner_programs_are_found() -> None:
    closed = fnx.make_jaxpr(lambda x: lax.scan(lambda c, _: (jnp.sin(c), None), x, length=2)[0])
    (loop,) = closed(jnp.ones(2)).eqns
    inner = loop.params["jaxpr"]
    broken = Jaxpr(inner.in_vars, [], inner.outs)
    (out,) = loop.outputs
    eqn = Eqn(loop.primitive, (X,), (out,), {**loop.params, "jaxpr": broken})
    with pytest.raises(JaxprTypeError, match=r"traced, scan\.jaxpr program"):
        check_jaxpr(Jaxpr([X], [eqn], [out]))
