"""The assembler: small programs do what their statements say."""

from __future__ import annotations

import ctypes

import pytest

from fnx.kernels import native
from fnx.kernels.assembler import Program


def run(program: Program, symbol: str, *arguments: int) -> int:
    text = program.text()
    module = native.load_ir("test " + text, lambda: text, [symbol], opt=1)
    words = [ctypes.c_int64] * (len(arguments) + 1)
    return int(ctypes.CFUNCTYPE(*words)(module.address(symbol))(*arguments))


@pytest.mark.parametrize("n, expected", [(0, 0), (1, 1), (10, 55)])
def test_a_loop_with_a_variable_and_a_call(n: int, expected: int) -> None:
    program = Program()
    twice = program.function("twice", "x")
    twice.return_(twice.argument("x") * 2)
    body = program.function("total", "n")
    total, k = body.variable(0), body.variable(0)
    with body.loop():
        body.leave_if(k.value >= body.argument("n"))
        k.set(k.value + 1)
        total.set(total.value + body.call("twice", k))
    total.set(body.emit("sdiv", total, 2))
    body.return_(total)
    assert run(program, "total", n) == expected


@pytest.mark.parametrize("x", [-3, 0, 4])
def test_conditions_and_early_return(x: int) -> None:
    program = Program()
    body = program.function("sign", "x")
    with body.if_(body.argument("x") > 0):
        body.return_(1)
    with body.if_(body.argument("x") < 0):
        body.return_(-1)
    body.return_(0)
    assert run(program, "sign", x) == (x > 0) - (x < 0)


def test_memory_and_atomics() -> None:
    program = Program()
    body = program.function("work", "place")
    place = body.argument("place")
    body.store(body.load(place, 1) + 1, place, 0)
    before = body.atomic_add(5, place, 2)
    swapped = body.select(body.exchange_if(7, 70, place, 3), 1, 0)
    refused = body.select(body.exchange_if(7, 71, place, 3), 1, 0)
    body.return_(before * 100 + swapped * 10 + refused)
    memory = (ctypes.c_int64 * 4)(0, 41, 3, 7)
    assert run(program, "work", ctypes.addressof(memory)) == 310
    assert list(memory) == [42, 41, 8, 70]


def test_an_argument_that_is_not_there() -> None:
    with pytest.raises(KeyError, match="no argument 'y'"):
        Program().function("f", "x").argument("y")
