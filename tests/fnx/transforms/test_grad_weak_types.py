"""The weakness of results follows that of arguments; the expected ones are JAX's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import lax


@pytest.mark.parametrize("transform", [fnx.grad, lambda f: fnx.jit(fnx.grad(f))])
@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (jnp.sin, np.cos(3.0)),
        (lambda x: x * np.float32(2), 2.0),
        (lambda x: (x * jnp.ones(3)).sum(), 3.0),
        (lambda x: 1.0, 0.0),
        (fnx.checkpoint(lambda x: x**2), 6.0),
    ],
    ids=["sin", "strong factor", "strong array", "constant", "checkpoint"],
)
def test_the_gradient_of_a_weak_argument_is_weak(
    transform: Any, function: Any, expected: float
) -> None:
    found = transform(function)(3.0)
    assert (found.dtype, found.weak_type) == (np.float32, True)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    strong = transform(function)(np.float32(3.0))
    assert (strong.dtype, strong.weak_type) == (np.float32, False)
    np.testing.assert_array_equal(strong, found)


def test_each_gradient_is_as_weak_as_its_argument() -> None:
    for_x, for_y = fnx.grad(lambda x, y: x * y, (0, 1))(3.0, np.float32(2.0))
    assert (for_x.weak_type, for_y.weak_type) == (True, False)
    # So a gradient with respect to a Python number widens nothing.
    assert (for_x + jnp.ones(2, jnp.bfloat16)).dtype == jnp.bfloat16


@pytest.mark.parametrize(
    ("lower", "upper", "weak"),
    [(0, 4, True), (np.int32(0), 4, False), (0, np.int32(4), False)],
)
def test_the_counter_of_a_loop_is_as_weak_as_its_bounds(lower: Any, upper: Any, weak: bool) -> None:
    seen = []

    def body(i: Any, total: Any) -> Any:
        seen.append(i.weak_type)
        return total + i

    assert int(lax.fori_loop(lower, upper, body, 0)) == 6
    assert set(seen) == {weak}
