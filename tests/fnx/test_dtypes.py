"""fnx.dtypes: promotion against JAX's stored answers, defaults, canonicalisation, kinds.

`tests/support/make_jax_foundations.py` made the stored answers.
"""

from __future__ import annotations

import dataclasses
import json
import pickle
from pathlib import Path
from typing import Any

import hypothesis
import hypothesis.strategies as st
import ml_dtypes
import numpy as np
import pytest

from fnx import dtypes
from fnx.config import enable_x64, numpy_dtype_promotion
from fnx.config import replaced as replaced_context
from fnx.config import settings as current_settings
from fnx.errors import FnxError, TypePromotionError, dtype_string

STORED = json.loads((Path(__file__).parent / "data" / "jax_promotion.json").read_text())
TABLES = sorted(STORED["pairs"])
ALL = [np.dtype(name) for name in STORED["kinds"]]


def answer(*nodes: tuple[str, bool]) -> Any:
    try:
        dtype, weak = dtypes.join(*[(np.dtype(name), weak) for name, weak in nodes])
    except TypePromotionError:
        return "TypePromotionError"
    return [dtype.name, weak]


@pytest.mark.parametrize("table", TABLES)
def test_promotion_of_every_pair_is_jax_s(table: str) -> None:
    x64, mode = table.split()
    rows = STORED["pairs"][table]
    assert len(rows) > 400
    with enable_x64(x64 == "x64=True"), numpy_dtype_promotion(mode):
        wrong = [
            (a, b, expected, answer(a, b), answer(b, a))
            for a, b, expected in rows
            if not answer(a, b) == answer(b, a) == expected
        ]
    assert wrong == []


def test_promotion_of_triples_is_jax_s() -> None:
    with enable_x64(True):
        wrong = [row for row in STORED["triples"] if answer(*row[:3]) != row[3]]
    assert wrong == []


def test_unset_x64_promotes_as_with_x64_but_weak_results_are_32_bits_wide() -> None:
    narrow = {"int64": "int32", "uint64": "uint32", "float64": "float32", "complex128": "complex64"}
    for a, b, expected in STORED["pairs"]["x64=True standard"]:
        if isinstance(expected, str):
            continue
        name, weak = expected
        # A weak result has the default width, where it does not come of weak dtypes alone.
        if weak and not (a[1] and b[1]):
            name = narrow.get(name, name)
        assert answer(a, b) == [name, weak], (a, b)


@pytest.mark.parametrize("name", sorted(STORED["kinds"]))
def test_kinds_are_jax_s(name: str) -> None:
    stored = STORED["kinds"][name]
    dtype = np.dtype(name)
    classes = [np.generic, np.number, np.integer, np.signedinteger, np.unsignedinteger]
    classes += [np.inexact, np.floating, np.complexfloating, np.bool_, np.float32]
    words = ["bool", "signed integer", "unsigned integer", "integral", "real floating"]
    words += ["complex floating", "numeric", "float32"]
    assert [dtypes.issubdtype(name, kind) for kind in classes] == stored["issubdtype"]
    assert [dtypes.isdtype(dtype, word) for word in words] == stored["isdtype"]
    assert dtypes.itemsize_bits(dtype) == stored["bits"]
    assert dtypes.scalar_type_of(dtype).__name__ == stored["scalar"]
    # JAX leaves integers of 2 bits as they are here, though not those of 4.
    inexact = "float32" if name in ("int2", "uint2") else stored["inexact"]
    assert dtypes.to_inexact_dtype(dtype).name == inexact
    assert dtypes.to_complex_dtype(dtype).name == stored["complex"]
    assert dtypes.to_numeric_dtype(dtype).name == stored["numeric"]
    assert dtype_string(dtype) == stored["short"]


@hypothesis.given(st.lists(st.tuples(st.sampled_from(ALL), st.booleans()), min_size=1, max_size=4))
def test_join_ignores_order_and_is_idempotent(types: list[tuple[Any, bool]]) -> None:
    def attempt(chosen: list[tuple[Any, bool]]) -> Any:
        try:
            return dtypes.join(*chosen)
        except TypePromotionError:
            return None

    found = attempt(types)
    assert attempt(types[::-1]) == found
    assert attempt(types + types) == found


