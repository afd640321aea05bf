"""The creation functions and data types of the array API standard, beside the strict namespace."""

from __future__ import annotations

import math

import array_api_strict
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
    SIGNED,
    UNSIGNED,
    assert_same,
    data,
    pairs,
)

ALL = BOOL + NUMERIC


def _dtype(xp, name):
    return getattr(xp, name)


@pytest.mark.parametrize("name", ["zeros", "ones", "empty"])
def test_constant_arrays(name):
    for shape in (*SHAPES, 3):
        for dtype in ALL:
            if name == "empty":
                with fnx.enable_x64(True):
                    found = jnp.empty(shape, dtype=dtype, device=jnp.ones(1).device)
                assert found.dtype == dtype and found.size == math.prod(np.empty(shape).shape)
            else:
                assert_same(
                    lambda xp, s=shape, d=dtype: getattr(xp, name)(s, dtype=_dtype(xp, d)),
                    jit=shape == (5,),
                )
        if name != "empty":
            assert_same(lambda xp, s=shape: getattr(xp, name)(s))
            assert_same(lambda xp, s=shape: getattr(xp, name)(shape=s, device=None), jit=False)


@pytest.mark.parametrize("name", ["zeros_like", "ones_like", "empty_like", "full_like"])
def test_constant_arrays_like_another(name):
    def call(xp, x, dtype=None):
        one = (bool(x.dtype == xp.bool) or 1,) if name == "full_like" else ()
        found = getattr(xp, name)(x, *one, dtype=dtype, device=x.device)
        return xp.zeros_like(found) if name == "empty_like" else found

    for dtype in ALL:
        for shape in SHAPES:
            assert_same(call, data(dtype, shape), jit=False)
        assert_same(lambda xp, x: call(xp, x, xp.float64), data(dtype))


@pytest.mark.parametrize("value", [True, 3, -2, 2.5, math.nan, -math.inf, 1 + 2j])
def test_full(value):
    kinds = {bool: ALL[:1], int: REAL[:4] + FLOAT, float: FLOAT, complex: COMPLEX}[type(value)]
    for shape in SHAPES:
        assert_same(lambda xp, s=shape: xp.full(s, value), jit=False)
        for dtype in kinds:
            assert_same(lambda xp, s=shape, d=dtype: xp.full(s, value, dtype=_dtype(xp, d)))


@pytest.mark.parametrize(
    "bounds",
    [
        (5,), (0,), (-3,), (2, 7), (7, 2), (7, 2, -2), (0, 10, 3), (2.5,), (0.5, 3), (1, 2, 0.25),
        (-1.5, 4.0, 1.5), (3, 3), (1, -1, -0.5), (0, 1, 10),
    ],
)  # fmt: skip
def test_arange(bounds):
    assert_same(lambda xp: xp.arange(*bounds))
    integers = all(isinstance(b, int) for b in bounds)
    for dtype in (*SIGNED, *FLOAT) if integers else FLOAT:
        assert_same(lambda xp, d=dtype: xp.arange(*bounds, dtype=_dtype(xp, d)), jit=False)
    assert_same(lambda xp: xp.arange(bounds[0], device=None), jit=False)


@pytest.mark.parametrize("endpoint", [True, False])
def test_linspace(endpoint):
    for ends in ((0, 1), (-2.5, 7.25), (3, -3), (0.1, 0.3), (1, 1)):
        for num in (0, 1, 2, 7, 50):

            def call(xp, dtype=None, ends=ends, num=num):
                return xp.linspace(*ends, num, dtype=dtype, endpoint=endpoint, device=None)

            assert_same(call, jit=False)
            for dtype in FLOAT + COMPLEX:
                assert_same(lambda xp, d=dtype, call=call: call(xp, _dtype(xp, d)), jit=False)
    assert_same(lambda xp: xp.linspace(1 - 1j, 2 + 3j, 5, endpoint=endpoint), jit=False)


