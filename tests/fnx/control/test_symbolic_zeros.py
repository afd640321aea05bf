"""Rules that see zeros as such: where they are known, and what they get elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx.custom_derivatives import (
    CustomVJPPrimal,
    SymbolicZero,
    custom_vjp_primal_tree_values,
    zero_from_primal,
)


@pytest.fixture
def product():
    """x y, with the types of the tangents that its rule got."""
    seen = []

    @fnx.custom_jvp
    def f(x, y):
        return x * y

    def rule(primals, tangents):
        (x, y), (t, u) = primals, tangents
        seen.append(tuple(type(s) is SymbolicZero for s in tangents))
        first = SymbolicZero.from_primal_value(x * y) if type(t) is SymbolicZero else t * y
        if type(u) is SymbolicZero:
            return f(x, y), first
        return f(x, y), x * u if type(first) is SymbolicZero else first + x * u

    f.defjvp(rule, symbolic_zeros=True)
    return f, seen


@pytest.mark.parametrize(
    ("argnums", "expected", "zeros"),
    [(0, 3.0, (False, True)), (1, 2.0, (True, False)), ((0, 1), (3.0, 2.0), (False, False))],
)
def test_tangents_that_are_zero(product, argnums, expected, zeros):
    f, seen = product
    found = fnx.grad(f, argnums)(2.0, 3.0)
    np.testing.assert_array_equal(np.asarray(found), np.asarray(expected))
    assert seen == [zeros]
    found = fnx.jacfwd(f, argnums)(2.0, 3.0)
    np.testing.assert_array_equal(np.asarray(found), np.asarray(expected))


def test_integers_have_symbolic_tangents(product):
    f, seen = product
    assert float(fnx.grad(f)(2.0, 3)) == 3.0
    assert seen == [(False, True)]


def test_other_transforms(product):
    f, _ = product
    x, y = jnp.arange(3.0), jnp.arange(1.0, 4.0)
    assert float(fnx.jit(fnx.grad(f))(2.0, 3.0)) == 3.0
    assert float(fnx.grad(fnx.jit(f))(2.0, 3.0)) == 3.0
    np.testing.assert_array_equal(fnx.vmap(fnx.grad(f))(x, y), y)
    slope = fnx.grad(lambda x: jnp.sum(fnx.vmap(f)(x, y)))
    np.testing.assert_array_equal(slope(x), y)
    assert float(fnx.grad(fnx.grad(lambda x: f(x, x)))(2.0)) == 2.0


@pytest.fixture
def power():
    """x y**2 under a reverse rule, with what its forward part was told."""
    seen = []

    @fnx.custom_vjp
    def f(x, y):
        return x * y["y"] ** 2

    def fwd(x, y):
        assert isinstance(x, CustomVJPPrimal)
        seen.append((x.perturbed, y["y"].perturbed))
        x, y = custom_vjp_primal_tree_values((x, y))
        return f(x, y), (x, y["y"])

    def bwd(residuals, ct):
        x, y = residuals
        return ct * y**2, {"y": zero_from_primal(y, symbolic_zeros=True)}

    f.defvjp(fwd, bwd, symbolic_zeros=True, optimize_remat=True)
    return f, seen


def test_what_is_perturbed(power):
    f, seen = power
    y = {"y": 3.0}
    assert float(fnx.grad(f)(2.0, y)) == 9.0
    assert float(fnx.grad(f, 1)(2.0, y)["y"]) == 0.0  # as the rule says
    fnx.grad(f, (0, 1))(2.0, y)
    assert seen == [(True, False), (False, True), (True, True)]


def test_reverse_rules_under_other_transforms(power):
    f, _ = power
    y = {"y": 3.0}
    assert float(fnx.jit(fnx.grad(f))(2.0, y)) == 9.0
    assert float(fnx.grad(fnx.jit(f))(2.0, y)) == 9.0
    assert float(fnx.jacfwd(f)(2.0, y)) == 9.0
    found = fnx.vmap(fnx.grad(f), (0, None))(jnp.ones(2), y)
    np.testing.assert_array_equal(found, [9.0, 9.0])


def test_zeros_of_primals():
    tree = {"a": jnp.ones((2, 3), "float64"), "n": 3}
    symbolic = zero_from_primal(tree, symbolic_zeros=True)
    assert repr(symbolic["a"]) == "SymbolicZero(f64[2,3])"
    assert (symbolic["a"].shape, symbolic["a"].ndim) == ((2, 3), 2)
    assert symbolic["a"].dtype == np.float64
    assert symbolic["n"].dtype == fnx.float0
    full = zero_from_primal(tree)
    np.testing.assert_array_equal(full["a"], np.zeros((2, 3)))
    assert full["n"].dtype == fnx.float0


def test_values_of_something_else():
    with pytest.raises(TypeError, match=r"leaves must be CustomVJPPrimal, got float"):
        custom_vjp_primal_tree_values({"x": 1.0})
