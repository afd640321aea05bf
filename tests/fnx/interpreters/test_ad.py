"""Shorthands for derivatives of a user's primitives, against closed forms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fnx as jax
import fnx.numpy as jnp
from fnx.core import Primitive
from fnx.core.primitive import registry
from fnx.interpreters import ad
from fnx.test_util import check_grads


def test_linear() -> None:
    turn_p = Primitive("turn", infer=lambda x: x, evaluate=lambda x: x[::-1])
    ad.deflinear(turn_p, lambda ct: [turn_p(ct)])
    x = jnp.arange(4.0)
    slope = jax.jit(jax.grad(lambda v: jnp.sum(turn_p(v) * jnp.arange(4.0))))(x)
    np.testing.assert_array_equal(slope, [3, 2, 1, 0])
    check_grads(lambda v: jnp.sin(turn_p(v)), (np.arange(4.0),), order=2)


def test_linear_with_several_operands() -> None:
    sum_p = Primitive("sum2", infer=lambda x, y: x, evaluate=lambda x, y: x + 2 * y)
    ad.deflinear2(sum_p, lambda ct, x, y: [ct, 2.0 * ct])
    x = jnp.arange(3.0)
    first, second = jax.grad(lambda a, b: jnp.sum(sum_p(a, b) * x), (0, 1))(x, x)
    np.testing.assert_array_equal(first, x)
    np.testing.assert_array_equal(second, 2 * x)


def test_bilinear() -> None:
    dot_p = Primitive("dot", infer=lambda x, y: x.update(shape=()), evaluate=lambda x, y: x @ y)
    ad.defbilinear(dot_p, lambda ct, x, y: ct * y, lambda ct, x, y: ct * x)
    x, y = np.arange(3.0), np.array([1.0, -1.0, 2.0])
    check_grads(lambda a, b: jnp.exp(dot_p(a, b)), (x, y), order=2)
    np.testing.assert_array_equal(jax.grad(dot_p)(x, y), y)


def test_one_rule_for_each_operand() -> None:
    power_p = Primitive("my_power", infer=lambda x, n: x, evaluate=lambda x, n: x**n)
    ad.defjvp(power_p, lambda dx, x, n: n * power_p(x, n - 1.0) * dx, None)
    x, n = jnp.array([1.0, 2.0]), jnp.array([3.0, 2.0])
    _, tangent = jax.jvp(power_p, (x, n), (jnp.ones(2), jnp.ones(2)))
    np.testing.assert_array_equal(tangent, [3, 4])
    _, tangent = jax.jvp(lambda m: power_p(x, m), (n,), (jnp.ones(2),))
    np.testing.assert_array_equal(tangent, [0, 0])


def test_tables_are_mappings_onto_the_primitives() -> None:
    p = Primitive("p", infer=lambda x: x, evaluate=lambda x: x)
    assert p not in ad.primitive_jvps
    rule: Any = lambda primals, tangents: (p(*primals), tangents[0])  # noqa: E731
    ad.primitive_jvps[p] = rule
    assert p.jvp is rule and ad.primitive_jvps[p] is rule
    del ad.primitive_jvps[p]
    assert p not in ad.primitive_jvps
    with pytest.raises(KeyError):
        ad.primitive_jvps[p]
    sin_p = registry["sin"]
    assert sin_p in ad.primitive_jvps and sin_p in set(ad.primitive_jvps)
    assert 50 < len(ad.primitive_jvps) <= len(registry)
    with pytest.raises(TypeError, match="not on sin.*custom_jvp"):
        ad.primitive_jvps[sin_p] = rule


def test_tangents() -> None:
    zero = ad.Zero(jnp.ones(2).aval)
    one = jnp.ones(2)
    assert ad.add_tangents(zero, one) is one and ad.add_tangents(one, zero) is one
    np.testing.assert_array_equal(ad.add_tangents(one, one), [2, 2])
    np.testing.assert_array_equal(ad.zeros_like_aval(one.aval), [0, 0])
    np.testing.assert_array_equal(ad.instantiate_zeros(zero), [0, 0])
    assert ad.is_undefined_primal(ad.UndefinedPrimal(one.aval))
    assert not ad.is_undefined_primal(one)