def test_linspace_is_exact_at_its_ends_whatever_the_default_dtype():
    found = jnp.linspace(0.1, 0.3, 5, dtype="float64")
    assert found.dtype == "float64" and found[0] == 0.1 and found[-1] == 0.3


@pytest.mark.parametrize("k", [-4, -1, 0, 2, 5])
def test_eye(k):
    for rows, columns in ((3, None), (3, 3), (2, 4), (4, 2), (0, 3)):
        assert_same(lambda xp, r=rows, c=columns: xp.eye(r, c, k=k), jit=False)
    for dtype in ALL:
        assert_same(lambda xp, d=dtype: xp.eye(3, 4, k=k, dtype=_dtype(xp, d)), jit=False)


@pytest.mark.parametrize("name", ["tril", "triu"])
def test_triangles(name):
    for dtype in ALL:
        for k in (-4, -1, 0, 1, 4):
            for shape in ((3, 3), (2, 4), (2, 3, 2), (0, 3)):
                x = data(dtype, shape)
                assert_same(lambda xp, x, k=k: getattr(xp, name)(x, k=k), x, jit=False)


def test_meshgrid():
    x, y, z = data("int16", (3,)), data("int16", (1,)), data("int16", (4,))
    for arrays in ((x,), (x, y), (x, y, z)):
        for indexing in ("xy", "ij"):
            assert_same(lambda xp, *a, i=indexing: list(xp.meshgrid(*a, indexing=i)), *arrays)


@pytest.mark.parametrize(
    "obj", [True, 3, 2.5, 1j, [1, 2], [[1.5], [2.5]], (1, 2.5), [True, False], [[1, 2j]], [], [[]]]
)
def test_asarray_of_numbers(obj):
    assert_same(lambda xp: xp.asarray(obj), jit=False)
    assert_same(lambda xp: xp.asarray(obj, dtype=xp.complex128, device=None), jit=False)


def test_asarray_of_arrays_and_copies():
    for dtype in ALL:
        x = jnp.asarray(data(dtype))
        assert jnp.asarray(x) is x and jnp.asarray(x, copy=False) is x
        copied = jnp.asarray(x, copy=True)
        assert not np.may_share_memory(np.asarray(copied), np.asarray(x))
        np.testing.assert_array_equal(copied, x)
        assert jnp.asarray(x, dtype="complex128").dtype == "complex128"
    with pytest.raises(ValueError, match="copy=False"):
        jnp.asarray([1, 2], copy=False)
    with pytest.raises(ValueError, match="copy=False"):
        jnp.asarray(jnp.ones(2, "float32"), dtype="int32", copy=False)
    with pytest.raises(ValueError, match="asarray: there is no device 'gpu'"):
        jnp.asarray([1], device="gpu")
    with pytest.raises(ValueError, match="linspace: there is no device 'gpu'"):
        jnp.linspace(0, 1, 3, device="gpu")


def test_from_dlpack():
    for dtype in NUMERIC:
        x = data(dtype, (2, 3))
        for copy in (None, True):
            found = jnp.from_dlpack(x, copy=copy, device=fnx.devices()[0])
            assert found.dtype == dtype
            np.testing.assert_array_equal(found, x)
    ours = jnp.arange(3.0)
    assert ours.__dlpack_device__() == (1, 0)
    there = np.from_dlpack(ours)
    np.testing.assert_array_equal(there, ours)
    assert np.shares_memory(there, np.asarray(ours)) and not there.flags.writeable
    mine = np.from_dlpack(ours, copy=True)
    assert not np.shares_memory(mine, np.asarray(ours))
    ours.__dlpack__(stream=None, max_version=(1, 0), dl_device=(1, 0), copy=False)
    strict = array_api_strict.from_dlpack(jnp.from_dlpack(ours, copy=True))
    np.testing.assert_array_equal(np.asarray(strict), ours)


