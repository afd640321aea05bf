"""The losses of the style transfer against their definitions, in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx_nn.style.losses import content_and_style_losses, find_targets, gram_matrix

SHAPES = [(1, 2, 6, 6), (1, 2, 6, 6), (1, 4, 3, 3), (1, 4, 3, 3), (1, 5, 2, 1)]


def gram(x: np.ndarray) -> np.ndarray:
    return np.einsum("bihw,bjhw->ij", x, x) / x.size


def test_gram_matrix(rng):
    x = rng.standard_normal((1, 3, 4, 5))
    np.testing.assert_allclose(gram_matrix(jnp.asarray(x)), gram(x), rtol=1e-12)
    pair = rng.standard_normal((2, 3, 4, 5))
    flat = pair.reshape(6, 20)
    np.testing.assert_allclose(gram_matrix(jnp.asarray(pair)), flat @ flat.T / 120, rtol=1e-12)


def test_losses(rng):
    content, style, x = ([rng.standard_normal(s) for s in SHAPES] for _ in range(3))
    arrays = [[jnp.asarray(r) for r in responses] for responses in (content, style, x)]
    targets = find_targets(arrays[0], arrays[1])
    found = content_and_style_losses(arrays[2], targets)
    wanted_style = sum(np.mean((gram(a) - gram(b)) ** 2) for a, b in zip(x, style))
    np.testing.assert_allclose(found[0], np.mean((x[3] - content[3]) ** 2), rtol=1e-12)
    np.testing.assert_allclose(found[1], wanted_style, rtol=1e-12)
    compiled = fnx.jit(content_and_style_losses)(arrays[2], targets)
    np.testing.assert_allclose(compiled, found, rtol=1e-12)
    assert [float(loss) for loss in content_and_style_losses(arrays[1], targets)][1] == 0


def test_the_number_of_responses_must_fit(rng):
    responses = [jnp.asarray(rng.standard_normal(s)) for s in SHAPES]
    targets = find_targets(responses, responses)
    with pytest.raises(ValueError, match="argument 2 is longer"):
        content_and_style_losses(responses[:4], targets)
