"""ds: slices whose start is computed, as parts of an index, against NumPy's slices."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp

X = np.arange(24.0, dtype=np.float32).reshape(4, 6)


@pytest.mark.parametrize("wrap", [lambda f: f, fnx.jit])
@pytest.mark.parametrize(
    ("index", "start", "expected"),
    [
        (lambda i: fnx.ds(i, 2), 1, X[1:3]),
        (lambda i: fnx.ds(i, 2), 3, X[2:4]),  # moved inside
        (lambda i: (slice(None), fnx.ds(i, 3)), 2, X[:, 2:5]),
        (lambda i: (fnx.ds(1, 2), fnx.ds(i, 2, 2)), 1, X[1:3, 1:4:2]),
        (lambda i: (1, fnx.ds(i, 2)), 3, X[1, 3:5]),
        (lambda i: (Ellipsis, fnx.ds(i, 2)), 0, X[:, 0:2]),
        (lambda i: (None, fnx.ds(i, 1), None), 2, X[None, 2:3, None]),
        (lambda i: (np.array([0, 2]), fnx.ds(i, 2)), 1, X[np.array([0, 2]), 1:3]),
        (lambda i: (X[:, 0] > 5, fnx.ds(i, 2)), 1, X[X[:, 0] > 5, 1:3]),
        (lambda i: fnx.ds(2), 0, X[:2]),
        (lambda i: fnx.ds(None), 0, X),
    ],
)
def test_reading_and_writing(wrap: Any, index: Any, start: int, expected: Any) -> None:
    given = jnp.asarray(X)
    np.testing.assert_array_equal(wrap(lambda x, i: x[index(i)])(given, start), expected)
    parts = index(0) if isinstance(index(0), tuple) else (index(0),)
    if any(getattr(p, "stride", 1) == 2 for p in parts):
        with pytest.raises(NotImplementedError, match="stride 1"):
            jnp.asarray(X).at[index(start)].set(0.0)
        return
    written = wrap(lambda x, i: x.at[index(i)].add(100.0))(jnp.asarray(X), start)
    changed = np.isin(X, expected)
    np.testing.assert_array_equal(written, X + 100 * changed)


def test_derivatives() -> None:
    slope = fnx.grad(lambda x: (x[fnx.ds(jnp.asarray(1), 2)] ** 2).sum())(jnp.asarray(X))
    np.testing.assert_array_equal(slope, np.where(np.arange(4)[:, None] // 1 % 3 > 0, 2 * X, 0))
    lanes = fnx.vmap(lambda x, i: x[fnx.ds(i, 2)])(X, np.array([0, 1, 2, 4]))
    np.testing.assert_array_equal(lanes, [r[i : i + 2] for r, i in zip(X, (0, 1, 2, 4))])


def test_sizes_are_static() -> None:
    with pytest.raises(TypeError, match="ds: size must be an int"):
        fnx.ds(0, 1.5)
    with pytest.raises(TypeError, match="ds: stride must be an int"):
        fnx.ds(0, 2, 1.5)  # type: ignore[arg-type]
