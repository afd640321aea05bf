"""Broadcasting.

Dtypes against JAX, values against NumPy, derivatives against differences.
"""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from tests.support.numpy_cases import expressions
from tests.support.numpy_trials import (
    assert_compiled_and_mapped,
    assert_derivatives,
    assert_dtypes,
    assert_values,
    differentiable,
)

EXPRESSIONS = expressions("promotion")
DIFFERENTIABLE = [e for e in EXPRESSIONS if differentiable(e)]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_dtypes(expression):
    assert_dtypes("promotion", expression)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_values(expression):
    assert_values(expression)


@pytest.mark.parametrize("expression", DIFFERENTIABLE)
def test_derivatives(expression):
    assert_derivatives(expression)


@pytest.mark.parametrize("expression", DIFFERENTIABLE)
def test_compiled_and_mapped(expression):
    assert_compiled_and_mapped(expression)


def test_shapes():
    assert jnp.broadcast_shapes((3, 1), (4,)) == (3, 4)
    assert jnp.broadcast_shapes() == () and jnp.broadcast_shapes((0,), (1,)) == (0,)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: jnp.broadcast_shapes((2,), (3,)), r"\(2,\), \(3,\) don't fit"),
        (
            lambda: jnp.broadcast_to(np.ones((2, 1)), (3, 4)),
            r"f64\[2,1\] can't become shape \(3, 4",
        ),
        (lambda: jnp.broadcast_to(np.ones((2, 1)), (2,)), "can't become shape"),
        (lambda: jnp.broadcast_arrays(np.ones(2), np.ones(3)), "don't fit"),
    ],
)
def test_errors(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_ranks_that_differ_are_told_on_request():
    x, y = jnp.ones((2, 3)), jnp.ones(3)
    with fnx.numpy_rank_promotion("raise"):
        with pytest.raises(ValueError, match=r"add: operands differ .* f32\[2,3\], f32\[3\]"):
            x + y
        assert (x + 1).shape == (2, 3) and (x + y[None]).shape == (2, 3)
    with (
        fnx.numpy_rank_promotion("warn"),
        pytest.warns(UserWarning, match="differ in their number"),
    ):
        fnx.jit(lambda x, y: x * y)(x, y)
