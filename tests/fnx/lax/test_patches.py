"""Patches and locally connected layers, against convolutions and loops."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
from fnx import lax


def test_a_convolution_is_a_product_with_patches(rng):
    x, w = rng.standard_normal((2, 3, 6, 5)), rng.standard_normal((4, 3, 2, 3))
    sizes = ((2, 1), ((1, 0), (-1, 2)), (1, 2), (2, 1))
    patches = lax.conv_general_dilated_patches(x, (2, 3), *sizes)
    out = np.einsum("npij,op->noij", patches, w.reshape(4, -1))
    np.testing.assert_allclose(out, lax.conv_general_dilated(x, w, *sizes), rtol=1e-12, atol=1e-12)


def test_elements_are_moved_and_nothing_else():
    x = np.array([[[1.0, np.nan, np.inf, 4.0]]])
    patches = np.asarray(lax.conv_general_dilated_patches(x, (2,), (1,), "VALID"))
    np.testing.assert_array_equal(patches[0], [[1, np.nan, np.inf], [np.nan, np.inf, 4]])
    narrow = lax.conv_general_dilated_patches(x, (2,), (1,), "VALID", preferred_element_type="f4")
    assert narrow.dtype == np.float32


@pytest.mark.parametrize("shape", [(1, 2, 3), (0, 2, 3)])
def test_windows_that_do_not_fit(shape):
    out = lax.conv_general_dilated_patches(np.ones(shape), (5,), (1,), "VALID")
    assert out.shape == (shape[0], 10, 0)


def test_local_windows_are_applied_where_they_belong(rng):
    x, w = rng.standard_normal((2, 3, 5)), rng.standard_normal((4, 6, 4))
    out = np.asarray(lax.conv_general_dilated_local(x, w, (1,), "VALID", (2,)))
    for k in range(4):
        window = x[:, :, k : k + 2].reshape(2, -1)
        np.testing.assert_allclose(out[:, :, k], window @ w[:, :, k].T, rtol=1e-12)
    mapped = fnx.vmap(lambda x: lax.conv_general_dilated_local(x[None], w, (1,), "VALID", (2,)))(x)
    np.testing.assert_allclose(np.asarray(mapped)[:, 0], out, rtol=1e-12)


def test_errors():
    with pytest.raises(TypeError, match="as many axes"):
        lax.conv_general_dilated_patches(np.ones((1, 2, 3)), (2, 2), (1, 1), "VALID")
    with pytest.raises(ValueError, match="precision must be"):
        lax.conv_general_dilated_patches(np.ones((1, 2, 3)), (2,), (1,), "VALID", precision="x")
    with pytest.raises(TypeError, match="window_strides"):
        lax.conv_general_dilated_patches(np.ones((1, 2, 3)), (2,), (1, 1), "VALID")
