"""One closure of style transfer at 128 pixels as a compiled function of the picture.

The same mathematics as `style_step.py`, through `lax.conv_general_dilated` and `jit(grad)`.
"""

from __future__ import annotations

import numpy as np

TITLE = "style-transfer step, 128 px, jit"
ROUND_SECONDS = 0.2
TOLERANCE = 1e-3
CHANNELS = ((3, 64), (64, 64), (64, 128), (128, 128), (128, 256))
POOL_BEFORE = (2, 4)
CONTENT_AT = 3

_rng = np.random.default_rng(0)
FILTERS = [
    (_rng.standard_normal((n, m, 3, 3)) * np.sqrt(2.0 / (9 * m))).astype(np.float32)
    for m, n in CHANNELS
]
CONTENT, STYLE = (_rng.random((1, 3, 128, 128)).astype(np.float32) for _ in range(2))


def _program(jax, jnp, lax):
    filters = [jnp.asarray(f) for f in FILTERS]

    def features(x):
        found = []
        for i, weight in enumerate(filters):
            if found:
                x = jnp.maximum(x, 0.0)
            if i in POOL_BEFORE:
                x = lax.reduce_window(x, -np.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")
            x = lax.conv_general_dilated(x, weight, (1, 1), ((1, 1), (1, 1)))
            found.append(x)
        return found

    def gram(x):
        n, c, h, w = x.shape
        flat = x.reshape(n * c, h * w)
        return flat @ flat.T / (n * c * h * w)

    content = features(jnp.asarray(CONTENT))[CONTENT_AT]
    style = [gram(x) for x in features(jnp.asarray(STYLE))]

    @jax.jit
    def gradient(image):
        def loss(image):
            found = features(image)
            total = jnp.mean((found[CONTENT_AT] - content) ** 2)
            for x, target in zip(found, style):
                total = total + 1e6 * jnp.mean((gram(x) - target) ** 2)
            return total

        return jax.grad(loss)(image)

    image = jnp.asarray(CONTENT)
    return lambda: jax.block_until_ready(gradient(image))


def setup_fnx():
    import fnx
    import fnx.numpy as jnp
    from fnx import lax

    return _program(fnx, jnp, lax)


def setup_jax():
    import jax
    import jax.numpy as jnp
    from jax import lax

    return _program(jax, jnp, lax)
