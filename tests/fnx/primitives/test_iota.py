"""iota: positions as numbers of any type, and its errors."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from fnx.primitives.iota import broadcasted_iota, iota
from fnx.transforms.vmap import vmap


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int64, np.float16, np.complex64])
def test_counts(dtype):
    out = iota(dtype, 7)
    assert out.dtype == dtype
    np.testing.assert_array_equal(np.asarray(out), np.arange(7).astype(dtype))


def test_small_integers_wrap_and_small_floats_round():
    np.testing.assert_array_equal(np.asarray(iota(np.uint8, 300))[254:258], [254, 255, 0, 1])
    out = np.asarray(iota(ml_dtypes.bfloat16, 300)).astype(np.float64)
    assert out[257] == 256.0


@pytest.mark.parametrize("dimension", [0, 1, 2])
def test_counts_along_any_axis(dimension):
    out = broadcasted_iota(np.int32, (2, 3, 4), dimension)
    np.testing.assert_array_equal(np.asarray(out), np.indices((2, 3, 4))[dimension])


def test_is_the_same_for_all_lanes():
    out = vmap(lambda x: iota(np.int32, 3))(iota(np.int32, 2))
    np.testing.assert_array_equal(np.asarray(out), [[0, 1, 2]] * 2)


@pytest.mark.parametrize(
    ("dtype", "shape", "dimension", "error", "message"),
    [
        (np.int32, (3,), 1, ValueError, "has no axis 1"),
        (np.int32, (), 0, ValueError, "has no axis 0"),
        (np.int32, (-1,), 0, ValueError, "negative size"),
        (np.bool_, (3,), 0, TypeError, "number type"),
    ],
)
def test_says_what_is_wrong(dtype, shape, dimension, error, message):
    with pytest.raises(error, match=message):
        broadcasted_iota(dtype, shape, dimension)
