"""Interpolated images against SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage

import fnx
from fnx.scipy.ndimage import map_coordinates
from fnx.test_util import check_grads

MODES = {
    "constant": "grid-constant",
    "nearest": "nearest",
    "wrap": "grid-wrap",
    "mirror": "mirror",
    "reflect": "reflect",
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("order", [0, 1])
def test_values(rng, mode, order):
    for shape in ((5,), (4, 6), (3, 1, 2)):
        image = rng.standard_normal(shape)
        places = [rng.uniform(-2 * n - 1, 3 * n + 1, (7, 2)) for n in shape]
        wanted = scipy.ndimage.map_coordinates(image, places, order=order, mode=MODES[mode], cval=3)

        def f(image, places):
            return map_coordinates(image, places, order, mode, 3.0)

        for g in (f, fnx.jit(f)):
            np.testing.assert_allclose(g(image, places), wanted, rtol=0, atol=1e-12)
        for row in range(2):
            rows = fnx.vmap(f, (None, 1))(image, places)[row]
            np.testing.assert_allclose(rows, wanted[:, row], rtol=0, atol=1e-12)
    check_grads(lambda x: f(x, places), (image,), order=2)
    if order == 1:
        check_grads(lambda *p: f(image, p), tuple(places), order=2)


def test_dtypes_and_errors(rng):
    image = rng.integers(-9, 9, (4, 4)).astype(np.int32)
    out = map_coordinates(image, [np.array([0.5, 2.0]), np.array([1.0, 2.5])], 1)
    wanted = [(image[0, 1] + image[1, 1]) / 2, (image[2, 2] + image[2, 3]) / 2]
    assert out.dtype == np.int32
    np.testing.assert_array_equal(out, np.trunc(np.array(wanted) + np.copysign(0.5, wanted)))
    np.testing.assert_array_equal(map_coordinates(image, [np.arange(4)] * 2, 1), np.diag(image))
    half = image.astype(np.complex64) * (1 + 2j)
    np.testing.assert_array_equal(map_coordinates(half, [np.arange(4.0)] * 2, 1), np.diag(half))
    with pytest.raises(NotImplementedError, match="map_coordinates: order must be 0 or 1, got 3"):
        map_coordinates(image, [np.arange(4)] * 2, 3)
    with pytest.raises(NotImplementedError, match="map_coordinates: mode 'grid'"):
        map_coordinates(image, [np.arange(4)] * 2, 1, "grid")
    with pytest.raises(ValueError, match="map_coordinates: takes one array of coordinates"):
        map_coordinates(image, [np.arange(4)], 1)
