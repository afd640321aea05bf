"""cost: operations and bytes against the formulas of the algorithms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import lax

A, B = jnp.ones((5, 7)), jnp.ones((7, 3))
IMAGE, FILTER = jnp.ones((2, 3, 8, 9)), jnp.ones((4, 3, 3, 3))


@pytest.mark.parametrize(
    ("function", "args", "flops"),
    [
        (jnp.matmul, (A, B), 2 * 5 * 7 * 3),
        (jnp.matmul, (jnp.ones((4, 5, 7)), jnp.ones((4, 7, 3))), 4 * 2 * 5 * 7 * 3),
        (lambda x, y: jnp.sin(x) + y, (A, A), 2 * 35),
        (jnp.sum, (A,), 35),
        (lambda x: jnp.sum(x, axis=1), (A,), 35),
        (lambda x: x.T.reshape(5, 7), (A,), 0),
        (
            lambda x, f: lax.conv(x, f, (1, 1), "VALID"),
            (IMAGE, FILTER),
            2 * (2 * 4 * 6 * 7) * (3 * 3 * 3),
        ),
        (lambda x: lax.fori_loop(0, 10, lambda k, c: jnp.sin(c), x), (A,), 10 * 35),
        (lambda x: lax.scan(lambda c, y: (c * y, c), x[0], x)[0], (A,), 5 * 7),
        (fnx.checkpoint(lambda x: jnp.sin(x)), (A,), 35),
        (fnx.jit(lambda x: jnp.sin(x)), (A,), 35),
        (jnp.linalg.cholesky, (jnp.eye(6),), None),
    ],
)
def test_operations(function: Any, args: Any, flops: int | None) -> None:
    found = fnx.cost(function)(*args)
    if flops is None:
        assert 6**3 / 3 <= found.flops <= 6**3  # and what makes it symmetric and triangular
    else:
        assert found.flops == flops
    assert not found.after.notes


def test_bytes_and_equations() -> None:
    found = fnx.cost(lambda x: (jnp.sin(x) + x) * 1.0 + (jnp.sin(x) + x))(
        fnx.ShapeDtypeStruct((10,), "float64")
    )
    assert found.after.by_primitive["sin"] == (1, 10, 160)  # one vector in, one out
    assert found.after.by_primitive["add"] == (1, 10, 240)
    assert found.before.by_primitive["add"] == (2, 20, 480)  # recording shares sin(x) + x already
    assert found.before.eqns > 2 and found.before.flops > found.flops


def test_branches_count_the_dearest() -> None:
    def function(x: Any) -> Any:
        return lax.cond(x[0, 0] > 0, lambda y: y, lambda y: jnp.sin(jnp.cos(y)), x)

    found = fnx.cost(function)(A)
    assert found.after.by_primitive["sin"].flops == 35
    assert found.flops == 2 * 35 + found.after.by_primitive["gt"].flops + sum(
        t.flops for n, t in found.after.by_primitive.items() if n == "convert_element_type"
    )


def test_the_length_of_a_while_is_said_to_be_unknown() -> None:
    found = fnx.cost(lambda x: lax.while_loop(lambda c: c[0] < 9, lambda c: c * 2, x))(jnp.ones(4))
    (note,) = found.after.notes
    assert "length of the while at test_costs.py" in note and "one step" in note
    assert found.after.by_primitive["mul"].flops == 4 and note in str(found)


def test_the_table() -> None:
    lines = str(fnx.cost(lambda x, y: jnp.tanh(x @ y))(A, B)).splitlines()
    assert lines[0] == "cost of <lambda>" and lines[2].split()[:3] == ["dot_general", "1", "210"]
    assert lines[-2].split()[:3] == ["simplified", "2", "225"]


def test_compiled_programs_tell_the_same() -> None:
    function = lambda x, y: jnp.tanh(x @ y)  # noqa: E731
    told = fnx.jit(function).lower(A, B).compile().cost_analysis()
    found = fnx.cost(function)(A, B)
    assert told == {
        "flops": found.flops,
        "bytes accessed": found.bytes,
        "equations": found.eqns,
    }
    with pytest.raises(TypeError, match="expected a function"):
        fnx.cost(np.ones(3))  # type: ignore[arg-type]
