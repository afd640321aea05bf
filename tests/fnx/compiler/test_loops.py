"""Positions cancel as they should, and the canonical text names a kernel by its structure."""

from __future__ import annotations

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies

import fnx.numpy  # noqa: F401  (registers the primitives)
from fnx.compiler.lower import compile_group
from fnx.compiler.positions import Position, Space
from tests.support.element_groups import Group


def value_at(position: Position, places: dict[str, int]) -> int:
    """A position as a number, for given loop variables."""
    space = position.space
    total = space.value(position.constant)
    for atom, coefficient in position.terms:
        if atom.kind == "loop":
            inner = places[atom.parts[0]]
        else:
            dividend = value_at(atom.parts[0], places)
            divisor = space.values[atom.parts[1]]
            inner = dividend // divisor if atom.kind == "quotient" else dividend % divisor
        total += space.value(coefficient) * inner
    return total


def test_reshape_of_a_contiguous_array_is_no_arithmetic():
    space = Space()
    flat = space.of(space.loop("i0", 5 * 7 * 3))
    # taken apart into (5, 7, 3), and put together again
    rows, last = flat // 3, flat % 3
    first, middle = rows // 7, rows % 7
    assert (first * 7 + middle) * 3 + last is flat


def test_an_index_within_its_extent_has_no_quotient():
    space = Space()
    i, j = space.of(space.loop("i0", 4)), space.of(space.loop("i1", 6))
    flat = i * 6 + j
    assert flat // 6 is i
    assert flat % 6 is j
    assert (space.number(5) - j).low == 0
    assert (flat + 6) // 6 is i + 1


def test_differences_of_sizes_cancel():
    space = Space()
    i = space.of(space.loop("i0", 9))
    assert (i + 9) - 9 is i
    assert (8 - (8 - i)) is i
    assert (i - i).is_zero


def test_a_product_of_positions_is_refused():
    space = Space()
    i = space.of(space.loop("i0", 9))
    with pytest.raises(TypeError, match="product of two positions"):
        i * i


steps = strategies.lists(
    strategies.tuples(strategies.sampled_from("+-*/%i"), strategies.integers(1, 12)),
    max_size=8,
)


@hypothesis.given(steps, strategies.integers(0, 6), strategies.integers(0, 10))
def test_arithmetic_agrees_with_integers(path, first, second):
    space = Space()
    i, j = space.of(space.loop("i", 7)), space.of(space.loop("j", 11))
    position, number = i * 11 + j, first * 11 + second
    for operation, operand in path:
        if operation == "+":
            position, number = position + operand, number + operand
        elif operation == "-":
            position, number = position - operand, number - operand
        elif operation == "*":
            position, number = position * operand, number * operand
        elif operation == "i":
            position, number = position + i, number + first
        elif position.low is not None and position.low >= 0:
            if operation == "/":
                position, number = position // operand, number // operand
            else:
                position, number = position % operand, number % operand
        assert value_at(position, {"i": first, "j": second}) == number
        assert position.low is None or position.low <= number
        assert position.high is None or number <= position.high


def chain(shape, scale):
    g = Group()
    x = g.input(shape)
    total = g.sum(g("mul", x, g.broadcast(g.number(scale), shape)), 1)
    y = g("sub", x, g.broadcast(total, shape, (0,)))
    return compile_group(g.jaxpr(g("exp", y))).launches


def test_another_size_or_number_is_the_same_kernel():
    keys = [
        [launch.key for launch in chain(shape, scale)]
        for shape, scale in [((200, 300), 2.0), ((201, 900), 3.0), ((5000, 77), -1.0)]
    ]
    assert keys[0] == keys[1] == keys[2]
    words = [launch.words for launch in chain((200, 300), 2.0)]
    assert words != [launch.words for launch in chain((201, 900), 3.0)]


def test_another_structure_is_another_kernel():
    base = chain((200, 300), 2.0)[0].key
    g = Group()
    x = g.input((200, 300))
    other = compile_group(g.jaxpr(g("exp", x))).launches[0].key
    g = Group()
    x = g.input((200, 300), np.float64)
    wide = compile_group(g.jaxpr(g("exp", x))).launches[0].key
    assert len({base, other, wide}) == 3


def test_the_rank_of_an_elementwise_kernel_does_not_matter():
    keys = set()
    for shape in [(6000,), (60, 100), (4, 15, 100), (2, 2, 15, 100)]:
        g = Group()
        x = g.input(shape)
        keys.add(compile_group(g.jaxpr(g("mul", x, x))).launches[0].key)
    assert len(keys) == 1


def test_the_canonical_text_is_readable(golden):
    golden("loops_softmax", softmax_text())


def softmax_text():
    g = Group()
    x = g.input((64, 512))
    peak = g("reduce_max", x, axes=(1,))
    e = g("exp", g("sub", x, g.broadcast(peak, (64, 512), (0,))))
    out = g("div", e, g.broadcast(g.sum(e, 1), (64, 512), (0,)))
    launches = compile_group(g.jaxpr(out)).launches
    return "\n\n".join(launch.form.text for launch in launches) + "\n"
