"""Concatenation, splitting, squeezing against NumPy; gradients, folds, errors."""

from __future__ import annotations

import numpy as np
import pytest

from fnx.core.array import as_array
from fnx.core.simplify import simplify
from fnx.core.staging import stage
from fnx.core.types import ShapedArray
from fnx.primitives.arithmetic import add, mul
from fnx.primitives.joining import concatenate, split, squeeze
from fnx.primitives.reductions import reduce_sum
from fnx.transforms.grad import grad
from fnx.transforms.vmap import vmap


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_concatenate_is_numpys(rng, axis):
    shapes = [[2, 3, 4] for _ in range(4)]
    for shape, n in zip(shapes, (2, 0, 1, 5), strict=True):
        shape[axis] = n
    parts = [rng.standard_normal(shape) for shape in shapes]
    out = concatenate([as_array(p) for p in parts], axis)
    np.testing.assert_array_equal(np.asarray(out), np.concatenate(parts, axis))


def test_one_part_is_itself():
    x = as_array(np.arange(3))
    assert concatenate([x], 0) is x


@pytest.mark.parametrize(
    ("parts", "axis", "message"),
    [
        ([], 0, "at least one array"),
        ([np.zeros(()), np.zeros(())], 0, r"no axis 0. Reshape scalars to shape \(1,\)"),
        ([np.zeros((2, 3)), np.zeros((3, 3))], 1, "may differ only along axis 1"),
        ([np.zeros(2), np.zeros((2, 2))], 0, "may differ only along axis 0"),
        ([np.zeros(2), np.zeros(2, np.float32)], 0, "dtypes must be equal"),
    ],
)
def test_concatenate_says_what_is_wrong(parts, axis, message):
    with pytest.raises(TypeError, match=message):
        concatenate([as_array(p) for p in parts], axis)


def test_each_part_gets_its_gradient(rng):
    weights = rng.standard_normal((2, 6))
    parts = [as_array(rng.standard_normal((2, n))) for n in (1, 2, 3)]

    def function(*parts):
        return reduce_sum(mul(concatenate(parts, 1), as_array(weights)), (0, 1))

    for gradient, want in zip(
        grad(function, (0, 1, 2))(*parts), np.split(weights, (1, 3), 1), strict=True
    ):
        np.testing.assert_array_equal(np.asarray(gradient), want)


def test_empty_parts_are_folded_away():
    avals = [ShapedArray((n,), np.dtype(np.float32)) for n in (0, 3, 0)]
    jaxpr, _ = stage(lambda *parts: [concatenate(parts, 0)], avals)
    jaxpr = simplify(jaxpr)
    assert not jaxpr.eqns
    assert list(jaxpr.outs) == [jaxpr.in_vars[1]]


@pytest.mark.parametrize("sizes", [(6,), (3, 3), (2, 2, 2), (1, 0, 5), (0, 6), (4, 2)])
def test_split_is_numpys_with_its_gradient(rng, sizes):
    x = rng.standard_normal((3, 6))
    stops = np.cumsum(sizes)[:-1]
    parts = split(as_array(x), sizes, -1)
    assert len(parts) == len(sizes)
    for part, want in zip(parts, np.split(x, stops, 1), strict=True):
        np.testing.assert_array_equal(np.asarray(part), want)

    weights = rng.standard_normal((3, 6))

    def function(x):
        terms = [
            reduce_sum(mul(part, as_array(w)), (0, 1))
            for part, w in zip(split(x, sizes, 1), np.split(weights, stops, 1), strict=True)
        ]
        total = terms[0]
        for term in terms[1:]:
            total = add(total, term)
        return total

    np.testing.assert_array_equal(np.asarray(grad(function)(as_array(x))), weights)


def test_a_part_that_is_not_used_gets_zeros():
    def function(x):
        return reduce_sum(split(x, (2, 2, 2))[1], (0,))

    out = grad(function)(as_array(np.ones(6)))
    np.testing.assert_array_equal(np.asarray(out), [0, 0, 1, 1, 0, 0])


def test_split_maps(rng):
    x = rng.standard_normal((3, 4, 2))
    parts = vmap(lambda v: tuple(split(v, (1, 1, 1))), in_axes=1)(as_array(x))
    for k, part in enumerate(parts):
        np.testing.assert_array_equal(np.asarray(part), np.moveaxis(x[k : k + 1], 1, 0))


@pytest.mark.parametrize(
    ("sizes", "axis", "error", "message"),
    [
        ((2, 2), 0, TypeError, r"sizes \(2, 2\) sum to 4, axis 0 of f64\[6\] has 6 elements"),
        ((7, -1), 0, TypeError, "must not be negative"),
        ((6,), 1, ValueError, "axis 1 is out of bounds"),
    ],
)
def test_split_says_what_is_wrong(sizes, axis, error, message):
    with pytest.raises(error, match=message):
        split(as_array(np.zeros(6)), sizes, axis)


def test_squeeze():
    x = as_array(np.zeros((1, 2, 1, 3)))
    assert squeeze(x, (0, -2)).shape == (2, 3)
    with pytest.raises(ValueError, match="axis 1 of .* has size 2, not 1"):
        squeeze(x, (1,))
    with pytest.raises(ValueError, match="name an axis twice"):
        squeeze(x, (0, -4))
