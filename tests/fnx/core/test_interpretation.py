"""fnx.core for those who write interpreters: the inverse one of JAX's tutorial, and tools."""

from __future__ import annotations

from functools import wraps
from typing import Any

import numpy as np
import pytest

import fnx as jax
import fnx.numpy as jnp
from fnx import core, lax
from fnx.core.primitive import registry


def test_an_interpreter_that_inverts_functions() -> None:
    """'Writing custom Jaxpr interpreters in JAX', with other import lines."""
    inverse_registry = {lax.exp_p: jnp.log, lax.tanh_p: jnp.arctanh}

    def inverse(fun: Any) -> Any:
        @wraps(fun)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            closed_jaxpr = jax.make_jaxpr(fun)(*args, **kwargs)
            out = inverse_jaxpr(closed_jaxpr.jaxpr, closed_jaxpr.literals, *args)
            return out[0]

        return wrapped

    def inverse_jaxpr(jaxpr: Any, consts: Any, *args: Any) -> Any:
        env: dict[Any, Any] = {}

        def read(var: Any) -> Any:
            if type(var) is core.Literal:
                return var.val
            return env[var]

        def write(var: Any, val: Any) -> None:
            env[var] = val

        for var, val in zip(jaxpr.outvars, args, strict=True):
            write(var, val)
        for var, val in zip(jaxpr.constvars, consts, strict=True):
            write(var, val)
        for eqn in jaxpr.eqns[::-1]:
            invals = [read(v) for v in eqn.outvars]
            if eqn.primitive not in inverse_registry:
                raise NotImplementedError(f"{eqn.primitive} does not have registered inverse.")
            outval = inverse_registry[eqn.primitive](*invals)
            for var, val in zip(eqn.invars, [outval], strict=True):
                write(var, val)
        return [read(v) for v in jaxpr.invars]

    def f(x: Any) -> Any:
        return jnp.exp(jnp.tanh(x))

    f_inv = inverse(f)
    np.testing.assert_allclose(f_inv(f(1.0)), 1.0, rtol=1e-6)
    printed = str(jax.make_jaxpr(inverse(f))(f(1.0)))
    assert "log" in printed and "atanh" in printed
    again = jax.jit(jax.vmap(jax.grad(inverse(f))))((jnp.arange(5) + 1.0) / 5)
    # d/dy atanh(log y) = 1 / (y (1 - log(y)^2))
    y = (np.arange(5) + 1.0) / 5
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(again, 1 / (y * (1 - np.log(y) ** 2)), rtol=1e-5)


def test_an_interpreter_that_evaluates() -> None:
    def eval_jaxpr(jaxpr: Any, consts: Any, *args: Any) -> Any:
        env: dict[Any, Any] = {}
        read = lambda v: v.val if isinstance(v, core.Literal) else env[v]  # noqa: E731
        env.update(zip(jaxpr.invars, args, strict=True))
        env.update(zip(jaxpr.constvars, consts, strict=True))
        for eqn in jaxpr.eqns:
            subfuns, params = eqn.primitive.get_bind_params(eqn.params)
            outs = eqn.primitive.bind(*subfuns, *map(read, eqn.invars), **params)
            env.update(
                zip(eqn.outvars, outs if eqn.primitive.multiple_results else [outs], strict=True)
            )
        return [read(v) for v in jaxpr.outvars]

    table = jnp.arange(3.0)

    def f(x: Any) -> Any:
        return jnp.sum(jax.jit(jnp.sin)(x) * table * 2.0)

    closed = jax.make_jaxpr(f)(jnp.ones(3))
    assert len(closed.jaxpr.constvars) == len(closed.consts) == 1
    assert len(closed.jaxpr.invars) == len(closed.jaxpr.in_vars) - 1 == 1
    run = lambda x: eval_jaxpr(closed.jaxpr, closed.consts, x)[0]  # noqa: E731
    expected = np.sum(np.sin(np.ones(3)) * np.arange(3) * 2)
    for wrap in (lambda g: g, jax.jit):
        np.testing.assert_allclose(wrap(run)(jnp.ones(3)), expected, rtol=1e-6)
    slope = jax.grad(run)(jnp.ones(3))
    np.testing.assert_allclose(slope, np.cos(1) * np.arange(3) * 2, rtol=1e-6)
    inner = next(e for e in closed.eqns if e.primitive.name == "jit").params["jaxpr"]
    assert inner.jaxpr.eqns[0].primitive.name == "sin" and inner.consts == ()


def test_tools() -> None:
    closed = jax.make_jaxpr(lambda x: jax.jit(jnp.sin)(x) * jnp.arange(3.0))(2.0)
    (out,) = core.eval_jaxpr(closed.jaxpr, closed.consts, 2.0)
    np.testing.assert_allclose(out, np.sin(2.0) * np.arange(3), rtol=1e-6)
    np.testing.assert_array_equal(core.jaxpr_as_fun(closed)(2.0)[0], out)
    assert [j.eqns[0].primitive.name for j in core.subjaxprs(closed.jaxpr)] == ["sin"]
    core.check_jaxpr(closed)
    broken = closed.jaxpr.replace(eqns=closed.eqns[::-1])
    with pytest.raises(core.JaxprTypeError, match="before it is bound"):
        core.check_jaxpr(broken)
    with pytest.raises(TypeError, match="takes 1 inputs|takes 2 inputs"):
        core.eval_jaxpr(closed.jaxpr, closed.consts)


def test_programs_are_made_by_hand() -> None:
    f32 = core.ShapedArray((), np.dtype("float32"))
    x, y, z = core.Var(f32), core.Var(f32), core.Var(f32)
    two = core.Literal(2.0, f32)
    eqns = [
        core.new_jaxpr_eqn([x, two], [y], registry["mul"], {}),
        core.new_jaxpr_eqn([y], [z], registry["sin"], {}),
    ]
    program = core.Jaxpr([x], eqns, [z])
    core.check_jaxpr(program)
    (out,) = core.eval_jaxpr(program, (), 0.25)
    np.testing.assert_allclose(out, np.sin(0.5), rtol=1e-6)
    cosine = eqns[1].replace(primitive=registry["cos"])
    (out,) = core.eval_jaxpr(program.replace(eqns=[eqns[0], cosine]), (), 0.25)
    np.testing.assert_allclose(out, np.cos(0.5), rtol=1e-6)
    assert core.Literal(3).aval == core.ShapedArray((), np.dtype("int32"), True)
    closed = core.ClosedJaxpr(program, [])
    assert closed.replace(jaxpr=program.replace(eqns=[eqns[0], cosine])).eqns[1] is cosine
    with pytest.raises(TypeError, match=r"no fields \['wrong'\]"):
        program.replace(wrong=1)
