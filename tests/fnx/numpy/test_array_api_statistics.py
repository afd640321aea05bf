"""Statistics and utilities of the array API standard, beside the strict namespace."""

from __future__ import annotations

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

AXES = [None, 0, -1, 1, (0,), (0, 2), (-1, 0), (0, 1, 2), ()]
TAKEN = {
    "sum": NUMERIC, "prod": NUMERIC, "max": REAL, "min": REAL, "mean": FLOAT + COMPLEX,
    "std": FLOAT, "var": FLOAT, "all": BOOL + NUMERIC, "any": BOOL + NUMERIC,
}  # fmt: skip


@pytest.mark.parametrize("name", TAKEN)
def test_axes_and_dtypes(name):
    for axis in AXES:
        for keepdims in (False, True):

            def call(xp, x, axis=axis, keepdims=keepdims):
                return getattr(xp, name)(x, axis=axis, keepdims=keepdims)

            for dtype in TAKEN[name]:
                x = data(dtype, (2, 3, 4))
                jit = axis == (0, 2) and keepdims and "16" not in dtype
                assert_same(call, x, jit=jit, tolerance=2e-5)
    assert_same(lambda xp, x: getattr(xp, name)(x), data(TAKEN[name][-1], ()), jit=False)


@pytest.mark.parametrize("name", ["sum", "prod", "all", "any"])
def test_nothing_gives_the_neutral_element(name):
    for shape in SHAPES:
        for axis in (None, 0) if shape else (None,):
            x = data("int8", shape)
            assert_same(lambda xp, x, a=axis: getattr(xp, name)(x, axis=a), x, jit=0 in shape)


@pytest.mark.parametrize("name", ["sum", "prod", "cumulative_sum", "cumulative_prod"])
def test_sums_of_narrow_integers_have_the_default_dtype(name):
    wide = {False: {"i": "int32", "u": "uint32"}, True: {"i": "int64", "u": "uint64"}}
    for x64 in (False, True):
        with fnx.enable_x64(x64):
            for dtype in ("int8", "int16", "int32", "uint8", "uint16", "uint32"):
                found = getattr(jnp, name)(jnp.ones(3, dtype))
                assert found.dtype == wide[x64][np.dtype(dtype).kind], (dtype, x64)
            assert getattr(jnp, name)(jnp.ones(3, "float32")).dtype == "float32"


@pytest.mark.parametrize("name", ["sum", "prod", "cumulative_sum", "cumulative_prod"])
def test_the_dtype_may_be_chosen(name):
    for dtype in ("int8", "int32", "uint8", "float32"):
        for to in ("int16", "int64", "float32", "float64", "complex128"):
            if np.dtype(dtype).kind == "f" and np.dtype(to).kind == "i":
                continue
            assert_same(
                lambda xp, x, to=to: getattr(xp, name)(x, dtype=getattr(xp, to)), data(dtype),
                jit=False,
            )  # fmt: skip


@pytest.mark.parametrize("name", ["std", "var"])
@pytest.mark.parametrize("correction", [0, 1, 0.5, 2.0, -1])
def test_corrections(name, correction):
    for axis in (None, 1, (0, 2)):
        assert_same(
            lambda xp, x, a=axis: getattr(xp, name)(x, axis=a, correction=correction),
            data("float64", (3, 4, 5)),
        )


@pytest.mark.parametrize("name", ["cumulative_sum", "cumulative_prod"])
def test_cumulative(name):
    for include in (False, True):
        for dtype in NUMERIC:
            assert_same(
                lambda xp, x, i=include: getattr(xp, name)(x, include_initial=i), data(dtype)
            )
            for axis in (0, 1, -1, -3):
                assert_same(
                    lambda xp, x, i=include, a=axis: getattr(xp, name)(x, axis=a,
                                                                       include_initial=i),
                    data(dtype, (2, 3, 4)), jit=False, tolerance=2e-5,
                )  # fmt: skip
        assert_same(
            lambda xp, x, i=include: getattr(xp, name)(x, axis=1, include_initial=i),
            data("int32", (2, 0)), jit=False,
        )  # fmt: skip
    with pytest.raises(ValueError, match="axis"):
        getattr(jnp, name)(jnp.ones((2, 2)))


def test_nans_spread():
    x = jnp.asarray([[1.0, np.nan], [2.0, 3.0]])
    for name in ("max", "min", "sum", "prod", "mean", "std", "var"):
        for function in (getattr(jnp, name), fnx.jit(getattr(jnp, name))):
            assert np.isnan(function(x)), name
        assert np.isnan(getattr(jnp, name)(x, axis=1)).tolist() == [True, False]
    assert bool(jnp.all(x)) and bool(jnp.any(jnp.asarray([np.nan, 0.0])))


def test_diff():
    for dtype in BOOL[:0] + NUMERIC:
        x = data(dtype, (3, 5))
        for axis in (0, 1, -1):
            for n in (0, 1, 2):
                assert_same(
                    lambda xp, x, a=axis, n=n: xp.diff(x, axis=a, n=n), x, jit=False,
                    tolerance=1e-5,
                )  # fmt: skip
    x, edge = data("float64", (3, 5)), data("float64", (3, 2))
    assert_same(lambda xp, x, e: xp.diff(x, prepend=e, append=e), x, edge)
    assert_same(lambda xp, x, e: xp.diff(x, n=2, prepend=e), x, edge)
    assert_same(lambda xp, x, e: xp.diff(x, append=e, axis=-1), data("int16", (3, 1)),
                data("int16", (3, 4)))  # fmt: skip


@pytest.mark.parametrize("dtype", INTEGER)
def test_extremes_of_integers_at_their_limits(dtype):
    limits = np.iinfo(dtype)
    x = np.asarray([limits.min, 0, limits.max], dtype)
    for name in ("max", "min"):
        assert_same(lambda xp, x, n=name: getattr(xp, n)(x), x)
