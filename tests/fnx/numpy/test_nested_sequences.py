"""`array` of nested sequences that hold traced values, and weak operands of integer division."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp


def test_traced_numbers_stand_in_nested_sequences() -> None:
    def matrix(x: Any, y: Any) -> Any:
        return jnp.array([[x, 1], [y, x * y]])

    expected = np.array([[2.0, 1.0], [3.0, 6.0]], np.float32)
    found = fnx.jit(matrix)(np.float32(2), np.float32(3))
    assert found.dtype == np.float32 and not found.weak_type
    np.testing.assert_array_equal(found, expected)
    slopes = fnx.jacfwd(matrix)(np.float32(2), np.float32(3))
    np.testing.assert_array_equal(slopes, [[1, 0], [0, 3]])


def test_ragged_sequences_of_traced_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match=r"rectangular.*f32\[2\].*element 1.*f32\[1\]"):
        fnx.jit(lambda x: jnp.array([[x, x], [x]]))(np.float32(2))


@pytest.mark.parametrize(("x", "y"), [(-7, 2), (7, -2), (-7.0, 2.0), (6, 3)])
def test_division_of_python_numbers_stays_weak(x: Any, y: Any) -> None:
    quotient, rest = jnp.divmod(x, y)
    assert quotient.weak_type and rest.weak_type
    assert (quotient.item(), rest.item()) == divmod(x, y)
    narrow = jnp.ones(2, jnp.int8 if isinstance(x, int) else jnp.bfloat16)
    assert (narrow + quotient).dtype == narrow.dtype
