"""Guarded values: they pass as they are, or whatever is derived from them raises."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import lax
from fnx.control.guard import guard_p
from fnx.errors import LoopBoundError
from fnx.experimental.jet import jet

WRAPS = pytest.mark.parametrize("wrap", [lambda f: f, fnx.jit], ids=["eager", "compiled"])
X = np.array([0.5, 2.0])


def below(limit: float) -> Any:
    """sin(x), guarded: no element may reach the limit."""

    def function(x: Any) -> Any:
        failed = jnp.any(x >= limit).astype("int32")
        return guard_p(failed, jnp.sin(x), x, message=f"x reaches {limit}")[0]

    return function


TRANSFORMS = {
    "value": lambda f: f,
    "jvp": lambda f: lambda x: fnx.jvp(f, (x,), (x,))[1],
    "vjp": lambda f: lambda x: fnx.vjp(f, x)[1](x)[0],
    "vmap": lambda f: fnx.vmap(f),
    "vmap of the flag alone": lambda f: (
        lambda x: fnx.vmap(lambda k: guard_p(k, x, message="x reaches 1.0")[0], out_axes=None)(
            (x >= 1.0 if f is FAILS else x >= 3.0).astype("int32")
        )
    ),
    "jet": lambda f: lambda x: jet(f, (x,), ([x, x],))[1][1],
    "second": lambda f: fnx.jacfwd(fnx.jacrev(f)),
    "linear": lambda f: (
        lambda x: fnx.linear_transpose(lambda t: fnx.linearize(f, x)[1](t), x)(x)[0]
    ),
    "in a loop": lambda f: lambda x: lax.fori_loop(0, 3, lambda k, c: f(c + k - 1), x),
    "in a branch": lambda f: lambda x: lax.cond(x[0] < 1, f, jnp.cos, x),
}
PASSES, FAILS = below(3.0), below(1.0)


@WRAPS
@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
def test_what_is_derived_from_guarded_values_is_guarded(wrap: Any, transform: Any) -> None:
    x = jnp.asarray(X)
    if transform is not TRANSFORMS["vmap of the flag alone"]:
        wanted = transform(jnp.sin)(x)
        np.testing.assert_allclose(wrap(transform(PASSES))(x), wanted, rtol=1e-12)
    else:
        np.testing.assert_array_equal(wrap(transform(PASSES))(x), X)
    with pytest.raises(LoopBoundError, match=r"x reaches 1\.0"):
        wrap(transform(FAILS))(x)


def test_a_compiled_program_can_be_run_again_after_an_error() -> None:
    run = fnx.jit(lambda x: FAILS(x) + PASSES(x))
    for x, message in ((0.5, None), (1.5, r"1\.0"), (0.5, None), (3.5, r"reaches")):
        if message is None:
            np.testing.assert_allclose(run(np.float64(x)), 2 * np.sin(x), rtol=1e-12)
        else:
            with pytest.raises(LoopBoundError, match=message):
                run(np.float64(x))


def test_values_that_nobody_reads_are_dropped() -> None:
    jaxpr = fnx.make_jaxpr(fnx.jit(lambda x: guard_p(jnp.int32(0), x, x * 2, message="no")[1]))(1.0)
    (eqn,) = [e for e in fnx.jit(PASSES).trace(X).jaxpr.eqns if e.primitive is guard_p]
    assert len(eqn.outputs) == 1 and len(eqn.inputs) == 2
    assert len(jaxpr.out_avals) == 1
    assert not [e for e in fnx.jit(lambda x: (FAILS(x), x)[1]).trace(X).jaxpr.eqns]
