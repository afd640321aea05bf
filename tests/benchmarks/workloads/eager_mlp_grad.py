"""The gradient of a three-layer perceptron without any compilation, batch 32, 64-128-128-10."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

TITLE = "eager grad of a 3-layer MLP, batch 32"
ROUND_SECONDS = 0.1
SIZES = (64, 128, 128, 10)

_rng = np.random.default_rng(0)
X = _rng.standard_normal((32, SIZES[0])).astype(np.float32)
Y = _rng.standard_normal((32, SIZES[-1])).astype(np.float32)
WEIGHTS = [
    (
        (_rng.standard_normal((inner, outer)) / np.sqrt(inner)).astype(np.float32),
        np.zeros(outer, np.float32),
    )
    for inner, outer in pairwise(SIZES)
]


def _functional(jax, jnp):
    def loss(weights, x, y):
        for w, b in weights[:-1]:
            x = jnp.tanh(x @ w + b)
        w, b = weights[-1]
        return jnp.mean((x @ w + b - y) ** 2)

    weights = [(jnp.asarray(w), jnp.asarray(b)) for w, b in WEIGHTS]
    x, y = jnp.asarray(X), jnp.asarray(Y)
    gradient = jax.grad(loss)
    return lambda: jax.block_until_ready(gradient(weights, x, y))


def _stateful(torch):
    weights = [
        (torch.tensor(w, requires_grad=True), torch.tensor(b, requires_grad=True))
        for w, b in WEIGHTS
    ]
    x, y = torch.tensor(X), torch.tensor(Y)

    def run():
        for pair in weights:
            for parameter in pair:
                parameter.grad = None
        hidden = x
        for w, b in weights[:-1]:
            hidden = torch.tanh(hidden @ w + b)
        w, b = weights[-1]
        ((hidden @ w + b - y) ** 2).mean().backward()
        return [(w.grad, b.grad) for w, b in weights]

    return run


def setup_fnx():
    import fnx
    import fnx.numpy as jnp

    return _functional(fnx, jnp)


def setup_fnx_nn():
    import fnx_nn

    return _stateful(fnx_nn)


def setup_torch():
    import torch

    torch.set_num_threads(2)
    return _stateful(torch)


def setup_jax():
    import jax
    import jax.numpy as jnp

    return _functional(jax, jnp)
