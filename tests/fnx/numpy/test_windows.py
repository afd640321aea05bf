"""Windows: against NumPy, errors for counts that aren't known."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from tests.support.numpy_tables import assert_same_as_numpy

NAMES = ["bartlett", "blackman", "hamming", "hanning"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("points", [0, 1, 2, 7, 12])
def test_values(name, points):
    assert_same_as_numpy(name, [points])
    with fnx.enable_x64(False):
        assert getattr(jnp, name)(points).dtype == np.float32


@pytest.mark.parametrize("name", NAMES)
def test_counts_must_be_known(name):
    with pytest.raises(TypeError, match=f"{name}: M must be an integer"):
        getattr(jnp, name)(2.5)
    with pytest.raises(TypeError, match=f"{name}: M must be an integer"):
        fnx.jit(getattr(jnp, name))(4)


@pytest.mark.parametrize("points", [0, 1, 2, 5, 12])
def test_kaiser(points):
    np.testing.assert_allclose(
        jnp.kaiser(points, 8.5), np.kaiser(points, 8.5).astype(np.float32), rtol=2e-6
    )
    grad = fnx.grad(lambda beta: jnp.kaiser(5, beta)[1])(2.0)
    step = (np.kaiser(5, 2 + 1e-5) - np.kaiser(5, 2 - 1e-5))[1] / 2e-5
    np.testing.assert_allclose(grad, step, rtol=1e-4)
