"""The array object of the array API standard: conversions, indexing, attributes, devices."""

from __future__ import annotations

import math
import operator

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from tests.support.array_api_trials import (
    BOOL,
    COMPLEX,
    FLOAT,
    INTEGER,
    NUMERIC,
    REAL,
    SHAPES,
    assert_same,
    data,
)

ALL = BOOL + NUMERIC
CUBE = data("float64", (3, 4, 5), "cube")


@pytest.mark.parametrize("dtype", ALL)
def test_attributes(dtype):
    for shape in SHAPES:
        x = jnp.asarray(data(dtype, shape))
        assert isinstance(x.shape, tuple) and x.shape == shape
        assert x.ndim == len(shape) and x.size == math.prod(shape) and x.dtype == dtype
        assert x.device == fnx.devices()[0]
        assert x.to_device(x.device) is x


@pytest.mark.parametrize("dtype", ALL)
def test_conversions_to_python_numbers(dtype):
    kind = np.dtype(dtype).kind
    for number in (0, 1, 3):
        x = jnp.asarray(np.asarray(number, dtype))
        value = bool(number) if kind == "b" else number
        assert bool(x) is bool(number)
        assert type(complex(x)) is complex and complex(x) == value
        if kind != "c":
            assert type(float(x)) is float and float(x) == value
            assert type(int(x)) is int and int(x) == value
        if kind in "iu":
            assert operator.index(x) == number and [*range(9)][x] == number
        elif kind != "b":
            with pytest.raises(TypeError):
                operator.index(x)
    if kind == "c":
        for convert in (int, float):
            with pytest.raises(TypeError):
                convert(jnp.asarray(np.asarray(1j, dtype)))
    many = jnp.asarray(data(dtype, (2,)))
    for convert, error in ((bool, ValueError), (int, TypeError), (float, TypeError),
                           (complex, TypeError), (operator.index, TypeError)):  # fmt: skip
        with pytest.raises((error, TypeError)):
            convert(many)


@pytest.mark.parametrize("dtype", FLOAT)
def test_infinities_and_nans_have_no_integers(dtype):
    for number, error in ((math.inf, OverflowError), (-math.inf, OverflowError),
                          (math.nan, ValueError)):  # fmt: skip
        x = jnp.asarray(np.asarray(number, dtype))
        with pytest.raises(error):
            int(x)
        assert bool(x) and str(float(x)) == str(number)


@pytest.mark.parametrize(
    "key",
    [
        0, -1, (0, 1), (2, -1, 3), slice(None), slice(1, 3), slice(None, None, -1), slice(5, 0, -2),
        slice(-2, None), slice(2, 1), ..., (..., 1), (1, ...), (0, ..., slice(None, None, 2)), None,
        (None, 0), (slice(None), None, 1), (..., None), (None, ..., None), (slice(1), 2, None), (),
    ],
)  # fmt: skip
def test_getitem(key):
    for take in (lambda x: x[key], fnx.jit(lambda x: x[key])):
        found = take(jnp.asarray(CUBE))
        assert found.shape == CUBE[key].shape
        np.testing.assert_array_equal(found, CUBE[key])


def test_getitem_with_masks_and_arrays():
    for mask in (CUBE > 0, CUBE[:, :, 0] > 0, CUBE[:, 0, 0] > 0, CUBE > 99):
        assert_same(lambda xp, x, m: x[m], CUBE, mask, jit=False)
    for value in (True, False):
        assert_same(lambda xp, x, m: x[m], data("int8", ()), np.asarray(value), jit=False)
    i, j = np.asarray([0, -1, 2]), np.asarray([[1], [2]])
    assert_same(lambda xp, x, i: x[i, 0, 1], CUBE, i)
    assert_same(lambda xp, x, i, j: x[i, j, 0], CUBE, i, j)
    assert_same(lambda xp, x, i, j: x[i, j, i], CUBE, i, j)
    for key in (3, (0, 4), (0, 0, 0, 0), -4):
        with pytest.raises(IndexError):
            jnp.asarray(CUBE)[key]


def test_item_assignment_is_refused_with_the_remedy():
    x = jnp.ones(3)
    with pytest.raises(TypeError, match=r"x.at\[index\].set"):
        x[0] = 2.0


@pytest.mark.parametrize("dtype", REAL)
def test_arrays_iterate_and_have_a_length(dtype):
    x = data(dtype, (3, 2))
    ours = jnp.asarray(x)
    assert len(ours) == 3
    for one, other in zip(ours, x, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", ["add", "multiply", "matmul"])
def test_operators_leave_foreign_operands_alone(name):
    class Other:
        def _answer(self, other):
            return "mine"

        __radd__ = __rmul__ = __rmatmul__ = _answer

    x = jnp.ones((2, 2))
    sign = {"add": operator.add, "multiply": operator.mul, "matmul": operator.matmul}[name]
    assert sign(x, Other()) == "mine"
    with pytest.raises(TypeError):
        sign(x, "word")
    assert operator.eq(x, "word") is False and operator.ne(x, "word") is True


@pytest.mark.parametrize("x64", [False, True])
def test_inspection_agrees_with_the_functions(x64):
    info = jnp.__array_namespace_info__()
    with fnx.enable_x64(x64):
        found = info.default_dtypes()
        assert jnp.zeros(2).dtype == jnp.asarray([1.0]).dtype == found["real floating"]
        assert jnp.asarray([1j]).dtype == found["complex floating"]
        assert jnp.asarray([1]).dtype == jnp.arange(3).dtype == found["integral"]
        x = jnp.asarray([3, 1, 2])
        for positions in (
            jnp.argsort(x), jnp.argmax(x), jnp.nonzero(x)[0], jnp.searchsorted(x, x),
            jnp.unique_all(x).indices, jnp.unique_all(x).counts, jnp.count_nonzero(x),
        ):  # fmt: skip
            assert positions.dtype == found["indexing"]
    assert set(info.dtypes()) == set(ALL)
    for kind, group in (("bool", BOOL), ("integral", INTEGER), ("complex floating", COMPLEX)):
        assert set(info.dtypes(kind=kind)) == set(group)
        assert all(getattr(jnp, name) == dtype for name, dtype in info.dtypes(kind=kind).items())
