"""Printing from programs: what is printed, and which formats are refused."""

from __future__ import annotations

import logging

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
from fnx import debug, lax


@pytest.mark.parametrize("wrap", [lambda f: f, fnx.jit], ids=["eager", "jit"])
def test_values_are_formatted_when_they_are_known(wrap, capsys):
    def f(x):
        debug.print("x={x:.2f} {} {d}", x > 2, x=x, d={"a": jnp.arange(2)})
        return x

    wrap(f)(1.2345)
    assert capsys.readouterr().out == f"x=1.23 False {{'a': {jnp.arange(2)!r}}}\n"


def test_strings_are_formatted_too(capsys):
    fnx.jit(lambda x: debug.print("{name}: {x}", name="loss", x=x))(1.0)
    assert capsys.readouterr().out == "loss: 1.0\n"


def test_arrays_are_printed_as_numpy_was_set_when_the_program_was_traced(capsys):
    with np.printoptions(precision=2):
        f = fnx.jit(lambda x: debug.print("{}", x))
        f(jnp.array([1 / 3]))
    f(jnp.array([2 / 3]))
    assert capsys.readouterr().out == "[0.33]\n[0.67]\n"


def test_printing_in_a_loop(capsys):
    fnx.jit(lambda n: lax.fori_loop(0, n, lambda k, c: (debug.print("step {}", k), c + k)[1], 0))(3)
    assert capsys.readouterr().out == "step 0\nstep 1\nstep 2\n"


@pytest.mark.parametrize(
    ("error", "message", "args", "kwargs"),
    [
        (ValueError, r"no field for positional arguments \[0\].*f-string", ("hi", 1), {}),
        (ValueError, r"keyword arguments \['y'\].*f-string", ("hi {}", 1), {"y": 2}),
        (ValueError, r"positional arguments \[1\] and keyword arguments", ("{}", 1, 2), {"y": 2}),
        (IndexError, r"debug.print: the format asks for 1.*1 positional", ("{} {}", 1), {}),
        (KeyError, r"debug.print: the format asks for 'z'.*\['y'\].*braces", ("{z}",), {"y": 1}),
        (TypeError, "the first argument is a format string, got int", (3,), {}),
        (TypeError, "arguments without a format", (), {"x": 1}),
    ],
)
def test_formats_that_do_not_fit(error, message, args, kwargs):
    with pytest.raises(error, match=message):
        debug.print(*args, **kwargs)


def test_the_check_of_the_format_can_be_skipped(capsys):
    debug.print("alone", 1, skip_format_check=True)
    assert capsys.readouterr().out == "alone 1\n"


def test_options_may_be_bound_first(capsys):
    debug.print(ordered=True)("{ordered}", ordered="an argument")
    assert capsys.readouterr().out == "an argument\n"


def test_log_goes_to_the_logger(caplog):
    with caplog.at_level(logging.INFO, logger="fnx.debug"):
        fnx.jit(lambda x: debug.log("loss {}", x))(0.5)
    assert [(r.name, r.getMessage()) for r in caplog.records] == [("fnx.debug", "loss 0.5")]


def test_effects_are_in_the_program():
    jaxpr = fnx.make_jaxpr(lambda x: debug.print("{}", x, ordered=True))(1.0)
    (effect,) = jaxpr.effects
    assert isinstance(effect, debug.OrderedDebugEffect)
    (effect,) = fnx.make_jaxpr(lambda x: debug.print("{}", x))(1.0).effects
    assert isinstance(effect, debug.DebugEffect)


def test_shardings_are_told_also_while_tracing():
    found = []
    tree = {"a": jnp.ones(2), "b": 1.0}
    debug.inspect_array_sharding(tree, callback=found.append)
    fnx.jit(lambda x: debug.inspect_array_sharding(x, callback=found.append))(tree)
    assert len(found) == 4 and all(s.device == fnx.devices()[0] for s in found)


@pytest.mark.parametrize(
    ("shape", "options", "width", "height"),
    [((8, 16), {}, 16, 5), ((40,), {"scale": 2}, 80, 3), ((2, 2), {"min_width": 12}, 12, 3)],
)
def test_shardings_are_drawn(shape, options, width, height, capsys):
    debug.visualize_array_sharding(jnp.ones(shape), **options)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == height and all(len(line) == width + 2 for line in lines)
    assert lines[height // 2].strip("│ ") == "CPU 0"
    with pytest.raises(ValueError, match="one axis or two"):
        debug.visualize_sharding((), jnp.ones(1).sharding)
    with pytest.raises(ValueError, match="no device"):
        debug.visualize_sharding((2,), "gpu")