def test_weakness_of_values() -> None:
    assert dtypes.result_type(np.float16(1), 2.0) == np.float16
    assert dtypes.result_type(np.int8(1), 2) == np.int8
    assert dtypes.result_type(np.int8(1), 2.0) == np.float32
    assert dtypes.result_type(np.float32(1), 2j) == np.complex64
    assert dtypes.result_type(1, 2.0, return_weak_type_flag=True) == (np.float32, True)
    assert dtypes.result_type(True, return_weak_type_flag=True) == (np.bool_, False)
    assert dtypes.result_type(True, 1, return_weak_type_flag=True) == (np.int32, True)
    assert dtypes.result_type(np.True_, 1, return_weak_type_flag=True) == (np.int32, True)
    assert dtypes.result_type(int, np.uint8(1)) == np.uint8
    assert dtypes.result_type(None) == np.float32
    assert dtypes.is_weakly_typed(1) and dtypes.is_weakly_typed(1.0) and dtypes.is_weakly_typed(1j)
    assert not dtypes.is_weakly_typed(True) and not dtypes.is_weakly_typed(np.float64(1))
    with pytest.raises(ValueError, match="at least one"):
        dtypes.result_type()


def test_nothing_is_narrowed_unless_asked_for() -> None:
    wide = np.zeros(2)
    assert dtypes.dtype(wide) == dtypes.result_type(wide, np.float32(1)) == np.float64
    with enable_x64(False):
        assert dtypes.dtype(wide) == np.float32
        assert dtypes.canonicalize_dtype(np.uint64) == np.uint32
        assert dtypes.canonicalize_dtype("complex128") == np.complex64
        assert dtypes.canonicalize_dtype(np.int16) == np.int16
        assert dtypes.promote_types("uint32", "int32") == np.int32
    assert dtypes.promote_types("uint32", "int32") == np.int64


@pytest.mark.parametrize(
    ("x64", "expected"),
    [
        (None, "int32 uint32 float32 complex64"),
        (False, "int32 uint32 float32 complex64"),
        (True, "int64 uint64 float64 complex128"),
    ],
)
def test_defaults(x64: bool | None, expected: str) -> None:
    with enable_x64(x64):
        found = (
            dtypes.default_int_dtype(),
            dtypes.default_uint_dtype(),
            dtypes.default_float_dtype(),
            dtypes.default_complex_dtype(),
        )
        assert " ".join(dtype.name for dtype in found) == expected
        assert (dtypes.dtype(1), dtypes.dtype(1.0), dtypes.dtype(1j)) == (found[0], *found[2:])
        assert (dtypes.dtype(int), dtypes.canonicalize_dtype(float)) == (found[0], found[2])
        assert dtypes.jax_dtype(None) == dtypes.jax_dtype(float) == found[2]
        assert dtypes.check_user_dtype(int) == found[0]
        assert dtypes.promote_types(int, float) == found[2]
        assert dtypes.dtype(True) == dtypes.jax_dtype(bool) == np.bool_


def test_explicit_64_bit_requests_warn_raise_or_pass() -> None:
    assert dtypes.check_user_dtype("float64", "zeros") == np.float64
    with enable_x64(False):
        with pytest.warns(UserWarning, match="float64 requested in zeros is not available"):
            assert dtypes.check_user_dtype(np.float64, "zeros") == np.float32
        assert dtypes.check_user_dtype("float32", "zeros") == np.float32
        with _explicit("error"), pytest.raises(ValueError, match="int64 requested in arange"):
            dtypes.check_user_dtype("int64", "arange")
        with _explicit("allow"):
            assert dtypes.check_user_dtype("int64", "arange") == np.int64


def _explicit(choice: str) -> Any:
    changed = dataclasses.replace(current_settings(), explicit_x64_dtypes=choice)
    return replaced_context(settings=changed)


@pytest.mark.parametrize("bad", ["U3", "datetime64[s]", object])
def test_dtypes_that_arrays_can_t_have(bad: Any) -> None:
    with pytest.raises(TypeError, match="asarray: .* is not a dtype of arrays"):
        dtypes.check_user_dtype(bad, "asarray")
    with pytest.raises(TypeError, match="arrays can't have"):
        dtypes.dtype(np.zeros(1, bad) if bad is object else np.dtype(bad))


