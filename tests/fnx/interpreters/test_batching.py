"""Batching of a user's primitives, against a loop over the lanes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fnx as jax
import fnx.numpy as jnp
from fnx.core import Primitive
from fnx.core.primitive import registry
from fnx.interpreters import batching

X = jnp.arange(6.0).reshape(2, 3)


def test_elementwise() -> None:
    one = Primitive("one_more", infer=lambda x: x, evaluate=lambda x: x + 1)
    batching.defvectorized(one)
    for axis in (0, 1):
        np.testing.assert_array_equal(jax.vmap(one, axis, axis)(X), X + 1)
    both = Primitive("plus", infer=lambda x, y: x, evaluate=lambda x, y: x + y)
    batching.defbroadcasting(both)
    np.testing.assert_array_equal(jax.vmap(both, (0, None))(X, jnp.ones(3)), X + 1)
    np.testing.assert_array_equal(jax.vmap(both, (1, 0))(X, X.T), 2 * X.T)


@pytest.mark.parametrize("fancy", [False, True])
def test_rules_of_a_users_own(fancy: bool) -> None:
    total = Primitive("total", infer=lambda x, *, axis: x.update(shape=x.shape[:-1]),
                      evaluate=lambda x, *, axis: np.sum(np.asarray(x), -1))  # fmt: skip

    def rule(args: Any, dims: Any, *, axis: int) -> Any:
        (x,), (d,) = args, dims
        return total(batching.moveaxis(x, d, 0), axis=axis), 0

    def fancy_rule(size: int, args: Any, dims: Any, *, axis: int) -> Any:
        return total(batching.bdim_at_front(args[0], dims[0], size), axis=axis), 0

    if fancy:
        batching.fancy_primitive_batchers[total] = fancy_rule
    else:
        batching.primitive_batchers[total] = rule
    mapped = jax.vmap(lambda x: total(x, axis=-1), 1)
    np.testing.assert_array_equal(mapped(X), np.asarray(X).sum(0))
    found = batching.primitive_batchers[total]([X], [1], axis=-1)
    np.testing.assert_array_equal(found[0], np.asarray(X).sum(0))


def test_helpers() -> None:
    assert batching.broadcast(X, 4, 1).shape == (2, 4, 3)
    assert batching.bdim_at_front(X, 1, 3).shape == (3, 2)
    assert batching.bdim_at_front(X, batching.not_mapped, 5).shape == (5, 2, 3)
    out, axis = batching.primitive_batchers[registry["sin"]]([X], [1])
    np.testing.assert_allclose(out, np.sin(np.asarray(X)), rtol=1e-6)
    assert axis == 1
