"""The embedded filters: orthogonal, fixed by the seed, and calibrated to the pictures."""

from __future__ import annotations

import numpy as np
import pytest

from fnx_nn.generator import Generator
from fnx_nn.style.random_filters import calibrate_filters, orthogonal_filters


@pytest.mark.parametrize("shape", [(64, 3, 3, 3), (8, 4, 3, 3), (36, 4, 3, 3)])
def test_filters_are_orthonormal_and_fixed_by_the_seed(shape):
    filters = orthogonal_filters(shape, Generator().manual_seed(0))
    assert filters.dtype == np.float32 and filters.shape == shape
    flat = filters.reshape(shape[0], -1).astype(np.float64)
    gram = flat @ flat.T if flat.shape[0] <= flat.shape[1] else flat.T @ flat
    np.testing.assert_allclose(gram, np.eye(len(gram)), atol=1e-6)
    np.testing.assert_array_equal(filters, orthogonal_filters(shape, Generator().manual_seed(0)))
    other = orthogonal_filters(shape, Generator().manual_seed(1))
    assert np.abs(filters - other).max() > 0.05


def test_calibrated_responses_have_one_deviation_and_one_mean(rng):
    filters = rng.standard_normal((5, 2, 1, 1)).astype(np.float32)
    pictures = (3.0 + 2.0 * rng.standard_normal((2, 2, 30, 40))).astype(np.float32)
    responses = np.einsum("oi,nihw->nohw", filters[:, :, 0, 0], pictures)
    scaled, bias = calibrate_filters(filters, responses)
    again = np.einsum("oi,nihw->nohw", scaled[:, :, 0, 0], pictures) + bias.reshape(1, -1, 1, 1)
    np.testing.assert_allclose(again.std(axis=(0, 2, 3)), 3.0, rtol=1e-4)
    np.testing.assert_allclose(again.mean(axis=(0, 2, 3)), -1.5, atol=1e-4)


def test_blank_pictures_leave_the_filters_as_they_are(rng):
    filters = rng.standard_normal((3, 2, 3, 3)).astype(np.float32)
    scaled, bias = calibrate_filters(filters, np.full((2, 3, 4, 4), 2.0, dtype=np.float32))
    np.testing.assert_array_equal(scaled, filters)
    np.testing.assert_array_equal(bias, np.float32(-3.5))