def test_mistakes_about_dtypes() -> None:
    with pytest.raises(TypeError, match="has no dtype|arrays can't have"):
        dtypes.dtype(object())
    with pytest.raises(ValueError, match="None"):
        dtypes.dtype(None)
    with pytest.raises(ValueError, match=r"Write dtype=x\.dtype"):
        dtypes.check_user_dtype(np.zeros(2))
    with pytest.raises(ValueError, match="'real floating'"):
        dtypes.isdtype("float32", "floating point")
    with pytest.raises(TypeError, match="expected a dtype"):
        dtypes.isdtype("float32", 3)
    with pytest.raises(TypeError):
        dtypes.can_cast(1.0, "float32")


@pytest.mark.parametrize("x64", [None, True, False])
def test_python_integers_must_fit(x64: bool | None) -> None:
    with enable_x64(x64):
        bounds = np.iinfo(dtypes.default_int_dtype())
        assert dtypes.scalar_dtype(int(bounds.max)) == bounds.dtype
        assert dtypes.scalar_dtype(int(bounds.min)) == bounds.dtype
        with pytest.raises(OverflowError, match=f"too large to convert to {bounds.dtype}"):
            dtypes.scalar_dtype(int(bounds.max) + 1)
        with pytest.raises(OverflowError):
            dtypes.scalar_dtype(int(bounds.min) - 1)


def test_promotion_errors_say_what_and_how_to_go_on() -> None:
    with pytest.raises(TypePromotionError, match=r"float8_e4m3fn, float32.*too small.*astype"):
        dtypes.promote_types("float8_e4m3fn", "float32")
    with (
        numpy_dtype_promotion("strict"),
        pytest.raises(TypePromotionError, match=r"int32, float32.*strict.*standard"),
    ):
        dtypes.promote_types("int32", "float32")
    for base in (TypeError, ValueError, FnxError):
        with pytest.raises(base):
            dtypes.promote_types("int4", "int8")


def test_limits() -> None:
    assert dtypes.finfo("bfloat16").bits == 16 and float(dtypes.finfo("bfloat16").eps) == 2.0**-7
    assert dtypes.finfo(np.float32(1)).max == np.finfo(np.float32).max
    assert dtypes.finfo("complex64").dtype == np.float32
    assert dtypes.finfo(ml_dtypes.float8_e5m2).bits == 8
    assert (dtypes.iinfo("int4").min, dtypes.iinfo("int4").max) == (-8, 7)
    assert dtypes.iinfo(np.uint16).max == 65535


class _KeyType(dtypes.ExtendedDType):
    __slots__ = ()
    type = dtypes.prng_key
    name = "key<fry>"


def test_extended_dtypes() -> None:
    key = _KeyType()
    assert dtypes.issubdtype(key, dtypes.prng_key) and dtypes.issubdtype(key, dtypes.extended)
    assert dtypes.issubdtype(key, np.generic) and not dtypes.issubdtype(key, np.number)
    assert not dtypes.issubdtype("float32", dtypes.extended)
    assert dtypes.issubdtype(key, key) and not dtypes.issubdtype("float32", key)
    assert dtypes.canonicalize_dtype(key, allow_extended_dtype=True) is key
    assert dtypes.check_user_dtype(key) is key and dtypes.jax_dtype(key) is key
    assert dtypes.join((key, False), (key, False)) == (key, False)
    assert repr(key) == dtype_string(key) == "key<fry>"
    with pytest.raises(ValueError, match="no NumPy dtype"):
        dtypes.canonicalize_dtype(key)
    with pytest.raises(TypePromotionError, match="nothing but itself"):
        dtypes.join((key, False), (np.dtype("uint32"), False))


def test_float0_is_a_dtype_without_contents() -> None:
    assert np.zeros(3, dtypes.float0).nbytes == 0
    assert pickle.loads(pickle.dumps(dtypes.float0)) == dtypes.float0
    assert dtypes.check_user_dtype(dtypes.float0) == dtypes.float0


def test_can_cast_is_numpy_s() -> None:
    for a in ("int32", "float32", "bfloat16", "complex64"):
        for b in ("int64", "float32", "float64", "complex64"):
            assert dtypes.can_cast(a, b) == np.can_cast(np.dtype(a), np.dtype(b))
    assert dtypes.can_cast(np.zeros(2, np.float32), "float64")
    assert dtypes.can_cast("float64", "float32", casting="same_kind")
