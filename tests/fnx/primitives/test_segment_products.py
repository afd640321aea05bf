"""Products of all other factors of the same label, by brute force."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fnx.core.array import as_array
from fnx.primitives.segment_products import other_factors


@pytest.mark.parametrize("count", [0, 1, 2, 3, 8, 9, 33])
@pytest.mark.parametrize("labels", [1, 2, 5])
def test_other_factors(rng, count, labels):
    label = rng.integers(0, labels, count)
    factor = rng.integers(-2, 3, count).astype(np.float64)  # with zeros
    want = [
        math.prod(factor[j] for j in range(count) if j != k and label[j] == label[k])
        for k in range(count)
    ]
    out = other_factors(as_array(label), as_array(factor))
    np.testing.assert_array_equal(np.asarray(out), np.array(want, np.float64))