@pytest.mark.parametrize("dtype", ALL)
def test_astype(dtype):
    for to in ALL:
        if np.dtype(dtype).kind == "c" and np.dtype(to).kind != "c":
            continue
        x = abs(data(dtype)) if np.dtype(to).kind == "u" and dtype != "bool" else data(dtype)
        for copy in (True, False):
            assert_same(
                lambda xp, x, to=to, copy=copy: xp.astype(x, _dtype(xp, to), copy=copy), x,
                jit=copy and dtype in ("bool", "int8", "int64", "float32", "complex64"),
            )  # fmt: skip
    x = jnp.asarray(data(dtype))
    assert jnp.astype(x, x.dtype, copy=False) is x
    y = jnp.astype(x, x.dtype, copy=True, device=x.device)
    assert not np.may_share_memory(np.asarray(y), np.asarray(x))


@pytest.mark.parametrize("name", FLOAT + COMPLEX)
def test_finfo(name):
    dtype, part = _dtype(jnp, name), np.finfo(name)
    for found in (jnp.finfo(dtype), jnp.finfo(jnp.zeros(1, dtype))):
        for word in ("eps", "max", "min", "smallest_normal"):
            assert type(getattr(found, word)) is float
            assert getattr(found, word) == float(getattr(part, word))
        assert found.bits == part.bits and type(found.bits) is int
        assert found.dtype == part.dtype


@pytest.mark.parametrize("name", INTEGER)
def test_iinfo(name):
    dtype = _dtype(jnp, name)
    for found in (jnp.iinfo(dtype), jnp.iinfo(jnp.zeros(1, dtype))):
        for word in ("bits", "max", "min"):
            assert type(getattr(found, word)) is int
            assert getattr(found, word) == getattr(np.iinfo(name), word)
        assert found.dtype == name


GROUPS = {
    "bool": BOOL, "signed integer": SIGNED, "unsigned integer": UNSIGNED, "integral": INTEGER,
    "real floating": FLOAT, "complex floating": COMPLEX, "numeric": NUMERIC,
}  # fmt: skip


@pytest.mark.parametrize("name", ALL)
def test_isdtype(name):
    dtype = _dtype(jnp, name)
    for kind, group in GROUPS.items():
        assert jnp.isdtype(dtype, kind) is (name in group)
        assert jnp.isdtype(jnp.zeros(1, dtype).dtype, (kind, "bool")) is (
            name in group or name == "bool"
        )
    for other in ALL:
        assert jnp.isdtype(dtype, _dtype(jnp, other)) is (name == other)
        assert jnp.isdtype(dtype, (_dtype(jnp, other), "bool")) is (name in (other, "bool"))


@pytest.mark.parametrize(("a", "b"), pairs(BOOL, INTEGER, FLOAT + COMPLEX))
def test_result_type(a, b):
    expected = np.result_type(a, b)
    one, other = _dtype(jnp, a), _dtype(jnp, b)
    assert jnp.result_type(one, other) == expected
    assert jnp.result_type(jnp.zeros(2, one), other, one) == expected
    assert jnp.result_type(jnp.zeros(2, one), jnp.zeros((), other)) == expected
    scalars = {"b": True, "i": 1, "u": 1, "f": 1.5, "c": 1j}
    for x in (one, jnp.zeros(2, one)):
        assert jnp.result_type(x, scalars[np.dtype(a).kind]) == a


@pytest.mark.parametrize("a", ALL)
def test_can_cast(a):
    for b in ALL:
        expected = np.can_cast(a, b)
        assert jnp.can_cast(_dtype(jnp, a), _dtype(jnp, b)) is expected
        assert jnp.can_cast(jnp.zeros(2, a), _dtype(jnp, b)) is expected


def test_dtypes_are_equal_to_themselves_alone():
    for a in ALL:
        for b in ALL:
            assert (jnp.zeros(1, a).dtype == _dtype(jnp, b)) is (a == b)
            assert (_dtype(jnp, a) == _dtype(jnp, b)) is (a == b)
