"""`fnx.random` has every function of `jax.random`, with its arguments in their order."""

from __future__ import annotations

import inspect

import pytest

from fnx import random

#: Functions of `jax.random` 0.10.2 and their arguments; those behind the bar by name only.
SIGNATURES = """
PRNGKey seed | impl
ball key d p shape dtype | out_sharding
bernoulli key p shape mode | out_sharding
beta key a b shape dtype | out_sharding
binomial key n p shape dtype |
bits key shape dtype | out_sharding
categorical key logits axis shape replace mode | out_sharding
cauchy key shape dtype | out_sharding
chisquare key df shape dtype | out_sharding
choice key a shape replace p axis mode |
clone key |
dirichlet key alpha shape dtype | out_sharding
double_sided_maxwell key loc scale shape dtype |
exponential key shape dtype | out_sharding
f key dfnum dfden shape dtype | out_sharding
fold_in key data |
gamma key a shape dtype | out_sharding
generalized_normal key p shape dtype | out_sharding
geometric key p shape dtype | out_sharding
gumbel key shape dtype mode | out_sharding
key seed | impl dtype
key_data keys |
key_dtype impl_spec |
key_impl keys |
laplace key shape dtype | out_sharding
loggamma key a shape dtype | out_sharding
logistic key shape dtype | out_sharding
lognormal key sigma shape dtype | out_sharding
maxwell key shape dtype | out_sharding
multinomial key n p | shape dtype unroll
multivariate_normal key mean cov shape dtype method | out_sharding
normal key shape dtype | out_sharding
orthogonal key n shape dtype m | out_sharding
pareto key b shape dtype | out_sharding
permutation key x axis independent | out_sharding
poisson key lam shape dtype | out_sharding
rademacher key shape dtype | out_sharding
randint key shape minval maxval dtype | out_sharding
rayleigh key scale shape dtype | out_sharding
split key num |
t key df shape dtype | out_sharding
triangular key left mode right shape dtype | out_sharding
truncated_normal key lower upper shape dtype | out_sharding
uniform key shape dtype minval maxval | out_sharding
wald key mean shape dtype | out_sharding
weibull_min key scale concentration shape dtype |
wrap_key_data key_bits_array | impl dtype
"""
LINES = SIGNATURES.strip().splitlines()


@pytest.mark.parametrize("line", LINES)
def test_signature(line):
    name, *wanted = line.replace("|", "").split()
    by_name = line.split("|")[1].split()
    parameters = inspect.signature(getattr(random, name)).parameters.values()
    assert [p.name for p in parameters] == wanted
    assert [p.name for p in parameters if p.kind == p.KEYWORD_ONLY] == by_name


def test_every_function_is_public_and_listed():
    listed = {line.split()[0] for line in LINES} | {"random_gamma_p", "KeyArray"}
    assert set(random.__all__) == listed
