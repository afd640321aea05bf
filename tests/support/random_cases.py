"""Draws of `jax.random`, as text that runs with JAX and fnx alike; needs NumPy only."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["DRAWS", "KEYS", "drawn", "plain"]

#: What gives keys or words, by expressions of `random`.
KEYS = """
PRNGKey(0); PRNGKey(42); PRNGKey(-1); PRNGKey(2**31 - 1); PRNGKey(2**40 + 7); PRNGKey(-(2**35))
key_data(key(7)); key_data(wrap_key_data(np.array([3, 4], np.uint32))); split(k); split(k, 5)
split(k, (2, 3)); fold_in(k, 0); fold_in(k, 12345); fold_in(k, 2**31 - 1); key_data(split(t, 3))
key_data(fold_in(t, 9)); key_data(clone(t)); key_data(split(t, (2, 2))[1, 0])
split(fold_in(k, 1)); PRNGKey(np.int64(2**33)); PRNGKey(np.uint32(7))
fold_in(k, np.uint32(2**32 - 1))
"""

#: What is drawn with them.
DRAWS = """
bits(k); bits(k, (7,)); bits(k, (3, 5), 'uint8'); bits(k, (5,), 'uint16'); bits(k, (4,), 'uint64')
bits(k, (0,)); bits(t, (2, 2)); uniform(k); uniform(k, (9,)); uniform(k, (3, 2), 'float64')
uniform(k, (6,), 'float16'); uniform(k, (6,), 'bfloat16'); uniform(k, (5,), minval=-3.0, maxval=2.0)
uniform(k, (2, 3), minval=np.zeros(3, 'float32'), maxval=np.arange(3, dtype='float32'))
normal(k); normal(k, (9,)); normal(k, (3, 2), 'float64'); normal(k, (5,), 'float16')
normal(k, (5,), 'bfloat16'); normal(k, (4,), 'complex64'); normal(k, (0, 2)); normal(t, (3,))
randint(k, (9,), 0, 10); randint(k, (), -5, 5); randint(k, (6,), 0, 200, 'uint8')
randint(k, (6,), -128, 128, 'int8'); randint(k, (4,), 0, 2147483647); randint(k, (5,), 3, 3)
randint(k, (6,), 0, 2**40, 'int64'); randint(k, (2, 3), np.arange(3), np.array([5, 9, 1000]))
randint(k, (5,), 7, 2); randint(k, (5,), 0, 70000, 'uint16'); randint(k, (6,), 0, 256, 'uint8')
bernoulli(k); bernoulli(k, 0.3, (12,)); bernoulli(k, np.array([0.0, 0.5, 1.0], 'float32'))
bernoulli(k, 0.7, (2, 4)); rademacher(k, (9,)); rademacher(k, (4,), 'float32')
rademacher(k, (4,), 'int8')
exponential(k, (9,)); exponential(k, (3,), 'float64'); exponential(k); gumbel(k, (9,))
gumbel(k, (3,), 'float64'); gumbel(k, (4,), 'float16'); laplace(k, (9,))
laplace(k, (3,), 'float64')
logistic(k, (9,)); logistic(k, (3,), 'float64'); truncated_normal(k, -1.0, 2.0, (9,))
truncated_normal(k, -1e-3, 1e-3, (9,))
truncated_normal(k, -2, 2, (4,), 'float64')
truncated_normal(k, np.array([-1.0, 0.5], 'float32'), 3.0)
categorical(k, np.log(np.array([0.1, 0.2, 0.7], 'float32'))); categorical(k, w)
categorical(k, w, 0)
categorical(k, w, shape=(5, 3)); categorical(k, w[0], shape=(9,))
categorical(k, w, axis=0, shape=(2, 4))
permutation(k, 10); permutation(k, table); permutation(k, np.arange(9, dtype='float32'))
permutation(k, table, axis=1); permutation(k, 0); permutation(k, 1)
permutation(k, table, independent=True)
permutation(k, table, axis=1, independent=True)
choice(k, 5); choice(k, 5, (9,)); choice(k, 9, (4,), replace=False)
choice(k, np.arange(6, dtype='float32'), (2, 2))
choice(k, 4, (7,), p=chances)
choice(k, 4, (3,), replace=False, p=chances)
choice(k, table.reshape(3, 4), (2,), axis=1); choice(k, table.reshape(3, 4), (3,), False)
choice(k, 9, (3, 2), replace=False); bernoulli(k, 1e-5, (9,), mode='high')
gumbel(k, (7,), mode='high'); categorical(k, w, shape=(3, 3), replace=False)
categorical(k, w, 0, shape=(2, 4), replace=False); categorical(k, w, mode='high')
choice(k, 4, (2,), False, chances, mode='high')
"""


def drawn(random: Any, expression: str) -> Any:
    """What an expression gives, with the raw key ``k``, the typed key ``t``, logits ``w``..."""
    scope = {name: getattr(random, name) for name in dir(random) if not name.startswith("_")}
    w = np.log(np.arange(1, 13, dtype=np.float32).reshape(3, 4))
    values = {"np": np, "k": random.PRNGKey(3), "t": random.key(3), "w": w}
    table = np.arange(12, dtype=np.int32).reshape(4, 3)
    chances = np.array([0.1, 0.2, 0.3, 0.4], np.float32)
    return eval(expression, scope | values | {"table": table, "chances": chances})


def plain(result: Any) -> dict[str, Any]:
    """Dtype, shape and elements, of floats as their words, for JSON."""
    data = np.asarray(result)
    words = np.ascontiguousarray(data).reshape(-1)
    if data.dtype.kind in "fcV":
        width = data.dtype.itemsize // (2 if data.dtype.kind == "c" else 1)
        words = words.view(f"u{width}")
    return {"dtype": data.dtype.name, "shape": list(data.shape), "words": words.tolist()}
