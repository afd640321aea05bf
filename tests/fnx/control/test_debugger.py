"""Stopping in programs: what the prompt answers to commands that a test types."""

from __future__ import annotations

import io
import sys

import pytest

import fnx
import fnx.numpy as jnp


@pytest.fixture
def typed(monkeypatch, capsys):
    """Run a function while commands are typed; gives what was printed."""

    def run(function, *commands):
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(c + "\n" for c in commands)))
        function()
        return capsys.readouterr().out

    return run


def stopping(x, label="a label"):
    doubled = {"twice": 2 * x}
    fnx.debug.breakpoint()
    return doubled["twice"] + 1


@pytest.mark.parametrize("wrap", [lambda f: f, fnx.jit, fnx.grad, fnx.vmap])
def test_values_are_known(typed, wrap):
    argument = jnp.asarray([4.0]) if wrap is fnx.vmap else 4.0
    printed = typed(lambda: wrap(stopping)(argument), "p x", "doubled['twice'] + 1", "p label", "c")
    assert "Stopped at " in printed
    assert "test_debugger.py" in printed
    assert "stopping" in printed
    x, sum_, label = [line.split("(fdb) ", 1)[1] for line in printed.splitlines()[1:4]]
    assert x.startswith("Array(4., dtype=float32")
    assert sum_.startswith("Array(9., dtype=float32")
    assert label == "'a label'"


def outer(x):
    name = "outer value"
    return stopping(x + 1) if name else None


def test_other_frames(typed):
    printed = typed(lambda: fnx.jit(outer)(1.0), "p x", "u", "p name", "p x", "d", "d", "bt", "a")
    assert "Array(2., dtype=float32" in printed
    assert ") outer" in printed
    assert "'outer value'" in printed
    assert "Array(1., dtype=float32" in printed
    assert "*** no such frame" in printed
    assert "\n  " in printed
    assert "doubled, label, x" in printed


def test_source_errors_and_empty_lines(typed):
    printed = typed(lambda: stopping(1.0), "l", "p nothing", "", "pp doubled", "c")
    assert "->" in printed
    assert "fnx.debug.breakpoint()" in printed
    assert "*** NameError: name 'nothing' is not defined" in printed
    assert "{'twice': Array(2." in printed


def test_the_number_of_frames(typed):
    def f():
        fnx.debug.breakpoint(num_frames=1, ordered=True)

    assert "*** no such frame" in typed(f, "u", "c")


def test_the_end_of_the_input_goes_on(typed):
    assert "Stopped at" in typed(lambda: stopping(1.0))


def test_giving_up(typed):
    with pytest.raises(SystemExit, match=r"debug\.breakpoint: the program was stopped"):
        typed(lambda: fnx.jit(stopping)(1.0), "q")
