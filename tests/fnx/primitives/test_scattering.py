"""The scatters against JAX and brute force: duplicates, modes, derivatives to second order."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from fnx.core.array import as_array
from fnx.primitives import gathering, scattering
from fnx.primitives.arithmetic import mul
from fnx.primitives.gathering import ScatterDimensionNumbers, scatter_add
from fnx.primitives.reductions import reduce_sum
from fnx.primitives.scattering import (
    scatter,
    scatter_max,
    scatter_min,
    scatter_mul,
    scatter_sub,
)
from fnx.transforms.grad import grad
from fnx.transforms.jacobian import hessian
from fnx.transforms.vmap import vmap
from tests.support.indexing_cases import SCATTERS, cases, unique_cases

STORED = json.loads(
    (Path(__file__).parents[1] / "data" / "jax_indexing.json").read_text(encoding="utf-8")
)
PICK = ScatterDimensionNumbers((), (0,), (0,))
NAN, INF = float("nan"), float("inf")


def total(x):
    return reduce_sum(x, tuple(range(x.ndim)))


def named(name):
    return getattr(scattering, name, None) or getattr(gathering, name)


def rows(*places):
    return as_array(np.array(places, np.int32)[:, None])


def array(*elements):
    return as_array(np.array(elements, np.float64))


def apply(name, case, x, updates):
    numbers = ScatterDimensionNumbers(*case.numbers)
    return named(name)(x, as_array(case.indices), updates, numbers, mode=case.mode)


def weighted(function, x, updates):
    weights = np.arange(1.0, 1.0 + x.size).reshape(x.shape)
    return total(mul(function(x, updates), as_array(weights)))


@pytest.mark.parametrize("name", SCATTERS)
@pytest.mark.parametrize("dtype", ["float64", "int32"])
def test_agrees_with_jax(name, dtype):
    compared = 0
    gradients_of = {"scatter": 21, "scatter_add": 21, "scatter_min": 14, "scatter_max": 14}
    for case, stored in zip(cases(dtype), STORED[dtype], strict=True):
        function = partial(apply, name, case)
        x, updates = as_array(case.operand), as_array(case.updates)
        out = function(x, updates)
        assert out.dtype == dtype
        np.testing.assert_array_equal(np.asarray(out).ravel(), stored[name]["out"])
        if "gradients" in stored[name]:
            gradients = grad(partial(weighted, function), (0, 1))(x, updates)
            for got, want in zip(gradients, stored[name]["gradients"], strict=True):
                np.testing.assert_allclose(np.asarray(got).ravel(), want, rtol=1e-14, atol=1e-14)
            compared += 1
    assert compared == (gradients_of.get(name, 0) if dtype == "float64" else 0)


@pytest.mark.parametrize("name", [*SCATTERS, "scatter_sub"])
def test_agrees_with_jax_where_indices_keep_promises(name):
    compared = 0
    for case, stored in zip(unique_cases("float64"), STORED["promises"], strict=True):
        numbers = ScatterDimensionNumbers(*case.numbers)

        def function(x, updates, case=case, numbers=numbers):
            promises = {"unique_indices": True, "indices_are_sorted": True}
            return named(name)(
                x, as_array(case.indices), updates, numbers, mode=case.mode, **promises
            )

        x, updates = as_array(case.operand), as_array(case.updates)
        np.testing.assert_array_equal(np.asarray(function(x, updates)).ravel(), stored[name]["out"])
        if "gradients" in stored[name]:
            gradients = grad(partial(weighted, function), (0, 1))(x, updates)
            for got, want in zip(gradients, stored[name]["gradients"], strict=True):
                np.testing.assert_allclose(np.asarray(got).ravel(), want, rtol=1e-14, atol=1e-14)
            compared += 1
    assert compared == (9 if name in ("scatter_min", "scatter_max") else 14)


@pytest.mark.parametrize("dtype", [np.int8, np.float16, ml_dtypes.bfloat16, np.complex64])
def test_dtypes(rng, dtype):
    x = rng.integers(-5, 6, 8).astype(dtype)
    updates = rng.integers(-5, 6, 20).astype(dtype)
    places = rng.integers(0, 8, 20)
    out = scatter_add(as_array(x), rows(*places), as_array(updates), PICK)
    want = x.astype(np.complex128)
    np.add.at(want, places, updates.astype(np.complex128))
    assert out.dtype == dtype
    np.testing.assert_array_equal(np.asarray(out).astype(np.complex128), want)


def test_integers_wrap():
    x = as_array(np.array([100, 100], np.int8))
    out = scatter_add(x, rows(0), as_array(np.array([100], np.int8)), PICK)
    np.testing.assert_array_equal(np.asarray(out), [-56, 100])


def test_the_last_update_stays_and_takes_the_gradient():
    x, updates = array(1, 2, 3), array(10, 20, 30, 40)
    places = rows(2, 0, 2, 7)
    np.testing.assert_array_equal(np.asarray(scatter(x, places, updates, PICK)), [20, 2, 30])

    def function(x, updates):
        out = scatter(x, places, updates, PICK)
        return total(mul(out, mul(out, out)))

    dx, du = grad(function, (0, 1))(x, updates)
    np.testing.assert_array_equal(np.asarray(dx), [0, 12, 0])
    np.testing.assert_array_equal(np.asarray(du), [0, 1200, 2700, 0])
    second = hessian(lambda u: function(x, u))(updates)
    np.testing.assert_array_equal(np.asarray(second), np.diag([0, 120, 180, 0]))


def test_set_keeps_bits():
    x = as_array(np.array([-0.0, NAN, INF]))
    out = np.asarray(scatter(x, rows(1), array(-0.0), PICK))
    np.testing.assert_array_equal(np.signbit(out), [True, True, False])
    assert out[2] == INF


def test_sub():
    out = scatter_sub(array(1, 2), rows(1, 1), array(3, 5), PICK)
    np.testing.assert_array_equal(np.asarray(out), [1, -6])


def product(x, places, updates):
    out = [np.float64(e) for e in x]
    for p, u in zip(places, updates, strict=True):
        if 0 <= p < len(out):
            out[p] = out[p] * u
    return out


def test_products_that_meet_are_differentiated_to_any_order_even_at_zero():
    # f = w . out is a polynomial of degree 1 in each update: its derivatives are f at 1 and 0.
    places = [0, 2, 0, 9, 0, 2]
    x = np.array([2.0, 3.0, 0.0])
    updates = np.array([0.0, 5.0, 0.0, 4.0, 7.0, -1.0])
    weights = np.array([1.0, 10.0, 100.0])

    def value(updates):
        return float(np.dot(product(x, places, updates), weights))

    def difference(updates, k):
        high, low = updates.copy(), updates.copy()
        high[k], low[k] = 1.0, 0.0
        return high, low

    def function(u):
        return total(mul(scatter_mul(as_array(x), rows(*places), u, PICK), as_array(weights)))

    first = np.zeros(6)
    second = np.zeros((6, 6))
    for k in range(6):
        high, low = difference(updates, k)
        first[k] = value(high) - value(low)
        for j in range(6):
            if j != k:
                signs = [
                    sign * value(u)
                    for base, sign in ((high, 1), (low, -1))
                    for u, sign in zip(difference(base, j), (sign, -sign), strict=True)
                ]
                second[k, j] = sum(signs)
    assert np.count_nonzero(first) == 0  # two zeros meet at element 0, the operand is 0 at 2
    assert second[0, 2] == 14.0
    out = grad(function)(as_array(updates))
    np.testing.assert_allclose(np.asarray(out), first, atol=1e-14)
    out = hessian(function)(as_array(updates))
    np.testing.assert_allclose(np.asarray(out), second, atol=1e-14)


def test_product_gradient_to_the_operand(rng):
    places, updates = [1, 1, 0, 5], rng.standard_normal(4)

    def function(x):
        return total(scatter_mul(x, rows(*places), as_array(updates), PICK))

    out = grad(function)(as_array(rng.standard_normal(3)))
    want = [updates[2], updates[0] * updates[1], 1.0]
    np.testing.assert_allclose(np.asarray(out), want, rtol=1e-15)


@pytest.mark.parametrize(("function", "best"), [(scatter_max, 4.0), (scatter_min, -4.0)])
def test_ties_share_equally(function, best):
    x, updates = array(best, 0, best), array(best, best, 0, best / 2)
    places = rows(0, 0, 0, 1)

    def weighted(x, updates):
        return total(mul(function(x, places, updates, PICK), array(6, 1, 1)))

    dx, du = grad(weighted, (0, 1))(x, updates)
    np.testing.assert_array_equal(np.asarray(dx), [2, 0, 1])
    np.testing.assert_array_equal(np.asarray(du), [2, 2, 0, 1])


def test_nan_wins_and_takes_the_tangent():
    x, updates = array(NAN, 1, 2), array(5, NAN, 1)
    places = rows(0, 1, 2)
    out = np.asarray(scatter_max(x, places, updates, PICK))
    np.testing.assert_array_equal(out, [NAN, NAN, 2])
    dx, du = grad(lambda *xs: total(scatter_max(xs[0], places, xs[1], PICK)), (0, 1))(x, updates)
    np.testing.assert_array_equal(np.asarray(dx), [1, 0, 1])
    np.testing.assert_array_equal(np.asarray(du), [0, 1, 0])


@pytest.mark.parametrize("name", SCATTERS)
@pytest.mark.parametrize("axes", [(0, 0, 0), (None, 0, None), (None, None, 1), (1, None, None)])
def test_maps_over_anything(rng, name, axes):
    x, updates = rng.standard_normal((4, 4)), rng.standard_normal((4, 4))
    indices = rng.integers(-1, 5, (4, 4, 1))
    arrays = [
        a if d is not None else a[0] for a, d in zip((x, indices, updates), axes, strict=True)
    ]
    function = named(name)
    out = vmap(lambda x, i, u: function(x, i, u, PICK), in_axes=axes)(*map(as_array, arrays))
    for k in range(4):
        lane = [a if d is None else np.take(a, k, d) for a, d in zip(arrays, axes, strict=True)]
        want = function(*map(as_array, lane), PICK)
        np.testing.assert_array_equal(np.asarray(out)[k], np.asarray(want))


def test_the_operand_is_not_changed():
    x = array(1, 2)
    scatter_add(x, rows(0), array(5), PICK)
    np.testing.assert_array_equal(np.asarray(x), [1, 2])


@pytest.mark.parametrize(
    ("function", "dtype"),
    [(scatter_add, np.bool_), (scatter_mul, np.bool_), (scatter_max, complex)],
)
def test_refuses_types_without_the_operation(function, dtype):
    with pytest.raises(TypeError, match="accepted are"):
        function(as_array(np.zeros(2, dtype)), rows(0), as_array(np.zeros(1, dtype)), PICK)
