"""A functional training loop: an MLP learns two interleaved spirals.

Parameters are a pytree, a step is one jitted function (value_and_grad, clipping, Adam), data are
drawn with keys.

    python examples/functional_training.py [--steps N]
"""

from __future__ import annotations

import argparse
import time

import fnx as jax
import fnx.numpy as jnp
from fnx import nn, optim, random


def spirals(key, count):
    """Points of two interleaved spirals, and which one each belongs to."""
    place, noise = random.split(key)
    turn = jnp.sqrt(random.uniform(place, (count,))) * 3 * jnp.pi
    label = (jnp.arange(count) % 2).astype("int32")
    angle = turn + jnp.pi * label
    points = jnp.stack([turn * jnp.cos(angle), turn * jnp.sin(angle)], axis=1) / 6
    return points + 0.03 * random.normal(noise, points.shape), label


def init(key, sizes):
    """Weights by He's rule, biases zero."""
    keys = random.split(key, len(sizes) - 1)
    weights = nn.initializers.he_normal()
    return [
        {"w": weights(k, (m, n)), "b": jnp.zeros(n)}
        for k, m, n in zip(keys, sizes[:-1], sizes[1:], strict=True)
    ]


def apply(params, x):
    """Logits of a batch."""
    for layer in params[:-1]:
        x = nn.relu(x @ layer["w"] + layer["b"])
    return x @ params[-1]["w"] + params[-1]["b"]


def loss(params, x, label):
    """Mean cross-entropy, and the share of points that are classified correctly."""
    logits = apply(params, x)
    right = jnp.mean(jnp.argmax(logits, axis=1) == label)
    picked = jnp.take_along_axis(nn.log_softmax(logits), label[:, None], axis=1)
    return -jnp.mean(picked), right


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=1500)
    steps = parser.parse_args().steps
    optimizer = optim.chain(optim.clip_by_global_norm(1.0), optim.adam(3e-3))

    @jax.jit
    def step(params, state, key):
        x, label = spirals(key, 256)
        (value, right), grads = jax.value_and_grad(loss, has_aux=True)(params, x, label)
        updates, state = optimizer.update(grads, state, params)
        return optim.apply_updates(params, updates), state, value, right

    key, first = random.split(random.key(0))
    params = init(first, [2, 64, 64, 2])
    state = optimizer.init(params)
    start = time.perf_counter()
    for k, drawn in enumerate(random.split(key, steps)):
        params, state, value, right = step(params, state, drawn)
        if k % max(steps // 5, 1) == 0 or k == steps - 1:
            print(f"step {k:5d}  loss {float(value):.4f}  correct {float(right):6.1%}")
    seconds = time.perf_counter() - start
    print(f"{steps} steps in {seconds:.2f} s, compilation included")
    test_loss, test_right = jax.jit(loss)(params, *spirals(random.key(1), 4096))
    print(f"new points: loss {float(test_loss):.4f}  correct {float(test_right):.1%}")


if __name__ == "__main__":
    main()
