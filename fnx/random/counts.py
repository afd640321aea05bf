"""Discrete distributions whose numbers are counted in loops: Poisson, binomial, multinomial.

A loop goes on until the last place of the array is done, and every step draws for all places with
one key.  A place keeps what it accepted last, not first: that is as good, and what JAX does, whose
numbers these are.  A loop is compiled once for each dtype and rank.  Read next: `selection`.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from fnx import numpy as jnp
from fnx.control.jit import jit
from fnx.control.loops import scan, while_loop
from fnx.numpy.creation import shape_of
from fnx.numpy.promotion import broadcast_shapes, promote_inexact
from fnx.primitives.cumulative import cumsum
from fnx.primitives.special import lgamma
from fnx.random.arguments import check_shape, float_dtype, integer_dtype, one_device
from fnx.random.keys import used
from fnx.random.words import Pair, child, hashed_counters, unit_floats

__all__ = ["binomial", "multinomial", "poisson"]


def poisson(
    key: Any, lam: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None
) -> Any:
    """Numbers of events in a time in which `lam` are expected.

    For a rate below 10 waiting times are added up (Knuth); above, transformed rejection (Hormann,
    *The transformed rejection method for generating Poisson random variables*, 1993), in float32.

    Parameters
    ----------
    key : key
        Not to be used again.
    lam : array-like
        Rates; not negative.
    shape : sequence of int, optional
        The extents; that of `lam` by default.
    dtype : dtype, optional
        An integer; int32 by default (int64 under ``enable_x64``).
    out_sharding : None
        For programs written for JAX; there is one device.

    Examples
    --------
    >>> from fnx import random
    >>> random.poisson(random.key(0), 0., (3,))
    Array([0, 0, 0], dtype=int32)
    """
    one_device("poisson", out_sharding)
    wanted = integer_dtype("poisson", dtype)
    rate = jnp.asarray(lam, np.float32)
    size = rate.shape if shape is None else shape_of(shape)
    check_shape("poisson", size, lam=rate)
    return _poissons(used("poisson", key), jnp.broadcast_to(rate, size), wanted)


@partial(jit, static_argnums=2)
def _poissons(pair: Pair, rate: Any, wanted: np.dtype[Any]) -> Any:
    few = jnp.logical_or(jnp.isnan(rate), rate < 10)
    added = _added_waits(pair, jnp.where(few, rate, jnp.zeros((), rate.dtype)))
    infinite = jnp.isinf(rate)  # would never be accepted
    large = jnp.where(few | infinite, jnp.asarray(1e5, rate.dtype), rate)
    drawn = _transformed(pair, large, jnp.all(few))
    drawn = jnp.where(infinite, jnp.asarray(-1, rate.dtype), drawn)
    found = jnp.where(few, added.astype(wanted), drawn.astype(wanted))
    return jnp.where(rate == 0, jnp.zeros((), wanted), found)


def _added_waits(pair: Pair, rate: Any) -> Any:
    """How many waiting times of rate 1 fit into `rate`."""

    def going(state: Any) -> Any:
        return jnp.any(state[2] > -rate)

    def step(state: Any) -> Any:
        pair, count, log_product = state
        count = jnp.where(log_product > -rate, count + 1, count)
        u = unit_floats(child(pair, 1), rate.shape, np.dtype(np.float32))
        return child(pair, 0), count, log_product + jnp.log(u)

    start = (pair, jnp.zeros(rate.shape, np.int32), jnp.zeros(rate.shape, np.float32))
    return while_loop(going, step, start)[1] - 1


def _transformed(pair: Pair, rate: Any, unread: Any) -> Any:
    log_rate = jnp.log(rate)
    b = 0.931 + 2.53 * jnp.sqrt(rate)
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    squeeze = 0.9277 - 3.6224 / (b - 2)

    def going(state: Any) -> Any:
        return jnp.logical_not(jnp.all(state[2]))

    def step(state: Any) -> Any:
        pair, found, accepted = state
        u = unit_floats(child(pair, 1), rate.shape, rate.dtype) - 0.5
        v = unit_floats(child(pair, 2), rate.shape, rate.dtype)
        edge = 0.5 - jnp.abs(u)
        k = jnp.floor((2 * a / edge + b) * u + rate + 0.43)
        s = jnp.log(v * inverse_alpha / (a / (edge * edge) + b))
        log_mass = -rate + k * log_rate - lgamma(k + 1)
        quick = (edge >= 0.07) & (v <= squeeze)
        refused = (k < 0) | ((edge < 0.013) & (v > edge))
        accept = quick | (~refused & (s <= log_mass))
        return child(pair, 0), jnp.where(accept, k, found), accepted | accept

    start = (pair, jnp.full(rate.shape, -1, rate.dtype), jnp.broadcast_to(unread, rate.shape))
    return while_loop(going, step, start)[1]


def binomial(key: Any, n: Any, p: Any, shape: Any = None, dtype: Any = None) -> Any:
    """Numbers of successes in n trials of probability p.

    Up to ten expected successes, waiting times between them are added up; above, transformed
    rejection with squeeze (BTRS; Hormann, *The generation of binomial random variates*, 1993).

    Parameters
    ----------
    key : key
        Not to be used again.
    n : array-like
        Numbers of trials; NaN results for negative ones.
    p : array-like
        Probabilities.
    shape : sequence of int, optional
        The extents; the joint shape of the parameters by default.
    dtype : dtype, optional
        A float; float32 by default (float64 under ``enable_x64``).

    Examples
    --------
    >>> from fnx import random
    >>> random.binomial(random.key(0), 5, 1., (2,))
    Array([5., 5.], dtype=float32)
    """
    wanted = float_dtype("binomial", dtype)
    (chance,) = promote_inexact("binomial", p)
    count = jnp.asarray(n).astype(chance.dtype)
    size = broadcast_shapes(count.shape, chance.shape) if shape is None else shape_of(shape)
    check_shape("binomial", size, n=count, p=chance)
    count, chance = (jnp.broadcast_to(x, size) for x in (count, chance))
    return _binomials(used("binomial", key), count, chance, wanted)


@partial(jit, static_argnums=3)
def _binomials(pair: Pair, count: Any, chance: Any, wanted: np.dtype[Any]) -> Any:
    dtype = chance.dtype
    rare = chance < 0.5
    q = jnp.where(rare, chance, 1.0 - chance)
    bad_count = jnp.isnan(count) | (count < 0)
    bad_chance = jnp.isnan(q) | (q < 0)
    q = jnp.where(bad_chance, jnp.asarray(0.01, dtype), q)
    few = bad_count | (count * q <= 10)
    count = jnp.floor(count)
    added = _added_trials(pair, jnp.where(few, count, jnp.zeros((), dtype)), q)
    many = jnp.where(few, jnp.asarray(1e4, dtype), count)
    drawn = _squeezed(pair, many, jnp.where(few, jnp.asarray(0.5, dtype), q), jnp.all(few))
    found = jnp.where(few, added, drawn).astype(wanted)
    bad = bad_count | bad_chance
    found = jnp.where(bad, jnp.asarray(np.nan, wanted), found)
    found = jnp.where(jnp.isinf(count) & ~bad, jnp.asarray(np.inf, wanted), found)
    keep = rare | bad_count | jnp.isnan(chance) | jnp.isinf(count)
    return jnp.where(keep, found, count.astype(wanted) - found)


def _added_trials(pair: Pair, count: Any, chance: Any) -> Any:
    """How many geometric waiting times fit into `count` trials."""
    log_failure = jnp.log1p(-chance)

    def going(state: Any) -> Any:
        return jnp.any(state[2] <= count)

    def step(state: Any) -> Any:
        pair, found, total = state
        found = jnp.where(total <= count, found + 1, found)
        u = unit_floats(child(pair, 0), chance.shape, chance.dtype)
        return child(pair, 1), found, total + jnp.ceil(jnp.log(u) / log_failure)

    zeros = jnp.zeros(chance.shape, chance.dtype)
    return while_loop(going, step, (pair, zeros, zeros))[1] - 1


def _squeezed(pair: Pair, count: Any, chance: Any, unread: Any) -> Any:
    deviation = jnp.sqrt(count * chance * (1 - chance))
    b = 1.15 + 2.53 * deviation
    a = -0.0873 + 0.0248 * b + 0.01 * chance
    c = count * chance + 0.5
    squeeze = 0.92 - 4.2 / b
    odds = chance / (1 - chance)
    alpha = (2.83 + 5.1 / b) * deviation
    m = jnp.floor((count + 1) * chance)

    def going(state: Any) -> Any:
        return jnp.logical_not(jnp.all(state[2]))

    def step(state: Any) -> Any:
        pair, found, accepted = state
        u = unit_floats(child(pair, 1), chance.shape, chance.dtype) - 0.5
        v = unit_floats(child(pair, 2), chance.shape, chance.dtype)
        edge = 0.5 - jnp.abs(u)
        quick = (edge >= 0.07) & (v <= squeeze)
        k = jnp.floor((2 * a / edge + b) * u + c)
        refused = (k < 0) | (k > count)
        v = jnp.log(v * alpha / (a / (edge * edge) + b))
        log_ratio = (
            (m + 0.5) * jnp.log((m + 1) / (odds * (count - m + 1)))
            + (count + 1) * jnp.log((count - m + 1) / (count - k + 1))
            + (k + 0.5) * jnp.log(odds * (count - k + 1) / (k + 1))
            + _stirling_error(m)
            + _stirling_error(count - m)
            - _stirling_error(k)
            - _stirling_error(count - k)
        )
        accept = quick | (~refused & (v <= log_ratio))
        return child(pair, 0), jnp.where(accept, k, found), accepted | accept

    none = jnp.full(chance.shape, -1, chance.dtype)
    return while_loop(going, step, (pair, none, jnp.broadcast_to(unread, chance.shape)))[1]


#: ``log(k!)`` less Stirling's formula, for k up to 9.
_STIRLING_ERRORS = (
    0.0810614667953272, 0.0413406959554092, 0.0276779256849983, 0.02079067210376509,
    0.0166446911898211, 0.0138761288230707, 0.0118967099458917, 0.0104112652619720,
    0.00925546218271273, 0.00833056343336287,
)  # fmt: skip


def _stirling_error(k: Any) -> Any:
    inside = jnp.clip(k, 0, 9)
    square = (inside + 1) * (inside + 1)
    series = (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (inside + 1)
    table = jnp.asarray(_STIRLING_ERRORS, k.dtype)
    return jnp.where(k <= 9, table[jnp.floor(inside).astype("int32")], series)


def multinomial(
    key: Any, n: Any, p: Any, *, shape: Any = None, dtype: Any = None, unroll: int | bool = 1
) -> Any:
    """How often each outcome comes in n trials.

    Parameters
    ----------
    key : key
        Not to be used again.
    n : array-like
        Numbers of trials; broadcast to the shape without the last axis.
    p : array-like
        Probabilities of outcomes, along the last axis.
    shape : sequence of int, optional
        Of the result, the outcomes last; that of `p` by default.
    dtype : dtype, optional
        A float; float32 by default (float64 under ``enable_x64``).
    unroll : int or bool
        How many outcomes one step of the loop over them treats.

    Examples
    --------
    >>> from fnx import numpy as jnp, random
    >>> float(random.multinomial(random.key(0), 9, jnp.array([0.2, 0.3, 0.5])).sum())
    9.0
    """
    count, chances = promote_inexact("multinomial", n, p)
    wanted = float_dtype("multinomial", dtype)
    size = chances.shape if shape is None else shape_of(shape)
    check_shape("multinomial", size, p=chances)
    check_shape("multinomial", size[:-1], n=count)
    lines = jnp.moveaxis(jnp.broadcast_to(chances, size), -1, 0)
    counts = _multinomials(
        used("multinomial", key), jnp.broadcast_to(count, size[:-1]), lines, unroll
    )
    return jnp.moveaxis(counts, 0, -1).astype(wanted)


@partial(jit, static_argnums=3)
def _multinomials(pair: Pair, count: Any, chances: Any, unroll: int | bool) -> Any:
    """Outcome after outcome, a binomial share of what the ones before left."""
    left = cumsum(chances, 0, reverse=True)
    ratios = chances / jnp.where(left == 0, jnp.ones((), left.dtype), left)

    def share(remaining: Any, one: Any) -> Any:
        ratio, pair = one
        found = _binomials(pair, remaining, jnp.clip(ratio, 0, 1), remaining.dtype)
        return remaining - found, found

    keys = hashed_counters(pair, chances.shape[:1])
    return scan(share, count, (ratios, keys), unroll=unroll)[1]
