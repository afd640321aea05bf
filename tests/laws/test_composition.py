"""Every ordered pair of transforms, on random functions with control flow, against a simpler form.

A pair (`tests.support.law_transforms`) of a random function (`tests.support.random_control`) must
give what the simpler forms of both give, applied to the same mathematics in a straight line
(`tests.support.straight_lines`).  Seeds go round the pairs, so every pair meets other functions
each time; the custom rules take turns.  A part is compiled as a whole as well.  The bound is
measured by noise in every rounding (`tests.support.rounding_noise`).  A function that fails prints
itself as a Python file.  Read next: `test_random_programs`.
"""

from __future__ import annotations

from collections import Counter
from itertools import product
from typing import Any

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import lax
from fnx.core.jaxpr import Jaxpr, subjaxprs
from fnx.core.primitive import HigherOrderPrimitive
from tests.support.law_transforms import RULES, TRANSFORMS, Function
from tests.support.random_control import FORMS, Controlled, random_control
from tests.support.rounding_noise import disagreement, measured
from tests.support.straight_lines import straightened

PROGRAMS, BATCH = 300, 20
FUZZED = range(10_000, 12_000, BATCH)

#: The transforms of the table; the custom rules are one of them.
NAMES = [name for name in TRANSFORMS if name not in RULES] + ["custom rule"]
PAIRS = list(product(NAMES, NAMES))

#: One in so many programs is compiled as a whole as well; prime to the number of pairs.
COMPILED = 7

compared: Counter[tuple[str, str]] = Counter()


def pair_of(seed: int) -> tuple[str, str]:
    """The pair of transforms, the outer one first, that is a seed's turn."""
    rounds, place = divmod(seed, len(PAIRS))
    outer, inner = PAIRS[place]
    return (
        RULES[rounds % 2] if outer == "custom rule" else outer,
        RULES[(rounds + 1) % 2] if inner == "custom rule" else inner,
    )


def different(
    outer: str, inner: str, function: Function, line: Function, x: Any, compiled: bool
) -> str:
    """What a pair of transforms of a function gives else than the simpler form, in words."""
    both = TRANSFORMS[outer].apply(TRANSFORMS[inner].apply(function))
    simple = TRANSFORMS[outer].simpler(TRANSFORMS[inner].simpler(line))
    wanted = measured(lambda: simple(x), runs=2)
    for run in (both, fnx.jit(both)) if compiled else (both,):
        result = run(x)
        if not disagreement(wanted, result):
            continue
        own = measured(lambda: both(x))  # the pair may round worse than the simpler form
        bounds = [a + b for a, b in zip(wanted.bounds, own.bounds, strict=True)]
        message = disagreement(wanted, result, bounds)
        if message:
            return f"{'' if run is both else 'jit of '}{outer} of {inner}: {message}"
    return ""


