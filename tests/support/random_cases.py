"""Draws of `jax.random`, as text that runs with JAX and fnx alike; needs NumPy only."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = [
    "DRAWS",
    "GENERATED",
    "KEYS",
    "SHAPED",
    "drawn",
    "expressions",
    "plain",
    "states",
    "wide",
]

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

#: Draws whose parameters shape them; those with loops, too.
SHAPED = """
cauchy(k, (7,)); cauchy(k, (3,), 'float64'); double_sided_maxwell(k, 1.0, 2.0, (5,))
double_sided_maxwell(k, np.zeros(3, 'float32'), pos[:3]); maxwell(k, (4,))
maxwell(k, (3,), 'float64'); lognormal(k); lognormal(k, 0.5, (5,)); lognormal(k, pos)
lognormal(k, wide, dtype='float64'); lognormal(k, 0.5, (3,), 'complex64')
pareto(k, 3.0, (5,)); pareto(k, pos); pareto(k, wide, (2, 6), 'float64')
rayleigh(k, pos); rayleigh(k, pos, (2, 6)); rayleigh(k, wide, dtype='float64')
triangular(k, 0.0, 1.0, 3.0, (7,)); triangular(k, -pos, 0.0, pos)
triangular(k, -wide, wide / 2, wide, dtype='float64')
wald(k, pos); wald(k, pos[:1], (5,)); wald(k, wide, dtype='float64')
weibull_min(k, 2.0, 1.5, (5,)); weibull_min(k, pos, pos[::-1], (6,))
weibull_min(k, wide, 2.5, (2, 6), 'float64'); geometric(k, 0.2, (9,)); geometric(k, pos / 9)
geometric(k, wide / 9, (2, 6), 'int64'); geometric(k, 0.5, (5,), 'uint8')
gamma(k, 2.5, (9,)); gamma(k, 0.3, (9,)); gamma(k, pos); gamma(k, pos, (2, 6)); gamma(t, 1.0)
gamma(k, wide, dtype='float64'); gamma(k, wide, (30, 6), 'float64'); gamma(k, 3.0, (0, 2))
gamma(k, 1.0 + 0.1 * pos.astype('float16'), dtype='float16'); loggamma(k, pos)
loggamma(k, 1e-3, (9,)); loggamma(k, wide, (5, 6), 'float64'); beta(k, pos, 2.0)
beta(k, 0.01, 0.02, (9,)); beta(k, wide, wide[::-1], (4, 6), 'float64'); dirichlet(k, pos)
dirichlet(k, pos, (3,)); dirichlet(k, wide.reshape(2, 3), (4, 2), 'float64'); t(k, 3.5, (5,))
t(k, wide, (3, 6), 'float64'); chisquare(k, 3.0, (5,)); chisquare(k, wide, dtype='float64')
f(k, 3.0, 5.0, (5,)); f(k, wide, 4.0, dtype='float64'); generalized_normal(k, 1.5, (5,))
generalized_normal(k, 3.0, (4,), 'float64'); ball(k, 3); ball(k, 4, 1.0, (3,))
ball(k, 2, 2.0, (3,), 'float64'); poisson(k, 3.0, (30,)); poisson(k, 60.0, (30,)); poisson(t, 0.0)
poisson(k, 9 * pos); poisson(k, 9 * pos, (20, 6)); poisson(k, 9 * pos, (4, 6), 'uint8')
poisson(k, 40 * pos, (3, 6), 'int64'); binomial(k, 10, 0.3, (30,)); binomial(k, 1000.0, 0.3, (30,))
binomial(k, 100 * pos, 0.7); binomial(k, np.arange(6.0, dtype='float32') * 20, pos / 3, (9, 6))
binomial(k, np.float32([-1, 5, np.inf, np.nan, 4, 4]), np.float32([.5, np.nan, .5, .5, 1, 0]))
binomial(k, 100 * wide, wide / 3, (3, 6), 'float64'); multinomial(k, 100, chances)
multinomial(k, np.float32([10, 2000]), chances, shape=(2, 4))
multinomial(k, 50, chances.astype('float64'), dtype='float64')
multivariate_normal(k, pos[:3], spread); multivariate_normal(k, pos[:3], spread, (4,))
multivariate_normal(k, wide.reshape(2, 3), spread.astype('float64'), (4, 2))
orthogonal(k, 3); orthogonal(k, 4, (2,), m=2); orthogonal(k, 2, m=3)
orthogonal(k, 3, (2,), 'float64'); orthogonal(k, 2, dtype='complex64')
"""

#: Calls of `lax.rng_bit_generator`; ``k`` is a state, ``last`` one whose counter runs over.
GENERATED = [
    f"lax.rng_bit_generator({state}, {shape}, '{dtype}', lax.RandomAlgorithm.{algorithm})"
    for algorithm in ("RNG_DEFAULT", "RNG_THREE_FRY", "RNG_PHILOX")
    for state, shape, dtype in (
        *[("k", (3, 5), f"uint{width}") for width in (8, 16, 32, 64)],
        *[("k", shape, "uint32") for shape in ((), (1,), (5,), (2, 3), (3, 2), (1, 3, 1), (0,))],
        ("k64", (5,), "uint32"), ("last", (18,), "uint32"), ("last", (7,), "uint64"),
    )
]  # fmt: skip


def states() -> dict[str, Any]:
    """The states by name."""
    k = np.array([5, 6, 7, 8], np.uint32)
    last = np.array([1, 2, 2**32 - 2, 2**32 - 1], np.uint32)
    return {"k": k, "k64": k.view(np.uint64), "last": last}


def expressions(text: str) -> list[str]:
    """The expressions of a table."""
    return [e.strip() for e in text.replace("\n", ";").split(";") if e.strip()]


def wide(expression: str) -> bool:
    """Whether it asks for 64 bits."""
    return any(word in expression for word in ("64", "2**3", "2**4", "wide"))


def drawn(random: Any, expression: str) -> Any:
    """What an expression gives, with the raw key ``k``, the typed key ``t``, logits ``w``..."""
    scope = {name: getattr(random, name) for name in dir(random) if not name.startswith("_")}
    if expression.startswith("t("):
        scope["student"], expression = scope["t"], "student" + expression[1:]
    w = np.log(np.arange(1, 13, dtype=np.float32).reshape(3, 4))
    values = {"np": np, "k": random.PRNGKey(3), "t": random.key(3), "w": w}
    table = np.arange(12, dtype=np.int32).reshape(4, 3)
    chances = np.array([0.1, 0.2, 0.3, 0.4], np.float32)
    values |= {"table": table, "chances": chances, "wide": np.linspace(0.2, 2.7, 6)}
    root = np.float32([[2.0, 0.0, 0.0], [0.5, 1.0, 0.0], [-0.3, 0.4, 0.7]])
    values |= {"pos": np.linspace(0.2, 2.7, 6, dtype=np.float32), "spread": root @ root.T}
    return eval(expression, scope | values)


def plain(result: Any) -> dict[str, Any]:
    """Dtype, shape and elements, of floats as their words, for JSON."""
    data = np.asarray(result)
    words = np.ascontiguousarray(data).reshape(-1)
    if data.dtype.kind in "fcV":
        width = data.dtype.itemsize // (2 if data.dtype.kind == "c" else 1)
        words = words.view(f"u{width}")
    return {"dtype": data.dtype.name, "shape": list(data.shape), "words": words.tolist()}
