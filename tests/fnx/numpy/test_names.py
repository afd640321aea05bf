"""Every function of `fnx.numpy` has a row among the calls that are tried."""

from __future__ import annotations

import fnx.numpy as jnp
from tests.support.numpy_cases import CASES, expressions, name_of

#: What the tests of dtypes try.
ELSEWHERE = {"can_cast", "finfo", "iinfo", "isdtype", "issubdtype", "promote_types", "result_type"}
#: Tried in test_promotion.py, for it gives no array; and what isn't defined: memory as it was.
BY_HAND = {"broadcast_shapes", "empty", "empty_like"}


def test_every_function_has_a_row():
    rows = {name_of(e) for section in CASES for e in expressions(section)}
    functions = {
        name
        for name in jnp.__all__
        if callable(getattr(jnp, name)) and not isinstance(getattr(jnp, name), type)
    }
    assert functions - rows - ELSEWHERE - BY_HAND == set()
    assert rows <= functions


def test_empty_arrays_have_shape_and_dtype():
    assert jnp.empty((2, 3), "int8").shape == (2, 3)
    assert jnp.empty_like(jnp.ones(2, "int8")).dtype == "int8"