def program_of(seed: int) -> Controlled:
    """The function of a seed: a third of the short run's are as long as the long run's."""
    short = seed < PROGRAMS and (seed + seed // len(PAIRS)) % 3 > 0
    return random_control(seed, 1 if short else 2)


def check(seed: int) -> None:
    """Put one random function through the pair that is its turn."""
    program, (outer, inner) = program_of(seed), pair_of(seed)
    try:
        line = straightened(program.function, program.point)
        compiled = seed % COMPILED == 0
        message = different(outer, inner, program.function, line, program.point, compiled)
    except Exception as error:
        error.add_note(f"seed {seed}, {outer} of {inner}\n{program.text}")
        raise
    compared[outer, inner] += 1
    if message:
        fail(program, message)


def fail(program: Controlled, message: str) -> None:
    """Fail with the function's text and Jaxpr."""
    pytest.fail(f"seed {program.seed}, {message}\n\n{program.text}\n{program.jaxpr}", pytrace=False)


@pytest.mark.parametrize("first", range(0, PROGRAMS, BATCH))
def test_pairs_agree(first: int) -> None:
    for seed in range(first, first + BATCH):
        check(seed)


@pytest.mark.fuzz
@pytest.mark.parametrize("first", FUZZED)
def test_more_pairs_agree(first: int) -> None:
    for seed in range(first, first + BATCH):
        check(seed)


def depth(jaxpr: Jaxpr) -> int:
    """How deep control flow is nested in a program."""
    deepest = 0
    for eqn in jaxpr.eqns:
        inside = [depth(inner) for _, inner in subjaxprs(eqn.params)]
        counts = eqn.primitive.name in ("cond", "while", "scan")
        deepest = max(deepest, max(inside, default=0) + counts)
    return deepest


def test_every_pair_occurs(capsys: pytest.CaptureFixture[str]) -> None:
    """At least twice each, on functions with loops and branches, a third of them nested."""
    assigned = named(Counter(pair_of(seed) for seed in range(PROGRAMS)))
    assert len(assigned) == len(PAIRS) == 144
    assert min(assigned.values()) >= 2
    programs = [program_of(seed) for seed in range(PROGRAMS)]
    kinds = Counter(kind for program in programs for kind in program.kinds)
    assert min(kinds[kind] for kind in FORMS) >= PROGRAMS // len(FORMS)
    depths = [depth(program.jaxpr.jaxpr) for program in programs]
    assert min(depths) >= 1
    assert np.mean(np.array(depths) >= 2) >= 1 / 3
    with capsys.disabled():
        print(coverage_table(named(compared), kinds))


def named(pairs: Counter[tuple[str, str]]) -> Counter[tuple[str, str]]:
    """Counts by the names of the table."""
    counts: Counter[tuple[str, str]] = Counter()
    for pair, count in pairs.items():
        outer, inner = ["custom rule" if name in RULES else name for name in pair]
        counts[outer, inner] += count
    return counts


def coverage_table(counts: Counter[tuple[str, str]], kinds: Counter[str]) -> str:
    """How often each pair was compared in this run, and what the functions are made of."""
    rows = [
        f"{outer:12}" + "".join(f"{counts[outer, inner]:12}" for inner in NAMES) for outer in NAMES
    ]
    heading = f"{'of':>12}" + "".join(f"{inner:>12}" for inner in NAMES)
    flow = ", ".join(f"{kind} {count}" for kind, count in kinds.items())
    return "\n".join(
        [f"\n{sum(counts.values())} pairs of transforms compared", heading, *rows, flow]
    )


# --------------------------------------------- functions whose straight lines are written by hand

POINT = jnp.asarray([0.3, -0.7, 0.45], "float64")
MIXING = jnp.asarray([[0.5, -0.3, 0.2], [0.1, 0.6, -0.4], [-0.2, 0.3, 0.7]], "float64")
FACTORS = jnp.asarray([1.0, 0.5, -0.75], "float64")


def branching(x: Any) -> Any:
    """A counted loop around a branch."""

    def body(i: Any, c: Any) -> Any:
        return lax.cond(
            i % 2 == 0, lambda c: lax.sin(c) + 0.5 * x, lambda c: c * lax.logistic(x), c
        )

    return lax.fori_loop(0, 3, body, x)


def branching_in_line(x: Any) -> Any:
    """`branching`, unrolled."""
    c = lax.sin(x) + 0.5 * x
    c = c * lax.logistic(x)
    return lax.sin(c) + 0.5 * x


def recurrent(x: Any) -> Any:
    """A scan whose carry and outputs both count."""

    def step(c: Any, inputs: Any) -> Any:
        y, factor = inputs
        c = lax.tanh(jnp.matmul(MIXING, c) + y)
        return c, jnp.sum(c * c) * factor

    c, ys = lax.scan(step, x * 0.5, (x, FACTORS))
    return c + ys


def recurrent_in_line(x: Any) -> Any:
    """`recurrent`, unrolled."""
    c, ys = x * 0.5, []
    for k in range(3):
        c = lax.tanh(jnp.matmul(MIXING, c) + x[k])
        ys.append(jnp.sum(c * c) * FACTORS[k])
    return c + jnp.stack(ys)


def searching(x: Any) -> Any:
    """A loop until a condition on the data holds (three times, near the point)."""

    def unfinished(state: Any) -> Any:
        count, c = state
        return (jnp.sum(c) < 100) & (count < 3)

    def body(state: Any) -> Any:
        count, c = state
        return count + 1, lax.exp(lax.sin(c)) * 0.5 + jnp.flip(x) * c

    return lax.while_loop(unfinished, body, (0, x))[1]


def searching_in_line(x: Any) -> Any:
    """`searching`, unrolled."""
    c = x
    for _ in range(3):
        c = lax.exp(lax.sin(c)) * 0.5 + jnp.flip(x) * c
    return c


FUNCTIONS: dict[str, tuple[Function, Function]] = {
    "branching": (branching, branching_in_line),
    "recurrent": (recurrent, recurrent_in_line),
    "searching": (searching, searching_in_line),
}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_straight_lines_are_those_by_hand(function: str, monkeypatch: pytest.MonkeyPatch) -> None:
    flow, line = FUNCTIONS[function]
    straight = straightened(flow, POINT)
    wanted = fnx.jvp(line, (POINT,), (FACTORS,))

    def refuse(self: HigherOrderPrimitive, *args: Any) -> Any:
        raise AssertionError(f"{self} in a straight line")

    monkeypatch.setattr(HigherOrderPrimitive, "apply", refuse)
    for got, value in zip(fnx.jvp(straight, (POINT,), (FACTORS,)), wanted, strict=True):
        np.testing.assert_array_equal(got, value)


@pytest.mark.fuzz
@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("outer", TRANSFORMS)
def test_every_pair_on_every_function(outer: str, function: str) -> None:
    for inner in TRANSFORMS:
        message = different(outer, inner, *FUNCTIONS[function], POINT, compiled=True)
        assert not message, f"of {function}: {message}"
