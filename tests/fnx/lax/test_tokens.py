"""Tokens go wherever arrays go."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
from fnx import lax


def test_through_compiled_functions_and_loops():
    def step(carry, x):
        token, total = carry
        return (lax.after_all(token, lax.create_token()), total + x), None

    @fnx.jit
    def run(token, xs):
        (token, total), _ = lax.scan(step, (token, np.float64(0)), xs)
        return lax.after_all(token), total

    token, total = run(lax.create_token(), np.arange(4.0))
    assert total == 6
    assert lax.after_all(token).shape == lax.after_all().shape == (0,)


def test_the_order_stands_in_the_program():
    program = fnx.make_jaxpr(lax.after_all)(lax.create_token(), lax.create_token())
    joined = program.eqns[-2]
    assert set(program.jaxpr.invars) <= set(joined.inputs)


def test_what_is_no_token_is_refused():
    with pytest.raises(TypeError, match="after_all: operand 1 must be a token, got f64"):
        lax.after_all(lax.create_token(), np.float64(1))
