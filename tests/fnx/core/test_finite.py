"""debug_nans and debug_infs: the operation, its line and its operands are named, everywhere."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import lax
from fnx.errors import NonFiniteError

X = jnp.array([1.0, -1.0, 4.0])


def line_of(function: Any, offset: int) -> str:
    code = function.__code__
    return f"test_finite.py:{code.co_firstlineno + offset} ({code.co_name})"


def root(x: Any) -> Any:
    shifted = x + 0.0
    bad = jnp.sqrt(shifted)
    return bad * 2.0


@pytest.mark.parametrize("wrap", [lambda f: f, fnx.jit, fnx.vmap, lambda f: fnx.jit(fnx.jit(f))])
def test_the_operation_and_its_line_are_named(wrap: Any) -> None:
    with pytest.raises(FloatingPointError) as caught, fnx.debug_nans(True):
        wrap(root)(X)
    text = str(caught.value)
    assert isinstance(caught.value, NonFiniteError)
    assert "sqrt: NaN in its result f32[3] (1 of 3 elements, the first at [1])" in text
    assert "applied to f32[3] from -1 to 4" in text and line_of(root, 2) in text
    assert np.isnan(wrap(root)(X)[1])  # off again


def late(x: Any) -> Any:
    chosen = jnp.where(x > 0, jnp.sqrt(x), 0.0)
    return jnp.sum(chosen)


@pytest.mark.parametrize(
    "gradient",
    [fnx.grad(late), fnx.jit(fnx.grad(late)), fnx.grad(fnx.jit(late))],
    ids=["eager", "jit of grad", "grad of jit"],
)
def test_backward_passes_name_the_line_of_the_forward_operation(gradient: Any) -> None:
    x = jnp.array([1.0, 0.0])
    assert np.isnan(gradient(x)[1])
    with pytest.raises(NonFiniteError) as caught, fnx.debug_nans(True):
        gradient(x)
    assert "mul: NaN in its result f32[2]" in str(caught.value)
    assert "from 0.5 to inf" in str(caught.value) and line_of(late, 1) in str(caught.value)


def looped(xs: Any) -> Any:
    def body(total: Any, x: Any) -> Any:
        return total + 1.0, jnp.log(x)

    return lax.scan(body, 0.0, xs)[1]


def branched(x: Any) -> Any:
    return lax.cond(x[1] < 0, lambda y: jnp.log(y).sum(), lambda y: y.sum(), x)


def counted(x: Any) -> Any:
    return lax.while_loop(lambda c: c[0] < 2, lambda c: (c[0] + 1, jnp.log(c[1])), (0, x))[1]


def remembered(x: Any) -> Any:
    return fnx.checkpoint(lambda y: jnp.log(y).sum())(x)


@pytest.mark.parametrize("wrap", [lambda f: f, fnx.jit])
@pytest.mark.parametrize("function", [looped, branched, counted, remembered])
def test_control_flow_is_looked_into(function: Any, wrap: Any) -> None:
    with pytest.raises(NonFiniteError, match="log: NaN") as caught, fnx.debug_nans(True):
        wrap(function)(X)
    assert "(body)" in str(caught.value) or "(<lambda>)" in str(caught.value)


def test_infinity_is_another_setting() -> None:
    zero = jnp.zeros(2)
    with fnx.debug_nans(True):
        assert np.isinf(1.0 / zero).all()
        with pytest.raises(NonFiniteError, match=r"div: NaN.*applied to f32\[2\] from 0 to 0"):
            zero / zero
    with fnx.debug_infs(True):
        assert np.isnan(zero / zero).all()
        with pytest.raises(NonFiniteError, match=r"div: infinity in its result f32\[2\] \(2 of 2"):
            1.0 / zero
        with pytest.raises(NonFiniteError, match=r"reciprocal|div: infinity"):
            fnx.jit(lambda x: 1.0 / x)(zero)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64", "complex64"])
def test_dtypes(dtype: str) -> None:
    x = jnp.array([0.0, 1.0], dtype)
    with fnx.debug_nans(True), pytest.raises(NonFiniteError, match="div: NaN"):
        x / x
    with fnx.debug_nans(True), fnx.debug_infs(True):
        assert (jnp.arange(3) // 1).dtype == np.int32  # integers hold neither
        assert (x * 2).dtype == x.dtype


def test_as_a_setting_of_the_process_and_of_the_environment() -> None:
    fnx.config.update("jax_debug_nans", True)
    try:
        with pytest.raises(FloatingPointError, match="log"):
            jnp.log(X)
        with fnx.debug_nans(False):
            jnp.log(X)
    finally:
        fnx.config.update("jax_debug_nans", False)
    jnp.log(X)
    program = "import fnx.numpy as jnp; jnp.log(jnp.float32(-1.0))"
    run = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "FNX_DEBUG_NANS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1 and "NonFiniteError: log: NaN" in run.stderr


def test_nothing_is_printed_twice(capsys: pytest.CaptureFixture[str]) -> None:
    @fnx.jit
    def function(x: Any) -> Any:
        fnx.debug.print("seen")
        return jnp.log(x)

    with pytest.raises(NonFiniteError, match="log"), fnx.debug_nans(True):
        function(X)
    assert capsys.readouterr().out == "seen\n"


def test_lines_survive_transforms() -> None:
    program = fnx.jit(fnx.grad(late)).trace(jnp.ones(2)).jaxpr
    lines = {eqn.source for eqn in program.eqns}
    assert line_of(late, 1) in lines
    assert lines <= {line_of(late, 1), line_of(late, 2)}


@pytest.mark.parametrize("function", [fnx.nn.softmax, fnx.nn.log_softmax, fnx.nn.logsumexp])
def test_infinities_that_no_result_needs_are_not_made(function: Any) -> None:
    wanted = function(X)
    with fnx.debug_infs(True):
        np.testing.assert_array_equal(function(X), wanted)
