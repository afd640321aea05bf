"""The special cases of the array API standard, one by one, eager and compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from tests.support.array_api_special_cases import (
    COMPLEX,
    REAL,
    TWO_COMPLEX,
    AnySign,
    OneOf,
    Z,
    rows_of,
)

NARROW = {"complex128": "complex64", "float64": "float32"}


def _number(x: Any) -> Any:
    return complex(x.re, x.im) if isinstance(x, Z) else x


def _agrees(found: Any, expected: Any, tolerance: float) -> bool:
    if isinstance(expected, Z):
        return _agrees(found.real, expected.re, tolerance) and _agrees(
            found.imag, expected.im, tolerance
        )
    if isinstance(expected, OneOf):
        return any(_agrees(found, x, tolerance) for x in expected.values)
    if isinstance(expected, AnySign):
        return _agrees(abs(found), abs(expected.value), tolerance)
    if isinstance(expected, bool):
        return bool(found) is expected
    if np.isnan(expected) or not np.isfinite(expected):
        return bool(np.array_equal(found, expected, equal_nan=True))
    signs = np.signbit(found) == np.signbit(expected)
    return bool(signs and np.isclose(found, expected, rtol=tolerance, atol=0))


def _operands(rows: list[Any], dtype: str) -> list[np.ndarray[Any, Any]]:
    columns = zip(*[operands for operands, _ in rows])
    return [np.array([_number(x) for x in column], dtype) for column in columns]


def _assert_rows(name: str, found: Any, rows: list[Any], dtype: str) -> None:
    values = np.asarray(found)
    tolerance = 1e-14 if dtype in NARROW else 1e-6
    wrong = [
        f"{name}{tuple(map(_number, operands))} is {value}, expected {expected}"
        for (operands, expected), value in zip(rows, values)
        if not _agrees(value, expected, tolerance)
    ]
    assert not wrong, f"{len(wrong)} of {len(rows)}, {dtype}:\n" + "\n".join(wrong[:20])


def _rows(table: dict[str, Any], name: str, dtype: str) -> list[Any]:
    part = np.empty(0, dtype).real.dtype.type
    rows = list(rows_of(table[name], lambda x: float(part(x))))
    assert rows
    return rows


CASES = [
    *[(REAL, name, "float64") for name in REAL],
    *[(COMPLEX, name, "complex128") for name in COMPLEX],
    *[(TWO_COMPLEX, name, "complex128") for name in TWO_COMPLEX],
]


@pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])
@pytest.mark.parametrize(("table", "name", "dtype"), CASES, ids=[f"{c[1]}-{c[2]}" for c in CASES])
def test_special_cases(table, name, dtype, narrow):
    dtype = NARROW[dtype] if narrow else dtype
    rows = _rows(table, name, dtype)
    operands = [jnp.asarray(x) for x in _operands(rows, dtype)]
    function = getattr(jnp, name)
    _assert_rows(name, function(*operands), rows, dtype)
    _assert_rows(f"jit({name})", fnx.jit(function)(*operands), rows, dtype)
