"""`scatter_apply` against JAX and brute force: windows that meet, modes, derivatives."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import lax
from fnx.test_util import check_grads
from tests.support.indexing_cases import cases

STORED = json.loads(
    (Path(__file__).parents[1] / "data" / "jax_indexing.json").read_text(encoding="utf-8")
)
PICK = lax.ScatterDimensionNumbers((), (0,), (0,))


def applied(x, places, func, **options):
    indices = jnp.asarray(places, dtype="int32")[:, None]
    return lax.scatter_apply(x, indices, func, PICK, update_shape=(len(places),), **options)


@pytest.mark.parametrize("dtype", ["float64", "int32"])
def test_agrees_with_jax(dtype):
    for k, (case, stored) in enumerate(zip(cases(dtype), STORED[dtype], strict=True)):

        def function(x, indices, case=case):
            return lax.scatter_apply(
                x,
                indices,
                lambda x: 3 * x + 1,
                lax.ScatterDimensionNumbers(*case.numbers),
                update_shape=case.updates.shape,
                mode=case.mode,
            )

        compiled = k == 0 and dtype == "int32"
        out = (fnx.jit(function) if compiled else function)(case.operand, case.indices)
        assert out.dtype == dtype
        np.testing.assert_array_equal(np.asarray(out).ravel(), stored["scatter_apply"])


def test_an_element_gets_the_function_as_often_as_it_is_met():
    x = jnp.array([2.0, 3.0, 5.0])
    out = applied(x, [2, 0, 2, 9, 2], lambda x: x * x)
    np.testing.assert_array_equal(np.asarray(out), [4, 3, 5**8])


def test_derivatives_where_windows_meet():
    x = np.array([0.5, 0.25, 2.0, 3.0])
    places = np.array([2, 0, 2, 9, 1])

    def function(x):
        return applied(x, places, jnp.sin)

    d_twice = np.cos(np.sin(2.0)) * np.cos(2.0)
    want = np.diag([np.cos(0.5), np.cos(0.25), d_twice, 1.0])
    np.testing.assert_allclose(np.asarray(fnx.jacrev(function)(x)), want, rtol=1e-14)
    np.testing.assert_allclose(np.asarray(fnx.jacfwd(function)(x)), want, rtol=1e-14)
    np.testing.assert_allclose(np.asarray(fnx.jit(fnx.jacrev(function))(x)), want, rtol=1e-14)
    check_grads(function, (x,), order=2)


def test_what_is_done_does_not_spoil_derivatives():
    # sqrt(x - 1) may be taken at 4 and at 26, and twice at 26 only.
    def function(x):
        return jnp.sum(applied(x, [0, 1, 1], lambda x: jnp.sqrt(x - 1)))

    gradient = np.asarray(fnx.grad(function)(np.array([2.0, 26.0])))
    np.testing.assert_allclose(gradient, [0.5, 1 / 40], rtol=1e-14)


def test_it_maps(rng):
    x = rng.standard_normal((4, 3))
    places = rng.integers(-1, 4, (4, 5))

    def function(x, p):
        return applied(x, p, lambda x: x * 2 + 1)

    out = fnx.vmap(function)(x, places)
    for k in range(4):
        np.testing.assert_array_equal(np.asarray(out[k]), np.asarray(function(x[k], places[k])))


def test_promises_and_constants():
    x = jnp.arange(4.0)
    out = applied(x, [0, 3], lambda x: 7.0, unique_indices=True, indices_are_sorted=True)
    np.testing.assert_array_equal(np.asarray(out), [7, 1, 2, 7])
    np.testing.assert_array_equal(np.asarray(applied(x, [], lambda x: 7.0)), np.arange(4.0))
    out = jnp.arange(4.0).at[jnp.array([1, 1, 2])].apply(lambda x: 3 * x)
    np.testing.assert_array_equal(np.asarray(out), [0, 9, 6, 3])


def test_errors():
    x = jnp.arange(4.0)
    with pytest.raises(TypeError, match="scatter_apply: func gives i32"):
        applied(x, [0], lambda x: x.astype("int32"))
    with pytest.raises(TypeError, match="scatter_apply: updates .* must have"):
        lax.scatter_apply(x, jnp.array([[0]]), jnp.sin, PICK)
